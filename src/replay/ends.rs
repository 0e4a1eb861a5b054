use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Fingerprint;

/// When each entry may go, so that the dead ones are found without a walk through the map.
///
/// It is cut into shards by key, so that claims rarely meet at a lock. A claim clears up in the shard of its own key,
/// which reaches all of them evenly, as keys are digests.
pub(super) struct Ends([Mutex<BTreeSet<(Duration, [u8; 32])>>; Ends::SHARDS]);

impl Ends {
    pub(super) const SHARDS: usize = 64;

    /// How many dead entries one look takes at most. Removing one costs about as much as a claim, so this bounds how
    /// long a claim works for others. It is well above one, so that the dead become fewer.
    pub(super) const BITE: usize = 32;

    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }

    /// Every shard once, that of the key first.
    pub(super) fn shards(key: Fingerprint) -> impl Iterator<Item = usize> {
        let [first, ..] = *key.as_bytes();
        (0..Self::SHARDS).map(move |n| (usize::from(first) + n) % Self::SHARDS)
    }

    pub(super) fn add(&self, at: Duration, key: Fingerprint) {
        self.with(key, |ends| ends.insert((at, *key.as_bytes())));
    }

    pub(super) fn remove(&self, at: Duration, key: Fingerprint) {
        self.with(key, |ends| ends.remove(&(at, *key.as_bytes())));
    }

    /// Takes out some of the keys in this shard whose time has come.
    pub(super) fn take_due(&self, shard: usize, now: Duration) -> Vec<Fingerprint> {
        let Some(shard) = self.0.get(shard) else { return Vec::new() };
        let mut ends = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        while due.len() < Self::BITE && ends.first().is_some_and(|(at, _)| *at <= now) {
            due.extend(ends.pop_first().map(|(_, key)| Fingerprint::from(key)));
        }
        due
    }

    fn with(&self, key: Fingerprint, change: impl FnOnce(&mut BTreeSet<(Duration, [u8; 32])>) -> bool) {
        if let Some(shard) = Self::shards(key).next().and_then(|shard| self.0.get(shard)) {
            change(&mut shard.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}
