//! Which credentials were used already: exactly one of any number of copies passes.
//!
//! A layer calls [`ReplayStore::claim`] after every other check and before the inner service. The key is made of decoded
//! bytes (the MAC, or the nonce and what makes it unique), never of the token's text, so another spelling is not another
//! login; and it does not depend on the key that checked it, so it survives a rotation.
//!
//! | store | exactly once on | remembers across a restart |
//! |---|---|---|
//! | [`MemoryReplay`] (feature `moka`) | one process | no: it refuses what was made before it started |
//! | [`RedisStore`](crate#features) (feature `redis`) | all processes on one Redis or Valkey | yes; when the *server* forgets, it refuses what was made before that |
//!
//! **More than one process** behind one address needs a store that they share. With a store in memory for each of them,
//! one link works once per process.
//!
//! # A store of your own
//! implements [`ReplayStore`], and proves it in a test: `testing::replay_store`, of the feature `testing`, claims from many
//! sides at once, up to the last instant, with leases that are settled, released and left, and names every promise broken.

#[cfg(feature = "moka")]
mod memory;
#[cfg(feature = "moka")]
mod places;

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::hex::encode_hex;
use crate::keys::TenantId;
use crate::store::{StoreError, StoreFuture};

#[cfg(feature = "moka")]
#[cfg_attr(docsrs, doc(cfg(feature = "moka")))]
pub use memory::{MemoryReplay, MemoryReplayBuilder};

/// What makes two credentials the same: a SHA-256 digest over form, tenant and the credential's unique bytes, each
/// preceded by its length.
///
/// It is safe to log and to store: the credential cannot be found from it.
///
/// ```
/// use tower_sso::keys::TenantId;
/// use tower_sso::replay::Fingerprint;
///
/// let tenant = TenantId::from("4321");
/// let mut one = Fingerprint::new("fernet", &tenant);
/// one.part(b"ab").part(b"c");
/// let mut other = Fingerprint::new("fernet", &tenant);
/// other.part(b"a").part(b"bc");
/// assert_ne!(one.finish(), other.finish(), "parts cannot run into each other");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplayKey([u8; 32]);

impl ReplayKey {
    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for ReplayKey {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

/// In lower-case hexadecimal.
impl fmt::Display for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0))
    }
}

impl fmt::Debug for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplayKey({self})")
    }
}

/// Makes a [`ReplayKey`] of a credential's unique parts.
///
/// ```
/// # use tower_sso::{keys::TenantId, replay::Fingerprint};
/// let mut fingerprint = Fingerprint::new("fernet", &TenantId::from("4321"));
/// fingerprint.part(b"the MAC");
/// let key = fingerprint.finish();
/// ```
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Starts with the form and the tenant.
    pub fn new(form: &str, tenant: &TenantId) -> Self {
        let mut this = Self(Sha256::new());
        this.part(form.as_bytes()).part(tenant.as_str().as_bytes());
        this
    }

    /// Adds the layer's scope. The default one, which is empty, changes nothing.
    pub(crate) fn scope(&mut self, scope: &str) {
        if !scope.is_empty() {
            self.part(b"scope").part(scope.as_bytes());
        }
    }

    /// Adds a part, preceded by its length.
    pub fn part(&mut self, part: &[u8]) -> &mut Self {
        // One byte for what is short, as all of most credentials then fits into one block of the digest.
        match u8::try_from(part.len()) {
            Ok(length) if length < u8::MAX => self.0.update([length]),
            _ => {
                self.0.update([u8::MAX]);
                self.0.update((part.len() as u64).to_be_bytes());
            }
        }
        self.0.update(part);
        self
    }

    /// The key.
    pub fn finish(self) -> ReplayKey {
        ReplayKey(self.0.finalize().into())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprint").finish_non_exhaustive()
    }
}

/// How long a claim holds.
///
/// ```
/// use tower_sso::clock::UnixTime;
/// use tower_sso::replay::Hold;
///
/// assert_eq!(Hold::Until(UnixTime::MAX).until(), UnixTime::MAX);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The credential is spent by the claim, and remembered until this instant, inclusive.
    Until(UnixTime),
    /// The credential is being used. It becomes spent by [`ReplayStore::settle`]; if that does not come until this
    /// instant, inclusive, it may be claimed again: the process that had it is gone.
    Lease(UnixTime),
}

impl Hold {
    /// The last instant of the hold.
    pub fn until(self) -> UnixTime {
        match self {
            Self::Until(until) | Self::Lease(until) => until,
        }
    }
}

/// The outcome of a claim.
///
/// ```
/// use tower_sso::replay::Claimed;
///
/// assert_ne!(Claimed::First, Claimed::Spent);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The credential was free, and is now claimed.
    First,
    /// It was used before.
    Spent,
    /// Another request holds it under a lease.
    Leased,
}

