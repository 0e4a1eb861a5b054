//! The start of Waggl's flow: who has no session is sent to the organisation's own sign-in page, and comes back with a token.
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
//! let answer = app.oneshot(http::Request::get("/i/9745804b?view=vote&page=1").body(Body::empty()).unwrap()).await.unwrap();
//! let expected = "https://idp.example/waggl/sso/?return_to_path=i%2F9745804b&return_to_params=view%3Dvote%26page%3D1";
//! assert_eq!(answer.headers()["location"], expected);
//! # });
//! # Ok::<(), tower_sso::config::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. Only an answer that carries [`LoginRequired`] is replaced, and only for GET and HEAD; its `Set-Cookie` headers go on.
//!    Where no [`SsoUrl`] is known, the inner answer stays, which is a 401.
//! 2. `return_to_path` is the path as the client sent it, if it is a [`LocalPath`]; else `/`. `return_to_params` is its query,
//!    byte for byte, without `sso_jwt` in any spelling; it is left out where nothing remains. Both are percent-encoded once.
//! 3. Partners glue the path behind a host name, with a slash between or without: `https://app.example` + `munity/1` is the
//!    host `app.examplemunity`, and `https://app.waggl.com` + `munity/1` one that somebody can register. So the path keeps its
//!    slash, which ends the host either way; but for the first segments that
//!    [you name](LoginRedirectLayer::bare_segments), as your routes have them, not as a link has them.
//! 4. A path that comes back with two slashes in front is handed on with one. For axum, put this layer around the whole
//!    `Router` for that: layers added with `Router::layer` run after routing.
//! 5. Nothing in the flow says that the browser which comes back is the one that was sent away: without
//!    [`bind`](LoginRedirectLayer::bind), somebody can sign a victim in as himself.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use pin_project_lite::pin_project;
use subtle::ConstantTimeEq;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::LayerBody;
use crate::config::ConfigError;
use crate::landing::LocalPath;
use crate::query::{self, Query};
use crate::rejection::seal;

/// Marks an answer that is to become a redirect to the sign-in page: it stands in the answer's extensions.
///
/// ```
/// use tower_sso::login_redirect::{LoginRequired, login_required};
///
/// let answer: http::Response<String> = login_required();
/// assert!(answer.extensions().get::<LoginRequired>().is_some());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoginRequired;

/// The answer of a handler that needs a session and has none: 401, with the mark.
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

/// Whether the parameter that [`bind`](LoginRedirectLayer::bind) sent along has come back as it was, and once. The comparison
/// takes constant time. An empty expectation is never met.
///
/// Ask it before a session is made of the identity that came with it.
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

/// The address of an organisation's sign-in page. Cheap to clone.
///
/// ```
/// use tower_sso::login_redirect::SsoUrl;
///
/// assert!(SsoUrl::parse("https://yourcompany.com/waggl/sso/?from=waggl").is_ok(), "its query is kept");
/// assert!(SsoUrl::parse("//yourcompany.com/").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoUrl(Arc<str>);

impl SsoUrl {
    /// Reads an absolute address, http or https, without user information and fragment.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] for any other.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let uri: Option<Uri> = text.parse().ok();
        let absolute = uri.as_ref().is_some_and(|uri| {
            let host = uri.authority().is_some_and(|host| !host.host().is_empty() && !host.as_str().contains('@'));
            matches!(uri.scheme_str(), Some("http" | "https")) && host
        });
        if absolute && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"')) {
            return Ok(Self(text.into()));
        }
        let problem =
            "is not an address such as https://yourcompany.com/sso/: give the one that the organisation has given";
        Err(ConfigError::Setting { setting: "sso_url", problem: problem.into() })
    }

    fn with(&self, parameters: &str) -> String {
        let separator = match self.0.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{parameters}", self.0)
    }
}

type FindUrl = dyn Fn(&Parts) -> Option<SsoUrl> + Send + Sync;
type FindValue = dyn Fn(&Parts) -> Option<String> + Send + Sync;

