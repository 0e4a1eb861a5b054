//! Shared by key stores and replay stores: [`StoreFuture`], [`StoreError`] and [`StoreFailure`].

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use crate::debug::opaque_debug;

/// A store's answer, which may be ready already.
///
/// A memory store answers at once, without an allocation; a store behind a network boxes its future.
///
/// ```
/// use tower_sso::store::StoreFuture;
///
/// let at_once = StoreFuture::ready(1);
/// let later = StoreFuture::new(async { 2 });
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(at_once.await + later.await, 3);
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct StoreFuture<T>(Inner<T>);

enum Inner<T> {
    Ready(Option<T>),
    Pending(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> StoreFuture<T> {
    /// A ready answer.
    pub fn ready(answer: T) -> Self {
        Self(Inner::Ready(Some(answer)))
    }

    /// An answer to wait for.
    pub fn new(answer: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Inner::Pending(Box::pin(answer)))
    }
}

#[cfg(any(feature = "ticket", feature = "shared-secret"))]
impl<T: Send + 'static> StoreFuture<T> {
    /// Maps the answer, at once if it is ready.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U + Send + 'static) -> StoreFuture<U> {
        match self.0 {
            Inner::Ready(Some(answer)) => StoreFuture::ready(change(answer)),
            waiting => StoreFuture::new(async move { change(Self(waiting).await) }),
        }
    }
}

impl<T> StoreFuture<T> {
    /// Without a context, only an answer that is ready already is returned. Nothing is polled, so this needs no
    /// runtime.
    pub(crate) fn poll_in(&mut self, cx: Option<&mut Context<'_>>) -> Poll<T> {
        let answer = match (&mut self.0, cx) {
            // Polled again after its answer was taken, it stays pending.
            (Inner::Ready(answer), _) => return answer.take().map_or(Poll::Pending, Poll::Ready),
            (Inner::Pending(_), None) => return Poll::Pending,
            (Inner::Pending(answer), Some(cx)) => ready!(answer.as_mut().poll(cx)),
        };
        // The store's work ends here, also if it has timed out: a claim is over before its lease is released.
        self.0 = Inner::Ready(None);
        Poll::Ready(answer)
    }
}

impl<T: Send + 'static> StoreFuture<Result<T, StoreError>> {
    /// The answer, if it comes within this time, and how long it took. Zero if it was ready.
    pub(crate) fn within(self, limit: Duration) -> Within<T> {
        let mut answer = match self.0 {
            Inner::Ready(answer) => return StoreFuture(Inner::Ready(answer.map(|answer| (answer, Duration::ZERO)))),
            Inner::Pending(answer) => answer,
        };
        let (asked, mut timer) = (Instant::now(), None);
        StoreFuture::new(poll_fn(move |cx| {
            let answer = match answer.as_mut().poll(cx) {
                Poll::Ready(answer) => answer,
                Poll::Pending => {
                    // Not made before: there may have been no runtime.
                    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
                    ready!(timer.as_mut().poll(cx));
                    Err(StoreError::timed_out())
                }
            };
            Poll::Ready((answer, asked.elapsed()))
        }))
    }
}

/// A store's answer with a time limit, and how long it took.
pub(crate) type Within<T> = StoreFuture<(Result<T, StoreError>, Duration)>;

// No field is pinned structurally: the pending future has its own box.
impl<T> Unpin for StoreFuture<T> {}

impl<T> Future for StoreFuture<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.poll_in(Some(cx))
    }
}

opaque_debug!(StoreFuture<T>);

/// A store's failure. The request gets 503 `unavailable`; the error's text goes to the log only.
///
/// ```
/// use tower_sso::store::{StoreError, StoreFailure};
///
/// let error = StoreError::from(std::io::Error::other("connection reset"));
/// assert_eq!(error.failure(), StoreFailure::Failed);
/// assert_eq!(StoreError::full().failure(), StoreFailure::Full);
///
/// // `?` turns any error into this one, and this one into that of a `main`.
/// fn start() -> Result<(), Box<dyn std::error::Error>> {
///     Ok(ready()?)
/// }
/// fn ready() -> Result<(), StoreError> {
///     Err(std::io::Error::other("connection reset"))?
/// }
/// assert_eq!(start().unwrap_err().to_string(), "the store failed: connection reset");
/// ```
#[derive(Debug)]
pub struct StoreError {
    failure: StoreFailure,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// The store failed, for this reason.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { failure: StoreFailure::Failed, source: Some(source.into()) }
    }

    /// The store holds as many live entries as it may.
    pub fn full() -> Self {
        Self { failure: StoreFailure::Full, source: None }
    }

    /// The same, with a text for the log that says what fills it.
    #[cfg(any(feature = "moka", feature = "dense-replay"))]
    pub(crate) fn full_of(what: &'static str) -> Self {
        Self { failure: StoreFailure::Full, source: Some(what.into()) }
    }

    /// The store did not answer in time.
    pub fn timed_out() -> Self {
        Self { failure: StoreFailure::TimedOut, source: None }
    }

    /// A copy of the failure for another request that waited for the same call.
    #[cfg(any(feature = "moka", feature = "redis"))]
    pub(crate) fn shared(error: &Self) -> Self {
        Self { failure: error.failure, source: error.source.as_ref().map(|source| source.to_string().into()) }
    }

    /// How it failed.
    pub fn failure(&self) -> StoreFailure {
        self.failure
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "the store {}: {source}", self.failure),
            None => write!(f, "the store {}", self.failure),
        }
    }
}

// It is no `std::error::Error` itself, so that `?` turns any error into one. It turns into a boxed one.
impl<E: Error + Send + Sync + 'static> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

impl From<StoreError> for Box<dyn Error + Send + Sync> {
    fn from(error: StoreError) -> Self {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Failed(StoreError);

        Box::new(Failed(error))
    }
}

// For a `main` that returns `Box<dyn Error>`.
impl From<StoreError> for Box<dyn Error> {
    fn from(error: StoreError) -> Self {
        <Box<dyn Error + Send + Sync>>::from(error)
    }
}

/// How a store failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreFailure {
    /// It answered with an error.
    Failed,
    /// It did not answer in time.
    TimedOut,
    /// It is full.
    Full,
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Full => "is full",
        })
    }
}
