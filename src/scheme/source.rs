use std::borrow::Cow;

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;

use super::Place;
#[cfg(feature = "signed-parameters")]
use super::place::Kind;
use super::place::{FORM, JSON};
use crate::ConfigProblem;
use crate::form::Presence;
use crate::query::Query;
use crate::rejection::Reason;
use crate::text::headers::check_content;
use crate::text::json::Object;
use crate::text::name::shown;
use crate::text::percent::percent_encode;

/// Where signed pairs are.
///
/// ```
/// use tower_sso::scheme::{Place, Source};
///
/// // Authorization: tma user=…&auth_date=…&hash=…
/// let header = Place::header_after(http::header::AUTHORIZATION, "tma");
/// let source = Source::Value(header);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// In the query.
    #[default]
    Query,
    /// In a body of type `application/x-www-form-urlencoded`.
    Form,
    /// In a body that is one JSON object of texts and whole numbers. Their order is not known.
    Json,
    /// In one value that is itself written like a query, such as a header or a cookie.
    Value(Place),
}

impl Source {
    /// The place of the value, if it is one value.
    pub(crate) fn place(&self) -> Option<&Place> {
        if let Self::Value(place) = self { Some(place) } else { None }
    }

    /// The name of the pair that this place is, if it is one.
    #[cfg(feature = "signed-parameters")]
    pub(crate) fn pair_in<'p>(&self, place: &'p Place) -> Option<&'p str> {
        match (self, &place.0) {
            (Self::Query, Kind::Query(name)) | (Self::Form, Kind::Form(name)) | (Self::Json, Kind::Json(name)) => {
                Some(name)
            }
            _ => None,
        }
    }

    /// The type of the body that the pairs are in.
    pub(crate) fn body_type(&self) -> Option<&str> {
        match self {
            Self::Query => None,
            Self::Form => Some(FORM),
            Self::Json => Some(JSON),
            Self::Value(place) => place.body_type(),
        }
    }

    pub(crate) fn is_in_body(&self) -> bool {
        self.body_type().is_some()
    }

    pub(crate) fn check(&self, setting: &'static str) -> Result<(), ConfigProblem> {
        self.place().map_or(Ok(()), |place| place.check(setting))
    }

    /// Whether the head has the pair of this name, or the body may have it.
    pub(crate) fn presence(&self, head: &Parts, name: &str) -> Result<Presence, Reason> {
        match self {
            Self::Query => {
                let is_there = Query::of(&head.uri).raw_value(name)?.is_some();
                Ok(if is_there { Presence::InHead } else { Presence::Absent })
            }
            // Of a body, the head tells only its type.
            Self::Form => Place::form("").presence(head),
            Self::Json => Place::json("").presence(head),
            Self::Value(place) => place.presence(head),
        }
    }

    /// The pairs, written like a query.
    pub(crate) fn text<'a>(&self, head: &'a Parts, body: &'a Bytes) -> Result<Cow<'a, str>, Reason> {
        match self {
            Self::Query => Ok(head.uri.query().unwrap_or_default().into()),
            Self::Value(place) => place.required(head, body),
            Self::Form => {
                check_content(&head.headers, Some(FORM))?;
                let text = std::str::from_utf8(body);
                Ok(text.map_err(|_| Reason::Malformed("body".into(), "is not UTF-8"))?.into())
            }
            Self::Json => {
                check_content(&head.headers, Some(JSON))?;
                encoded(body).map(Cow::Owned)
            }
        }
    }
}

/// A JSON object's members as pairs.
fn encoded(body: &[u8]) -> Result<String, Reason> {
    let object = Object::read(body)
        .map_err(|_| Reason::Malformed("body".into(), "is not one JSON object without duplicate names"))?;
    let mut text = Vec::with_capacity(body.len() + body.len() / 2);
    for (name, field) in object.fields() {
        let value = match field.value() {
            Value::String(value) => value,
            Value::Number(number) if number.is_u64() || number.is_i64() => number.to_string(),
            _ => return Err(Reason::Malformed(shown(name).to_owned().into(), "is neither text nor a whole number")),
        };
        if !text.is_empty() {
            text.push(b'&');
        }
        percent_encode(name.as_bytes(), &mut text);
        text.push(b'=');
        percent_encode(value.as_bytes(), &mut text);
    }
    // Encoded text is ASCII.
    String::from_utf8(text).map_err(|_| Reason::Malformed("body".into(), "is not UTF-8"))
}
