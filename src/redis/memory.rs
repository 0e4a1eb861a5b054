//! A node's knowledge of the server's memory: how far back it reaches, and whether the server's clock has jumped.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::UnixTime;

/// The state of the server's memory, which is part of every answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// Credentials usable before this time may have been used. By the clock of the node that raised the cutoff.
    pub(super) cutoff: UnixTime,
    /// When the cutoff was raised, in microseconds by the server's clock. Identifies the memory.
    pub(super) raised: i64,
    /// The server's clock now, in microseconds.
    pub(super) time: i64,
}

/// Applies even if `clock_skew` is lower: no two clocks run exactly alike.
const LEAST_SKEW: Duration = Duration::from_millis(100);

/// A node's view of the cutoff.
///
/// The server's cutoff counts, however high it is, and the node follows it down when it is raised again from a lower
/// clock. But the node that raised it may have a clock that is too far behind. So each node also computes the cutoff
/// itself: its own clock minus the time since the server's cutoff was raised. That result is capped, so that a fast
/// clock of this node does not lock it out.
pub(super) struct Witness {
    skew: Duration,
    margin: Duration,
    began: Instant,
    seen: Mutex<Seen>,
}

struct Seen {
    raised: i64,
    shared: UnixTime,
    /// The cutoff computed by this node's clock.
    reckoned: UnixTime,
    /// The server's clock minus this process's, in microseconds: the minimum since this node last tried to raise the
    /// cutoff.
    lead: Option<i64>,
}

impl Witness {
    pub(super) fn new(skew: Duration, margin: Duration) -> Self {
        let seen = Seen { raised: i64::MIN, shared: UnixTime::MIN, reckoned: UnixTime::MIN, lead: None };
        Self { skew, margin, began: Instant::now(), seen: Mutex::new(seen) }
    }

    /// Where to raise the cutoff to. Adds the skew, as other machines' clocks may be ahead, and the margin for the
    /// partners' clocks.
    pub(super) fn cutoff(&self, now: UnixTime) -> UnixTime {
        now.plus(self.skew).plus(self.margin)
    }

    /// How far a cutoff may be ahead of the server's clock. The skew counts twice: the node's clock may be ahead, and
    /// the cutoff itself adds it.
    pub(super) fn tolerance(&self) -> Duration {
        self.skew.max(LEAST_SKEW).saturating_mul(2).saturating_add(self.margin)
    }

    /// By how much the cutoff exceeds the tolerance, if it does.
    pub(super) fn excess(&self, memory: &Memory) -> Option<Duration> {
        let excess = memory.cutoff.since(from_microseconds(memory.time).plus(self.tolerance()));
        // The server rounds to milliseconds.
        (excess > Duration::from_millis(1)).then_some(excess)
    }

    /// Updates the view from an answer. Returns whether the cutoff was raised since the last one.
    pub(super) fn note(&self, memory: &Memory, now: UnixTime) -> bool {
        let mut seen = self.lock();
        if memory.raised <= seen.raised {
            // Either an answer that arrived late, or a new memory after the server's clock was set back.
            if self.excess(memory).is_none() {
                seen.shared = seen.shared.max(memory.cutoff);
            }
            return false;
        }
        let age = Duration::from_micros(memory.time.saturating_sub(memory.raised).try_into().unwrap_or(0));
        let latest = from_microseconds(memory.raised).plus(self.tolerance());
        let reckoned = self.cutoff(now.minus(age)).min(latest);
        // The cutoff already allows for a smaller difference.
        if reckoned.since(memory.cutoff) > self.skew {
            seen.reckoned = seen.reckoned.max(reckoned);
        }
        (seen.raised, seen.shared) = (memory.raised, memory.cutoff);
        true
    }

    pub(super) fn since(&self) -> UnixTime {
        let seen = self.lock();
        seen.shared.max(seen.reckoned)
    }

    /// Whether the server's clock was set forward by more than the skew, so that entries may have expired early.
    /// Compares with the process's monotonic clock, as the system clock may be set too.
    pub(super) fn clock_was_set_forward(&self, asked: Instant, answered: Instant, memory: &Memory) -> bool {
        let (at_least, at_most) = (self.lead(answered, memory), self.lead(asked, memory));
        let mut seen = self.lock();
        let lead = seen.lead.get_or_insert(at_most);
        if at_least.saturating_sub(*lead) > self.skew.max(LEAST_SKEW).as_micros().try_into().unwrap_or(i64::MAX) {
            return true;
        }
        *lead = at_most.min(*lead);
        false
    }

