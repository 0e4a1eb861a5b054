//! Remembers used credentials: of any number of duplicates, exactly one passes.
//!
//! A layer calls [`ReplayStore::claim`] after every other check and before the inner service. To *claim* a credential
//! is to take it, so that nobody else can; it has nothing to do with a token's claims. The fingerprint is made
//! of decoded bytes (the MAC, or the nonce and what makes it unique), never of the token's text, so another spelling is
//! not another login. It does not depend on where the key was found, so it survives a rotation.
//!
//! | | [`MemoryReplay`] | [`DenseReplay`](crate#features) | [`RedisStore`](crate#features) |
//! |---|---|---|---|
//! | feature | `moka`, on by default | `dense-replay` | `redis` |
//! | exactly once on | one process | one process | all processes on one Redis or Valkey |
//! | remembers across a restart | no: it refuses what was made before | no, as on the left | yes |
//! | a claim takes | 1 to 5 µs | 0.3 to 1 µs | a round trip |
//! | an entry takes | 470 bytes | 22 to 43 bytes | 228 bytes |
//! | 1 GB holds | 2 million | 20 million | 4 million |
//!
//! The figures are from `cargo bench --bench replay`, on two shared cores: one to eight threads, beside a thousand
//! entries to millions. With one thread and warm caches, a claim of `MemoryReplay` takes about 1 µs. The default is
//! `MemoryReplay`. For more than a few hundred sign-ins a second in one process, take `DenseReplay`. An entry stays for
//! as long as its link is good, and a minute or two longer. Both stores in memory remove dead entries only when claims
//! come. `DenseReplay` rounds ends up to whole seconds.
//!
//! If the Redis *server* loses its data, `RedisStore` refuses everything made before it noticed
//! the loss.
//!
//! **Several processes** behind one address need a shared store. With a memory store in each, one link works once per
//! process.
//!
//! # A store of your own
//! Implement [`ReplayStore`], and test it with `testing::replay_store` (feature `testing`). The suite claims
//! concurrently, up to the last instant, with leases that are settled, released and abandoned, and names every broken
//! promise.

#[cfg(any(feature = "moka", feature = "dense-replay"))]
mod builder;
mod claim;
#[cfg(any(feature = "moka", feature = "dense-replay"))]
mod cutoff;
#[cfg(feature = "dense-replay")]
mod dense;
#[cfg(feature = "moka")]
mod entry;
mod fingerprint;
#[cfg(any(feature = "moka", feature = "dense-replay"))]
mod forever;
mod hold;
#[cfg(feature = "moka")]
mod memory;
#[cfg(any(feature = "moka", feature = "dense-replay"))]
mod room;
#[cfg(feature = "moka")]
mod schedule;
#[cfg(feature = "moka")]
mod shard;
#[cfg(any(feature = "moka", feature = "dense-replay"))]
mod windows;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::UnixTime;
use crate::store::{StoreError, StoreFuture};

#[cfg(any(feature = "moka", feature = "dense-replay"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "moka", feature = "dense-replay"))))]
pub use builder::InMemoryBuilder;
#[cfg(feature = "dense-replay")]
#[cfg_attr(docsrs, doc(cfg(feature = "dense-replay")))]
pub use dense::{DenseReplay, DenseReplayBuilder};
#[cfg(feature = "moka")]
#[cfg_attr(docsrs, doc(cfg(feature = "moka")))]
pub use memory::{MemoryReplay, MemoryReplayBuilder};

pub use claim::{Claim, Group, Terms};
pub use fingerprint::{Fingerprint, FingerprintHasher};
pub use hold::{Hold, LeaseId};

/// The outcome of a claim.
///
/// ```
/// use tower_sso::replay::Claimed;
///
/// assert_ne!(Claimed::First, Claimed::Spent);
/// ```
// Exhaustive: a store around another one must not take a new outcome for one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The credential was free, and is now claimed.
    First,
    /// It was used before.
    Spent,
    /// Another request holds it under a lease.
    Leased,
    /// It may have been used, and its entry removed: the group had a shorter window then, so entries were kept for a
    /// shorter time. See [how long an entry is kept](ReplayStore#how-long-an-entry-is-kept).
    Forgotten,
}

