use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::{HeaderName, Method};

use super::signed::{Part, Template};
use super::{Digest, Encoding, FromBody, Webhook};
use crate::form::HasWindow;
use crate::tenant::Tenant;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// Starts a layer for signed calls whose body is read into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`signature_header`](Builder::signature_header) | `Webhook-Signature` |
/// | [`digest`](Builder::digest), [`encoding`](Builder::encoding) | SHA-256, hexadecimal |
/// | [`prefix`](Builder::prefix) | none |
/// | [`signed`](Builder::signed) | the body |
/// | [`timestamp_header`](Builder::timestamp_header), [`id_header`](Builder::id_header) | none |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 300 s, 60 s, where there is a timestamp |
/// | [`content_type`](Builder::content_type) | `application/json` |
/// | [`lease`](Builder::lease) | 30 s |
/// | [`tenant`](Builder::tenant) | one for all |
/// | [`methods`](Builder::methods) | POST |
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{replay::MemoryReplay, webhook};
///
/// // `X-Signature: v0=…` over `v0:1700000000:{"…"}`, as some chat services sign.
/// let verify = webhook::layer::<serde_json::Value>()
///     .signature_header(http::HeaderName::from_static("x-signature"))
///     .prefix("v0=")
///     .timestamp_header(http::HeaderName::from_static("x-request-timestamp"))
///     .signed("v0:{timestamp}:{body}")
///     .secrets(["whsec-shared"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>() -> Builder<Webhook<C>>
where
    C: FromBody + Send + Sync + 'static,
{
    let form = Webhook {
        header: HeaderName::from_static("webhook-signature"),
        digest: Digest::Sha256,
        encoding: Encoding::Hex,
        prefix: "".into(),
        template: Ok(Template::body_alone()),
        timestamp_header: None,
        id_header: None,
        window: Window { max_age: Duration::from_secs(300), clock_skew: Duration::from_secs(60) },
        content_type: Some("application/json".into()),
        lease: Duration::from_secs(30),
        remember: None,
        handler_remembers: false,
        forgetting_is_fine: false,
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::POST)
}

impl<C, D> Builder<Webhook<C>, D>
where
    C: FromBody + Send + Sync + 'static,
{
    /// The header that holds the signature. Default: `Webhook-Signature`.
    pub fn signature_header(mut self, name: HeaderName) -> Self {
        self.form.header = name;
        self
    }

    /// The digest of the HMAC. Default: SHA-256.
    pub fn digest(mut self, digest: Digest) -> Self {
        self.form.digest = digest;
        self
    }

    /// The encoding of the MAC. Default: hexadecimal.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.form.encoding = encoding;
        self
    }

    /// The text before the MAC, such as `sha256=`. The header must begin with exactly this. Default: nothing.
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.form.prefix = prefix.into();
        self
    }

    /// A template of the signed content, with the placeholders `{timestamp}`, `{id}` and `{body}`. Default: `{body}`.
    pub fn signed(mut self, template: impl AsRef<str>) -> Self {
        self.form.template = Template::parse(template.as_ref());
        self
    }

    /// The header with the time of the delivery, in whole seconds since the epoch. It must be signed. Default: none,
    /// and so no time check: a delivery may have any age.
    pub fn timestamp_header(mut self, name: HeaderName) -> Self {
        self.form.timestamp_header = Some(name);
        self
    }

    /// The header with the delivery's id. It must be signed. Default: none.
    pub fn id_header(mut self, name: HeaderName) -> Self {
        self.form.id_header = Some(name);
        self
    }

    /// The content type, without parameters. Default: `application/json`.
    pub fn content_type(mut self, essence: impl Into<Cow<'static, str>>) -> Self {
        self.form.content_type = Some(essence.into());
        self
    }

    /// Takes any content type, or none.
    pub fn any_content_type(mut self) -> Self {
        self.form.content_type = None;
        self
    }

    /// How long the inner service may take. Default: 30 s. If it neither answers nor fails within that time, its
    /// process may be gone: a duplicate is let through, [`store_timeout`](Self::store_timeout) later at the latest.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.form.lease = lease;
        self
    }

    /// States that the handler recognises a duplicate itself: it stores
    /// [`Identity::fingerprint`](crate::Identity::fingerprint) with its own data, in one transaction. Required for
    /// deliveries without a timestamp if the replay store forgets when the process ends.
    ///
    /// The replay store then remembers a delivery without a timestamp for an hour instead of for ever, so it does not
    /// grow without bound. **A later duplicate reaches the handler**, which must do nothing and answer as before.
    /// [`danger_remember_for`](Self::danger_remember_for) sets another time.
    pub fn handler_remembers(mut self) -> Self {
        self.form.handler_remembers = true;
        self
    }

    /// Builds without that promise: **after a restart, any past delivery is processed once more** if it is sent again,
    /// and brings back an old key or an old state.
    pub fn danger_forgets_on_restart(mut self) -> Self {
        self.form.forgetting_is_fine = true;
        self
    }

    /// How long a delivery without a timestamp is remembered. Default: an hour with
    /// [`handler_remembers`](Self::handler_remembers), else for ever, at the cost of one entry in the replay store per
    /// delivery. **A duplicate that comes later is processed again**, unless the handler recognises it by
    /// [`Identity::fingerprint`](crate::Identity::fingerprint).
    ///
    /// Layers that share deliveries (one store, one [`namespace`](Self::namespace)) must remember for the same time:
    /// what one has forgotten would pass at the other.
    pub fn danger_remember_for(mut self, time: Duration) -> Self {
        self.form.remember = Some(time);
        self
    }
}

impl<C> HasWindow for Webhook<C>
where
    C: FromBody + Send + Sync + 'static,
{
    fn window_mut(&mut self) -> &mut Window {
        &mut self.window
    }
}

pub(super) fn check<C>(form: &Webhook<C>) -> Result<(), ConfigProblem> {
    let setting = |setting, problem: &'static str| Err(ConfigProblem::Setting { setting, problem: problem.into() });
    form.window.check()?;
    let template = form.template.as_ref().map_err(Clone::clone)?;
    if template.is_ambiguous() {
        return setting("signed", "can be cut in two ways: put something between its parts, and {body} last");
    }
    for (part, header, name) in
        [(Part::Timestamp, &form.timestamp_header, "timestamp_header"), (Part::Id, &form.id_header, "id_header")]
    {
        match (template.has(&part), header) {
            (true, None) => return setting(name, "is not set, but its value is signed: name the header"),
            (false, Some(_)) => {
                return setting(
                    name,
                    "is set, but its value is not signed: anyone could change it; put it into `signed`",
                );
            }
            _ => {}
        }
    }
    if form.lease.is_zero() {
        return Err(ConfigProblem::ZeroTimeout("lease"));
    }
    if form.content_type.as_ref().is_some_and(|essence| essence.contains(';')) {
        return setting("content_type", "has parameters: leave them out, as senders may have any");
    }
    match form.remember {
        Some(_) if form.timestamp_header.is_some() => setting(
            "danger_remember_for",
            "is for calls without a timestamp: one with is remembered for its whole window",
        ),
        Some(time) if time.is_zero() => setting("danger_remember_for", "is zero: nothing is remembered"),
        _ => Ok(()),
    }
}
