//! The settings of the stores in memory, once for all.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::ReplayStore;
use super::cutoff::Cutoff;
use crate::clock::{Clock, SystemClock};

/// Sets up a store in memory, `MemoryReplay` or `DenseReplay`.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::replay::MemoryReplay;
///
/// let replay = MemoryReplay::builder().ceiling(200_000).build();
/// # }
/// ```
pub struct InMemoryBuilder<S> {
    pub(super) ceiling: u64,
    has_cutoff: bool,
    cutoff_margin: Duration,
    pub(super) clock: Arc<dyn Clock>,
    store: PhantomData<fn() -> S>,
}

impl<S> InMemoryBuilder<S> {
    pub(super) fn new(ceiling: u64) -> Self {
        let clock = Arc::new(SystemClock);
        Self { ceiling, has_cutoff: true, cutoff_margin: Duration::ZERO, clock, store: PhantomData }
    }

    /// How many live entries it holds at most. Default: 1,000,000 for `MemoryReplay`, some 470 MB; 10,000,000 for
    /// `DenseReplay`, up to 460 MB. Above it layers answer `unavailable`.
    ///
    /// Only authentic credentials take an entry, so only partners can fill it.
    #[must_use]
    pub fn ceiling(mut self, entries: u64) -> Self {
        self.ceiling = entries;
        self
    }

    /// By how much a partner's clock may run ahead without a restart opening a gap. Default: zero.
    ///
    /// Honest links are refused for that long after every start.
    #[must_use]
    pub fn cutoff_margin(mut self, margin: Duration) -> Self {
        self.cutoff_margin = margin;
        self
    }

    /// Accepts what was made before the store was. **A link that was used before a restart works once more after it**,
    /// for as long as its window lasts.
    #[must_use]
    pub fn danger_no_startup_cutoff(mut self) -> Self {
        self.has_cutoff = false;
        self
    }

    /// The clock that tells when the store and its entries were made. Default: [`SystemClock`]. Give it to all layers
    /// that share the store: if one layer's clock is more than a minute behind another's, a used link may work again
    /// there.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    pub(super) fn cutoff(&self) -> Option<Cutoff> {
        self.has_cutoff.then(|| Cutoff::new(&*self.clock, self.cutoff_margin))
    }
}

/// Waits until the store refuses no honest link for its age.
pub(super) async fn open(store: &impl ReplayStore, clock: &dyn Clock) {
    if let Some(cutoff) = store.remembers_since() {
        tokio::time::sleep(cutoff.ceil_to_second().since(clock.now())).await;
    }
}

impl<S> Clone for InMemoryBuilder<S> {
    fn clone(&self) -> Self {
        Self { clock: Arc::clone(&self.clock), ..*self }
    }
}

impl<S> fmt::Debug for InMemoryBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryBuilder").field("ceiling", &self.ceiling).finish_non_exhaustive()
    }
}
