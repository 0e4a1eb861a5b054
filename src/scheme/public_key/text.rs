//! Reads a public key as partners' pages show it, and explains why a key can never check a signature.

use ed25519_dalek::VerifyingKey;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use memchr::memmem;

use super::rsa::RsaKey;
use super::{Family, PublicKey};
use crate::text::base64::{decode_base64_padded_or_not, encode_base64};
use crate::text::hex::decode_hex;

const NOT_ED25519: &str = "is not an Ed25519 key, which EdDSA needs";

impl PublicKey {
    pub(super) fn read(family: Family, text: &[u8]) -> Result<Self, &'static str> {
        if memmem::find(text, b"PRIVATE KEY-----").is_some() {
            return Err("is a private key: only the partner should have it. Ask for the public one");
        }
        if memmem::find(text, b"-----BEGIN ").is_some() {
            return Self::from_pem(family, text);
        }
        if super::jwk::is_jwk(text) {
            return Self::from_jwk(family, text);
        }
        if text.starts_with(b"whsec_") {
            return Err("is a shared secret (`whsec_`): the layer takes the sender's public key (`whpk_`)");
        }
        match decode(text) {
            Some(point) if family == Family::Ed25519 && point.len() == 32 => ed25519(&point),
            Some(der) if der.starts_with(&[0x30]) => {
                let body = encode_base64(&der);
                Self::from_pem(
                    family,
                    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n").as_bytes(),
                )
            }
            _ => {
                Err("is not a public key in PEM, which has a line `-----BEGIN PUBLIC KEY-----`, nor the base64 of one")
            }
        }
    }

    fn from_pem(family: Family, pem: &[u8]) -> Result<Self, &'static str> {
        match family {
            Family::Rsa => {
                let key = DecodingKey::from_rsa_pem(pem).map_err(|_| "is not an RSA key, which the algorithm needs")?;
                RsaKey::read(bytes(&key)).map(Self::Rsa)
            }
            Family::P256 => on_curve(pem, Algorithm::ES256, "is not a key on the curve P-256, which ES256 needs"),
            Family::P384 => on_curve(pem, Algorithm::ES384, "is not a key on the curve P-384, which ES384 needs"),
            Family::Ed25519 => ed25519(bytes(&DecodingKey::from_ed_pem(pem).map_err(|_| NOT_ED25519)?)),
        }
    }
}

/// Hexadecimal or base64, with or without padding. No key in base64 is hexadecimal too.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text.strip_prefix(b"whpk_").unwrap_or(text)).ok()?;
    decode_hex(text).or_else(|| decode_base64_padded_or_not(text))
}

pub(super) fn ed25519(point: &[u8]) -> Result<PublicKey, &'static str> {
    let key = point.try_into().ok().and_then(|point| VerifyingKey::from_bytes(point).ok()).ok_or(NOT_ED25519)?;
    if key.is_weak() {
        Err("is an Ed25519 key of small order, which proves nothing")
    } else {
        Ok(PublicKey::Ed25519(key))
    }
}

/// Reading a PEM does not check the point; only the verifier does.
fn on_curve(pem: &[u8], algorithm: Algorithm, problem: &'static str) -> Result<PublicKey, &'static str> {
    usable(DecodingKey::from_ec_pem(pem).map_err(|_| problem)?, algorithm).map_err(|_| problem)
}

pub(super) fn usable(key: DecodingKey, algorithm: Algorithm) -> Result<PublicKey, &'static str> {
    (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key).map_err(|_| "is not a point on the algorithm's curve")?;
    Ok(PublicKey::Ec(key))
}

fn bytes(key: &DecodingKey) -> &[u8] {
    match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => bytes,
        DecodingKeyKind::RsaModulusExponent { .. } => &[],
    }
}
