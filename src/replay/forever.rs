use std::collections::HashMap;
#[cfg(feature = "dense-replay")]
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Group;
use crate::store::StoreError;

/// Counts, by group, the entries without an end, which only a restart frees. Together they may take half of the store,
/// so that they cannot shut out entries that end. A group may hold at most as many as are still free of that half, so
/// that it cannot shut out another group: one group alone gets a quarter of the store.
pub(super) struct Forever {
    counts: Mutex<Counts>,
    most: u64,
}

#[derive(Default)]
struct Counts {
    by_group: HashMap<Group, u64>,
    total: u64,
}

impl Forever {
    /// For a store with this ceiling.
    pub(super) fn new(ceiling: u64) -> Self {
        Self { counts: Mutex::default(), most: ceiling.div_ceil(2) }
    }

    /// A check, not a reservation: each concurrent claim may overshoot by one.
    pub(super) fn has_room(&self, group: Group) -> bool {
        let counts = self.lock();
        let has = counts.by_group.get(&group).copied().unwrap_or(0);
        has < self.most.saturating_sub(counts.total)
    }

    pub(super) fn full() -> StoreError {
        StoreError::full_of(
            "the layer's calls have no end and fill its share; bound how long they are remembered, or let the sender sign \
             a time",
        )
    }

    pub(super) fn add(&self, group: Group) {
        let mut counts = self.lock();
        counts.total += 1;
        *counts.by_group.entry(group).or_default() += 1;
    }

    pub(super) fn remove(&self, group: Group) {
        let mut counts = self.lock();
        counts.total = counts.total.saturating_sub(1);
        if let Some(count) = counts.by_group.get_mut(&group) {
            *count = count.saturating_sub(1);
        }
    }

    /// Counts a lease that may become an entry without an end, for as long as the result lives.
    #[cfg(feature = "dense-replay")]
    pub(super) fn guard(self: &Arc<Self>, group: Group) -> ShareGuard {
        self.add(group);
        ShareGuard { forever: Arc::clone(self), group }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place of a group's share. Given back when it is dropped.
#[cfg(feature = "dense-replay")]
pub(super) struct ShareGuard {
    forever: Arc<Forever>,
    group: Group,
}

#[cfg(feature = "dense-replay")]
impl Drop for ShareGuard {
    fn drop(&mut self) {
        self.forever.remove(self.group);
    }
}
