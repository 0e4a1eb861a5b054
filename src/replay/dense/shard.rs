use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::OccupiedEntry;

use crate::clock::UnixTime;
use crate::replay::{Claimed, Fingerprint, Hold, LeaseId};

/// The first half of a fingerprint. Whoever wanted another's key would have to try 2^128 credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([u8; 16]);

impl From<Fingerprint> for Key {
    fn from(fingerprint: Fingerprint) -> Self {
        let [key @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *fingerprint.as_bytes();
        Self(key)
    }
}

impl Key {
    /// Where it is kept. Senders can choose the first bits of a fingerprint by trying some, but do not know the secret.
    pub(super) fn hash(self, secret: &RandomState) -> u64 {
        secret.hash_one(u128::from_ne_bytes(self.0))
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

/// A used credential. With the table's byte it takes 21 bytes.
#[derive(Clone, Copy)]
struct Spent {
    key: Key,
    end: End,
}

/// A credential in use.
#[derive(Clone, Copy)]
struct Lease {
    key: Key,
    id: LeaseId,
    until: UnixTime,
}

/// Some of the entries. A key is in one of the tables at most.
pub(super) struct Shard {
    spent: HashTable<Spent>,
    /// Few: as many as calls are in progress.
    leases: HashTable<Lease>,
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

    /// What holds a key at this time. A dead entry of it is removed; `true` if there was one.
    pub(super) fn held(&mut self, key: Key, hash: u64, now: UnixTime) -> Result<Claimed, bool> {
        if let Some(lease) = self.lease(key, hash) {
            if now <= lease.get().until {
                return Ok(Claimed::Leased);
            }
            lease.remove();
            return Err(true);
        }
        match self.spent(key, hash) {
            Some(spent) if !spent.get().end.is_before(now) => Ok(Claimed::Spent),
            Some(dead) => {
                dead.remove();
                Err(true)
            }
            None => Err(false),
        }
    }

    /// Holds a key that nothing holds.
    pub(super) fn hold(&mut self, key: Key, hash: u64, hold: Hold, secret: &RandomState) {
        match hold {
            Hold::Until(until) => self.spend(key, hash, End::at(until), secret),
            Hold::Lease { until, id } => {
                self.leases.insert_unique(hash, Lease { key, id, until }, |lease| lease.key.hash(secret));
            }
        }
    }

    /// Makes a key spent, whatever it was. A later end stays.
    pub(super) fn settle(&mut self, key: Key, hash: u64, end: End, secret: &RandomState) -> Settled {
        if let Some(mut spent) = self.spent(key, hash) {
            let before = spent.get().end;
            spent.get_mut().end = before.max(end);
            return Settled::Spent(before);
        }
        let was_leased = self.lease(key, hash).map(OccupiedEntry::remove).is_some();
        self.spend(key, hash, end, secret);
        if was_leased { Settled::Leased } else { Settled::New }
    }

    /// Whether the key was under this lease.
    pub(super) fn release(&mut self, key: Key, hash: u64, id: LeaseId) -> bool {
        match self.lease(key, hash) {
            Some(lease) if lease.get().id == id => {
                lease.remove();
                true
            }
            _ => false,
        }
    }

    /// Removes what ended before this instant, and gives room back that nothing needs.
    pub(super) fn sweep(&mut self, over: UnixTime, secret: &RandomState) -> usize {
        let before = self.len();
        self.spent.retain(|spent| !spent.end.is_before(over));
        self.leases.retain(|lease| lease.until >= over);
        if self.spent.len() < self.spent.capacity() / 4 {
            self.spent.shrink_to(self.spent.len() * 2, |spent| spent.key.hash(secret));
        }
        if self.leases.len() < self.leases.capacity() / 4 {
            self.leases.shrink_to(self.leases.len() * 2, |lease| lease.key.hash(secret));
        }
        before - self.len()
    }

    fn spend(&mut self, key: Key, hash: u64, end: End, secret: &RandomState) {
        self.spent.insert_unique(hash, Spent { key, end }, |spent| spent.key.hash(secret));
    }

    fn spent(&mut self, key: Key, hash: u64) -> Option<OccupiedEntry<'_, Spent>> {
        self.spent.find_entry(hash, |spent| spent.key == key).ok()
    }

    fn lease(&mut self, key: Key, hash: u64) -> Option<OccupiedEntry<'_, Lease>> {
        self.leases.find_entry(hash, |lease| lease.key == key).ok()
    }
}
