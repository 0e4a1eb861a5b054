use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{future::Future, pin::pin};

use moka::future::Cache;

use super::{Key, KeyStore, Keys, TenantId, check_length};
use crate::debug::opaque_debug;
use crate::store::{StoreError, StoreFuture};

/// moka panics above a thousand years.
const LONGEST_TIME: Duration = Duration::from_hours(365 * 24);

/// A moka cache in front of a slow key store. Clones share it.
///
/// - A tenant's keys are remembered for [`time_to_live`](CachedKeysBuilder::time_to_live); so is the fact that a tenant
///   is unknown. A failed lookup is not remembered. Concurrent lookups of one tenant become one.
/// - If no cached key fits, or the cache knows the tenant as unknown, the store is asked once more: a key or tenant
///   from another process works at once. As a forgery leads there too, each tenant name is asked for at most once per
///   [`ask_again_after`](CachedKeysBuilder::ask_again_after). While the store is down, such a request gets 503;
///   requests that fit a cached key pass.
/// - **A key revoked elsewhere is accepted for one time to live**, unless a request in between was refused. If this
///   process revokes it, call [`forget`](Self::forget). A key's own end ([`Key::not_after`]) holds in the cache too.
/// - Unknown tenants have a cache of their own, so a flood of made-up names does not evict real tenants. Each new name
///   reaches the store once. A name of more than 255 bytes is unknown, without a lookup or an entry.
///
/// The time of an answer reveals whether anybody asked for this name within the last `ask_again_after`. It does not
/// reveal whether the tenant exists, provided that a miss in the store takes as long as a hit.
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
    /// The store's latest answer for a tenant, or the lookup in progress.
    fresh: Cache<TenantId, Keys>,
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
    unknown_time_to_live: Option<Duration>,
    ask_again_after: Duration,
    capacity: u64,
}

impl CachedKeys {
    /// A cache in front of `store`, with the defaults of [`CachedKeysBuilder`].
    pub fn new(store: impl KeyStore) -> Self {
        Self::builder(store).build()
    }

    /// Sets up a cache in front of `store`.
    pub fn builder(store: impl KeyStore) -> CachedKeysBuilder {
        CachedKeysBuilder {
            store: Arc::new(store),
            time_to_live: Duration::from_secs(30),
            unknown_time_to_live: None,
            ask_again_after: Duration::from_secs(1),
            capacity: 10_000,
        }
    }

    /// Forgets a tenant, so that the next request asks the store. Call it after changing the tenant's keys.
    ///
    /// A lookup in progress may still bring the old keys back for one time to live.
    pub async fn forget(&self, tenant: &TenantId) {
        self.fresh.invalidate(tenant).await;
        self.known.invalidate(tenant).await;
        self.unknown.invalidate(tenant).await;
    }

    /// Asks the store, or joins a lookup of this tenant in progress, and remembers the answer.
    async fn ask(self, tenant: TenantId) -> Result<Keys, StoreError> {
        let lookup = async {
            let keys = self.store.keys(&tenant).await?;
            if keys.is_empty() {
                self.known.invalidate(&tenant).await;
                self.unknown.insert(tenant.clone(), ()).await;
            } else {
                self.unknown.invalidate(&tenant).await;
                self.known.insert(tenant.clone(), keys.clone()).await;
            }
            Ok(keys)
        };
        self.fresh.try_get_with(tenant.clone(), lookup).await.map_err(|error| StoreError::shared(&error))
    }
}

impl CachedKeysBuilder {
    /// How long a tenant's keys are remembered. Default: 30 s. A key that another process has revoked works for that
    /// long. More than a year counts as a year.
    #[must_use]
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = time;
        self
    }

    /// How long a tenant is remembered as unknown. Default: the [`time_to_live`](Self::time_to_live). With another
    /// value, the timing of two forgeries reveals which tenants exist.
    #[must_use]
    pub fn unknown_time_to_live(mut self, time: Duration) -> Self {
        self.unknown_time_to_live = Some(time);
        self
    }

    /// How soon the store is asked again for a tenant after the cached keys have refused a request. Default: 1 s. A
    /// rotation or new tenant of another process works after that time at the latest. With zero, every forgery reaches
    /// the store. Never longer than the times to live.
    #[must_use]
    pub fn ask_again_after(mut self, time: Duration) -> Self {
        self.ask_again_after = time;
        self
    }

    /// How many tenants are remembered, for known and unknown ones each. Default: 10,000, whose names take at most 5
    /// MB. Beyond that, the least used ones are evicted.
    #[must_use]
    pub fn capacity(mut self, tenants: u64) -> Self {
        self.capacity = tenants;
        self
    }

    /// The cache.
    pub fn build(self) -> CachedKeys {
        let known_for = self.time_to_live.min(LONGEST_TIME);
        let unknown_for = self.unknown_time_to_live.unwrap_or(known_for).min(LONGEST_TIME);
        let fresh_for = self.ask_again_after.min(known_for).min(unknown_for);
        CachedKeys {
            store: self.store,
            known: Cache::builder().max_capacity(self.capacity).time_to_live(known_for).build(),
            unknown: Cache::builder().max_capacity(self.capacity).time_to_live(unknown_for).build(),
            fresh: Cache::builder().max_capacity(self.capacity).time_to_live(fresh_for).build(),
        }
    }
}

impl KeyStore for CachedKeys {
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        // This bounds the cache in bytes as well as in names.
        if check_length(tenant.as_str()).is_err() {
            return StoreFuture::ready(Ok(Keys::unknown_tenant()));
        }
        if let Some(Some(keys)) = ready(self.known.get(tenant)) {
            return StoreFuture::ready(Ok(keys));
        }
        if let Some(Some(())) = ready(self.unknown.get(tenant)) {
            return StoreFuture::ready(Ok(Keys::unknown_tenant()));
        }
        StoreFuture::new(self.clone().ask(tenant.clone()))
    }

    fn keys_again(&self, tenant: &TenantId, tried: &Keys) -> Option<StoreFuture<Result<Keys, StoreError>>> {
        if check_length(tenant.as_str()).is_err() {
            return None;
        }
        match ready(self.fresh.get(tenant)) {
            // The store was asked just now, perhaps by another request after this one's lookup.
            Some(Some(keys)) => (!keys.are(tried)).then(|| StoreFuture::ready(Ok(keys))),
            _ => Some(StoreFuture::new(self.clone().ask(tenant.clone()))),
        }
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        self.store.known_keys()
    }

    fn stored_keys(&self, tenant: Option<&TenantId>, most: usize) -> StoreFuture<Result<Vec<Key>, StoreError>> {
        self.store.stored_keys(tenant, most)
    }

    fn ignores_tenant(&self) -> bool {
        self.store.ignores_tenant()
    }
}

/// The output of a future that is ready at once; `None` if it has to wait.
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

opaque_debug!(CachedKeys);
opaque_debug!(CachedKeysBuilder { time_to_live });
