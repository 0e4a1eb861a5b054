//! Next to other middleware, mail scanners, sessions and cookies.
//!
//! # Next to other middleware
//!
//! Put the layer on the route that it is for. Outside it, any middleware works. It sees the credential in the URI;
//! inside, the credential is gone: put request logging (`TraceLayer`) inside, or log the path alone.
//!
//! A form that reads the body (webhook, OAuth 1.0a, shared secret) hands on a [`LayerBody`](crate::body::LayerBody).
//! tower's and tower-http's layers take any body. axum's own middleware takes `axum::body::Body`: three ways put it
//! inside.
//!
//! ```
//! # #[cfg(all(feature = "webhook", feature = "moka", feature = "axum"))] {
//! use axum::body::Body;
//! use axum::extract::Request;
//! use axum::middleware::{Next, from_fn};
//! use axum::{Router, routing::post};
//! use std::convert::Infallible;
//! use tower::ServiceBuilder;
//! use tower_sso::body::LayerBody;
//! use tower_sso::{replay::MemoryReplay, webhook};
//!
//! # async fn call() {}
//! # async fn log(request: Request, next: Next) -> axum::response::Response { next.run(request).await }
//! # let hook = webhook::layer::<serde_json::Value>();
//! # let hook = hook.secrets(["whsec-shared"]).replay(MemoryReplay::new()).handler_remembers().build()?;
//! // On one route: the inner layer first, and its error's type.
//! let app: Router = Router::new().route("/hook", post(call).layer::<_, Infallible>(from_fn(log)).layer(hook.clone()));
//! // On all routes of a router.
//! let app: Router = Router::new().route("/hook", post(call)).route_layer(from_fn(log)).route_layer(hook.clone());
//! // In one `ServiceBuilder`, the outer layer first.
//! let both = ServiceBuilder::new()
//!     .layer(hook)
//!     .map_request(|request: http::Request<LayerBody<Body>>| request.map(Body::new))
//!     .layer(from_fn(log));
//! let app: Router = Router::new().route("/hook", post(call).layer(both));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! Limits go outside: `ConcurrencyLimit`, `RateLimit`, body limits. The layer is ready when its inner service is, so it
//! holds a place of a limit inside while it reads a body or waits for a store, before anything is verified: whoever
//! opens a connection and sends no body could hold that place for `body_timeout`. Middleware that rewrites the path:
//! see [`received`](crate::received).
//!
//! # Answers that the layer does not seal
//!
//! `Cache-Control: no-store` and `Referrer-Policy: no-referrer` are set on the layer's own answers and on those of the
//! inner service to a request that was checked. They are missing from what the layer never sees as an answer, or has no
//! part in: the inner service's *error* (`HandleErrorLayer` answers it further out), a panic, a timeout outside, and a
//! request that passed an [optional](crate::Builder::optional) layer without a credential. The URL of some of
//! them still holds a credential. Set both headers around the route:
//!
//! ```
//! # #[cfg(all(feature = "fernet", feature = "moka", feature = "axum"))] {
//! # use axum::{Router, routing::get};
//! use http::HeaderValue;
//! use http::header::{CACHE_CONTROL, REFERRER_POLICY};
//! use tower::ServiceBuilder;
//! use tower_http::set_header::SetResponseHeaderLayer;
//!
//! # async fn land() {}
//! # let sso = tower_sso::fernet::layer::<serde_json::Value>()
//! #     .tenant(tower_sso::tenant::Tenant::fixed("acme"))
//! #     .secrets(["38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c="])
//! #     .replay(tower_sso::replay::MemoryReplay::new())
//! #     .build()?;
//! let seal = ServiceBuilder::new()
//!     .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store")))
//!     .layer(SetResponseHeaderLayer::overriding(REFERRER_POLICY, HeaderValue::from_static("no-referrer")));
//! let app: Router = Router::new().route("/sso", get(land).layer(sso)).route_layer(seal);
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Links that are mailed
//!
//! HEAD requests, and requests whose headers say that nobody clicked
//! ([`too_early`](crate::rejection::Code::TooEarly)), use nothing up. **Mail scanners and some chat previews send an
//! ordinary GET**: it uses the link up, the person's click is `replayed`, and the scanner holds a session. A link that
//! a partner's page redirects to at once is safe; for a link that is mailed or pasted, answer GET with a page whose
//! button posts to the same address, and check POST alone. A script that posts by itself is no help: some scanners run
//! scripts.
//!
//! ```
//! # #[cfg(all(feature = "fernet", feature = "moka", feature = "axum"))] {
//! # use axum::{Router, response::Html, routing::{get, post}};
//! # use http::Method;
//! # async fn land() {}
//! async fn button() -> Html<&'static str> {
//!     Html(r#"<form method="post"><button>Sign in</button></form>"#)
//! }
//!
//! # let sso = tower_sso::fernet::layer::<serde_json::Value>()
//! #     .tenant(tower_sso::tenant::Tenant::fixed("acme"))
//! #     .secrets(["38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c="])
//! #     .replay(tower_sso::replay::MemoryReplay::new());
//! let sso = sso.methods([Method::POST]).build()?;
//! let app: Router = Router::new().route("/sso", get(button)).route("/sso", post(land).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! The page's own URL holds the credential until the click, so seal it as above. It needs a form whose signature does
//! not cover the method: all but OAuth 1.0a. Against a double click, let a
//! [responder](crate::Builder::responder) send `replayed` to the front page if the request has a session
//! cookie.
//!
//! # Session cookies
//!
//! | how the user arrives | cookie |
//! |---|---|
//! | a link or a redirect | `HttpOnly; Secure; SameSite=Lax` |
//! | a form post in the top window | the same: the answer may set it, the post itself does not send it |
//! | in a frame (LTI launches), or by the partner's `<script src>` | `HttpOnly; Secure; SameSite=None; Partitioned` |
//!
//! In a frame, a `Lax` cookie is not stored: the launch succeeds, and the next request is nobody's. `SameSite=None`
//! means that other sites' requests carry the session: the app needs CSRF protection of its own. `Strict` never comes
//! back from a partner's site.
