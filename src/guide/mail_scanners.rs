//! Links that are mailed: a page with a button that posts.
//!
//! **Mail scanners and some chat previews send an ordinary GET.** It uses the link up: the person's click is
//! `replayed`, and the scanner holds a session. For a link that is mailed or pasted into a chat, answer GET with a page
//! whose button posts to the same address, and verify POST alone. A link that a partner's page redirects to at once
//! needs none of this.
//!
//! ```
//! # #[cfg(all(feature = "fernet", feature = "moka", feature = "axum", feature = "sign"))] {
//! use axum::http::Method;
//! use axum::response::Html;
//! use axum::{Router, routing::{get, post}};
//! use tower_sso::keys::KeyStore;
//! use tower_sso::providers::tutorcruncher::{self, TutorUser};
//! use tower_sso::replay::ReplayStore;
//! use tower_sso::{ConfigError, Identity};
//!
//! async fn button() -> Html<&'static str> {
//!     Html(r#"<form method="post"><button>Sign in</button></form>"#)
//! }
//!
//! async fn land(user: Identity<TutorUser>) { /* open the session, redirect */ }
//!
//! // With keys and a replay store as in the chapter `first_partner`.
//! fn app(keys: impl KeyStore, replay: impl ReplayStore) -> Result<Router, ConfigError> {
//!     let sso = tutorcruncher::sso(keys).replay(replay).methods([Method::POST]).build()?;
//!     Ok(Router::new().route("/sso", get(button)).route("/sso", post(land).layer(sso)))
//! }
//! # use {axum::body::Body, http::Request, tower::ServiceExt};
//! # use tower_sso::{keys::MemoryKeys, replay::MemoryReplay};
//! # let key = tower_sso::sign::generate_fernet_key();
//! # let replay = MemoryReplay::builder().danger_no_startup_cutoff().build();
//! # let app = app(MemoryKeys::new().with("4321", key.clone()), replay)?;
//! # let user = serde_json::json!({"id": 123, "nm": "Samuel", "rt": "Contractor"});
//! # let link = tower_sso::sign::FernetLink::new("/sso", "4321", &key).uri(&user).unwrap();
//! # let post = async |body: &'static str| {
//! #     let form = Request::post(&link).header("content-type", "application/x-www-form-urlencoded");
//! #     let form = form.header("content-length", body.len()).body(Body::from(body)).unwrap();
//! #     app.clone().oneshot(form).await.unwrap().status()
//! # };
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let scanned = app.clone().oneshot(Request::get(&link).body(Body::empty()).unwrap()).await.unwrap();
//! # assert_eq!(scanned.status(), 200, "a scanner");
//! # assert_eq!(post("next=%2Fadmin").await, 400, "a field that nobody signed");
//! # assert_eq!(post("").await, 200, "the button");
//! # assert_eq!(post("").await, 401);
//! # });
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! An HTML form without `action` posts to the page's own address, with its query: the credential goes along as it came.
//! **No field and no button of the HTML form may have a name**: what they would send is signed by nobody, and the layer
//! refuses a body beside the link (`unsigned_body`). If your framework adds a hidden field to each HTML form, leave it
//! out here.
//!
//! # Rules
//!
//! - **No script that posts by itself.** Some scanners run scripts.
//! - **Set both security headers.** The page's URL holds the credential until the click, and the layer is not on its
//!   route: set `Cache-Control: no-store` and `Referrer-Policy: no-referrer` yourself, as in
//!   [`stacking`](super::stacking#answers-without-the-two-security-headers). Load nothing from other hosts on it.
//! - **Do not read the credential for the page.** Nothing of it is verified before the POST: greet nobody by name.
//! - **The credential must not sign the method.** OAuth 1.0a signs it, so a link that was signed for GET cannot be
//!   posted. Other sign-in links can, except where a preset says that the method is signed.
//! - **The window is the partner's.** A link that is good for a minute is not for mail. `max_age` may be raised up to
//!   31 days; a link that lies in a mailbox for so long works for whoever reads the mailbox.
//!
//! # What is refused without a button
//!
//! Requests that say that nobody clicked use nothing up, on any route: HEAD (405), and those with a
//! mark of a prefetch or a preview, such as `Sec-Purpose: prefetch` (425
//! [`too_early`](crate::rejection::Code::TooEarly)). Browsers, and Facebook's app, send such marks. Mail scanners
//! mostly do not, as they want to see what the user would see.
//!
//! # The double click
//!
//! The second click is `replayed`, although the first one has signed in. Let a
//! [responder](crate::Builder::responder) send it to the front page:
//!
//! ```
//! # #[cfg(feature = "fernet")] {
//! use axum::body::Bytes;
//! use axum::http::header::{COOKIE, LOCATION};
//! use axum::http::{HeaderValue, Response, StatusCode};
//! use tower_sso::providers::tutorcruncher;
//! use tower_sso::rejection::Code;
//!
//! # let keys = tower_sso::MemoryKeys::new();
//! let sso = tutorcruncher::sso(keys).responder(|rejection, head| {
//!     // The front page decides whether that session is good.
//!     if rejection.code() == Code::Replayed && head.headers.contains_key(COOKIE) {
//!         let mut answer = Response::new(Bytes::new());
//!         *answer.status_mut() = StatusCode::SEE_OTHER;
//!         answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
//!         return answer;
//!     }
//!     rejection.problem_json()
//! });
//! # }
//! ```
//!
//! # Links of your own
//!
//! For links that your own app mails (an invitation, a new password), use a [`ticket`](crate::ticket). Set its
//! [`time_to_live`](crate::ticket::Tickets::time_to_live), and use the same button.
