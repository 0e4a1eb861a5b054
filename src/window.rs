//! When a credential may be used: [`Window`] is a layer's setting, [`Validity`] the result for one credential.

use std::fmt::{self, Display};
use std::time::Duration;

use crate::ConfigProblem;
use crate::clock::UnixTime;
use crate::rejection::{Facts, Reason};

/// The longest time that a layer's settings may add to a credential's own times.
pub(crate) const LONGEST: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// The longest time for which a sender's retries are recognised.
const LONGEST_RETRIES: Duration = Duration::from_secs(90 * 24 * 60 * 60);

pub(crate) fn check_retried_for(time: Duration) -> Result<(), ConfigProblem> {
    if time <= LONGEST_RETRIES {
        return Ok(());
    }
    Err(ConfigProblem::setting(
        "retried_for",
        "is more than 90 days, and each event takes room in the store for so long: no sender retries like that",
    ))
}

/// How far the clock may be from a credential's timestamp.
///
/// ```
/// use std::time::Duration;
/// use tower_sso::window::Window;
///
/// let window = Window { max_age: Duration::from_secs(60), clock_skew: Duration::from_secs(5) };
/// assert_eq!(window.length(), Duration::from_secs(65));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The maximum age of a credential, inclusive. A stolen link works for that long.
    pub max_age: Duration,
    /// How far in the future its timestamp may be, inclusive: how far the partner's clock may run ahead of ours.
    pub clock_skew: Duration,
}

impl Window {
    /// The time from the first to the last instant at which one credential with an exact timestamp is accepted. One
    /// whose timestamp is in whole seconds gets the rest of its last second too.
    pub fn length(&self) -> Duration {
        self.max_age.saturating_add(self.clock_skew)
    }

    /// At most 31 days each way, because used credentials are remembered for that long.
    pub(crate) fn check(&self) -> Result<(), ConfigProblem> {
        for (setting, time) in [("max_age", self.max_age), ("clock_skew", self.clock_skew)] {
            if time > LONGEST {
                let problem = "is more than 31 days: a used credential would have to be remembered for as long";
                return Err(ConfigProblem::setting(setting, problem));
            }
        }
        Ok(())
    }
}

/// The instants between which one credential is accepted, both inclusive.
///
/// The time check and the replay store use this one value: a claimed credential is remembered until
/// [`Validity::not_after`] at least, so there is no instant at which it is forgotten and still accepted.
///
/// ```
/// use std::time::Duration;
/// use tower_sso::clock::UnixTime;
/// use tower_sso::window::{Validity, Window};
///
/// let window = Window { max_age: Duration::from_secs(60), clock_skew: Duration::from_secs(5) };
/// let validity = Validity::around(UnixTime::from_secs(1_000), &window);
/// assert!(validity.check(UnixTime::from_secs(1_060)).is_ok());
/// assert!(validity.check(UnixTime::from_secs(1_061)).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    issued_at: Option<UnixTime>,
    usable_since: Option<UnixTime>,
    not_before: UnixTime,
    not_after: UnixTime,
    window: Duration,
    remembered_until: UnixTime,
}

impl Validity {
    /// A credential with an exact timestamp.
    pub fn around(issued_at: UnixTime, window: &Window) -> Self {
        let not_after = issued_at.plus(window.max_age);
        Self {
            issued_at: Some(issued_at),
            usable_since: Some(issued_at),
            not_before: issued_at.minus(window.clock_skew),
            not_after,
            window: window.max_age,
            remembered_until: not_after,
        }
    }

    /// A credential whose timestamp is in whole seconds. It names a second, so the clock is compared in whole seconds
    /// too. At `max_age` = 60 s it is valid until the end of its sixtieth second.
    pub fn around_second(issued_at: UnixTime, window: &Window) -> Self {
        const REST_OF_SECOND: Duration = Duration::from_nanos(999_999_999);
        let exact = Self::around(issued_at, window);
        let not_after = exact.not_after.plus(REST_OF_SECOND);
        Self { not_after, remembered_until: not_after, ..exact }
    }

