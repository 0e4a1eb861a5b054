//! How long a delivery stays leased to its request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderName, StatusCode};
use serde_json::Value;
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::Builder;
use tower_sso::clock::{Clock, ManualClock, UnixTime};
use tower_sso::replay::{Claim, Claimed, Fingerprint, Hold, LeaseId, ReplayStore};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::webhook::Webhook;

use super::calls::{Slow, working};
use super::{JSON, layer, request, signer, with};
use crate::support::{App, NOW, Request_, clock, secs};

const LEASE: Duration = Duration::from_secs(30);
/// The default time limit of a store call. The whole lease must remain after it.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn a_call_whose_process_is_gone_may_come_again_after_its_lease() {
    let (time, call) = (clock(), request(signer().sign(JSON)));
    let gate = Arc::new(Semaphore::new(0));
    let layer = layer().clock(time.clone()).lease(LEASE).build().unwrap();
    let service = layer.layer(service_fn(working(&gate, StatusCode::OK)));
    let mut first = Box::pin(service.clone().oneshot(call.clone()));
    assert!(futures::poll!(&mut first).is_pending());
    std::mem::forget(first); // a process that is killed tidies nothing up
    gate.add_permits(2); // one goes to the dead, who stands first in line
    time.advance(LEASE + PATIENCE);
    assert_eq!(service.clone().oneshot(call.clone()).await.unwrap().status(), 503, "its last instant, inclusive");
    time.advance(secs(1));
    assert_eq!(service.clone().oneshot(call).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_waited_for_a_call_that_failed_has_all_of_its_lease() {
    let (time, call) = (clock(), request(signer().sign(JSON)));
    let (gate, calls) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (failing, working, counted) =
        (working(&gate, StatusCode::BAD_GATEWAY), working(&gate, StatusCode::OK), calls.clone());
    let inner = service_fn(move |request| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => failing(request),
        _ => working(request),
    });
    let service = layer().clock(time.clone()).lease(LEASE).build().unwrap().layer(inner);
    let first = tokio::spawn(service.clone().oneshot(call.clone()));
    tokio::task::yield_now().await;
    let copy = tokio::spawn(service.clone().oneshot(call.clone()));
    tokio::time::sleep(secs(1)).await;
    time.advance(secs(1)); // it has waited this long when it gets the call
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::BAD_GATEWAY);
    tokio::time::sleep(secs(1)).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    time.advance(LEASE + PATIENCE);
    let copy_of_it = tokio::time::timeout(secs(100), service.clone().oneshot(call)).await;
    assert_eq!(copy_of_it.expect("one is at work").unwrap().status(), 503, "its last instant, inclusive");
    gate.add_permits(1);
    assert_eq!(copy.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn the_time_that_the_store_takes_is_not_the_calls() {
    let (time, call) = (clock(), request(signer().sign(JSON)));
    let (gate, calls) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (working, counted) = (working(&gate, StatusCode::OK), calls.clone());
    let inner = service_fn(move |request| {
        counted.fetch_add(1, Ordering::SeqCst);
        working(request)
    });
    let takes = secs(1);
    let service = layer().clock(time.clone()).lease(LEASE).replay(Slow::new(takes)).build().unwrap().layer(inner);
    let first = tokio::spawn(service.clone().oneshot(call.clone()));
    tokio::task::yield_now().await;
    time.advance(takes);
    tokio::time::sleep(takes * 2).await;
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    time.advance(LEASE);
    let copy_of_it = tokio::time::timeout(secs(100), service.clone().oneshot(call)).await;
    assert_eq!(copy_of_it.expect("one is at work").unwrap().status(), 503, "its last instant, inclusive");
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// A store that removes an entry at the entry's end by a clock of its own. It looks at a claim a while after it came.
#[derive(Clone)]
struct Expiring {
    clock: ManualClock,
    holds: Arc<Mutex<HashMap<Fingerprint, Hold>>>,
    claim_takes: Duration,
}

impl ReplayStore for Expiring {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let (this, claim) = (self.clone(), *claim);
        StoreFuture::new(async move {
            tokio::time::sleep(this.claim_takes).await;
            let mut holds = this.holds.lock().unwrap();
            holds.retain(|_, hold| this.clock.now() <= hold.until());
            Ok(match holds.get(&claim.key) {
                Some(Hold::Until(_)) => Claimed::Spent,
                Some(Hold::Lease { .. }) => Claimed::Leased,
                None => {
                    holds.insert(claim.key, claim.hold);
                    Claimed::First
                }
            })
        })
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        self.holds.lock().unwrap().insert(claim.key, claim.hold);
        StoreFuture::ready(Ok(()))
    }

    fn release(&self, _: Fingerprint, _: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        unreachable!("every call is carried out")
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}

fn timed() -> Builder<Webhook<Value>> {
    layer().signed("{timestamp}.{body}").timestamp_header(HeaderName::from_static("x-time")).max_age(secs(300))
}

fn timed_call() -> Request_ {
    let signature = signer().signature(&[NOW.to_string().as_bytes(), b".", JSON.as_bytes()]);
    with(with(request(signer().sign(JSON)), "webhook-signature", &signature), "x-time", &NOW.to_string())
}

/// Its claim reaches the store after the window, and within the time that the layer gives the store.
#[tokio::test(start_paused = true)]
async fn a_copy_that_comes_in_time_is_known_though_its_claim_is_slow() {
    let (time, claim_takes) = (clock(), PATIENCE * 3 / 4);
    let store = Expiring { clock: time.clone(), holds: Arc::default(), claim_takes };
    let app = App::new(timed().clock(time.clone()).replay(store).build().unwrap());
    assert_eq!(app.send(timed_call()).await.status(), 200);

    time.advance(secs(300));
    let copy = tokio::spawn(async move { (app.send(timed_call()).await.status(), app.inner.calls()) });
    tokio::task::yield_now().await;
    time.advance(claim_takes);
    assert_eq!(copy.await.unwrap(), (StatusCode::OK, 1));
}

/// It is settled when nobody could send it any more, but a copy that came in time still waits.
#[tokio::test(start_paused = true)]
async fn a_copy_that_came_in_time_and_waits_is_known_when_the_call_is_settled() {
    let time = ManualClock::at(UnixTime::from_secs(NOW + 300).plus(Duration::from_millis(900)));
    let store = Expiring { clock: time.clone(), holds: Arc::default(), claim_takes: Duration::ZERO };
    let (gate, calls) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (working, counted) = (working(&gate, StatusCode::OK), calls.clone());
    let inner = service_fn(move |request| {
        counted.fetch_add(1, Ordering::SeqCst);
        working(request)
    });
    let service = timed().clock(time.clone()).replay(store).build().unwrap().layer(inner);
    let first = tokio::spawn(service.clone().oneshot(timed_call()));
    tokio::time::sleep(Duration::from_millis(1)).await;
    let copy = tokio::spawn(service.oneshot(timed_call()));
    tokio::time::sleep(PATIENCE * 3 / 4).await;
    time.advance(PATIENCE + Duration::from_millis(200));
    gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(copy.await.unwrap().unwrap().status(), 200);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// The process's clock, under Tokio's paused time.
struct Passing(tokio::time::Instant);

impl Clock for Passing {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(NOW).plus(self.0.elapsed())
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_waits_for_as_long_as_a_store_may_take() {
    let (call, gate) = (request(signer().sign(JSON)), Arc::new(Semaphore::new(0)));
    let service = layer().lease(LEASE).build().unwrap().layer(service_fn(working(&gate, StatusCode::OK)));
    let first = tokio::spawn(service.clone().oneshot(call.clone()));
    tokio::task::yield_now().await;
    let asked = tokio::time::Instant::now();
    assert_eq!(service.oneshot(call).await.unwrap().status(), 503);
    let waited = asked.elapsed();
    assert!(waited >= PATIENCE && waited < PATIENCE + Duration::from_millis(5), "{waited:?}");
    first.abort();
}

/// The time that its earlier claims took counts as time that it has waited.
#[tokio::test(start_paused = true)]
async fn a_copy_that_waited_behind_slow_claims_gets_the_call() {
    let (call, gate) = (request(signer().sign(JSON)), Arc::new(Semaphore::new(0)));
    let (failing, working) = (working(&gate, StatusCode::BAD_GATEWAY), working(&gate, StatusCode::OK));
    let calls = Arc::new(AtomicUsize::new(0));
    let inner = service_fn(move |request| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => failing(request),
        _ => working(request),
    });
    let layer = layer().clock(Passing(tokio::time::Instant::now())).lease(LEASE);
    let service = layer.replay(Slow::new(PATIENCE / 4)).build().unwrap().layer(inner);
    let first = tokio::spawn(service.clone().oneshot(call.clone()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let copy = tokio::spawn(service.oneshot(call));
    tokio::time::sleep(Duration::from_millis(1_700)).await;
    gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::BAD_GATEWAY);
    assert_eq!(copy.await.unwrap().unwrap().status(), 200);
}