/// Remembers which credentials were used.
///
/// What an implementation owes:
/// - [`claim`](Self::claim) is atomic: of any number of callers with one key, on any number of machines, exactly one gets
///   [`Claimed::First`] while a hold lasts.
/// - A live entry is never evicted. A store that has no room says so ([`StoreError::full`]).
/// - A store that cannot tell says so. It never answers [`Claimed::First`] to be on the safe side.
///
/// ```
/// use std::{collections::HashMap, sync::Mutex};
/// use tower_sso::clock::UnixTime;
/// use tower_sso::replay::{Claimed, Hold, ReplayKey, ReplayStore};
/// use tower_sso::store::{StoreError, StoreFuture};
///
/// /// Never forgets: for a short demonstration only.
/// #[derive(Default)]
/// struct Map(Mutex<HashMap<ReplayKey, Hold>>);
///
/// impl ReplayStore for Map {
///     fn claim(&self, key: ReplayKey, now: UnixTime, hold: Hold) -> StoreFuture<Result<Claimed, StoreError>> {
///         let mut map = self.0.lock().unwrap();
///         let claimed = match map.get(&key) {
///             Some(held) if held.until() >= now => match held {
///                 Hold::Until(_) => Claimed::Spent,
///                 Hold::Lease(_) => Claimed::Leased,
///             },
///             _ => {
///                 map.insert(key, hold);
///                 Claimed::First
///             }
///         };
///         StoreFuture::ready(Ok(claimed))
///     }
///
///     fn settle(&self, key: ReplayKey, _: UnixTime, until: UnixTime) -> StoreFuture<Result<(), StoreError>> {
///         self.0.lock().unwrap().insert(key, Hold::Until(until));
///         StoreFuture::ready(Ok(()))
///     }
///
///     fn release(&self, key: ReplayKey, lease: Hold) -> StoreFuture<Result<(), StoreError>> {
///         let mut map = self.0.lock().unwrap();
///         if matches!(lease, Hold::Lease(_)) && map.get(&key) == Some(&lease) {
///             map.remove(&key);
///         }
///         StoreFuture::ready(Ok(()))
///     }
/// }
/// ```
pub trait ReplayStore: Send + Sync + 'static {
    /// Claims a credential. An entry is live while `now` is not after its hold.
    fn claim(&self, key: ReplayKey, now: UnixTime, hold: Hold) -> StoreFuture<Result<Claimed, StoreError>>;

    /// Makes a leased credential spent, to be remembered until `until`, inclusive; whoever holds it now, as it was used.
    fn settle(&self, key: ReplayKey, now: UnixTime, until: UnixTime) -> StoreFuture<Result<(), StoreError>>;

    /// Frees a credential that is under this very lease: it was not used after all. One that is spent stays spent, and
    /// one that another request has leased since stays leased.
    fn release(&self, key: ReplayKey, lease: Hold) -> StoreFuture<Result<(), StoreError>>;

    /// Since when this store has seen every claim; `None` if it forgets nothing when the process ends.
    ///
    /// A layer refuses credentials that were made before this instant: they may have been used before it.
    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}

impl<R: ReplayStore + ?Sized> ReplayStore for Arc<R> {
    fn claim(&self, key: ReplayKey, now: UnixTime, hold: Hold) -> StoreFuture<Result<Claimed, StoreError>> {
        (**self).claim(key, now, hold)
    }

    fn settle(&self, key: ReplayKey, now: UnixTime, until: UnixTime) -> StoreFuture<Result<(), StoreError>> {
        (**self).settle(key, now, until)
    }

    fn release(&self, key: ReplayKey, lease: Hold) -> StoreFuture<Result<(), StoreError>> {
        (**self).release(key, lease)
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        (**self).remembers_since()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_tenant_scope_and_parts_all_count() {
        let key = |form: &str, tenant: &str, scope: &str, parts: &[&[u8]]| {
            let mut fingerprint = Fingerprint::new(form, &tenant.into());
            fingerprint.scope(scope);
            parts.iter().for_each(|part| _ = fingerprint.part(part));
            fingerprint.finish()
        };
        let one = key("fernet", "acme", "", &[b"mac"]);
        for (other, why) in [
            (key("jwt", "acme", "", &[b"mac"]), "another form"),
            (key("fernet", "acm", "", &[b"emac"]), "another tenant"),
            (key("fernet", "acme", "a", &[b"mac"]), "another scope"),
            (key("fernet", "acme", "", &[b"ma", b"c"]), "other parts"),
            (key("fernet", "acme", "", &[b"mad"]), "another MAC"),
        ] {
            assert_ne!(one, other, "{why}");
        }
        assert_eq!(one, key("fernet", "acme", "", &[b"mac"]));
        // Lengths of one byte and of more.
        let long = [b'x'; 600];
        for length in [253, 254, 255, 256, 511, 512] {
            let (whole, next) = (&long[..length], &long[..length + 1]);
            let cut = key("fernet", "acme", "", &[&whole[..length - 1], b"x"]);
            let keys = [key("fernet", "acme", "", &[whole]), key("fernet", "acme", "", &[next]), cut];
            assert_eq!(keys.iter().filter(|other| **other == keys[0]).count(), 1, "{length}");
        }
    }
}
