#[cfg(any(feature = "explain", feature = "signed-parameters"))]
use subtle::ConstantTimeEq;

use crate::ConfigProblem;
use crate::form::Rules;
use crate::keys::{self, Secret};
use crate::mac::Digest;
#[cfg(feature = "signed-parameters")]
use crate::mac::{MD5_LENGTH, md5};
use crate::rejection::Reason;
#[cfg(feature = "explain")]
use crate::scheme::near::{Made, Odd};
use crate::scheme::{Encoding, Given, KeyDerivation, KeyKind, SecretFormat};

/// How a signature is made and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    pub(crate) digest: Digest,
    pub(crate) encoding: Encoding,
    pub(crate) secret_format: SecretFormat,
    pub(crate) derivation: KeyDerivation,
    /// Whether `verify_digest` takes MD5 instead of `digest`: see `Recipe::danger_md5_with_secret_at_the_end`.
    #[cfg(feature = "signed-parameters")]
    pub(crate) md5: bool,
    /// What a partner may make instead. Set only while `explain` tries it.
    #[cfg(feature = "explain")]
    odd: Option<Odd>,
    pub(crate) key_kind: KeyKind,
}

impl Signature {
    /// HMAC-SHA256 with the secret's bytes.
    pub(crate) fn written_as(encoding: Encoding) -> Self {
        let (secret_format, derivation) = (SecretFormat::Bytes, KeyDerivation::default());
        Self {
            digest: Digest::Sha256,
            encoding,
            secret_format,
            derivation,
            #[cfg(feature = "signed-parameters")]
            md5: false,
            #[cfg(feature = "explain")]
            odd: None,
            key_kind: KeyKind::default(),
        }
    }

    /// Whether the keys are public keys.
    pub(crate) fn is_public(&self) -> bool {
        self.key_kind.is_public()
    }

    pub(crate) fn rules(&self) -> Rules {
        self.key_kind.rules(self.secret_format)
    }

    /// Refuses settings of an HMAC beside a public key.
    pub(crate) fn check(&self) -> Result<(), ConfigProblem> {
        let plain = Self::written_as(self.encoding);
        let other = [
            ("digest", self.digest != plain.digest),
            ("secret_format", self.secret_format != plain.secret_format),
            ("key_derivation", self.derivation != plain.derivation),
        ];
        match other.iter().find(|(_, is_set)| *is_set && self.is_public()) {
            None => Ok(()),
            Some((setting, _)) => {
                Err(ConfigProblem::setting(setting, "is for an HMAC, and the layer has a `public_key`: take one out"))
            }
        }
    }

    pub(crate) fn decode(&self, text: &str) -> Result<Given, &'static str> {
        self.key_kind.decode(text, self.encoding, self.length())
    }

    /// How long a MAC or digest is, in bytes.
    fn length(&self) -> usize {
        #[cfg(feature = "signed-parameters")]
        if self.md5 {
            return MD5_LENGTH;
        }
        self.digest.length()
    }

    /// Whether this is the signature of the concatenated parts.
    pub(crate) fn verify<'p>(
        &self,
        key: &Secret,
        parts: impl IntoIterator<Item = &'p [u8]>,
        given: &[u8],
    ) -> Result<(), Reason> {
        let verified = |is_right| match is_right {
            Ok(true) => Ok(()),
            Ok(false) => Err(Reason::BadSignature),
            Err(what) => Err(Reason::UnusableKey(what)),
        };
        #[cfg(feature = "public-key")]
        if let Some(algorithm) = self.key_kind.algorithm() {
            let signed = parts.into_iter().collect::<Vec<_>>().concat();
            return verified(algorithm.verify(key, &signed, given));
        }
        keys::check_shared(key).map_err(Reason::UnusableKey)?;
        #[cfg(feature = "explain")]
        if let Some(odd) = self.odd {
            let secret = self.secret_format.key(key.expose()).map_err(Reason::UnusableKey)?;
            let text = parts.into_iter().collect::<Vec<_>>().concat();
            let tag = odd.tag(self.digest, &self.derivation.key(secret), &text);
            return verified(Ok(tag[..].ct_eq(given).into()));
        }
        let made_by = (self.secret_format, self.derivation);
        let read = |secret: &[u8]| Ok(self.derivation.key(self.secret_format.key(secret)?));
        verified(self.digest.verify_read((key, made_by), read, parts, given))
    }

    /// Whether the plain digest of these parts, with the secret between them, is this one.
    #[cfg(feature = "signed-parameters")]
    pub(crate) fn verify_digest(&self, key: &Secret, before: &[u8], after: &[u8], given: &[u8]) -> Result<(), Reason> {
        keys::check_shared(key).map_err(Reason::UnusableKey)?;
        let secret = self.secret_format.key(key.expose()).map_err(Reason::UnusableKey)?;
        let key = self.derivation.key(secret);
        let parts = [before, &key, after];
        let digest = if self.md5 { md5(parts) } else { self.digest.hash(parts) };
        if digest[..].ct_eq(given).into() { Ok(()) } else { Err(Reason::BadSignature) }
    }

    /// How the partner may make it instead.
    #[cfg(feature = "explain")]
    pub(crate) fn near(self) -> Vec<(String, Self)> {
        if self.is_public() {
            return Vec::new();
        }
        let Self { digest, encoding, secret_format, derivation, .. } = self;
        let made = Made { digest, encoding, secret_format }.near().into_iter();
        let made = made.map(|(cause, Made { digest, encoding, secret_format })| {
            (cause, Self { digest, encoding, secret_format, ..self })
        });
        let derived = derivation.near().into_iter();
        let odd = Odd::ALL.into_iter();
        made.chain(derived.map(|(cause, derivation)| (cause, Self { derivation, ..self })))
            .chain(odd.map(|(odd, made)| (format!("the partner makes {made}"), Self { odd: Some(odd), ..self })))
            .collect()
    }

    pub(crate) fn check_key(&self, form: &'static str, key: &Secret) -> Result<(), &'static str> {
        self.key_kind.check_key(form, key, self.secret_format)
    }
}
