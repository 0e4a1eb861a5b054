use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;

use super::{HttpSignature, fields};
use crate::body::FromBody;
use crate::form::HasWindow;
use crate::has_settings::has_settings;
use crate::scheme::{Encoding, KeyKind, Origin, SecretFormat};
use crate::tenant::Tenant;
use crate::webhook::signatures::Signatures;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// The algorithm of a signature (RFC 9421, 3.3). The sender does not choose it.
///
/// ```
/// use tower_sso::http_signature::Algorithm;
///
/// assert_eq!(Algorithm::HmacSha256.name(), "hmac-sha256");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `hmac-sha256`. The keys are shared secrets.
    HmacSha256,
    /// `ed25519`. The keys are [public keys](crate::scheme::PublicKeyAlgorithm).
    #[cfg(feature = "public-key")]
    #[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
    Ed25519,
    /// `ecdsa-p256-sha256`. The keys are public keys.
    #[cfg(feature = "public-key")]
    #[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
    EcdsaP256Sha256,
    /// `ecdsa-p384-sha384`. The keys are public keys.
    #[cfg(feature = "public-key")]
    #[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
    EcdsaP384Sha384,
    /// `rsa-pss-sha512`. The keys are public keys.
    #[cfg(feature = "public-key")]
    #[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
    RsaPssSha512,
    /// `rsa-v1_5-sha256`. The keys are public keys.
    #[cfg(feature = "public-key")]
    #[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
    RsaV15Sha256,
}

impl Algorithm {
    /// Its name in the registry of RFC 9421, 6.2.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            #[cfg(feature = "public-key")]
            Self::Ed25519 => "ed25519",
            #[cfg(feature = "public-key")]
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            #[cfg(feature = "public-key")]
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            #[cfg(feature = "public-key")]
            Self::RsaPssSha512 => "rsa-pss-sha512",
            #[cfg(feature = "public-key")]
            Self::RsaV15Sha256 => "rsa-v1_5-sha256",
        }
    }

    fn key_kind(self) -> KeyKind {
        #[cfg(feature = "public-key")]
        use crate::scheme::PublicKeyAlgorithm;
        match self {
            Self::HmacSha256 => KeyKind::default(),
            #[cfg(feature = "public-key")]
            Self::Ed25519 => KeyKind::public(PublicKeyAlgorithm::Ed25519),
            #[cfg(feature = "public-key")]
            Self::EcdsaP256Sha256 => KeyKind::public(PublicKeyAlgorithm::EcdsaP256),
            #[cfg(feature = "public-key")]
            Self::EcdsaP384Sha384 => KeyKind::public(PublicKeyAlgorithm::EcdsaP384),
            #[cfg(feature = "public-key")]
            Self::RsaPssSha512 => KeyKind::public(PublicKeyAlgorithm::RsaPssSha512),
            #[cfg(feature = "public-key")]
            Self::RsaV15Sha256 => KeyKind::public(PublicKeyAlgorithm::RsaSha256),
        }
    }
}

/// Starts a layer for calls with an HTTP Message Signature of this algorithm, whose body is read into `C`. The origin
/// is the address that the sender calls, without its path.
///
/// | setting | default |
/// |---|---|
/// | [`required_components`](Builder::required_components) | `@method` and `@target-uri` |
/// | [`label`](Builder::label) | the only signature |
/// | [`tag`](Builder::tag) | any |
/// | [`tenant_keyid`](Builder::tenant_keyid) | not asked |
/// | [`tenant`](Builder::tenant) | one for all |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 300 s, 60 s |
/// | [`secret_format`](Builder::secret_format) | the secret's bytes |
/// | [`any_content_type`](Builder::any_content_type) | `application/json` alone |
/// | [`optional_body`](Builder::optional_body) | no |
/// | [`lease`](Builder::lease) | 30 s |
/// | [`methods`](Builder::methods) | POST |
///
/// ```
/// # #[cfg(all(feature = "moka", feature = "public-key"))] {
/// use tower_sso::http_signature::{self, Algorithm};
/// use tower_sso::keys::PublicKeys;
/// use tower_sso::{MemoryReplay, scheme::Origin};
///
/// let keys = PublicKeys::new("sender.example");
/// let origin = Origin::new("https://app.example");
/// let verify = http_signature::layer::<serde_json::Value>(Algorithm::Ed25519, origin)
///     .tenant_keyid()
///     .keys(keys.clone()) // fill it in a task of your own: nothing is fetched
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(algorithm: Algorithm, origin: Origin) -> Builder<HttpSignature<C>>
where
    C: FromBody + Send + Sync + 'static,
{
    let mut signatures = Signatures::alone();
    signatures.encoding = Encoding::Base64;
    signatures.key_kind = algorithm.key_kind();
    let form = HttpSignature {
        algorithm,
        signatures,
        secret_format: SecretFormat::Bytes,
        origin,
        label: None,
        tag: None,
        required: vec!["@method".into(), "@target-uri".into()],
        named_by_keyid: false,
        window: Window { max_age: Duration::from_secs(300), clock_skew: Duration::from_secs(60) },
        any_content_type: false,
        optional_body: false,
        lease: Duration::from_secs(30),
        #[cfg(feature = "explain")]
        slip: None,
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::POST)
}

