use std::sync::Arc;
use std::time::Duration;

use super::bench::{Options, check_runtime};
use super::promise::BrokenPromises;
use super::replay_cases as cases;
use super::suite::{Cases, settings};
use crate::debug::opaque_debug;
use crate::replay::ReplayStore;

/// The suite for a replay store. Set it up if need be, then [`run`](ReplaySuite::run) it.
///
/// `make` opens a handle on the store, each time on the same one; it is called once per [node](ReplaySuite::nodes).
///
/// ```no_run
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{replay::MemoryReplay, testing};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let shared = MemoryReplay::new();
/// testing::replay_store(async || shared.clone()).run().await?;
/// # Ok::<(), testing::BrokenPromises>(())
/// # }).unwrap();
/// # }
/// ```
pub fn replay_store<M, S>(make: M) -> ReplaySuite<M>
where
    M: AsyncFn() -> S,
    S: ReplayStore,
{
    ReplaySuite { make, unreachable: None, options: Options::default() }
}

/// The suite's settings for a replay store. Made by [`replay_store`].
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use std::time::Duration;
/// use tower_sso::clock::UnixTime;
/// use tower_sso::replay::{Claim, Claimed, Fingerprint, LeaseId, MemoryReplay, ReplayStore};
/// use tower_sso::store::{StoreError, StoreFuture};
///
/// /// Stands for your store with the address of a port where nobody listens.
/// struct Down;
///
/// impl ReplayStore for Down {
///     fn claim(&self, _: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
///         StoreFuture::ready(Err(StoreError::new("connection refused")))
///     }
///     // …
/// #   fn settle(&self, _: &Claim) -> StoreFuture<Result<(), StoreError>> {
/// #       StoreFuture::ready(Err(StoreError::new("connection refused")))
/// #   }
/// #   fn release(&self, _: Fingerprint, _: LeaseId) -> StoreFuture<Result<(), StoreError>> {
/// #       StoreFuture::ready(Err(StoreError::new("connection refused")))
/// #   }
/// #   fn remembers_since(&self) -> Option<UnixTime> {
/// #       None
/// #   }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let shared = MemoryReplay::new();
/// tower_sso::testing::replay_store(async || shared.clone())
///     .nodes(2)
///     .callers(4)
///     .entries(1_000)
///     .race(Duration::from_millis(500))
///     .lease_margin(Duration::from_secs(1))
///     .patience(Duration::from_secs(2))
///     .unreachable(Down)
///     .run()
///     .await
///     .unwrap();
/// # });
/// # }
/// ```
#[must_use = "the suite does nothing until it is run"]
pub struct ReplaySuite<M> {
    make: M,
    unreachable: Option<Arc<dyn ReplayStore>>,
    options: Options,
}

impl<M> ReplaySuite<M> {
    /// How much longer than asked the store may keep a lease. Default: 5 s. The suite waits that long if it must.
    pub fn lease_margin(mut self, margin: Duration) -> Self {
        self.options.lease_margin = margin;
        self
    }
}

settings!(ReplaySuite for ReplayStore, Cases { first: cases::first, all: cases::all, unreachable: cases::unreachable });

opaque_debug!(ReplaySuite<M> { options });
