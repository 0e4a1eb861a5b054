use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::algorithm::Kind;
use super::token::{Message, Parts, Token};
use super::{Algorithm, Judged};
use crate::ConfigProblem;
use crate::keys::{self, Secret};
use crate::mac;
use crate::observe;
use crate::rejection::Reason;
use crate::replay::FingerprintHasher;
use crate::scheme::SecretFormat;
use crate::text::json::{self, Object};

/// The algorithms, and how their keys are read.
#[derive(Clone)]
pub(super) struct Verifier {
    /// The first one, whose kind of key all have.
    algorithm: Algorithm,
    /// The others, if there are any.
    others: Vec<Algorithm>,
    kind: Kind,
    secret_format: SecretFormat,
    /// The header of the first accepted token. A partner's tokens share one header, so it need not be parsed again.
    usual_header: OnceLock<Vec<u8>>,
    required_type: Option<Cow<'static, str>>,
    /// Members that the header must have with exactly these texts.
    required_members: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl Verifier {
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    #[cfg(feature = "sign")]
    pub(super) fn required_type(&self) -> Option<&str> {
        self.required_type.as_deref()
    }

    #[cfg(feature = "sign")]
    pub(super) fn required_members(&self) -> &[(Cow<'static, str>, Cow<'static, str>)] {
        &self.required_members
    }

    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            others: Vec::new(),
            kind: algorithm.kind(),
            secret_format: SecretFormat::Bytes,
            usual_header: OnceLock::new(),
            required_type: None,
            required_members: Vec::new(),
        }
    }

    /// Refuses a signature of an impossible length before any key lookup: the time of its check could depend on the
    /// key.
    #[cfg(feature = "jwt-public-key")]
    pub(super) fn check_length(
        &self,
        Token(parts): &Token,
        malformed: impl FnOnce(&'static str) -> Reason,
    ) -> Result<(), Reason> {
        match self.kind {
            Kind::PublicKey(scheme) if !scheme.is_length(parts.signature().len()) => {
                match self.check_header(parts.header()) {
                    Err(reason @ Reason::AlgorithmNotAllowed) => Err(reason),
                    _ => Err(malformed("has a signature of another length than the algorithm's")),
                }
            }
            Kind::PublicKey(_) | Kind::Mac(_) => Ok(()),
        }
    }

    /// The payload, if this key signed it; `judge` reads it.
    pub(super) fn verify(
        &self,
        token: &Token,
        key: &Secret,
        judge: impl FnOnce(&Parts) -> Result<Judged, Reason>,
    ) -> Result<Message, Reason> {
        self.check_signature(token, key)?;
        Ok(Message {
            judged: judge(&token.0),
            parts: Arc::clone(&token.0),
            signer: match self.kind {
                Kind::Mac(_) => Vec::new(),
                #[cfg(feature = "jwt-public-key")]
                Kind::PublicKey(scheme) => scheme.identity(key),
            },
        })
    }

    /// Whether this key signed it, under a header that the layer accepts.
    pub(super) fn check_signature(&self, Token(parts): &Token, key: &Secret) -> Result<(), Reason> {
        let authentic = self.is_authentic(parts, key).map_err(Reason::UnusableKey)?;
        // Of one algorithm the header only explains a refusal. Of several, all of one kind of key, it said which.
        match (authentic, self.check_header(parts.header())) {
            (true, Ok(())) => {
                self.usual_header.get_or_init(|| parts.header().to_vec());
                Ok(())
            }
            (true, Err(reason)) => Err(reason),
            (false, Err(reason @ Reason::AlgorithmNotAllowed)) => Err(reason),
            (false, _) => Err(Reason::BadSignature),
        }
    }

    fn is_authentic(&self, parts: &Parts, key: &Secret) -> Result<bool, &'static str> {
        match self.kind_for(parts.header()) {
            Kind::Mac(digest) => {
                keys::check_shared(key)?;
                let format = self.secret_format;
                let read = |secret: &[u8]| format.key(secret);
                digest.verify_read((key, format), read, [parts.signed()], parts.signature())
            }
            #[cfg(feature = "jwt-public-key")]
            Kind::PublicKey(scheme) => scheme.verify(key, parts.signed(), parts.signature()),
        }
    }

    /// Of several algorithms, all of one kind of key, the one that the header names.
    fn kind_for(&self, header: &[u8]) -> Kind {
        if self.others.is_empty() {
            return self.kind;
        }
        let named = Object::read(header).ok().and_then(|header| header.get("alg"));
        let named = named.as_ref().and_then(Value::as_str);
        self.others.iter().find(|other| Some(other.name()) == named).map_or(self.kind, |other| other.kind())
    }

    fn accepts(&self, name: &str) -> bool {
        self.algorithm.name() == name || self.others.iter().any(|other| other.name() == name)
    }

    /// Sets the algorithms. An empty list stays without effect, and is refused by [`Self::check`].
    pub(super) fn set_algorithms(&mut self, algorithms: impl IntoIterator<Item = Algorithm>) {
        let mut algorithms = algorithms.into_iter();
        if let Some(first) = algorithms.next() {
            (self.algorithm, self.kind) = (first, first.kind());
        }
        self.others = algorithms.collect();
    }

    pub(super) fn knows_secret_format(&self) -> bool {
        self.secret_format != SecretFormat::Bytes || !matches!(self.kind, Kind::Mac(_))
    }

    pub(super) fn set_secret_format(&mut self, format: SecretFormat) {
        self.secret_format = format;
    }

    #[cfg(any(feature = "explain", feature = "sign"))]
    pub(super) fn secret_format(&self) -> SecretFormat {
        self.secret_format
    }

    pub(super) fn check(&self) -> Result<(), ConfigProblem> {
        if !self.others.iter().all(|other| other.shares_keys_with(self.algorithm)) {
            return Err(ConfigProblem::setting(
                "algorithms",
                "are of more than one kind of key: a public key must never count as a shared secret. Take one kind",
            ));
        }
        match self.kind {
            Kind::Mac(_) => Ok(()),
            #[cfg(feature = "jwt-public-key")]
            Kind::PublicKey(_) if self.secret_format == SecretFormat::Bytes => Ok(()),
            #[cfg(feature = "jwt-public-key")]
            Kind::PublicKey(_) => Err(ConfigProblem::setting(
                "secret_format",
                "is set for an algorithm that has no secret: give the public key in PEM",
            )),
        }
    }

    pub(super) fn check_header(&self, header: &[u8]) -> Result<(), Reason> {
        if self.usual_header.get().is_some_and(|usual| usual == header) {
            return Ok(());
        }
        let unreadable = |reason: Reason| {
            Reason::BadToken(match json::has_a_name_twice(&reason) {
                true => "has a name twice in its header",
                false => "has a header that is not a JSON object",
            })
        };
        let header = Object::read(header).map_err(unreadable)?;
        // `crit` must be understood or refused (RFC 7515, 4.1.11). That includes null, which is not a list of
        // extensions.
        if header.get("crit").is_some() {
            return Err(Reason::BadToken("has `crit` in its header"));
        }
        match header.get("alg") {
            None | Some(Value::Null) => return Err(Reason::BadToken("has no `alg` in its header")),
            Some(named) if named.as_str().is_some_and(|name| self.accepts(name)) => {}
            Some(_) => return Err(Reason::AlgorithmNotAllowed),
        }
        for (name, text) in &self.required_members {
            if header.get(name).as_ref().and_then(Value::as_str) != Some(&**text) {
                return Err(Reason::BadToken("has another value in its header than the layer requires"));
            }
        }
        self.check_type(header.get("typ").as_ref())
    }

    fn check_type(&self, typ: Option<&Value>) -> Result<(), Reason> {
        let text = typ.and_then(Value::as_str).map(bare_type);
        match (&self.required_type, text) {
            (Some(required), Some(typ)) if bare_type(required).eq_ignore_ascii_case(typ) => Ok(()),
            (Some(_), _) => Err(Reason::BadToken("is not of the type (`typ`) that the layer requires")),
            (None, Some(typ)) if is_explicit(typ) => {
                Err(Reason::BadToken("says that it is another kind of token (`typ`): see `require_type`"))
            }
            (None, _) => Ok(()),
        }
    }

    pub(super) fn require_member(&mut self, name: Cow<'static, str>, text: Cow<'static, str>) {
        self.required_members.push((name, text));
    }

    pub(super) fn require_type(&mut self, typ: Cow<'static, str>) {
        self.required_type = Some(typ);
    }

    /// An HMAC has one value per content and key. An ECDSA signature has several spellings, so the content counts
    /// instead, together with the key: two tenants may sign the same words.
    pub(super) fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        match self.kind {
            Kind::Mac(_) => fingerprint.part(message.parts.signature()),
            #[cfg(feature = "jwt-public-key")]
            Kind::PublicKey(_) => fingerprint.part(&message.signer).part(message.parts.signed()),
        };
    }

    pub(super) fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        match self.kind {
            Kind::Mac(digest) => {
                keys::check_shared(key)?;
                if self.secret_format.key(key.expose())?.len() < digest.length() {
                    observe::short_secret("jwt", self.algorithm.name(), digest.length());
                }
                Ok(())
            }
            #[cfg(feature = "jwt-public-key")]
            Kind::PublicKey(scheme) => scheme.check_key(key),
        }
    }

    pub(super) fn decoy(&self) -> Secret {
        match self.kind {
            Kind::Mac(_) => mac::decoy(),
            #[cfg(feature = "jwt-public-key")]
            Kind::PublicKey(scheme) => Secret::new(scheme.decoy()),
        }
    }
}

/// A media type, whose `application/` may be left out (RFC 7515, 4.1.9).
fn bare_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => typ,
    }
}

/// Explicit types end so (RFC 8725, 3.11).
fn is_explicit(typ: &str) -> bool {
    const SUFFIX: &[u8] = b"+jwt";
    typ.as_bytes().last_chunk::<4>().is_some_and(|end| end.eq_ignore_ascii_case(SUFFIX))
}
