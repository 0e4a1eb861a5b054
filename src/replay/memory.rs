use std::sync::Arc;
use std::time::Duration;

use super::builder::{InMemoryBuilder, open};
use super::cutoff::Cutoff;
use super::entry::Entry;
use super::forever::Forever;
use super::room::{Room, in_memory_store};
use super::shard::{Entries, Shards};
use super::windows::Windows;
use super::{Claim, Claimed, Fingerprint, Hold, LeaseId};
use crate::clock::{Clock, UnixTime};
use crate::store::{StoreError, StoreFuture};

/// A replay store in this process's memory, on moka. Clones share it; one store may serve every layer.
///
/// - **Exactly once** per process: each claim has the lock of its key's part of the store.
/// - **No live entry is evicted.** There is no size limit by which moka could choose to drop one: there is a
///   [`ceiling`](MemoryReplayBuilder::ceiling) of live entries, above which layers answer 503 `unavailable`.
/// - **A restart forgets.** So a layer refuses, as `replayed`, what was made before the store was: the *startup
///   cutoff*. A partner whose clock runs ahead by some seconds leaves that many seconds before a restart open, as its
///   links seem made after it; [`cutoff_margin`](MemoryReplayBuilder::cutoff_margin) closes that gap.
///   A machine whose clock was slow at the start and is set right later moves the cutoff along.
///   Credentials tell their time in whole seconds, so in the second in which the store is made an honest link is
///   refused too. A server listens from the next second on if it waits for [`opened`](Self::opened).
/// - **One process only.** A second one does not know what the first has seen.
/// - **What has no end, such as a call without a time, is remembered until a restart.** Such entries may take half of
///   the ceiling. The layers of one form and [namespace](crate::Builder::namespace) may hold at most as many as are
///   still free of that half: alone, they get a quarter of the ceiling. Beyond their share, their own calls get 503;
///   other layers are not affected.
/// - **No claim pays for all.** Each removes up to 32 entries that have ended; so after a minute in which nobody came,
///   the next 12,500 claims share the removal of 400,000 entries. The store is cut into 32 shards with a moka cache
///   each, so that no claim moves a large table either. `cargo bench --bench replay -- worst` finds the costliest of
///   ten million claims, in waves of 400,000 that end at once.
///
/// An entry takes some 470 bytes, and a store of a thousand entries 3 MB. A claim takes 1 to 5 µs, beside a thousand
/// live entries as beside a million (`cargo bench --bench replay`, two shared cores). So the default
/// [`ceiling`](MemoryReplayBuilder::ceiling) of a million is 470 MB. An entry stays for a minute longer than its link
/// is good: with links that live for a minute, the ceiling is reached at 8,000 sign-ins a second.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let replay = tower_sso::MemoryReplay::opened().await;
/// // Listen from here on.
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryReplay(Arc<Inner>);

struct Inner {
    shards: Shards,
    windows: Windows,
    room: Room,
    forever: Forever,
    cutoff: Option<Cutoff>,
    clock: Arc<dyn Clock>,
}

/// Sets up a [`MemoryReplay`].
pub type MemoryReplayBuilder = InMemoryBuilder<MemoryReplay>;

impl MemoryReplay {
    /// A store with the defaults of [`MemoryReplayBuilder`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store with the defaults, once its first second is over: see [`MemoryReplayBuilder::opened`].
    pub async fn opened() -> Self {
        Self::builder().opened().await
    }

    /// How many entries it holds: the live ones, and the dead ones that no claim has removed yet. At the
    /// [`ceiling`](MemoryReplayBuilder::ceiling), dead ones make room.
    pub fn entries(&self) -> u64 {
        self.0.room.entries()
    }

    /// A store to be set up.
    pub fn builder() -> MemoryReplayBuilder {
        MemoryReplayBuilder::new(1_000_000)
    }
}

impl MemoryReplayBuilder {
    /// The store, once its first second and the [margin](Self::cutoff_margin) are over: listen after it, and no honest
    /// link is refused. Takes up to a second and the margin, and a tokio runtime with time enabled.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let replay = tower_sso::MemoryReplay::builder().ceiling(200_000).opened().await;
    /// # }
    /// ```
    pub async fn opened(self) -> MemoryReplay {
        let store = self.build();
        open(&store, &*store.0.clock).await;
        store
    }

    /// The store. Its startup cutoff is this moment.
    pub fn build(self) -> MemoryReplay {
        MemoryReplay(Arc::new(Inner {
            shards: Shards::new(),
            windows: Windows::default(),
            room: Room::new(self.ceiling),
            forever: Forever::new(self.ceiling),
            cutoff: self.cutoff(),
            clock: self.clock,
        }))
    }
}