    /// A credential with its own start and end, which the layer extends by this leeway on either side. Without a start
    /// or end, pass [`UnixTime::MIN`] or [`UnixTime::MAX`].
    ///
    /// It can have been used since `issued_at` or, without one, since its start.
    ///
    /// Start and end are what the partner wrote. If a setting makes the end, such as a largest age added to
    /// `issued_at`, take [`around`](Self::around) or call [`remembered_until`](Self::remembered_until): a layer that
    /// allows a greater age would accept what another one has used and forgotten.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sso::clock::UnixTime;
    /// use tower_sso::window::Validity;
    ///
    /// let (start, end) = (UnixTime::from_secs(1_000), UnixTime::from_secs(1_600));
    /// let validity = Validity::between(None, start, end, Duration::from_secs(60));
    /// assert_eq!(validity.not_after(), UnixTime::from_secs(1_660));
    /// assert_eq!(validity.usable_since(), Some(UnixTime::from_secs(940)));
    /// ```
    pub fn between(issued_at: Option<UnixTime>, start: UnixTime, end: UnixTime, leeway: Duration) -> Self {
        let (not_before, not_after) = (start.minus(leeway), end.plus(leeway));
        let starts = Some(not_before).filter(|_| start != UnixTime::MIN);
        let usable_since = issued_at.or(starts);
        Self { issued_at, usable_since, not_before, not_after, window: leeway, remembered_until: not_after }
    }

    /// A credential without any time, accepted for ever.
    pub fn unlimited() -> Self {
        Self {
            issued_at: None,
            usable_since: None,
            not_before: UnixTime::MIN,
            not_after: UnixTime::MAX,
            window: Duration::ZERO,
            remembered_until: UnixTime::MAX,
        }
    }

    /// This one, and accepted only while the other one is, too. It is remembered for as long as this one.
    pub(crate) fn narrowed(self, other: &Self) -> Self {
        let (not_before, not_after) = (self.not_before.max(other.not_before), self.not_after.min(other.not_after));
        // Its age is that of the partner's own time, if there is one: this one's was made here.
        Self { not_before, not_after, issued_at: other.issued_at.or(self.issued_at), ..self }
    }

    /// Sets the first instant at which it can have been used.
    #[must_use]
    pub fn usable_from(self, instant: UnixTime) -> Self {
        Self { usable_since: Some(instant), ..self }
    }

    /// Sets how long it is remembered, if not until its end: until `instant`. The last `window` of that time comes from
    /// the layer's settings, and must be the same for all credentials of a layer.
    #[must_use]
    pub fn remembered_until(self, instant: UnixTime, window: Duration) -> Self {
        Self { remembered_until: instant.max(self.not_after), window, ..self }
    }

    /// The time written in the credential, if it has one.
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.issued_at
    }

    /// The first instant at which it can have been used, by its own times. `None` if unknown: a store that has
    /// forgotten then admits it only if the form [survives that](crate::form::Rules::survives_restart).
    pub fn usable_since(&self) -> Option<UnixTime> {
        self.usable_since
    }

    /// The part of its lifetime after its own time that comes from the layer's settings, such as `max_age` or a leeway:
    /// the same for all credentials of a layer. Not included are the skew before its own time, the rest of its last
    /// second, and the `store_timeout` that [`Terms::window`](crate::replay::Terms::window) adds.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// Until when it is remembered once it is used, inclusive.
    pub(crate) fn hold_until(&self) -> UnixTime {
        self.remembered_until
    }

    /// The first instant at which it is accepted.
    pub fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// The last instant at which it is accepted.
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// Whether the credential is accepted at `now`.
    ///
    /// # Errors
    /// [`Reason::Expired`] and [`Reason::NotYetValid`].
    pub fn check(&self, now: UnixTime) -> Result<(), Reason> {
        if now > self.not_after {
            return Err(Reason::Expired);
        }
        if now < self.not_before {
            return Err(Reason::NotYetValid);
        }
        Ok(())
    }

    /// The age in seconds, negative if it is from the future. `None` if it has no time of its own.
    pub(crate) fn age(&self, now: UnixTime) -> Option<f64> {
        self.issued_at.map(|issued_at| now.since(issued_at).as_secs_f64() - issued_at.since(now).as_secs_f64())
    }

    /// How far `now` is from the instants at which it is accepted.
    pub(crate) fn compared_with(&self, now: UnixTime) -> Facts {
        let mut facts = Facts::new();
        match self.issued_at {
            Some(issued_at) => {
                facts.add("age", seconds(now, issued_at));
                facts.add("oldest", seconds(self.not_after, issued_at));
                facts.add("ahead_at_most", seconds(issued_at, self.not_before));
                if let Some(hint) = unit_hint(issued_at) {
                    facts.add("hint", hint);
                }
            }
            None => {
                facts.add("until_start", seconds(self.not_before, now));
                facts.add("since_end", seconds(now, self.not_after));
            }
        }
        facts
    }
}

