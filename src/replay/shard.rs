use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{array, iter};

use moka::sync::Cache;

use super::Fingerprint;
use super::entry::Entry;
use super::schedule::Schedule;
use crate::clock::UnixTime;

/// The entries, cut by key into shards that share nothing.
///
/// The shard is chosen by a hash with a secret of this store. A partner can choose the first bits of its credentials'
/// digests by trying some, but cannot aim them at one shard.
pub(super) struct Shards {
    shards: [Shard; Shards::COUNT],
    secret: RandomState,
}

impl Shards {
    /// moka cuts a cache into 64 tables and copies a whole table to a new one, within one call, when it has grown or
    /// when a tenth of it was removed. In a store of a million entries, each table then has 500.
    ///
    /// moka's own `SegmentedCache` would not do. It chooses the segment by the same bits of the hash as the table
    /// inside, so that most tables stay empty.
    pub(super) const COUNT: usize = 32;

    pub(super) fn new() -> Self {
        Self { shards: array::from_fn(|_| Shard::new()), secret: RandomState::new() }
    }

    pub(super) fn of(&self, key: Fingerprint) -> &Shard {
        self.from(key).0
    }

    /// The shard of the key, and every shard once, that one first.
    pub(super) fn from(&self, key: Fingerprint) -> (&Shard, impl Iterator<Item = &Shard>) {
        let index = self.index(key);
        let (before, from) = self.shards.split_at(index);
        #[expect(clippy::indexing_slicing, reason = "the index is a remainder of the length")]
        let home = &self.shards[index];
        (home, from.iter().chain(before))
    }

    fn index(&self, key: Fingerprint) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
        let hash = self.secret.hash_one(key) as usize;
        hash % Self::COUNT
    }
}

/// Some of the entries.
pub(super) struct Shard(Mutex<Entries>);

impl Shard {
    fn new() -> Self {
        Self(Mutex::new(Entries { map: Cache::builder().build(), schedule: Schedule::default() }))
    }

    /// Every change is made under this lock, so each is atomic. moka's own `and_compute_with` would be too, but keeps a
    /// second map for it, of the keys in use: that made a claim take half as long again.
    pub(super) fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Entries {
    /// moka removes nothing by itself: it would remove all that ended while nobody came in one go, on the next claim.
    map: Cache<Fingerprint, Entry>,
    /// When each of them may go.
    schedule: Schedule,
}

impl Entries {
    /// The most dead entries that one claim removes. Removing one costs about as much as a claim, so this bounds a
    /// claim's extra work. It is well above one, so that removal keeps up.
    const BITE: usize = 32;

    pub(super) fn get(&self, key: Fingerprint) -> Option<Entry> {
        self.map.get(&key)
    }

    /// Replaces `old`, which [`get`](Self::get) returned.
    pub(super) fn replace(&mut self, key: Fingerprint, old: Option<Entry>, new: Option<Entry>) {
        if let Some(at) = old.and_then(|old| old.goes_at) {
            self.schedule.remove(at, key);
        }
        if let Some(at) = new.and_then(|new| new.goes_at) {
            self.schedule.add(at, key);
        }
        match new {
            Some(entry) => self.map.insert(key, entry),
            None => self.map.invalidate(&key),
        }
    }

    /// Removes some of the entries whose time has come. What is live at `now` waits again: the clock was set back.
    pub(super) fn remove_due(&mut self, now: UnixTime, steady: Duration) -> impl Iterator<Item = Entry> {
        let removed = iter::from_fn(move || {
            let key = self.schedule.pop(steady)?;
            let due = self.map.remove(&key)?;
            let is_live = due.is_live(now);
            if is_live {
                self.replace(key, None, Some(due.scheduled(now, steady)));
            }
            Some((!is_live).then_some(due))
        });
        removed.take(Self::BITE).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_that_begin_alike_are_spread_over_all_shards() {
        let shards = Shards::new();
        let mut filled = [0; Shards::COUNT];
        for number in 0..10_000_u32 {
            let mut digest = [0; 32];
            digest[28..].copy_from_slice(&number.to_be_bytes());
            filled[shards.index(digest.into())] += 1;
        }
        // 312 on average; ten standard deviations to either side.
        assert!(filled.iter().all(|count| (140..490).contains(count)), "{filled:?}");
    }

    #[test]
    fn each_store_spreads_them_in_its_own_way() {
        let (one, other) = (Shards::new(), Shards::new());
        let differ = (0..=255).filter(|n| one.index([*n; 32].into()) != other.index([*n; 32].into())).count();
        assert!(differ > 200, "{differ} of 256 are elsewhere");
    }

    #[test]
    fn a_search_for_room_visits_every_shard_once_that_of_the_key_first() {
        let shards = Shards::new();
        for n in 0..=255 {
            let key = Fingerprint::from([n; 32]);
            let (home, all) = shards.from(key);
            let mut visited: Vec<*const Shard> = all.map(std::ptr::from_ref).collect();
            assert!(std::ptr::eq(home, shards.of(key)));
            assert_eq!(visited.first().copied(), Some(std::ptr::from_ref(home)));
            visited.sort_unstable();
            visited.dedup();
            assert_eq!(visited.len(), Shards::COUNT);
        }
    }
}
