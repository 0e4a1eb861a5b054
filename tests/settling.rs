//! What the replay store hears of a call whose request ends in another way than with an answer: once, and that it may come
//! again.
#![cfg(all(feature = "webhook", feature = "sign"))]

use std::convert::Infallible;
use std::future::{Future, Ready, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_sso::clock::UnixTime;
use tower_sso::replay::{Claimed, Hold, ReplayKey, ReplayStore};
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
    /// What is told after a call panics, at the first look at its future.
    SettleBreaks,
    /// What is told of a call that was not carried out panics at once.
    ReleaseBreaks,
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

impl ReplayStore for Store {
    fn claim(&self, _: ReplayKey, _: UnixTime, _: Hold) -> StoreFuture<Result<Claimed, StoreError>> {
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

    fn settle(&self, _: ReplayKey, _: UnixTime, _: UnixTime) -> StoreFuture<Result<(), StoreError>> {
        self.hear("settle");
        match self.habit {
            Habit::SettleBreaks => StoreFuture::new(async { panic!("as it was told to") }),
            _ => StoreFuture::ready(Ok(())),
        }
    }

    fn release(&self, _: ReplayKey, _: Hold) -> StoreFuture<Result<(), StoreError>> {
        self.hear("release");
        assert_eq!(self.claims.load(Ordering::SeqCst), 0, "a claim that is given back is over");
        assert_ne!(self.habit, Habit::ReleaseBreaks, "as it was told to");
        StoreFuture::ready(Ok(()))
    }
}

/// Where an inner service panics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Breaks {
    Nowhere,
    WhenCalled,
    WhenPolled,
}

#[derive(Clone)]
struct Inner(Breaks);

enum Answer {
    There(Ready<Result<Response<()>, Infallible>>),
    Breaks,
}

impl Future for Answer {
    type Output = Result<Response<()>, Infallible>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::There(answer) => answer.poll_unpin(cx),
            Self::Breaks => panic!("as it was told to"),
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
        assert_ne!(self.0, Breaks::WhenCalled, "as it was told to");
        if self.0 == Breaks::WhenPolled { Answer::Breaks } else { Answer::There(ready(Ok(Response::new(())))) }
    }
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
        (Habit::SettleBreaks, Breaks::Nowhere, Err(()), ["claim", "settle"]),
        // Two panics at once would end the process.
        (Habit::ReleaseBreaks, Breaks::WhenCalled, Err(()), ["claim", "release"]),
        (Habit::ReleaseBreaks, Breaks::WhenPolled, Err(()), ["claim", "release"]),
    ] {
        let case = format!("{habit:?}, {inner:?}");
        assert_eq!(send(habit, inner), (outcome, heard.to_vec()), "{case}");
    }
}
