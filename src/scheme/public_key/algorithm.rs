use jsonwebtoken::Algorithm as Library;
use p256::ecdsa::Signature as P256;

use super::Scheme;
use crate::keys::Secret;

/// A public-key algorithm, for signatures that are not JWTs, and how such a signature is written.
///
/// The layer's keys are then the partner's public keys, as its page shows them: PEM, a PEM's base64 without its lines,
/// or for Ed25519 the 32 bytes in hexadecimal or base64, also after `whpk_`. An RSA key has 2,048 to 4,096 bits and the
/// exponent 65,537. A key that can never check a signature is an error when the layer is built.
///
/// ```
/// # #[cfg(feature = "webhook")] {
/// use tower_sso::{scheme::PublicKeyAlgorithm, webhook};
///
/// let layer = webhook::layer::<serde_json::Value>().public_key(PublicKeyAlgorithm::Ed25519);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublicKeyAlgorithm {
    /// Ed25519 (RFC 8032), strict: points of small order are refused.
    Ed25519,
    /// ECDSA on P-256 with SHA-256; the signature is r and s, 32 bytes each.
    EcdsaP256,
    /// ECDSA on P-256 with SHA-256; the signature is r and s in DER (RFC 3279, 2.2.3).
    EcdsaP256Der,
    /// ECDSA on P-384 with SHA-384; the signature is r and s, 48 bytes each.
    EcdsaP384,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2).
    RsaSha256,
    /// RSASSA-PSS with SHA-512, and MGF1 with SHA-512 (RFC 8017, 8.1).
    RsaPssSha512,
}

impl PublicKeyAlgorithm {
    /// The signature in its fixed form, whose length every key of the algorithm could make.
    pub(crate) fn normal(self, signature: Vec<u8>) -> Result<Box<[u8]>, &'static str> {
        let fixed = match self {
            Self::EcdsaP256Der => {
                P256::from_der(&signature).map_err(|_| "is not an ECDSA signature in DER")?.to_bytes().to_vec()
            }
            Self::Ed25519 | Self::EcdsaP256 | Self::EcdsaP384 | Self::RsaSha256 | Self::RsaPssSha512 => signature,
        };
        if !self.scheme().is_length(fixed.len()) {
            return Err("is not as long as the algorithm's signatures are");
        }
        Ok(fixed.into())
    }

    /// Whether this key made the [normal](Self::normal) signature.
    pub(crate) fn verify(self, key: &Secret, signed: &[u8], signature: &[u8]) -> Result<bool, &'static str> {
        self.scheme().verify(key, signed, signature)
    }

    pub(crate) fn check_key(self, key: &Secret) -> Result<(), &'static str> {
        self.scheme().check_key(key)
    }

    pub(crate) fn decoy(self) -> Secret {
        Secret::new(self.scheme().decoy())
    }

    fn scheme(self) -> Scheme {
        Scheme::of(self.library())
    }

    /// The JWT algorithm that is the same but for the writing of its signature.
    pub(crate) fn library(self) -> Library {
        match self {
            Self::Ed25519 => Library::EdDSA,
            Self::EcdsaP256 | Self::EcdsaP256Der => Library::ES256,
            Self::EcdsaP384 => Library::ES384,
            Self::RsaSha256 => Library::RS256,
            Self::RsaPssSha512 => Library::PS512,
        }
    }

    /// The signature as the sender writes it: the other way round than [`Self::normal`].
    #[cfg(feature = "sign")]
    pub(crate) fn written(self, fixed: Vec<u8>) -> Vec<u8> {
        match self {
            Self::EcdsaP256Der => {
                P256::from_slice(&fixed).map_or(fixed, |signature| signature.to_der().as_bytes().to_vec())
            }
            Self::Ed25519 | Self::EcdsaP256 | Self::EcdsaP384 | Self::RsaSha256 | Self::RsaPssSha512 => fixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecdsa_signatures_in_der_are_read_strictly() {
        let one = [[0; 31].as_slice(), &[1]].concat();
        let r_and_s = [one.clone(), one].concat();
        for (der, expected, why) in [
            (&[0x30, 6, 2, 1, 1, 2, 1, 1][..], true, "r and s are one"),
            (&[0x30, 6, 2, 1, 1, 2, 1, 1, 0], false, "a byte too many"),
            (&[0x30, 7, 2, 1, 1, 2, 2, 0, 1], false, "a zero in front that needs to be none"),
            (&[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1], false, "a length in a longer spelling"),
            (&[0x30, 6, 2, 1, 0, 2, 1, 1], false, "r is zero"),
            (&[0x30, 6, 2, 1, 0xff, 2, 1, 1], false, "r is negative"),
            (&[0x30, 3, 2, 1, 1], false, "no s"),
            (&[1; 64], false, "not DER"),
            (&[], false, "nothing"),
        ] {
            let read = PublicKeyAlgorithm::EcdsaP256Der.normal(der.to_vec());
            assert_eq!(read.is_ok_and(|read| *read == *r_and_s), expected, "{why}");
        }
        assert!(PublicKeyAlgorithm::EcdsaP256.normal(r_and_s).is_ok());
        assert!(PublicKeyAlgorithm::EcdsaP256.normal(vec![1; 63]).is_err());
        assert!(PublicKeyAlgorithm::RsaSha256.normal(vec![1; 255]).is_err());
    }
}
