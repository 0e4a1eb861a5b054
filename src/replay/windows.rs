use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use super::{Claim, Group, Hold};
use crate::clock::UnixTime;

/// A memory store's windows, by group: see [how long an entry is kept](super::ReplayStore#how-long-an-entry-is-kept).
/// There are at most as many groups as layers.
#[derive(Default)]
pub(super) struct Windows(RwLock<HashMap<Group, GroupWindow>>);

/// The [`Terms::window`](super::Terms::window)s of a group's layers, first and longest.
#[derive(Clone, Copy)]
struct GroupWindow {
    first: Duration,
    longest: Duration,
    /// When the longest window was announced; [`UnixTime::MIN`] if nothing had been claimed before.
    since: UnixTime,
    /// Whether a credential was claimed under it.
    in_use: bool,
}

impl Windows {
    /// How long to hold a claimed or settled credential. `None` if it may have been used and forgotten.
    pub(super) fn hold(&self, claim: &Claim) -> Option<Hold> {
        // A credential without a time has no window.
        if claim.terms.window.is_zero() {
            return Some(claim.hold);
        }
        let window = self.window(claim);
        let end_under_the_first = claim.terms.until.minus(claim.terms.window).plus(window.first);
        // At the very instant at which the window came, it can have been used before it came.
        if claim.terms.usable_since <= window.since && end_under_the_first < claim.now {
            return None;
        }
        Some(match claim.hold {
            Hold::Until(until) => Hold::Until(until.plus(window.longest.saturating_sub(claim.terms.window))),
            lease @ Hold::Lease { .. } => lease,
        })
    }

    /// Announces a layer with this window.
    pub(super) fn announce(&self, group: Group, window: Duration, now: UnixTime) {
        self.raise(group, window, now, false);
    }

    fn window(&self, claim: &Claim) -> GroupWindow {
        let (group, asked) = (claim.terms.group, claim.terms.window);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&group).copied();
        match known {
            Some(window) if asked <= window.longest && window.in_use => window,
            _ => self.raise(group, asked, claim.now, true),
        }
    }

    fn raise(&self, group: Group, asked: Duration, now: UnixTime, is_claim: bool) -> GroupWindow {
        let mut windows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let first = GroupWindow { first: asked, longest: asked, since: UnixTime::MIN, in_use: false };
        let window = windows.entry(group).or_insert(first);
        if asked > window.longest {
            window.longest = asked;
            // Without claims, nothing can have been forgotten.
            if window.in_use {
                window.since = now;
            } else {
                window.first = asked;
            }
        }
        window.in_use |= is_claim;
        *window
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fingerprint, Terms};
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    /// A claim at `now` of a credential made at `made`, by a layer with this window.
    fn claim(now: u64, made: u64, window: Duration) -> Claim {
        let until = at(made).plus(window);
        let terms = Terms { group: Group::new("fernet", ""), window, usable_since: at(made), until };
        Claim { key: Fingerprint::from([0; 32]), now: at(now), hold: Hold::Until(until), terms }
    }

    #[test]
    fn entries_are_kept_for_the_longest_window_and_a_longer_one_cannot_reach_back() {
        let windows = Windows::default();
        for (now, made, window, expected, why) in [
            (1_000, 990, MINUTE, Some(at(990).plus(MINUTE)), "the first window is the longest"),
            (1_010, 980, HOUR, Some(at(980).plus(HOUR)), "what the first window would still hold"),
            (1_100, 1_009, HOUR, None, "usable before the longer window came, and over under the first"),
            (1_100, 1_010, HOUR, None, "usable at the instant at which it came, perhaps a little before"),
            (1_100, 1_011, HOUR, Some(at(1_011).plus(HOUR)), "usable since the longer window came"),
            (1_100, 1_090, MINUTE, Some(at(1_090).plus(HOUR)), "a shorter window keeps for the longest"),
        ] {
            assert_eq!(windows.hold(&claim(now, made, window)), expected.map(Hold::Until), "{why}");
        }
        let expected = Windows::default();
        expected.announce(Group::new("fernet", ""), MINUTE, at(0));
        expected.announce(Group::new("fernet", ""), HOUR, at(0));
        let held = |now, made, window| expected.hold(&claim(now, made, window));
        assert_eq!(held(1_000, 990, MINUTE), Some(Hold::Until(at(990).plus(HOUR))), "a longer window is expected");
        assert_eq!(
            held(4_000, 900, HOUR),
            Some(Hold::Until(at(900).plus(HOUR))),
            "and reaches back before its first claim"
        );
        let mut other = claim(1_100, 1_090, MINUTE);
        other.terms.group = Group::new("fernet", "another namespace");
        assert_eq!(windows.hold(&other), Some(Hold::Until(at(1_090).plus(MINUTE))), "groups are apart");
        let mut lease = claim(1_100, 1_090, MINUTE);
        lease.hold = Hold::lease(at(1_130));
        assert_eq!(windows.hold(&lease), Some(lease.hold), "a lease ends when it ends");
    }

    #[test]
    fn what_has_no_time_has_no_window() {
        let windows = Windows::default();
        let timeless = Claim::new(Fingerprint::from([0; 32]), at(1_000), Hold::Until(UnixTime::MAX));
        assert_eq!(windows.hold(&timeless), Some(timeless.hold));
        assert!(windows.0.read().unwrap().is_empty());
    }
}
