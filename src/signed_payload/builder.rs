use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::{Content, Layout, PayloadEncoding, SignedPayload, Stamp};
use crate::challenge::ReturnedNonce;
use crate::form::{HasWindow, Usage};
use crate::has_settings::has_settings;
use crate::nonce_setters::HasNonce;
use crate::scheme::{Encoding, Signature, SignedTime};
use crate::signature_setters::HasSignature;
use crate::tenant::Tenant;
use crate::time_setters::HasSignedTime;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// Starts a layer for signed payloads in these places. Their claims are deserialized into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`issued_at`](Builder::issued_at) or [`expires_at`](Builder::expires_at) or [`stamped`](Builder::stamped) | none |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 300 s, 60 s |
/// | [`payload_encoding`](Builder::payload_encoding) | base64url |
/// | [`pairs`](Builder::pairs), [`text`](Builder::text) | a JSON object |
/// | [`digest`](Builder::digest), [`encoding`](Builder::encoding) | SHA-256, hexadecimal |
/// | [`signs_decoded`](Builder::signs_decoded) | no: the encoded payload is signed |
/// | [`secret_format`](Builder::secret_format), [`key_derivation`](Builder::key_derivation) | its bytes are the key |
/// | [`tenant`](Builder::tenant), [`tenant_member`](Builder::tenant_member) | one for all |
/// | [`reusable`](Builder::reusable) | once |
/// | [`methods`](Builder::methods) | GET |
///
/// Say which part holds the time, by one of the first three, or call
/// [`danger_without_time`](Builder::danger_without_time). A payload that answers a request of your app needs none: it
/// has a [nonce](Builder::nonce_member).
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::replay::MemoryReplay;
/// use tower_sso::scheme::{Encoding, Place, TimeFormat};
/// use tower_sso::signed_payload::{self, Layout};
///
/// let layout = Layout::signature_first(Place::form("signed_request"), ".");
/// let sso = signed_payload::layer::<serde_json::Value>(layout)
///     .encoding(Encoding::Base64Url)
///     .issued_at("issued_at", TimeFormat::Seconds)
///     .methods([http::Method::POST])
///     .secrets(["0123456789abcdef"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(layout: Layout) -> Builder<SignedPayload<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let form = SignedPayload {
        layout,
        encoding: PayloadEncoding::default(),
        content: Content::Json,
        signature: Signature::written_as(Encoding::Hex),
        signs_decoded: false,
        #[cfg(feature = "explain")]
        slip: None,
        time: SignedTime::Unset,
        window: Window { max_age: Duration::from_secs(300), clock_skew: Duration::from_secs(60) },
        usage: Usage::Once,
        forgetting_is_fine: false,
        nonce: ReturnedNonce::default(),
        tenant: None,
        required: Vec::new(),
        fixed: Vec::new(),
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::GET)
}

/// What is signed, and how.
impl<C, D> Builder<SignedPayload<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// How the payload is encoded. Default: base64url.
    pub fn payload_encoding(mut self, encoding: PayloadEncoding) -> Self {
        self.form.encoding = encoding;
        self
    }

    /// The payload is form-encoded pairs, each of them text. Default: it is a JSON object.
    pub fn pairs(mut self) -> Self {
        self.form.content = Content::Pairs;
        self
    }

    /// The payload is one text, which `C` is read from: a `String`, a number, an enum of names. Default: it is a JSON
    /// object. It has no members, so its time can only be [stamped](Self::stamped) after it. Usually it is sent
    /// [as it is](PayloadEncoding::Text).
    ///
    /// ```
    /// use tower_sso::scheme::{Digest, Encoding, KeyDerivation, Place};
    /// use tower_sso::signed_payload::{self, Layout, PayloadEncoding, Stamp};
    ///
    /// // Django: `TimestampSigner().sign("ada@example.com")`
    /// let layer = signed_payload::layer::<String>(Layout::payload_first(Place::query("token"), ":"))
    ///     .text()
    ///     .payload_encoding(PayloadEncoding::Text)
    ///     .stamped(Stamp::Base62)
    ///     .encoding(Encoding::Base64Url)
    ///     .key_derivation(KeyDerivation::digest_after(Digest::Sha256, "django.core.signing.TimestampSignersigner"));
    /// ```
    pub fn text(mut self) -> Self {
        self.form.content = Content::Text;
        self
    }

    /// The MAC covers the decoded payload. Default: the payload as it is encoded.
    pub fn signs_decoded(mut self) -> Self {
        self.form.signs_decoded = true;
        self
    }
}

