//! What the stores in memory have in common: a bounded number of entries, and the methods of a store.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Fill;

/// How many entries there are, and how many there may be. An entry counts from before its insertion until after its
/// removal.
pub(super) struct Room {
    entries: AtomicU64,
    pub(super) ceiling: u64,
}

impl Room {
    pub(super) fn new(ceiling: u64) -> Self {
        Self { entries: AtomicU64::new(0), ceiling }
    }

    pub(super) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    pub(super) fn fill(&self) -> Fill {
        Fill { entries: self.entries(), ceiling: self.ceiling }
    }

    /// Takes a place under the ceiling, if there is one.
    pub(super) fn reserve(&self) -> bool {
        let is_free = self.entries.fetch_add(1, Ordering::Relaxed) < self.ceiling;
        if !is_free {
            self.give_back(1);
        }
        is_free
    }

    /// Takes a place even above the ceiling: a processed delivery has to be settled.
    pub(super) fn take(&self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, places: u64) {
        self.entries.fetch_sub(places, Ordering::Relaxed);
    }
}

/// For an `Arc` of an inner store that has `claim`, `settle`, `release`, `room`, `windows`, `cutoff` and `clock`.
macro_rules! in_memory_store {
    ($store:ident) => {
        impl crate::replay::ReplayStore for $store {
            fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
                StoreFuture::ready(self.0.claim(claim))
            }

            fn announce(&self, group: crate::replay::Group, window: Duration, now: UnixTime) {
                self.0.windows.announce(group, window, now);
            }

            fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
                self.0.settle(claim);
                StoreFuture::ready(Ok(()))
            }

            fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
                self.0.release(key, lease);
                StoreFuture::ready(Ok(()))
            }

            fn remembers_since(&self) -> Option<UnixTime> {
                self.0.cutoff.as_ref().map(|cutoff| cutoff.now(&*self.0.clock))
            }

            fn fill(&self) -> Option<crate::replay::Fill> {
                Some(self.0.room.fill())
            }
        }

        impl Default for $store {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Debug for $store {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($store)).field("ceiling", &self.0.room.ceiling).finish_non_exhaustive()
            }
        }
    };
}
pub(super) use in_memory_store;
