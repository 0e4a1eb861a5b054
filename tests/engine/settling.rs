//! If a request ends without an answer, the replay store is told once: the delivery may be repeated.

use std::convert::Infallible;
use std::future::{Future, Ready, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::replay::{Claim, Claimed, Fingerprint, LeaseId, MemoryReplay, ReplayStore};
use tower_sso::sign::SigningWebhook;
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::webhook::{self, RawBody};

const SECRET: &str = "shared-with-the-sender";

/// What a store does besides what it is asked to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Habit {
    None,
    /// A claim never ends.
    ClaimWaits,
    /// A release begins when its future is looked at, as that of an `async` block does.
    ReleaseIsLazy,
    /// A release fails.
    ReleaseFails,
    /// What is told after a call panics, at the first look at its future.
    SettleBreaks,
    /// What is told of a call that was not carried out panics at once.
    ReleaseBreaks,
    /// So that whoever lets go of the panic panics too.
    ReleaseBreaksTwice,
}

#[derive(Clone)]
struct Store {
    habit: Habit,
    heard: Arc<Mutex<Vec<&'static str>>>,
    claims: Arc<AtomicUsize>,
}

impl Store {
    fn with(habit: Habit) -> Self {
        Self { habit, heard: Arc::default(), claims: Arc::default() }
    }

    fn hear(&self, what: &'static str) {
        self.heard.lock().unwrap().push(what);
    }

    fn heard(&self) -> Vec<&'static str> {
        self.heard.lock().unwrap().clone()
    }
}

/// A claim that is under way, as long as its future is there.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Breaking;

impl Drop for Breaking {
    fn drop(&mut self) {
        panic!("as it was told to");
    }
}

impl ReplayStore for Store {
    fn claim(&self, _: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        self.hear("claim");
        if self.habit != Habit::ClaimWaits {
            return StoreFuture::ready(Ok(Claimed::First));
        }
        self.claims.fetch_add(1, Ordering::SeqCst);
        let under_way = UnderWay(Arc::clone(&self.claims));
        StoreFuture::new(async move {
            let _under_way = under_way;
            pending().await
        })
    }

    fn settle(&self, _: &Claim) -> StoreFuture<Result<(), StoreError>> {
        self.hear("settle");
        match self.habit {
            Habit::SettleBreaks => StoreFuture::new(async { panic!("as it was told to") }),
            _ => StoreFuture::ready(Ok(())),
        }
    }

    fn release(&self, _: Fingerprint, _: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        if self.habit == Habit::ReleaseIsLazy {
            let this = self.clone();
            return StoreFuture::new(async move {
                this.hear("release");
                Ok(())
            });
        }
        let is_over = self.claims.load(Ordering::SeqCst) == 0;
        self.hear(if is_over { "release" } else { "release of a claim that is under way" });
        match self.habit {
            Habit::ReleaseBreaks => panic!("as it was told to"),
            Habit::ReleaseBreaksTwice => std::panic::panic_any(Breaking),
            Habit::ReleaseFails => StoreFuture::ready(Err(StoreError::new("as it was told to"))),
            _ => StoreFuture::ready(Ok(())),
        }
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}

/// Where an inner service panics, or does not end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Breaks {
    Nowhere,
    WhenCalled,
    WhenPolled,
    /// It does not: its answer has room for no more headers, which makes `http` panic.
    Later,
    /// It does not: it never answers.
    Never,
}

#[derive(Clone)]
struct Inner(Breaks);

enum Answer {
    There(Ready<Result<Response<()>, Infallible>>),
    Breaks,
    Never,
}

impl Future for Answer {
    type Output = Result<Response<()>, Infallible>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::There(answer) => answer.poll_unpin(cx),
            Self::Breaks => panic!("as it was told to"),
            Self::Never => Poll::Pending,
        }
    }
}

impl<B> Service<Request<B>> for Inner {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Answer {
        let mut response = Response::new(());
        match self.0 {
            Breaks::Nowhere => {}
            Breaks::WhenCalled => panic!("as it was told to"),
            Breaks::WhenPolled => return Answer::Breaks,
            Breaks::Later => fill(response.headers_mut()),
            Breaks::Never => return Answer::Never,
        }
        Answer::There(ready(Ok(response)))
    }
}

fn fill(headers: &mut HeaderMap) {
    let mut names = (0..).map(|n| HeaderName::try_from(format!("x-{n}")).unwrap());
    while names.next().is_some_and(|name| headers.try_insert(name, HeaderValue::from_static("")).is_ok()) {}
}

fn call() -> Request<Full<Bytes>> {
    let call = SigningWebhook::new(SECRET.into()).sign("{}".to_owned()).request("/calls");
    call.map(|body| Full::new(body.into()))
}

/// Sends a call, looks at its answer once, and lets go of it: the answer, if there was one, and what the store heard.
fn send(habit: Habit, inner: Breaks) -> (Result<Poll<()>, ()>, Vec<&'static str>) {
    let store = Store::with(habit);
    let layer = webhook::layer::<RawBody>().secrets([SECRET]).replay(store.clone()).handler_remembers();
    let mut service = layer.build().unwrap().layer(Inner(inner));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let answer = pin!(service.call(call()));
        answer.poll(&mut Context::from_waker(Waker::noop())).map(drop)
    }));
    (outcome.map_err(drop), store.heard())
}

