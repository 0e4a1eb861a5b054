//! What is answered to a challenge.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::keys::Secret;
use crate::query::Query;
use crate::rejection::{Reason, seal};
use crate::store::{StoreError, StoreFuture};
use crate::text::base64::encode_base64;
use crate::text::headers::once_text;

/// In bytes, of what is sent back or signed.
const LONGEST: usize = 512;

type Accept = dyn Fn(&Parts, Secret) -> StoreFuture<Result<bool, StoreError>> + Send + Sync;

pub(super) enum Kind {
    Found,
    Echo(&'static str),
    /// `value` is the digest of what the token has to be.
    EchoIf {
        token: &'static str,
        value: [u8; 32],
        challenge: &'static str,
    },
    HeaderAsJson {
        header: HeaderName,
        member: &'static str,
    },
    Hmac {
        parameter: &'static str,
        key: Secret,
        member: &'static str,
        prefix: &'static str,
    },
    Handshake {
        header: HeaderName,
        accept: Box<Accept>,
    },
}

/// What becomes of a request.
pub(super) enum Verdict {
    NoChallenge,
    Answer(Response<Bytes>),
    /// The application decides whether to take the key that the header holds.
    Asked {
        accepted: StoreFuture<Result<bool, StoreError>>,
        header: (HeaderName, HeaderValue),
    },
}

impl Kind {
    pub(super) fn verdict(&self, head: &Parts) -> Verdict {
        let is_get = head.method == Method::GET;
        match self {
            Self::Found if is_get || head.method == Method::HEAD => Verdict::Answer(text("")),
            Self::Handshake { header, accept } if head.method == Method::POST => handshake(head, header, accept),
            Self::Found | Self::Handshake { .. } => Verdict::NoChallenge,
            _ if !is_get => Verdict::NoChallenge,
            Self::Echo(name) => answer(parameter(head, name), text),
            Self::EchoIf { token, value, challenge } => {
                let Ok(given) = parameter(head, token) else { return Verdict::Answer(empty(StatusCode::BAD_REQUEST)) };
                match given {
                    None => Verdict::NoChallenge,
                    Some(given) if bool::from(digest(given.as_bytes()).ct_eq(value)) => {
                        answer(parameter(head, challenge), text)
                    }
                    Some(_) => Verdict::Answer(empty(StatusCode::FORBIDDEN)),
                }
            }
            Self::HeaderAsJson { header, member } => {
                let value = once_text(&head.headers, header, "is not ASCII text");
                answer(value.map(|value| value.map(str::to_owned)), |value| json(member, value))
            }
            Self::Hmac { parameter: name, key, member, prefix } => match parameter(head, name) {
                Ok(Some(token)) if !is_harmless(&token) => Verdict::Answer(empty(StatusCode::BAD_REQUEST)),
                token => answer(token, |token| json(member, &format!("{prefix}{}", hmac(key, token)))),
            },
        }
    }
}

/// The application's decision.
pub(super) fn decided(
    accepted: &Result<bool, StoreError>,
    (name, value): (HeaderName, HeaderValue),
) -> Response<Bytes> {
    match accepted {
        Ok(true) => {
            let mut answer = text("");
            answer.headers_mut().insert(name, value);
            answer
        }
        Ok(false) => empty(StatusCode::FORBIDDEN),
        Err(error) => {
            crate::observe::store_failed("challenge", error);
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// Of a fixed length, so that the time of a comparison says nothing of the secret's.
pub(super) fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn handshake(head: &Parts, header: &HeaderName, accept: &Accept) -> Verdict {
    match once_text(&head.headers, header, "is not ASCII text") {
        Ok(None) => Verdict::NoChallenge,
        Ok(Some(value)) if is_visible(value) && !value.contains(' ') => {
            let mut echoed = HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""));
            echoed.set_sensitive(true);
            Verdict::Asked { accepted: accept(head, Secret::new(value)), header: (header.clone(), echoed) }
        }
        _ => Verdict::Answer(empty(StatusCode::BAD_REQUEST)),
    }
}

fn parameter(head: &Parts, name: &str) -> Result<Option<String>, Reason> {
    Ok(Query::of(&head.uri).value(name)?.map(Into::into))
}

fn answer(value: Result<Option<String>, Reason>, make: impl Fn(&str) -> Response<Bytes>) -> Verdict {
    match value {
        Ok(None) => Verdict::NoChallenge,
        Ok(Some(value)) if is_visible(&value) => Verdict::Answer(make(&value)),
        _ => Verdict::Answer(empty(StatusCode::BAD_REQUEST)),
    }
}

fn is_visible(value: &str) -> bool {
    (1..=LONGEST).contains(&value.len()) && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// Whether it can be no message: neither JSON of any kind, nor anything with a separator in it.
fn is_harmless(token: &str) -> bool {
    let end = token.trim_end_matches('=');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(token).is_ok();
    token.len() - end.len() <= 2 && !end.is_empty() && end.bytes().all(is_plain) && !is_json
}

fn hmac(key: &Secret, text: &str) -> String {
    // HMAC takes a key of any length.
    let mac = Hmac::<Sha256>::new_from_slice(key.expose());
    mac.map(|mac| encode_base64(&mac.chain_update(text).finalize().into_bytes())).unwrap_or_default()
}

fn text(text: &str) -> Response<Bytes> {
    written("text/plain; charset=utf-8", text.to_owned())
}

fn json(member: &str, value: &str) -> Response<Bytes> {
    written("application/json", serde_json::json!({ member: value }).to_string())
}

fn written(content_type: &'static str, text: String) -> Response<Bytes> {
    let mut answer = empty(StatusCode::OK);
    if !text.is_empty() {
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        *answer.body_mut() = text.into();
    }
    answer
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::default();
    *answer.status_mut() = status;
    answer.headers_mut().insert(http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    seal(answer.headers_mut());
    answer
}
