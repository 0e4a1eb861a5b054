//! The rows of the signed webhook form that are its own.
#![cfg(all(
    feature = "fernet",
    feature = "jwt",
    feature = "timestamp-hash",
    feature = "webhook",
    feature = "moka",
    feature = "sign"
))]

mod support;

use bytes::Bytes;
use futures::future::join_all;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::Value;
use support::subject::{FernetSubject, Subject, refused};
use support::{App, NOW, Request_, clock, outcome, reason, replay, secs, seen};
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::body::LayerBody;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::config::Builder;
use tower_sso::keys::Secret;
use tower_sso::providers::tutorcruncher::{self, CompanySignup};
use tower_sso::replay::MemoryReplay;
use tower_sso::sign::{SignedCall, SigningWebhook};
use tower_sso::webhook::{self, Digest, Encoding, RawBody, Webhook};

const SECRET: &str = "whsec-shared";
const JSON: &str = r#"{"a": "Pr\u00fcfung"}"#;

fn layer() -> Builder<Webhook<Value>> {
    webhook::layer().secrets([SECRET]).replay(replay()).clock(clock())
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

async fn send(request: Request_) -> support::Answer {
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
        (request(signer().sign("")), "malformed", "an empty body"),
        (request(signer().sign("[]")), "bad_payload", "not an object"),
        (request(signer().sign(r#"{"a":1,"a":2}"#)), "bad_payload", "a name twice"),
        (request(signer().sign("{} ")), "ok", "white space after it"),
    ] {
        let answer = send(request).await;
        assert_eq!(reason(&answer), expected, "{why}");
        assert!(answer.status().as_u16() < 500, "{why}");
    }
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
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let inner = service_fn(|_: Request<LayerBody<_>>| async {
        Ok::<_, std::io::Error>(http::Response::new(Full::<Bytes>::default()))
    });
    let response = layer().build().unwrap().layer(inner).oneshot(Request::from_parts(head, broken)).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_acknowledged_at_any_age_and_changes_nothing() {
    let time = clock();
    let app = App::new(layer().clock(time.clone()).build().unwrap());
    let call = request(signer().sign(JSON));
    assert_eq!(app.send(call.clone()).await.status(), StatusCode::OK);
    for years in 1..=50 {
        time.advance(secs(365 * 24 * 3_600));
        let answer = app.send(call.clone()).await;
        assert_eq!(answer.status(), StatusCode::OK, "after {years} years");
        assert!(answer.body().is_empty());
    }
    assert_eq!(app.inner.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_not_carried_out_may_come_again() {
    for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE, StatusCode::CONFLICT] {
        let app = App::new(layer().build().unwrap());
        let call = request(signer().sign(JSON));
        app.inner.answer_with(status);
        for _ in 0..2 {
            let answer = app.send(call.clone()).await;
            assert_eq!(answer.status(), status);
            assert!(answer.extensions().get::<tower_sso::rejection::Rejection>().is_none(), "the handler's own answer");
        }
        app.inner.answer_with(StatusCode::OK);
        assert_eq!(app.send(call.clone()).await.status(), StatusCode::OK);
        assert_eq!(app.inner.calls(), 3);
        app.send(call).await;
        assert_eq!(app.inner.calls(), 3, "now it was carried out");
    }
}

/// An inner service that works until it is told to end.
fn working(
    gate: &std::sync::Arc<tokio::sync::Semaphore>,
    status: StatusCode,
) -> impl Fn(
    Request<LayerBody<Full<Bytes>>>,
) -> std::pin::Pin<Box<dyn Future<Output = Result<http::Response<Full<Bytes>>, std::io::Error>> + Send>>
+ Clone
+ use<> {
    let gate = gate.clone();
    move |_| {
        let gate = gate.clone();
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            let mut response = http::Response::new(Full::default());
            *response.status_mut() = status;
            Ok(response)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_waits_for_the_call_it_is_a_copy_of() {
    let call = || request(signer().sign(JSON));
    for (status, expected) in [(StatusCode::OK, StatusCode::OK), (StatusCode::BAD_GATEWAY, StatusCode::BAD_GATEWAY)] {
        let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
        let service = layer().build().unwrap().layer(service_fn(working(&gate, status)));
        let first = tokio::spawn(service.clone().oneshot(call()));
        tokio::task::yield_now().await;
        let copy = tokio::spawn(service.clone().oneshot(call()));
        tokio::time::sleep(secs(1)).await;
        assert!(!copy.is_finished(), "it waits");
        gate.add_permits(2);
        assert_eq!(first.await.unwrap().unwrap().status(), status);
        assert_eq!(copy.await.unwrap().unwrap().status(), expected);
    }

    // But not for ever.
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let service = layer().build().unwrap().layer(service_fn(working(&gate, StatusCode::OK)));
    let first = tokio::spawn(service.clone().oneshot(call()));
    tokio::task::yield_now().await;
    let answer = service.clone().oneshot(call()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_process_is_gone_may_come_again_after_its_lease() {
    let (time, call) = (clock(), request(signer().sign(JSON)));
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let layer = layer().clock(time.clone()).lease(secs(30)).build().unwrap();
    let service = layer.layer(service_fn(working(&gate, StatusCode::OK)));
    let first = tokio::spawn(service.clone().oneshot(call.clone()));
    tokio::task::yield_now().await;
    first.abort();
    _ = first.await;
    gate.add_permits(1);
    // A copy waits two seconds: here the lease outlasts them.
    time.advance(secs(27));
    assert_eq!(service.clone().oneshot(call.clone()).await.unwrap().status(), 503);
    time.advance(secs(4));
    assert_eq!(service.clone().oneshot(call).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn of_many_copies_at_once_one_is_carried_out_and_all_are_acknowledged() {
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
    let service = layer().build().unwrap().layer(service_fn(working(&gate, StatusCode::OK)));
    let copies = join_all((0..64).map(|_| tokio::spawn(service.clone().oneshot(request(signer().sign(JSON)))))).await;
    for copy in copies {
        // The one permit was used up by one call: a second one would never have ended.
        assert_eq!(copy.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(gate.available_permits(), 0);
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
        (unnamed, "malformed", "no name"),
        (untimed, "malformed", "no time"),
    ] {
        let app = App::new(stamped_layer(clock()).build().unwrap());
        assert_eq!(reason(&app.send(request).await), expected, "{why}");
    }
}

#[tokio::test]
async fn any_bytes_can_be_signed() {
    let app =
        App::new(webhook::layer::<RawBody>().any_content_type().secrets([SECRET]).replay(replay()).build().unwrap());
    let body = Bytes::from_static(b"\xff\0\xfe");
    let signature = signer().signature(&[&body]);
    let request = Request::post("/").header("webhook-signature", signature).body(Full::new(body.clone())).unwrap();
    let answer = app.send(request).await;
    assert_eq!((outcome(&answer), &seen(&answer).body), ("ok", &body));
}

#[tokio::test]
async fn a_company_signs_up_only_with_a_key_that_is_one() {
    let app = App::new(tutorcruncher::sign_up([SECRET]).replay(replay()).clock(clock()).build().unwrap());
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
    let start = || webhook::layer::<Value>().secrets([SECRET]).replay(MemoryReplay::new());
    for (built, expected) in [
        (webhook::layer::<Value>().secrets([SECRET]).build(), "no replay store"),
        (webhook::layer::<Value>().secrets([" "]).replay(replay()).build(), "is blank"),
        (start().signed("{timestamp}.{body}").build(), "timestamp_header"),
        (start().timestamp_header(time.clone()).build(), "anyone could change it"),
        (start().signed("{timestamp}{body}").timestamp_header(time.clone()).build(), "cut in two ways"),
        (start().signed("{timestamp}").timestamp_header(time.clone()).build(), "has no {body}"),
        (start().lease(secs(0)).build(), "lease"),
        (start().danger_remember_for(secs(0)).build(), "danger_remember_for"),
        (
            start().signed("{timestamp}.{body}").timestamp_header(time).danger_remember_for(secs(359)).build(),
            "shorter than the window",
        ),
        (start().methods([Method::HEAD, Method::POST]).build(), "HEAD"),
    ] {
        let said = refused(built);
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
}

#[tokio::test]
async fn a_call_that_is_remembered_for_a_time_is_carried_out_again_after_it() {
    let time = clock();
    let app = App::new(layer().clock(time.clone()).danger_remember_for(secs(60)).build().unwrap());
    let call = request(signer().sign(JSON));
    for (at, calls) in [(0, 1), (60, 1), (61, 2)] {
        time.set(UnixTime::from_secs(NOW + at));
        assert_eq!(outcome(&app.send(call.clone()).await), "ok");
        assert_eq!(app.inner.calls(), calls, "after {at} s");
    }
}
