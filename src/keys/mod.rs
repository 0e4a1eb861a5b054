//! Which keys check a tenant's credentials.
//!
//! A [`KeyStore`] is asked once per request for the [`Keys`] of a [`TenantId`]. Several may be active at once: during
//! a rotation the previous key is accepted until its own end, and [`Identity::key`](crate::identity::Identity::key)
//! tells which one matched.
//!
//! | store | for |
//! |---|---|
//! | [`FixedKeys`] | one tenant, keys from the configuration: needs [`Tenant::fixed`](crate::tenant::Tenant::fixed) |
//! | [`MemoryKeys`] | several tenants; forgets with the process, so not for keys that a partner sends once |
//! | [`from_fn`] | your own lookup, in a closure |
//! | [`CachedKeys`] (feature `moka`) | in front of a slow store |
//! | [`sql`] (feature `sqlx`) | SQLite and Postgres, with rotation and migrations |
//!
//! An unknown tenant costs as much as a wrong key: a decoy key is checked for it, and the answer is the same.
//! While a tenant has two active keys, a wrong signature costs two checks.

mod fixed;
mod memory;
mod secret;
#[cfg(feature = "sqlx")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlx")))]
pub mod sql;

#[cfg(feature = "moka")]
mod cached;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::clock::UnixTime;
use crate::store::{StoreError, StoreFuture};

#[cfg(feature = "moka")]
#[cfg_attr(docsrs, doc(cfg(feature = "moka")))]
pub use cached::{CachedKeys, CachedKeysBuilder};
pub use fixed::FixedKeys;
pub use memory::MemoryKeys;
pub use secret::Secret;

/// A customer organisation with keys of its own, as the request names it.
///
/// Not to be trusted before the signature is checked: it only selects the key. Cheap to clone; a name of up to 23 bytes needs
/// no memory of its own.
///
/// ```
/// use tower_sso::keys::TenantId;
///
/// assert_eq!(TenantId::from("4321").as_str(), "4321");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(SmolStr);

impl TenantId {
    /// The tenant's name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for TenantId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for TenantId {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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

    /// Says whose key it is, where requests do not name a tenant and the key is found by something else. It becomes
    /// [`Identity::tenant`](crate::identity::Identity::tenant).
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
    /// The keys of a tenant that is not known: none.
    pub fn unknown_tenant() -> Self {
        Self(None)
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
        Self(Some(keys.into_iter().collect()))
    }
}

impl From<Secret> for Keys {
    fn from(secret: Secret) -> Self {
        [Key::current(secret)].into_iter().collect()
    }
}

/// Where a layer finds the keys of a tenant.
///
/// ```
/// use tower_sso::keys::{Keys, KeyStore, Secret, TenantId};
/// use tower_sso::store::{StoreError, StoreFuture};
///
/// struct OneTenant(Secret);
///
/// impl KeyStore for OneTenant {
///     fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
///         let known = tenant.as_str() == "acme";
///         StoreFuture::ready(Ok(if known { self.0.clone().into() } else { Keys::unknown_tenant() }))
///     }
/// }
/// ```
pub trait KeyStore: Send + Sync + 'static {
    /// The tenant's keys, or [`Keys::unknown_tenant`].
    ///
    /// The name comes from the request and was not checked: bind it as a parameter, never paste it into a query. Match it
    /// **byte for byte**: a lookup that folds case, trims, or reads a number knows one tenant under several names, and each
    /// is one login more for the same credential. Where that cannot be helped, say whose the keys are with
    /// [`Key::owned_by`], which is then the tenant's name.
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>>;

    /// The keys that are known now, which a layer checks when it is built. `None` if they are found per request only.
    fn known_keys(&self) -> Option<Vec<Key>> {
        None
    }

    /// Whether every tenant has the same keys. A layer is then built only with a tenant that requests do not choose: else
    /// one credential would sign in once for every name that somebody makes up.
    fn ignores_tenant(&self) -> bool {
        false
    }
}

impl<K: KeyStore + ?Sized> KeyStore for Arc<K> {
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        (**self).keys(tenant)
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        (**self).known_keys()
    }

    fn ignores_tenant(&self) -> bool {
        (**self).ignores_tenant()
    }
}

/// A key store made of a function.
///
/// ```
/// use tower_sso::keys::{self, Keys, Secret, TenantId};
///
/// let store = keys::from_fn(|tenant: TenantId| async move {
///     let row = lookup(tenant.as_str()).await?; // your database
///     Ok::<_, std::io::Error>(row.map(|secret| Keys::from(Secret::new(secret))).unwrap_or_default())
/// });
/// # async fn lookup(_: &str) -> Result<Option<String>, std::io::Error> { Ok(None) }
/// ```
pub fn from_fn<F, Fut, E>(lookup: F) -> FnKeys<F>
where
    F: Fn(TenantId) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Keys, E>> + Send + 'static,
    E: Into<StoreError> + 'static,
{
    FnKeys(lookup)
}

/// The store that [`from_fn`] makes.
///
/// ```
/// use tower_sso::keys::{self, FnKeys, Keys, TenantId};
///
/// async fn none(_: TenantId) -> Result<Keys, std::io::Error> {
///     Ok(Keys::unknown_tenant())
/// }
/// let store: FnKeys<_> = keys::from_fn(none);
/// ```
#[derive(Clone)]
pub struct FnKeys<F>(F);

impl<F, Fut, E> KeyStore for FnKeys<F>
where
    F: Fn(TenantId) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Keys, E>> + Send + 'static,
    E: Into<StoreError> + 'static,
{
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        let lookup = (self.0)(tenant.clone());
        StoreFuture::new(async move { lookup.await.map_err(Into::into) })
    }
}

impl<F> fmt::Debug for FnKeys<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnKeys").finish_non_exhaustive()
    }
}
