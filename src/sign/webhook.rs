use http::{HeaderName, HeaderValue, Request};
use std::borrow::Cow;

#[cfg(feature = "public-key")]
use super::SignError;
use crate::keys::Secret;
#[cfg(feature = "public-key")]
use crate::scheme::PublicKeyAlgorithm;
#[cfg(feature = "public-key")]
use crate::steps::PrivateKey;
use crate::webhook::{Digest, Encoding};

/// Signs bodies, as the sender of a webhook does.
///
/// ```
/// use tower_sso::keys::Secret;
/// use tower_sso::sign::SigningWebhook;
///
/// let call = SigningWebhook::new(Secret::new("whsec-shared")).sign(r#"{"company_id":4321}"#);
/// let request = call.request("https://app.example/companies");
/// assert_eq!(request.headers()["webhook-signature"].len(), 64);
/// ```
#[derive(Clone, Debug)]
pub struct SigningWebhook {
    key: Key,
    header: HeaderName,
    digest: Digest,
    encoding: Encoding,
    prefix: Cow<'static, str>,
}

#[derive(Clone, Debug)]
enum Key {
    Shared(Secret),
    #[cfg(feature = "public-key")]
    Private(PublicKeyAlgorithm, PrivateKey),
}

/// A signed body.
///
/// ```
/// # use tower_sso::{keys::Secret, sign::SigningWebhook};
/// let call = SigningWebhook::new(Secret::new("whsec-shared")).sign("{}");
/// assert_eq!(call.body, "{}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCall {
    /// The header that holds the signature.
    pub header: HeaderName,
    /// The signature.
    pub signature: String,
    /// The body.
    pub body: String,
}

impl SigningWebhook {
    /// Signs with HMAC-SHA256 into `Webhook-Signature`, in hexadecimal.
    pub fn new(secret: Secret) -> Self {
        Self::with(Key::Shared(secret))
    }

    /// Signs with a private key in PEM (PKCS#8) into `Webhook-Signature`, in hexadecimal.
    ///
    /// ```
    /// use tower_sso::scheme::PublicKeyAlgorithm;
    /// use tower_sso::sign::SigningWebhook;
    ///
    /// assert!(SigningWebhook::private_key(PublicKeyAlgorithm::Ed25519, &"not a key".into()).is_err());
    /// ```
    ///
    /// # Errors
    /// If the key does not fit the algorithm.
    #[cfg(feature = "public-key")]
    #[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
    pub fn private_key(algorithm: PublicKeyAlgorithm, key: &Secret) -> Result<Self, SignError> {
        let key = PrivateKey::read(algorithm.library(), key)?;
        key.sign(b"")?;
        Ok(Self::with(Key::Private(algorithm, key)))
    }

    fn with(key: Key) -> Self {
        Self {
            key,
            header: HeaderName::from_static("webhook-signature"),
            digest: Digest::Sha256,
            encoding: Encoding::Hex,
            prefix: Cow::Borrowed(""),
        }
    }

    /// The header. Default: `Webhook-Signature`.
    #[must_use]
    pub fn header(mut self, name: HeaderName) -> Self {
        self.header = name;
        self
    }

    /// The digest of an HMAC. Default: SHA-256.
    #[must_use]
    pub fn digest(mut self, digest: Digest) -> Self {
        self.digest = digest;
        self
    }

    /// The encoding of the signature. Default: hexadecimal.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The text before the signature. Default: nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Signs only a body.
    pub fn sign(&self, body: impl Into<String>) -> SignedCall {
        let body = body.into();
        SignedCall { header: self.header.clone(), signature: self.signature(&[body.as_bytes()]), body }
    }

    /// The signature over the concatenation of these parts.
    pub fn signature(&self, parts: &[&[u8]]) -> String {
        let bytes = match &self.key {
            Key::Shared(secret) => self.digest.sign(secret, parts),
            // It has signed before, in `private_key`.
            #[cfg(feature = "public-key")]
            Key::Private(algorithm, key) => algorithm.written(key.sign(&parts.concat()).unwrap_or_default()),
        };
        let mut signature = self.prefix.clone().into_owned();
        signature.push_str(&self.encoding.encode(&bytes));
        signature
    }
}

impl SignedCall {
    /// The call as a JSON request.
    ///
    /// # Panics
    /// If `uri` is not a URI.
    #[expect(clippy::expect_used, reason = "for tests and tools, which give a URI of their own")]
    pub fn request(self, uri: &str) -> Request<String> {
        let signature = HeaderValue::try_from(self.signature).expect("a signature is ASCII");
        let request = Request::post(uri).header(self.header, signature);
        request.header("content-type", "application/json").body(self.body).expect("the URI must be one")
    }
}
