use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::UnixTime;
use crate::replay::Claim;

/// How long a dead entry stays at least: a claim that was checked while it was live may come later, and clocks may
/// stand still for a while.
const MARGIN: Duration = Duration::from_secs(60);

/// Tells which entries may be removed, although clocks jump.
///
/// An entry ends by the layers' clock, which is corrected from time to time: an entry that was removed after a step
/// forward would be missing after the step back. So removal goes by the steady clock. *Lead* = layers' clock − steady
/// clock, noted at each claim. An entry is dead once steady clock + smallest lead > its end. Using the smallest lead of
/// all entries only removes later, never too early.
///
/// Leads are kept by generation: otherwise, a clock that was slow once would keep the smallest lead too low for ever. A
/// generation is over when all of its entries have been dead for the margin.
pub(super) struct Ends {
    /// Of the current generation, in nanoseconds: the least lead, and when its last entry ends by the steady clock.
    lead: AtomicI64,
    last: AtomicI64,
    before: Mutex<Before>,
}

/// The generation before the current one.
struct Before {
    lead: i64,
    last: i64,
}

impl Ends {
    pub(super) fn new() -> Self {
        let before = Mutex::new(Before { lead: i64::MAX, last: i64::MIN });
        Self { lead: AtomicI64::new(i64::MAX), last: AtomicI64::new(i64::MIN), before }
    }

    /// Notes the lead at a claim, and until when its entry needs it. Before the entry is made, and before any sweep.
    pub(super) fn note(&self, claim: &Claim, until: UnixTime, steady: Duration) {
        let now = nanos(steady);
        let lead = claim.now.as_nanos().saturating_sub(now);
        let last = until.as_nanos().saturating_sub(lead);
        // In this order: if a new generation begins between the two readings, its lead is the one that counts.
        let is_known = last <= self.last.load(Ordering::Acquire) && lead >= self.lead.load(Ordering::Acquire);
        if !is_known {
            // While this is held, no new generation begins.
            let _before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
            self.lead.fetch_min(lead, Ordering::AcqRel);
            // Rounded up, so that not every claim writes.
            self.last.fetch_max(last.saturating_add(nanos(MARGIN)), Ordering::AcqRel);
        }
    }

    /// What ends before this instant is dead.
    pub(super) fn removable_before(&self, steady: Duration) -> UnixTime {
        let now = nanos(steady);
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let lead = self.lead.load(Ordering::Acquire);
        // A generation without entries begins none: the one before it still tells what is dead.
        if before.last.saturating_add(nanos(MARGIN)) < now && lead != i64::MAX {
            *before = Before { lead, last: self.last.load(Ordering::Acquire) };
            // The lead first: `note` reads them in the other order.
            self.lead.store(i64::MAX, Ordering::Release);
            self.last.store(i64::MIN, Ordering::Release);
        }
        // If there are no entries, there is nothing to remove.
        match before.lead.min(self.lead.load(Ordering::Acquire)) {
            i64::MAX => UnixTime::MIN,
            least => UnixTime::from_nanos(least.saturating_add(now)).minus(MARGIN),
        }
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Fingerprint, Hold};

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// Of a claim that is made at `now`, by the layers' clock, for so many seconds.
    fn note(ends: &Ends, now: u64, length: u64, steady: u64) {
        let (now, until) = (UnixTime::from_secs(now), UnixTime::from_secs(now + length));
        ends.note(&Claim::new(Fingerprint::from([0; 32]), now, Hold::Until(until)), until, secs(steady));
    }

    fn removable(ends: &Ends, steady: u64) -> i64 {
        ends.removable_before(secs(steady)).as_secs()
    }

    #[test]
    fn the_least_lead_counts_until_its_entries_are_over() {
        let ends = Ends::new();
        assert_eq!(ends.removable_before(secs(500)), UnixTime::MIN, "nothing was held");
        note(&ends, 1_000, 7_200, 0);
        note(&ends, 101_001, 10, 1);
        assert_eq!(removable(&ends, 10), 1_010 - 60, "a step ahead");
        note(&ends, 500_011, 100, 11);
        assert_eq!(removable(&ends, 12), 1_012 - 60, "and another one, in the next generation");
        note(&ends, 113, 10, 13);
        assert_eq!(removable(&ends, 14), 114 - 60, "a step back");
        assert_eq!(removable(&ends, 7_400), 7_500 - 60, "the first generation is over, and the second one counts");
        note(&ends, 507_400, 10, 7_400);
        assert_eq!(removable(&ends, 7_500), 507_500 - 60, "what was slow once is forgotten");
        assert_eq!(removable(&ends, 9_000), 509_000 - 60, "nothing came meanwhile");
        assert_eq!(removable(&ends, 9_000), 509_000 - 60, "and whoever asks gets the same answer");
    }

    #[test]
    fn the_last_entry_of_a_generation_stays_for_the_margin_too() {
        let ends = Ends::new();
        note(&ends, 1_000, 100, 0);
        note(&ends, 1_000, 160, 0);
        assert_eq!(removable(&ends, 1), 1_001 - 60);
        note(&ends, 101_002, 10, 2);
        for (steady, expected) in [(161, 1_101), (219, 1_159)] {
            assert_eq!(removable(&ends, steady), expected, "another one came after a step ahead");
        }
    }
}
