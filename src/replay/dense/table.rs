//! The used credentials of a shard: a sorted array with gaps.

use super::key::{End, Key};

/// A used credential: 20 bytes.
#[derive(Clone, Copy)]
pub(super) struct Spent {
    pub(super) key: Key,
    /// `End::NONE`: the slot is free.
    pub(super) end: End,
}

impl Spent {
    const FREE: Self = Self { key: Key::LEAST, end: End::NONE };

    fn is_free(&self) -> bool {
        self.end == End::NONE
    }
}

/// Entries in the order of their keys. Slot = hash × slots / 2^64, then linear search up to the first gap or greater
/// key. Usually this touches one cache line, as three in ten slots or more are free; a hash table with separate
/// control bytes touches two.
#[derive(Default)]
pub(super) struct Table {
    slots: Vec<Spent>,
    /// How many slots a hash can select. `slots` may have a few overflow slots at the end.
    size: usize,
    entries: usize,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.entries
    }

    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The entry of a key.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Spent> {
        let at = self.first_not_before(key);
        self.slots.get_mut(at).filter(|slot| !slot.is_free() && slot.key == key)
    }

    /// Adds an entry whose key it does not have.
    pub(super) fn insert(&mut self, spent: Spent) {
        // Seven in ten: in a fuller array the runs without a gap would be longer than a cache line.
        if self.entries * 10 >= self.size * 7 {
            self.rebuild(self.size * 3 / 2 + 4, |_| true);
        }
        let at = self.first_not_before(spent.key);
        match self.slots.get(at..).unwrap_or_default().iter().position(Spent::is_free) {
            // Those between it and the gap move by one.
            Some(gap) => self.slots.copy_within(at..at + gap, at + 1),
            None => {
                self.slots.reserve_exact(1);
                self.slots.insert(at, spent);
            }
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = spent;
            self.entries += 1;
        }
    }

    /// Removes the entry of a key.
    pub(super) fn remove(&mut self, key: Key) {
        let at = self.first_not_before(key);
        // Later entries that were pushed out of their slots move back by one.
        let behind = self.slots.get(at..).unwrap_or_default().iter().enumerate().skip(1);
        let pushed = behind.take_while(|(by, slot)| !slot.is_free() && self.place(slot.key) < at + by).count();
        self.slots.copy_within(at + 1..=at + pushed, at);
        if let Some(last) = self.slots.get_mut(at + pushed) {
            *last = Spent::FREE;
            self.entries -= 1;
        }
    }

    /// Removes what is not to be kept. Gives memory back if most of the array is free.
    pub(super) fn retain(&mut self, keep: impl Fn(&Spent) -> bool) {
        let kept = self.iter().filter(|spent| keep(spent)).count();
        if kept < self.entries {
            let size = if kept * 3 < self.size { kept * 3 / 2 } else { self.size };
            self.rebuild(size, keep);
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Spent> {
        self.slots.iter().filter(|slot| !slot.is_free())
    }

    /// Where a key belongs.
    fn place(&self, key: Key) -> usize {
        let place = (u128::from(key.hash()) * self.size as u128) >> 64;
        usize::try_from(place).unwrap_or_default()
    }

    /// The first slot, from where a key belongs on, that is free or has no lesser key.
    fn first_not_before(&self, key: Key) -> usize {
        let place = self.place(key);
        let from = self.slots.get(place..).unwrap_or_default();
        place + from.iter().take_while(|slot| !slot.is_free() && slot.key < key).count()
    }

    /// Moves the entries to an array of another size. Their order stays, so both are read from end to end.
    fn rebuild(&mut self, size: usize, keep: impl Fn(&Spent) -> bool) {
        let mut new = Self { slots: vec![Spent::FREE; size], size, entries: 0 };
        let mut next = 0;
        for spent in self.iter().filter(|spent| keep(spent)) {
            let at = new.place(spent.key).max(next);
            match new.slots.get_mut(at) {
                Some(slot) => *slot = *spent,
                None => new.slots.push(*spent),
            }
            next = at + 1;
            new.entries += 1;
        }
        *self = new;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn spent(hash: u64, rest: u64, end: u32) -> Spent {
        Spent { key: Key::of(hash, rest), end: End::of(end) }
    }

    /// Keys that crowd together, or all over the range, in any order.
    fn run(keys: impl Fn(u64) -> (u64, u64)) {
        let (mut table, mut expected, mut random) = (Table::default(), BTreeMap::new(), 1_u64);
        for step in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (hash, rest) = keys(random >> 33);
            let key = Key::of(hash, rest);
            assert_eq!(table.get_mut(key).is_some(), expected.contains_key(&(hash, rest)), "step {step}");
            if expected.remove(&(hash, rest)).is_some() {
                table.remove(key);
            } else {
                table.insert(spent(hash, rest, step + 1));
                expected.insert((hash, rest), step + 1);
            }
            if step % 5_000 == 4_999 {
                table.retain(|spent| spent.end > End::of(step / 2));
                expected.retain(|_, end| *end > step / 2);
            }
            assert_eq!(table.len(), expected.len(), "step {step}");
        }
        let found: Vec<_> = table.iter().map(|spent| (spent.key, spent.end)).collect();
        let expected: Vec<_> = expected.iter().map(|(key, end)| (Key::of(key.0, key.1), End::of(*end))).collect();
        assert_eq!(found, expected);
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
    }

    #[test]
    fn memory_is_given_back() {
        let mut table = Table::default();
        (0..10_000).for_each(|number: u64| table.insert(spent(number << 50, number, 1)));
        assert!(table.slots() < 20_000, "{}", table.slots());
        table.retain(|spent| spent.key < Key::of(10 << 50, 0));
        assert_eq!((table.len(), table.slots()), (10, 15));
        table.retain(|_| false);
        assert_eq!((table.len(), table.slots()), (0, 0));
    }
}