/// The difference in whole seconds, negative if the first is earlier.
fn seconds(later: UnixTime, earlier: UnixTime) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{} s", later.as_secs().saturating_sub(earlier.as_secs())))
}

/// What a time looks like that is decades away from now.
fn unit_hint(time: UnixTime) -> Option<&'static str> {
    match time.as_secs() {
        // Of the year 2200 on.
        7_258_118_400.. => Some("the time looks like milliseconds, and is read as seconds"),
        // Until May 1970.
        1..10_000_000 => Some("the time looks like seconds, and is read as milliseconds"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { max_age: Duration::from_secs(60), clock_skew: Duration::from_secs(5) };
    const HALF: u64 = 500_000_000;

    fn at(secs: u64, nanos: u64) -> UnixTime {
        UnixTime::from_secs(secs).plus(Duration::from_nanos(nanos))
    }

    #[test]
    fn boundaries() {
        let exact = Validity::around(at(1_000, 0), &WINDOW);
        let second = Validity::around_second(at(1_000, 0), &WINDOW);
        for (validity, now, expected, why) in [
            (exact, at(995, 0), Ok(()), "skew is inclusive"),
            (exact, at(994, 999_999_999), Err(Reason::NotYetValid), "a nanosecond before the skew"),
            (exact, at(1_060, 0), Ok(()), "max_age is inclusive"),
            (exact, at(1_060, 1), Err(Reason::Expired), "a nanosecond after max_age"),
            (second, at(995, 0), Ok(()), "skew is inclusive"),
            (second, at(994, 999_999_999), Err(Reason::NotYetValid), "that second is 994"),
            (second, at(1_060, HALF), Ok(()), "still the sixtieth second"),
            (second, at(1_061, 0), Err(Reason::Expired), "the sixty-first second"),
            (Validity::unlimited(), UnixTime::MAX, Ok(()), "no time, no end"),
            (Validity::unlimited(), UnixTime::MIN, Ok(()), "no time, no start"),
        ] {
            assert_eq!(validity.check(now), expected, "{why}");
        }
    }

    #[test]
    fn a_narrowed_one_has_the_age_that_the_partner_states() {
        let nonce = Validity::between(Some(at(1_000, 0)), at(1_000, 0), at(1_600, 0), Duration::ZERO);
        let token = Validity::around(at(1_300, 0), &WINDOW);
        let narrowed = nonce.narrowed(&token);
        assert_eq!((narrowed.issued_at(), narrowed.usable_since()), (token.issued_at(), nonce.usable_since()));
        assert_eq!((narrowed.not_before(), narrowed.not_after()), (at(1_295, 0), at(1_360, 0)));
        assert_eq!(nonce.narrowed(&Validity::unlimited()).issued_at(), nonce.issued_at());
    }

    #[test]
    fn extreme_timestamps_saturate() {
        let window = Window { max_age: Duration::MAX, clock_skew: Duration::MAX };
        assert_eq!(Validity::around_second(UnixTime::MAX, &window).not_after(), UnixTime::MAX);
        assert_eq!(Validity::around_second(UnixTime::MIN, &window).not_before(), UnixTime::MIN);
    }
}
