use subtle::ConstantTimeEq;

use crate::keys::{self, Secret};
use crate::mac::{self, Digest, Tag};
use crate::rejection::Reason;
#[cfg(feature = "explain")]
use crate::scheme::near::Made;
use crate::scheme::{Encoding, KeyDerivation, SecretFormat};

/// How a MAC is made and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) digest: Digest,
    pub(crate) encoding: Encoding,
    pub(crate) secret_format: SecretFormat,
    pub(crate) derivation: KeyDerivation,
}

impl Signature {
    /// HMAC-SHA256 with the secret's bytes.
    pub(crate) fn written_as(encoding: Encoding) -> Self {
        let (secret_format, derivation) = (SecretFormat::Bytes, KeyDerivation::default());
        Self { digest: Digest::Sha256, encoding, secret_format, derivation }
    }

    pub(crate) fn tag(&self, text: &str) -> Result<Tag, &'static str> {
        self.encoding.tag(text, self.digest)
    }

    /// Whether the MAC of the concatenated parts is this one.
    pub(crate) fn verify<'p>(
        &self,
        key: &Secret,
        parts: impl IntoIterator<Item = &'p [u8]>,
        tag: &Tag,
    ) -> Result<(), Reason> {
        keys::check_shared(key).map_err(Reason::UnusableKey)?;
        let made_by = (self.secret_format, self.derivation);
        let read = |secret: &[u8]| Ok(self.derivation.key(self.secret_format.key(secret)?));
        match self.digest.verify_read((key, made_by), read, parts, tag) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Reason::BadSignature),
            Err(what) => Err(Reason::UnusableKey(what)),
        }
    }

    /// Whether the plain digest of these parts, with the secret between them, is this one.
    pub(crate) fn verify_digest(&self, key: &Secret, before: &[u8], after: &[u8], tag: &Tag) -> Result<(), Reason> {
        keys::check_shared(key).map_err(Reason::UnusableKey)?;
        let secret = self.secret_format.key(key.expose()).map_err(Reason::UnusableKey)?;
        let digest = self.digest.hash([before, &self.derivation.key(secret), after]);
        if digest.ct_eq(tag).into() { Ok(()) } else { Err(Reason::BadSignature) }
    }

    /// How the partner may make it instead.
    #[cfg(feature = "explain")]
    pub(crate) fn near(self) -> Vec<(String, Self)> {
        let Self { digest, encoding, secret_format, derivation } = self;
        let made = Made { digest, encoding, secret_format }.near().into_iter();
        let made = made.map(|(cause, Made { digest, encoding, secret_format })| {
            (cause, Self { digest, encoding, secret_format, derivation })
        });
        let derived = derivation.near().into_iter();
        made.chain(derived.map(|(cause, derivation)| (cause, Self { derivation, ..self }))).collect()
    }

    pub(crate) fn check_key(&self, form: &'static str, key: &Secret) -> Result<(), &'static str> {
        self.secret_format.key(key.expose())?;
        mac::check_key(form, key)
    }
}
