//! A JWT: in a query parameter, as in `GET /{page}?sso_jwt={jwt}`, or in a form's field, a header, a cookie, a JSON
//! body, or as the whole body.
//!
//! Waggl's customers sign their users in this way: see [`providers::waggl`](crate::providers::waggl) for its claims.
//!
//! Feature `jwt`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, routing::get};
//! use tower_sso::{Identity, jwt, replay::MemoryReplay};
//!
//! #[derive(serde::Deserialize)]
//! struct User { sub: String }
//! async fn land(user: Identity<User>) -> String { format!("Hello {}", user.sub) }
//!
//! let sso = jwt::layer::<User>(jwt::Algorithm::HS512)
//!     .audience("www.example.com")
//!     .secrets(["a secret that is shared with the partner"])
//!     .replay(MemoryReplay::new())
//!     .build()?;
//! let app: Router = Router::new().route("/page", get(land).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The token is in one of the places that are [set](crate::Builder::token_in), once. It is three parts of canonical
//!    base64url without padding, at most 8 KiB. Otherwise: `malformed`. A signature of a length that no public key of
//!    the algorithm makes is `malformed` too, before any key is looked up.
//! 2. The layer sets the algorithm, or [several](crate::Builder::algorithms) of one kind of key. A header that names
//!    another, in any case of letters, is `invalid` (RFC 8725, 3.1). So is a header with `crit`, or with the `typ` of
//!    another kind of token, such as `at+jwt` (RFC 8725, 3.11; [`require_type`](crate::Builder::require_type)). `kid`,
//!    `jku`, `jwk`, `x5u` and the rest are ignored, and nothing is fetched because of a request.
//! 3. `exp` and `aud` are required, `nbf` and `iat` honoured, with [`leeway`](crate::Builder::leeway). A `NumericDate`
//!    is a JSON number, possibly with a fraction or an exponent; a claim that is missing, mistyped or beyond the year
//!    9999 is `invalid`. `aud` is a string, or a list of strings that contains ours (RFC 7519, 4.1). A token with
//!    neither `iat` nor `nbf` may have been made `max_lifetime` before its `exp`, so a
//!    [`MemoryReplay`](crate::replay::MemoryReplay) refuses it as `replayed` for that long after a start. Ask the
//!    partner for `iat`.
//! 4. The token may live for [`max_lifetime`](crate::Builder::max_lifetime): a token for a year is a password.
//! 5. A duplicate name at any depth is `rejected_claims` (RFC 7519, 4 leaves the choice).
//! 6. The replay key is the MAC. For public-key algorithms it is the signed content and the key, because one signature
//!    can have several spellings. `jti` plays no part, unless the layer [replays by id](crate::Builder::replay_by_id):
//!    two clicks in one second may make the same token, and the second is `replayed`. A layer that is
//!    [`danger_reusable`](crate::Builder::danger_reusable) asks no replay store.
//! 7. A claim that binds the token to a request or to its sender's key is `invalid`, since this layer does not check
//!    it. These are `htm`, `htu` and `ath` (RFC 9449, 4.2), `cnf` (RFC 7800, 3.1), `qsh` (Atlassian Connect),
//!    `bodyHash` (Fireblocks), `request_body_sha256` (Plaid), `payload_hash` and `url_hash` (Vonage, MessageBird). If
//!    the application checks one, name it: [`danger_unchecked_claims`](crate::Builder::danger_unchecked_claims). For a
//!    claim that is the digest of a webhook's body, see [`webhook`].
//! 8. Every token has an end: `exp`, or `iat` with [`max_age`](crate::Builder::max_age). A token without one is
//!    `invalid`: it would have to be remembered for ever, and enough of them fill the replay store. A partner whose
//!    tokens have no time at all needs [`danger_without_expiry`](crate::Builder::danger_without_expiry), and a replay
//!    store that outlives the process.
//! 9. The key may be chosen by a word of the token itself, such as `kid` or `iss`:
//!    [`tenant_header`](crate::Builder::tenant_header) and [`tenant_claim`](crate::Builder::tenant_claim). Nothing has
//!    proved it then; it is read again from the authentic token. A token without it is an unknown tenant's.
//! 10. The time of a refusal does not reveal whether the tenant exists: an RSA check is one exponentiation of the
//!     signature's length, whatever the key is.
//! 11. A token that answers a request of ours, as in OpenID Connect, brings a [nonce](crate::challenge) back. A layer
//!     with a [`nonce_member`](crate::Builder::nonce_member) does not build until it knows whose nonces.
//! 12. Nothing but the token is signed: neither other parameters nor path, headers or body, unless it has a
//!     [`query_hash`](crate::Builder::query_hash). A body beside a token in the head is `malformed`, unless the layer
//!     has [`danger_unsigned_body`](crate::Builder::danger_unsigned_body). With
//!     [`danger_reusable`](crate::Builder::danger_reusable) and no `query_hash`, the token is its holder's standing
//!     proof and the body the holder's own: it passes.

