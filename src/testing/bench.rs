//! Shared by both suites: handles, unique keys, calls with a time limit, concurrent calls.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::yield_now;

use super::promise::{Broken, Promise};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::rejection::StoreFailure;
use crate::store::{StoreError, StoreFuture};

/// The pause between two polls of a store whose answer should change by itself, to spare a server.
pub(super) const POLL_EVERY: Duration = Duration::from_millis(5);

/// How late a call may arrive after the instant that it names and still must find the entry.
pub(super) const STRAGGLER: Duration = Duration::from_millis(200);

/// A hold that no case outlives.
pub(super) const LONG: Duration = Duration::from_secs(600);

pub(super) fn now() -> UnixTime {
    SystemClock.now()
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) nodes: usize,
    pub(super) callers: usize,
    pub(super) rounds: usize,
    pub(super) entries: usize,
    pub(super) patience: Duration,
    pub(super) lease_margin: Duration,
    pub(super) race: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 3,
            callers: 8,
            rounds: 100,
            entries: 20_000,
            patience: Duration::from_secs(5),
            lease_margin: Duration::from_secs(5),
            race: Duration::from_secs(1),
        }
    }
}

pub(super) struct Bench<S: ?Sized> {
    nodes: Vec<Arc<S>>,
    pub(super) options: Options,
    seed: [u8; 32],
    next: AtomicUsize,
}

impl<S: ?Sized> Bench<S> {
    /// `nodes` is not empty.
    pub(super) fn new(nodes: Vec<Arc<S>>, options: Options) -> Result<Arc<Self>, Broken> {
        let mut seed = [0; 32];
        if let Err(error) = getrandom::fill(&mut seed) {
            return Err(Broken::new(Promise::SetUp, "random bytes from the system", error));
        }
        Ok(Arc::new(Self { nodes, options, seed, next: AtomicUsize::new(0) }))
    }

    /// One of the handles, in turn.
    pub(super) fn node(&self, number: usize) -> &S {
        #[expect(clippy::indexing_slicing, reason = "a remainder is less than what divides")]
        &self.nodes[number % self.nodes.len()]
    }

    /// A digest that no other call or run uses.
    pub(super) fn fresh(&self) -> [u8; 32] {
        numbered(self.seed, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// How many calls go out at once.
    pub(super) fn crowd(&self) -> usize {
        self.nodes.len() * self.options.callers
    }

    pub(super) async fn within<T>(&self, call: StoreFuture<Result<T, StoreError>>) -> Answer<T> {
        let patience = self.options.patience;
        match tokio::time::timeout(patience, call).await {
            Ok(answer) => answer.map_err(Failure::Store),
            Err(_) => Err(Failure::Silent(patience)),
        }
    }
}

/// A store's answer, or its failure.
pub(super) type Answer<T> = Result<T, Failure>;

pub(super) enum Failure {
    Store(StoreError),
    Silent(Duration),
    Panicked,
}

impl Failure {
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Store(error) if error.failure() == StoreFailure::Full)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "an error ({error})"),
            Self::Silent(patience) => write!(f, "no answer within {patience:?}"),
            Self::Panicked => f.write_str("a panic (its message is in the test's output)"),
        }
    }
}

/// An answer as text, for reports and counts.
pub(super) fn words<T: fmt::Debug>(answer: &Answer<T>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(failure) => failure.to_string(),
    }
}

/// Breaks the promise unless the answer is one of those expected.
pub(super) fn must<T: fmt::Debug + PartialEq>(
    promise: Promise,
    when: &str,
    expected: &[T],
    seen: Answer<T>,
) -> Result<T, Broken> {
    match seen {
        Ok(answer) if expected.contains(&answer) => Ok(answer),
        seen => {
            let expected: Vec<_> = expected.iter().map(|one| format!("{one:?}")).collect();
            Err(Broken::new(promise, format_args!("{} for {when}", expected.join(" or ")), words(&seen)))
        }
    }
}

/// Breaks the promise unless there is an answer.
pub(super) fn answered<T>(promise: Promise, what: &str, seen: Answer<T>) -> Result<T, Broken> {
    seen.map_err(|failure| Broken::new(promise, format_args!("{what} succeeds"), failure))
}

/// Breaks the promise unless a store without its database fails within the limit.
pub(super) fn must_fail<T: fmt::Debug>(call: &str, seen: Answer<T>) -> Result<(), Broken> {
    match seen {
        Err(Failure::Store(_)) => Ok(()),
        seen => {
            let expected = format_args!("an error from {call}, as the store is unreachable").to_string();
            Err(Broken::new(Promise::FailsClosed, expected, words(&seen)))
        }
    }
}

/// The digest with this number. `seed` must be used for nothing else.
pub(super) fn numbered(seed: [u8; 32], number: usize) -> [u8; 32] {
    Sha256::new().chain_update(seed).chain_update((number as u64).to_be_bytes()).finalize().into()
}

/// The 256 digests that differ from this one in one bit.
pub(super) fn neighbours(digest: [u8; 32]) -> Vec<[u8; 32]> {
    let flip = |bit: usize| {
        let mut digest = digest;
        digest.iter_mut().skip(bit / 8).take(1).for_each(|byte| *byte ^= 1 << (bit % 8));
        digest
    };
    (0..256).map(flip).collect()
}

/// Runs the futures concurrently, each as its own task.
pub(super) async fn at_once<T, F>(calls: impl IntoIterator<Item = F>) -> Vec<Answer<T>>
where
    T: Send + 'static,
    F: Future<Output = Answer<T>> + Send + 'static,
{
    let tasks: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await.unwrap_or(Err(Failure::Panicked)));
    }
    answers
}

/// How many calls got which answer.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<String, usize>);

impl Tally {
    pub(super) fn of<T: fmt::Debug>(answers: &[Answer<T>]) -> Self {
        let mut tally = Self::default();
        answers.iter().for_each(|answer| *tally.0.entry(words(answer)).or_default() += 1);
        tally
    }

    pub(super) fn count(&self, words: &str) -> usize {
        self.0.get(words).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> = self.0.iter().map(|(words, count)| format!("{count} × {words}")).collect();
        f.write_str(&counts.join(", "))
    }
}

/// Polls a call so many times, yielding in between, and drops it. Returns the answer if there was one by then.
pub(super) async fn dropped_after<T>(polls: usize, mut call: StoreFuture<T>) -> Option<T> {
    for _ in 0..polls {
        let polled = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut call).poll(cx))).await;
        if let Poll::Ready(answer) = polled {
            return Some(answer);
        }
        yield_now().await;
    }
    None
}

/// With one thread, a check and an immediate write would look atomic.
pub(super) fn check_runtime() -> Result<(), Broken> {
    let expected = "a tokio runtime with several threads";
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => Ok(()),
        Ok(flavor) => Err(Broken::new(Promise::SetUp, expected, format_args!("{flavor:?}"))),
        Err(error) => Err(Broken::new(Promise::SetUp, expected, error)),
    }
}

/// A case: what it tests, and its run.
pub(super) type Case = (Promise, Pin<Box<dyn Future<Output = Result<(), Broken>> + Send>>);

/// Runs every case, even after failures.
pub(super) async fn run_all(cases: Vec<Case>) -> Vec<Broken> {
    let mut broken = Vec::new();
    for (promise, case) in cases {
        // As a task, so that a panic in the store ends its case and not the suite.
        let outcome = tokio::spawn(case).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Broken::new(promise, "no panic", Failure::Panicked)));
        broken.extend(outcome.err());
    }
    broken
}
