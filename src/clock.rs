//! The time of every check: [`Clock`], [`SystemClock`], [`ManualClock`] and their instant, [`UnixTime`].

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A source of the current time.
///
/// A layer makes all checks of one request with one reading.
///
/// ```
/// use tower_sso::clock::{Clock, UnixTime};
///
/// /// A clock that runs five seconds behind another, for a drill.
/// struct Behind<C>(C);
///
/// impl<C: Clock> Clock for Behind<C> {
///     fn now(&self) -> UnixTime {
///         self.0.now().minus(std::time::Duration::from_secs(5))
///     }
/// }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The current time. If it runs backwards, a used link may work again: stores forget what has ended.
    fn now(&self) -> UnixTime;

    /// The current time, where [`now`](Self::now) may not have noticed yet that the clock was set or that the machine
    /// was asleep. Default: `now`.
    ///
    /// A layer asks for it after the replay store's answer: a request that slept with the machine comes too late.
    fn exact(&self) -> UnixTime {
        self.now()
    }

    /// The time since a fixed moment, by a monotonic clock: it runs evenly while [`now`](Self::now) is corrected.
    /// Default: the time since this process first asked.
    ///
    /// The stores in memory use it to find out that the clock was slow when the store was made, and when an ended entry
    /// may be removed. Only a clock for tests needs its own.
    fn steady(&self) -> Duration {
        since_start()
    }

    /// [`now`](Self::now), and then [`steady`](Self::steady). Default: two readings. A clock that tells both by one is
    /// faster: a memory store asks twice per request.
    ///
    /// ```
    /// use tower_sso::clock::{Clock, SystemClock};
    ///
    /// let (now, steady) = SystemClock.now_and_steady();
    /// assert!(SystemClock.now() >= now && SystemClock.steady() >= steady);
    /// ```
    fn now_and_steady(&self) -> (UnixTime, Duration) {
        (self.now(), self.steady())
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }

    fn exact(&self) -> UnixTime {
        (**self).exact()
    }

    fn steady(&self) -> Duration {
        (**self).steady()
    }

    fn now_and_steady(&self) -> (UnixTime, Duration) {
        (**self).now_and_steady()
    }
}

fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// The system's clock, which never runs backwards within a process. This is every layer's default.
///
/// It reads the monotonic clock, and compares it with the wall clock every 10 ms. So it follows a wall clock that is
/// set forward, or that ran on while the machine was asleep, 10 ms later at most.
///
/// If the wall clock is set back, this clock continues from where it was, at the speed of the monotonic clock. A replay
/// store forgets an entry once its window has passed; if time ran backwards, the window could reopen after that. The
/// price: if a clock was an hour fast and is corrected, honest links are refused as expired until the process restarts.
/// Run NTP.
///
/// ```
/// use tower_sso::clock::{Clock, SystemClock};
///
/// let earlier = SystemClock.now();
/// assert!(SystemClock.now() >= earlier);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

static LEAD: Lead = Lead::unknown();

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        self.now_and_steady().0
    }

    fn now_and_steady(&self) -> (UnixTime, Duration) {
        let steady = since_start();
        let elapsed = nanos(steady);
        match LEAD.known(elapsed) {
            Some(lead) => (UnixTime(elapsed.saturating_add(lead)), steady),
            None => (self.exact(), since_start()),
        }
    }

    fn exact(&self) -> UnixTime {
        // Read the wall clock first: a pause between the two readings then makes the lead smaller, and smaller leads
        // are dropped. The other way round, every pause of the process would push this clock ahead for good.
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
        let wall = UnixTime::from(SystemTime::now());
        let elapsed = nanos(since_start());
        UnixTime(elapsed.saturating_add(LEAD.raise(wall.0.saturating_sub(elapsed), elapsed)))
    }
}

/// The wall clock's lead over the monotonic clock, in nanoseconds.
struct Lead {
    greatest: AtomicI64,
    /// When it has to be measured again, by the monotonic clock.
    due: AtomicI64,
}

impl Lead {
    const LASTS: i64 = 10_000_000;