pub(crate) mod algorithm;
mod builder;
mod claims;
mod named;
#[cfg(feature = "explain")]
mod near;
mod query_hash;
#[cfg(feature = "sign")]
mod signing;
mod token;
mod verifier;
pub mod webhook;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ConfigProblem;
use crate::body::WholeBody;
use crate::challenge::ReturnedNonce;
use crate::clock::{Clock, UnixTime};
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules, Usage};
use crate::keys::{Secret, TenantId};
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::rejection::{Facts, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::Places;
use crate::text::json::{self, Object};
use crate::window::Validity;

pub use algorithm::Algorithm;
pub use builder::layer;
use claims::Registered;
use named::Named;
use query_hash::QueryHash;
use token::{Message, Parts as TokenParts, Token};
use verifier::Verifier;

/// The JWT form, with claims of type `C`. Made by [`layer`].
///
/// ```
/// use tower_sso::jwt::Jwt;
/// use tower_sso::VerifyLayer;
///
/// struct State {
///     sso: VerifyLayer<Jwt<serde_json::Value>>,
/// }
/// ```
pub struct Jwt<C> {
    verifier: Verifier,
    places: Places,
    padded: bool,
    usage: Usage,
    by_id: bool,
    named: Option<Named>,
    query_hash: Option<QueryHash>,
    nonce: ReturnedNonce,
    issuer: Option<Cow<'static, str>>,
    /// Whether the platform's rule demands one.
    needs_issuer: bool,
    audience: Audience,
    /// Whether an `azp` has to be the audience.
    checks_party: bool,
    /// Whether the header may have an `exp`.
    header_expires: bool,
    max_age: Option<Duration>,
    /// How long a token without an end is remembered; `None` refuses such tokens.
    remember_endless: Option<Duration>,
    clock: Option<Arc<dyn Clock>>,
    leeway: Duration,
    max_lifetime: Option<Duration>,
    longest: usize,
    required: Vec<Cow<'static, str>>,
    required_claims: Vec<Cow<'static, str>>,
    unchecked_claims: Vec<Cow<'static, str>>,
    claims: PhantomData<fn() -> C>,
}

/// The content of an authentic payload. Each refusal is reported by its own step, and boxed: there seldom is one, and
/// this moves from step to step.
struct Judged {
    registered: Registered,
    /// The registered claims other than times.
    claims: Result<(), Box<Reason>>,
    /// The required fields.
    fields: Result<(), Box<Reason>>,
    /// The `jti`, if it identifies the token.
    id: Option<String>,
    /// The nonce, if the token brings one back.
    nonce: Option<String>,
}

/// The required audience.
#[derive(Clone)]
enum Audience {
    Unset,
    Any,
    Ours(Cow<'static, str>),
}

impl<C> Form for Jwt<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    const NAME: &'static str = "jwt";
    type Reads = WholeBody;
    type Credential = Token;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = Rules::new(self.verifier.decoy());
        rules.usage = self.usage;
        // Bound to a query, it signs requests.
        rules.bearer = self.usage == Usage::Reusable && self.query_hash.is_none();
        rules.parameters = self.places.parameters();
        rules.knows_secret_format = self.verifier.knows_secret_format();
        rules.bound_to_owner = self.by_id;
        rules.signs_tenant = self.named.is_some();
        rules.has_time = true;
        rules.longest_window = self.nonce.lifetime().unwrap_or_else(|| self.longest_window());
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        self.places.presence(head)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Token>, Reason> {
        let (place, text) = self.places.required(head, body)?;
        let malformed = |what| Reason::Malformed(place.name(), what);
        let mut parts = TokenParts::parse(&text, self.longest, self.padded).map_err(malformed)?;
        parts.binding = self.nonce.binding(head)?;
        parts.named = self.named.as_ref().and_then(|named| named.unverified(&parts));
        if let Some(hash) = &self.query_hash {
            parts.request_hash = Some(hash.of(head, &self.places.parameters())?);
        }
        let tenant = parts.named.clone();
        let token = Token(Arc::new(parts));
        #[cfg(feature = "jwt-public-key")]
        self.verifier.check_length(&token, malformed)?;
        Ok(Extracted { credential: token, tenant, in_head: !place.is_in_body() })
    }

    fn verify(&self, token: &Token, key: &Secret) -> Result<Message, Reason> {
        self.verifier.verify(token, key, |parts| self.judge(parts))
    }

    fn validity(&self, message: &Message) -> Result<Validity, Reason> {
        let Judged { registered, nonce, .. } = message.judged.as_ref().map_err(Reason::clone)?;
        let end = self.end(registered)?;
        let start = registered.nbf.max(registered.iat).unwrap_or(UnixTime::MIN);
        let validity = Validity::between(registered.iat, start, end, self.leeway);
        // Another layer's settings may add more to this instant than this layer's.
        let base = match (registered.exp, self.max_age, registered.iat) {
            (Some(exp), ..) => exp,
            (None, Some(_), Some(iat)) => iat,
            _ => end.minus(self.remember_endless.unwrap_or_default()),
        };
        let window = self.longest_window();
        let validity = validity.remembered_until(base.plus(window), window);
        // A token with neither `iat` nor `nbf` passes as soon as its end is near enough.
        let validity = match (validity.usable_since(), registered.exp, self.max_lifetime) {
            (None, Some(exp), Some(longest)) => validity.usable_from(exp.minus(longest).minus(self.leeway)),
            _ => validity,
        };
        let Message { parts, .. } = message;
        // A name in the header is often that of a key, which nobody knows where the login begins.
        let in_claims = self.named.as_ref().is_some_and(|named| named.part == named::Part::Payload);
        let tenant = parts.named.as_ref().filter(|_| in_claims).map(TenantId::as_str);
        self.nonce.narrow(validity, self.leeway, parts.binding.as_ref(), tenant, |_| Ok(nonce.clone()))
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        match message.judged.as_ref().ok() {
            Some(Judged { nonce: Some(nonce), .. }) if self.nonce.checked().is_some() => {
                ReturnedNonce::fingerprint(nonce, fingerprint);
            }
            Some(Judged { id: Some(id), .. }) => _ = fingerprint.part(b"jti").part(id.as_bytes()),
            _ => self.verifier.fingerprint(message, fingerprint),
        }
    }

    fn claims(&self, message: Message, now: UnixTime) -> Result<C, Reason> {
        let Judged { registered, claims, fields, .. } = message.judged?;
        claims.map_err(|refused| *refused)?;
        if let (Some(longest), Some(exp)) = (self.max_lifetime, registered.exp) {
            let lifetime = exp.since(registered.iat.unwrap_or(now.plus(self.leeway)));
            if lifetime > longest {
                return Err(Reason::BadClaim(
                    "exp".into(),
                    "is further away than a token may live: see `max_lifetime`",
                ));
            }
        }
        fields.map_err(|refused| *refused)?;
        json::parse(message.parts.payload())
    }

    fn describe(&self, token: &Token, facts: &mut Facts) {
        facts.add("algorithm", self.verifier.algorithm().name());
        facts.add("length", format_args!("{} bytes", token.0.signed().len()));
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, _: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near())
    }

    fn redact(&self, head: &mut Parts) {
        self.places.redact(head);
    }

    fn set_clock(&mut self, clock: &Arc<dyn Clock>) {
        self.clock = Some(Arc::clone(clock));
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        self.verifier.check_key(key)
    }
}

