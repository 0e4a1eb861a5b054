use serde::Deserialize;
use serde_json::{Map, Number, Value};

use std::borrow::Cow;

use super::token::Message;
use crate::clock::UnixTime;
use crate::json;
use crate::rejection::Reason;

/// The claims of RFC 7519 that decide whether a token is accepted.
pub(super) struct Registered {
    pub(super) exp: Option<UnixTime>,
    pub(super) nbf: Option<UnixTime>,
    pub(super) iat: Option<UnixTime>,
    aud: Option<Value>,
    others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default, deserialize_with = "present")]
    exp: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    aud: Option<Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// What is there, null included: a null date is a mistyped one, not a missing one.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Registered {
    pub(super) fn of(message: &Message) -> Result<Self, Reason> {
        let Wire { exp, nbf, iat, aud, others } = json::object(message.payload(), &[""; 0])?;
        let date = |name, value: Option<Value>| value.map(|value| numeric_date(name, &value)).transpose();
        Ok(Self { exp: date("exp", exp)?, nbf: date("nbf", nbf)?, iat: date("iat", iat)?, aud, others })
    }

    /// Whether a claim is there, and not null.
    pub(super) fn has(&self, claim: &str) -> bool {
        match claim {
            "exp" => self.exp.is_some(),
            "nbf" => self.nbf.is_some(),
            "iat" => self.iat.is_some(),
            "aud" => self.aud.is_some(),
            other => self.others.get(other).is_some_and(|value| !value.is_null()),
        }
    }

    /// `aud` is a string, or a list of strings that has ours.
    pub(super) fn check_audience(&self, ours: &str) -> Result<(), Reason> {
        let mistyped = || Reason::BadClaim("aud".into(), "is not a string or a list of strings");
        match &self.aud {
            None => Err(Reason::MissingClaim("aud".into())),
            Some(Value::String(aud)) if aud == ours => Ok(()),
            Some(Value::String(_)) => Err(Reason::WrongAudience),
            Some(Value::Array(list)) => {
                let names: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
                if names.ok_or_else(mistyped)?.contains(&ours) { Ok(()) } else { Err(Reason::WrongAudience) }
            }
            Some(_) => Err(mistyped()),
        }
    }
}

/// A JSON number of seconds since the epoch, within the years that can be told.
fn numeric_date(name: &'static str, value: &Value) -> Result<UnixTime, Reason> {
    let bad = |what| Reason::BadClaim(Cow::Borrowed(name), what);
    let Value::Number(number) = value else { return Err(bad("is not a number")) };
    let time = seconds(number).ok_or_else(|| bad("is not a number"))?;
    if time == UnixTime::MAX || time <= UnixTime::MIN { Err(bad("is out of range")) } else { Ok(time) }
}

fn seconds(number: &Number) -> Option<UnixTime> {
    match number.as_u64() {
        Some(seconds) => Some(UnixTime::from_secs(seconds)),
        None => UnixTime::from_secs_f64(number.as_f64()?),
    }
}
