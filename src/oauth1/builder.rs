use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::parameters::is_protocol;
use super::quirks::Quirks;
use super::{OAuth1, Origin, SignatureMethod, Transport};
use crate::tenant::Tenant;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// Starts a layer for requests signed by OAuth 1.0a, whose other parameters are deserialized into `C`, each a string.
///
/// | setting | default |
/// |---|---|
/// | [`transports`](Builder::transports) | the query |
/// | [`signature_methods`](Builder::signature_methods) | HMAC-SHA1 |
/// | [`window`](Builder::window) | 300 s either way |
/// | [`require`](Builder::require) | nothing but what `C` needs |
/// | [`query_copied_into_form`](Builder::query_copied_into_form) | each pair counts where it is |
/// | [`names_sorted_without_case`](Builder::names_sorted_without_case) | sorted by their bytes |
/// | [`tenant`](Builder::tenant) | always `oauth_consumer_key` |
/// | [`methods`](Builder::methods) | GET |
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use http::Method;
/// use tower_sso::oauth1::{self, Origin, Transport};
/// use tower_sso::{keys::MemoryKeys, replay::MemoryReplay};
///
/// // An LTI 1.1 launch.
/// let launch = oauth1::layer::<serde_json::Value>(Origin::new("https://tool.example"))
///     .transports([Transport::Form])
///     .methods([Method::POST])
///     .require(["lti_message_type", "resource_link_id"])
///     .keys(MemoryKeys::new().with("consumer", "0123456789abcdef"))
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(origin: Origin) -> Builder<OAuth1<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let form = OAuth1 {
        origin,
        transports: vec![Transport::Query],
        methods: vec![SignatureMethod::HmacSha1],
        window: Window { max_age: Duration::from_secs(300), clock_skew: Duration::from_secs(300) },
        required: Vec::new(),
        quirks: Quirks::default(),
        #[cfg(feature = "explain")]
        slip: None,
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::GET)
}

impl<C, D> Builder<OAuth1<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// Where the OAuth parameters may be. Default: the query only.
    ///
    /// With [`Transport::Form`], an [`optional`](Self::optional) layer refuses a form without them, as it has to read
    /// the body to find out.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.form.transports = transports.into_iter().collect();
        self
    }

    /// The accepted signature methods. Default: HMAC-SHA1 only.
    pub fn signature_methods(mut self, methods: impl IntoIterator<Item = SignatureMethod>) -> Self {
        self.form.methods = methods.into_iter().collect();
        self
    }

    /// How far the timestamp may differ from the clock, either way, in whole seconds, inclusive. Default: 300 s.
    pub fn window(mut self, either_way: Duration) -> Self {
        self.form.window = Window { max_age: either_way, clock_skew: either_way };
        self
    }

    /// Parameters that must appear once and not be empty, even if `C` makes them optional. Default: none.
    pub fn require<N: Into<Cow<'static, str>>>(mut self, parameters: impl IntoIterator<Item = N>) -> Self {
        self.form.required.extend(parameters.into_iter().map(Into::into));
        self
    }
}

pub(super) fn check<C>(form: &OAuth1<C>) -> Result<(), ConfigProblem> {
    form.window.check()?;
    form.origin.check()?;
    if form.transports.is_empty() {
        return Err(ConfigProblem::setting(
            "transports",
            "is empty: name at least one place where the OAuth parameters may stand",
        ));
    }
    if form.methods.is_empty() {
        return Err(ConfigProblem::setting("signature_methods", "is empty: name at least one"));
    }
    if form.required.iter().any(|name| is_protocol(name)) {
        return Err(ConfigProblem::setting(
            "require",
            "names a parameter that begins with `oauth_`, and those are no claims: leave it out",
        ));
    }
    Ok(())
}