impl Inner {
    fn replace(&self, entries: &mut Entries, key: Fingerprint, old: Option<Entry>, new: Option<Entry>) {
        entries.replace(key, old, new);
        if let Some(Entry { may_stay: true, group, .. }) = old {
            self.forever.remove(group);
        }
        match new {
            Some(Entry { may_stay: true, group, .. }) => self.forever.add(group),
            None if old.is_some() => self.room.give_back(1),
            _ => {}
        }
    }

    /// Removes some of the dead entries in this shard. Whether there was one.
    fn clear(&self, entries: &mut Entries, now: UnixTime, steady: Duration) -> bool {
        let mut removed = 0;
        for dead in entries.remove_due(now, steady) {
            if dead.may_stay {
                self.forever.remove(dead.group);
            }
            removed += 1;
        }
        if removed > 0 {
            self.room.give_back(removed);
        }
        removed > 0
    }

    fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let Some(hold) = self.windows.hold(claim) else { return Ok(Claimed::Forgotten) };
        let steady = self.clock.steady();
        let entry = Entry::new(claim, hold, steady);
        // Settling may not fail. So a lease that will become an entry without an end takes its place in the share now:
        // otherwise, all deliveries in progress could exceed it together.
        let has_share = !entry.may_stay || self.forever.has_room(claim.terms.group);
        let (home, shards) = self.shards.from(claim.key);
        // Each claim clears some of what is dead away, so that none ever has to do it for all.
        let mut entries = home.lock();
        self.clear(&mut entries, claim.now, steady);
        let mut claimed = self.claim_if_room(&mut entries, claim, entry, has_share);
        drop(entries);
        if !has_share {
            return claimed.ok_or_else(Forever::full);
        }
        // If there is no room after that, dead entries elsewhere may have it.
        for shard in shards.skip(1) {
            if claimed.is_some() {
                break;
            }
            if self.clear(&mut shard.lock(), claim.now, steady) {
                claimed = self.claim_if_room(&mut home.lock(), claim, entry, has_share);
            }
        }
        claimed.ok_or_else(StoreError::full)
    }

    /// `None`: there is no room.
    fn claim_if_room(&self, entries: &mut Entries, claim: &Claim, entry: Entry, has_share: bool) -> Option<Claimed> {
        let old = entries.get(claim.key);
        let has_place = match old {
            Some(held) if held.is_live(claim.now) => return Some(held.claimed()),
            // A dead entry of the same key gives up its place, and its share.
            Some(dead) => has_share || dead.may_stay,
            None => has_share && self.room.reserve(),
        };
        has_place.then(|| {
            self.replace(entries, claim.key, old, Some(entry));
            Claimed::First
        })
    }

    fn settle(&self, claim: &Claim) {
        let hold = self.windows.hold(claim).unwrap_or(claim.hold);
        let entry = Entry::new(claim, Hold::Until(hold.until()), self.clock.steady());
        let mut entries = self.shards.of(claim.key).lock();
        let old = entries.get(claim.key);
        // Settling may not fail for lack of room: the credential has its lease's place, or had it until a moment ago.
        if old.is_none() {
            self.room.take();
        }
        self.replace(&mut entries, claim.key, old, Some(entry));
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) {
        let mut entries = self.shards.of(key).lock();
        let old = entries.get(key);
        if let Some(Entry { hold: Hold::Lease { id, .. }, .. }) = old
            && id == lease
        {
            self.replace(&mut entries, key, old, None);
        }
    }
}

in_memory_store!(MemoryReplay);

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    /// The threads meet at the ceiling: it is where asking first and then taking would let two have the last place.
    #[test]
    fn of_16_threads_exactly_as_many_reserve_a_place_as_there_are() {
        const CEILING: u64 = 2_000;
        const ROUNDS: usize = 200;
        let stores: Vec<_> = (0..ROUNDS).map(|_| MemoryReplay::builder().ceiling(CEILING).build()).collect();
        let reserved: Vec<_> = (0..ROUNDS).map(|_| AtomicU64::new(0)).collect();
        let start = Barrier::new(16);
        let work = || {
            for (store, reserved) in stores.iter().zip(&reserved) {
                start.wait();
                while store.0.room.reserve() {
                    reserved.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        thread::scope(|threads| (0..16).for_each(|_| _ = threads.spawn(work)));
        assert!(reserved.iter().all(|reserved| reserved.load(Ordering::Relaxed) == CEILING), "{reserved:?}");
    }
}
