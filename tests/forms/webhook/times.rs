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

#[tokio::test]
async fn a_time_in_the_body_may_be_when_it_ends() {
    let layer = || layer().timestamp_is_expiry(secs(600)).clock_skew(secs(5));
    for (sent, expected, why) in [
        (NOW * 1_000, "ok", "it ends now"),
        (NOW * 1_000 - 5_000, "ok", "as far behind as clocks may be"),
        (NOW * 1_000 - 5_001, "expired", "a millisecond more"),
        (NOW * 1_000 + 605_000, "ok", "the longest life"),
        (NOW * 1_000 + 605_001, "not_yet_valid", "a millisecond more"),
    ] {
        let app = App::new(layer().build().unwrap());
        let body = format!(r#"{{"sent":{sent}}}"#);
        assert_eq!(reason(&app.send(request(signer().sign(&body))).await), expected, "{why}");
    }
    // A copy is known until the end.
    let (time, body) = (clock(), format!(r#"{{"sent":{}}}"#, NOW * 1_000 + 600_000));
    let app = App::new(layer().clock(time.clone()).build().unwrap());
    for (after, expected) in [(0, "ok"), (600, "ok"), (605, "ok"), (606, "expired")] {
        time.set(UnixTime::from_secs(NOW).plus(secs(after)));
        assert_eq!(
            (outcome(&app.send(request(signer().sign(&body))).await), app.inner.calls()),
            (expected, 1),
            "{after}"
        );
    }
    // A day and more, and no time at all.
    assert!(layer().timestamp_is_expiry(secs(0)).build().is_err());
    assert!(layer().timestamp_is_expiry(secs(32 * 86_400)).build().is_err());
    let bare = webhook::layer::<RawBody>().secrets([SECRET]).replay(replay()).handler_remembers();
    let problem = crate::support::subject::refused(bare.timestamp_is_expiry(secs(60)).build().map(drop));
    assert!(problem.contains("`timestamp_is_expiry`"), "{problem}");
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
        (layer().content_type("application/x-www-form-urlencoded"), "a form is no object"),
    ] {
        let said = refused(layer.build());
        assert!(said.contains("timestamp_field"), "{why}: {said}");
    }
}
