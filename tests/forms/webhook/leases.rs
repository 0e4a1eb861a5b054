//! How long a delivery stays leased to its request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt, service_fn};

use super::calls::{Slow, working};
use super::{JSON, layer, request, signer};
use crate::support::{clock, secs};

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
