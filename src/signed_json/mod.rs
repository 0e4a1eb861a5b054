//! A JSON body that holds its own signature: `POST {"order": …, "signature": hex(HMAC-SHA256(secret, fields))}`.
//!
//! Some fields of the body are signed, and their values make the signed text. Adyen, Mailgun and Amazon SNS announce
//! events in this way: see [`providers::webhooks`](crate::providers::webhooks).
//!
//! Feature `signed-json`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, http::StatusCode, routing::post};
//! use tower_sso::signed_json::{self, Layout};
//! use tower_sso::{Identity, replay::MemoryReplay};
//!
//! #[derive(serde::Deserialize)]
//! struct Paid { order: String }
//! async fn paid(call: Identity<Paid>) -> StatusCode { /* store it */ StatusCode::OK }
//!
//! let verify = signed_json::layer::<Paid>(["/order", "/amount"])
//!     .layout(Layout::Joined(':'))
//!     .secrets(["a secret that is shared"])
//!     .replay(MemoryReplay::new())
//!     .handler_remembers() // it keeps call.fingerprint() with what it stores
//!     .build()?;
//! let app: Router = Router::new().route("/paid", post(paid).layer(verify));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The content type is `application/json`, unless the layer takes any. Otherwise: `unsupported_media_type`. A body
//!    over the limit is `payload_too_large`.
//! 2. The body is one JSON object without duplicate names at any depth. It is read before it is authentic, to find the
//!    signature. The signed values are text or whole numbers. Otherwise: `malformed`.
//! 3. **The claims are the signed fields and no others.** The inner service gets the body as received: all else in it
//!    can be anybody's.
//! 4. One signed text has one reading. A value that holds the separator is `malformed`, except in the one field that
//!    [may](crate::Builder::free_field). Between separators, an optional field that is empty counts as missing.
//!    **A number and its text are signed alike**: of `2` and `"2"`, the claim is what was sent, and both are one call.
//! 5. If the layer has a timestamp, it is signed and inside the window.
//! 6. A call is processed once, as a [webhook](crate::webhook) is: calls with the same signed text, or with the same
//!    [event id](crate::Builder::event_id_field), are one. Other spellings of the JSON or of the signature make no new
//!    call. A duplicate is acknowledged with 200.
//! 7. Nothing is fetched: no certificate and no confirmation address, whatever URL the body holds.

