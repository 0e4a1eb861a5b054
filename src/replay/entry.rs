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
        let may_stay = [hold.until(), claim.terms.until].contains(&UnixTime::MAX);
        Self { hold, group: claim.terms.group, goes_at: None, may_stay }.scheduled(claim.now, steady)
    }

    /// Sets when it may go, if the layers' clock runs on from `now`.
    pub(super) fn scheduled(self, now: UnixTime, steady: Duration) -> Self {
        // By the steady clock, so that a step of the layers' clock removes nothing. The margin is for claims that were
        // checked a while ago, and for clocks that stand still, in tests.
        const MARGIN: Duration = Duration::from_secs(60);
        let until = self.hold.until();
        let goes_at = steady.saturating_add(until.since(now)).saturating_add(MARGIN);
        Self { goes_at: (until != UnixTime::MAX).then_some(goes_at), ..self }
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
        assert!(minute.is_some_and(|at| (97..=187).contains(&at.as_secs())), "it ends at 67 s: {minute:?}");
        assert!(entry(now).is_some(), "it may be dead the next moment");
        assert_eq!(entry(UnixTime::MAX), None, "what has no end");
    }
}
