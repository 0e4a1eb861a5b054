use http::{HeaderName, HeaderValue, Request};
use std::borrow::Cow;

use crate::keys::Secret;
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
    secret: Secret,
    header: HeaderName,
    digest: Digest,
    encoding: Encoding,
    prefix: Cow<'static, str>,
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
        Self {
            secret,
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

    /// The digest. Default: SHA-256.
    #[must_use]
    pub fn digest(mut self, digest: Digest) -> Self {
        self.digest = digest;
        self
    }

    /// The encoding of the MAC. Default: hexadecimal.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The text before the MAC. Default: nothing.
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
        let mac = self.digest.sign(&self.secret, parts);
        let mut signature = self.prefix.clone().into_owned();
        signature.push_str(&self.encoding.encode(&mac));
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
