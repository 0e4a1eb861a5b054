//! A request signed by OAuth 1.0a (RFC 5849) with a consumer's secret and no token: a signed link, or an LTI 1.1
//! launch.
//!
//! Site Builder's partners sign their users in this way: see
//! [`providers::site_builder`](crate::providers::site_builder).
//!
//! Feature `oauth1`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, routing::get};
//! use tower_sso::oauth1::{self, Origin};
//! use tower_sso::{Identity, keys::MemoryKeys, replay::MemoryReplay};
//!
//! #[derive(serde::Deserialize)]
//! struct User { email: String }
//! async fn land(user: Identity<User>) -> String { format!("Hello {}", user.email) }
//!
//! let keys = MemoryKeys::new().with("partner-key", "partner-secret");
//! let sso = oauth1::layer::<User>(Origin::new("https://app.example")).keys(keys).replay(MemoryReplay::new()).build()?;
//! let app: Router = Router::new().route("/widget/", get(land).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The OAuth parameters are in one place: the query, the `Authorization` header or a form body, where [switched
//!    on](crate::Builder::transports). In two places, or twice in one (RFC 5849, 3.1), they are `malformed`.
//! 2. Everything in the query and in a form body is signed: it is decoded as form data, re-encoded (RFC 5849, 3.6),
//!    sorted by its encoded bytes, and checked. Two senders' quirks can be switched on:
//!    [`query_copied_into_form`](crate::Builder::query_copied_into_form) and
//!    [`names_sorted_without_case`](crate::Builder::names_sorted_without_case). So is every pair of the `Authorization`
//!    header but `realm` (RFC 5849, 3.4.1.3.1). A pair that cannot be decoded is `malformed`, and so are more than
//!    1,000 in query and form. A body is a form if its type begins like a form's.
//! 3. A body that is not a form is signed through `oauth_body_hash`: the body's SHA-1, or SHA-256 with HMAC-SHA256
//!    (OAuth Request Body Hash 1.0, 3.2). Another body is `invalid`; a hash beside a form (4.1.1) is `malformed`. A
//!    body without a hash is `malformed` too, unless the layer has
//!    [`danger_unsigned_body`](crate::Builder::danger_unsigned_body).
//! 4. The base string's scheme and host come from the layer's [`Origin`]; nothing is guessed. Give partners exactly
//!    that address: scheme and host in lower case, no default port.
//! 5. HMAC-SHA1, and HMAC-SHA256 where [switched on](crate::Builder::signature_methods). PLAINTEXT, RSA-SHA1 and
//!    versions other than 1.0 are refused. There is no token: an empty `oauth_token` is signed, any other is refused.
//!    Other `oauth_*` parameters are signed but are not claims. Everything else that is signed is a claim.
//! 6. A signature covers neither the place of a pair nor the order of two pairs with one name (RFC 5849, 3.4.1.3.2).
//!    Anyone who holds an unused request can move a pair between query, header and form. **So trust the claims, not the
//!    URI or the form.** A duplicate name is `rejected_claims`.
//! 7. The timestamp, in whole seconds, may differ from the clock by [`window`](crate::Builder::window), either way.
//! 8. The replay key consists of consumer, timestamp and nonce, each preceded by its length.
//!
//! **LTI launches run in a frame** of the learning platform. The session cookie that you set in the answer must be
//! `SameSite=None; Secure; Partitioned`, or the launch succeeds and the next request has no session. See
//! [session cookies](crate::guide::sessions#in-a-frame).

pub(crate) mod base_string;
mod body;
mod builder;
#[cfg(feature = "explain")]
mod near;
pub(crate) mod pairs;
mod parameters;
mod quirks;
#[cfg(feature = "sign")]
mod signing;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::ConfigProblem;
use crate::body::WholeBody;
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules};
use crate::keys::{self, Secret};
use crate::mac::{self, Digest, Tag};
use crate::rejection::{Facts, Names, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::Encoding;
use crate::text::fields;
use crate::text::name::shown;
use crate::text::percent::decode_escapes;
use crate::text::timestamp::parse_seconds;
use crate::window::{Validity, Window};

pub use crate::scheme::Origin;
#[cfg(feature = "sign")]
pub(crate) use crate::scheme::base_uri_of;
use body::HashedBody;
#[cfg(feature = "sign")]
pub(crate) use body::body_hash;
pub use builder::layer;
pub use parameters::Transport;
use parameters::{Parameters, Reading, protocol};
use quirks::Quirks;

/// A signature method.
///
/// ```
/// use tower_sso::oauth1::SignatureMethod;
///
/// assert_eq!(SignatureMethod::HmacSha1.as_str(), "HMAC-SHA1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureMethod {
    /// `HMAC-SHA1` (RFC 5849, 3.4.2).
    HmacSha1,
    /// `HMAC-SHA256`, which many libraries support although the RFC does not define it.
    HmacSha256,
}

