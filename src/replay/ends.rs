use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Fingerprint;

/// The end of each entry, so that dead ones are found without scanning the map.
///
/// Sharded by key to avoid lock contention. A claim cleans up the shard of its own key; as keys are digests, this
/// reaches all shards evenly.
pub(super) struct Ends([Mutex<BTreeSet<(Duration, [u8; 32])>>; Ends::SHARDS]);

impl Ends {
    pub(super) const SHARDS: usize = 64;

    /// The most dead entries that one claim removes. Removing one costs about as much as a claim, so this bounds the
    /// extra work of a claim. It is well above one, so that dead entries become fewer.
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

    /// Takes out some of the ended keys in this shard.
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
