//! The used credentials of a shard: a hash table that threads read and change without a lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::key::{End, Key};

/// 24 bytes. A slot goes to one key, half by half, and stays with it: keys are never changed nor removed. What changes
/// is the end.
#[derive(Default)]
struct Slot {
    hash: AtomicU64,
    rest: AtomicU64,
    /// [`End`], and [`FROZEN`] when the table is about to be replaced.
    end: AtomicU64,
}

/// No end has this bit.
const FROZEN: u64 = 1 << 63;

/// The table is full, or about to be replaced by another one.
pub(super) struct Outdated;

/// Slot = hash × slots / 2^64, then the next one that is free or the key's own.
///
/// Two threads with one key try the same slots in the same order, and a slot that is taken stays so. So they meet at
/// one slot, and whoever changes its end first has claimed the key.
pub(super) struct Table {
    slots: Box<[Slot]>,
    /// How many slots have a key, at least.
    used: AtomicUsize,
}

impl Table {
    /// With these entries, whose keys differ, and room for four ninths more than `count`, which is at least their
    /// number. With slots of 24 bytes, an entry takes 32 to 46.
    pub(super) fn new(count: usize, entries: impl Iterator<Item = (Key, End)>) -> Self {
        let slots = match count {
            0 => 0,
            some => some * 27 / 14 + 4,
        };
        let mut table = Self { slots: (0..slots).map(|_| Slot::default()).collect(), used: AtomicUsize::new(0) };
        entries.for_each(|(key, end)| table.put(key, end));
        table
    }

    /// Like [`update`](Self::update), for a new key in a table of this thread's own: without the price of atomic
    /// writes.
    fn put(&mut self, key: Key, end: End) {
        let place = self.place(key);
        let (before, from) = self.slots.split_at_mut(place);
        if let Some(free) = from.iter_mut().chain(before).find(|slot| slot.hash.load(Ordering::Relaxed) == 0) {
            *free = Slot { hash: key.hash.into(), rest: key.rest.into(), end: end.0.into() };
            *self.used.get_mut() += 1;
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Changes a key's end in one step, like [`AtomicU64::fetch_update`]: `change` sees what stands there, and is asked
    /// again if another thread was faster. Returns the end before.
    pub(super) fn update<E>(
        &self,
        key: Key,
        change: &mut impl FnMut(End) -> Result<End, E>,
    ) -> Result<Result<End, E>, Outdated> {
        let end = &self.slot(key).ok_or(Outdated)?.end;
        let mut before = end.load(Ordering::Acquire);
        loop {
            if before & FROZEN != 0 {
                return Err(Outdated);
            }
            let after = match change(End(before)) {
                Ok(after) => after,
                Err(refused) => return Ok(Err(refused)),
            };
            match end.compare_exchange_weak(before, after.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(Ok(End(before))),
                Err(now) => before = now,
            }
        }
    }

    /// The slot of a key, which is given one if it has none. `None`: there is no room.
    fn slot(&self, key: Key) -> Option<&Slot> {
        let (before, from) = self.slots.split_at_checked(self.place(key))?;
        for slot in from.iter().chain(before) {
            let mut hash = slot.hash.load(Ordering::Acquire);
            if hash == 0 {
                if self.is_full() {
                    return None;
                }
                hash = first_value(&slot.hash, key.hash);
                if hash == 0 {
                    self.used.fetch_add(1, Ordering::Relaxed);
                    hash = key.hash;
                }
            }
            // Another key with this hash may have been first to write the other half, and has the slot then.
            if hash == key.hash && [0, key.rest].contains(&first_value(&slot.rest, key.rest)) {
                return Some(slot);
            }
        }
        None
    }

    /// Three in four: in a fuller table the runs of taken slots would be long.
    fn is_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) * 4 >= self.slots.len() * 3
    }

    /// Where a key belongs.
    fn place(&self, key: Key) -> usize {
        let place = (u128::from(key.hash) * self.slots.len() as u128) >> 64;
        usize::try_from(place).unwrap_or_default()
    }

