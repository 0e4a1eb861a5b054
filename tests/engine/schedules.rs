//! Random schedules of a store, a service and their clients, all of which may be slow, fail or go away: a delivery is
//! processed once, and never lost.

use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::{Instant, sleep};
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::body::LayerBody;
use tower_sso::clock::{Clock, UnixTime};
use tower_sso::replay::{Claim, Claimed, Fingerprint, LeaseId, MemoryReplay, ReplayStore};
use tower_sso::sign::SigningWebhook;
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::webhook::{self, RawBody};

use crate::support::random::Random;

const SECRET: &str = "shared-with-the-sender";

/// The runtime's clock, which is paused and moves on when all are waiting.
#[derive(Clone)]
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(1_700_000_000).plus(self.0.elapsed())
    }

    fn steady(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A store behind a network that is not well.
#[derive(Clone)]
struct Far {
    store: MemoryReplay,
    random: Arc<Mutex<Random>>,
    is_well: Arc<AtomicBool>,
}

impl Far {
    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&MemoryReplay) -> StoreFuture<Result<T, StoreError>> + Send + 'static,
    ) -> StoreFuture<Result<T, StoreError>> {
        let mut random = self.random.lock().unwrap();
        let lost = || Err(std::io::Error::other("the answer was lost").into());
        let (before, after, is_silent) = (random.millis(300), random.millis(300), random.below(2) == 0);
        let fault = if self.is_well.load(Ordering::SeqCst) { 0 } else { random.below(10) };
        let store = self.store.clone();
        match fault {
            0..=3 => ask(&store),
            4..=5 => StoreFuture::new(async move {
                sleep(before).await;
                let answer = ask(&store).await;
                sleep(after).await;
                answer
            }),
            6 => StoreFuture::new(async move {
                sleep(before).await;
                lost()
            }),
            7 => StoreFuture::new(async move {
                sleep(before).await;
                _ = ask(&store).await;
                if is_silent { pending().await } else { lost() }
            }),
            // Under way, and carried out although nobody waits for it any more.
            _ => {
                let late = tokio::spawn(async move {
                    sleep(before * 10).await;
                    ask(&store).await
                });
                StoreFuture::new(async move { late.await.unwrap() })
            }
        }
    }
}

impl ReplayStore for Far {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let claim = *claim;
        self.ask(move |store| store.claim(&claim))
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        let claim = *claim;
        self.ask(move |store| store.settle(&claim))
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        self.ask(move |store| store.release(key, lease))
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        self.store.remembers_since()
    }
}

/// What the service did with the delivery.
#[derive(Default)]
struct Work {
    running: AtomicUsize,
    processed: AtomicUsize,
}

struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Marks the service's own answers.
#[derive(Clone)]
struct Handled;

impl Work {
    /// Takes its time, and then processes the delivery or does not. A lease is longer than it takes.
    async fn process(&self, time: Duration, is_processed: bool) -> Response<Full<Bytes>> {
        assert_eq!(self.running.fetch_add(1, Ordering::SeqCst), 0, "two at once");
        let _running = Running(&self.running);
        assert_eq!(self.processed.load(Ordering::SeqCst), 0, "once more");
        sleep(time).await;
        let mut response = Response::new(Full::default());
        response.extensions_mut().insert(Handled);
        if is_processed {
            self.processed.fetch_add(1, Ordering::SeqCst);
        } else {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        response
    }

    /// An answer that is not the service's says that the delivery was processed, or that it may come again.
    fn check(&self, response: &Response<LayerBody<Full<Bytes>>>) {
        if response.extensions().get::<Handled>().is_none() && response.status().is_success() {
            assert!(self.processed.load(Ordering::SeqCst) > 0, "acknowledged before it was processed");
        }
    }
}

async fn schedule(seed: u64) {
    let clock = Paused(Instant::now());
    let store = MemoryReplay::builder().clock(clock.clone()).build();
    let (random, is_well) = (Arc::new(Mutex::new(Random(seed))), Arc::new(AtomicBool::new(false)));
    let far = Far { store, random: Arc::clone(&random), is_well: Arc::clone(&is_well) };
    let layer = webhook::layer::<RawBody>().any_content_type().secrets([SECRET]).replay(far).clock(clock);
    let layer = layer.handler_remembers().build().unwrap();
    let work = Arc::new(Work::default());
    let service = {
        let (work, random, is_well) = (Arc::clone(&work), Arc::clone(&random), Arc::clone(&is_well));
        layer.layer(service_fn(move |_: Request<LayerBody<Full<Bytes>>>| {
            let (time, luck) = {
                let mut random = random.lock().unwrap();
                (random.millis(5_000), random.below(3) > 0)
            };
            let (work, is_processed) = (Arc::clone(&work), luck || is_well.load(Ordering::SeqCst));
            async move { Ok::<_, Infallible>(work.process(time, is_processed).await) }
        }))
    };
    let send = move || {
        let call = SigningWebhook::new(SECRET.into()).sign("{}").request("/hook");
        service.clone().oneshot(call.map(|body| Full::new(Bytes::from(body))))
    };
    let clients: Vec<_> = (0..5)
        .map(|_| {
            let mut random = random.lock().unwrap();
            let (begins, patience) = (random.millis(12_000), random.millis(8_000));
            let stays = random.below(2) == 0;
            let (send, work) = (send.clone(), Arc::clone(&work));
            tokio::spawn(async move {
                sleep(begins).await;
                tokio::select! {
                    response = send() => work.check(&response.unwrap()),
                    () = sleep(patience), if !stays => {}
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    // All is well again, and every lease over: the sender's next attempt is processed, or was.
    is_well.store(true, Ordering::SeqCst);
    sleep(Duration::from_secs(60)).await;
    for _ in 0..2 {
        let was_processed = work.processed.load(Ordering::SeqCst) > 0;
        let response = send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.extensions().get::<Handled>().is_none(), was_processed, "lost, or processed twice");
    }
    assert_eq!(work.processed.load(Ordering::SeqCst), 1);
}

/// More of them: `SCHEDULES=600000 cargo test --release --all-features --test engine schedules`.
#[test]
fn a_delivery_is_processed_once_whatever_fails() {
    let asked = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, count) = (asked("FIRST").unwrap_or(0), asked("SCHEDULES").unwrap_or(1_000));
    for seed in first..first + count {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(schedule(seed))));
        assert!(outcome.is_ok(), "schedule {seed}");
    }
}