    /// Updates the view after this node raised the cutoff.
    pub(super) fn note_own(&self, memory: &Memory, now: UnixTime, asked: Instant) {
        self.note(memory, now);
        self.begin_again(memory, asked);
    }

    /// The cutoff covers everything before, so clocks are compared from here on. The cutoff is kept in `reckoned`,
    /// because this node's clock may be set back later.
    pub(super) fn begin_again(&self, memory: &Memory, asked: Instant) {
        let lead = self.lead(asked, memory);
        let mut seen = self.lock();
        seen.lead = Some(lead);
        seen.reckoned = seen.reckoned.max(memory.cutoff);
    }

    fn lead(&self, at: Instant, memory: &Memory) -> i64 {
        let elapsed = at.saturating_duration_since(self.began).as_micros();
        memory.time.saturating_sub(elapsed.try_into().unwrap_or(i64::MAX))
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn from_microseconds(time: i64) -> UnixTime {
    UnixTime::from_nanos(time.saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const SKEW: Duration = Duration::from_secs(1);

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    /// An answer at `time` from a server whose cutoff was raised at `raised`, in seconds of the server's clock.
    fn memory(cutoff: u64, raised: i64, time: i64) -> Memory {
        Memory { cutoff: at(cutoff), raised: raised * SECOND, time: time * SECOND }
    }

    #[test]
    fn the_cutoff_follows_a_new_memory_down() {
        let witness = Witness::new(SKEW, Duration::ZERO);
        let now = at(1_000);
        assert!(witness.note(&memory(9_000, 1_000, 1_000), now), "far ahead");
        assert_eq!(witness.since(), at(9_000));
        assert!(witness.note(&memory(1_001, 1_010, 1_010), at(1_010)));
        assert_eq!(witness.since(), at(1_011), "down again");
        for (overtaken, expected, why) in [
            (memory(9_000, 1_000, 1_000), 1_011, "a late answer"),
            (memory(1_002, 1_000, 1_001), 1_011, "another late answer"),
            (memory(1_012, 1_009, 1_011), 1_012, "the server's clock was set back, and its memory was lost"),
        ] {
            assert!(!witness.note(&overtaken, now));
            assert_eq!(witness.since(), at(expected), "{why}");
        }
    }

    #[test]
    fn the_cutoff_of_a_slow_clock_does_not_count_alone() {
        let witness = Witness::new(SKEW, Duration::ZERO);
        // Raised 30 s ago by a node whose clock is an hour behind.
        witness.note(&memory(10_000 - 3_600, 9_970, 10_000), at(10_000));
        assert_eq!(witness.since(), at(9_971));
        let fast = Witness::new(SKEW, Duration::ZERO);
        fast.note(&memory(9_971, 9_970, 10_000), at(10_000 + 3_600));
        assert_eq!(fast.since(), at(9_971), "a fast clock changes nothing");
    }

    #[test]
    fn a_clock_that_is_set_forward_is_told_from_an_answer_that_is_slow() {
        let witness = Witness::new(SKEW, Duration::ZERO);
        let began = witness.began;
        let said = |asked: u64, answered: u64, time: i64| {
            let after = |secs| began + Duration::from_secs(secs);
            witness.clock_was_set_forward(after(asked), after(answered), &memory(0, 0, time))
        };
        for (asked, answered, time, expected, why) in [
            (0, 0, 1_000, false, "the first time"),
            (10, 10, 1_010, false, "no jump"),
            (20, 60, 1_060, false, "the round trip took 40 s"),
            (61, 61, 1_062, false, "within the skew"),
            (62, 62, 1_064, true, "two seconds too far"),
            (63, 63, 1_065, true, "still, until the cutoff is raised"),
            (64, 64, 1_000, false, "set back"),
            (65, 65, 1_066, true, "and forward again: entries made in between are lost"),
        ] {
            assert_eq!(said(asked, answered, time), expected, "{why}");
        }
        witness.note_own(&memory(0, 1_067, 1_067), at(0), began + Duration::from_secs(66));
        assert!(!said(67, 67, 1_068));
    }
}
