//! Used credentials in 22 to 43 bytes each: [`DenseReplay`].

mod builder;
mod ends;
mod key;
mod shard;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::cutoff::Cutoff;
use super::forever::Forever;
use super::room::{Room, in_memory_store};
use super::windows::Windows;
use super::{Claim, Claimed, Fingerprint, Hold, LeaseId};
use crate::clock::{Clock, UnixTime};
use crate::store::{StoreError, StoreFuture};
pub use builder::DenseReplayBuilder;
use ends::Ends;
use key::{End, Key, TableSecret};
use shard::{Lease, Leases, Shard};

/// A replay store in this process's memory for millions of sign-ins. An entry takes 22 to 43 bytes, a tenth of
/// what it takes in [`MemoryReplay`](crate#features). Clones share the store; one store may serve every layer.
///
/// It keeps the promises of `MemoryReplay`, and has the same settings:
/// - **Exactly once** per process: all claims of a credential meet at one slot of a table, and one compare-and-swap
///   gives it to one of them.
/// - **Entries change without a lock**, so that a thread which the system puts to sleep hardly ever holds another one
///   up. Still under locks: leases, the count of entries without an end, and what a claim seldom has to note, a longer
///   window or a later end.
/// - **No live entry is evicted.** Above the [`ceiling`](DenseReplayBuilder::ceiling), layers answer 503 `unavailable`.
/// - **A restart forgets.** So a layer refuses, as `replayed`, what was made before the store was: the *startup
///   cutoff*. See [`opened`](Self::opened).
/// - **What has no end is remembered until a restart.** Such entries may take half of the ceiling. The layers of one
///   form and [namespace](crate::Builder::namespace) may hold at most as many as are still free of that half: alone,
///   they get a quarter of the ceiling.
/// - **No claim pays for all.** Each claim sweeps at most one shard, and each shard is swept once a minute. So an entry
///   is removed one to two minutes after its end, if claims come: no thread removes it without them. At the ceiling, a
///   claim looks for dead entries in about 100,000 places.
///
/// Of each [`Fingerprint`] it keeps a hash of 64 bits under a secret of the store, so that nobody can choose
/// credentials whose entries crowd together, and 29 bits of its own. Among a billion entries, the odds that any two
/// count as one credential are one in 10^10; the later one would be refused. It keeps ends in whole seconds, rounded
/// up, so an entry can live for a second longer than it has to.
///
/// ```
/// use tower_sso::replay::DenseReplay;
///
/// let replay = DenseReplay::builder().ceiling(10_000_000).build();
/// assert_eq!(replay.entries(), 0);
/// ```
#[derive(Clone)]
pub struct DenseReplay(Arc<Inner>);

struct Inner {
    shards: Box<[Shard]>,
    secret: TableSecret,
    windows: Windows,
    ends: Ends,
    room: Room,
    forever: Arc<Forever>,
    cutoff: Option<Cutoff>,
    clock: Arc<dyn Clock>,
    /// When the store was made, by [`Clock::steady`].
    made: Duration,
    /// How many shards have been swept.
    swept: AtomicU64,
    /// The shard at which the next search for room begins.
    next_search: AtomicUsize,
}

/// With ten million entries, a shard has ten thousand: a table that grows moves 160 KB.
const SHARDS: usize = 1_024;

/// How many milliseconds it takes until every shard has been swept.
const SWEEP_ALL_IN: u64 = 60_000;

/// How many places a search for room looks at.
const SEARCH: usize = 100_000;

/// What has no room left.
#[derive(PartialEq, Eq)]
enum Full {
    Store,
    /// The share of what has no end.
    Share,
}

impl DenseReplay {
    /// A store with the defaults of [`DenseReplayBuilder`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store with the defaults, once its first second is over: see [`DenseReplayBuilder::opened`].
    pub async fn opened() -> Self {
        Self::builder().opened().await
    }

    /// How many entries it holds: the live ones, and the dead ones that no claim has removed yet. At the
    /// [`ceiling`](DenseReplayBuilder::ceiling), dead ones make room.
    pub fn entries(&self) -> u64 {
        self.0.room.entries()
    }
}

