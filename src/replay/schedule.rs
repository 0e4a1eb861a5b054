use std::collections::BTreeMap;
use std::time::Duration;

use super::Fingerprint;

/// The keys by the second in which they are due, rounded up: what is due is found without a walk through the entries.
///
/// A second's keys are in no order: a credential's end is most often a whole second, and an order among the keys of one
/// would cost a search for each.
#[derive(Default)]
pub(super) struct Schedule(BTreeMap<u64, Vec<Fingerprint>>);

impl Schedule {
    pub(super) fn add(&mut self, at: Duration, key: Fingerprint) {
        let keys = self.0.entry(second(at)).or_default();
        if keys.len() == keys.capacity() {
            // A `Vec` would double, and begin with four.
            keys.reserve_exact(keys.len() / 4 + 1);
        }
        keys.push(key);
    }

    /// Searches from the last: what is taken out before it is due is a lease that was settled or released soon.
    pub(super) fn remove(&mut self, at: Duration, key: Fingerprint) {
        let second = second(at);
        let Some(keys) = self.0.get_mut(&second) else { return };
        if let Some(place) = keys.iter().rposition(|other| *other == key) {
            keys.swap_remove(place);
        }
        if keys.is_empty() {
            self.0.remove(&second);
        }
    }

    /// Takes out a key that is due.
    pub(super) fn pop(&mut self, now: Duration) -> Option<Fingerprint> {
        let mut first = self.0.first_entry().filter(|first| *first.key() <= now.as_secs())?;
        let key = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        key
    }
}

fn second(at: Duration) -> u64 {
    at.as_secs().saturating_add((at.subsec_nanos() > 0).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn each_key_is_due_in_its_second_and_once() {
        let keys = [1, 2, 3, 4].map(|n| Fingerprint::from([n; 32]));
        let [one, two, three, four] = keys;
        let mut schedule = Schedule::default();
        for (at, key) in [(millis(2_001), one), (millis(2_000), two), (millis(2_999), three), (Duration::MAX, four)] {
            schedule.add(at, key);
        }
        assert_eq!(schedule.pop(millis(1_999)), None);
        assert_eq!(schedule.pop(millis(2_000)), Some(two));
        assert_eq!(schedule.pop(millis(2_999)), None, "of the next second");
        schedule.remove(millis(2_999), three);
        schedule.remove(millis(2_999), three);
        schedule.remove(millis(7_000), one);
        assert_eq!(schedule.pop(millis(9_000)), Some(one));
        assert_eq!(schedule.pop(millis(9_000)), None);
        schedule.remove(Duration::MAX, four);
        assert!(schedule.0.is_empty(), "nothing is kept of what is gone");
    }
}
