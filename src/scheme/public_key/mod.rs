//! Public-key signatures, verified by `jsonwebtoken` and the RustCrypto crates that it brings.

mod algorithm;
mod jwk;
mod rsa;
mod text;

use ed25519_dalek::{Signature, VerifyingKey};
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};

use crate::keys::Secret;

pub use algorithm::PublicKeyAlgorithm;

/// An algorithm and its kind of key.
#[derive(Clone, Copy)]
pub(crate) struct Scheme {
    algorithm: Algorithm,
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
    Ec(DecodingKey),
    Ed25519(VerifyingKey),
}

impl Scheme {
    /// Of a public-key algorithm.
    pub(crate) fn of(algorithm: Algorithm) -> Self {
        let family = match algorithm {
            Algorithm::ES256 => Family::P256,
            Algorithm::ES384 => Family::P384,
            Algorithm::EdDSA => Family::Ed25519,
            _ => Family::Rsa,
        };
        Self { algorithm, family }
    }

    /// Whether both take the same kind of key.
    pub(crate) fn shares_keys_with(self, other: Self) -> bool {
        self.family == other.family
    }

    /// Whether a key of the algorithm can make a signature of this length (RFC 7518, 3.3 to 3.5; RFC 8032, 5.1.6).
    pub(crate) fn is_length(self, signature: usize) -> bool {
        match self.family {
            Family::Rsa => rsa::LENGTHS.contains(&signature),
            Family::P256 | Family::Ed25519 => signature == 64,
            Family::P384 => signature == 96,
        }
    }

    /// Whether this key made the signature. The caller has checked its length.
    pub(crate) fn verify(self, key: &Secret, signed: &[u8], signature: &[u8]) -> Result<bool, &'static str> {
        match self.verify_with(key, signed, signature) {
            // Not a key of this layer's: as if nobody had it, at the cost of a wrong signature.
            Err(jwk::OTHER_KIND) => self.verify_with(&Secret::new(self.decoy()), signed, signature).map(|_| false),
            checked => checked,
        }
    }

    fn verify_with(self, key: &Secret, signed: &[u8], signature: &[u8]) -> Result<bool, &'static str> {
        key.try_with_prepared(
            self.family,
            |bytes| PublicKey::read(self.family, bytes),
            |key| match key {
                PublicKey::Rsa(key) => key.verify(signature, |key, signature| self.check(key, signed, signature)),
                PublicKey::Ec(key) => self.check(key, signed, signature),
                // Strict: also refuses points of small order in the signature. Keys of small order are not read.
                PublicKey::Ed25519(key) => Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok()),
            },
        )
    }

    fn check(self, key: &DecodingKey, signed: &[u8], signature: &[u8]) -> bool {
        // Names the provider: the library's default panics in a program that enables two.
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, key);
        verifier.is_ok_and(|verifier| verifier.verify(signed, &signature.to_vec()).is_ok())
    }

    /// The key itself, independent of its spelling; empty if the text is not a key.
    pub(crate) fn identity(self, key: &Secret) -> Vec<u8> {
        let identity = key.try_with_prepared(
            self.family,
            |bytes| PublicKey::read(self.family, bytes),
            |key| match key {
                PublicKey::Rsa(key) => key.modulus().to_vec(),
                PublicKey::Ec(key) => match key.kind() {
                    DecodingKeyKind::SecretOrDer(point) => point.clone(),
                    DecodingKeyKind::RsaModulusExponent { n, .. } => n.clone(),
                },
                PublicKey::Ed25519(key) => key.as_bytes().to_vec(),
            },
        );
        identity.unwrap_or_default()
    }

    pub(crate) fn check_key(self, key: &Secret) -> Result<(), &'static str> {
        PublicKey::read(self.family, key.expose()).map(drop)
    }

    /// A key that nobody has: the private halves of these were never kept.
    pub(crate) fn decoy(self) -> &'static str {
        match self.family {
            Family::Rsa => include_str!("decoys/rsa.pem"),
            Family::P256 => include_str!("decoys/p256.pem"),
            Family::P384 => include_str!("decoys/p384.pem"),
            Family::Ed25519 => include_str!("decoys/ed25519.pem"),
        }
    }
}
