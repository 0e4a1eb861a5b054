use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::ends::Ends;
use super::key::TableSecret;
use super::{DenseReplay, Inner, SHARDS};
use crate::clock::{Clock, SystemClock};
use crate::replay::cutoff::Cutoff;
use crate::replay::forever::Forever;
use crate::replay::windows::Windows;

/// Sets up a [`DenseReplay`].
///
/// ```
/// use tower_sso::replay::DenseReplay;
///
/// let replay = DenseReplay::builder().ceiling(20_000_000).build();
/// ```
#[derive(Clone)]
pub struct DenseReplayBuilder {
    ceiling: u64,
    has_cutoff: bool,
    cutoff_margin: Duration,
    clock: Arc<dyn Clock>,
}

impl DenseReplay {
    /// A store to be set up.
    pub fn builder() -> DenseReplayBuilder {
        DenseReplayBuilder {
            ceiling: 10_000_000,
            has_cutoff: true,
            cutoff_margin: Duration::ZERO,
            clock: Arc::new(SystemClock),
        }
    }
}

impl DenseReplayBuilder {
    /// How many live entries it holds at most. Default: 10,000,000, up to 450 MB. Above it layers answer `unavailable`.
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
    /// that share the store: if their clocks differ, dead entries stay longer by the difference.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The store. Its startup cutoff stands at this moment.
    pub fn build(self) -> DenseReplay {
        DenseReplay(Arc::new(Inner {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            secret: TableSecret::default(),
            windows: Windows::default(),
            ends: Ends::new(),
            count: AtomicU64::new(0),
            ceiling: self.ceiling,
            forever: Arc::new(Forever::new(self.ceiling)),
            cutoff: self.has_cutoff.then(|| Cutoff::new(&*self.clock, self.cutoff_margin)),
            made: self.clock.steady(),
            clock: self.clock,
            swept: AtomicU64::new(0),
            next_search: AtomicUsize::new(0),
        }))
    }
}

impl fmt::Debug for DenseReplayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenseReplayBuilder").field("ceiling", &self.ceiling).finish_non_exhaustive()
    }
}
