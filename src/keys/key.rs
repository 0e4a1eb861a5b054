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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// The tenant's newest key.
    Current,
    /// An older key that is still accepted. Watch it fall to zero before its end.
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
#[derive(Clone, Debug)]
pub struct Key {
    secret: Secret,
    key_use: KeyUse,
    not_after: UnixTime,
    owner: Option<TenantId>,
}

impl Key {
    /// The tenant's newest key, which has no end.
    pub fn current(secret: Secret) -> Self {
        Self { secret, key_use: KeyUse::Current, not_after: UnixTime::MAX, owner: None }
    }

    /// An older key that is accepted until `not_after`, inclusive.
    pub fn previous(secret: Secret, not_after: UnixTime) -> Self {
        Self { secret, key_use: KeyUse::Previous, not_after, owner: None }
    }

    /// The same key, replaced by a newer one: accepted until `until`, or until its own end where that comes first.
    pub(super) fn retired(&self, until: UnixTime) -> Self {
        Self { key_use: KeyUse::Previous, not_after: self.not_after.min(until), ..self.clone() }
    }

    /// Says whose key it is, where requests do not name a tenant and the key is found by something else. It becomes
    /// [`Identity::tenant`](crate::Identity::tenant).
    #[must_use]
    pub fn owned_by(mut self, tenant: TenantId) -> Self {
        self.owner = Some(tenant);
        self
    }

    /// Whose key it is, if it was said.
    pub fn owner(&self) -> Option<&TenantId> {
        self.owner.as_ref()
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

/// A tenant's keys, tried in this order. Empty for an unknown tenant. Cheap to clone.
///
/// A tenant has at most [`Keys::MAX`] of them. A forgery is checked with each, so more would tell by the time which
/// tenants exist, and would cost as much as the sender of rotations likes. Where more are collected, the keys that end
/// first are left out, which are the oldest; of keys that end at the same time, those listed last. The current key
/// stays.
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
    /// How many keys a tenant has at most: the current one and three previous ones.
    pub const MAX: usize = 4;

    /// The keys of a tenant that is not known: none.
    pub fn unknown_tenant() -> Self {
        Self(None)
    }

    /// Whether these are one and the same list, or both none: not whether two lists have equal keys.
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
