use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::rejection::{Reason, Rejection};

use crate::Reply;
use crate::forms::{BAD_PAYLOAD, MISSING_FIELD};

pub(crate) fn json(status: StatusCode, body: &Value) -> Reply {
    written(status, body).map(Full::new)
}

pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}

pub(crate) fn refused(status: StatusCode, error: &str) -> Reply {
    json(status, &json!({"ok": false, "error": error}))
}

/// The responder of every layer. It reveals the precise reason, which no production server should.
pub(crate) fn refusal(rejection: &Rejection, _: &Parts) -> Response<Bytes> {
    let error = word(rejection.reason());
    let status = match error {
        "missing_signature" => StatusCode::UNAUTHORIZED,
        _ => rejection.code().status(),
    };
    written(status, &json!({"ok": false, "error": error}))
}

/// The driver's word for a reason.
fn word(reason: &Reason) -> &str {
    match reason {
        Reason::BeforeCutoff | Reason::Forgotten => "replayed",
        Reason::IncompleteBody(_) | Reason::MissingParameter(_) => "malformed",
        Reason::RefusedByApplication(what) if what == MISSING_FIELD => MISSING_FIELD,
        Reason::RefusedByApplication(_) => BAD_PAYLOAD,
        other => other.as_str(),
    }
}

fn written(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