mod builder;
mod fields;
#[cfg(feature = "explain")]
mod near;
#[cfg(feature = "sign")]
mod signing;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ConfigProblem;
use crate::body::WholeBody;
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules};
use crate::keys::Secret;
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::processing::Processing;
use crate::rejection::{Facts, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::{SecretFormat, TimeFormat};
use crate::text::headers::check_content;
use crate::webhook::signatures::{Signatures, Tags};
use crate::window::{Validity, Window};

pub use builder::layer;
pub use fields::Layout;
use fields::{Fields, malformed, text_of, value_at};

const LONGEST_SIGNATURE: usize = 1_024;

/// The form of a JSON body that holds its own signature, with claims of type `C`. Made by [`layer`].
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::signed_json::SignedJson;
///
/// struct State {
///     verify: VerifyLayer<SignedJson<serde_json::Value>>,
/// }
/// ```
pub struct SignedJson<C> {
    fields: Fields,
    signature_field: Cow<'static, str>,
    signatures: Signatures,
    secret_format: SecretFormat,
    timestamp_field: Option<Cow<'static, str>>,
    time_format: TimeFormat,
    window: Window,
    event_id_field: Option<Cow<'static, str>>,
    /// A signed field, and the values that it may have.
    accepted: Option<(Cow<'static, str>, Vec<Cow<'static, str>>)>,
    retried_for: Duration,
    any_content_type: bool,
    processing: Processing,
    claims: PhantomData<fn() -> C>,
}

/// A call as received. Its sender is not verified yet.
#[doc(hidden)]
pub struct Call {
    tags: Tags,
    content: Content,
}

/// What was signed.
#[derive(Clone)]
struct Content {
    text: String,
    time: Option<UnixTime>,
    id: Option<String>,
    claims: Value,
}

/// An authentic call.
#[doc(hidden)]
pub struct Message(Content);

impl<C> Form for SignedJson<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    const NAME: &'static str = "signed_json";
    type Reads = WholeBody;
    type Credential = Call;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let has_time = self.timestamp_field.is_some();
        let mut rules = self.signatures.key_kind.rules(self.secret_format);
        self.processing.set(&mut rules);
        rules.has_time = has_time && self.event_id_field.is_none();
        rules.longest_window = if has_time { self.remembered_for() } else { Duration::ZERO };
        rules.bound_to_owner = true;
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        let wanted = (!self.any_content_type).then_some("application/json");
        if wanted.is_some() && !head.headers.contains_key(CONTENT_TYPE) {
            return Ok(Presence::Absent);
        }
        check_content(&head.headers, wanted)?;
        Ok(Presence::InBody)
    }

    fn extract(&self, _: &Parts, body: &Bytes) -> Result<Extracted<Call>, Reason> {
        let object = self.fields.object(body)?;
        let signature = match value_at(&object, &self.signature_field) {
            Some(Value::String(text)) if text.len() <= LONGEST_SIGNATURE => text,
            Some(_) => return Err(malformed(&self.signature_field, "is not text, or too long")),
            None => return Err(Reason::MissingSignature),
        };
        let tags = self.signatures.only(signature).map_err(|what| malformed(&self.signature_field, what))?;
        let (text, claims) = self.fields.read(&object)?;
        let at = |field: &Cow<'static, str>| match value_at(&object, field) {
            Some(value) => text_of(field, value),
            None => Err(Reason::MissingParameter(field.clone())),
        };
        let time = self.timestamp_field.as_ref().map(|field| self.time(field, &at(field)?)).transpose()?;
        let id = self.event_id_field.as_ref().map(at).transpose()?;
        Ok(Call { tags, content: Content { text, time, id, claims } }.into())
    }

    fn verify(&self, call: &Call, key: &Secret) -> Result<Message, Reason> {
        let parts = std::iter::once(call.content.text.as_bytes());
        let key = (key, self.secret_format);
        match self.signatures.verify(key, parts, &call.tags).map_err(Reason::UnusableKey)? {
            true => self.check_accepted(&call.content.claims).map(|()| Message(call.content.clone())),
            false => Err(Reason::BadSignature),
        }
    }

    fn validity(&self, Message(content): &Message) -> Result<Validity, Reason> {
        let Some(time) = content.time else { return Ok(Validity::unlimited()) };
        let validity = self.time_format.validity(time, &self.window);
        if self.event_id_field.is_none() {
            return Ok(validity);
        }
        // A retry may have a later timestamp.
        let until = validity.not_after().plus(self.retried_for);
        Ok(validity.remembered_until(until, self.remembered_for()))
    }

    fn fingerprint(&self, Message(content): &Message, fingerprint: &mut FingerprintHasher) {
        // Tells the senders apart whose layers share a store.
        fingerprint.part(self.signature_field.as_bytes());
        match &content.id {
            Some(id) => fingerprint.part(b"id").part(id.as_bytes()),
            None => fingerprint.part(content.text.as_bytes()),
        };
    }

    fn claims(&self, Message(content): Message, _: UnixTime) -> Result<C, Reason> {
        C::deserialize(content.claims)
            .map_err(|_| Reason::BadPayload("does not have the shape that the claims require".into()))
    }

    fn describe(&self, call: &Call, facts: &mut Facts) {
        facts.add("signed", self.fields.signed.join(" "));
        facts.add("text", format_args!("{} bytes", call.content.text.len()));
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, _: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near())
    }

    #[cfg(feature = "explain")]
    fn signed_part(&self, body: &Bytes) -> Option<Bytes> {
        self.without_the_unsigned(body)
    }

    #[cfg(feature = "explain")]
    fn with_any_secret(&self) -> Option<Self> {
        let mut copy = self.copy();
        copy.secret_format = self.secret_format.as_it_is()?;
        Some(copy)
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        self.signatures.key_kind.check_key(Self::NAME, key, self.secret_format)
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

impl<C> SignedJson<C> {
    fn time(&self, field: &str, text: &str) -> Result<UnixTime, Reason> {
        let is_fixed = self.fields.layout == Layout::Concatenated;
        if is_fixed && self.time_format.length() != Some(text.len()) {
            return Err(malformed(field, "is not as long as such times are"));
        }
        self.time_format.parse(text).map_err(|what| malformed(field, what))
    }

    /// Of an authentic call.
    fn check_accepted(&self, signed: &Value) -> Result<(), Reason> {
        let Some((field, values)) = &self.accepted else { return Ok(()) };
        match value_at(signed, field).map(|value| text_of(field, value)).transpose()? {
            Some(text) if values.contains(&Cow::from(text.as_str())) => Ok(()),
            _ => Err(Reason::BadClaim(field.clone(), "is no value that the layer accepts")),
        }
    }

    /// How long after its timestamp a call is remembered.
    fn remembered_for(&self) -> Duration {
        let retried_for = self.event_id_field.as_ref().map_or(Duration::ZERO, |_| self.retried_for);
        self.window.max_age.saturating_add(retried_for)
    }
}

opaque_debug!(SignedJson<C> { signature_field, secret_format });
opaque_debug!(Call);
opaque_debug!(Message);
