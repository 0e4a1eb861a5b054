use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};
use memchr::memchr_iter;
use serde_json::Value;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::encoding::decode_base64url_onto;
use crate::json::Object;
use crate::keys::Secret;
use crate::mac::Digest;
use crate::rejection::Reason;
use crate::replay::Fingerprint;

/// A token that has the structure of one. Nothing is known of who made it.
pub struct Token(Arc<Parts>);

/// The parts of a token, which an authentic one shares with the token that came.
struct Parts {
    /// The token up to its second dot, which is what is signed; then signature, header and payload, decoded.
    all: Vec<u8>,
    signature: usize,
    header: usize,
    payload: usize,
}

/// What an authentic token holds.
pub struct Message<C> {
    parts: Arc<Parts>,
    /// What the payload says; an error for what is wrong with it.
    pub(super) judged: Result<super::Judged<C>, Reason>,
}

/// The payload of an authentic token.
pub(super) struct Payload(Arc<Parts>);

impl Token {
    pub(super) fn parse(text: &str, longest: usize) -> Result<Self, &'static str> {
        if text.len() > longest {
            return Err("is too long");
        }
        let mut dots = memchr_iter(b'.', text.as_bytes());
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err("does not have three parts");
        };
        let mut all = Vec::with_capacity(second + text.len());
        all.extend_from_slice(text.as_bytes().get(..second).unwrap_or_default());
        let mut decode = |part: Range<usize>| {
            let part = text.as_bytes().get(part).unwrap_or_default();
            decode_base64url_onto(part, &mut all).ok_or("is not canonical base64url")?;
            Ok::<_, &'static str>(all.len())
        };
        let header = decode(second + 1..text.len())?;
        let payload = decode(0..first)?;
        decode(first + 1..second)?;
        Ok(Self(Arc::new(Parts { all, signature: second, header, payload })))
    }
}

impl<C> Message<C> {
    pub(super) fn into_parts(self) -> (Payload, Result<super::Judged<C>, Reason>) {
        (Payload(self.parts), self.judged)
    }
}

impl Payload {
    pub(super) fn get(&self) -> &[u8] {
        self.0.payload()
    }
}

impl Parts {
    fn signed(&self) -> &[u8] {
        self.all.get(..self.signature).unwrap_or_default()
    }

    fn signature(&self) -> &[u8] {
        self.all.get(self.signature..self.header).unwrap_or_default()
    }

    fn header(&self) -> &[u8] {
        self.all.get(self.header..self.payload).unwrap_or_default()
    }

    fn payload(&self) -> &[u8] {
        self.all.get(self.payload..).unwrap_or_default()
    }
}

/// One algorithm, and how its keys are read.
pub(super) struct Verifier {
    algorithm: Algorithm,
    /// The header of the first token that was accepted. A partner's tokens have one header, so it need not be read again.
    usual_header: OnceLock<Vec<u8>>,
}

/// A key as the library reads it.
type Key = Result<DecodingKey, &'static str>;

impl Verifier {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, usual_header: OnceLock::new() }
    }

    /// The payload, if this key signed it; `judge` reads it.
    pub(super) fn verify<C>(
        &self,
        token: &Token,
        key: &Secret,
        judge: impl FnOnce(&[u8]) -> Result<super::Judged<C>, Reason>,
    ) -> Result<Message<C>, Reason> {
        let parts = &token.0;
        let authentic = match self.digest() {
            Some(digest) => digest.verify(key, [parts.signed()], parts.signature()),
            None => key.with_prepared(|bytes| self.read_key(bytes), |key| self.verify_asymmetric(parts, key))?,
        };
        // The header only explains a refusal here; it never chooses how the signature is checked.
        match (authentic, self.check_header(parts.header())) {
            (true, Ok(())) => {
                self.usual_header.get_or_init(|| parts.header().to_vec());
                Ok(Message { judged: judge(parts.payload()), parts: Arc::clone(parts) })
            }
            (true, Err(reason)) => Err(reason),
            (false, Err(reason @ Reason::AlgorithmNotAllowed)) => Err(reason),
            (false, _) => Err(Reason::BadSignature),
        }
    }

    fn verify_asymmetric(&self, parts: &Parts, key: &Key) -> Result<bool, Reason> {
        let key = key.as_ref().map_err(|what| Reason::UnusableKey(what))?;
        // This provider by name: the library's default panics in a program that enables two of them.
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, key);
        let verifier = verifier.map_err(|_| Reason::UnusableKey("is not one of the algorithm's"))?;
        Ok(verifier.verify(parts.signed(), &parts.signature().to_vec()).is_ok())
    }

    fn check_header(&self, header: &[u8]) -> Result<(), Reason> {
        if self.usual_header.get().is_some_and(|usual| usual == header) {
            return Ok(());
        }
        let no_header = |_| Reason::BadToken("has no header");
        let header = Object::read(header, |name| matches!(name, "alg" | "crit")).map_err(no_header)?;
        header.require(&["alg"]).map_err(no_header)?;
        // `crit` must be understood or refused (RFC 7515, 4.1.11), a null too: it is no list of extensions.
        if header.get("crit").is_some() {
            return Err(Reason::BadToken("has `crit` in its header"));
        }
        let named: Option<Algorithm> = header.get("alg").and_then(Value::as_str).and_then(|name| name.parse().ok());
        if named == Some(self.algorithm) { Ok(()) } else { Err(Reason::AlgorithmNotAllowed) }
    }

    /// An HMAC has one value for one content; an ECDSA signature can be written anew by anyone, so there the content counts.
    pub(super) fn fingerprint<C>(&self, message: &Message<C>, fingerprint: &mut Fingerprint) {
        match self.digest() {
            Some(_) => fingerprint.part(message.parts.signature()),
            None => fingerprint.part(message.parts.signed()),
        };
    }

    pub(super) fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        if self.digest().is_none() {
            self.read_key(key.expose())?;
        } else if key.expose().len() < 32 {
            // Real partners give out such secrets, so this is not an error.
            tracing::warn!(
                target: "tower_sso",
                "a secret for {:?} has less than 32 bytes: ask the partner for a longer one",
                self.algorithm
            );
        }
        Ok(())
    }

    /// A key that nobody has: the private halves of these were never kept.
    pub(super) fn decoy(&self) -> Secret {
        match self.digest() {
            Some(_) => Secret::new(crate::mac::random_key()),
            None => Secret::new(match self.algorithm {
                Algorithm::ES256 => include_str!("decoys/p256.pem"),
                Algorithm::ES384 => include_str!("decoys/p384.pem"),
                Algorithm::EdDSA => include_str!("decoys/ed25519.pem"),
                _ => include_str!("decoys/rsa.pem"),
            }),
        }
    }

    fn digest(&self) -> Option<Digest> {
        match self.algorithm {
            Algorithm::HS256 => Some(Digest::Sha256),
            Algorithm::HS384 => Some(Digest::Sha384),
            Algorithm::HS512 => Some(Digest::Sha512),
            _ => None,
        }
    }

    fn read_key(&self, pem: &[u8]) -> Key {
        let key = match self.algorithm {
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

impl<C> fmt::Debug for Message<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").finish_non_exhaustive()
    }
}
