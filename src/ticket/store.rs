use std::fmt;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::keys::TenantId;
use crate::store::{StoreError, StoreFuture};
use crate::text::hex::encode_hex;

/// The SHA-256 digest of a ticket and its namespace: what a store knows of it. It is safe to log and to store.
///
/// ```
/// use tower_sso::ticket::TicketDigest;
///
/// assert_eq!(TicketDigest::from([0xab; 32]).to_string(), "ab".repeat(32));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TicketDigest([u8; 32]);

impl TicketDigest {
    /// The digest's length in bytes.
    pub const LENGTH: usize = 32;

    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for TicketDigest {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

/// In lower-case hexadecimal.
impl fmt::Display for TicketDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0))
    }
}

impl fmt::Debug for TicketDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketDigest({self})")
    }
}

/// Tickets that are issued by one call, all for one user. What they stand for is personal data, which `Debug` does not
/// show.
///
/// ```
/// use std::time::Duration;
/// use tower_sso::clock::{Clock, SystemClock};
/// use tower_sso::ticket::{NewTickets, TicketDigest};
///
/// let now = SystemClock.now();
/// let mut tickets = NewTickets::new("acme".into(), now, now.plus(Duration::from_secs(60)))
///     .with(TicketDigest::from([1; 32]), "site 1")
///     .with(TicketDigest::from([2; 32]), "2");
/// tickets.shared = b"ada, ".to_vec();
/// let payloads: Vec<_> = tickets.payloads().map(|(_, payload)| payload).collect();
/// assert_eq!(payloads, [b"ada, site 1".to_vec(), b"ada, 2".to_vec()]);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct NewTickets {
    /// Whose user it is: for a store that gives each tenant its share.
    pub tenant: TenantId,
    /// The time at which they are issued.
    pub now: UnixTime,
    /// Until when they can be redeemed, inclusive.
    pub until: UnixTime,
    /// How the payload of each begins. It may be much larger than the rest: a store that can, keeps it once.
    pub shared: Vec<u8>,
    /// Each ticket, and the rest of its payload.
    pub tickets: Vec<(TicketDigest, Vec<u8>)>,
}

impl NewTickets {
    /// What a store counts for a ticket, in bytes, besides its payload.
    pub(crate) const OVERHEAD: u64 = 400;

    /// None yet.
    pub fn new(tenant: TenantId, now: UnixTime, until: UnixTime) -> Self {
        Self { tenant, now, until, shared: Vec::new(), tickets: Vec::new() }
    }

    /// Adds a ticket.
    #[must_use]
    pub fn with(mut self, digest: TicketDigest, payload: impl Into<Vec<u8>>) -> Self {
        self.tickets.push((digest, payload.into()));
        self
    }

    /// Each ticket with its whole payload, for a store that keeps each by itself.
    pub fn payloads(&self) -> impl Iterator<Item = (TicketDigest, Vec<u8>)> + '_ {
        self.tickets.iter().map(|(digest, own)| (*digest, [&self.shared[..], own].concat()))
    }
}

impl fmt::Debug for NewTickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTickets").field("tickets", &self.tickets.len()).finish_non_exhaustive()
    }
}

/// Where tickets wait to be redeemed.
///
/// What an implementation owes:
/// - [`take`](Self::take) is atomic: of any number of callers with one digest, on any number of machines, one at most
///   gets the payload (in SQL: `DELETE … RETURNING`, in Redis: `GETDEL`).
/// - A live ticket is never evicted. A store that has no room says so ([`StoreError::full`]).
/// - A payload is personal data: the identity that the ticket stands for.
/// - What it holds is bounded, in bytes and not only in number, and one tenant cannot fill it for all.
///   [`Tickets::largest_claims`](super::Tickets::largest_claims) bounds a single payload.
///
/// Prove a store of your own in a test: `testing::ticket_store`, of the feature `testing`, takes tickets from many
/// sides at once and up to their last instant, and names every promise broken.
///
/// ```
/// use std::{collections::HashMap, sync::Mutex};
/// use tower_sso::clock::UnixTime;
/// use tower_sso::store::{StoreError, StoreFuture};
/// use tower_sso::ticket::{NewTickets, TicketDigest, TicketStore};
///
/// /// Never forgets: for a short demonstration only.
/// #[derive(Default)]
/// struct Map(Mutex<HashMap<TicketDigest, (Vec<u8>, UnixTime)>>);
///
/// impl TicketStore for Map {
///     fn put(&self, tickets: NewTickets) -> StoreFuture<Result<(), StoreError>> {
///         let mut map = self.0.lock().unwrap();
///         for (digest, payload) in tickets.payloads() {
///             map.entry(digest).or_insert((payload, tickets.until));
///         }
///         StoreFuture::ready(Ok(()))
///     }
///
///     fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
///         let held = self.0.lock().unwrap().get(&digest).cloned();
///         StoreFuture::ready(Ok(held.filter(|(_, until)| now <= *until).map(|(payload, _)| payload)))
///     }
///
///     fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
///         let taken = self.0.lock().unwrap().remove(&digest);
///         StoreFuture::ready(Ok(taken.filter(|(_, until)| now <= *until).map(|(payload, _)| payload)))
///     }
/// }
/// ```
pub trait TicketStore: Send + Sync + 'static {
    /// Keeps what tickets stand for until `until`, inclusive. A live ticket is not replaced: a second `put` of its
    /// digest fails, or changes nothing. Where it fails halfway, tickets that are there already may stay: nobody has
    /// them.
    fn put(&self, tickets: NewTickets) -> StoreFuture<Result<(), StoreError>>;

    /// What a ticket stands for. It stays where it is. `None` for what is not there, or was to be kept until before
    /// `now`.
    fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>>;

    /// Takes it out, for good. `None` for what is not there, or was to be kept until before `now`.
    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>>;
}

impl<T: TicketStore + ?Sized> TicketStore for Arc<T> {
    fn put(&self, tickets: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        (**self).put(tickets)
    }

    fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        (**self).look(digest, now)
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        (**self).take(digest, now)
    }
}
