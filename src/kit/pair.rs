//! Key pairs that are made for a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::mac::Digest;
use crate::steps::{PrivateAlgorithm, SignError};

/// The beginnings of keys in DER (RFC 5958, 5480, 8410): what follows is the key itself.
const P256_PRIVATE: &[u8] = &[
    0x30, 0x81, 0x87, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 3, 1, 7, 4, 0x6d, 0x30, 0x6b, 2, 1, 1, 4, 32,
];
const P256_PUBLIC_INSIDE: &[u8] = &[0xa1, 0x44, 3, 0x42, 0];
const P256_PUBLIC: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3,
    0x42, 0,
];
const ED25519_PRIVATE: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 32];
const ED25519_PUBLIC: &[u8] = &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

const NOT_A_KEY: SignError = SignError::Key("cannot be made of these random bytes");

/// A private and a public key in PEM, made of random bytes.
pub(super) fn made(algorithm: PrivateAlgorithm, random: &[u8]) -> Result<(String, String), SignError> {
    match algorithm {
        PrivateAlgorithm::Ed25519 => {
            let seed: [u8; 32] = random.try_into().map_err(|_| NOT_A_KEY)?;
            let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
            Ok((private(&[ED25519_PRIVATE, &seed]), public_key(&[ED25519_PUBLIC, public.as_bytes()])))
        }
        PrivateAlgorithm::Ecdsa { digest: Digest::Sha256, .. } => {
            let key = p256::ecdsa::SigningKey::from_slice(random).map_err(|_| NOT_A_KEY)?;
            let point = key.verifying_key().to_encoded_point(false);
            let inside = [P256_PRIVATE, random, P256_PUBLIC_INSIDE, point.as_bytes()];
            Ok((private(&inside), public_key(&[P256_PUBLIC, point.as_bytes()])))
        }
        _ => Err(SignError::Unsupported(
            "a page makes key pairs for Ed25519 and P-256 only: make one by `openssl genpkey`, and give it to \
             `throwaway_key_pair`",
        )),
    }
}

fn private(der: &[&[u8]]) -> String {
    pem("PRIVATE KEY", der)
}

fn public_key(der: &[&[u8]]) -> String {
    pem("PUBLIC KEY", der)
}

/// RFC 7468.
fn pem(label: &str, der: &[&[u8]]) -> String {
    let text = STANDARD.encode(der.concat());
    let mut lines = format!("-----BEGIN {label}-----\n");
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            lines.push('\n');
        }
        lines.push(letter);
    }
    lines + &format!("\n-----END {label}-----\n")
}
