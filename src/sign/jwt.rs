use base64::Engine;
use serde::Serialize;

use super::SignError;
use crate::debug::opaque_debug;
use crate::jwt::Algorithm;
use crate::jwt::algorithm::Kind;
use crate::keys::Secret;
use crate::mac::Digest;
use crate::text::base64::BASE64URL;

/// Makes JWTs.
///
/// ```
/// use tower_sso::jwt::Algorithm;
/// use tower_sso::sign::JwtSigner;
///
/// let signer = JwtSigner::new(Algorithm::HS512, &"a secret that is shared".into())?;
/// let token = signer.token(&serde_json::json!({"exp": 1_700_000_300, "aud": "www.example.com"}))?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), tower_sso::sign::SignError>(())
/// ```
pub struct JwtSigner {
    algorithm: Algorithm,
    key: SigningKey,
}

enum SigningKey {
    Mac(Digest, Secret),
    #[cfg(feature = "jwt-public-key")]
    Private(private::Key),
}

impl JwtSigner {
    /// Signs with a shared secret for HS256, HS384 and HS512, and with a private key in PEM for the others.
    ///
    /// # Errors
    /// If the key does not fit the algorithm.
    pub fn new(algorithm: Algorithm, key: &Secret) -> Result<Self, SignError> {
        let key = match algorithm.kind() {
            Kind::Mac(digest) => SigningKey::Mac(digest, key.clone()),
            #[cfg(feature = "jwt-public-key")]
            Kind::PublicKey(_) => SigningKey::Private(private::Key::read(algorithm, key)?),
        };
        Ok(Self { algorithm, key })
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// If the claims cannot be written as JSON.
    pub fn token(&self, claims: &impl Serialize) -> Result<String, SignError> {
        let header = format!(r#"{{"typ":"JWT","alg":"{}"}}"#, self.algorithm.name());
        self.sign(header.as_bytes(), &serde_json::to_vec(claims).map_err(SignError::claims)?)
    }

    /// A token with this header and this payload, whatever they are.
    ///
    /// # Errors
    /// If the key does not fit the algorithm.
    pub fn sign(&self, header: &[u8], payload: &[u8]) -> Result<String, SignError> {
        let mut token = BASE64URL.encode(header);
        token.push('.');
        BASE64URL.encode_string(payload, &mut token);
        let signature = match &self.key {
            SigningKey::Mac(digest, secret) => digest.sign(secret, &[token.as_bytes()]),
            #[cfg(feature = "jwt-public-key")]
            SigningKey::Private(key) => key.sign(token.as_bytes())?,
        };
        token.push('.');
        BASE64URL.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// What only the owner of a key pair can sign.
#[cfg(feature = "jwt-public-key")]
mod private {
    use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
    use jsonwebtoken::{Algorithm as Library, EncodingKey};

    use crate::jwt::Algorithm;
    use crate::keys::Secret;
    use crate::sign::SignError;

    pub(super) struct Key {
        algorithm: Library,
        key: EncodingKey,
    }

    impl Key {
        pub(super) fn read(algorithm: Algorithm, key: &Secret) -> Result<Self, SignError> {
            let key = match algorithm {
                Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(key.expose()),
                Algorithm::EdDSA => EncodingKey::from_ed_pem(key.expose()),
                _ => EncodingKey::from_rsa_pem(key.expose()),
            };
            let key = key.map_err(|_| SignError::Key("is not a private key of the algorithm in PEM"))?;
            Ok(Self { algorithm: algorithm.library(), key })
        }

        pub(super) fn sign(&self, content: &[u8]) -> Result<Vec<u8>, SignError> {
            let wrong_key = |_| SignError::Key("is not one of the algorithm's");
            let signer = (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &self.key).map_err(wrong_key)?;
            signer.try_sign(content).map_err(|_| SignError::Key("cannot sign"))
        }
    }
}

opaque_debug!(JwtSigner { algorithm });
