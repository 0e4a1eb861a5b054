use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{future::Future, pin::pin};

use moka::future::Cache;

use super::{Key, KeyStore, Keys, TenantId};
use crate::store::{StoreError, StoreFuture};

/// A moka cache in front of a slow key store. Clones share it.
///
/// A tenant's keys are remembered for [`time_to_live`](CachedKeysBuilder::time_to_live): a rotation made by another
/// process is seen after that at the latest. Unknown tenants are remembered too, for a shorter time and in a cache of
/// their own, so that a flood of made-up names does not push out the tenants that exist; each new name reaches the store
/// once. Copies
/// of one lookup that run at once become one. A failed lookup is not remembered.
///
/// A key's own end ([`Key::not_after`]) holds in the cache too.
///
/// ```
/// # use tower_sso::keys::{self, Keys, TenantId};
/// use std::time::Duration;
/// use tower_sso::keys::CachedKeys;
///
/// # let store = keys::from_fn(|_: TenantId| async { Ok::<_, std::io::Error>(Keys::unknown_tenant()) });
/// let keys = CachedKeys::builder(store).time_to_live(Duration::from_secs(10)).build();
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // After this process has changed a tenant's key:
/// keys.forget(&TenantId::from("4321")).await;
/// # });
/// ```
#[derive(Clone)]
pub struct CachedKeys {
    store: Arc<dyn KeyStore>,
    known: Cache<TenantId, Keys>,
    unknown: Cache<TenantId, ()>,
}

/// Sets up a [`CachedKeys`].
///
/// ```
/// # let store = tower_sso::keys::MemoryKeys::new();
/// use tower_sso::keys::CachedKeys;
///
/// let keys = CachedKeys::builder(store).capacity(1_000).build();
/// ```
pub struct CachedKeysBuilder {
    store: Arc<dyn KeyStore>,
    time_to_live: Duration,
    unknown_time_to_live: Duration,
    capacity: u64,
}

impl CachedKeys {
    /// A cache in front of `store`, with the defaults of [`CachedKeysBuilder`].
    pub fn new(store: impl KeyStore) -> Self {
        Self::builder(store).build()
    }

    /// A cache in front of `store`, to be set up.
    pub fn builder(store: impl KeyStore) -> CachedKeysBuilder {
        CachedKeysBuilder {
            store: Arc::new(store),
            time_to_live: Duration::from_secs(30),
            unknown_time_to_live: Duration::from_secs(5),
            capacity: 10_000,
        }
    }

    /// Forgets what is known of a tenant, so that the next request asks the store. Call it after a change of its keys.
    ///
    /// A lookup that is under way at this moment may still bring the old keys back for one time to live.
    pub async fn forget(&self, tenant: &TenantId) {
        self.known.invalidate(tenant).await;
        self.unknown.invalidate(tenant).await;
    }
}

impl CachedKeysBuilder {
    /// How long a tenant's keys are remembered. Default: 30 s. The longest time that a revoked key goes on working.
    #[must_use]
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = time;
        self
    }

    /// How long it is remembered that a tenant is unknown. Default: 5 s. The longest time until a new tenant works.
    #[must_use]
    pub fn unknown_time_to_live(mut self, time: Duration) -> Self {
        self.unknown_time_to_live = time;
        self
    }

    /// How many tenants are remembered, known and unknown each. Default: 10,000. Beyond it the least used ones go.
    #[must_use]
    pub fn capacity(mut self, tenants: u64) -> Self {
        self.capacity = tenants;
        self
    }

    /// The cache.
    pub fn build(self) -> CachedKeys {
        CachedKeys {
            store: self.store,
            known: Cache::builder().max_capacity(self.capacity).time_to_live(self.time_to_live).build(),
            unknown: Cache::builder().max_capacity(self.capacity).time_to_live(self.unknown_time_to_live).build(),
        }
    }
}

/// Why a lookup left nothing in the cache of known tenants.
#[derive(Clone)]
enum Miss {
    Unknown,
    Failed(Arc<StoreError>),
}

impl KeyStore for CachedKeys {
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        if let Some(Some(keys)) = ready(self.known.get(tenant)) {
            return StoreFuture::ready(Ok(keys));
        }
        if let Some(Some(())) = ready(self.unknown.get(tenant)) {
            return StoreFuture::ready(Ok(Keys::unknown_tenant()));
        }
        let (this, tenant) = (self.clone(), tenant.clone());
        StoreFuture::new(async move {
            let lookup = async {
                match this.store.keys(&tenant).await {
                    Ok(keys) if keys.is_empty() => Err(Miss::Unknown),
                    Ok(keys) => Ok(keys),
                    Err(error) => Err(Miss::Failed(Arc::new(error))),
                }
            };
            match this.known.try_get_with(tenant.clone(), lookup).await.as_ref().map_err(|miss| (**miss).clone()) {
                Ok(keys) => Ok(keys.clone()),
                Err(Miss::Unknown) => {
                    this.unknown.insert(tenant, ()).await;
                    Ok(Keys::unknown_tenant())
                }
                Err(Miss::Failed(error)) => Err(StoreError::shared(&error)),
            }
        })
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        self.store.known_keys()
    }

    fn ignores_tenant(&self) -> bool {
        self.store.ignores_tenant()
    }
}

/// The output of a future that does not wait for anything; `None` if it does, after all.
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

impl std::fmt::Debug for CachedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedKeys").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for CachedKeysBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedKeysBuilder").field("time_to_live", &self.time_to_live).finish_non_exhaustive()
    }
}
