use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::UnixTime;

/// How long a claim holds.
///
/// ```
/// use tower_sso::clock::UnixTime;
/// use tower_sso::replay::Hold;
///
/// assert_eq!(Hold::Until(UnixTime::MAX).until(), UnixTime::MAX);
/// ```
// Exhaustive: a store that overlooked a new hold would not keep its promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The credential is spent by the claim, and remembered until this instant, inclusive.
    Until(UnixTime),
    /// The credential is in use. [`ReplayStore::settle`](super::ReplayStore::settle) makes it spent,
    /// [`ReplayStore::release`](super::ReplayStore::release) frees it.
    Lease {
        /// The last instant of the lease. After it the credential may be claimed again: the process that had it is
        /// taken to be gone. If it is only slow, both go on.
        until: UnixTime,
        /// Which lease it is. Two leases may have the same end.
        id: LeaseId,
    },
}

impl Hold {
    /// A lease with a new id.
    pub fn lease(until: UnixTime) -> Self {
        Self::Lease { until, id: LeaseId::draw() }
    }

    /// The last instant of the hold.
    pub fn until(self) -> UnixTime {
        match self {
            Self::Until(until) | Self::Lease { until, .. } => until,
        }
    }
}

/// Which lease a credential is under. [`Hold::lease`] draws a new one.
///
/// Ids count up from a random start in each process. A store has to keep all 64 bits of it: neither a floating-point
/// number nor half an integer will do.
///
/// ```
/// use tower_sso::clock::UnixTime;
/// use tower_sso::replay::{Hold, LeaseId};
///
/// let until = UnixTime::from_secs(1_700_000_000);
/// assert_ne!(Hold::lease(until), Hold::lease(until), "two leases with one end");
///
/// let Hold::Lease { id, .. } = Hold::lease(until) else { unreachable!() };
/// let column = id.as_u64().cast_signed(); // for a database whose integers are signed
/// assert_eq!(LeaseId::from(column.cast_unsigned()), id);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseId(u64);

impl LeaseId {
    pub(crate) fn draw() -> Self {
        // Random, as the processes that share a store know nothing of each other.
        static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(RandomState::new().build_hasher().finish()));
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number, for a store to keep.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

/// As a store has kept it.
impl From<u64> for LeaseId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn no_two_leases_of_a_process_share_an_id() {
        let draw = || (0..1_000).map(|_| LeaseId::draw()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(draw)).collect();
        let drawn: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), 4_000);
    }
}
