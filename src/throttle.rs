//! Slows down guessing: [`Throttle`] counts wrong guesses per source.
//!
//! For forms that send the secret itself, such as [`shared_secret`](crate#forms-and-partners). A source that sends a
//! wrong one too often gets 429 `too_many_requests` with `Retry-After` for the rest of the window. Other sources are
//! unaffected.
//!
//! A form of your own calls [`Throttle::check`] in `screen`, [`Throttle::attempt`] in `extract`, and
//! [`Attempt::check`] in `verify`, where it also reports the result to the [`Attempt`].

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::request::Parts;
use sha2::{Digest, Sha256};

use crate::clock::{Clock, SystemClock};
use crate::debug::opaque_debug;
use crate::observe;
use crate::rejection::Reason;

/// The source of requests whose guesses are counted together.
///
/// An IPv6 address stands for its /64 network, which one subscriber has. An IPv4-mapped address is the IPv4 address.
///
/// ```
/// use std::net::IpAddr;
/// use tower_sso::throttle::Source;
///
/// let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
/// assert_eq!(source("2001:db8::1"), source("2001:db8::2"));
/// assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
/// assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source(Repr);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Repr {
    Address(IpAddr),
    Name(Arc<str>),
    /// The SHA-256 of a longer name, so that the counts are bounded in bytes.
    Digest([u8; 32]),
}

const LONGEST_NAME: usize = 64;

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        Self(Repr::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address => address,
        }))
    }
}

impl From<SocketAddr> for Source {
    fn from(address: SocketAddr) -> Self {
        address.ip().into()
    }
}

impl From<&str> for Source {
    fn from(name: &str) -> Self {
        Self(if name.len() > LONGEST_NAME {
            Repr::Digest(Sha256::digest(name).into())
        } else {
            Repr::Name(name.into())
        })
    }
}

type By = dyn Fn(&Parts) -> Option<Source> + Send + Sync;

/// Counts wrong guesses per source, in windows of the same length. Clones share the counts.
///
/// - Only wrong guesses count. A source that guesses wrongly shuts out only itself.
/// - A request from an unknown source is not counted: if all of them were one source, one guesser could lock out the
///   others. The first wrong guess without a source is logged at `WARN`.
/// - It counts at most [`capacity`](Self::capacity) sources per window. Further sources are not counted until the next
///   window.
/// - Concurrent requests may exceed the limit by their number.
/// - It counts per process. With `n` processes behind one address, a source has `n` times the guesses.
///
/// ```
/// use std::net::SocketAddr;
/// use axum::extract::ConnectInfo;
/// use tower_sso::throttle::Throttle;
///
/// // For an axum app that is served `into_make_service_with_connect_info::<SocketAddr>()`, without a proxy in front.
/// let throttle = Throttle::by(|head| {
///     let ConnectInfo(peer) = head.extensions.get::<ConnectInfo<SocketAddr>>()?;
///     Some((*peer).into())
/// });
/// ```
// By hand: `governor` counts every attempt, and cannot count the failures alone.
#[derive(Clone)]
pub struct Throttle {
    by: Arc<By>,
    limit: u32,
    window: Duration,
    capacity: usize,
    /// `None`: the layer's clock, or the system's without a layer.
    clock: Option<Arc<dyn Clock>>,
    counts: Arc<Mutex<Counts>>,
    /// Whether it was logged that a wrong guess had no source.
    missed: Arc<AtomicBool>,
}

#[derive(Default)]
struct Counts {
    /// The number of the window since the epoch.
    window: i128,
    wrong: HashMap<Source, u32>,
}

impl Throttle {
    /// Counts by the source that the function finds in a request's head: the peer's address, or the address that the
    /// proxy in front reports. **Do not use a header that the client can set**: an attacker would change it for each
    /// guess.
    pub fn by(source: impl Fn(&Parts) -> Option<Source> + Send + Sync + 'static) -> Self {
        Self {
            by: Arc::new(source),
            limit: 10,
            window: Duration::from_secs(60),
            capacity: 100_000,
            clock: None,
            counts: Arc::default(),
            missed: Arc::default(),
        }
    }

    /// The wrong guesses allowed per source and window. Default: 10. With more, a weak secret is found sooner. With
    /// zero, nobody gets in.
    #[must_use]
    pub fn limit(mut self, wrong_guesses: u32) -> Self {
        self.limit = wrong_guesses;
        self
    }

    /// The length of a window. Default: 60 s. Shorter windows allow more guesses per day. Windows start at multiples of
    /// their length since the epoch, so a source may have its guesses twice around the end of one.
    #[must_use]
    pub fn window(mut self, length: Duration) -> Self {
        self.window = length;
        self
    }

    /// The most sources counted per window. Default: 100,000, about 10 MB. An attacker with more sources guesses freely
    /// from the rest.
    #[must_use]
    pub fn capacity(mut self, sources: usize) -> Self {
        self.capacity = sources;
        self
    }

    /// The clock of the windows. Default: the layer's [`clock`](crate::Builder::clock); [`SystemClock`] without a
    /// layer. Layers that share a throttle need one clock: if their windows differ, each forgets the other's counts.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets the clock unless one was set. A form of your own calls it in [`set_clock`](crate::form::Form::set_clock).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sso::clock::{ManualClock, UnixTime};
    /// use tower_sso::throttle::{Source, Throttle};
    ///
    /// let time = ManualClock::at(UnixTime::from_secs(1_700_000_000));
    /// let throttle = Throttle::by(|_| Some(Source::from("one"))).limit(1).default_clock(time.clone());
    /// let (head, ()) = http::Request::new(()).into_parts();
    /// throttle.attempt(&head)?.wrong();
    /// assert!(throttle.check(&head).is_err());
    /// time.advance(Duration::from_secs(60));
    /// assert!(throttle.check(&head).is_ok());
    /// # Ok::<(), tower_sso::rejection::Reason>(())
    /// ```
    #[must_use]
    pub fn default_clock(mut self, clock: impl Clock) -> Self {
        self.clock.get_or_insert_with(|| Arc::new(clock));
        self
    }

