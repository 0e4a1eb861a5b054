use std::sync::{Arc, Mutex, PoisonError};

use tower_sso::clock::{Clock, SystemClock, UnixTime};

/// A clock that shows the real time unless one is set.
#[derive(Clone, Default)]
pub(crate) struct SetClock(Arc<Mutex<Option<UnixTime>>>);

impl SetClock {
    pub(crate) fn set(&self, now: Option<f64>) -> Result<(), &'static str> {
        let now = match now {
            Some(seconds) => Some(UnixTime::from_secs_f64(seconds).ok_or("the time is not a number")?),
            None => None,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }
}

impl Clock for SetClock {
    fn now(&self) -> UnixTime {
        let set = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        set.unwrap_or_else(|| SystemClock.now())
    }
}
