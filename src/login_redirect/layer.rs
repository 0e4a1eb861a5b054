use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use tower_layer::Layer;

use super::{LoginRedirect, SsoUrl};

type FindUrl = dyn Fn(&Parts) -> Option<SsoUrl> + Send + Sync;
type FindValue = dyn Fn(&Parts) -> Option<String> + Send + Sync;

/// Redirects a visitor to the tenant's sign-in page when a handler asks for it. Cheap to clone.
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
/// use tower_sso::received;
///
/// let pages = HashMap::from([("acme.app.example", SsoUrl::parse("https://idp.acme.example/sso")?)]);
/// // Over HTTP/2 there is no `Host` header: `received::host` reads both.
/// let start = LoginRedirectLayer::new(move |head| pages.get(&*received::host(head)?).cloned());
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct LoginRedirectLayer(Arc<Settings>);

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) sso_url: Arc<FindUrl>,
    pub(super) bare_segments: Vec<Cow<'static, str>>,
    pub(super) credential: Cow<'static, str>,
    pub(super) bound: Option<(Cow<'static, str>, Arc<FindValue>)>,
}

impl LoginRedirectLayer {
    /// Redirects to the page that the function returns for a request's head: its tenant's page, or `None` for an
    /// unknown tenant. It is called for every GET and HEAD request, before the inner service.
    pub fn new(sso_url: impl Fn(&Parts) -> Option<SsoUrl> + Send + Sync + 'static) -> Self {
        let (sso_url, credential) = (Arc::new(sso_url), Cow::Borrowed("sso_jwt"));
        Self(Arc::new(Settings { sso_url, bare_segments: Vec::new(), credential, bound: None }))
    }

    /// First segments of paths that are written without the leading slash, as the vendor's sample has it:
    /// `i%2F9745804b`. Default: none.
    ///
    /// A partner that joins host and path without a slash sends its tokens to your host name with the segment appended.
    /// **Name only fixed segments of your routes for which nobody owns that host name**, never one that a link may
    /// choose. A segment with characters other than ASCII letters, digits, `_` and `-` keeps its slash regardless.
    #[must_use]
    pub fn bare_segments<N: Into<Cow<'static, str>>>(self, segments: impl IntoIterator<Item = N>) -> Self {
        self.with(|settings| settings.bare_segments = segments.into_iter().map(Into::into).collect())
    }

    /// The parameter in which the credential comes back. Default: `sso_jwt`. It is not sent along, as the link would
    /// come back with two.
    #[must_use]
    pub fn credential_parameter(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(|settings| settings.credential = name.into())
    }

    /// Sends a value of your own along in `return_to_params`, to bind the answer to the browser that was sent away. Use
    /// a random value that is in the browser's cookie too, never the session id, and check it with
    /// [`is_bound`](super::is_bound). Default: nothing, so an attacker can log a victim into the attacker's account by
    /// a link with the attacker's own token (login CSRF).
    ///
    /// If the link has a parameter of that name, it is left out.
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
    /// # Ok::<(), tower_sso::ConfigError>(())
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
        LoginRedirect::new(inner, Arc::clone(&self.0))
    }
}

impl fmt::Debug for LoginRedirectLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRedirectLayer").field("bare_segments", &self.0.bare_segments).finish_non_exhaustive()
    }
}
