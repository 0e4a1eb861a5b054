//! The form: how a delivery is read, checked and recognised.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde_json::Value;
use smol_str::SmolStr;

use super::request::Requested;
use super::signatures::Tags;
use super::signed::{Part, Template};
use super::{FromBody, TimeFormat, Webhook, builder, headers};
use crate::ConfigProblem;
use crate::body::WholeBody;
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules, Usage};
use crate::keys::Secret;
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::rejection::{Facts, Reason};
use crate::replay::FingerprintHasher;
use crate::text::headers::{check_contents, once};
use crate::text::json::Object;
use crate::window::{Validity, Window};

/// A signed delivery as received. Its sender is not verified yet.
#[doc(hidden)]
pub struct Call(Arc<Delivery>);

/// An authentic delivery.
#[doc(hidden)]
pub struct Message {
    delivery: Arc<Delivery>,
    issued_at: Option<UnixTime>,
    /// The event's id, if deliveries are recognised by it.
    event_id: Option<SmolStr>,
    /// Which spelling was signed.
    spelling: usize,
}

struct Delivery {
    tags: Tags,
    timestamp: Option<(SmolStr, UnixTime)>,
    id: Option<SmolStr>,
    /// `None` if the template names no such part.
    requested: Option<Box<Requested>>,
    others: Vec<Bytes>,
    body: Bytes,
}

impl<C> Form for Webhook<C>
where
    C: FromBody + Send + Sync + 'static,
{
    const NAME: &'static str = "webhook";
    type Reads = WholeBody;
    type Credential = Call;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = self.signatures.key_kind.rules(self.secret_format);
        rules.usage = match (self.every_delivery, self.once) {
            (true, _) => Usage::Reusable,
            (_, true) => Usage::Once,
            _ => self.processing.usage(self.remember),
        };
        // A retry of an event has a new time: after a restart, only the handler knows that the event is an old one.
        rules.has_time = self.has_time() && self.sameness.event_id.is_none();
        rules.longest_window = if self.has_time() { self.remembered_for() } else { Duration::ZERO };
        rules.survives_restart = self.processing.survives_restart();
        rules.acknowledgement = self.acknowledgement.clone();
        rules.hands_duplicates_on = self.hands_duplicates_on;
        rules.bound_to_owner = self.signatures.can_be_rewritten() || self.sameness.event_id.is_some();
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        if !self.signatures.are_in(&head.headers) {
            return Ok(Presence::Absent);
        }
        self.check_content(head, true)?;
        Ok(Presence::InBody)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Call>, Reason> {
        let found = self.signatures.find(&head.headers)?;
        if body.is_empty() && !self.optional_body {
            return Err(Reason::Malformed("body".into(), "is empty"));
        }
        if self.optional_body {
            self.check_content(head, body.is_empty())?;
        }
        let named = match &self.timestamp_header {
            Some(name) => Some((headers::timestamp(&head.headers, name)?.into(), name)),
            None => found.timestamp.zip(self.signatures.headers.first()),
        };
        let timestamp = named.map(|(text, name)| {
            let time = self.read_time(&text).map_err(|what| headers::malformed(name, what))?;
            Ok::<_, Reason>((text, time))
        });
        let id = self.id_header.as_ref().map(|name| headers::id(&head.headers, name)).transpose()?.map(SmolStr::from);
        let requested = match &self.template {
            Ok(template) if template.needs_request() => {
                let stated = [&self.timestamp_header, &self.id_header];
                Some(Box::new(self.reading.of(template, head, body, stated)?))
            }
            _ => None,
        };
        let other = |name| Ok(Bytes::copy_from_slice(once(&head.headers, name)?.map_or(b"", HeaderValue::as_bytes)));
        let others = self.sameness.distinguished_by.iter().map(other).collect::<Result<_, Reason>>()?;
        let (tags, timestamp, body) = (found.tags, timestamp.transpose()?, body.clone());
        Ok(Call(Arc::new(Delivery { tags, timestamp, id, requested, others, body })).into())
    }

    fn verify(&self, Call(delivery): &Call, key: &Secret) -> Result<Message, Reason> {
        let Ok(template) = &self.template else { return Err(Reason::BadSignature) };
        let requested = delivery.requested.as_deref();
        let mut signed = None;
        for spelling in 0..requested.map_or(1, Requested::spellings) {
            let parts = template.fill(|part| match part {
                Part::Literal(literal) => literal.as_bytes(),
                Part::Timestamp => delivery.timestamp.as_ref().map_or(&[], |(text, _)| text.as_bytes()),
                Part::Id => delivery.id.as_ref().map_or(&[], |id| id.as_bytes()),
                Part::Body => &delivery.body,
                other => requested.map_or(&[], |requested| requested.text(other, spelling).as_bytes()),
            });
            let key = (key, self.secret_format);
            if self.signatures.verify(key, parts, &delivery.tags).map_err(Reason::UnusableKey)? {
                signed = Some(spelling);
                break;
            }
        }
        let Some(spelling) = signed else { return Err(Reason::BadSignature) };
        let is_json = delivery.body.is_empty() || matches!(delivery.body.trim_ascii_start(), [b'{' | b'[', ..]);
        if self.object_or_list && !is_json {
            return Err(Reason::Malformed("body".into(), "is neither an object nor a list of JSON"));
        }
        let event_id = self.sameness.event_id.as_ref();
        let event_id = event_id.map(|id| id.read(delivery.id.as_ref(), &delivery.body)).transpose()?.flatten();
        let issued_at = match (&delivery.timestamp, &self.timestamp_field) {
            (Some((_, time)), _) => Some(*time),
            (None, Some(field)) => Some(time_in(&delivery.body, field, self.time_format)?),
            (None, None) => None,
        };
        Ok(Message { delivery: Arc::clone(delivery), issued_at, event_id, spelling })
    }

    fn validity(&self, message: &Message) -> Result<Validity, Reason> {
        let Some(issued_at) = message.issued_at else { return Ok(Validity::unlimited()) };
        let validity = match self.expires_within {
            None => self.time_format.validity(issued_at, &self.window),
            // One that lives longer is not valid yet, so that none is older than `longest`.
            Some(longest) => Validity::between(None, issued_at.minus(longest), issued_at, self.window.clock_skew),
        };
        if self.sameness.event_id.is_none() {
            return Ok(validity);
        }
        // A retry may have a later timestamp.
        let until = validity.not_after().plus(self.sameness.retried_for);
        Ok(validity.remembered_until(until, self.remembered_for()))
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        let Message { delivery, event_id, spelling, .. } = message;
        let mac = if event_id.is_none() { self.signatures.only_mac(&delivery.tags) } else { None };
        // Without a MAC, the header tells the senders apart whose layers share a store.
        if let (None, Some(header)) = (mac, self.signatures.headers.first()) {
            fingerprint.part(header.as_str().as_bytes());
        }
        match (event_id, mac) {
            (Some(id), _) => _ = fingerprint.part(b"id").part(id.as_bytes()),
            // It stands for everything that was signed.
            (None, Some(mac)) => _ = fingerprint.part(mac),
            // Everything that was signed, as a copy could have another signature.
            (None, None) => {
                let timestamp = delivery.timestamp.as_ref().map(|(text, _)| text);
                for part in [timestamp, delivery.id.as_ref()] {
                    fingerprint.part(part.map_or("", SmolStr::as_str).as_bytes());
                }
                delivery.requested.iter().for_each(|requested| requested.add_to(fingerprint, *spelling));
                // Another body with the same signed text is no other event.
                if self.template.as_ref().is_ok_and(|template| template.has(&Part::Body)) {
                    fingerprint.part(&delivery.body);
                }
            }
        }
        delivery.others.iter().for_each(|other| _ = fingerprint.part(other));
    }

    fn claims(&self, message: Message, _: UnixTime) -> Result<C, Reason> {
        C::from_body(&message.delivery.body)
    }

    fn describe(&self, Call(delivery): &Call, facts: &mut Facts) {
        facts.add("body", format_args!("{} bytes", delivery.body.len()));
        facts.add("signatures", delivery.tags.len());
        if let Ok(template) = &self.template {
            facts.add("signed", template);
        }
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, head: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near(head))
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

    fn redact(&self, head: &mut Parts) {
        if let Some(listed) = &self.reading.listed {
            listed.remove_unsigned(&mut head.headers);
        }
    }
}

