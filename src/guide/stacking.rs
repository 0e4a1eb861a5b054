//! Which middleware goes outside the layer and which inside, and answers without the two security headers.
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
//! Put limits outside: `ConcurrencyLimit`, `RateLimit`, body limits. A limit inside gives out its slot before anything
//! is verified: a client that sends no body holds the slot for `body_timeout`. For middleware that rewrites the path,
//! see [`received`](crate::received).
//!
//! Where the credential does not sign the body, the layer wants an empty one. Middleware such as
//! `RequestBodyTimeoutLayer` hides the length, so the layer reads to the end. With a form that reads only the head,
//! that compiles only if the body is [`Unpin`], as axum's is: put such middleware on the `Router`, or follow it with
//! `.map_request(|request: http::Request<_>| request.map(Body::new))`.
//!
//! # Answers without the two security headers
//!
//! `Cache-Control: no-store` and `Referrer-Policy: no-referrer` are set on the layer's own answers and on those of the
//! inner service to a request that was checked. They are missing from answers that the layer never sees, or has no
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