    /// How many entries there are, and slots of keys that are not held any more.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// What it holds. After [`freeze`](Self::freeze), always the same.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Key, End)> {
        self.slots.iter().filter_map(|slot| {
            let end = End(slot.end.load(Ordering::Acquire) & !FROZEN);
            // An end is written after the key, so the key is whole.
            let key = || Key { hash: slot.hash.load(Ordering::Acquire), rest: slot.rest.load(Ordering::Acquire) };
            (end != End::NONE).then(|| (key(), end))
        })
    }

    /// Ends all changes, slot by slot: what was changed before is in [`entries`](Self::entries) from now on, and what
    /// comes after finds the table [`Outdated`].
    pub(super) fn freeze(&self) {
        for slot in &self.slots {
            slot.end.fetch_or(FROZEN, Ordering::AcqRel);
        }
    }
}

/// Writes to a place that holds 0. Returns what it held.
fn first_value(place: &AtomicU64, value: u64) -> u64 {
    match place.load(Ordering::Acquire) {
        0 => place.compare_exchange(0, value, Ordering::AcqRel, Ordering::Acquire).unwrap_or_else(|held| held),
        held => held,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    fn empty(room: usize) -> Table {
        Table::new(room, std::iter::empty())
    }

    fn put(table: &Table, key: Key, end: u64) -> Result<End, Outdated> {
        table.update(key, &mut |_| Ok::<_, ()>(End(end))).map(|before| before.unwrap())
    }

    fn entries(table: &Table) -> BTreeMap<Key, End> {
        table.entries().collect()
    }

    /// Keys that crowd together, or all over the range, in any order.
    fn run(keys: impl Fn(u64) -> (u64, u64)) {
        let (table, mut expected, mut random) = (empty(20_000), BTreeMap::new(), 1_u64);
        for step in 2..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (hash, rest) = keys(random >> 33);
            let key = Key::of(hash, rest);
            let before = expected.insert(key, End(step)).unwrap_or(End::NONE);
            assert!(put(&table, key, step).is_ok_and(|end| end == before), "step {step}");
            if step % 3 == 0 {
                assert!(put(&table, key, End::NONE.0).is_ok_and(|end| end == End(step)), "step {step}");
                expected.remove(&key);
            }
        }
        assert_eq!(entries(&table), expected);
        table.freeze();
        let copy = Table::new(expected.len(), table.entries());
        assert_eq!((entries(&copy), copy.used()), (expected.clone(), expected.len()), "a copy has them all");
        for (key, end) in expected {
            assert!(put(&copy, key, 1).is_ok_and(|before| before == end), "each where it is looked for");
        }
    }

    #[test]
    fn it_has_what_a_map_has() {
        run(|random| (random.wrapping_mul(0x9E37_79B9_7F4A_7C15), random % 7));
        run(|random| ((random % 3_000).wrapping_mul(0x9E37_79B9_7F4A_7C15), 0));
    }

    #[test]
    fn keys_that_crowd_at_either_end_are_kept_too() {
        run(|random| (random % 100, random % 5));
        run(|random| (u64::MAX - random % 100, random % 5));
        run(|random| (u64::MAX, random % 300));
        run(|random| (random % 2, random % 2));
    }

    #[test]
    fn a_full_table_and_a_frozen_one_say_so() {
        let table = empty(100);
        let key = |number| Key::of(number << 50, number);
        let room = (1..1_000).take_while(|number| put(&table, key(*number), 5).is_ok()).count();
        assert!((145..150).contains(&room) && table.used() == room, "{room}");
        assert!(put(&table, key(1), 6).is_ok_and(|before| before == End(5)), "a key that it has can change");
        let before = entries(&table);
        table.freeze();
        assert!(put(&table, key(2), 7).is_err());
        assert_eq!(entries(&table), before);
        assert!(put(&empty(0), key(1), 5).is_err());
    }

    /// Threads that start together meet at every slot, also at those of keys whose halves are alike.
    #[test]
    fn of_threads_with_one_key_one_changes_its_end_first() {
        const THREADS: usize = 8;
        for round in 0..200 {
            let table = empty(1_000);
            let keys: Vec<_> = (0..1_000).map(|number| Key::of((number % 100) << 50, number / 10 + round)).collect();
            let distinct = keys.iter().copied().collect::<std::collections::HashSet<_>>().len();
            let start = Barrier::new(THREADS);
            let wins = || {
                start.wait();
                let claim = |key: &&Key| {
                    let change = &mut |end| if end == End::NONE { Ok(End(9)) } else { Err(()) };
                    table.update(**key, change).is_ok_and(|changed| changed.is_ok())
                };
                keys.iter().filter(claim).count()
            };
            let won: usize = thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(wins)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!((won, entries(&table).len()), (distinct, distinct), "round {round}");
            assert_eq!(table.used(), distinct);
        }
    }
}