impl<C> Webhook<C> {
    /// An empty body, where it is allowed, needs no content type.
    fn check_content(&self, head: &Parts, may_be_empty: bool) -> Result<(), Reason> {
        let needs_none = || self.optional_body && may_be_empty && !head.headers.contains_key(CONTENT_TYPE);
        check_contents(&head.headers, self.content_types.as_deref().filter(|_| !needs_none()))
    }

    pub(super) fn has_time(&self) -> bool {
        self.has_time_beside_the_body() || self.timestamp_field.is_some()
    }

    pub(super) fn has_time_beside_the_body(&self) -> bool {
        self.timestamp_header.is_some() || self.signatures.timestamp_element.is_some()
    }

    fn read_time(&self, text: &str) -> Result<UnixTime, &'static str> {
        let is_odd = self.time_format.length().is_some_and(|length| length != text.len());
        if is_odd && self.template.as_ref().is_ok_and(Template::needs_fixed_time) {
            return Err("is not as long as such times are");
        }
        self.time_format.parse(text)
    }

    /// How long after its timestamp a delivery is remembered: for `max_age`, or for `clock_skew` if it ends then, and
    /// beyond it for `retried_for` if events have ids.
    fn remembered_for(&self) -> Duration {
        let retried_for = self.sameness.event_id.as_ref().map_or(Duration::ZERO, |_| self.sameness.retried_for);
        let Window { max_age, clock_skew } = self.window;
        self.expires_within.map_or(max_age, |_| clock_skew).saturating_add(retried_for)
    }
}

/// The time in an authentic body.
fn time_in(body: &Bytes, field: &str, format: TimeFormat) -> Result<UnixTime, Reason> {
    let text = match Object::read(body)?.at(field) {
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        None | Some(Value::Null) => return Err(Reason::MissingField(field.to_owned().into())),
        Some(_) => return Err(Reason::BadPayload("has a time that is neither text nor a number".into())),
    };
    format.parse(&text).map_err(|what| Reason::BadClaim(field.to_owned().into(), what))
}

opaque_debug!(Call);
opaque_debug!(Message);
