//! The setters of a signature, once for all forms that describe theirs by [`Signature`].

use crate::Builder;
use crate::form::Form;
use crate::scheme::{Digest, Encoding, KeyDerivation, SecretFormat, Signature};

/// A form whose signature is described by these settings.
pub trait HasSignature: Form {
    #[doc(hidden)]
    fn signature_mut(&mut self) -> &mut Signature;
}

/// For signed payloads and signed parameters: the signature.
impl<F: HasSignature, C> Builder<F, C> {
    /// The digest of the HMAC. Default: SHA-256.
    pub fn digest(mut self, digest: Digest) -> Self {
        self.form.signature_mut().digest = digest;
        self
    }

    /// How the signature is encoded. Default: hexadecimal.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.form.signature_mut().encoding = encoding;
        self
    }

    /// The format in which the partner's page shows the secret. Default: its bytes.
    pub fn secret_format(mut self, format: SecretFormat) -> Self {
        self.form.signature_mut().secret_format = format;
        self
    }

    /// How the key is made of the secret. Default: the secret is the key.
    pub fn key_derivation(mut self, derivation: KeyDerivation) -> Self {
        self.form.signature_mut().derivation = derivation;
        self
    }
}
