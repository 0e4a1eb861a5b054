//! Public-key algorithms, verified by `jsonwebtoken` on the RustCrypto crates.

mod pem;
mod rsa;

use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm as Library, DecodingKey, DecodingKeyKind};

use super::Algorithm;
use crate::keys::Secret;

/// An algorithm and its kind of key.
#[derive(Clone, Copy)]
pub(crate) struct Scheme {
    algorithm: Library,
    family: Family,
}

/// The kind of key. Reading a key depends on nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// A public key that can check signatures of its family.
enum PublicKey {
    Rsa(rsa::RsaKey),
    Other(DecodingKey),
}

impl Scheme {
    pub(super) fn of(algorithm: Algorithm) -> Self {
        let family = match algorithm {
            Algorithm::ES256 => Family::P256,
            Algorithm::ES384 => Family::P384,
            Algorithm::EdDSA => Family::Ed25519,
            _ => Family::Rsa,
        };
        Self { algorithm: library(algorithm), family }
    }

    /// Whether a key of the algorithm can make a signature of this length (RFC 7518, 3.3 to 3.5; RFC 8032, 5.1.6).
    pub(super) fn is_length(self, signature: usize) -> bool {
        match self.family {
            Family::Rsa => rsa::LENGTHS.contains(&signature),
            Family::P256 | Family::Ed25519 => signature == 64,
            Family::P384 => signature == 96,
        }
    }

    /// Whether this key made the signature. The caller has checked its length.
    pub(super) fn verify(self, key: &Secret, signed: &[u8], signature: &[u8]) -> Result<bool, &'static str> {
        key.try_with_prepared(
            self.family,
            |bytes| PublicKey::read(self.family, bytes),
            |key| match key {
                PublicKey::Rsa(key) => key.verify(signature, |key, signature| self.check(key, signed, signature)),
                PublicKey::Other(key) => self.check(key, signed, signature),
            },
        )
    }

    fn check(self, key: &DecodingKey, signed: &[u8], signature: &[u8]) -> bool {
        // Names the provider: the library's default panics in a program that enables two.
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, key);
        verifier.is_ok_and(|verifier| verifier.verify(signed, &signature.to_vec()).is_ok())
    }

    /// The key itself, independent of its spelling; empty if the text is not a key.
    pub(super) fn identity(self, key: &Secret) -> Vec<u8> {
        let identity = key.try_with_prepared(
            self.family,
            |bytes| PublicKey::read(self.family, bytes),
            |key| match key {
                PublicKey::Rsa(key) => key.modulus().to_vec(),
                PublicKey::Other(key) => match key.kind() {
                    DecodingKeyKind::SecretOrDer(point) => point.clone(),
                    DecodingKeyKind::RsaModulusExponent { n, .. } => n.clone(),
                },
            },
        );
        identity.unwrap_or_default()
    }

    pub(super) fn check_key(self, key: &Secret) -> Result<(), &'static str> {
        PublicKey::read(self.family, key.expose()).map(drop)
    }

    /// A key that nobody has: the private halves of these were never kept.
    pub(super) fn decoy(self) -> &'static str {
        match self.family {
            Family::Rsa => include_str!("decoys/rsa.pem"),
            Family::P256 => include_str!("decoys/p256.pem"),
            Family::P384 => include_str!("decoys/p384.pem"),
            Family::Ed25519 => include_str!("decoys/ed25519.pem"),
        }
    }
}

/// The library's name for an algorithm.
pub(crate) fn library(algorithm: Algorithm) -> Library {
    match algorithm {
        Algorithm::HS256 => Library::HS256,
        Algorithm::HS384 => Library::HS384,
        Algorithm::HS512 => Library::HS512,
        Algorithm::RS256 => Library::RS256,
        Algorithm::RS384 => Library::RS384,
        Algorithm::RS512 => Library::RS512,
        Algorithm::PS256 => Library::PS256,
        Algorithm::PS384 => Library::PS384,
        Algorithm::PS512 => Library::PS512,
        Algorithm::ES256 => Library::ES256,
        Algorithm::ES384 => Library::ES384,
        Algorithm::EdDSA => Library::EdDSA,
    }
}
