use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::ops::compute::{CompResult, Op};
use moka::sync::Cache;

use super::{TicketDigest, TicketStore};
use crate::clock::UnixTime;
use crate::store::{StoreError, StoreFuture};

/// Tickets in this process's memory, on moka. Clones share them.
///
/// - **Redeemed once** per process: a ticket is taken by one atomic operation on moka's map.
/// - **No live ticket is evicted**: above the [`ceiling`](MemoryTicketsBuilder::ceiling), none is issued.
/// - **A restart forgets**: the tickets that were waiting are then unknown, and users start over.
/// - **One process only.** Behind a load balancer, a ticket must come back to the process that issued it.
///
/// ```
/// use tower_sso::ticket::{MemoryTickets, Tickets};
///
/// let tickets = Tickets::new(MemoryTickets::new());
/// ```
#[derive(Clone)]
pub struct MemoryTickets(Arc<Inner>);

struct Inner {
    entries: Cache<TicketDigest, Entry>,
    /// Values in `entries`: one up with every insertion, one down with every removal, whatever its cause.
    held: Arc<AtomicU64>,
    ceiling: u64,
}

/// Sets up [`MemoryTickets`].
///
/// ```
/// use tower_sso::ticket::MemoryTickets;
///
/// let tickets = MemoryTickets::builder().ceiling(10_000).build();
/// ```
#[derive(Clone, Debug)]
pub struct MemoryTicketsBuilder {
    ceiling: u64,
}

impl MemoryTickets {
    /// A store with the defaults of [`MemoryTicketsBuilder`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store to be set up.
    pub fn builder() -> MemoryTicketsBuilder {
        MemoryTicketsBuilder { ceiling: 100_000 }
    }
}

impl Default for MemoryTickets {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryTicketsBuilder {
    /// How many tickets it holds at most. Default: 100,000. Above it, [`Tickets::issue`](super::Tickets::issue) fails.
    ///
    /// Only who is signed in already gets tickets, so only partners can fill it.
    #[must_use]
    pub fn ceiling(mut self, tickets: u64) -> Self {
        self.ceiling = tickets;
        self
    }

    /// The store.
    pub fn build(self) -> MemoryTickets {
        let held = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&held);
        let entries = Cache::builder()
            .expire_after(ReclaimAfterEnd)
            .eviction_listener(move |_, _, _| _ = counted.fetch_sub(1, Ordering::Relaxed))
            .build();
        MemoryTickets(Arc::new(Inner { entries, held, ceiling: self.ceiling }))
    }
}

#[derive(Clone)]
struct Entry {
    payload: Arc<[u8]>,
    until: UnixTime,
    reclaim_after: Duration,
}

struct ReclaimAfterEnd;

impl Expiry<TicketDigest, Entry> for ReclaimAfterEnd {
    fn expire_after_create(&self, _: &TicketDigest, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.reclaim_after)
    }
}

impl Inner {
    /// Takes a place under the ceiling.
    fn reserve(&self) -> bool {
        let take = || {
            let taken = self.held.fetch_add(1, Ordering::Relaxed) < self.ceiling;
            if !taken {
                self.held.fetch_sub(1, Ordering::Relaxed);
            }
            taken
        };
        // moka takes dead entries away now and then: let it, before saying that there is no room.
        take() || {
            self.entries.run_pending_tasks();
            take()
        }
    }

    fn put(&self, digest: TicketDigest, entry: Entry) -> Result<(), StoreError> {
        if !self.reserve() {
            return Err(StoreError::full());
        }
        // Both changes go through this one call of moka's, which makes them atomic with each other.
        let result = self.entries.entry(digest).and_compute_with(|held| match held {
            // 256 random bits do not come twice; were they to, the first ticket keeps its meaning.
            Some(_) => Op::Nop,
            None => Op::Put(entry),
        });
        if matches!(result, CompResult::Inserted(_)) {
            return Ok(());
        }
        self.held.fetch_sub(1, Ordering::Relaxed);
        Err(StoreError::new("the ticket is there already"))
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> Option<Vec<u8>> {
        let mut taken = None;
        self.entries.entry(digest).and_compute_with(|held| match held.map(moka::Entry::into_value) {
            Some(entry) => {
                taken = Some(entry).filter(|entry| now <= entry.until).map(|entry| entry.payload.to_vec());
                Op::Remove
            }
            None => Op::Nop,
        });
        taken
    }
}

impl TicketStore for MemoryTickets {
    fn put(
        &self,
        digest: TicketDigest,
        payload: Vec<u8>,
        now: UnixTime,
        until: UnixTime,
    ) -> StoreFuture<Result<(), StoreError>> {
        // Whether a ticket is live is decided by the clock that issued it. moka's own clock only takes away what is dead,
        // and gets this margin, so that it can never be the earlier of the two.
        const MARGIN: Duration = Duration::from_secs(2);
        let reclaim_after = until.since(now).saturating_add(MARGIN);
        StoreFuture::ready(self.0.put(digest, Entry { payload: payload.into(), until, reclaim_after }))
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        StoreFuture::ready(Ok(self.0.take(digest, now)))
    }
}

impl fmt::Debug for MemoryTickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTickets").field("ceiling", &self.0.ceiling).finish_non_exhaustive()
    }
}
