use std::fmt;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::hex::encode_hex;
use crate::store::{StoreError, StoreFuture};

/// The SHA-256 digest of a ticket and its purpose: what a store knows of it. It is safe to log and to store.
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

    /// The digest that [`Display`](fmt::Display) has written.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = crate::encoding::decode_hex(text)?;
        bytes.try_into().ok().map(Self)
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

/// Where tickets wait to be redeemed.
///
/// What an implementation owes:
/// - [`take`](Self::take) is atomic: of any number of callers with one digest, on any number of machines, one at most gets the
///   payload (in SQL: `DELETE … RETURNING`, in Redis: `GETDEL`).
/// - A live ticket is never evicted. A store that has no room says so ([`StoreError::full`]).
/// - A payload is personal data: the identity that the ticket stands for.
///
/// Prove a store of your own in a test: `testing::ticket_store`, of the feature `testing`, takes tickets from many sides at
/// once and up to their last instant, and names every promise broken.
///
/// ```
/// use std::{collections::HashMap, sync::Mutex};
/// use tower_sso::clock::UnixTime;
/// use tower_sso::store::{StoreError, StoreFuture};
/// use tower_sso::ticket::{TicketDigest, TicketStore};
///
/// /// Never forgets: for a short demonstration only.
/// #[derive(Default)]
/// struct Map(Mutex<HashMap<TicketDigest, (Vec<u8>, UnixTime)>>);
///
/// impl TicketStore for Map {
///     fn put(
///         &self,
///         digest: TicketDigest,
///         payload: Vec<u8>,
///         _: UnixTime,
///         until: UnixTime,
///     ) -> StoreFuture<Result<(), StoreError>> {
///         self.0.lock().unwrap().entry(digest).or_insert((payload, until));
///         StoreFuture::ready(Ok(()))
///     }
///
///     fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
///         let taken = self.0.lock().unwrap().remove(&digest);
///         StoreFuture::ready(Ok(taken.filter(|(_, until)| now <= *until).map(|(payload, _)| payload)))
///     }
/// }
/// ```
pub trait TicketStore: Send + Sync + 'static {
    /// Keeps what a ticket stands for until `until`, inclusive. A live ticket is not replaced: a second `put` of its digest
    /// fails, or changes nothing.
    fn put(
        &self,
        digest: TicketDigest,
        payload: Vec<u8>,
        now: UnixTime,
        until: UnixTime,
    ) -> StoreFuture<Result<(), StoreError>>;

    /// Takes it out, for good. `None` for what is not there, or was to be kept until before `now`.
    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>>;
}

impl<T: TicketStore + ?Sized> TicketStore for Arc<T> {
    fn put(
        &self,
        digest: TicketDigest,
        payload: Vec<u8>,
        now: UnixTime,
        until: UnixTime,
    ) -> StoreFuture<Result<(), StoreError>> {
        (**self).put(digest, payload, now, until)
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        (**self).take(digest, now)
    }
}
