//! A webhook whose signature is a JWT with the digest of the body: `X-Signature: {jwt}`, with the claim
//! `"sha256": hex(SHA-256(body))`.
//!
//! Netlify and Plaid sign so: see [`providers::webhooks`](crate::providers::webhooks).
//!
//! Feature `jwt`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, http::StatusCode, routing::post};
//! use std::time::Duration;
//! use tower_sso::{Identity, jwt, replay::MemoryReplay};
//!
//! #[derive(serde::Deserialize)]
//! struct Paid { order: u64 }
//! async fn paid(call: Identity<Paid>) -> StatusCode { /* store it */ StatusCode::OK }
//!
//! let verify = jwt::webhook::layer::<Paid>(jwt::Algorithm::HS256)
//!     .body_digest_claim("sha256")
//!     .max_age(Duration::from_secs(300))
//!     .secrets(["a secret that is shared with the sender"])
//!     .replay(MemoryReplay::new())
//!     .build()?;
//! let app: Router = Router::new().route("/paid", post(paid).layer(verify));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The token is the whole value of one header, once. Token and header of the token are read as by
//!    [`jwt`](crate::jwt#rules), rules 1 and 2. The inner service gets the request without it.
//! 2. The content type is `application/json`, unless the layer takes any. Otherwise: `unsupported_media_type`. A body
//!    over the limit is `payload_too_large`, an empty one is `malformed`.
//! 3. After the signature, the body's SHA-256 is compared with the claim. A claim that is missing or is another digest
//!    is `invalid`, with the reason `body_hash`.
//! 4. **The claims are the body's.** Those of the token only sign it, and are not handed on. A claim that binds the
//!    token to something else, such as `htu`, is `invalid`.
//! 5. `exp` and `nbf` are honoured if they are there. With [`max_age`](crate::Builder::max_age), `iat` is required.
//! 6. A call is processed once, as a [webhook](crate::webhook) is: calls with the same signed content are one, whatever
//!    the signature's spelling. A duplicate is acknowledged with 200. Without `max_age`, the handler must recognise old
//!    calls by [`Identity::fingerprint`](crate::Identity::fingerprint).
//!
//! The URL and all other headers are not signed.

