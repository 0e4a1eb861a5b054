//! The start of Waggl's flow: a visitor without a session is sent to the organisation's own sign-in page, and comes
//! back with a token.
//!
//! A handler without a session answers [`login_required`]; [`LoginRedirectLayer`] turns that into a 302 to the tenant's
//! [`SsoUrl`], with `return_to_path` and `return_to_params`. The way back is checked by
//! [`providers::waggl`](crate#forms-and-partners).
//!
//! ```
//! # use axum::{Router, body::Body, response::Response, routing::get};
//! use tower_sso::login_redirect::{LoginRedirectLayer, SsoUrl, login_required};
//!
//! async fn survey() -> Response {
//!     login_required() // there is no session
//! }
//!
//! let acme = SsoUrl::parse("https://idp.example/waggl/sso/")?;
//! let start = LoginRedirectLayer::new(move |_| Some(acme.clone())).bare_segments(["i"]);
//! let app: Router = Router::new().route("/i/{survey}", get(survey)).layer(start);
//! # use tower::ServiceExt;
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let click = http::Request::get("/i/9745804b?view=vote&page=1").body(Body::empty()).unwrap();
//! let answer = app.oneshot(click).await.unwrap();
//! let expected = "https://idp.example/waggl/sso/?return_to_path=i%2F9745804b&return_to_params=view%3Dvote%26page%3D1";
//! assert_eq!(answer.headers()["location"], expected);
//! # });
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. Only an answer with [`LoginRequired`] is replaced, and only for GET and HEAD; its `Set-Cookie` headers are kept.
//!    If no [`SsoUrl`] is known, the inner answer, a 401, stays.
//! 2. `return_to_path` is the path as the client sent it, if it is a [`LocalPath`](crate::landing::LocalPath),
//!    otherwise `/`. `return_to_params` is its query, byte for byte, without `sso_jwt` in any spelling; if nothing
//!    remains, it is left out. Both are percent-encoded once.
//! 3. Partners append the path to a host name, with or without a slash: `https://app.example` + `munity/1` is the host
//!    `app.examplemunity`, and `https://app.waggl.com` + `munity/1` one that anybody can register. So the path keeps
//!    its slash, which ends the host either way. The exceptions are first segments that [you
//!    name](LoginRedirectLayer::bare_segments); name those of your routes, not those of a link.
//! 4. A path that comes back with two leading slashes is passed on with one. In axum this needs the layer around the
//!    whole `Router`: layers added with `Router::layer` run after routing.
//! 5. The flow does not check that the browser that comes back is the one that was sent away. Without
//!    [`bind`](LoginRedirectLayer::bind), an attacker can log a victim into the attacker's account (login CSRF).

mod layer;
mod location;
mod service;
mod sso_url;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Response, StatusCode, Uri};
use subtle::ConstantTimeEq;

pub use self::layer::LoginRedirectLayer;
pub use self::service::{LoginRedirect, LoginRedirectFuture};
pub use self::sso_url::SsoUrl;
use crate::query::Query;

/// Marks an answer, in its extensions, that is to become a redirect to the sign-in page.
///
/// ```
/// use tower_sso::login_redirect::{LoginRequired, login_required};
///
/// let answer: http::Response<String> = login_required();
/// assert!(answer.extensions().get::<LoginRequired>().is_some());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoginRequired;

/// The answer of a handler that needs a session and has none: a 401 with the mark.
///
/// ```
/// use tower_sso::login_redirect::login_required;
///
/// let answer: http::Response<String> = login_required();
/// assert_eq!(answer.status(), 401);
/// ```
pub fn login_required<B: Default>() -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("SSO"));
    response.extensions_mut().insert(LoginRequired);
    response
}

/// Whether the parameter that [`bind`](LoginRedirectLayer::bind) sent along has come back unchanged, and once. Compares
/// in constant time. An empty expectation never matches.
///
/// Call it before you make a session from the identity that came with it.
///
/// ```
/// use tower_sso::login_redirect::is_bound;
///
/// let uri: http::Uri = "/i/9745804b?view=vote&state=n0nce".parse()?;
/// assert!(is_bound(&uri, "state", "n0nce"), "what this browser's cookie says");
/// assert!(!is_bound(&uri, "state", "another browser's"));
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
pub fn is_bound(uri: &Uri, parameter: &str, expected: &str) -> bool {
    let given = Query::of(uri).value(parameter).ok().flatten().unwrap_or_default();
    !expected.is_empty() && bool::from(given.as_bytes().ct_eq(expected.as_bytes()))
}
