//! The used credentials of a shard: a hash table that threads read and change without a lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::key::{End, Key};

/// 16 bytes. A slot goes to one key and stays with it: keys are never changed nor removed. What changes is the end.
#[derive(Default)]
struct Slot {
    /// 0: the slot is free. It may have a hash before it has a key.
    hash: AtomicU64,
    /// The rest of the key with its end, and [`FROZEN`] when the table is about to be replaced. 0: no key has it yet.
    entry: AtomicU64,
}

/// The highest bit. Below it are the 29 bits of a key's rest, which is never 0, and then the end.
const FROZEN: u64 = 1 << 63;

fn entry(key: Key, end: End) -> u64 {
    u64::from(key.rest) << End::BITS | end.0
}

fn rest(entry: u64) -> u32 {
    u32::try_from((entry & !FROZEN) >> End::BITS).unwrap_or_default()
}

fn end(entry: u64) -> End {
    End(entry & End::NEVER.0)
}

/// The table is full, or about to be replaced by another one.
pub(super) struct Outdated;

/// Slot = hash × slots / 2^64, then the next one that is free or the key's own.
///
/// Two threads with one key try the same slots in the same order, and a slot that is taken stays so. So they meet at
/// one slot, and whoever changes its entry first has claimed the key.
pub(super) struct Table {
    slots: Box<[Slot]>,
    /// How many slots have a hash, at least.
    used: AtomicUsize,
}

