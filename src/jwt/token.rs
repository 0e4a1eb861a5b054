use base64::Engine;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use std::borrow::Cow;
use std::fmt;

use super::claims::present;
use crate::encoding::BASE64URL;
use crate::json;
use crate::keys::Secret;
use crate::mac::Digest;
use crate::rejection::Reason;
use crate::replay::Fingerprint;

/// A token that has the structure of one. Nothing is known of who made it.
pub struct Token {
    text: String,
    /// Where the second dot stands: what is before it is signed.
    signed: usize,
    payload: Vec<u8>,
    header: Vec<u8>,
    signature: Vec<u8>,
}

/// What an authentic token holds.
pub struct Message {
    payload: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Token {
    pub(super) fn parse(text: String, longest: usize) -> Result<Self, &'static str> {
        if text.len() > longest {
            return Err("is too long");
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("does not have three parts");
        };
        let decode = |part: &str| BASE64URL.decode(part).map_err(|_| "is not canonical base64url");
        let signed = header.len() + 1 + payload.len();
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        Ok(Self { header, payload, signature, signed, text })
    }

    fn signed(&self) -> &[u8] {
        self.text.as_bytes().get(..self.signed).unwrap_or_default()
    }
}

impl Message {
    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(super) fn read<C: DeserializeOwned>(&self, required: &[Cow<'static, str>]) -> Result<C, Reason> {
        json::object(&self.payload, required)
    }
}

/// One algorithm, and how its keys are read.
#[derive(Clone, Copy)]
pub(super) struct Verifier(Algorithm);

/// A key as the library reads it.
type Key = Result<DecodingKey, &'static str>;

impl Verifier {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self(algorithm)
    }

    pub(super) fn verify(self, token: &Token, key: &Secret) -> Result<Message, Reason> {
        let authentic = match self.digest() {
            Some(digest) => digest.verify(key, &[token.signed()], &token.signature),
            None => key.with_prepared(|bytes| self.read_key(bytes), |key| self.verify_asymmetric(token, key))?,
        };
        // The header only explains a refusal here; it never chooses how the signature is checked.
        let header = self.check_header(&token.header);
        match (authentic, header) {
            (true, Ok(())) => {}
            (true, Err(reason)) => return Err(reason),
            (false, Err(reason @ Reason::AlgorithmNotAllowed)) => return Err(reason),
            (false, _) => return Err(Reason::BadSignature),
        }
        let (payload, signature) = (token.payload.clone(), token.signature.clone());
        Ok(Message { payload, signature, signed: token.signed().to_vec() })
    }

    fn verify_asymmetric(self, token: &Token, key: &Key) -> Result<bool, Reason> {
        let key = key.as_ref().map_err(|what| Reason::UnusableKey(what))?;
        // This provider by name: the library's default panics in a program that enables two of them.
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&self.0, key);
        let verifier = verifier.map_err(|_| Reason::UnusableKey("is not one of the algorithm's"))?;
        Ok(verifier.verify(token.signed(), &token.signature).is_ok())
    }

    fn check_header(self, header: &[u8]) -> Result<(), Reason> {
        #[derive(Deserialize)]
        struct Header {
            alg: Value,
            #[serde(default, deserialize_with = "present")]
            crit: Option<Value>,
        }
        let header: Header = json::object(header, &["alg"]).map_err(|_| Reason::BadToken("has no header"))?;
        // `crit` must be understood or refused (RFC 7515, 4.1.11), a null too: it is no list of extensions.
        if header.crit.is_some() {
            return Err(Reason::BadToken("has `crit` in its header"));
        }
        let named: Option<Algorithm> = header.alg.as_str().and_then(|name| name.parse().ok());
        if named == Some(self.0) { Ok(()) } else { Err(Reason::AlgorithmNotAllowed) }
    }

    /// An HMAC has one value for one content; an ECDSA signature can be written anew by anyone, so there the content counts.
    pub(super) fn fingerprint(self, message: &Message, fingerprint: &mut Fingerprint) {
        match self.digest() {
            Some(_) => fingerprint.part(&message.signature),
            None => fingerprint.part(&message.signed),
        };
    }

    pub(super) fn check_key(self, key: &Secret) -> Result<(), &'static str> {
        if self.digest().is_none() {
            self.read_key(key.expose())?;
        } else if key.expose().len() < 32 {
            // Real partners give out such secrets, so this is not an error.
            tracing::warn!("a secret for {:?} has less than 32 bytes: ask the partner for a longer one", self.0);
        }
        Ok(())
    }

    /// A key that nobody has: the private halves of these were never kept.
    pub(super) fn decoy(self) -> Secret {
        match self.digest() {
            Some(_) => Secret::new(crate::mac::random_key()),
            None => Secret::new(match self.0 {
                Algorithm::ES256 => include_str!("decoys/p256.pem"),
                Algorithm::ES384 => include_str!("decoys/p384.pem"),
                Algorithm::EdDSA => include_str!("decoys/ed25519.pem"),
                _ => include_str!("decoys/rsa.pem"),
            }),
        }
    }

    fn digest(self) -> Option<Digest> {
        match self.0 {
            Algorithm::HS256 => Some(Digest::Sha256),
            Algorithm::HS384 => Some(Digest::Sha384),
            Algorithm::HS512 => Some(Digest::Sha512),
            _ => None,
        }
    }

    fn read_key(self, pem: &[u8]) -> Key {
        let key = match self.0 {
            Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(pem),
            Algorithm::EdDSA => DecodingKey::from_ed_pem(pem),
            _ => DecodingKey::from_rsa_pem(pem),
        };
        key.map_err(|_| "is not a public key of the algorithm in PEM")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").finish_non_exhaustive()
    }
}