    const fn unknown() -> Self {
        Self { greatest: AtomicI64::new(i64::MIN), due: AtomicI64::new(i64::MIN) }
    }

    /// The greatest lead so far. `None` if it has to be measured now.
    fn known(&self, elapsed: i64) -> Option<i64> {
        // Acquires the lead that was written before this time.
        let due = self.due.load(Ordering::Acquire);
        (elapsed < due).then(|| self.greatest.load(Ordering::Relaxed))
    }

    /// Raises the lead to `seen`, measured at `elapsed`, and returns the greatest lead so far.
    fn raise(&self, seen: i64, elapsed: i64) -> i64 {
        // Fast paths: a plain load avoids cache-line contention.
        let greatest = match self.greatest.load(Ordering::Relaxed) {
            greatest if seen <= greatest => greatest,
            _ => self.greatest.fetch_max(seen, Ordering::Relaxed).max(seen),
        };
        if self.known(elapsed).is_none() {
            self.due.store(elapsed.saturating_add(Self::LASTS), Ordering::Release);
        }
        greatest
    }
}

/// A clock that moves only when told to. For tests: no test needs to sleep.
///
/// Clones share their time.
///
/// ```
/// use std::time::Duration;
/// use tower_sso::clock::{Clock, ManualClock, UnixTime};
///
/// let clock = ManualClock::at(UnixTime::from_secs(1_700_000_000));
/// clock.advance(Duration::from_secs(61));
/// assert_eq!(clock.now(), UnixTime::from_secs(1_700_000_061));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    now: AtomicI64,
    steady: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: UnixTime) -> Self {
        Self(Arc::new(Hands { now: AtomicI64::new(now.0), steady: AtomicI64::new(0) }))
    }

    /// Corrects the clock, as NTP does: no time passes. It may go back, unlike [`SystemClock`].
    pub fn set(&self, now: UnixTime) {
        self.0.now.store(now.0, Ordering::SeqCst);
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
        self.0.steady.store(nanos(self.steady().saturating_add(by)), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.now.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Duration {
        Duration::from_nanos(self.0.steady.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// An instant, in nanoseconds since 1970-01-01T00:00:00Z.
///
/// The arithmetic saturates: no value in a token overflows or panics. The range is from the year 1677 to 2262. An
/// instant beyond it becomes the end of the range, which is "far in the past" or "far in the future" to every window.
///
/// ```
/// use std::time::Duration;
/// use tower_sso::clock::UnixTime;
///
/// assert_eq!(UnixTime::from_secs(u64::MAX), UnixTime::MAX);
/// assert_eq!(UnixTime::MAX.plus(Duration::MAX), UnixTime::MAX);
/// assert_eq!(UnixTime::from_secs(60).as_secs(), 60);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// The last instant; stands for "for ever".
    pub const MAX: Self = Self(i64::MAX);
    /// The first instant.
    pub const MIN: Self = Self(i64::MIN);

    /// The instant `secs` seconds after the epoch, or [`UnixTime::MAX`] if that is out of range.
    pub const fn from_secs(secs: u64) -> Self {
        const MOST: u64 = i64::MAX.unsigned_abs() / NANOS_PER_SECOND.unsigned_abs();
        if secs > MOST {
            return Self::MAX;
        }
        Self(secs.cast_signed() * NANOS_PER_SECOND)
    }

    /// The instant `secs` seconds after the epoch, for fractions and negative numbers. Whole seconds are exact; in this
    /// century a fraction is to some 200 ns, as an `f64` itself. `None` for NaN.
    ///
    /// ```
    /// use tower_sso::clock::UnixTime;
    ///
    /// assert_eq!(UnixTime::from_secs_f64(1.5).map(|t| t.as_nanos()), Some(1_500_000_000));
    /// assert_eq!(UnixTime::from_secs_f64(1_700_000_001.0), Some(UnixTime::from_secs(1_700_000_001)));
    /// assert_eq!(UnixTime::from_secs_f64(f64::NAN), None);
    /// ```
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        const NANOS: f64 = 1e9;
        #[expect(clippy::cast_possible_truncation, reason = "both saturate")]
        let (whole, rest) = (secs as i64, (secs.fract() * NANOS) as i64);
        (!secs.is_nan()).then_some(Self(whole.saturating_mul(NANOS_PER_SECOND).saturating_add(rest)))
    }

    /// The instant `nanos` nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }

    /// This instant rounded down to a whole second.
    pub const fn floor_to_second(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(NANOS_PER_SECOND)))
    }

    /// This instant rounded up to a whole second.
    pub const fn ceil_to_second(self) -> Self {
        let floor = self.floor_to_second();
        if floor.0 == self.0 { floor } else { Self(floor.0.saturating_add(NANOS_PER_SECOND)) }
    }

    /// The instant `by` later.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos(by)))
    }

    /// The instant `by` earlier.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(by)))
    }

    /// How long after `earlier` this instant is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        let nanos = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
    }
}

impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(nanos(after)),
            Err(before) => Self(nanos(before.duration()).saturating_neg()),
        }
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_set_back_does_not_lower_the_lead() {
        let lead = Lead::unknown();
        assert_eq!(lead.raise(1_000, 0), 1_000);
        assert_eq!(lead.raise(400, 1), 1_000, "the wall clock was set back: keep the greatest lead");
        assert_eq!(lead.raise(1_001, 2), 1_001, "a step forward is followed");
    }

    #[test]
    fn a_lead_is_measured_again_after_ten_milliseconds() {
        let (lead, later) = (Lead::unknown(), Lead::LASTS);
        assert_eq!(lead.known(0), None, "it was never measured");
        lead.raise(1_000, 0);
        assert_eq!(lead.known(later - 1), Some(1_000));
        lead.raise(2_000, later - 1);
        assert_eq!(lead.known(later - 1), Some(2_000), "whoever measures earlier is followed by all");
        assert_eq!(lead.known(later), None, "which puts nothing off");
        lead.raise(400, later);
        assert_eq!(lead.known(2 * later - 1), Some(2_000), "the wall clock was set back: keep the greatest lead");
        assert_eq!(lead.known(2 * later), None);
    }

    #[test]
    fn an_arc_passes_each_question_on() {
        struct Fixed;
        impl Clock for Fixed {
            fn now(&self) -> UnixTime {
                UnixTime::from_secs(1)
            }
            fn exact(&self) -> UnixTime {
                UnixTime::from_secs(2)
            }
            fn steady(&self) -> Duration {
                Duration::from_secs(3)
            }
            fn now_and_steady(&self) -> (UnixTime, Duration) {
                (UnixTime::from_secs(4), Duration::from_secs(5))
            }
        }
        let clock: Arc<dyn Clock> = Arc::new(Fixed);
        assert_eq!([clock.now(), clock.exact()], [1, 2].map(UnixTime::from_secs));
        assert_eq!(clock.steady(), Duration::from_secs(3));
        assert_eq!(clock.now_and_steady(), (UnixTime::from_secs(4), Duration::from_secs(5)));
    }

    #[test]
    fn seconds_round_towards_the_past_and_the_future() {
        let half = UnixTime::from_nanos(1_500_000_000);
        assert_eq!(half.floor_to_second(), UnixTime::from_secs(1));
        assert_eq!(half.ceil_to_second(), UnixTime::from_secs(2));
        assert_eq!(UnixTime::from_secs(2).ceil_to_second(), UnixTime::from_secs(2));
        assert_eq!(UnixTime::from_nanos(-1).as_secs(), -1);
        assert_eq!(UnixTime::MIN.floor_to_second(), UnixTime::MIN);
        assert_eq!(UnixTime::MAX.ceil_to_second(), UnixTime::MAX);
    }

    #[test]
    fn since_is_never_negative_and_never_overflows() {
        assert_eq!(UnixTime::MIN.since(UnixTime::MAX), Duration::ZERO);
        assert!(UnixTime::MAX.since(UnixTime::MIN) > Duration::from_secs(1 << 33));
    }
}