impl SignatureMethod {
    /// The value of `oauth_signature_method`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    pub(crate) fn digest(self) -> Digest {
        match self {
            Self::HmacSha1 => Digest::Sha1,
            Self::HmacSha256 => Digest::Sha256,
        }
    }
}

/// The OAuth 1.0a form, with claims of type `C`. Made by [`layer`].
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::oauth1::OAuth1;
///
/// struct State {
///     sso: VerifyLayer<OAuth1<serde_json::Value>>,
/// }
/// ```
pub struct OAuth1<C> {
    origin: Origin,
    transports: Vec<Transport>,
    methods: Vec<SignatureMethod>,
    window: Window,
    required: Vec<Cow<'static, str>>,
    quirks: Quirks,
    /// A slip of a partner, while it is tried.
    #[cfg(feature = "explain")]
    slip: Option<near::Slip>,
    claims: PhantomData<fn() -> C>,
}

/// A request with a signature. The signature is not verified yet.
#[doc(hidden)]
pub struct SignedRequest(Arc<Signed>);

/// An authentic request.
#[doc(hidden)]
pub struct Message {
    request: Arc<Signed>,
    /// Which of the readings was signed.
    reading: usize,
}

struct Signed {
    /// The texts that may have been signed: the RFC's, and those of the quirks.
    reading: Reading,
    other_readings: Vec<Reading>,
    method: SignatureMethod,
    mac: Tag,
    timestamp: UnixTime,
    parameters: Parameters,
    hashed_body: Option<HashedBody>,
}

impl Signed {
    /// What may have been signed, the RFC's reading first.
    fn readings(&self) -> impl Iterator<Item = &Reading> {
        std::iter::once(&self.reading).chain(&self.other_readings)
    }
}

