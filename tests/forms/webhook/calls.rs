//! A delivery is processed once, acknowledged each time it comes, and never lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::{HeaderName, Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::body::LayerBody;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::keys::{Key, Keys, MemoryKeys};
use tower_sso::replay::{Claim, Claimed, Fingerprint, LeaseId, MemoryReplay, ReplayStore};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::tenant::Tenant;
use tower_sso::webhook;

use super::{JSON, SECRET, layer, request, signer, with};
use crate::support::{App, NOW, clock, outcome, reason, replay, secs};

#[tokio::test(start_paused = true)]
async fn a_copy_is_acknowledged_at_any_age_and_changes_nothing() {
    let time = clock();
    let layer = webhook::layer::<Value>().secrets([SECRET]).replay(replay()).danger_forgets_on_restart();
    let app = App::new(layer.clock(time.clone()).build().unwrap());
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
        app.inner.answer_with(StatusCode::SEE_OTHER);
        assert_eq!(app.send(call.clone()).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(app.inner.calls(), 3);
        app.send(call).await;
        assert_eq!(app.inner.calls(), 3, "now it was carried out");
    }
}

/// An inner service that works until the test lets it finish.
pub(super) fn working(
    gate: &Arc<Semaphore>,
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
        let gate = Arc::new(Semaphore::new(0));
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
    let gate = Arc::new(Semaphore::new(0));
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
async fn a_call_that_was_cancelled_may_come_again_at_once() {
    let call = request(signer().sign(JSON));
    for store in [Slow::new(Duration::ZERO), Slow::new(secs(1))] {
        let gate = Arc::new(Semaphore::new(0));
        let service = layer().replay(store).build().unwrap().layer(service_fn(working(&gate, StatusCode::OK)));
        let first = tokio::spawn(service.clone().oneshot(call.clone()));
        tokio::time::sleep(secs(3)).await;
        first.abort();
        _ = first.await;
        gate.add_permits(1);
        tokio::time::sleep(secs(3)).await;
        assert_eq!(service.clone().oneshot(call.clone()).await.unwrap().status(), 200);
        assert_eq!(gate.available_permits(), 0, "it was carried out");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_cancelled_while_it_was_claimed_may_come_again_at_once() {
    let call = request(signer().sign(JSON));
    let app = App::new(layer().replay(Slow::answering_after(secs(1))).build().unwrap());
    let first = tokio::spawn({
        let (app, call) = (app.clone(), call.clone());
        async move { app.send(call).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    first.abort();
    _ = first.await;
    assert_eq!(app.inner.calls(), 0);
    assert_eq!(outcome(&app.send(call).await), "ok");
    assert_eq!(app.inner.calls(), 1);
}

/// Both have the same instant on the clock.
#[tokio::test(start_paused = true)]
async fn a_copy_that_was_cancelled_does_not_free_the_call_that_is_at_work() {
    let call = request(signer().sign(JSON));
    let gate = Arc::new(Semaphore::new(0));
    let calls = Arc::new(AtomicUsize::new(0));
    let (work, counted) = (working(&gate, StatusCode::OK), calls.clone());
    let inner = service_fn(move |request| {
        counted.fetch_add(1, Ordering::SeqCst);
        work(request)
    });
    let service = layer().replay(Slow::answering_after(secs(1))).build().unwrap().layer(inner);
    let first = tokio::spawn(service.clone().oneshot(call.clone()));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let copy = tokio::spawn(service.clone().oneshot(call.clone()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    copy.abort();
    _ = copy.await;
    let other = tokio::spawn(service.clone().oneshot(call));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(other.await.unwrap().unwrap().status(), 200);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_carried_out_is_settled_though_nobody_waits() {
    let (store, call) = (Slow::new(secs(1)), request(signer().sign(JSON)));
    let app = App::new(layer().replay(store).build().unwrap());
    let first = tokio::spawn({
        let (app, call) = (app.clone(), call.clone());
        async move { app.send(call).await }
    });
    tokio::time::sleep(Duration::from_millis(1_500)).await; // claimed at 1 s, carried out, to be settled at 2 s
    assert_eq!(app.inner.calls(), 1);
    first.abort();
    _ = first.await;
    tokio::time::sleep(secs(2)).await;
    assert_eq!(app.send(call).await.status(), StatusCode::OK);
    assert_eq!(app.inner.calls(), 1, "the copy was acknowledged");
}

/// A slow replay store, like one behind a network.
#[derive(Clone)]
pub(super) struct Slow {
    store: MemoryReplay,
    takes: Duration,
    /// Whether the wait comes after the work.
    acts_first: bool,
}

impl Slow {
    pub(super) fn new(takes: Duration) -> Self {
        Self { store: replay(), takes, acts_first: false }
    }

    fn answering_after(takes: Duration) -> Self {
        Self { acts_first: true, ..Self::new(takes) }
    }

    fn later<T: Send + 'static>(
        &self,
        act: impl FnOnce(MemoryReplay) -> StoreFuture<Result<T, StoreError>> + Send + 'static,
    ) -> StoreFuture<Result<T, StoreError>> {
        let this = self.clone();
        if self.acts_first {
            let answer = act(this.store);
            return StoreFuture::new(async move {
                tokio::time::sleep(this.takes).await;
                answer.await
            });
        }
        StoreFuture::new(async move {
            tokio::time::sleep(this.takes).await;
            act(this.store).await
        })
    }
}

impl ReplayStore for Slow {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let claim = *claim;
        self.later(move |store| store.claim(&claim))
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        let claim = *claim;
        self.later(move |store| store.settle(&claim))
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        self.later(move |store| store.release(key, lease))
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        self.store.remembers_since()
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_at_the_end_of_the_window_is_not_carried_out_again() {
    let header = HeaderName::from_static("x-time");
    let time = ManualClock::at(UnixTime::from_secs(NOW + 300).plus(Duration::from_millis(900)));
    let layer = layer().signed("{timestamp}.{body}").timestamp_header(header.clone()).max_age(secs(300));
    let gate = Arc::new(Semaphore::new(0));
    let calls = Arc::new(AtomicUsize::new(0));
    let work = working(&gate, StatusCode::OK);
    let counted = calls.clone();
    let inner = service_fn(move |request| {
        counted.fetch_add(1, Ordering::SeqCst);
        work(request)
    });
    let service = layer.clock(time.clone()).build().unwrap().layer(inner);
    let signature = signer().signature(&[NOW.to_string().as_bytes(), b".", JSON.as_bytes()]);
    let call = with(with(request(signer().sign(JSON)), "webhook-signature", &signature), "x-time", &NOW.to_string());

    let first = tokio::spawn(service.clone().oneshot(call.clone()));
    tokio::task::yield_now().await;
    let copy = tokio::spawn(service.clone().oneshot(call));
    tokio::time::sleep(Duration::from_millis(500)).await;
    time.advance(secs(1)); // the window has ended, and the call is still at work
    gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(copy.await.unwrap().unwrap().status(), 200);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_may_mean_two_things_at_two_routes() {
    let store = replay();
    let app = |name: &'static str| App::new(layer().replay(store.clone()).namespace(name).build().unwrap());
    let (created, deleted) = (app("created"), app("deleted"));
    let call = || request(signer().sign(JSON));
    for _ in 0..2 {
        created.send(call()).await;
        deleted.send(call()).await;
    }
    assert_eq!((created.inner.calls(), deleted.inner.calls()), (1, 1));
    let unscoped = app("");
    unscoped.send(call()).await;
    assert_eq!(unscoped.inner.calls(), 1);
}

#[tokio::test]
async fn a_broken_key_does_not_shut_out_the_other_one() {
    let until = UnixTime::MAX;
    let keys = MemoryKeys::new();
    let app = App::new(layer().tenant(Tenant::fixed("acme")).keys(keys.clone()).build().unwrap());
    for (current, previous, expected) in
        [(" ", SECRET, "ok"), (SECRET, "", "ok"), ("another", "", "bad_signature"), ("", " ", "unusable_key")]
    {
        let both: Keys = [Key::current(current.into()), Key::previous(previous.into(), until)].into_iter().collect();
        keys.set("acme", both);
        let body = format!("{{\"a\": \"{current}/{previous}\"}}");
        assert_eq!(reason(&app.send(request(signer().sign(body))).await), expected, "{current:?} {previous:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_on_many_threads_are_carried_out_once() {
    for round in 0..50 {
        let app = App::new(layer().replay(Slow::new(Duration::from_micros(1))).build().unwrap());
        let call = request(signer().sign(format!("{{\"round\": {round}}}")));
        let copies = (0..32).map(|_| {
            let (app, call) = (app.clone(), call.clone());
            tokio::spawn(async move { app.send(call).await.status() })
        });
        for copy in join_all(copies).await {
            assert_eq!(copy.unwrap(), 200);
        }
        assert_eq!(app.inner.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_copies_at_once_one_is_carried_out_and_all_are_acknowledged() {
    let gate = Arc::new(Semaphore::new(1));
    let service = layer().build().unwrap().layer(service_fn(working(&gate, StatusCode::OK)));
    let copies = join_all((0..64).map(|_| tokio::spawn(service.clone().oneshot(request(signer().sign(JSON)))))).await;
    for copy in copies {
        // There is one permit: a second call would have waited for ever.
        assert_eq!(copy.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(gate.available_permits(), 0);
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

/// Otherwise every delivery would fill a slot of the replay store for ever.
#[tokio::test]
async fn what_the_handler_remembers_is_kept_by_the_store_for_an_hour() {
    let time = clock();
    let app = App::new(layer().clock(time.clone()).build().unwrap());
    let call = request(signer().sign(JSON));
    for (at, calls) in [(0, 1), (3_600, 1), (3_601, 2)] {
        time.set(UnixTime::from_secs(NOW + at));
        assert_eq!(outcome(&app.send(call.clone()).await), "ok");
        assert_eq!(app.inner.calls(), calls, "after {at} s");
    }
}
