//! Sessions, cookies and frames: what to do once the user is verified.
//!
//! The layer verifies one request. Your app keeps the session. Four rules:
//!
//! 1. Give the browser a **new session id** at each sign-in.
//! 2. Make the cookie `HttpOnly; Secure`, with the `SameSite` of the table below.
//! 3. **Redirect** after the sign-in, so that a reload does not send the used link again.
//! 4. Show who is signed in.
//!
//! The link is used up before the handler runs. If the handler fails, a second click is `replayed`: have the answer say
//! "go back to your partner's site and click again".
//!
//! Features `fernet` and `axum`; also `cargo add tower-sessions@0.15`:
//!
//! ```
//! # #[cfg(all(feature = "fernet", feature = "axum"))] {
//! use axum::http::StatusCode;
//! use axum::response::{IntoResponse, Redirect, Response};
//! use tower_sessions::cookie::SameSite;
//! use tower_sessions::{Session, SessionManagerLayer, SessionStore, session};
//! use tower_sso::Identity;
//! use tower_sso::providers::tutorcruncher::TutorUser;
//!
//! async fn land(session: Session, user: Identity<TutorUser>) -> Result<Redirect, Failed> {
//!     session.clear().await; // what the last user has left
//!     session.cycle_id().await?; // session fixation: an id that was planted in the browser opens nothing
//!     session.insert("user", (user.tenant().as_str(), user.id)).await?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! fn cookies<S: SessionStore + Clone>(store: S) -> SessionManagerLayer<S> {
//!     let sessions = SessionManagerLayer::new(store).with_name("__Host-session");
//!     sessions.with_http_only(true).with_secure(true).with_same_site(SameSite::Lax)
//! }
//!
//! # let route: axum::Router = axum::Router::new().route("/sso", axum::routing::get(land));
//! struct Failed;
//!
//! impl IntoResponse for Failed {
//!     fn into_response(self) -> Response { StatusCode::SERVICE_UNAVAILABLE.into_response() }
//! }
//!
//! impl From<session::Error> for Failed {
//!     fn from(_: session::Error) -> Self { Self }
//! }
//! # }
//! ```
//!
//! `examples/app` is the whole of it, with a store, sign-out and tests; `examples/lti.rs` is the same in a frame.
//!
//! # `SameSite`, by how the user arrives
//!
//! | how the user arrives | cookie |
//! |---|---|
//! | a link or a redirect | `HttpOnly; Secure; SameSite=Lax` |
//! | a form post in the top window | the same: the answer may set it, the post itself does not send it |
//! | in a frame (LTI launches), or by the partner's `<script src>` | `HttpOnly; Secure; SameSite=None; Partitioned` |
//!
//! By form:
//!
//! | form | arrives as |
//! |---|---|
//! | `fernet`, `jwt`, `timestamp_hash` | a link: `Lax` |
//! | `oauth1`, signed link | a link: `Lax`; loaded as a script: no session there, hand out a [`ticket`] |
//! | `oauth1`, LTI launch | a form post, mostly in a frame: `None; Partitioned` |
//! | `signed_parameters`, `signed_payload` | a link: `Lax`; a form post or a frame of a platform: `None; Partitioned` |
//! | `sealed` | a link: `Lax`; in a frame of a platform: `None; Partitioned` |
//! | `ticket` | a link: `Lax`; opened in a frame: `None; Partitioned` |
//! | `webhook`, `shared_secret` | a server: no cookie. Its answer may hand on a ticket for the browser |
//!
//! A `Strict` cookie is not sent after a click on the partner's site: the redirect that follows the sign-in arrives
//! without it.
//!
//! # In a frame
//!
//! There your cookie is a third party's. A `Lax` one is not stored: the launch succeeds, but the next request
//! has no session. `SameSite=None; Secure; Partitioned` is stored, for this site inside that platform:
//!
//! ```
//! use axum::http::{HeaderValue, Response, header::SET_COOKIE};
//!
//! let cookie = "__Host-session=…; Path=/; HttpOnly; Secure; SameSite=None; Partitioned";
//! # let cookie = cookie.replace('…', "c2Vzc2lvbg");
//! let launched = Response::builder().status(303).header("location", "/").header(SET_COOKIE, cookie).body(())?;
//! # Ok::<(), axum::http::Error>(())
//! ```
//!
//! tower-sessions has no setting for `Partitioned`: `examples/lti.rs` adds it to the cookie.
//!
//! With `SameSite=None`, requests of other sites carry the session. The app then needs CSRF protection of its own, such
//! as tower-http's `CsrfLayer`. Name the platforms that may frame you: `Content-Security-Policy: frame-ancestors
//! https://lms.example`. Browsers that have no `Partitioned` and block third-party cookies keep nothing: offer a link
//! that opens the app in a window of its own.
//!
//! # Login CSRF
//!
//! An attacker can take an unused link of *their own* and have the victim's browser open it: the victim is logged in to
//! the attacker's account, and may leave data there. No signature helps, as the link is honest. Where the partner
//! starts the sign-in, nothing tells the two browsers apart. So:
//!
//! - Clear the old session, as above. Carry nothing over to the new user: no cart, no draft.
//! - Show whose account it is on each page, and again before payments and uploads.
//! - If somebody else is signed in already, ask before you switch.
//!
//! Where *your app* starts the sign-in, bind it to the browser:
//! [`LoginRedirectLayer::bind`](crate::login_redirect::LoginRedirectLayer::bind) sends a value along, and
//! [`is_bound`](crate::login_redirect::is_bound) compares it on the way back.
//!
//! # Where to go next
//!
//! A `next` parameter is mostly not signed: take it through [`LocalPath`](crate::landing::LocalPath), which never leads
//! to another host.
//!
//! # The end of a session
//!
//! A revoked key ends no session, nor does a user's removal at the partner. Bound the session's length; eight hours
//! suit a working day. Sign out by POST.
//!
//! [`ticket`]: crate::ticket
