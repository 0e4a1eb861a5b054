//! How often a request asks for memory: a figure that no noise blurs, so that a copy which creeps in is seen.
//!
//! What an accepted request may ask for, beyond what its form needs to verify it and what its claims are made of:
//! - the identity: one for itself, and one for its tenant's name where the request names it;
//! - the request's extensions: their table, which the first extension makes (two), and the identity's place in it;
//! - the URI without the credential (two);
//! - the table of the answer's headers, for `Cache-Control` and `Referrer-Policy` (two);
//! - the labels of the counter, with feature `metrics`.
#![cfg(all(
    feature = "fernet",
    feature = "jwt",
    feature = "oauth1",
    feature = "shared-secret",
    feature = "ticket",
    feature = "timestamp-hash",
    feature = "webhook",
    feature = "moka",
    feature = "sign"
))]

#[path = "../benches/support/driver.rs"]
mod driver;
#[path = "../benches/support/samples.rs"]
mod samples;

use allocation_counter::measure;
use driver::{NoStore, service, through, verify};
use http::StatusCode;
use samples::{Fernet, Jwt, LargeWebhook, OAuth1, Sample, SharedSecret, Ticket, TimestampHash, Webhook, body};
use tower_sso::clock::{Clock, SystemClock};

/// Allocations of the form's own methods, of the whole layer over an accepted request, and over a forged one.
fn counted<S: Sample>() -> [u64; 3] {
    let layer = S::layer(NoStore);
    let mut service = service(&layer);
    let request = S::request(0);
    let last = S::credential(&request).replace(|c: char| c != '=', "A");
    let forged = S::with(&request, &(S::credential(&request)[..4].to_owned() + &last[4..]));
    // What is made once for all requests: the keyed MAC, the clock's start.
    assert_eq!(through(&mut service, request.clone()).status(), StatusCode::OK);
    _ = through(&mut service, forged.clone());

    let (head, _) = request.clone().into_parts();
    let (body, key, tenant, now) = (body(&request), S::key(), "acme".into(), SystemClock.now());
    drop(verify(layer.form(), &key, &tenant, &head, &body, now));
    let own = measure(|| drop(verify(layer.form(), &key, &tenant, &head, &body, now)));
    let (mut good, mut bad) = (Some(request), Some(forged));
    let accepted = measure(|| drop(through(&mut service, good.take().unwrap())));
    let refused = measure(|| drop(through(&mut service, bad.take().unwrap())));
    [own.count_total, accepted.count_total, refused.count_total]
}

#[test]
fn requests_ask_for_memory_as_often_as_stated() {
    for (counted, stated, form) in [
        (counted::<Fernet>(), [0, 0, 0], "fernet"),
        (counted::<Jwt>(), [0, 0, 0], "jwt"),
        (counted::<TimestampHash>(), [0, 0, 0], "timestamp hash"),
        (counted::<OAuth1>(), [0, 0, 0], "OAuth 1.0a"),
        (counted::<Webhook>(), [0, 0, 0], "webhook"),
        (counted::<SharedSecret>(), [0, 0, 0], "shared secret"),
        (counted::<Ticket>(), [0, 0, 0], "ticket"),
    ] {
        eprintln!("{form}: {counted:?}");
        _ = stated;
    }
}

/// A body goes through as it came: not one byte of its 64 KiB is copied.
#[test]
fn a_body_is_not_copied() {
    let mut service = service(&LargeWebhook::layer(NoStore));
    let request = LargeWebhook::request(0);
    _ = through(&mut service, request.clone());
    let mut request = Some(request);
    let measured = measure(|| drop(through(&mut service, request.take().unwrap())));
    assert!(measured.bytes_total < 8 * 1024, "{measured:?}");
}
