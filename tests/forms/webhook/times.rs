//! A time inside the signed body.

use tower_sso::clock::UnixTime;
use tower_sso::webhook::TimeFormat;

use super::*;

fn layer() -> Builder<Webhook<RawBody>> {
    let layer = webhook::layer().secrets([SECRET]).replay(replay()).clock(clock());
    layer.timestamp_field("sent").timestamp_format(TimeFormat::Milliseconds).max_age(secs(60))
}

#[tokio::test]
async fn a_time_in_the_body_is_held_to_its_window() {
    for (body, expected, why) in [
        (r#"{"sent":1700000000000}"#, "ok", "now"),
        (r#"{"sent":"1700000000000"}"#, "ok", "as text"),
        (r#"{"sent":1699999940000}"#, "ok", "a minute ago"),
        (r#"{"sent":1699999939999}"#, "expired", "a millisecond more"),
        (r#"{"sent":1700000060000}"#, "ok", "as far ahead as clocks may be"),
        (r#"{"sent":1700000060001}"#, "not_yet_valid", "a millisecond more"),
        (r#"{"sent":1700000000}"#, "expired", "seconds, read as milliseconds"),
        (r#"{"sent":1.7e12}"#, "bad_claim", "another spelling"),
        (r#"{"sent":-1}"#, "bad_claim", "before 1970"),
        (r#"{"sent":true}"#, "bad_payload", "no time"),
        (r#"{"sent":null}"#, "missing_field", "null"),
        (r#"{"other":1700000000000}"#, "missing_field", "not there"),
        (r#"{"sent":1700000000000,"sent":1}"#, "bad_payload", "twice"),
        (r#"{"in":{"sent":1700000000000}}"#, "missing_field", "further inside"),
        ("[1700000000000]", "bad_payload", "no object"),
    ] {
        let app = App::new(layer().build().unwrap());
        assert_eq!(reason(&app.send(request(signer().sign(body))).await), expected, "{why}");
        assert_eq!(app.inner.calls(), usize::from(expected == "ok"), "{why}");
    }
    // Read once the signature is right: before, it is as if it were not there.
    let forged = SigningWebhook::new(Secret::new("another")).sign(r#"{"sent":1}"#);
    assert_eq!(reason(&App::new(layer().build().unwrap()).send(request(forged)).await), "bad_signature");
}

/// With a signed time, a store that forgets with the process needs no help by the handler.
#[tokio::test]
async fn a_time_in_the_body_bounds_how_long_a_delivery_is_remembered() {
    let clock = clock();
    let app = App::new(layer().clock(clock.clone()).build().unwrap());
    let delivery = || request(signer().sign(r#"{"sent":1700000000000}"#));
    for (after, expected) in [(0, "ok"), (59, "ok"), (60, "ok"), (61, "expired")] {
        clock.set(UnixTime::from_secs(NOW).plus(secs(after)));
        assert_eq!((outcome(&app.send(delivery()).await), app.inner.calls()), (expected, 1), "{after}");
    }
    assert!(webhook::layer::<RawBody>().secrets([SECRET]).replay(replay()).clock(clock).build().is_err());
}

#[test]
fn a_time_has_one_signed_place() {
    let time = HeaderName::from_static("x-time");
    for (layer, why) in [
        (layer().timestamp_header(time).signed("{timestamp}.{body}"), "a header too"),
        (layer().separator(',').timestamp_element("t=").signed("{timestamp}.{body}"), "an element too"),
        (layer().danger_signed("{body:crc32}"), "a body that is not signed"),
    ] {
        let said = refused(layer.build());
        assert!(said.contains("timestamp_field"), "{why}: {said}");
    }
}
