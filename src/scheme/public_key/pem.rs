//! Reads a public key, and explains why a key can never check a signature.

use ed25519_dalek::VerifyingKey;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use memchr::memmem;

use super::rsa::RsaKey;
use super::{Family, PublicKey};

impl PublicKey {
    pub(super) fn read(family: Family, pem: &[u8]) -> Result<Self, &'static str> {
        if memmem::find(pem, b"-----BEGIN ").is_none() {
            return Err("is not a public key in PEM, which has a line `-----BEGIN PUBLIC KEY-----`");
        }
        if memmem::find(pem, b"PRIVATE KEY-----").is_some() {
            return Err("is a private key: only the partner should have it. Ask for the public one");
        }
        match family {
            Family::Rsa => {
                let key = DecodingKey::from_rsa_pem(pem).map_err(|_| "is not an RSA key, which the algorithm needs")?;
                RsaKey::read(bytes(&key)).map(Self::Rsa)
            }
            Family::P256 => on_curve(pem, Algorithm::ES256, "is not a key on the curve P-256, which ES256 needs"),
            Family::P384 => on_curve(pem, Algorithm::ES384, "is not a key on the curve P-384, which ES384 needs"),
            Family::Ed25519 => {
                const PROBLEM: &str = "is not an Ed25519 key, which EdDSA needs";
                let key = DecodingKey::from_ed_pem(pem).map_err(|_| PROBLEM)?;
                ed25519(bytes(&key), PROBLEM)
            }
        }
    }
}

fn ed25519(point: &[u8], problem: &'static str) -> Result<PublicKey, &'static str> {
    let key = point.try_into().ok().and_then(|point| VerifyingKey::from_bytes(point).ok()).ok_or(problem)?;
    if key.is_weak() {
        Err("is an Ed25519 key of small order, which proves nothing")
    } else {
        Ok(PublicKey::Ed25519(key))
    }
}

fn on_curve(pem: &[u8], algorithm: Algorithm, problem: &'static str) -> Result<PublicKey, &'static str> {
    usable(DecodingKey::from_ec_pem(pem).map_err(|_| problem)?, algorithm, problem)
}

/// Reading a PEM does not check the point; only the verifier does.
fn usable(key: DecodingKey, algorithm: Algorithm, problem: &'static str) -> Result<PublicKey, &'static str> {
    (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key).map_err(|_| problem)?;
    Ok(PublicKey::Ec(key))
}

fn bytes(key: &DecodingKey) -> &[u8] {
    match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => bytes,
        DecodingKeyKind::RsaModulusExponent { .. } => &[],
    }
}
