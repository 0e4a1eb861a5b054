use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use smol_str::{SmolStr, ToSmolStr};

use crate::ConfigProblem;
use crate::rejection::Reason;
use crate::text::hex::encode_hex;
use crate::text::json::{self, Object, is_pointer};

/// Where a delivery has its event's id. All deliveries with one id are one event.
///
/// In the body, it is text or a whole number. A name that begins with `/` is a pointer (RFC 6901), such as `/event/id`.
///
/// ```
/// use tower_sso::webhook::{self, EventId};
///
/// let layer = webhook::layer::<serde_json::Value>().event_id(EventId::field("id"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventId {
    /// In the signed [`id_header`](crate::Builder::id_header).
    Header,
    /// In this field of the body's JSON object. An authentic delivery without it is `rejected_claims`.
    Field(Cow<'static, str>),
    /// In this field of the body's JSON object, if the delivery has one.
    FieldIfGiven(Cow<'static, str>),
    /// In each element of a list in the body: all ids together are the event's.
    Each {
        /// The field of the body's JSON object that holds the list; empty if the body is the list.
        list: Cow<'static, str>,
        /// The field of an element.
        field: Cow<'static, str>,
    },
    /// The body as a whole, for a sender without ids whose bodies say when the event happened: a retry that is signed
    /// with a new time is then known. **If two events can have one body, the second is taken for a retry.** An empty
    /// body is recognised by what was signed.
    Body,
}

impl EventId {
    /// The field of the body's JSON object that holds it. An authentic delivery without it is `rejected_claims`.
    pub fn field(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Field(name.into())
    }

    /// As [`field`](Self::field), for a sender that also sends deliveries without an id, such as tests and forms. Those
    /// are recognised by what was signed: if one is retried with a new time, it is processed again.
    pub fn field_if_given(name: impl Into<Cow<'static, str>>) -> Self {
        Self::FieldIfGiven(name.into())
    }

    /// The field that holds an id in each element of a list, for a sender that sends several events at once: deliveries
    /// with the same ids, in the same order, are the same. An event that comes in two different lists is handed on
    /// twice. If the list is empty, or one element has no id, the delivery is recognised by what was signed.
    ///
    /// ```
    /// use tower_sso::webhook::EventId;
    ///
    /// let in_the_field_events = EventId::each("events", "id"); // {"events": [{"id": "1"}, {"id": "2"}]}
    /// let in_the_list_itself = EventId::each("", "id"); // [{"id": "1"}, {"id": "2"}]
    /// ```
    pub fn each(list: impl Into<Cow<'static, str>>, field: impl Into<Cow<'static, str>>) -> Self {
        Self::Each { list: list.into(), field: field.into() }
    }

    /// Reads it in a delivery that is authentic. `None` if the delivery need not have one.
    pub(super) fn read(&self, header: Option<&SmolStr>, body: &[u8]) -> Result<Option<SmolStr>, Reason> {
        match self {
            Self::Header => Ok(Some(header.cloned().unwrap_or_default())),
            Self::Field(name) => required(body, name).map(Some),
            Self::FieldIfGiven(name) => {
                Ok(Object::read(body).ok().and_then(|object| object.at(name)).as_ref().and_then(text_of))
            }
            Self::Each { list, field } => Ok(ids_of(body, list, field)),
            Self::Body => Ok((!body.is_empty()).then(|| encode_hex(&Sha256::digest(body)).into())),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigProblem> {
        let names: &[&Cow<'static, str>] = match self {
            Self::Header | Self::Body => &[],
            Self::Field(name) | Self::FieldIfGiven(name) => &[name],
            Self::Each { list, field } => &[list, field],
        };
        match names.iter().all(|name| !name.starts_with('/') || is_pointer(name)) {
            true => Ok(()),
            false => Err(ConfigProblem::setting(
                "event_id",
                "begins with `/`, and is no pointer: write `~1` for a `/` in a name, and `~0` for a `~`",
            )),
        }
    }
}

/// What makes two deliveries one event.
#[derive(Clone)]
pub(super) struct Sameness {
    pub(super) event_id: Option<EventId>,
    /// How long after a first delivery the sender may send the same event again.
    pub(super) retried_for: Duration,
    pub(super) distinguished_by: Vec<http::HeaderName>,
}

fn required(body: &[u8], name: &str) -> Result<SmolStr, Reason> {
    match Object::read(body)?.at(name) {
        None | Some(Value::Null) => Err(Reason::MissingField(name.to_owned().into())),
        Some(value) => text_of(&value).ok_or_else(|| {
            Reason::BadPayload("has an event id that is neither text nor a whole number of 64 bits".into())
        }),
    }
}

/// Other numbers may be one and the same once they are read.
fn text_of(id: &Value) -> Option<SmolStr> {
    match id {
        Value::String(text) if !text.is_empty() => Some(text.into()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_smolstr()),
        _ => None,
    }
}

/// All ids of a list, as one text that tells where each ends.
fn ids_of(body: &[u8], list: &str, field: &str) -> Option<SmolStr> {
    let list = if list.is_empty() { json::value(body).ok() } else { Object::read(body).ok()?.at(list) };
    let list = list?;
    let elements = list.as_array().filter(|elements| !elements.is_empty())?;
    let ids: Option<Vec<Value>> =
        elements.iter().map(|element| text_of(json::at(element, field)?).map(|id| Value::from(id.as_str()))).collect();
    Some(Value::Array(ids?).to_smolstr())
}