impl Table {
    /// With these entries, whose keys differ, and room for twice `count`, which is at least their number. With slots
    /// of 16 bytes, an entry takes 22 to 43.
    pub(super) fn new(count: usize, entries: impl Iterator<Item = (Key, End)>) -> Self {
        let slots = match count {
            0 => 0,
            some => some * 8 / 3 + 2,
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
            *free = Slot { hash: key.hash.into(), entry: entry(key, end).into() };
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
        let (before, from) = self.slots.split_at_checked(self.place(key)).ok_or(Outdated)?;
        for slot in from.iter().chain(before) {
            if self.hash_of(slot, key.hash)? != key.hash {
                continue;
            }
            let mut held = slot.entry.load(Ordering::Acquire);
            // Another key with this hash may have the slot, or be the first to get it.
            while [0, key.rest].contains(&rest(held)) {
                if held & FROZEN != 0 {
                    return Err(Outdated);
                }
                let after = match change(end(held)) {
                    Ok(after) => entry(key, after),
                    Err(refused) => return Ok(Err(refused)),
                };
                match slot.entry.compare_exchange_weak(held, after, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return Ok(Ok(end(held))),
                    Err(now) => held = now,
                }
            }
        }
        Err(Outdated)
    }

    /// The hash of a slot, which gets this one if it is free and the table has room.
    fn hash_of(&self, slot: &Slot, hash: u64) -> Result<u64, Outdated> {
        match slot.hash.load(Ordering::Acquire) {
            0 if self.is_full() => Err(Outdated),
            0 => match slot.hash.compare_exchange(0, hash, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    self.used.fetch_add(1, Ordering::Relaxed);
                    Ok(hash)
                }
                Err(held) => Ok(held),
            },
            held => Ok(held),
        }
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
            let entry = slot.entry.load(Ordering::Acquire);
            // An entry is written after the hash, so the key is whole.
            let key = || Key { hash: slot.hash.load(Ordering::Acquire), rest: rest(entry) };
            (end(entry) != End::NONE).then(|| (key(), end(entry)))
        })
    }

    /// Ends all changes, slot by slot: what was changed before is in [`entries`](Self::entries) from now on, and what
    /// comes after finds the table [`Outdated`].
    pub(super) fn freeze(&self) {
        for slot in &self.slots {
            slot.entry.fetch_or(FROZEN, Ordering::AcqRel);
        }
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

    fn small(random: u64, limit: u64) -> u32 {
        u32::try_from(random % limit).unwrap()
    }

    /// Keys that crowd together, or all over the range, in any order.
    fn run(keys: impl Fn(u64) -> (u64, u32)) {
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
        run(|random| (random.wrapping_mul(0x9E37_79B9_7F4A_7C15), small(random, 7)));
        run(|random| ((random % 3_000).wrapping_mul(0x9E37_79B9_7F4A_7C15), 0));
    }

    #[test]
    fn keys_that_crowd_at_either_end_are_kept_too() {
        run(|random| (random % 100, small(random, 5)));
        run(|random| (u64::MAX - random % 100, small(random, 5)));
        run(|random| (u64::MAX, small(random, 300)));
        run(|random| (random % 2, small(random, 2)));
    }

    #[test]
    fn a_full_table_and_a_frozen_one_say_so() {
        let table = empty(100);
        let key = |number: u64| Key::of(number << 50, small(number, 1_000));
        let room = (1..1_000).take_while(|number| put(&table, key(*number), 5).is_ok()).count();
        assert!((200..205).contains(&room) && table.used() == room, "{room}");
        assert!(put(&table, key(1), 6).is_ok_and(|before| before == End(5)), "a key that it has can change");
        let before = entries(&table);
        table.freeze();
        assert!(put(&table, key(2), 7).is_err());
        assert_eq!(entries(&table), before);
        assert!(put(&empty(0), key(1), 5).is_err());
    }

    #[test]
    fn the_widest_key_and_the_first_and_last_ends_fit_into_a_slot() {
        let table = empty(10);
        let widest = Key::of(u64::MAX, (1 << 29) - 1);
        for end in [End::LEASED, End::NEVER] {
            assert!(put(&table, widest, end.0).is_ok());
            assert_eq!(entries(&table), BTreeMap::from([(widest, end)]));
        }
        table.freeze();
        assert_eq!(entries(&table), BTreeMap::from([(widest, End::NEVER)]));
        assert_eq!(entries(&Table::new(1, table.entries())), entries(&table));
        let latest = End::at(crate::clock::UnixTime::from_nanos(i64::MAX - 1));
        assert!(latest < End::NEVER && latest > End::LEASED);
        let earliest = [i64::MIN, -1, 0, 1].map(|nanos| End::at(crate::clock::UnixTime::from_nanos(nanos)));
        assert!(earliest.iter().all(|end| *end > End::LEASED && *end < latest));
    }

    #[test]
    fn a_frozen_slot_stays_as_it_is_with_a_key_with_half_of_one_and_without() {
        let table = empty(10);
        let [held, half, new] = [1, 2, 3].map(|number| Key::of(number << 61, 1));
        assert!(put(&table, held, 5).is_ok());
        let refuse = &mut |_| Err::<End, _>(());
        assert!(table.update(half, refuse).is_ok_and(|changed| changed.is_err()));
        assert_eq!(table.used(), 2);
        table.freeze();
        for key in [held, half, Key::of(half.hash, 2), new] {
            assert!(put(&table, key, 6).is_err());
        }
        assert_eq!(entries(&table), BTreeMap::from([(held, End(5))]));
    }

    /// Other threads come between the look at an entry and its change, first one whose key has the same hash.
    #[test]
    fn a_change_that_was_overtaken_is_made_to_what_stands_there_now() {
        let (table, mut asked) = (empty(10), 0);
        let [key, other] = [1, 2].map(|rest| Key::of(1, rest));
        let changed = table.update(key, &mut |end| {
            asked += 1;
            let overtaken = match asked {
                1 => put(&table, other, 7),
                2 => put(&table, key, 8),
                3 => put(&table, key, 9),
                _ => Ok(end),
            };
            assert!(overtaken.is_ok());
            Ok::<_, ()>(End(end.0 + 10))
        });
        assert!(changed.is_ok_and(|before| before == Ok(End(9))));
        assert_eq!(entries(&table), BTreeMap::from([(key, End(19)), (other, End(7))]));
    }

    /// Threads that start together meet at every slot, also at those of keys whose halves are alike.
    #[test]
    fn of_threads_with_one_key_one_changes_its_end_first() {
        const THREADS: usize = 8;
        for round in 0..200 {
            let table = empty(1_000);
            let keys: Vec<_> =
                (0..1_000).map(|number| Key::of(u64::from(number % 100) << 50, number / 10 + round)).collect();
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

    /// Two threads with two keys come to each free slot at one moment.
    #[test]
    fn of_two_keys_that_want_one_slot_both_are_kept() {
        const PAIRS: usize = 8_000;
        let (table, arrived) = (empty(2 * PAIRS), AtomicUsize::new(0));
        let claim = &|second: u64| {
            let is_first = |pair: &usize| {
                arrived.fetch_add(1, Ordering::AcqRel);
                while arrived.load(Ordering::Acquire) < 2 * *pair {
                    thread::yield_now();
                }
                let key = Key::of((*pair as u64) << 51 | second, 1);
                put(&table, key, 5).is_ok_and(|before| before == End::NONE)
            };
            (1..=PAIRS).filter(is_first).count()
        };
        let first: usize = thread::scope(|scope| {
            let threads = [0, 1].map(|second| scope.spawn(move || claim(second)));
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((first, entries(&table).len()), (2 * PAIRS, 2 * PAIRS));
    }
}
