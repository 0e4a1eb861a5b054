use std::collections::HashMap;
use std::iter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use super::key::{End, Key};
use super::table::{Outdated, Table};
use crate::clock::UnixTime;
use crate::replay::LeaseId;
use crate::replay::forever::ShareGuard;

/// A credential in use.
pub(super) struct Lease {
    pub(super) id: LeaseId,
    pub(super) until: UnixTime,
    /// Its place among the entries without an end, if it may become one when it is settled. Given back by its drop:
    /// nothing reads it.
    pub(super) _share: Option<ShareGuard>,
}

/// Few: as many as calls are in progress.
pub(super) type Leases = HashMap<Key, Lease>;

/// Some of the entries.
pub(super) struct Shard {
    /// Read and changed without a lock, so that no thread waits for one that was put to sleep.
    table: ArcSwap<Table>,
    /// Whoever changes an end from or to [`End::LEASED`] has this lock.
    leases: Mutex<Leases>,
}

impl Shard {
    pub(super) fn new() -> Self {
        Self { table: ArcSwap::from_pointee(Table::new(0, iter::empty())), leases: Mutex::default() }
    }

    pub(super) fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much there is to look through.
    pub(super) fn places(&self) -> usize {
        self.table.load().slots()
    }

    /// Changes the end of a key in one step: `change` sees the one before, which is returned, and may be asked again.
    pub(super) fn update<E>(&self, key: Key, mut change: impl FnMut(End) -> Result<End, E>) -> Result<End, E> {
        loop {
            let table = self.table.load();
            match table.update(key, &mut change) {
                Ok(changed) => return changed,
                Err(Outdated) => {
                    table.freeze();
                    self.replace(&table, Table::new(table.entries().count() + 1, table.entries()));
                }
            }
        }
    }

    /// Gives a key this end, whatever it had.
    pub(super) fn set(&self, key: Key, end: End) {
        _ = self.update(key, |_| Ok::<_, ()>(end));
    }

    /// Removes what ended before this instant, and gives memory back. Returns how many entries were removed.
    ///
    /// `over` is asked when no entry can be added any more, so that it knows of each.
    pub(super) fn sweep(&self, over: impl Fn() -> UnixTime) -> usize {
        self.sweep_leases(&over) + self.sweep_table(&over)
    }

    fn sweep_leases(&self, over: impl Fn() -> UnixTime) -> usize {
        let mut leases = self.leases();
        let (before, over) = (leases.len(), over());
        leases.retain(|key, lease| {
            let is_kept = lease.until >= over;
            if !is_kept {
                self.set(*key, End::NONE);
            }
            is_kept
        });
        if leases.len() < leases.capacity() / 4 {
            let kept = leases.len() * 2;
            leases.shrink_to(kept);
        }
        before - leases.len()
    }

    fn sweep_table(&self, over: impl Fn() -> UnixTime) -> usize {
        loop {
            let table = self.table.load_full();
            let now = over();
            if table.entries().filter(|(_, end)| !end.is_before(now)).count() == table.used() {
                return 0;
            }
            table.freeze();
            let now = over();
            let live = || table.entries().filter(|(_, end)| !end.is_before(now));
            let kept = live().count();
            if self.replace(&table, Table::new(kept, live())) {
                return table.entries().count() - kept;
            }
            // A claim found it frozen, and was faster with a copy that has the dead too.
        }
    }

    /// Puts a new table in the place of a frozen one. Each thread that finds a table frozen does so, and none waits:
    /// the first one succeeds.
    fn replace(&self, frozen: &Arc<Table>, new: Table) -> bool {
        let before = self.table.compare_and_swap(frozen, Arc::new(new));
        Arc::ptr_eq(&before, frozen)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Its claim has a slow clock, and comes when the sweep has just asked what is over.
    #[test]
    fn an_entry_that_is_added_during_a_sweep_has_a_say_in_what_is_over() {
        let (shard, is_added) = (Shard::new(), Cell::new(false));
        let [dead, added] = [1, 2].map(|number| Key::of(number, 1));
        shard.set(dead, End(4));
        let over = || {
            let over = UnixTime::from_secs(if is_added.get() { 10 } else { 100 });
            if !is_added.replace(true) {
                shard.set(added, End(50));
            }
            over
        };
        assert_eq!(shard.sweep_table(over), 1);
        assert_eq!(shard.table.load().entries().collect::<Vec<_>>(), [(added, End(50))]);
    }

    /// It finds the table frozen, and puts a copy in its place.
    #[test]
    fn a_sweep_that_a_claim_overtakes_sweeps_the_copy() {
        let (shard, asked) = (Shard::new(), Cell::new(0));
        let [dead, added] = [1, 2].map(|number| Key::of(number, 1));
        shard.set(dead, End(4));
        let over = || {
            asked.set(asked.get() + 1);
            if asked.get() == 2 {
                shard.set(added, End(50));
            }
            UnixTime::from_secs(10)
        };
        assert_eq!(shard.sweep_table(over), 1);
        assert_eq!(shard.table.load().entries().collect::<Vec<_>>(), [(added, End(50))]);
    }

    /// A thread looks at an entry, others replace the table, and then it makes its change.
    #[test]
    fn a_change_that_a_copy_overtakes_is_made_in_the_copy() {
        let fill = |shard: &Shard| (2..50).for_each(|number| shard.set(Key::of(number, 1), End(50)));
        let sweep = |shard: &Shard| assert_eq!(shard.sweep_table(|| UnixTime::from_secs(10)), 1);
        let (key, dead) = (Key::of(u64::MAX, 1), Key::of(1, 1));
        for held in [None, Some(End(20))] {
            for replace in [&fill as &dyn Fn(&Shard), &sweep] {
                let (shard, mut is_replaced) = (Shard::new(), false);
                shard.set(dead, End(4));
                held.into_iter().for_each(|end| shard.set(key, end));
                let before = shard.update(key, |_| {
                    if !std::mem::replace(&mut is_replaced, true) {
                        replace(&shard);
                    }
                    Ok::<_, ()>(End(50))
                });
                assert_eq!(before, Ok(held.unwrap_or(End::NONE)));
                assert!(shard.table.load().entries().any(|entry| entry == (key, End(50))));
            }
        }
    }
}
