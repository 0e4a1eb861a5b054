//! Whether a layer's keys are shared secrets or public keys: [`KeyKind`].

use super::{Encoding, SecretFormat};
use crate::form::Rules;
use crate::keys::Secret;
use crate::mac::{self, Tag};
#[cfg(feature = "public-key")]
use crate::scheme::PublicKeyAlgorithm;

/// What the keys are. Default: shared secrets, with which HMACs are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyKind {
    #[cfg(feature = "public-key")]
    public: Option<PublicKeyAlgorithm>,
}

/// A decoded signature.
pub(crate) enum Given {
    Mac(Tag),
    #[cfg(feature = "public-key")]
    PublicKey(Box<[u8]>),
}

#[cfg(feature = "webhook")]
impl Given {
    pub(crate) fn mac(&self) -> Option<&Tag> {
        match self {
            Self::Mac(tag) => Some(tag),
            #[cfg(feature = "public-key")]
            Self::PublicKey(_) => None,
        }
    }
}

impl std::ops::Deref for Given {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mac(tag) => tag,
            #[cfg(feature = "public-key")]
            Self::PublicKey(signature) => signature,
        }
    }
}

#[cfg(feature = "public-key")]
impl KeyKind {
    /// Public keys of this algorithm.
    pub(crate) fn public(algorithm: PublicKeyAlgorithm) -> Self {
        Self { public: Some(algorithm) }
    }

    /// `None`: the keys are shared secrets.
    pub(crate) fn algorithm(self) -> Option<PublicKeyAlgorithm> {
        self.public
    }
}

#[cfg_attr(not(feature = "public-key"), allow(clippy::unused_self, reason = "there is one kind"))]
impl KeyKind {
    /// Whether the keys are public keys.
    pub(crate) fn is_public(self) -> bool {
        #[cfg(feature = "public-key")]
        return self.public.is_some();
        #[cfg(not(feature = "public-key"))]
        false
    }

    /// Rules for secrets of this format.
    pub(crate) fn rules(self, format: SecretFormat) -> Rules {
        let mut rules = Rules::new(self.decoy());
        rules.knows_secret_format = format != SecretFormat::Bytes || self.is_public();
        rules
    }

    /// A key that nobody has.
    fn decoy(self) -> Secret {
        #[cfg(feature = "public-key")]
        if let Some(algorithm) = self.public {
            return algorithm.decoy();
        }
        mac::decoy()
    }

    /// Checks a key that is known when a layer is built.
    pub(crate) fn check_key(self, form: &'static str, key: &Secret, format: SecretFormat) -> Result<(), &'static str> {
        #[cfg(feature = "public-key")]
        if let Some(algorithm) = self.public {
            return algorithm.check_key(key);
        }
        format.key(key.expose())?;
        mac::check_key(form, key)
    }

    /// Decodes a signature. `mac_length`: how many bytes it has if it is a MAC.
    pub(crate) fn decode(self, text: &str, encoding: Encoding, mac_length: usize) -> Result<Given, &'static str> {
        #[cfg(feature = "public-key")]
        if let Some(algorithm) = self.public {
            return algorithm.normal(encoding.decode(text)?).map(Given::PublicKey);
        }
        encoding.tag(text, mac_length).map(Given::Mac)
    }
}
