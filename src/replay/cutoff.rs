use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, UnixTime};

/// The startup cutoff of a store that forgets when the process ends.
pub(super) struct Cutoff {
    /// When the store was made, in nanoseconds: the latest that the clock has ever told of that moment.
    made: AtomicI64,
    /// The same moment by [`Clock::steady`].
    made_steady: Duration,
    margin: Duration,
}

impl Cutoff {
    pub(super) fn new(clock: &dyn Clock, margin: Duration) -> Self {
        let made_steady = clock.steady();
        Self { made: AtomicI64::new(clock.now().as_nanos()), made_steady, margin }
    }

    /// A clock that was slow when the store was made, and was set right since, now tells a later time of that moment.
    pub(super) fn now(&self, clock: &dyn Clock) -> UnixTime {
        // In this order: a pause between two readings gives an earlier moment, and that is not followed.
        let (now, steady) = clock.now_and_steady();
        let made = now.minus(steady.saturating_sub(self.made_steady)).as_nanos();
        let latest = self.made.load(Ordering::Relaxed);
        // Fast path: no write.
        let latest = if made <= latest { latest } else { self.made.fetch_max(made, Ordering::Relaxed).max(made) };
        UnixTime::from_nanos(latest).plus(self.margin)
    }
}
