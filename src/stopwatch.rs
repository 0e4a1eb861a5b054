//! How long something took, for the metrics. Without that feature nothing is measured, so nothing is noted.

#[cfg(feature = "metrics")]
use std::time::{Duration, Instant};

/// When something began. `None`: it was over at once, so that a reading of the clock would tell nothing.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(#[cfg(feature = "metrics")] Option<Instant>);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(
            #[cfg(feature = "metrics")]
            Some(Instant::now()),
        )
    }

    pub(crate) fn at_once() -> Self {
        Self(
            #[cfg(feature = "metrics")]
            None,
        )
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn elapsed(self) -> Duration {
        self.0.map_or(Duration::ZERO, |began| began.elapsed())
    }
}
