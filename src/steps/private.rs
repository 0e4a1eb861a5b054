//! Signatures that only the owner of a key pair can make.

use crate::mac::Digest;

/// An algorithm with a private key, and how its signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "public-key"), allow(dead_code, reason = "no form has public keys"))]
pub(crate) enum PrivateAlgorithm {
    Ed25519,
    /// On P-256 with SHA-256, and on P-384 with SHA-384. The signature is r and s, one behind the other or in DER.
    Ecdsa {
        digest: Digest,
        der: bool,
    },
    Rsa(Digest),
    RsaPss(Digest),
}

#[cfg(feature = "public-key")]
mod algorithms {
    use jsonwebtoken::Algorithm;

    use super::PrivateAlgorithm;
    use crate::keys::Secret;
    use crate::mac::Digest;
    use crate::scheme::PublicKeyAlgorithm;
    use crate::steps::SignError;
    use crate::steps::private_key::PrivateKey;

    impl PrivateAlgorithm {
        /// That of a JWT.
        pub(crate) fn of(algorithm: Algorithm) -> Self {
            match algorithm {
                Algorithm::ES256 => Self::Ecdsa { digest: Digest::Sha256, der: false },
                Algorithm::ES384 => Self::Ecdsa { digest: Digest::Sha384, der: false },
                Algorithm::PS256 => Self::RsaPss(Digest::Sha256),
                Algorithm::PS384 => Self::RsaPss(Digest::Sha384),
                Algorithm::PS512 => Self::RsaPss(Digest::Sha512),
                Algorithm::RS384 => Self::Rsa(Digest::Sha384),
                Algorithm::RS512 => Self::Rsa(Digest::Sha512),
                Algorithm::EdDSA => Self::Ed25519,
                // Others are MACs, which have no private key.
                _ => Self::Rsa(Digest::Sha256),
            }
        }

        fn library(self) -> Algorithm {
            match self {
                Self::Ed25519 => Algorithm::EdDSA,
                Self::Ecdsa { digest: Digest::Sha384, .. } => Algorithm::ES384,
                Self::Ecdsa { .. } => Algorithm::ES256,
                Self::Rsa(Digest::Sha384) => Algorithm::RS384,
                Self::Rsa(Digest::Sha512) => Algorithm::RS512,
                Self::Rsa(_) => Algorithm::RS256,
                Self::RsaPss(Digest::Sha384) => Algorithm::PS384,
                Self::RsaPss(Digest::Sha512) => Algorithm::PS512,
                Self::RsaPss(_) => Algorithm::PS256,
            }
        }

        /// The signature of a private key in PEM, as it is written.
        pub(crate) fn sign(self, key: &Secret, message: &[u8]) -> Result<Vec<u8>, SignError> {
            let signature = PrivateKey::read(self.library(), key)?.sign(message)?;
            Ok(match self {
                Self::Ecdsa { der: true, .. } => PublicKeyAlgorithm::EcdsaP256Der.written(signature),
                _ => signature,
            })
        }
    }

    impl From<PublicKeyAlgorithm> for PrivateAlgorithm {
        fn from(algorithm: PublicKeyAlgorithm) -> Self {
            match algorithm {
                PublicKeyAlgorithm::EcdsaP256Der => Self::Ecdsa { digest: Digest::Sha256, der: true },
                other => Self::of(other.library()),
            }
        }
    }
}
