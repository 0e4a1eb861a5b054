//! Which keys check a tenant's credentials.
//!
//! Each request asks a [`KeyStore`] once for the [`Keys`] of a [`TenantId`], and a cache once more if none fits.
//! Several keys may be active: during a rotation the previous key is accepted until its own end, and
//! [`Identity::key_use`](crate::Identity::key_use) tells which one matched.
//!
//! # Stores
//!
//! | store | for |
//! |---|---|
//! | [`FixedKeys`] | one tenant, keys from the configuration: needs [`Tenant::fixed`](crate::tenant::Tenant::fixed) |
//! | [`MemoryKeys`] | several tenants; forgets with the process, so not for keys that a partner sends once |
//! | [`PublicKeys`] (feature `public-key`) | one sender's public keys by their id: a JWK set, or PEM |
//! | [`from_fn`] | your own lookup, in a closure |
//! | [`CachedKeys`] (feature `moka`) | in front of a slow store |
//! | [`sql`] (feature `sqlx`) | SQLite and Postgres, with rotation, migrations and encryption |
//!
//! # What a forger learns of a tenant
//!
//! An unknown tenant costs as much as a wrong key: the layer checks a decoy key, and the answer is the same. In a store
//! of your own, a miss must take as long as a hit. In two cases a forger can tell that a tenant exists, and nothing
//! else:
//!
//! - During a rotation. A wrong signature is checked with each active key, an unknown tenant's with one. A tenant has
//!   at most four keys ([`Keys::MAX`]) in every store, so the difference is at most three checks. For RSA signatures it
//!   can be measured over a network. Remove previous keys when they are no longer used.
//! - When none of its active keys is usable: the answer is 503 instead of 401, so that the partner retries once the key
//!   is fixed. The log names the tenant, at `WARN`. Keys that are known when a layer is built are checked then.

mod fixed;
mod identity;
mod key;
mod memory;
mod pair;
#[cfg(feature = "public-key")]
mod public;
mod secret;
mod shared;
#[cfg(feature = "sqlx")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlx")))]
pub mod sql;

#[cfg(feature = "moka")]
mod cached;

use std::future::Future;
use std::sync::Arc;

use crate::debug::opaque_debug;
use crate::store::{StoreError, StoreFuture};

pub use crate::tenant_id::TenantId;
#[cfg(feature = "moka")]
#[cfg_attr(docsrs, doc(cfg(feature = "moka")))]
pub use cached::{CachedKeys, CachedKeysBuilder};
pub use fixed::FixedKeys;
pub use key::{Key, KeyUse, Keys};
pub use memory::MemoryKeys;
#[cfg(any(
    feature = "webhook",
    feature = "jwt",
    feature = "timestamp-hash",
    feature = "oauth1",
    feature = "sealed",
    feature = "sign",
    feature = "shared-secret",
    feature = "signed-parameters",
    feature = "signed-payload",
    feature = "explain"
))]
pub(crate) use pair::check_shared;
#[cfg(feature = "public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
pub use public::PublicKeys;
pub use secret::Secret;
pub(crate) use shared::shared_secrets;

/// Tenants' names are cached and logged, so they are bounded, wherever they were found.
pub(crate) fn check_length(name: &str) -> Result<(), &'static str> {
    const LONGEST_NAME: usize = 255;

    match name.len() {
        0 => Err("is empty"),
        1..=LONGEST_NAME => Ok(()),
        _ => Err("is too long"),
    }
}

/// Where a layer finds the keys of a tenant.
///
/// ```
/// use tower_sso::keys::{Key, Keys, KeyStore, Secret, TenantId};
/// use tower_sso::store::{StoreError, StoreFuture};
///
/// struct OneTenant(Secret);
///
/// impl KeyStore for OneTenant {
///     fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
///         let known = tenant.as_str() == "acme";
///         StoreFuture::ready(Ok(if known { self.0.clone().into() } else { Keys::unknown_tenant() }))
///     }
///     fn known_keys(&self) -> Option<Vec<Key>> {
///         Some(vec![Key::current(self.0.clone()).owned_by("acme".into())])
///     }
///     fn ignores_tenant(&self) -> bool {
///         false
///     }
/// }
/// ```
pub trait KeyStore: Send + Sync + 'static {
    /// The tenant's keys, or [`Keys::unknown_tenant`].
    ///
    /// The name comes from the request and is unchecked: bind it as a parameter, never paste it into a query. Match it
    /// **byte for byte**: a lookup that folds case, trims or parses a number knows one tenant under several names. If
    /// you cannot avoid that, set the owner with [`Key::owned_by`], which then becomes the tenant's name.
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>>;

    /// Newer keys than those `tried`, none of which fitted; `None` if there are none. Default: `None`, which is right
    /// for a store that does not cache.
    ///
    /// Called at most once per request. Forgeries lead here, so a cache limits how often it asks the store behind it.
    /// It must treat known and unknown tenants alike, or timing reveals which ones exist.
    fn keys_again(&self, tenant: &TenantId, tried: &Keys) -> Option<StoreFuture<Result<Keys, StoreError>>> {
        let _ = (tenant, tried);
        None
    }

    /// The keys known now, which a layer checks when it is built; `None` if they are only found per request.
    ///
    /// Set their owners with [`Key::owned_by`]: two tenants with one secret are then logged at `WARN`. A store that
    /// wraps another one returns the inner store's answer; otherwise faulty keys are found only when a request comes.
    fn known_keys(&self) -> Option<Vec<Key>>;

    /// Keys that [`explain`](crate::explain) tries: this tenant's, or with `None` all tenants'. At most `most`, with
    /// their owners set. Keys that have ended are among them while the store still has their secrets.
    ///
    /// Default: those of [`known_keys`](Self::known_keys). No check asks for them, so a store may read a table. A store
    /// that wraps another one returns the inner store's answer.
    fn stored_keys(&self, tenant: Option<&TenantId>, most: usize) -> StoreFuture<Result<Vec<Key>, StoreError>> {
        let known = self.known_keys().unwrap_or_default().into_iter();
        let wanted = known.filter(|key| tenant.is_none_or(|tenant| key.owner() == Some(tenant)));
        StoreFuture::ready(Ok(wanted.take(most).collect()))
    }

    /// Whether every tenant has the same keys, so that a signature does not identify the tenant. A layer then builds
    /// only if requests cannot choose the tenant: otherwise the sender could choose
    /// [`Identity::tenant`](crate::Identity::tenant). A store that wraps another one returns the inner store's answer.
    fn ignores_tenant(&self) -> bool;
}

impl<K: KeyStore + ?Sized> KeyStore for Arc<K> {
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        (**self).keys(tenant)
    }

    fn keys_again(&self, tenant: &TenantId, tried: &Keys) -> Option<StoreFuture<Result<Keys, StoreError>>> {
        (**self).keys_again(tenant, tried)
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        (**self).known_keys()
    }

    fn stored_keys(&self, tenant: Option<&TenantId>, most: usize) -> StoreFuture<Result<Vec<Key>, StoreError>> {
        (**self).stored_keys(tenant, most)
    }

    fn ignores_tenant(&self) -> bool {
        (**self).ignores_tenant()
    }
}

/// A key store from a function. The function must not return the same keys for every name: use [`FixedKeys`] for that,
/// so that a layer whose requests choose the tenant does not build.
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

    fn known_keys(&self) -> Option<Vec<Key>> {
        None
    }

    fn ignores_tenant(&self) -> bool {
        false
    }
}

opaque_debug!(FnKeys<F>);
