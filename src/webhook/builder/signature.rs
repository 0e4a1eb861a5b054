use std::borrow::Cow;

use http::HeaderName;

use crate::Builder;
use crate::webhook::{Digest, Encoding, FromBody, SecretFormat, Webhook};

/// Where the signature is, and how it is made.
impl<C, D> Builder<Webhook<C>, D>
where
    C: FromBody + Send + Sync + 'static,
{
    /// The header that holds the signature. Default: `Webhook-Signature`.
    pub fn signature_header(mut self, name: HeaderName) -> Self {
        self.form.signatures.headers = vec![name];
        self
    }

    /// Several headers that may each hold a signature, such as one for each of the sender's keys. One right signature
    /// is enough. A single header that may come several times needs a [`separator`](Self::separator) too.
    pub fn signature_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.form.signatures.headers = names.into_iter().collect();
        self
    }

    /// The separator of a signature header that holds a list: `','` for `t=1700000000,v1=…,v1=…`. Default: none, the
    /// header is one signature.
    ///
    /// Elements that begin with the [`prefix`](Self::prefix) are signatures, of which one has to be right. Other
    /// elements and white space around elements are ignored. More than 16 elements are `malformed`. A delivery is then
    /// recognised by what was signed, as a copy could leave out one of several signatures.
    pub fn separator(mut self, separator: char) -> Self {
        self.form.signatures.separator = Some(separator);
        self
    }

    /// The text before the signature, such as `sha256=`. The header must begin with exactly this. Default: nothing.
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.form.signatures.prefix = prefix.into();
        self
    }

    /// The prefix of the list's element that holds the time, such as `t=`. The time must be signed. Needs a
    /// [`separator`](Self::separator).
    pub fn timestamp_element(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.form.signatures.timestamp_element = Some(prefix.into());
        self
    }

    /// The digest of the HMAC. Default: SHA-256.
    pub fn digest(mut self, digest: Digest) -> Self {
        self.form.signatures.digest = Some(digest);
        self
    }

    /// A public-key algorithm instead of an HMAC. The secrets are then the sender's
    /// [public keys](crate::scheme::PublicKeyAlgorithm), as its page shows them. Default: none, an HMAC.
    ///
    /// A delivery is recognised by what was signed, as some signatures have a second spelling. A list may have four
    /// signatures.
    #[cfg(feature = "public-key")]
    #[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
    pub fn public_key(mut self, algorithm: crate::scheme::PublicKeyAlgorithm) -> Self {
        self.form.signatures.key_kind = crate::scheme::KeyKind::public(algorithm);
        self
    }

    /// The encoding of the signature. Default: hexadecimal.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.form.signatures.encoding = encoding;
        self
    }

    /// The format in which the sender's page shows the secret. Default: its bytes are the key.
    pub fn secret_format(mut self, format: SecretFormat) -> Self {
        self.form.secret_format = format;
        self
    }

    /// SHA-256 of the secret and, right behind it, the text, instead of an HMAC. **Whoever has recorded a delivery can
    /// append to what was signed**, as the digest tells how it goes on (length extension): for senders who leave no
    /// choice.
    pub fn danger_secret_first(mut self) -> Self {
        self.form.signatures.secret_first = true;
        self
    }
}
