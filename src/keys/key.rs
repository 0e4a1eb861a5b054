use std::fmt;
use std::sync::Arc;

use super::{Secret, TenantId};
use crate::clock::UnixTime;

/// Whether a key is a tenant's newest, or one that is being replaced.
///
/// ```
/// use tower_sso::keys::{KeyUse, Secret, Key};
///
/// assert_eq!(Key::current(Secret::new("s")).key_use(), KeyUse::Current);
/// ```
// Exhaustive: a key is the newest or it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// The tenant's newest key.
    Current,
    /// An older key that is still accepted. Its use should fall to zero before its end.
    Previous,
}

/// One key of a tenant.
///
/// ```
/// use tower_sso::clock::UnixTime;
/// use tower_sso::keys::{Key, Secret};
///
/// let previous = Key::previous(Secret::new("old"), UnixTime::from_secs(1_700_000_000));
/// assert!(previous.is_active(UnixTime::from_secs(1_700_000_000)), "its end is inclusive");
/// assert!(!previous.is_active(UnixTime::from_secs(1_700_000_001)));
/// ```
#[derive(Clone)]
pub struct Key {
    secret: Secret,
    key_use: KeyUse,
    not_after: UnixTime,
    owner: Option<TenantId>,
    note: Option<Arc<dyn Fn(UnixTime) + Send + Sync>>,
}

impl Key {
    /// The tenant's newest key, which has no end.
    pub fn current(secret: Secret) -> Self {
        Self { secret, key_use: KeyUse::Current, not_after: UnixTime::MAX, owner: None, note: None }
    }

    /// An older key that is accepted until `not_after`, inclusive.
    pub fn previous(secret: Secret, not_after: UnixTime) -> Self {
        Self { secret, key_use: KeyUse::Previous, not_after, owner: None, note: None }
    }

    /// The same key as a previous one: accepted until `until`, or until its own end if that is earlier.
    pub(super) fn retired(&self, until: UnixTime) -> Self {
        Self { key_use: KeyUse::Previous, not_after: self.not_after.min(until), ..self.clone() }
    }

    /// Sets the key's owner, for requests that do not name a tenant. It becomes
    /// [`Identity::tenant`](crate::Identity::tenant).
    #[must_use]
    pub fn owned_by(mut self, tenant: TenantId) -> Self {
        self.owner = Some(tenant);
        self
    }

    /// The key's owner, if set.
    pub fn owner(&self) -> Option<&TenantId> {
        self.owner.as_ref()
    }

    /// Calls `note` with the time of each credential that this key proved and whose claims were accepted, duplicates
    /// included. Default: nothing is called.
    ///
    /// For a store that keeps when a key was last used. `note` runs while the request waits: it must be quick, and
    /// leave anything slow to a task.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicI64, Ordering};
    /// use tower_sso::keys::{Key, Secret};
    ///
    /// let last_use = Arc::new(AtomicI64::new(0));
    /// let noted = Arc::clone(&last_use);
    /// let key = Key::current(Secret::new("s")).when_used(move |now| {
    ///     noted.fetch_max(now.as_secs(), Ordering::Relaxed);
    /// });
    /// ```
    #[must_use]
    pub fn when_used(mut self, note: impl Fn(UnixTime) + Send + Sync + 'static) -> Self {
        self.note = Some(Arc::new(note));
        self
    }

    /// It proved a credential.
    pub(crate) fn used(&self, now: UnixTime) {
        if let Some(note) = &self.note {
            note(now);
        }
    }

    /// The key itself.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether it is the newest.
    pub fn key_use(&self) -> KeyUse {
        self.key_use
    }

    /// The last instant at which it is accepted.
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// Whether it is accepted at `now`.
    pub fn is_active(&self, now: UnixTime) -> bool {
        now <= self.not_after
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("secret", &self.secret)
            .field("key_use", &self.key_use)
            .field("not_after", &self.not_after)
            .field("owner", &self.owner)
            .finish()
    }
}

/// A tenant's keys, tried in this order. Empty for an unknown tenant. Cheap to clone.
///
/// A tenant has at most [`Keys::MAX`] of them. A forgery is checked with each, so more would reveal by timing which
/// tenants exist, and let the sender of rotations drive up the cost. If more are collected, the keys that end first are
/// left out, which are the oldest; among keys that end together, those listed last. The current key stays.
///
/// ```
/// use tower_sso::keys::{Key, Keys, Secret};
///
/// let keys: Keys = [Key::current(Secret::new("k1"))].into_iter().collect();
/// assert_eq!(keys.len(), 1);
/// assert!(Keys::unknown_tenant().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Keys(Option<Arc<[Key]>>);

impl Keys {
    /// The most keys a tenant can have: the current one and three previous ones.
    pub const MAX: usize = 4;

    /// The keys of an unknown tenant: an empty list.
    pub fn unknown_tenant() -> Self {
        Self(None)
    }

    /// Whether both are the same list (by pointer) or both are empty. Does not compare keys.
    #[cfg(feature = "moka")]
    pub(super) fn are(&self, other: &Self) -> bool {
        std::ptr::eq(&raw const **self, &raw const **other) || (self.is_empty() && other.is_empty())
    }
}

impl std::ops::Deref for Keys {
    type Target = [Key];

    fn deref(&self) -> &[Key] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl FromIterator<Key> for Keys {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        let mut kept = Vec::with_capacity(Self::MAX + 1);
        for key in keys {
            kept.push(key);
            if kept.len() > Self::MAX {
                let age = |(_, key): &(usize, &Key)| (key.key_use == KeyUse::Current, key.not_after);
                let oldest = kept.iter().enumerate().rev().min_by_key(age).map_or(0, |(position, _)| position);
                kept.remove(oldest);
            }
        }
        Self(Some(kept.into()))
    }
}

impl From<Secret> for Keys {
    fn from(secret: Secret) -> Self {
        [Key::current(secret)].into_iter().collect()
    }
}
