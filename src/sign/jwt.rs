use serde::Serialize;

use super::SignError;
use crate::debug::opaque_debug;
use crate::jwt::Algorithm;
use crate::jwt::algorithm::Kind;
use crate::keys::Secret;
use crate::mac::Digest;
#[cfg(feature = "jwt-public-key")]
use crate::steps::PrivateKey;
use crate::text::base64::{encode_base64url, encode_base64url_onto};

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
    Private(PrivateKey),
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
            Kind::PublicKey(_) => SigningKey::Private(PrivateKey::read(algorithm.library(), key)?),
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
        let mut token = encode_base64url(header);
        token.push('.');
        encode_base64url_onto(payload, &mut token);
        let signature = match &self.key {
            SigningKey::Mac(digest, secret) => digest.sign(secret, &[token.as_bytes()]),
            #[cfg(feature = "jwt-public-key")]
            SigningKey::Private(key) => key.sign(token.as_bytes())?,
        };
        token.push('.');
        encode_base64url_onto(&signature, &mut token);
        Ok(token)
    }
}

opaque_debug!(JwtSigner { algorithm });