    /// Checks whether the source of this request may guess again.
    ///
    /// # Errors
    /// [`Reason::TooManyGuesses`], with the rest of the window.
    pub fn check(&self, head: &Parts) -> Result<(), Reason> {
        (self.by)(head).map_or(Ok(()), |source| self.check_source(&source))
    }

    /// Starts an attempt by the source of this request. Report the result to it.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn attempt(&self, head: &Parts) -> Result<Attempt, Reason> {
        let source = (self.by)(head);
        if let Some(source) = &source {
            self.check_source(source)?;
        }
        Ok(Attempt { counted: Some((self.clone(), source)), wrong: AtomicBool::new(false) })
    }

    fn check_source(&self, source: &Source) -> Result<(), Reason> {
        self.with_counts(|counts, left| {
            let wrong = counts.wrong.get(source).copied().unwrap_or_default();
            if wrong < self.limit { Ok(()) } else { Err(Reason::TooManyGuesses(left)) }
        })
    }

    fn count(&self, source: Option<&Source>) {
        let Some(source) = source else {
            if !self.missed.swap(true, Ordering::Relaxed) {
                observe::no_source();
            }
            return;
        };
        self.with_counts(|counts, _| {
            if let Some(wrong) = counts.wrong.get_mut(source) {
                *wrong = wrong.saturating_add(1);
            } else if counts.wrong.len() < self.capacity {
                counts.wrong.insert(source.clone(), 1);
            }
        });
    }

    /// Calls the function with the counts of the current window and its remaining time.
    fn with_counts<T>(&self, run: impl FnOnce(&mut Counts, Duration) -> T) -> T {
        // A panic under the lock cannot have left a count half changed.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock is read under the lock, so that no thread uses a time before the others' window.
        let now = self.clock.as_ref().map_or_else(|| SystemClock.now(), Clock::now);
        let now = i128::from(now.as_nanos());
        let length = i128::try_from(self.window.as_nanos()).unwrap_or(i128::MAX).max(1);
        let window = now.div_euclid(length);
        if counts.window != window {
            *counts = Counts { window, wrong: HashMap::new() };
        }
        let left = length - now.rem_euclid(length);
        run(&mut counts, Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX)))
    }
}

opaque_debug!(Throttle { limit, window });

/// One attempt. If it was wrong, it is counted once, on drop.
///
/// ```
/// use tower_sso::throttle::{Source, Throttle};
///
/// let throttle = Throttle::by(|_| Some(Source::from("one"))).limit(1);
/// let (head, ()) = http::Request::new(()).into_parts();
/// let attempt = throttle.attempt(&head)?;
/// attempt.wrong(); // the first of two keys
/// attempt.right(); // the second
/// drop(attempt);
/// assert!(throttle.check(&head).is_ok(), "in the end it was right");
///
/// throttle.attempt(&head)?.wrong();
/// assert!(throttle.check(&head).is_err());
/// # Ok::<(), tower_sso::rejection::Reason>(())
/// ```
#[must_use = "an attempt counts only if it is told that it was wrong"]
pub struct Attempt {
    /// `None`: nothing counts. Without a source, a wrong guess is not counted but missed.
    counted: Option<(Throttle, Option<Source>)>,
    wrong: AtomicBool,
}

impl Attempt {
    /// An attempt that is not counted.
    pub fn uncounted() -> Self {
        Self { counted: None, wrong: AtomicBool::new(false) }
    }

    /// Whether the source may still guess: others of its guesses can have been found wrong while a key store was asked
    /// about this one. Call it in [`verify`](crate::form::Form::verify), before the secret is compared, so that all
    /// guesses beyond the limit get one answer, even a right one.
    ///
    /// ```
    /// use tower_sso::throttle::Attempt;
    ///
    /// assert!(Attempt::uncounted().check().is_ok());
    /// ```
    ///
    /// # Errors
    /// [`Reason::TooManyGuesses`].
    pub fn check(&self) -> Result<(), Reason> {
        match &self.counted {
            Some((throttle, Some(source))) => throttle.check_source(source),
            _ => Ok(()),
        }
    }

    /// The secret sent is not the one tried last.
    pub fn wrong(&self) {
        self.wrong.store(true, Ordering::Relaxed);
    }

    /// The secret sent is right.
    pub fn right(&self) {
        self.wrong.store(false, Ordering::Relaxed);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let (Some((throttle, source)), true) = (&self.counted, self.wrong.load(Ordering::Relaxed)) {
            throttle.count(source.as_ref());
        }
    }
}

opaque_debug!(Attempt { wrong });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_short_however_long_its_name_is() {
        let name = |end: &str| Source::from(&*("x".repeat(300_000) + end));
        assert_eq!(name("a"), name("a"));
        assert_ne!(name("a"), name("b"), "the whole name counts");
        let shown = format!("{:?}", name("a"));
        assert!(shown.len() < 300, "a header of the client's must not fill the counts: {} bytes", shown.len());
        let (longest, digested) = (Source::from(&*"x".repeat(64)), Source::from(&*"x".repeat(65)));
        assert_ne!(longest, digested);
    }
}
