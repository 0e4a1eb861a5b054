use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::{HeaderName, Method};

use super::super::Algorithm;
use super::super::named::{Named, Part};
use super::super::verifier::Verifier;
use super::JwtWebhook;
use crate::body::FromBody;
use crate::has_settings::has_settings;
use crate::processing::{HasProcessing, Processing};
use crate::scheme::{Place, SecretFormat};
use crate::tenant::Tenant;
use crate::window::LONGEST;
use crate::{Builder, ConfigProblem};

/// Starts a layer for calls that are signed by a JWT of this algorithm and whose body is read into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`token_header`](Builder::token_header) | `Webhook-Signature` |
/// | [`body_digest_claim`](Builder::body_digest_claim) | none: call it |
/// | [`issuer`](Builder::issuer) | any |
/// | [`max_age`](Builder::max_age) | none: a call may have any age |
/// | [`clock_skew`](Builder::clock_skew) | 60 s |
/// | [`secret_format`](Builder::secret_format) | the secret's bytes |
/// | [`tenant_header`](Builder::tenant_header) | not asked |
/// | [`tenant`](Builder::tenant) | one for all |
/// | [`any_content_type`](Builder::any_content_type) | `application/json` alone |
/// | [`lease`](Builder::lease) | 30 s |
/// | [`methods`](Builder::methods) | POST |
///
/// Keys are those of [`jwt::layer`](crate::jwt::layer).
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::jwt::{self, Algorithm};
/// use tower_sso::replay::MemoryReplay;
///
/// let verify = jwt::webhook::layer::<serde_json::Value>(Algorithm::HS256)
///     .body_digest_claim("sha256")
///     .secrets(["a secret that is shared with the sender"])
///     .replay(MemoryReplay::new())
///     .handler_remembers() // it keeps the fingerprint with what it stores
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(algorithm: Algorithm) -> Builder<JwtWebhook<C>>
where
    C: FromBody + Send + Sync + 'static,
{
    let form = JwtWebhook {
        verifier: Verifier::new(algorithm),
        place: Place::header(HeaderName::from_static("webhook-signature")),
        digest_claim: "".into(),
        issuer: None,
        named: None,
        max_age: None,
        clock_skew: Duration::from_secs(60),
        any_content_type: false,
        processing: Processing::default(),
        #[cfg(feature = "explain")]
        digest_in_base64: false,
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::POST)
}

impl<C, D> Builder<JwtWebhook<C>, D>
where
    C: FromBody + Send + Sync + 'static,
{
    /// The header that is the token. Default: `Webhook-Signature`.
    pub fn token_header(mut self, name: HeaderName) -> Self {
        self.form.place = Place::header(name);
        self
    }

    /// The claim that is the SHA-256 of the body, in hexadecimal. A call without it, or with another digest, is
    /// `invalid`. No default.
    pub fn body_digest_claim(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.digest_claim = name.into();
        self
    }

    /// The issuer: `iss` must be exactly this string. Default: any or none, since the key says who made the token.
    pub fn issuer(mut self, theirs: impl Into<Cow<'static, str>>) -> Self {
        self.form.issuer = Some(theirs.into());
        self
    }

    /// The maximum age since `iat`, inclusive. `iat` is then required. Default: none, a call may have any age.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.form.max_age = Some(age);
        self
    }

    /// How far the sender's clock may run ahead of ours, inclusive. Default: 60 s.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.form.clock_skew = skew;
        self
    }

    /// The format in which the sender's page shows the secret of HS256, HS384 or HS512. Default: its bytes are the
    /// key.
    pub fn secret_format(mut self, format: SecretFormat) -> Self {
        self.form.verifier.set_secret_format(format);
        self
    }

    /// The member of the token's header that names the tenant, or one of the sender's keys, such as `kid`. It chooses
    /// the keys before anything is proved, and is read again from the authentic token. Default: the layer's
    /// [`tenant`](Self::tenant).
    pub fn tenant_header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.named = Some(Named::new(Part::Header, name.into()));
        self
    }

    /// Takes any content type, or none: it is not signed. Default: `application/json` alone.
    pub fn any_content_type(mut self) -> Self {
        self.form.any_content_type = true;
        self
    }
}

has_settings!(JwtWebhook<C>: HasProcessing::processing_mut, processing: Processing);

pub(super) fn check<C>(form: &JwtWebhook<C>) -> Result<(), ConfigProblem> {
    form.verifier.check()?;
    if form.digest_claim.is_empty() {
        return Err(ConfigProblem::setting(
            "body_digest_claim",
            "is not set: say which claim is the body's SHA-256, as nothing else signs the body",
        ));
    }
    if form.issuer.as_deref().is_some_and(str::is_empty) {
        return Err(ConfigProblem::setting("issuer", "is empty: say who makes the tokens (their `iss`)"));
    }
    if form.named.as_ref().is_some_and(|named| named.member.is_empty()) {
        return Err(ConfigProblem::setting("tenant_header", "has no name: say which member names the key, as `kid`"));
    }
    if form.max_age.is_some_and(|age| age > LONGEST) {
        return Err(ConfigProblem::setting("max_age", "is more than 31 days: a used call is remembered for as long"));
    }
    if form.clock_skew > Duration::from_secs(3_600) {
        return Err(ConfigProblem::setting("clock_skew", "is more than an hour: have the sender set its clock"));
    }
    form.processing.check()?;
    Ok(())
}
