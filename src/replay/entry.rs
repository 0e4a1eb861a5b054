use std::time::Duration;

use super::{Claim, Claimed, Group, Hold};
use crate::clock::UnixTime;

/// What a store in memory holds of one credential.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) hold: Hold,
    pub(super) group: Group,
    /// When it may be removed, by [`Clock::steady`](crate::clock::Clock::steady); `None` is never.
    pub(super) goes_at: Option<Duration>,
    /// Whether it is without an end, or a lease of what will be.
    pub(super) may_stay: bool,
}

impl Entry {
    pub(super) fn new(claim: &Claim, hold: Hold, steady: Duration) -> Self {
        // Whether an entry is live is decided by the layer's clock; the store's only takes away what is dead. It must
        // not be the earlier of the two. `SystemClock` is never slower than it, and the margin is for clocks that stand
        // still for a while, in tests.
        const MARGIN: Duration = Duration::from_secs(60);
        let ends = hold.until() != UnixTime::MAX;
        let goes_at = ends.then(|| steady.saturating_add(hold.until().since(claim.now)).saturating_add(MARGIN));
        let may_stay = !ends || claim.terms.until == UnixTime::MAX;
        Self { hold, group: claim.terms.group, goes_at, may_stay }
    }

    pub(super) fn is_live(&self, now: UnixTime) -> bool {
        now <= self.hold.until()
    }

    pub(super) fn claimed(&self) -> Claimed {
        match self.hold {
            Hold::Until(_) => Claimed::Spent,
            Hold::Lease { .. } => Claimed::Leased,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fingerprint;
    use super::*;

    #[test]
    fn dead_entries_are_removed_later_than_they_die_and_not_never() {
        let now = UnixTime::from_secs(1_000);
        let entry = |until| {
            let hold = Hold::Until(until);
            Entry::new(&Claim::new(Fingerprint::from([0; 32]), now, hold), hold, Duration::from_secs(7)).goes_at
        };
        let minute = entry(now.plus(Duration::from_secs(60)));
        assert!(minute.is_some_and(|at| (67..=187).contains(&at.as_secs())), "{minute:?}");
        assert!(entry(now).is_some(), "it may be dead the next moment");
        assert_eq!(entry(UnixTime::MAX), None, "what has no end");
    }
}
