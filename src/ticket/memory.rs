use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{NewTickets, TicketDigest, TicketStore};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::keys::TenantId;
use crate::store::{StoreError, StoreFuture};

/// Tickets in this process's memory. Clones share them.
///
/// - **Redeemed once** per process: a ticket is taken out under a lock.
/// - **No live ticket is evicted**: above the [`ceiling`](MemoryTicketsBuilder::ceiling) in tickets or in
///   [`bytes`](MemoryTicketsBuilder::bytes), none is issued.
/// - **No tenant shuts the others out**: its tickets may take at most what is still free, in number and in bytes. One
///   tenant alone gets half of the store, a second one a quarter.
/// - **A restart forgets**: the tickets that were waiting are then unknown, and users start over.
/// - **One process only.** Behind a load balancer, a ticket must come back to the process that issued it.
/// - **No call pays for others**: each removes up to 32 tickets that have ended, or twice as many as it brings.
///
/// A ticket takes its claims as JSON and some 400 bytes; what [`issue_each`](super::Tickets::issue_each) shares is kept
/// once.
///
/// ```
/// use tower_sso::ticket::{MemoryTickets, Tickets};
///
/// let tickets = Tickets::new(MemoryTickets::new());
/// ```
#[derive(Clone)]
pub struct MemoryTickets(Arc<Inner>);

struct Inner {
    held: Mutex<Held>,
    ceiling: Size,
    clock: Arc<dyn Clock>,
}

/// Sets up [`MemoryTickets`].
///
/// ```
/// use tower_sso::ticket::MemoryTickets;
///
/// let tickets = MemoryTickets::builder().ceiling(10_000).bytes(16 * 1024 * 1024).build();
/// ```
#[derive(Clone)]
pub struct MemoryTicketsBuilder {
    ceiling: Size,
    clock: Arc<dyn Clock>,
}

impl MemoryTickets {
    /// A store with the defaults of [`MemoryTicketsBuilder`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store to be set up.
    pub fn builder() -> MemoryTicketsBuilder {
        let ceiling = Size { tickets: 100_000, bytes: 64 * 1024 * 1024 };
        MemoryTicketsBuilder { ceiling, clock: Arc::new(SystemClock) }
    }

    /// How many tickets it holds: those that wait, and those that have ended and that no call has removed yet.
    pub fn tickets(&self) -> u64 {
        self.0.lock().total.tickets
    }

    /// What they count for towards the ceiling in [`bytes`](MemoryTicketsBuilder::bytes).
    pub fn bytes(&self) -> u64 {
        self.0.lock().total.bytes
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
        self.ceiling.tickets = tickets;
        self
    }

    /// How many bytes they take at most: their claims as JSON, and 400 bytes for each. Default: 64 MiB. That is some
    /// 100,000 tickets with claims of 270 bytes, or 1,000 with the largest claims that
    /// [`Tickets`](super::Tickets::largest_claims) allows by default.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.ceiling.bytes = bytes;
        self
    }

    /// The clock that tells how much time has passed since a ticket was issued. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The store.
    pub fn build(self) -> MemoryTickets {
        MemoryTickets(Arc::new(Inner { held: Mutex::default(), ceiling: self.ceiling, clock: self.clock }))
    }
}

/// Trees, as none of their operations ever moves all that they hold.
#[derive(Default)]
struct Held {
    tickets: BTreeMap<[u8; 32], Entry>,
    /// When each ticket may go, by [`Clock::steady`].
    ends: BTreeSet<(Duration, [u8; 32])>,
    tenants: HashMap<TenantId, Size>,
    total: Size,
}

struct Entry {
    own: Box<[u8]>,
    batch: Arc<Batch>,
    until: UnixTime,
    goes_at: Duration,
}

/// What the tickets of one call have in common. It goes with the last of them.
struct Batch {
    tenant: TenantId,
    shared: Box<[u8]>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Size {
    tickets: u64,
    bytes: u64,
}

impl Size {
    /// Of one ticket with so much of its own.
    fn of_one(own: &[u8]) -> Self {
        Self { tickets: 1, bytes: NewTickets::OVERHEAD + own.len() as u64 }
    }

    fn of_shared(shared: &[u8]) -> Self {
        Self { tickets: 0, bytes: shared.len() as u64 }
    }

    fn plus(self, other: Self) -> Self {
        Self { tickets: self.tickets.saturating_add(other.tickets), bytes: self.bytes.saturating_add(other.bytes) }
    }

    fn minus(self, other: Self) -> Self {
        Self { tickets: self.tickets.saturating_sub(other.tickets), bytes: self.bytes.saturating_sub(other.bytes) }
    }

