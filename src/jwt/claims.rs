use serde_json::Value;

use std::borrow::Cow;

use crate::clock::UnixTime;
use crate::rejection::Reason;
use crate::text::json::{Field, Object};

/// The claims of RFC 7519 that decide when a token is accepted.
#[derive(Default)]
pub(super) struct Registered {
    pub(super) exp: Option<UnixTime>,
    pub(super) nbf: Option<UnixTime>,
    pub(super) iat: Option<UnixTime>,
}

/// Whether a claim binds a token to a request or to its sender. A sign-in token has none of them.
///
/// `htm`, `htu`, `ath`: DPoP (RFC 9449, 4.2). `cnf`: proof of possession (RFC 7800, 3.1). `qsh`: Atlassian Connect's
/// query string hash. `bodyHash`: Fireblocks. `request_body_sha256`: Plaid. `payload_hash`: Vonage and MessageBird.
/// `url_hash`: MessageBird.
fn is_binding(claim: &str) -> bool {
    // A pattern, which the compiler tells apart by its length.
    matches!(
        claim,
        "ath" | "bodyHash" | "cnf" | "htm" | "htu" | "payload_hash" | "qsh" | "request_body_sha256" | "url_hash"
    )
}

/// Refuses the first one present, whatever its value, unless the layer or the application checks it.
pub(super) fn refuse_binding(
    payload: &Object<'_>,
    checked: Option<&str>,
    unchecked: &[Cow<'static, str>],
) -> Result<(), Reason> {
    let is_checked = |claim: &str| checked == Some(claim) || unchecked.iter().any(|unchecked| unchecked == claim);
    match payload.fields().map(|(claim, _)| claim).find(|claim| is_binding(claim) && !is_checked(claim)) {
        Some(claim) => {
            Err(Reason::BadClaim(claim.to_owned().into(), "binds the token to a request or a key, which nobody checks"))
        }
        None => Ok(()),
    }
}

impl Registered {
    pub(super) fn of(payload: &Object<'_>) -> Result<Self, Reason> {
        let mut registered = Self::default();
        for (name, field) in payload.fields() {
            match name {
                "exp" => registered.exp = Some(numeric_date("exp", field)?),
                "nbf" => registered.nbf = Some(numeric_date("nbf", field)?),
                "iat" => registered.iat = Some(numeric_date("iat", field)?),
                _ => {}
            }
        }
        Ok(registered)
    }
}

/// A claim that must be present and not null, and a string where RFC 7519, 4.1 demands one.
pub(super) fn require(payload: &Object<'_>, claim: &str) -> Result<(), Reason> {
    if payload.lacks(claim) {
        return Err(Reason::MissingClaim(claim.to_owned().into()));
    }
    if matches!(claim, "iss" | "sub" | "jti") && payload.text(claim).is_none() {
        return Err(Reason::BadClaim(claim.to_owned().into(), "is not a string"));
    }
    Ok(())
}

/// `iss` is exactly this string (RFC 7519, 4.1.1).
pub(super) fn check_issuer(payload: &Object<'_>, issuer: &str) -> Result<(), Reason> {
    match payload.get("iss") {
        None => Err(Reason::MissingClaim("iss".into())),
        Some(Value::String(named)) if named == issuer => Ok(()),
        Some(_) => Err(Reason::BadClaim("iss".into(), "is not the issuer that the layer requires: see `issuer`")),
    }
}

/// A claim that must be there and be text that says something.
pub(super) fn text(payload: &Object<'_>, claim: &str) -> Result<String, Reason> {
    match payload.get(claim) {
        None | Some(Value::Null) => Err(Reason::MissingClaim(claim.to_owned().into())),
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(Reason::BadClaim(claim.to_owned().into(), "is not a string, or is empty")),
    }
}

/// `aud` is a string, or a list of strings that contains ours.
pub(super) fn check_audience(payload: &Object<'_>, ours: &str) -> Result<(), Reason> {
    let mistyped = || Reason::BadClaim("aud".into(), "is not a string or a list of strings");
    if let Some(aud) = payload.text("aud") {
        return if aud == ours { Ok(()) } else { Err(Reason::WrongAudience) };
    }
    match payload.get("aud") {
        None => Err(Reason::MissingClaim("aud".into())),
        Some(Value::Array(list)) => {
            let names: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            if names.ok_or_else(mistyped)?.contains(&ours) { Ok(()) } else { Err(Reason::WrongAudience) }
        }
        Some(_) => Err(mistyped()),
    }
}

/// As [`check_audience`]. If the token says for which party it was made, among the others of `aud`, that is ours
/// (OpenID Connect Core 1.0, 3.1.3.7).
pub(super) fn check_party(payload: &Object<'_>, ours: &str) -> Result<(), Reason> {
    check_audience(payload, ours)?;
    match payload.get("azp") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(party)) if party == ours => Ok(()),
        Some(_) => Err(Reason::WrongAudience),
    }
}

/// A JSON number of seconds since the epoch. A time beyond [`UnixTime`]'s range becomes its end: partners write
/// 9999999999, in the year 2286, for "never".
fn numeric_date(name: &'static str, field: Field<'_>) -> Result<UnixTime, Reason> {
    /// The last second of the year 9999. A later value is a mistake, or milliseconds.
    const FURTHEST: f64 = 253_402_300_799.0;
    let bad = |what| Reason::BadClaim(Cow::Borrowed(name), what);
    let seconds: f64 = field.read().ok_or_else(|| bad("is not a number"))?;
    if seconds.abs() > FURTHEST {
        return Err(bad("is out of range: write it in seconds, not in milliseconds"));
    }
    UnixTime::from_secs_f64(seconds).ok_or_else(|| bad("is not a number"))
}
