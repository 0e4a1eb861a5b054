//! What is special about the signed webhook form.

mod calls;
mod challenges;
mod duplicates;
mod events;
mod json;
mod leases;
mod public_key;
mod requests;
mod spellings;
mod times;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::Builder;
use tower_sso::body::LayerBody;
use tower_sso::clock::ManualClock;
use tower_sso::keys::Secret;
use tower_sso::providers::tutorcruncher::{self, CompanySignup};
use tower_sso::replay::MemoryReplay;
use tower_sso::sign::{SignedCall, SigningWebhook};
use tower_sso::tenant::Tenant;
use tower_sso::webhook::{self, Digest, Encoding, EventId, JsonBody, RawBody, Webhook};

use crate::support::subject::{FernetSubject, Subject, refused};
use crate::support::{Answer, App, NOW, Request_, clock, outcome, reason, replay, secs, seen};

const SECRET: &str = "whsec-shared";
const JSON: &str = r#"{"a": "Pr\u00fcfung"}"#;

fn layer() -> Builder<Webhook<Value>> {
    webhook::layer().secrets([SECRET]).replay(replay()).handler_remembers().clock(clock())
}

fn signer() -> SigningWebhook {
    SigningWebhook::new(Secret::new(SECRET))
}

fn request(call: SignedCall) -> Request_ {
    call.request("/hook").map(|body| Full::new(Bytes::from(body)))
}

fn with(mut request: Request_, name: &'static str, value: &str) -> Request_ {
    request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    request
}

async fn send(request: Request_) -> Answer {
    App::new(layer().build().unwrap()).send(request).await
}

#[tokio::test]
async fn the_inner_service_gets_the_very_same_bytes() {
    for body in [JSON.to_owned(), format!("\n\t {JSON}\r\n "), format!("{{\"a\":\"{}\"}}", "ü".repeat(20_000))] {
        let answer = send(request(signer().sign(body.clone()))).await;
        assert_eq!(outcome(&answer), "ok");
        assert_eq!(seen(&answer).body, body);
    }
}

#[tokio::test]
async fn the_signature_has_one_place_and_one_length() {
    let good = || request(signer().sign(JSON));
    let signature = good().headers()["webhook-signature"].to_str().unwrap().to_owned();
    let with_signature = |value: &str| with(good(), "webhook-signature", value);
    let mut twice = good();
    twice.headers_mut().append("webhook-signature", HeaderValue::from_str(&signature).unwrap());
    let mut none = good();
    none.headers_mut().remove("webhook-signature");
    for (request, expected, why) in [
        (good(), "ok", "as it is"),
        (with_signature(&signature.to_uppercase()), "ok", "upper case"),
        (with_signature(&format!("sha256={signature}")), "malformed", "a prefix that is not configured"),
        (with_signature(&signature[..63]), "malformed", "cut short"),
        (with_signature(&signature[..32]), "malformed", "half a MAC"),
        (with_signature(&format!("{signature}00")), "malformed", "too long"),
        (with_signature(&format!("{signature}, {signature}")), "malformed", "a list"),
        (with_signature(&format!("{signature}\u{a0}")), "malformed", "not ASCII"),
        (with_signature(""), "malformed", "empty"),
        (twice, "duplicate_parameter", "twice"),
        (none, "missing_signature", "not there"),
        (with_signature(&"0".repeat(64)), "bad_signature", "wrong"),
        (with(good(), "content-type", "application/json; charset=utf-8"), "ok", "a parameter"),
        (with(good(), "content-type", "Application/JSON ;x=y"), "ok", "case"),
        (with(good(), "content-type", "application/jsonx"), "content_type", "another type"),
        (with(good(), "content-type", "text/plain"), "content_type", "another type"),
        (with(good(), "content-type", ""), "content_type", "an empty type"),
        (with(good(), "content-encoding", "identity"), "ok", "no encoding"),
        (with(good(), "content-encoding", "gzip"), "content_encoding", "compressed"),
        (with(good(), "content-encoding", "identity, gzip"), "content_encoding", "compressed"),
        (with(good(), "content-digest", "sha-256=:AAAA:"), "ok", "another body's digest: nobody signed it"),
        (request(signer().sign("")), "malformed", "an empty body"),
        (request(signer().sign("[]")), "bad_payload", "not an object"),
        (request(signer().sign(r#"{"a":1,"a":2}"#)), "bad_payload", "a name twice"),
        (request(signer().sign("{} ")), "ok", "white space after it"),
    ] {
        let answer = send(request).await;
        assert_eq!(reason(&answer), expected, "{why}");
        assert!(answer.status().as_u16() < 500, "{why}");
    }
    let mut two_types = good();
    two_types.headers_mut().append("content-type", HeaderValue::from_static("application/json"));
    assert_eq!(reason(&send(two_types).await), "content_type", "which of them?");
    let mut untyped = good();
    untyped.headers_mut().remove("content-type");
    assert_eq!(outcome(&send(untyped).await), "unsupported_media_type");
}

#[tokio::test]
async fn content_is_not_judged_before_the_signature_is() {
    let mut bad = request(signer().sign(r#"{"a":1,"a":2}"#));
    bad.headers_mut().insert("webhook-signature", HeaderValue::from_str(&"0".repeat(64)).unwrap());
    assert_eq!(reason(&send(bad).await), "bad_signature");
}

/// A body of one frame for each chunk, of unknown length.
fn chunked(
    request: Request_,
    size: usize,
) -> Request<StreamBody<impl futures::Stream<Item = Result<Frame<Bytes>, std::io::Error>>>> {
    let (head, body) = request.into_parts();
    let bytes = futures::executor::block_on(body.collect()).unwrap().to_bytes();
    let chunks: Vec<_> = bytes.chunks(size).map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk)))).collect();
    Request::from_parts(head, StreamBody::new(futures::stream::iter(chunks)))
}

#[tokio::test]
async fn a_chunked_body_of_64_kib_is_read_and_one_byte_more_is_not() {
    let body = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length - 8));
    for chunk in [1_000, 1 << 16, 1 << 20] {
        for (length, expected) in [(64 * 1024, StatusCode::OK), (64 * 1024 + 1, StatusCode::PAYLOAD_TOO_LARGE)] {
            let inner = service_fn(|request: Request<LayerBody<_>>| async move {
                let body: Bytes = BodyExt::collect(request.into_body()).await.unwrap().to_bytes();
                Ok::<_, std::io::Error>(http::Response::new(Full::new(body)))
            });
            let service = layer().build().unwrap().layer(inner);
            let text = body(length);
            let request = chunked(request(signer().sign(text.clone())), chunk);
            let response = service.oneshot(request).await.unwrap();
            assert_eq!(response.status(), expected, "{length} bytes in chunks of {chunk}");
            if expected == StatusCode::OK {
                assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), text);
            }
        }
    }
}

