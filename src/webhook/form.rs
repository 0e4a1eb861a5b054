//! The form: how a delivery is read, checked and recognised.

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
use crate::mac::Tag;
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::rejection::{Facts, Reason};
use crate::replay::FingerprintHasher;
use crate::text::headers::{check_contents, once};
use crate::text::json::Object;
use crate::window::{Validity, Window};

/// A signed delivery as received. Its sender is not verified yet.
#[doc(hidden)]
pub struct Call {
    tags: Tags,
    timestamp: Option<(SmolStr, UnixTime)>,
    id: Option<SmolStr>,
    /// `None` if the template names no such part.
    requested: Option<Box<Requested>>,
    others: Vec<Bytes>,
    body: Bytes,
}

/// An authentic delivery.
#[doc(hidden)]
pub struct Message {
    same: Same,
    others: Vec<Bytes>,
    issued_at: Option<UnixTime>,
    body: Bytes,
}

/// What a delivery is recognised by.
enum Same {
    /// The MAC, if the layer takes a single one: it stands for everything that was signed.
    Mac(Tag),
    /// Everything that was signed, if a copy could have another signature.
    Signed {
        timestamp: Option<SmolStr>,
        id: Option<SmolStr>,
        requested: Option<Box<Requested>>,
        /// Which spelling was signed.
        spelling: usize,
    },
    /// The event's id.
    Id(SmolStr),
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
        let mut rules = self.signatures.rules(self.secret_format);
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
        Ok(Call { tags, timestamp, id, requested, others, body }.into())
    }

    fn verify(&self, call: &Call, key: &Secret) -> Result<Message, Reason> {
        let Ok(template) = &self.template else { return Err(Reason::BadSignature) };
        let requested = call.requested.as_deref();
        let mut signed = None;
        for spelling in 0..requested.map_or(1, Requested::spellings) {
            let parts = template.fill(|part| match part {
                Part::Literal(literal) => literal.as_bytes(),
                Part::Timestamp => call.timestamp.as_ref().map_or(&[], |(text, _)| text.as_bytes()),
                Part::Id => call.id.as_ref().map_or(&[], |id| id.as_bytes()),
                Part::Body => &call.body,
                other => requested.map_or(&[], |requested| requested.text(other, spelling).as_bytes()),
            });
            let key = (key, self.secret_format);
            if self.signatures.verify(key, parts, &call.tags).map_err(Reason::UnusableKey)? {
                signed = Some(spelling);
                break;
            }
        }
        let Some(spelling) = signed else { return Err(Reason::BadSignature) };
        let is_json = call.body.is_empty() || matches!(call.body.trim_ascii_start(), [b'{' | b'[', ..]);
        if self.object_or_list && !is_json {
            return Err(Reason::Malformed("body".into(), "is neither an object nor a list of JSON"));
        }
        let event_id = self.sameness.event_id.as_ref();
        let id = event_id.map(|id| id.read(call.id.as_ref(), &call.body)).transpose()?.flatten();
        let same = match (id, self.signatures.only_mac(&call.tags)) {
            (Some(id), _) => Same::Id(id),
            (None, Some(mac)) => Same::Mac(*mac),
            (None, None) => Same::Signed {
                timestamp: call.timestamp.as_ref().map(|(text, _)| text.clone()),
                id: call.id.clone(),
                requested: call.requested.clone(),
                spelling,
            },
        };
        let issued_at = match (&call.timestamp, &self.timestamp_field) {
            (Some((_, time)), _) => Some(*time),
            (None, Some(field)) => Some(time_in(&call.body, field, self.time_format)?),
            (None, None) => None,
        };
        Ok(Message { same, others: call.others.clone(), issued_at, body: call.body.clone() })
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
        // Without a MAC, the header tells the senders apart whose layers share a store.
        if let (Same::Id(_) | Same::Signed { .. }, Some(header)) = (&message.same, self.signatures.headers.first()) {
            fingerprint.part(header.as_str().as_bytes());
        }
        match &message.same {
            Same::Mac(mac) => _ = fingerprint.part(mac),
            Same::Id(id) => _ = fingerprint.part(b"id").part(id.as_bytes()),
            Same::Signed { timestamp, id, requested, spelling } => {
                for part in [timestamp, id] {
                    fingerprint.part(part.as_deref().unwrap_or_default().as_bytes());
                }
                requested.iter().for_each(|requested| requested.add_to(fingerprint, *spelling));
                // Another body with the same signed text is no other event.
                if self.template.as_ref().is_ok_and(|template| template.has(&Part::Body)) {
                    fingerprint.part(&message.body);
                }
            }
        }
        message.others.iter().for_each(|other| _ = fingerprint.part(other));
    }

    fn claims(&self, message: Message, _: UnixTime) -> Result<C, Reason> {
        C::from_body(&message.body)
    }

    fn describe(&self, call: &Call, facts: &mut Facts) {
        facts.add("body", format_args!("{} bytes", call.body.len()));
        facts.add("signatures", call.tags.len());
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
        self.signatures.check_key(Self::NAME, key, self.secret_format)
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
        let has_none = !head.headers.contains_key(CONTENT_TYPE);
        let wanted = match &self.content_types {
            Some(_) if self.optional_body && may_be_empty && has_none => None,
            wanted => wanted.as_deref(),
        };
        check_contents(&head.headers, wanted)
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