impl<C: DeserializeOwned> Jwt<C> {
    /// How long after its own times a token may be used, by the layer's settings.
    fn longest_window(&self) -> Duration {
        let added = [Some(self.leeway), self.max_age, self.remember_endless];
        added.into_iter().flatten().fold(Duration::ZERO, Duration::saturating_add)
    }

    /// The earlier of `exp` and the end of the largest age.
    fn end(&self, registered: &Registered) -> Result<UnixTime, Reason> {
        let missing = |claim: &'static str| Reason::MissingClaim(claim.into());
        let aged = match self.max_age {
            Some(age) => Some(registered.iat.ok_or_else(|| missing("iat"))?.plus(age)),
            None => None,
        };
        match (registered.exp.into_iter().chain(aged).min(), self.remember_endless, &self.clock) {
            (Some(end), ..) => Ok(end),
            // Accepted at any time, and remembered for as long as configured.
            (None, Some(remember), Some(clock)) => Ok(clock.now().plus(remember)),
            (None, ..) => Err(missing("exp")),
        }
    }

    fn judge(&self, parts: &TokenParts) -> Result<Judged, Reason> {
        let payload = Object::read(parts.payload())?;
        let id = self.by_id.then(|| claims::text(&payload, "jti")).transpose();
        let claims = self.check_claims(&payload, parts, id.as_ref().err()).map_err(Box::new);
        let nonce = self.nonce.member.as_ref().map(|name| claims::text(&payload, name)).transpose()?;
        let mut registered = Registered::of(&payload)?;
        if self.header_expires {
            let stated = Registered::of(&Object::read(parts.header())?)?.exp;
            registered.exp = registered.exp.into_iter().chain(stated).min();
        }
        let fields = payload.require(&self.required).map_err(Box::new);
        Ok(Judged { registered, claims, fields, id: id.ok().flatten(), nonce })
    }

    /// Of an authentic token, what does not depend on the time.
    fn check_claims(&self, payload: &Object<'_>, parts: &TokenParts, no_id: Option<&Reason>) -> Result<(), Reason> {
        for claim in &self.required_claims {
            claims::require(payload, claim)?;
        }
        claims::refuse_binding(payload, self.query_hash.as_ref().map(|_| "qsh"), &self.unchecked_claims)?;
        if let Some(hash) = &self.query_hash {
            hash.check(payload.get("qsh").as_ref().and_then(Value::as_str), parts.request_hash.as_deref())?;
        }
        if let Some(named) = &self.named {
            named.check(parts, parts.named.as_ref())?;
            named.check_issuer(payload, parts.named.as_ref())?;
        }
        if let Some(issuer) = &self.issuer {
            claims::check_issuer(payload, issuer)?;
        }
        if let Some(reason) = no_id {
            return Err(reason.clone());
        }
        match &self.audience {
            Audience::Ours(ours) if self.checks_party => claims::check_party(payload, ours),
            Audience::Ours(ours) => claims::check_audience(payload, ours),
            Audience::Any | Audience::Unset => Ok(()),
        }
    }
}

opaque_debug!(Jwt<C> { places });