#[tokio::test]
async fn the_store_hears_of_every_call_once() {
    let there = Ok(Poll::Ready(()));
    for (habit, inner, outcome, heard) in [
        (Habit::None, Breaks::Nowhere, there, ["claim", "settle"]),
        (Habit::None, Breaks::WhenCalled, Err(()), ["claim", "release"]),
        (Habit::None, Breaks::WhenPolled, Err(()), ["claim", "release"]),
        (Habit::ClaimWaits, Breaks::Nowhere, Ok(Poll::Pending), ["claim", "release"]),
        // It was carried out: whether the store knows or not, it is not given back.
        (Habit::SettleBreaks, Breaks::Nowhere, there, ["claim", "settle"]),
        // Two panics at once would end the process.
        (Habit::ReleaseBreaks, Breaks::WhenCalled, Err(()), ["claim", "release"]),
        (Habit::ReleaseBreaks, Breaks::WhenPolled, Err(()), ["claim", "release"]),
        (Habit::ReleaseBreaksTwice, Breaks::WhenPolled, Err(()), ["claim", "release"]),
        // It was carried out, whatever becomes of its answer.
        (Habit::None, Breaks::Later, Err(()), ["claim", "settle"]),
    ] {
        let case = format!("{habit:?}, {inner:?}");
        assert_eq!(send(habit, inner), (outcome, heard.to_vec()), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_timed_out_is_over_before_it_is_given_back() {
    let store = Store::with(Habit::ClaimWaits);
    let layer = webhook::layer::<RawBody>().secrets([SECRET]).replay(store.clone()).handler_remembers();
    let answer = layer.build().unwrap().layer(Inner(Breaks::Nowhere)).call(call()).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(store.heard(), ["claim", "release"]);
}

/// Fails to settle as often as it is told to, or is silent instead.
#[derive(Clone)]
struct Unreliable {
    store: MemoryReplay,
    failures: Arc<AtomicUsize>,
    how: Fails,
}

#[derive(Clone, Copy, Debug)]
enum Fails {
    Says,
    IsSilent,
    /// The first time it says so.
    ThenPanics,
}

impl ReplayStore for Unreliable {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        self.store.claim(claim)
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        let left = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match (left, self.how) {
            (Err(_), _) => self.store.settle(claim),
            (Ok(1), Fails::ThenPanics) => panic!("as it was told to"),
            (Ok(_), Fails::Says | Fails::ThenPanics) => StoreFuture::ready(Err(StoreError::new("down for a moment"))),
            (Ok(_), Fails::IsSilent) => StoreFuture::new(pending()),
        }
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        self.store.release(key, lease)
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        self.store.remembers_since()
    }
}

/// The sender has its answer and will not repeat the delivery, but an attacker who captured it might.
#[tokio::test(start_paused = true)]
async fn a_call_that_was_carried_out_is_settled_however_often_that_fails() {
    for (failures, how) in
        [(1, Fails::Says), (5, Fails::Says), (1, Fails::IsSilent), (3, Fails::IsSilent), (2, Fails::ThenPanics)]
    {
        let store = Unreliable { store: MemoryReplay::new(), failures: Arc::new(AtomicUsize::new(failures)), how };
        let clock = ManualClock::at(UnixTime::from_secs(1_700_000_000));
        let layer = webhook::layer::<RawBody>().secrets([SECRET]).replay(store.clone()).handler_remembers();
        let mut service = layer.clock(clock.clone()).build().unwrap().layer(Inner(Breaks::Nowhere));
        let answer = service.call(call()).await.unwrap();
        assert_eq!(answer.status(), 200);
        // The retries run while the lease and the store's time limit last; then both are over.
        tokio::time::sleep(Duration::from_secs(30)).await;
        clock.advance(Duration::from_secs(33));
        let copy = SigningWebhook::new(SECRET.into()).sign("{}".to_owned()).request("/calls");
        let layer = webhook::layer::<RawBody>().secrets([SECRET]).replay(store).handler_remembers().clock(clock);
        let mut never = layer.build().unwrap().layer(Inner(Breaks::WhenCalled));
        let copy = never.call(copy.map(|body| Full::new(Bytes::from(body)))).await.unwrap();
        assert_eq!(copy.status(), 200, "acknowledged, after {failures} failures, {how:?}");
    }
}

#[test]
fn without_a_runtime_the_store_is_told_too() {
    for habit in [Habit::None, Habit::ReleaseIsLazy] {
        let (outcome, heard) = send(habit, Breaks::Never);
        assert_eq!((outcome, &heard[..]), (Ok(Poll::Pending), &["claim", "release"][..]), "{habit:?}");
    }
}

/// A log without room for more: it panics.
struct FullLog;

impl tracing::Subscriber for FullLog {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        assert_ne!(*event.metadata().level(), tracing::Level::WARN, "there is no room for more");
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn a_log_that_panics_does_not_end_the_process() {
    // Or the log line may be lost, and nothing panics.
    crate::support::log::subscribe();
    let _log = tracing::subscriber::set_default(FullLog);
    for habit in [Habit::ReleaseFails, Habit::ReleaseBreaks] {
        let expected = (Err(()), vec!["claim", "release"]);
        assert_eq!(send(habit, Breaks::WhenPolled), expected, "{habit:?}");
    }
}
