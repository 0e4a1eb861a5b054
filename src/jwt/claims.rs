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
pub(super) fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Registered {
    pub(super) fn of(message: &Message) -> Result<Self, Reason> {
        let Wire { exp, nbf, iat, aud, others } = json::object(message.payload(), &[""; 0])?;
        let date = |name, value: Option<Value>| value.map(|value| numeric_date(name, &value)).transpose();
        Ok(Self { exp: date("exp", exp)?, nbf: date("nbf", nbf)?, iat: date("iat", iat)?, aud, others })
    }

    /// A claim that must be there, and not null; and text, where RFC 7519, 4.1 says so.
    pub(super) fn require(&self, claim: &str) -> Result<(), Reason> {
        let missing = || Reason::MissingClaim(claim.to_owned().into());
        let given = match claim {
            "exp" => return self.exp.map(drop).ok_or_else(missing),
            "nbf" => return self.nbf.map(drop).ok_or_else(missing),
            "iat" => return self.iat.map(drop).ok_or_else(missing),
            "aud" => self.aud.as_ref(),
            other => self.others.get(other),
        };
        match given {
            None | Some(Value::Null) => Err(missing()),
            Some(value) if matches!(claim, "iss" | "sub" | "jti") && !value.is_string() => {
                Err(Reason::BadClaim(claim.to_owned().into(), "is not a string"))
            }
            Some(_) => Ok(()),
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

/// A JSON number of seconds since the epoch. What [`UnixTime`] cannot tell is pinned to its end: partners write 9999999999,
/// in the year 2286, for "never".
fn numeric_date(name: &'static str, value: &Value) -> Result<UnixTime, Reason> {
    /// The last second of the year 9999: what is further away is no time, but milliseconds or a mistake.
    const FURTHEST: f64 = 253_402_300_799.0;
    let bad = |what| Reason::BadClaim(Cow::Borrowed(name), what);
    let Value::Number(number) = value else { return Err(bad("is not a number")) };
    if number.as_f64().is_none_or(|seconds| seconds.abs() > FURTHEST) {
        return Err(bad("is out of range"));
    }
    seconds(number).ok_or_else(|| bad("is not a number"))
}

fn seconds(number: &Number) -> Option<UnixTime> {
    match number.as_u64() {
        Some(seconds) => Some(UnixTime::from_secs(seconds)),
        None => UnixTime::from_secs_f64(number.as_f64()?),
    }
}