impl<C, D> Builder<HttpSignature<C>, D>
where
    C: FromBody + Send + Sync + 'static,
{
    /// What every signature must cover besides `content-digest`, which a body always needs: header names in lower case,
    /// or derived components such as `@authority`. Default: `@method` and `@target-uri`, which counts as covered too if
    /// `@scheme`, `@authority`, `@path` and `@query` all are.
    ///
    /// **A call is accepted at every URL of the layer, and by every method, that it does not cover.**
    ///
    /// ```
    /// use tower_sso::http_signature::{self, Algorithm};
    /// use tower_sso::scheme::Origin;
    ///
    /// let origin = Origin::new("https://app.example");
    /// let layer = http_signature::layer::<serde_json::Value>(Algorithm::HmacSha256, origin)
    ///     .required_components(["@method", "@authority", "@path"]);
    /// ```
    pub fn required_components<N: Into<Cow<'static, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.form.required = names.into_iter().map(Into::into).collect();
        self
    }

    /// The label of the signature that counts, such as `sig1`, for senders or proxies that write several. Default:
    /// none, and several are `malformed`.
    pub fn label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.form.label = Some(label.into());
        self
    }

    /// The `tag` that a signature must have: the purpose that its key is used for. Default: any or none.
    pub fn tag(mut self, tag: impl Into<Cow<'static, str>>) -> Self {
        self.form.tag = Some(tag.into());
        self
    }

    /// Takes the tenant, or the name of one of the sender's keys, from `keyid`. It chooses the keys before anything is
    /// proved, and is signed. Default: the layer's [`tenant`](Self::tenant).
    pub fn tenant_keyid(mut self) -> Self {
        self.form.named_by_keyid = true;
        self
    }

    /// The format in which the sender's page shows the shared secret. Default: its bytes are the key.
    pub fn secret_format(mut self, format: SecretFormat) -> Self {
        self.form.secret_format = format;
        self
    }

    /// Takes any content type, or none: it is signed only if `content-type` is covered. Default: `application/json`
    /// alone.
    pub fn any_content_type(mut self) -> Self {
        self.form.any_content_type = true;
        self
    }

    /// Takes an empty body too, which then needs neither a content type nor `content-digest`: for calls by `GET` or
    /// `DELETE`, see [`methods`](Self::methods). Read it with [`RawBody`](crate::body::RawBody). Default: an empty body
    /// is `malformed`.
    pub fn optional_body(mut self) -> Self {
        self.form.optional_body = true;
        self
    }

    /// How long the inner service may take. Default: 30 s. After that, a duplicate is let through.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.form.lease = lease;
        self
    }
}

has_settings!(HttpSignature<C>: HasWindow::window_mut, window: Window);

pub(super) fn check<C>(form: &HttpSignature<C>) -> Result<(), ConfigProblem> {
    form.window.check()?;
    form.origin.check()?;
    form.signatures.check(form.secret_format)?;
    let is_known = |name: &Cow<'static, str>| match name.strip_prefix('@') {
        Some(derived) => {
            ["method", "target-uri", "scheme", "authority", "path", "query", "request-target"].contains(&derived)
        }
        None => name.parse::<http::HeaderName>().is_ok_and(|header| header.as_str() == name),
    };
    if !form.required.iter().all(is_known) {
        return Err(ConfigProblem::setting(
            "required_components",
            "names what no signature can cover here: take header names in lower case, or components like `@path`",
        ));
    }
    if form.label.as_deref().is_some_and(|label| !fields::is_label(label)) {
        let problem =
            "is no label: take the sender's, such as `sig1`: lower-case letters, digits, `_`, `-`, `.` and `*`";
        return Err(ConfigProblem::setting("label", problem));
    }
    if form.tag.as_deref().is_some_and(|tag| tag.is_empty() || !tag.bytes().all(|byte| matches!(byte, b' '..=b'~'))) {
        let problem = "is empty, or not ASCII text, which no tag can be: leave it out, or name the sender's";
        return Err(ConfigProblem::setting("tag", problem));
    }
    if form.lease.is_zero() {
        return Err(ConfigProblem::ZeroTimeout("lease"));
    }
    Ok(())
}