impl<C> Form for OAuth1<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    const NAME: &'static str = "oauth1";
    type Reads = WholeBody;
    type Credential = SignedRequest;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = Rules::new(Secret::new(mac::random_key()));
        rules.parameters = parameters::PROTOCOL.iter().map(|name| Cow::Borrowed(*name)).collect();
        rules.signs_tenant = true;
        rules.has_time = true;
        rules.longest_window = self.window.max_age;
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        if !parameters::are_present(head, &self.transports) {
            return Ok(Presence::Absent);
        }
        let is_signed = parameters::is_form(head) || parameters::state_body_hash(head, &self.transports);
        Ok(if is_signed { Presence::InBody } else { Presence::InHead })
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<SignedRequest>, Reason> {
        let parameters = Parameters::read(head, body, &self.transports)?;
        if parameters.protocol(protocol::VERSION).is_some_and(|version| version != "1.0") {
            return Err(Reason::Malformed("oauth_version".into(), "is not 1.0"));
        }
        if parameters.protocol(protocol::TOKEN).is_some_and(|token| !token.is_empty()) {
            return Err(Reason::Malformed("oauth_token".into(), "is there, and no token was given out"));
        }
        let method = parameters.required(protocol::SIGNATURE_METHOD)?;
        let method = self.methods.iter().find(|known| known.as_str() == method).ok_or(Reason::AlgorithmNotAllowed)?;
        let malformed = |name: &'static str, what| Reason::Malformed(name.into(), what);
        let signature = parameters.required(protocol::SIGNATURE)?;
        let mac = Tag::from_base64(signature, method.digest().length()).ok_or_else(|| {
            let what = match signature.contains(' ') {
                true => "has a space in it: in a query or a form, a `+` is written `%2B`",
                false => Encoding::Base64.problem(signature, method.digest().length()),
            };
            malformed("oauth_signature", what)
        })?;
        let consumer = parameters.required(protocol::CONSUMER_KEY)?;
        if !(1..=255).contains(&consumer.len()) {
            return Err(malformed("oauth_consumer_key", "is empty or too long"));
        }
        let timestamp = parse_seconds(parameters.required(protocol::TIMESTAMP)?);
        let timestamp = timestamp.ok_or_else(|| malformed("oauth_timestamp", "is not a whole number of seconds"))?;
        let nonce = parameters.required(protocol::NONCE)?;
        if !(1..=255).contains(&nonce.len()) {
            return Err(malformed("oauth_nonce", "is empty or too long"));
        }
        let hashed_body = HashedBody::of(head, body, &parameters, *method)?;
        let (origin, path) = self.origin.base_uri(head)?;
        let (reading, other_readings) = parameters.readings(head.method.as_str(), (&origin, path), self.quirks);
        let tenant = Some(consumer.into());
        let in_head = hashed_body.is_none() && !parameters::is_form(head);
        let signed = Signed { reading, other_readings, method: *method, mac, timestamp, parameters, hashed_body };
        Ok(Extracted { credential: SignedRequest(Arc::new(signed)), tenant, in_head })
    }

    fn verify(&self, SignedRequest(request): &SignedRequest, key: &Secret) -> Result<Message, Reason> {
        keys::check_shared(key).map_err(Reason::UnusableKey)?;
        #[cfg(feature = "explain")]
        if let Some(slip) = self.slip {
            let message = Message { request: Arc::clone(request), reading: 0 };
            return if slip.signed(request, key) { Ok(message) } else { Err(Reason::BadSignature) };
        }
        let reading = key.with_prepared((), base_string::key, |key| {
            let digest = request.method.digest();
            let is_signed = |reading: &Reading| digest.verify(key, [reading.base_string.text.as_slice()], &request.mac);
            request.readings().position(is_signed)
        });
        let Some(reading) = reading else { return Err(Reason::BadSignature) };
        if request.hashed_body.as_ref().is_some_and(|body| !body.is_as_stated(request.method)) {
            return Err(Reason::BodyHash);
        }
        Ok(Message { request: Arc::clone(request), reading })
    }

    fn validity(&self, Message { request, .. }: &Message) -> Result<Validity, Reason> {
        Ok(Validity::around_second(request.timestamp, &self.window))
    }

    fn fingerprint(&self, Message { request, .. }: &Message, fingerprint: &mut FingerprintHasher) {
        // The consumer is the tenant. There is no token.
        let nonce = request.parameters.protocol(protocol::NONCE).unwrap_or_default();
        fingerprint.part(&request.timestamp.as_nanos().to_be_bytes()).part(nonce.as_bytes());
    }

    fn claims(&self, Message { request, reading }: Message, _: UnixTime) -> Result<C, Reason> {
        let reading = request.readings().nth(reading).ok_or(Reason::BadSignature)?;
        let claims = || request.parameters.claims(reading);
        for field in &self.required {
            let mut values = claims().filter(|(name, _)| name == field).map(|(_, value)| value);
            match (values.next(), values.next()) {
                (Some(_), Some(_)) => return Err(Reason::BadPayload(format!("`{field}` is there twice").into())),
                (Some(value), None) if !value.is_empty() => {}
                _ => return Err(Reason::MissingField(field.clone())),
            }
        }
        if reading.base_string.repeats_a_name {
            return Err(Reason::BadPayload("a parameter is there twice, in an order that nobody signed".into()));
        }
        fields::read(claims())
    }

    fn describe(&self, SignedRequest(request): &SignedRequest, facts: &mut Facts) {
        facts.add("signature_method", request.method.as_str());
        let text = &request.reading.base_string.text;
        let text = std::str::from_utf8(text).unwrap_or_default();
        let uri = text.split('&').nth(1).and_then(|uri| decode_escapes(uri).ok()).unwrap_or_default();
        // What does not belong into a path may be a query that was pasted there, claims and all.
        let plain = uri.split(['=', '&', ';', '@', '%']).next().unwrap_or_default();
        let rest = if plain.len() < uri.len() { "…" } else { "" };
        facts.add("base_string_uri", format_args!("{plain}{rest}"));
        if !request.other_readings.is_empty() {
            facts.add("readings", 1 + request.other_readings.len());
        }
        facts.add("signed", Names(request.parameters.names().filter(|name| *name != "oauth_signature").map(shown)));
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, head: &Parts, _: &Bytes) -> Vec<crate::near_miss::NearMiss<Self>> {
        crate::near_miss::NearMiss::forms(self.near(head))
    }

    fn redact(&self, head: &mut Parts) {
        if self.transports.contains(&Transport::Header) && parameters::is_oauth_header(head) {
            head.headers.remove(AUTHORIZATION);
        }
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        mac::check_key(Self::NAME, key)
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

opaque_debug!(OAuth1<C> { origin });
opaque_debug!(SignedRequest);
opaque_debug!(Message);
