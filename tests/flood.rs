//! A flood of requests is not a flood of lines. In a program of its own, as the bound is the process's.

mod support;

use support::log::Log;
use support::subject::{FernetSubject, Subject, WebhookSubject, Wish, keys};
use support::{App, clock, outcome, replay};
use tower_sso::replay::{Claim, Claimed, Fingerprint, LeaseId, ReplayStore};
use tower_sso::store::{StoreError, StoreFuture};

struct Down;

impl ReplayStore for Down {
    fn claim(&self, _: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        StoreFuture::ready(Err(StoreError::new("connection refused")))
    }

    fn settle(&self, _: &Claim) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    fn release(&self, _: Fingerprint, _: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    fn remembers_since(&self) -> Option<tower_sso::clock::UnixTime> {
        None
    }
}

/// Sends one request many times: how many lines at INFO and above say `what`, how many may in the seconds that it took, and
/// the whole log.
async fn lines(app: &App, request: support::Request_, expected: &str, what: &str) -> (usize, usize, String) {
    const TIMES: usize = 3_000;
    let log = Log::start();
    let begun = std::time::Instant::now();
    for _ in 0..TIMES {
        assert_eq!(outcome(&app.send(request.clone()).await), expected);
    }
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap() + 2;
    let text = log.text();
    let loud = text.lines().filter(|line| !line.contains("DEBUG") && line.contains(what)).count();
    assert_eq!(
        text.lines().filter(|line| line.contains(what)).count(),
        TIMES,
        "each is said at some level: {text:.300}"
    );
    (loud, 100 * seconds, text)
}

#[tokio::test]
async fn whatever_a_sender_repeats_takes_a_hundred_lines_a_second() {
    let wish = Wish::default();
    let app = || FernetSubject::app_with(keys::<FernetSubject>(), replay(), clock());

    let forged = FernetSubject::request(&Wish { key: 3, ..wish.clone() });
    let (loud, most, _) = lines(&app(), forged, "invalid", "credential refused").await;
    assert!(loud <= most, "forged: {loud} of {most}");

    let (used, app) = (FernetSubject::request(&wish), app());
    assert_eq!(outcome(&app.send(used.clone()).await), "ok");
    let (loud, most, _) = lines(&app, used, "replayed", "credential refused").await;
    assert!(loud <= most, "one used link: {loud} of {most}");

    let call = WebhookSubject::request(&wish);
    let app = WebhookSubject::app_with(keys::<WebhookSubject>(), replay(), clock());
    assert_eq!(outcome(&app.send(call.clone()).await), "ok");
    let (loud, most, _) = lines(&app, call, "ok", "duplicate acknowledged").await;
    assert!(loud <= most, "one captured call: {loud} of {most}");

    let app = FernetSubject::app_with(keys::<FernetSubject>(), Down, clock());
    let (loud, most, text) = lines(&app, FernetSubject::request(&wish), "unavailable", "not checked").await;
    assert!(loud <= most, "a store that is down: {loud} of {most}");
    assert!(!text.contains("credential refused"), "it was not checked, at any level");
}