/// A body that says how long it is, and must not be read.
struct Unread(u64);

impl http_body::Body for Unread {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        panic!("it was read")
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0)
    }
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_not_read() {
    let inner = service_fn(|_: Request<LayerBody<Unread>>| async {
        Ok::<_, std::io::Error>(http::Response::new(Full::<Bytes>::default()))
    });
    let (head, _) = request(signer().sign(JSON)).into_parts();
    let request = Request::from_parts(head, Unread(64 * 1024 + 1));
    let answer = layer().build().unwrap().layer(inner).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn trailers_are_not_signed_and_do_not_go_on() {
    let (head, _) = request(signer().sign(JSON)).into_parts();
    let trailers = http::HeaderMap::from_iter([(HeaderName::from_static("x"), HeaderValue::from_static("y"))]);
    let frames = [Ok(Frame::data(Bytes::from_static(JSON.as_bytes()))), Ok(Frame::trailers(trailers))];
    let body = StreamBody::new(futures::stream::iter(frames.map(|frame: Result<_, std::io::Error>| frame)));
    let inner = service_fn(|request: Request<LayerBody<_>>| async move {
        let body = BodyExt::collect(request.into_body()).await?;
        assert!(body.trailers().is_none());
        Ok::<_, std::io::Error>(http::Response::new(Full::new(body.to_bytes())))
    });
    let answer = layer().build().unwrap().layer(inner).oneshot(Request::from_parts(head, body)).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), JSON);
}

