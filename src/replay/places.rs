use std::sync::atomic::{AtomicU64, Ordering};

/// How many entries a map may have: never more than its ceiling, though the map is counted only now and then.
///
/// Every insertion takes a place first. Between two counts nobody knows how many entries were removed, so places run out
/// sooner than they might, and never later; then it is counted anew.
pub(super) struct Places {
    ceiling: u64,
    /// Places that were ever taken, less those that were given back.
    taken: AtomicU64,
    /// Those of them whose entry is in the map, or was.
    filled: AtomicU64,
    /// How far `taken` may go until the next count.
    limit: AtomicU64,
}

impl Places {
    pub(super) fn new(ceiling: u64) -> Self {
        Self { ceiling, taken: AtomicU64::new(0), filled: AtomicU64::new(0), limit: AtomicU64::new(ceiling) }
    }

    /// Takes a place, to be filled or given back.
    pub(super) fn take(&self) -> bool {
        let is_free = self.taken.fetch_add(1, Ordering::Relaxed) < self.limit.load(Ordering::Relaxed);
        if !is_free {
            self.give_back();
        }
        is_free
    }

    pub(super) fn give_back(&self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }

    /// The entry of a taken place is in the map.
    pub(super) fn fill(&self) {
        // Whoever counts and sees this sees the entry too.
        self.filled.fetch_add(1, Ordering::Release);
    }

    /// An entry is in the map that did not ask for a place.
    pub(super) fn overfill(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.fill();
    }

    /// Counts anew. `entries` counts all that were in the map before it was called, and are still.
    pub(super) fn count(&self, entries: impl FnOnce() -> u64) {
        // What is filled by now is among the entries, unless it was removed. So from here on there are no more entries than
        // `entries` and the places that are taken beyond `filled`, and that stays true however long this number is used.
        let filled = self.filled.load(Ordering::Acquire);
        let free = self.ceiling.saturating_sub(entries());
        self.limit.store(free.saturating_add(filled), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn places_are_free_again_once_they_are_counted() {
        let places = Places::new(2);
        assert!(places.take() && places.take() && !places.take());
        places.fill();
        places.give_back();
        assert!(places.take(), "given back");
        places.fill();
        assert!(!places.take());
        places.count(|| 2);
        assert!(!places.take(), "both are in the map");
        places.count(|| 1);
        assert!(places.take() && !places.take(), "one was removed");
        places.overfill();
        places.count(|| 2);
        assert!(!places.take(), "one is taken, one was put in without asking, and one is left of the first two");
    }

    #[test]
    fn the_ceiling_holds_while_everybody_inserts_and_removes_and_counts() {
        const CEILING: usize = 50;
        let (places, map) = (Places::new(CEILING as u64), Mutex::new(HashSet::new()));
        let work = |thread: u64| {
            for n in 0..20_000_u64 {
                if n % 7 == 0 {
                    places.count(|| map.lock().unwrap().len() as u64);
                }
                if n % 3 == 0 {
                    map.lock().unwrap().remove(&(thread, n / 2));
                } else if places.take() {
                    if n % 5 == 0 {
                        places.give_back();
                    } else {
                        let entries = {
                            let mut map = map.lock().unwrap();
                            map.insert((thread, n));
                            map.len()
                        };
                        assert!(entries <= CEILING, "{entries}");
                        places.fill();
                    }
                }
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|thread| _ = scope.spawn(move || work(thread))));
        places.count(|| map.lock().unwrap().len() as u64);
        let free = std::iter::from_fn(|| places.take().then_some(())).count();
        assert_eq!(free, CEILING - map.lock().unwrap().len(), "none is lost");
    }
}