/// Remembers used credentials.
///
/// An implementation must keep these promises:
/// - [`claim`](Self::claim) is atomic: of any number of callers with one key, on any number of machines, exactly one
///   gets [`Claimed::First`] while a hold lasts.
/// - A live entry is never evicted. A store without room fails ([`StoreError::full`]).
/// - A store that cannot tell fails. It never answers [`Claimed::First`] in doubt.
///
/// # How long an entry is kept
/// A layer knows only its own settings. Its credential may come to another layer of the same [`Group`] with a longer
/// window: on another route, or in the next deployment. So for each group a store remembers the first
/// [window](Terms::window), the longest one, and since when it was the longest:
/// - **Every entry is kept for the longest window.** It is held, and later settled, until its own end plus the longest
///   window minus its own.
/// - **A longer window does not reach back.** Before it was announced, entries were kept for a shorter time. So the
///   answer is [`Claimed::Forgotten`] if a credential could be used before that ([`Terms::usable_since`]) and its
///   entry under the first window would have been removed by now (`until - window + first < now`).
///
/// ```
/// use std::{collections::HashMap, sync::Mutex};
/// use tower_sso::clock::UnixTime;
/// use tower_sso::replay::{Claim, Claimed, Fingerprint, Hold, LeaseId, ReplayStore};
/// use tower_sso::store::{StoreError, StoreFuture};
///
/// /// Never forgets: for a short demonstration only.
/// #[derive(Default)]
/// struct Map(Mutex<HashMap<Fingerprint, Hold>>);
///
/// impl ReplayStore for Map {
///     fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
///         let mut map = self.0.lock().unwrap();
///         let claimed = match map.get(&claim.key) {
///             Some(Hold::Until(_)) => Claimed::Spent,
///             Some(Hold::Lease { until, .. }) if *until >= claim.now => Claimed::Leased,
///             _ => {
///                 map.insert(claim.key, claim.hold);
///                 Claimed::First
///             }
///         };
///         StoreFuture::ready(Ok(claimed))
///     }
///
///     fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
///         self.0.lock().unwrap().insert(claim.key, claim.hold);
///         StoreFuture::ready(Ok(()))
///     }
///
///     fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
///         let mut map = self.0.lock().unwrap();
///         if matches!(map.get(&key), Some(Hold::Lease { id, .. }) if *id == lease) {
///             map.remove(&key);
///         }
///         StoreFuture::ready(Ok(()))
///     }
///
///     fn remembers_since(&self) -> Option<UnixTime> {
///         None // not true of a map in memory: see below
///     }
/// }
/// ```
pub trait ReplayStore: Send + Sync + 'static {
    /// Claims a credential. An entry is live up to [`Hold::until`], inclusive.
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>>;

    /// Announces a layer that was built at `now`, by its clock, and will claim with this window. From now on, entries
    /// of its group are kept for that long; see [how long an entry is kept](Self#how-long-an-entry-is-kept).
    ///
    /// Default: does nothing, as each claim has its window too. The store then learns of a longer window from its first
    /// claim, and answers [`Claimed::Forgotten`] for older credentials.
    fn announce(&self, group: Group, window: Duration, now: UnixTime) {
        _ = (group, window, now);
    }

    /// Spends a leased credential; the claim's hold is a [`Hold::Until`]. It does so whoever holds the lease now,
    /// because the credential was used.
    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>>;

    /// Frees a credential under exactly this lease, as it was not used after all. A spent credential stays spent, and
    /// one under another lease stays leased, even if both leases have the same end. The claim of the lease may have
    /// been refused, or never have arrived.
    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>>;

    /// The instant since which this store has seen every claim. A layer refuses credentials that were usable before
    /// that instant, as they may have been used before it.
    ///
    /// **`None` is the stronger promise**: every claim ever made is still known, also those of other processes and from
    /// before a restart. A store that cannot promise it answers `Some`; one that wraps another returns the inner
    /// store's answer.
    fn remembers_since(&self) -> Option<UnixTime>;

    /// How full it is, for [metrics](crate#features): a number that it knows without counting. Default: `None`.
    fn fill(&self) -> Option<Fill> {
        None
    }
}

/// How full a store is.
///
/// ```
/// use tower_sso::replay::Fill;
///
/// let fill = Fill { entries: 10, ceiling: 1_000_000 };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The entries that it holds, dead ones that were not removed yet included.
    pub entries: u64,
    /// How many it may hold.
    pub ceiling: u64,
}

impl<R: ReplayStore + ?Sized> ReplayStore for Arc<R> {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        (**self).claim(claim)
    }

    fn announce(&self, group: Group, window: Duration, now: UnixTime) {
        (**self).announce(group, window, now);
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        (**self).settle(claim)
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        (**self).release(key, lease)
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        (**self).remembers_since()
    }

    fn fill(&self) -> Option<Fill> {
        (**self).fill()
    }
}
