use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::rejection::Reason;
use crate::text::json::Object;

/// Where a delivery has its event's id. All deliveries with one id are one event.
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
    /// In the body's JSON object: the text, or whole number, of this field.
    Field(Cow<'static, str>),
}

impl EventId {
    /// The field of the body's JSON object that holds it.
    pub fn field(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Field(name.into())
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

impl Sameness {
    /// The id in an authentic body.
    pub(super) fn id_in(body: &Bytes, field: &str) -> Result<String, Reason> {
        match Object::read(body)?.get(field) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            // Two others may be one and the same once they are read.
            Some(Value::Number(number)) if number.is_u64() || number.is_i64() => Ok(number.to_string()),
            None | Some(Value::Null) => Err(Reason::MissingField(field.to_owned().into())),
            Some(_) => {
                Err(Reason::BadPayload("has an event id that is neither text nor a whole number of 64 bits".into()))
            }
        }
    }
}