/// Redirects to the tenant's sign-in page whoever a handler says must sign in. Cheap to clone.
///
/// | setting | default |
/// |---|---|
/// | [`bare_segments`](Self::bare_segments) | none: the path keeps its leading slash |
/// | [`credential_parameter`](Self::credential_parameter) | `sso_jwt` |
/// | [`bind`](Self::bind) | nothing |
///
/// ```
/// use std::collections::HashMap;
/// use tower_sso::login_redirect::{LoginRedirectLayer, SsoUrl};
///
/// let pages = HashMap::from([("acme.app.example", SsoUrl::parse("https://idp.acme.example/sso")?)]);
/// let start = LoginRedirectLayer::new(move |head| {
///     let host = head.headers.get("host")?.to_str().ok()?;
///     pages.get(host).cloned()
/// });
/// # Ok::<(), tower_sso::config::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct LoginRedirectLayer(Arc<Settings>);

#[derive(Clone)]
struct Settings {
    sso_url: Arc<FindUrl>,
    bare_segments: Vec<Cow<'static, str>>,
    credential: Cow<'static, str>,
    bound: Option<(Cow<'static, str>, Arc<FindValue>)>,
}

impl LoginRedirectLayer {
    /// Redirects to what the function finds for a request's head: its tenant's page, or nothing if the tenant is not known.
    /// It is asked for every GET and HEAD request, before the inner service is.
    pub fn new(sso_url: impl Fn(&Parts) -> Option<SsoUrl> + Send + Sync + 'static) -> Self {
        let (sso_url, credential) = (Arc::new(sso_url), Cow::Borrowed("sso_jwt"));
        Self(Arc::new(Settings { sso_url, bare_segments: Vec::new(), credential, bound: None }))
    }

    /// First segments of paths that are written without the leading slash, as the vendor's sample has it: `i%2F9745804b`.
    /// Default: none.
    ///
    /// A partner that glues without a slash then sends its tokens to your host name with the segment behind it. **Name only
    /// segments that stand in your routes as they are**, and with which your host name is nobody's: never what a link may
    /// choose. One that has more than ASCII letters, digits, `_` and `-` keeps its slash all the same.
    #[must_use]
    pub fn bare_segments<N: Into<Cow<'static, str>>>(self, segments: impl IntoIterator<Item = N>) -> Self {
        self.with(|settings| settings.bare_segments = segments.into_iter().map(Into::into).collect())
    }

    /// The parameter in which the credential comes back. Default: `sso_jwt`. It is not sent along: a link that has one would
    /// come back with two.
    #[must_use]
    pub fn credential_parameter(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(|settings| settings.credential = name.into())
    }

    /// Sends a value of your own along, as one more of the `return_to_params`, so that the way back can be told to belong to
    /// the browser that was sent away: a random one that its cookie has too, never the session's id. Check it with
    /// [`is_bound`]. Default: nothing, and somebody can sign a victim in as himself by a link to his own token.
    ///
    /// A parameter of that name which the link has is left out.
    ///
    /// ```
    /// use tower_sso::login_redirect::{LoginRedirectLayer, SsoUrl};
    ///
    /// /// Put into the request's extensions by a middleware outside, which also sets the cookie that it comes from.
    /// #[derive(Clone)]
    /// struct BeforeLogin(String);
    ///
    /// let acme = SsoUrl::parse("https://idp.example/sso/")?;
    /// let start = LoginRedirectLayer::new(move |_| Some(acme.clone()))
    ///     .bind("state", |head| head.extensions.get().map(|BeforeLogin(nonce)| nonce.clone()));
    /// # Ok::<(), tower_sso::config::ConfigError>(())
    /// ```
    #[must_use]
    pub fn bind(
        self,
        parameter: impl Into<Cow<'static, str>>,
        value: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.bound = Some((parameter.into(), Arc::new(value))))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl<S> Layer<S> for LoginRedirectLayer {
    type Service = LoginRedirect<S>;

    fn layer(&self, inner: S) -> LoginRedirect<S> {
        LoginRedirect { inner, settings: Arc::clone(&self.0) }
    }
}

impl Settings {
    /// Where this request would be sent, if it turns out that it must sign in.
    fn location(&self, head: &Parts) -> Option<HeaderValue> {
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return None;
        }
        let url = (self.sso_url)(head)?;
        let mut asked_for = original(head).clone();
        collapse_slashes(&mut asked_for);
        let mut parameters = format!("return_to_path={}", encode(&self.path(&asked_for)));
        let bound = self.bound.as_ref().map(|(name, value)| (name, value(head)));
        let left_out: Vec<_> =
            [&self.credential].into_iter().chain(bound.as_ref().map(|(name, _)| *name)).cloned().collect();
        query::strip(&mut asked_for, &left_out);
        let mut query = asked_for.query().unwrap_or_default().to_owned();
        if let Some((name, Some(value))) = bound {
            let separator = if query.is_empty() { "" } else { "&" };
            _ = write!(query, "{separator}{}={}", encode(name), encode(&value));
        }
        if !query.is_empty() {
            _ = write!(parameters, "&return_to_params={}", encode(&query));
        }
        url.with(&parameters).try_into().ok()
    }

