//! How long something took, for the metrics. Without that feature nothing is measured, so nothing is noted.

#[cfg(feature = "metrics")]
use std::time::{Duration, Instant};

/// When something began.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(#[cfg(feature = "metrics")] Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(
            #[cfg(feature = "metrics")]
            Instant::now(),
        )
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