    fn fits(self, most: Self) -> bool {
        self.tickets <= most.tickets && self.bytes <= most.bytes
    }
}

impl Entry {
    fn payload(&self, now: UnixTime) -> Option<Vec<u8>> {
        (now <= self.until).then(|| [&*self.batch.shared, &*self.own].concat())
    }
}

impl Held {
    fn insert(&mut self, digest: [u8; 32], entry: Entry) {
        self.count(&entry.batch.tenant, Size::of_one(&entry.own));
        self.ends.insert((entry.goes_at, digest));
        self.tickets.insert(digest, entry);
    }

    fn count(&mut self, tenant: &TenantId, size: Size) {
        self.total = self.total.plus(size);
        let tenant = self.tenants.entry(tenant.clone()).or_default();
        *tenant = tenant.plus(size);
    }

    fn remove(&mut self, digest: [u8; 32]) -> Option<Entry> {
        let entry = self.tickets.remove(&digest)?;
        self.ends.remove(&(entry.goes_at, digest));
        let mut size = Size::of_one(&entry.own);
        // The last one, as all are in here, under the lock, but while they are being put.
        if Arc::strong_count(&entry.batch) == 1 {
            size = size.plus(Size::of_shared(&entry.batch.shared));
        }
        self.total = self.total.minus(size);
        if let Some(tenant) = self.tenants.get_mut(&entry.batch.tenant) {
            *tenant = tenant.minus(size);
            if tenant.tickets == 0 {
                self.tenants.remove(&entry.batch.tenant);
            }
        }
        Some(entry)
    }

    /// Removes at most `most` ended tickets, and returns how many it removed.
    fn clear(&mut self, steady: Duration, most: usize) -> usize {
        let due = |held: &Self| held.ends.first().filter(|(at, _)| *at <= steady).map(|(_, digest)| *digest);
        (0..most).map_while(|_| due(self).and_then(|digest| self.remove(digest))).count()
    }

    /// A tenant may take at most what is still free, so there is always room for another tenant.
    fn has_room(&self, tenant: &TenantId, more: Size, ceiling: Size) -> bool {
        let has = self.tenants.get(tenant).copied().unwrap_or_default();
        has.plus(more).plus(self.total).fits(ceiling)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, new: NewTickets) -> Result<(), StoreError> {
        // The clock that issued a ticket decides whether it is live. The store removes dead tickets by its own clock,
        // this much later, so that it is never the earlier of the two.
        const MARGIN: Duration = Duration::from_secs(2);
        const BITE: usize = 32;
        /// Removing one takes about a microsecond, so this bounds how long others wait.
        const MOST: usize = 64 * BITE;

        if new.tickets.is_empty() {
            return Ok(());
        }
        let steady = self.clock.steady();
        let goes_at = steady.saturating_add(new.until.since(new.now)).saturating_add(MARGIN);
        let mut more = Size::of_shared(&new.shared);
        new.tickets.iter().for_each(|(_, own)| more = more.plus(Size::of_one(own)));

        let mut held = self.lock();
        let mut cleared = held.clear(steady, BITE.max(2 * new.tickets.len()).min(MOST));
        // Removes more dead tickets before it refuses.
        while !held.has_room(&new.tenant, more, self.ceiling) {
            let also = held.clear(steady, BITE);
            cleared += also;
            if also == 0 || cleared > MOST {
                return Err(StoreError::full());
            }
        }
        // 256 random bits do not come twice; were they to, the first ticket keeps its meaning.
        let mut digests = BTreeSet::new();
        let mut is_new = |digest| digests.insert(digest) && !held.tickets.contains_key(&digest);
        if !new.tickets.iter().all(|(digest, _)| is_new(*digest.as_bytes())) {
            return Err(StoreError::new("the ticket is there already"));
        }
        held.count(&new.tenant, Size::of_shared(&new.shared));
        let batch = Arc::new(Batch { tenant: new.tenant, shared: new.shared.into() });
        for (digest, own) in new.tickets {
            let entry = Entry { own: own.into(), batch: Arc::clone(&batch), until: new.until, goes_at };
            held.insert(*digest.as_bytes(), entry);
        }
        Ok(())
    }

    fn look(&self, digest: TicketDigest, now: UnixTime) -> Option<Vec<u8>> {
        self.lock().tickets.get(digest.as_bytes()).and_then(|entry| entry.payload(now))
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> Option<Vec<u8>> {
        const BITE: usize = 32;
        let steady = self.clock.steady();
        let mut held = self.lock();
        // The entry goes under the lock and before the next one, or what it shares would be counted for ever.
        let payload = held.remove(*digest.as_bytes()).and_then(|entry| entry.payload(now));
        held.clear(steady, BITE);
        payload
    }
}

impl TicketStore for MemoryTickets {
    fn put(&self, tickets: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(self.0.put(tickets))
    }

    fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        StoreFuture::ready(Ok(self.0.look(digest, now)))
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

impl fmt::Debug for MemoryTicketsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTicketsBuilder").field("ceiling", &self.ceiling).finish_non_exhaustive()
    }
}
