use std::collections::HashMap;

use super::key::{End, Key};
use super::table::{Spent, Table};
use crate::clock::UnixTime;
use crate::replay::forever::ShareGuard;
use crate::replay::{Claimed, LeaseId};

/// A credential in use.
pub(super) struct Lease {
    pub(super) id: LeaseId,
    pub(super) until: UnixTime,
    /// Its place among the entries without an end, if it may become one when it is settled. Given back by its drop:
    /// nothing reads it.
    pub(super) _share: Option<ShareGuard>,
}

type Leases = HashMap<Key, Lease>;

/// Some of the entries. A key is in one of the tables at most.
#[derive(Default)]
pub(super) struct Shard {
    spent: Table,
    /// Few: as many as calls are in progress. Boxed, so that the rest of a shard and its lock fit a cache line.
    leases: Option<Box<Leases>>,
}

/// How a key is held.
pub(super) enum Held {
    Live(Claimed),
    /// It was held until its end, and has been removed.
    Dead,
    Not,
}

/// What the store knew of a credential before it was settled.
#[derive(PartialEq, Eq)]
pub(super) enum Before {
    New,
    Leased,
    Spent(End),
}

impl Shard {
    fn len(&self) -> usize {
        self.spent.len() + self.leases.as_ref().map_or(0, |leases| leases.len())
    }

    /// How much there is to look through.
    pub(super) fn places(&self) -> usize {
        self.spent.slots() + self.leases.as_ref().map_or(0, |leases| leases.capacity())
    }

    /// How a key is held at this time. Removes a dead entry.
    pub(super) fn probe(&mut self, key: Key, now: UnixTime) -> Held {
        if let Some(lease) = self.leases.as_ref().and_then(|leases| leases.get(&key)) {
            if now <= lease.until {
                return Held::Live(Claimed::Leased);
            }
            self.take_lease(key);
            return Held::Dead;
        }
        match self.spent.get_mut(key) {
            Some(spent) if !spent.end.is_before(now) => Held::Live(Claimed::Spent),
            Some(_) => {
                self.spent.remove(key);
                Held::Dead
            }
            None => Held::Not,
        }
    }

    /// Holds a key that nothing holds.
    pub(super) fn lease_out(&mut self, key: Key, lease: Lease) {
        self.leases.get_or_insert_default().insert(key, lease);
    }

    /// Holds a key that nothing holds.
    pub(super) fn spend(&mut self, key: Key, end: End) {
        self.spent.insert(Spent { key, end });
    }

    /// Makes a key spent, whatever it was. A later end stays.
    pub(super) fn settle(&mut self, key: Key, end: End) -> Before {
        if let Some(spent) = self.spent.get_mut(key) {
            let before = spent.end;
            spent.end = before.max(end);
            return Before::Spent(before);
        }
        let was_leased = self.take_lease(key).is_some();
        self.spend(key, end);
        if was_leased { Before::Leased } else { Before::New }
    }

    /// Removes the lease, if the key is under exactly this one. Returns whether it was.
    pub(super) fn release(&mut self, key: Key, id: LeaseId) -> bool {
        let lease = self.leases.as_ref().and_then(|leases| leases.get(&key));
        lease.is_some_and(|lease| lease.id == id) && self.take_lease(key).is_some()
    }

    /// Removes what ended before this instant, and shrinks tables that are mostly empty. Returns how many were removed.
    pub(super) fn sweep(&mut self, over: UnixTime) -> usize {
        let before = self.len();
        self.spent.retain(|spent| !spent.end.is_before(over));
        if let Some(leases) = &mut self.leases {
            leases.retain(|_, lease| lease.until >= over);
            if leases.len() < leases.capacity() / 4 {
                leases.shrink_to(leases.len() * 2);
            }
        }
        self.leases.take_if(|leases| leases.is_empty());
        before - self.len()
    }

    fn take_lease(&mut self, key: Key) -> Option<Lease> {
        self.leases.as_mut()?.remove(&key)
    }
}