    fn path(&self, asked_for: &Uri) -> String {
        let path = LocalPath::parse(asked_for.path()).unwrap_or_default().to_string();
        let Some(bare) = path.strip_prefix('/') else { return path };
        let first = bare.split('/').next().unwrap_or_default();
        let plain = first.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let named = !first.is_empty() && self.bare_segments.iter().any(|segment| segment == first);
        if plain && named { bare.to_owned() } else { path }
    }
}

/// The URI as the client sent it: an outer router may have cut its front off.
fn original(head: &Parts) -> &Uri {
    #[cfg(feature = "axum")]
    if let Some(::axum::extract::OriginalUri(uri)) = head.extensions.get() {
        return uri;
    }
    &head.uri
}

/// Two slashes in front come of a host name and a path that both had one.
fn collapse_slashes(uri: &mut Uri) {
    let Some(path_and_query) = uri.path_and_query().map(PathAndQuery::as_str) else { return };
    if !path_and_query.starts_with("//") {
        return;
    }
    let one_slash = format!("/{}", path_and_query.trim_start_matches('/'));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = one_slash.try_into().ok();
    if let Ok(collapsed) = Uri::from_parts(parts) {
        *uri = collapsed;
    }
}

/// Percent-encodes all but letters, digits, `-`, `.`, `_` and `~` (RFC 3986, 2.3).
fn encode(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
        encoded
    })
}

/// The service that [`LoginRedirectLayer`] makes.
///
/// ```
/// use http::{Request, Response};
/// use tower_layer::Layer;
/// use tower_sso::login_redirect::{LoginRedirect, LoginRedirectLayer, login_required};
///
/// let inner = tower::service_fn(|_: Request<()>| async { Ok::<Response<String>, std::io::Error>(login_required()) });
/// let service: LoginRedirect<_> = LoginRedirectLayer::new(|_| None).layer(inner);
/// ```
#[derive(Clone)]
pub struct LoginRedirect<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S, B, R> Service<Request<B>> for LoginRedirect<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<LayerBody<R>>;
    type Error = S::Error;
    type Future = LoginRedirectFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let location = self.settings.location(&head);
        collapse_slashes(&mut head.uri);
        // The service that was polled ready is called here and now, so it need not be moved out.
        LoginRedirectFuture { answer: self.inner.call(Request::from_parts(head, body)), location }
    }
}

pin_project! {
    /// The answer of the inner service, or a redirect in its place.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct LoginRedirectFuture<F> {
        #[pin]
        answer: F,
        location: Option<HeaderValue>,
    }
}

impl<F, R, E> Future for LoginRedirectFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<LayerBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx))?;
        let required = answer.extensions().get::<LoginRequired>().is_some();
        let (true, Some(location)) = (required, this.location.take()) else {
            return Poll::Ready(Ok(answer.map(LayerBody::inner)));
        };
        let mut redirect = Response::new(LayerBody::own(Bytes::new()));
        *redirect.status_mut() = StatusCode::FOUND;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            redirect.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        redirect.headers_mut().insert(LOCATION, location);
        seal(redirect.headers_mut());
        Poll::Ready(Ok(redirect))
    }
}

impl fmt::Debug for LoginRedirectLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRedirectLayer").field("bare_segments", &self.0.bare_segments).finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for LoginRedirect<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRedirect").finish_non_exhaustive()
    }
}
