//! What only the owner of a key pair can sign.

use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};

use super::SignError;
use crate::debug::opaque_debug;
use crate::keys::Secret;

/// A private key, and the algorithm in which it signs.
#[derive(Clone)]
pub(crate) struct PrivateKey {
    algorithm: Algorithm,
    key: EncodingKey,
}

impl PrivateKey {
    pub(crate) fn read(algorithm: Algorithm, key: &Secret) -> Result<Self, SignError> {
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(key.expose()),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(key.expose()),
            _ => EncodingKey::from_rsa_pem(key.expose()),
        };
        let key = key.map_err(|_| SignError::Key("is not a private key of the algorithm in PEM"))?;
        Ok(Self { algorithm, key })
    }

    pub(crate) fn sign(&self, content: &[u8]) -> Result<Vec<u8>, SignError> {
        let wrong_key = |_| SignError::Key("is not one of the algorithm's");
        let signer = (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &self.key).map_err(wrong_key)?;
        signer.try_sign(content).map_err(|_| SignError::Key("cannot sign"))
    }
}

opaque_debug!(PrivateKey);