mod builder;
#[cfg(feature = "explain")]
mod near;
#[cfg(feature = "sign")]
mod signing;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::claims::{self, Registered};
use super::named::Named;
use super::token::{Parts as TokenParts, Token};
use super::verifier::Verifier;
use crate::ConfigProblem;
use crate::body::{FromBody, WholeBody};
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules};
use crate::keys::Secret;
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::processing::Processing;
use crate::rejection::{Facts, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::Place;
use crate::text::headers::check_content;
use crate::text::hex::decode_hex_into;
use crate::text::json::Object;
use crate::window::Validity;

pub use builder::layer;

const LONGEST: usize = 8 * 1024;

/// The form of a webhook that is signed by a JWT, with claims of type `C` in its body. Made by [`layer`].
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::jwt::webhook::JwtWebhook;
///
/// struct State {
///     verify: VerifyLayer<JwtWebhook<serde_json::Value>>,
/// }
/// ```
pub struct JwtWebhook<C> {
    verifier: Verifier,
    place: Place,
    digest_claim: Cow<'static, str>,
    issuer: Option<Cow<'static, str>>,
    named: Option<Named>,
    max_age: Option<Duration>,
    clock_skew: Duration,
    any_content_type: bool,
    processing: Processing,
    /// Whether the digest is in base64, while that is tried.
    #[cfg(feature = "explain")]
    digest_in_base64: bool,
    claims: PhantomData<fn() -> C>,
}

/// A call as received. Its sender is not verified yet.
#[doc(hidden)]
pub struct Call {
    token: Token,
    body: Bytes,
}

/// An authentic call.
#[doc(hidden)]
pub struct Message {
    token: Arc<TokenParts>,
    times: Registered,
    body: Bytes,
}

impl<C> Form for JwtWebhook<C>
where
    C: FromBody + Send + Sync + 'static,
{
    const NAME: &'static str = "jwt_webhook";
    type Reads = WholeBody;
    type Credential = Call;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = Rules::new(self.verifier.decoy());
        rules.knows_secret_format = self.verifier.knows_secret_format();
        self.processing.set(&mut rules);
        rules.has_time = self.max_age.is_some();
        rules.longest_window = self.max_age.unwrap_or_default();
        rules.bound_to_owner = true;
        rules.signs_tenant = self.named.is_some();
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        if self.place.presence(head)? == Presence::Absent {
            return Ok(Presence::Absent);
        }
        check_content(&head.headers, (!self.any_content_type).then_some("application/json"))?;
        Ok(Presence::InBody)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Call>, Reason> {
        let text = self.place.required(head, body)?;
        let malformed = |what| Reason::Malformed(self.place.name(), what);
        let mut parts = TokenParts::parse(&text, LONGEST, false).map_err(malformed)?;
        if body.is_empty() {
            return Err(Reason::Malformed("body".into(), "is empty"));
        }
        parts.named = self.named.as_ref().and_then(|named| named.unverified(&parts));
        let tenant = parts.named.clone();
        let token = Token(Arc::new(parts));
        #[cfg(feature = "jwt-public-key")]
        self.verifier.check_length(&token, malformed)?;
        Ok(Extracted { tenant, ..Call { token, body: body.clone() }.into() })
    }

    fn verify(&self, Call { token, body }: &Call, key: &Secret) -> Result<Message, Reason> {
        self.verifier.check_signature(token, key)?;
        let payload = Object::read(token.0.payload())?;
        self.check_digest(&payload, body)?;
        claims::refuse_binding(&payload, Some(&self.digest_claim), &[])?;
        if let Some(named) = &self.named {
            named.check(&token.0, token.0.named.as_ref())?;
        }
        if let Some(issuer) = &self.issuer {
            claims::check_issuer(&payload, issuer)?;
        }
        Ok(Message { token: Arc::clone(&token.0), times: Registered::of(&payload)?, body: body.clone() })
    }

    fn validity(&self, Message { times, .. }: &Message) -> Result<Validity, Reason> {
        let end = times.exp.unwrap_or(UnixTime::MAX);
        let start = |time: Option<UnixTime>| time.unwrap_or(UnixTime::MIN).minus(self.clock_skew);
        let Some(age) = self.max_age else {
            return Ok(Validity::between(None, start(times.nbf), end, Duration::ZERO));
        };
        let iat = times.iat.ok_or(Reason::MissingClaim("iat".into()))?;
        let validity =
            Validity::between(Some(iat), start(times.nbf.max(Some(iat))), end.min(iat.plus(age)), Duration::ZERO);
        Ok(validity.remembered_until(iat.plus(age), age))
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        // The header tells the senders apart whose layers share a store. The content has the body's digest in it.
        fingerprint.part(self.place.name().as_bytes()).part(message.token.signed());
    }

    fn claims(&self, message: Message, _: UnixTime) -> Result<C, Reason> {
        C::from_body(&message.body)
    }

    fn describe(&self, Call { token, body }: &Call, facts: &mut Facts) {
        facts.add("algorithm", self.verifier.algorithm().name());
        facts.add("length", format_args!("{} bytes", token.0.signed().len()));
        facts.add("body", format_args!("{} bytes", body.len()));
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, _: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near())
    }

    fn redact(&self, head: &mut Parts) {
        self.place.redact(head);
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        self.verifier.check_key(key)
    }
}

impl<C> JwtWebhook<C> {
    /// Whether the body is the one whose digest was signed.
    fn check_digest(&self, payload: &Object<'_>, body: &[u8]) -> Result<(), Reason> {
        let mut stated = [0; 32];
        let claim = payload.get(&self.digest_claim);
        let text = claim.as_ref().and_then(Value::as_str).ok_or(Reason::BodyHash)?;
        #[cfg(feature = "explain")]
        if self.digest_in_base64 {
            return near::is_base64_of(text, Sha256::digest(body).as_slice()).then_some(()).ok_or(Reason::BodyHash);
        }
        decode_hex_into(text, &mut stated).ok_or(Reason::BodyHash)?;
        match Sha256::digest(body).as_slice().ct_eq(&stated).into() {
            true => Ok(()),
            false => Err(Reason::BodyHash),
        }
    }
}

opaque_debug!(JwtWebhook<C> { place, digest_claim });
opaque_debug!(Call);
opaque_debug!(Message);