impl Inner {
    fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let Some(hold) = self.windows.hold(claim) else { return Ok(Claimed::Forgotten) };
        let steady = self.clock.steady();
        // Before any sweep: this may be the first claim since the clock was set back, whether or not it has an end.
        let until = if hold.until() == UnixTime::MAX { claim.now } else { hold.until() };
        self.ends.note(claim, until, steady);
        self.sweep_what_is_due(steady);
        match self.claim_if_room(claim, hold) {
            Err(Full::Store) => {
                self.find_room(steady);
                self.claim_if_room(claim, hold)
            }
            claimed => claimed,
        }
        .map_err(|full| match full {
            Full::Store => StoreError::full(),
            Full::Share => Forever::full(),
        })
    }

    fn claim_if_room(&self, claim: &Claim, hold: Hold) -> Result<Claimed, Full> {
        let (key, end) = (Key::new(claim.key, &self.secret), End::at(hold.until()));
        // A lease that will be settled without an end takes its place in the share now, as settling may not fail.
        let may_stay = end == End::NEVER || End::at(claim.terms.until) == End::NEVER;
        let (shard, group) = (self.shard(index(key)), claim.terms.group);
        if let Hold::Until(_) = hold {
            match self.take(shard, key, end, may_stay, claim)? {
                // It may be over, and only who has the lock of the leases may end it.
                Claimed::Leased => {}
                claimed => return Ok(claimed),
            }
        }
        let mut leases = shard.leases();
        if leases.get(&key).is_some_and(|lease| lease.until < claim.now) {
            self.end_lease(shard, &mut leases, key);
        }
        match hold {
            Hold::Until(_) => self.take(shard, key, end, may_stay, claim),
            Hold::Lease { until, id } => {
                let claimed = self.take(shard, key, End::LEASED, may_stay, claim)?;
                if claimed == Claimed::First {
                    let _share = may_stay.then(|| self.forever.guard(group));
                    leases.insert(key, Lease { id, until, _share });
                }
                Ok(claimed)
            }
        }
    }

    /// Gives a key this end, if nothing holds it at the time of the claim.
    fn take(&self, shard: &Shard, key: Key, end: End, may_stay: bool, claim: &Claim) -> Result<Claimed, Full> {
        let mut has_place = false;
        let before = shard.update(key, |held| {
            match held {
                End::NONE => {}
                End::LEASED => return Err(Ok(Claimed::Leased)),
                held if held.is_before(claim.now) => {}
                _ => return Err(Ok(Claimed::Spent)),
            }
            if may_stay && !self.forever.has_room(claim.terms.group) {
                return Err(Err(Full::Share));
            }
            // What is dead gives its place up.
            if held == End::NONE && !has_place {
                has_place = self.room.reserve();
                if !has_place {
                    return Err(Err(Full::Store));
                }
            }
            Ok(end)
        });
        if has_place && before != Ok(End::NONE) {
            self.room.give_back(1);
        }
        if before.is_ok() && end == End::NEVER {
            self.forever.add(claim.terms.group);
        }
        before.map_or_else(|refused| refused, |_| Ok(Claimed::First))
    }

    fn end_lease(&self, shard: &Shard, leases: &mut Leases, key: Key) {
        leases.remove(&key);
        shard.set(key, End::NONE);
        self.room.give_back(1);
    }

    fn settle(&self, claim: &Claim) {
        let until = self.windows.hold(claim).unwrap_or(claim.hold).until();
        let (key, end) = (Key::new(claim.key, &self.secret), End::at(until));
        if end != End::NEVER {
            self.ends.note(claim, until, self.clock.steady());
        }
        let shard = self.shard(index(key));
        let mut leases = shard.leases();
        // Before the lease gives its place in the share back, so that nobody else gets it.
        if end == End::NEVER {
            self.forever.add(claim.terms.group);
        }
        // A later end stays.
        let before = shard.update(key, |held| Ok::<_, ()>(held.max(end)));
        leases.remove(&key);
        match before {
            // Its lease is gone.
            Ok(End::NONE) => self.room.take(),
            Ok(End::NEVER) if end == End::NEVER => self.forever.remove(claim.terms.group),
            _ => {}
        }
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) {
        let key = Key::new(key, &self.secret);
        let shard = self.shard(index(key));
        let mut leases = shard.leases();
        if leases.get(&key).is_some_and(|held| held.id == lease) {
            self.end_lease(shard, &mut leases, key);
        }
    }

    /// Sweeps the next shard, if it is due. After a minute without claims all are due, and each claim sweeps one.
    fn sweep_what_is_due(&self, steady: Duration) {
        let passed = steady.saturating_sub(self.made);
        let millis = passed.as_secs().saturating_mul(1_000).saturating_add(passed.subsec_millis().into());
        let due = millis.saturating_mul(SHARDS as u64) / SWEEP_ALL_IN;
        let swept = self.swept.load(Ordering::Relaxed);
        if swept >= due {
            return;
        }
        // Skips what was due more than a minute ago: it is due again.
        let next = swept.max(due.saturating_sub(SHARDS as u64));
        if self.swept.compare_exchange(swept, next + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.sweep(usize::try_from(next % SHARDS as u64).unwrap_or_default(), steady);
        }
    }

    /// At the ceiling: sweeps shards until dead entries were removed, or [`SEARCH`] places were looked at.
    fn find_room(&self, steady: Duration) {
        let mut looked = 0;
        for _ in 0..SHARDS {
            let index = self.next_search.fetch_add(1, Ordering::Relaxed);
            let (places, removed) = self.sweep(index, steady);
            looked += places;
            if removed > 0 || looked > SEARCH {
                return;
            }
        }
    }

    /// Removes dead entries of a shard. Returns how many places it has looked at, and how many entries it removed.
    fn sweep(&self, index: usize, steady: Duration) -> (usize, usize) {
        let shard = self.shard(index);
        let (places, removed) = (shard.places(), shard.sweep(|| self.ends.removable_before(steady)));
        self.room.give_back(removed as u64);
        (places, removed)
    }

    fn shard(&self, index: usize) -> &Shard {
        #[expect(clippy::indexing_slicing, reason = "the index is a remainder of the length")]
        &self.shards[index % SHARDS]
    }
}

/// By the last bits of the hash. The first ones decide where an entry belongs in its shard.
fn index(key: Key) -> usize {
    usize::try_from(key.hash % SHARDS as u64).unwrap_or_default()
}

in_memory_store!(DenseReplay);
