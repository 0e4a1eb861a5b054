//! Key pairs that are made for a page.

use ed25519_dalek::pkcs8::KeypairBytes;
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};

use crate::mac::Digest;
use crate::steps::{PrivateAlgorithm, SignError};

/// A private and a public key in PEM, made of random bytes.
pub(super) fn made(algorithm: PrivateAlgorithm, random: &[u8]) -> Result<(String, String), SignError> {
    match algorithm {
        PrivateAlgorithm::Ed25519 => ed25519(random),
        PrivateAlgorithm::Ecdsa { digest: Digest::Sha256, .. } => p256(random),
        _ => Err(SignError::Unsupported(
            "a page makes key pairs for Ed25519 and P-256 only: make one by `openssl genpkey`, and give it to \
             `throwaway_key_pair`",
        )),
    }
}

fn ed25519(random: &[u8]) -> Result<(String, String), SignError> {
    let secret_key = random.try_into().map_err(not_a_key)?;
    let public = ed25519_dalek::SigningKey::from_bytes(&secret_key).verifying_key();
    // Without the public key: version 1 of the format, which older libraries read too (RFC 8410, 7; RFC 5958, 2).
    let private = KeypairBytes { secret_key, public_key: None };
    Ok((private_pem(&private)?, public_pem(&public)?))
}

fn p256(random: &[u8]) -> Result<(String, String), SignError> {
    let private = p256::SecretKey::from_slice(random).map_err(not_a_key)?;
    Ok((private_pem(&private)?, public_pem(&private.public_key())?))
}

fn private_pem(key: &impl EncodePrivateKey) -> Result<String, SignError> {
    key.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(not_a_key)
}

fn public_pem(key: &impl EncodePublicKey) -> Result<String, SignError> {
    key.to_public_key_pem(LineEnding::LF).map_err(not_a_key)
}

fn not_a_key<E>(_: E) -> SignError {
    SignError::Key("cannot be made of these random bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hex::decode_hex;

    /// RFC 8410, 10.1 and 10.3.
    #[test]
    fn an_ed25519_pair_is_written_as_the_rfc_writes_it() {
        let seed = decode_hex("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842").unwrap();
        let (private, public) = made(PrivateAlgorithm::Ed25519, &seed).unwrap();
        let body = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        assert_eq!(private, format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"));
        let body = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        assert_eq!(public, format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"));
    }

    #[test]
    fn bytes_that_are_no_key_make_none() {
        let p256 = PrivateAlgorithm::Ecdsa { digest: Digest::Sha256, der: false };
        for (algorithm, random) in [(PrivateAlgorithm::Ed25519, &[1; 31][..]), (p256, &[0; 32]), (p256, &[0xff; 32])] {
            assert!(made(algorithm, random).is_err(), "{algorithm:?} {random:?}");
        }
    }
}
