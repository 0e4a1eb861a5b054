use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::OccupiedEntry;

use crate::clock::UnixTime;
use crate::replay::forever::Part;
use crate::replay::{Claimed, Fingerprint, LeaseId};

/// Random for each store, so that nobody can choose credentials that crowd together in its tables.
#[derive(Default)]
pub(super) struct TableSecret([RandomState; 2]);

/// A digest of a fingerprint under the store's secret. Two fingerprints with one key would count as one credential:
/// among a billion entries the odds are below one in 10^20, and a sender cannot improve them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([u8; 16]);

impl Key {
    pub(super) fn new(fingerprint: Fingerprint, secret: &TableSecret) -> Self {
        let [high, low] = secret.0.each_ref().map(|half| u128::from(half.hash_one(fingerprint.as_bytes())));
        Self((high << 64 | low).to_le_bytes())
    }

    /// For the tables. It is as random as the key.
    pub(super) fn hash(&self) -> u64 {
        let [hash @ .., _, _, _, _, _, _, _, _] = self.0;
        u64::from_le_bytes(hash)
    }
}

/// The last second of an entry, since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End(u32);

impl End {
    /// It never ends. Neither does what ends after the year 2106.
    pub(super) const NEVER: Self = Self(u32::MAX);

    /// Rounded up to a whole second.
    pub(super) fn at(until: UnixTime) -> Self {
        Self(u32::try_from(until.ceil_to_second().as_secs().max(0)).unwrap_or(u32::MAX))
    }

    fn is_before(self, now: UnixTime) -> bool {
        self != Self::NEVER && UnixTime::from_secs(self.0.into()) < now
    }
}

/// A used credential: 20 bytes, and one more in the table.
#[derive(Clone, Copy)]
struct Spent {
    key: Key,
    end: End,
}

/// A credential in use.
pub(super) struct Lease {
    pub(super) key: Key,
    pub(super) id: LeaseId,
    pub(super) until: UnixTime,
    /// Its place among the entries without an end, if it may become one when it is settled.
    pub(super) _share: Option<Part>,
}

/// Some of the entries. A key is in one of the tables at most.
pub(super) struct Shard {
    spent: HashTable<Spent>,
    /// Few: as many as calls are in progress.
    leases: HashTable<Lease>,
}

/// How a key is held.
pub(super) enum Held {
    Live(Claimed),
    /// It was held until its end, and has been removed.
    Dead,
    Not,
}

/// What the store knew of a credential when it was settled.
#[derive(PartialEq, Eq)]
pub(super) enum Settled {
    New,
    Leased,
    Spent(End),
}

impl Shard {
    pub(super) const fn new() -> Self {
        Self { spent: HashTable::new(), leases: HashTable::new() }
    }

    fn len(&self) -> usize {
        self.spent.len() + self.leases.len()
    }

    /// How much there is to look through.
    pub(super) fn places(&self) -> usize {
        self.spent.num_buckets() + self.leases.num_buckets()
    }

    /// How a key is held at this time. Removes a dead entry.
    pub(super) fn held(&mut self, key: Key, now: UnixTime) -> Held {
        if let Some(lease) = self.lease(key) {
            if now <= lease.get().until {
                return Held::Live(Claimed::Leased);
            }
            lease.remove();
            return Held::Dead;
        }
        match self.spent(key) {
            Some(spent) if !spent.get().end.is_before(now) => Held::Live(Claimed::Spent),
            Some(dead) => {
                dead.remove();
                Held::Dead
            }
            None => Held::Not,
        }
    }

    /// Holds a key that nothing holds.
    pub(super) fn lease_out(&mut self, lease: Lease) {
        self.leases.insert_unique(lease.key.hash(), lease, |lease| lease.key.hash());
    }

    /// Holds a key that nothing holds.
    pub(super) fn spend(&mut self, key: Key, end: End) {
        self.spent.insert_unique(key.hash(), Spent { key, end }, |spent| spent.key.hash());
    }

    /// Makes a key spent, whatever it was. A later end stays.
    pub(super) fn settle(&mut self, key: Key, end: End) -> Settled {
        if let Some(mut spent) = self.spent(key) {
            let before = spent.get().end;
            spent.get_mut().end = before.max(end);
            return Settled::Spent(before);
        }
        let was_leased = self.lease(key).map(OccupiedEntry::remove).is_some();
        self.spend(key, end);
        if was_leased { Settled::Leased } else { Settled::New }
    }

    /// Removes the lease, if the key is under exactly this one. Returns whether it was.
    pub(super) fn release(&mut self, key: Key, id: LeaseId) -> bool {
        match self.lease(key) {
            Some(lease) if lease.get().id == id => {
                lease.remove();
                true
            }
            _ => false,
        }
    }

    /// Removes what ended before this instant, and shrinks tables that are mostly empty. Returns how many were removed.
    pub(super) fn sweep(&mut self, over: UnixTime) -> usize {
        let before = self.len();
        self.spent.retain(|spent| !spent.end.is_before(over));
        self.leases.retain(|lease| lease.until >= over);
        if self.spent.len() < self.spent.capacity() / 4 {
            self.spent.shrink_to(self.spent.len() * 2, |spent| spent.key.hash());
        }
        if self.leases.len() < self.leases.capacity() / 4 {
            self.leases.shrink_to(self.leases.len() * 2, |lease| lease.key.hash());
        }
        before - self.len()
    }

    fn spent(&mut self, key: Key) -> Option<OccupiedEntry<'_, Spent>> {
        self.spent.find_entry(key.hash(), |spent| spent.key == key).ok()
    }

    fn lease(&mut self, key: Key) -> Option<OccupiedEntry<'_, Lease>> {
        self.leases.find_entry(key.hash(), |lease| lease.key == key).ok()
    }
}