/// Lists and scalars have no field names to check; the refusal says which type accepts them.
#[tokio::test]
async fn a_list_is_refused_with_the_way_round() {
    for body in ["[]", " [{\"a\":1}]", "1", "null", "\"{}\""] {
        let answer = App::new(layer().build().unwrap()).send(request(signer().sign(body))).await;
        let rejection = answer.extensions().get::<tower_sso::rejection::Rejection>().unwrap().to_string();
        assert_eq!(outcome(&answer), "rejected_claims", "{body}");
        assert!(rejection.contains("JsonBody"), "{body}: {rejection}");
        let raw = webhook::layer::<JsonBody<Value>>().secrets([SECRET]).replay(replay()).handler_remembers();
        let answer = App::new(raw.build().unwrap()).send(request(signer().sign(body))).await;
        assert_eq!(outcome(&answer), "ok", "{body}");
    }
    let answer = App::new(layer().build().unwrap()).send(request(signer().sign("{\"a\":1,\"a\":2}"))).await;
    let rejection = answer.extensions().get::<tower_sso::rejection::Rejection>().unwrap().to_string();
    assert!(!rejection.contains("JsonBody"), "an object is no list: {rejection}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_given_up() {
    let stalled = StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
    let broken = StreamBody::new(futures::stream::iter([Err::<Frame<Bytes>, _>(std::io::Error::other("reset"))]));
    let inner = service_fn(|_: Request<LayerBody<_>>| async {
        Ok::<_, std::io::Error>(http::Response::new(Full::<Bytes>::default()))
    });
    let (head, _) = request(signer().sign(JSON)).into_parts();
    let response =
        layer().build().unwrap().layer(inner).oneshot(Request::from_parts(head.clone(), stalled)).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    let inner = service_fn(|_: Request<LayerBody<_>>| async {
        Ok::<_, std::io::Error>(http::Response::new(Full::<Bytes>::default()))
    });
    let response = layer().build().unwrap().layer(inner).oneshot(Request::from_parts(head, broken)).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn other_senders_digests_encodings_and_prefixes() {
    for digest in [Digest::Sha1, Digest::Sha256, Digest::Sha512] {
        for encoding in [Encoding::Hex, Encoding::Base64] {
            for prefix in ["", "sha=", "v1,"] {
                let header = HeaderName::from_static("x-hub-signature");
                let layer = layer().digest(digest).encoding(encoding).prefix(prefix).signature_header(header.clone());
                let app = App::new(layer.build().unwrap());
                let signer = signer().digest(digest).encoding(encoding).prefix(prefix).header(header);
                let good = request(signer.sign(JSON));
                let signature = good.headers()["x-hub-signature"].to_str().unwrap().to_owned();
                let mut bare = good.clone();
                bare.headers_mut().insert("x-hub-signature", signature[prefix.len()..].parse().unwrap());
                if !prefix.is_empty() {
                    assert_eq!(
                        outcome(&app.send(bare).await),
                        "malformed",
                        "{digest:?} {encoding:?} without {prefix:?}"
                    );
                }
                if encoding == Encoding::Base64 {
                    let mut unpadded = good.clone();
                    unpadded.headers_mut().insert("x-hub-signature", signature.trim_end_matches('=').parse().unwrap());
                    assert_eq!(outcome(&app.send(unpadded).await), "malformed", "{digest:?} without padding");
                }
                assert_eq!(outcome(&app.send(good).await), "ok", "{digest:?} {encoding:?} {prefix:?}");
            }
        }
    }
}

/// `v0=…` over id, timestamp and body.
fn stamped(id: &str, timestamp: &str, body: &str) -> Request_ {
    let signature =
        signer().prefix("v0=").signature(&[b"v0:", id.as_bytes(), b":", timestamp.as_bytes(), b":", body.as_bytes()]);
    let request = with(request(signer().sign(body)), "webhook-signature", &signature);
    with(with(request, "x-id", id), "x-time", timestamp)
}

fn stamped_layer(time: ManualClock) -> Builder<Webhook<Value>> {
    layer()
        .clock(time)
        .prefix("v0=")
        .signed("v0:{id}:{timestamp}:{body}")
        .id_header(HeaderName::from_static("x-id"))
        .timestamp_header(HeaderName::from_static("x-time"))
        .max_age(secs(300))
        .clock_skew(secs(60))
}

#[tokio::test]
async fn a_signed_timestamp_is_held_to_its_window() {
    let now = NOW.to_string();
    let mut unnamed = stamped("a", &now, JSON);
    unnamed.headers_mut().remove("x-id");
    let mut untimed = stamped("a", &now, JSON);
    untimed.headers_mut().remove("x-time");
    for (request, expected, why) in [
        (stamped("a", &now, JSON), "ok", "now"),
        (stamped("a", &(NOW - 300).to_string(), JSON), "ok", "as old as it may be"),
        (stamped("a", &(NOW - 301).to_string(), JSON), "expired", "older"),
        (stamped("a", &(NOW + 60).to_string(), JSON), "ok", "as far ahead as it may be"),
        (stamped("a", &(NOW + 61).to_string(), JSON), "not_yet_valid", "further"),
        (stamped("a", &u64::MAX.to_string(), JSON), "not_yet_valid", "far ahead"),
        (stamped("a", "99999999999999999999999", JSON), "malformed", "no number of 64 bits"),
        (stamped("a", &format!("0{now}"), JSON), "malformed", "a leading zero"),
        (stamped("a", &format!("+{now}"), JSON), "malformed", "a sign"),
        (stamped("a", &format!("{now}.5"), JSON), "malformed", "a fraction"),
        (stamped("a", "1.7e9", JSON), "malformed", "an exponent"),
        (stamped("a", "", JSON), "malformed", "empty"),
        (with(stamped("a", &now, JSON), "x-time", &(NOW + 1).to_string()), "bad_signature", "another time"),
        (with(stamped("a", &now, JSON), "x-id", "b"), "bad_signature", "another name"),
        (stamped("a:1", &now, JSON), "malformed", "a name with a separator in it"),
        (stamped("", &now, JSON), "malformed", "an empty name"),
        (unnamed, "missing_parameter", "no name"),
        (untimed, "missing_parameter", "no time"),
    ] {
        let app = App::new(stamped_layer(clock()).build().unwrap());
        assert_eq!(reason(&app.send(request).await), expected, "{why}");
    }
}

#[tokio::test]
async fn any_bytes_can_be_signed() {
    let app = App::new(
        webhook::layer::<RawBody>()
            .any_content_type()
            .handler_remembers()
            .secrets([SECRET])
            .replay(replay())
            .build()
            .unwrap(),
    );
    let body = Bytes::from_static(b"\xff\0\xfe");
    let signature = signer().signature(&[&body]);
    let request = Request::post("/").header("webhook-signature", signature).body(Full::new(body.clone())).unwrap();
    let answer = app.send(request).await;
    assert_eq!((outcome(&answer), &seen(&answer).body), ("ok", &body));
}

#[tokio::test]
async fn a_company_signs_up_only_with_a_key_that_is_one() {
    let app =
        App::new(tutorcruncher::sign_up([SECRET]).replay(replay()).handler_remembers().clock(clock()).build().unwrap());
    let key = String::from_utf8(FernetSubject::key(0).expose().to_vec()).unwrap();
    let call = |id: &str, key: &str| {
        let body = format!(
            r#"{{"company_id": {id}, "fernet_key": "{key}", "admin_email": "a@example.com", "admin_name": "Ada", "company_name": "Dino", "new": 1}}"#
        );
        request(signer().sign(body))
    };
    for (request, expected, why) in [
        (call("4321", &key), "ok", "as documented, and a field more"),
        (call("\"4321\"", &key), "bad_payload", "a company that is text"),
        (call("4321.5", &key), "bad_payload", "half a company"),
        (call("4321", &key[..43]), "bad_payload", "43 characters"),
        (call("4321", &key.replace('=', "A")), "bad_payload", "33 bytes"),
        (call("4321", &key.replace("-c=", "-d=")), "bad_payload", "not canonical"),
        (request(signer().sign(r#"{"company_id": 1}"#)), "bad_payload", "fields missing"),
    ] {
        assert_eq!(reason(&app.send(request).await), expected, "{why}");
    }
    fn has_claims(_: &Webhook<CompanySignup>) {}
    let _ = has_claims;
}

#[test]
fn unsafe_settings_do_not_build() {
    let time = HeaderName::from_static("x-time");
    let bare = || webhook::layer::<Value>().secrets([SECRET]).replay(MemoryReplay::new());
    let start = || bare().handler_remembers();
    for (built, expected) in [
        (webhook::layer::<Value>().secrets([SECRET]).build(), "no replay store"),
        (start().secrets([" "]).build(), "is blank"),
        (start().signed("{timestamp}.{body}").build(), "timestamp_header"),
        (start().timestamp_header(time.clone()).build(), "anyone could change it"),
        (
            start().signed("{id}{timestamp}{body}").id_header(time.clone()).timestamp_header(time.clone()).build(),
            "cut in two ways",
        ),
        (start().timestamp_element("t=").signed("{timestamp}.{body}").build(), "needs a `separator`"),
        (start().event_id(EventId::Header).build(), "name it with `id_header`"),
        (start().signature_headers([]).build(), "are none"),
        (start().danger_every_delivery().event_id(EventId::field("id")).build(), "leaves nothing to recognise"),
        (start().signed("{timestamp}").timestamp_header(time.clone()).build(), "has no {body}"),
        (start().lease(secs(0)).build(), "lease"),
        (start().danger_remember_for(secs(0)).build(), "danger_remember_for"),
        (
            start().signed("{timestamp}.{body}").timestamp_header(time).danger_remember_for(secs(3_600)).build(),
            "remembered for its whole window",
        ),
        (bare().build(), "handler_remembers"),
        (start().content_type("application/json; charset=utf-8").build(), "with parameters"),
        (start().body_limit(0).build(), "body_limit"),
        (start().tenant(Tenant::host()).build(), "all tenants have the same keys"),
        (start().methods([Method::HEAD, Method::POST]).build(), "HEAD"),
    ] {
        let said = refused(built);
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
}