/// Time, use and claims.
impl<C, D> Builder<SignedPayload<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// The time follows the payload, after another separator, and is signed with it:
    /// `payload.timestamp.signature`. For a [`Layout::payload_first`]. Default: the time is a member.
    pub fn stamped(mut self, stamp: Stamp) -> Self {
        self.form.time = SignedTime::Stamped(stamp);
        self
    }

    /// Lets a payload come again as long as it is valid: for pages in frames that send it with each request. The layer
    /// then takes no replay store. **A stolen payload works until its end**, so choose a short
    /// [`max_age`](Self::max_age). Default: once.
    pub fn reusable(mut self) -> Self {
        self.form.usage = Usage::Reusable;
        self
    }

    /// Takes a replay store that forgets when the process ends, although payloads may have no time: **an old payload
    /// can then be used again after a restart**. Default: such a layer does not build.
    pub fn danger_forgets_on_restart(mut self) -> Self {
        self.form.forgetting_is_fine = true;
        self
    }

    /// The member that names the tenant, which selects the keys. It is read before the payload is verified, and proved
    /// by the signature. Default: none, and [`tenant`](Self::tenant) decides.
    pub fn tenant_member(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.tenant = Some(name.into());
        self
    }

    /// Members that must be there and not null. Default: only those that `C` needs.
    pub fn require<N: Into<Cow<'static, str>>>(mut self, members: impl IntoIterator<Item = N>) -> Self {
        self.form.required.extend(members.into_iter().map(Into::into));
        self
    }

    /// A member that must have this text, such as the name of the algorithm, or the app for which the payload is. In
    /// JSON, a name that begins with `/` is a pointer (RFC 6901). Default: none.
    pub fn require_value(mut self, member: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        self.form.fixed.push((member.into(), value.into()));
        self
    }
}

has_settings!(SignedPayload<C>: HasSignature::signature_mut, signature: Signature);
has_settings!(SignedPayload<C>: HasSignedTime::time_mut, time: SignedTime);
has_settings!(SignedPayload<C>: HasNonce::nonce_mut, nonce: ReturnedNonce);
has_settings!(SignedPayload<C>: HasWindow::window_mut, window: Window);

pub(super) fn check<C>(form: &SignedPayload<C>) -> Result<(), ConfigProblem> {
    let problem = |setting, problem| Err(ConfigProblem::setting(setting, problem));
    form.window.check()?;
    form.layout.check(form.signature.encoding)?;
    form.nonce.check(form.usage, form.tenant.is_some())?;
    form.nonce.check_time(&form.time, form.usage)?;
    if let SignedTime::Stamped(stamp) = form.time {
        let Some(separator) = form.layout.separator_after_payload() else {
            return problem("stamped", "needs a separator behind the payload: take `Layout::payload_first`");
        };
        if separator.chars().all(|letter| stamp.may_have(letter)) {
            let what = "has a separator that could be part of a stamp, so that the value could be cut in two ways: write \
                        the separator that the partner's page names, or set the right `Stamp`";
            return problem("stamped", what);
        }
    }
    if form.signs_decoded && matches!(form.time, SignedTime::Stamped(_)) {
        return problem("signs_decoded", "leaves the stamp behind the payload unsigned: do not call it with `stamped`");
    }
    let named = form.nonce.member.iter().chain(form.time.member()).chain(&form.tenant).chain(&form.required);
    if form.content == Content::Text && named.chain(form.fixed.iter().map(|(name, _)| name)).next().is_some() {
        return problem("text", "has no members: leave out what names one, and let the time be `stamped`");
    }
    if form.tenant.as_ref().is_some_and(|name| name.is_empty()) {
        return problem("tenant_member", "has no name: say which member names the tenant");
    }
    Ok(())
}
