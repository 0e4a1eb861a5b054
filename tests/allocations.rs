//! Counts the allocations of a request. Unlike a time, the count is exact, so an accidental copy shows.
//!
//! What an accepted request may allocate besides its form's verification and its claims:
//! - the identity (one);
//! - the request's extensions: the table that the first extension creates (two), and the identity's slot in it (one);
//! - the URI, if more than the path is left of it (one);
//! - the table of the answer's headers, for `Cache-Control` and `Referrer-Policy`, if the answer has none yet (two).

#[path = "../benches/support/driver.rs"]
mod driver;
#[path = "../benches/support/samples.rs"]
mod samples;

use std::convert::Infallible;
use std::future::ready;

use allocation_counter::measure;
use bytes::Bytes;
use driver::{NoStore, service, through, verify};
use futures::FutureExt;
use http::header::LOCATION;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use samples::{Fernet, Jwt, LargeWebhook, OAuth1, Sample, SharedSecret, Ticket, TimestampHash, Webhook, body, forged};
use tower::{Layer, Service, service_fn};
use tower_sso::body::LayerBody;

/// Allocations of the form's own methods, of the whole layer over an accepted request, and over a forged one.
fn counted<S: Sample>() -> [u64; 3] {
    let layer = S::layer(NoStore);
    let mut service = service(&layer);
    let request = S::request(0);
    let forged = S::with(&request, &forged(&S::credential(&request)));
    // Made once for all requests: the keyed MAC, the clock's start.
    assert_eq!(through(&mut service, request.clone()).status(), StatusCode::OK);
    _ = through(&mut service, forged.clone());

    let (head, _) = request.clone().into_parts();
    let (body, key) = (body(&request), S::key());
    drop(verify(layer.form(), &key, &head, &body));
    let own = measure(|| drop(verify(layer.form(), &key, &head, &body)));
    let (mut good, mut bad) = (Some(request), Some(forged));
    let accepted = measure(|| drop(through(&mut service, good.take().unwrap())));
    let refused = measure(|| drop(through(&mut service, bad.take().unwrap())));
    [own.count_total, accepted.count_total, refused.count_total]
}

#[test]
fn requests_ask_for_memory_as_often_as_stated() {
    for (form, counted, stated) in [
        ("fernet", counted::<Fernet>(), [13, 19, 11]),
        ("jwt", counted::<Jwt>(), [9, 15, 8]),
        ("timestamp hash", counted::<TimestampHash>(), [7, 13, 11]),
        ("OAuth 1.0a", counted::<OAuth1>(), [10, 17, 14]),
        ("webhook", counted::<Webhook>(), [7, 13, 7]),
    ] {
        assert_eq!(counted, stated, "{form}: its own methods, the layer, the layer on a forgery");
        let [own, accepted, refused] = counted;
        let uri = u64::from(form == "OAuth 1.0a");
        assert_eq!(accepted - own, 6 + uri, "{form}: what the list above names, and no more");
        assert!(refused <= accepted, "{form}");
    }
}

/// An answer with headers of its own, as most have, has room for two more.
#[test]
fn an_answer_with_headers_asks_for_no_more() {
    let answer = || Response::builder().header(LOCATION, "/").body(()).unwrap();
    let mut service = Jwt::layer(NoStore)
        .layer(service_fn(move |_: Request<LayerBody<Full<Bytes>>>| ready(Ok::<_, Infallible>(answer()))));
    let mut call = |request| service.call(request).now_or_never().unwrap().unwrap();
    let request = Jwt::request(0);
    drop(call(request.clone()));
    let mut request = Some(request);
    let answer = measure(|| drop(answer()));
    let layered = measure(|| drop(call(request.take().unwrap())));
    let [own, ..] = counted::<Jwt>();
    assert_eq!(layered.count_total - answer.count_total, own + 4, "the identity, and the extensions");
}

/// These two look their keys up by a digest, and write it as text for that.
#[test]
fn bearers_cost_no_more_refused_than_accepted() {
    for (form, [_, accepted, refused]) in
        [("shared secret", counted::<SharedSecret>()), ("ticket", counted::<Ticket>())]
    {
        assert!(refused <= accepted, "{form}: {refused} of {accepted}");
    }
}

/// What is too long for a token is no secret: it is read once, and neither copied nor wiped.
#[test]
fn a_token_that_is_too_long_is_not_copied() {
    const LENGTH: usize = 8 * 1024;
    let mut service = service(&SharedSecret::layer(NoStore));
    let request = SharedSecret::with(&SharedSecret::request(0), &"x".repeat(LENGTH));
    assert_eq!(through(&mut service, request.clone()).status(), StatusCode::BAD_REQUEST);
    let mut request = Some(request);
    let measured = measure(|| drop(through(&mut service, request.take().unwrap())));
    assert!(measured.bytes_total < LENGTH as u64 * 3 / 2, "{measured:?}");
}

/// A body is passed on as it came: none of its 64 KiB is copied.
#[test]
fn a_body_is_not_copied() {
    let mut service = service(&LargeWebhook::layer(NoStore));
    let request = LargeWebhook::request(0);
    _ = through(&mut service, request.clone());
    let mut request = Some(request);
    let measured = measure(|| drop(through(&mut service, request.take().unwrap())));
    assert!(measured.bytes_total < 8 * 1024, "{measured:?}");
}

/// One byte a frame, as a hostile sender may cut it: memory is asked for as the body doubles, not for each frame, and
/// never for much more than the body.
#[test]
fn joining_many_frames_asks_for_memory_as_the_body_doubles() {
    use http_body_util::StreamBody;
    use tower_sso::body::{BodyLimits, ReadBody, WholeBody};

    const SIZE: usize = 60_000;
    let frame = || Ok::<_, Infallible>(http_body::Frame::data(bytes::Bytes::from_static(b"x")));
    let body = StreamBody::new(futures::stream::iter((0..SIZE).map(|_| frame())));
    let limits = BodyLimits { size: SIZE, timeout: std::time::Duration::from_secs(10) };
    let mut reading = Some(WholeBody::read(body, limits));
    let counted = measure(|| {
        let (read, _) = reading.take().unwrap().now_or_never().unwrap().unwrap();
        assert_eq!(read.len(), SIZE);
    });
    assert!(counted.count_total <= 20, "{counted:?}");
    assert!(counted.bytes_max <= 3 * SIZE as u64, "{counted:?}");
}
