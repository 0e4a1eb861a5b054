use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{future::Future, pin::pin};

use moka::future::Cache;

use super::{Key, KeyStore, Keys, TenantId};
use crate::store::{StoreError, StoreFuture};
use crate::tenant::check_length;

/// moka panics above a thousand years.
const LONGEST_TIME: Duration = Duration::from_hours(365 * 24);

/// A moka cache in front of a slow key store. Clones share it.
///
/// - A tenant's keys are remembered for [`time_to_live`](CachedKeysBuilder::time_to_live), and for as long that a
///   tenant is unknown. A failed lookup is not remembered. Copies of one lookup that run at once become one.
/// - Where no cached key fits, or the tenant is not known in the cache, the store is asked once more: what another
///   process has rotated or added works at once. For one tenant's name this is done at most once in
///   [`ask_again_after`](CachedKeysBuilder::ask_again_after), as a forgery leads there too. While the store is down,
///   such a request is answered with 503; those that a cached key fits pass.
/// - **A key that was revoked elsewhere is accepted for one time to live**, unless some request in between was refused.
///   [`forget`](Self::forget) it where this process revokes it. A key's own end ([`Key::not_after`]) holds in the cache
///   too.
/// - Unknown tenants have a cache of their own, so that a flood of made-up names does not push out the tenants that
///   exist. Each new name reaches the store once. A name of more than 255 bytes is unknown without being looked up or
///   kept.
///
/// What the time of an answer tells: whether the store was asked for this name within the last `ask_again_after`, by
/// anybody, and nothing of whether the tenant exists, as long as the store takes as long to find a tenant as not to
/// find it.
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
    /// What the store has just said of a tenant, or is about to say.
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

    /// A cache in front of `store`, to be set up.
    pub fn builder(store: impl KeyStore) -> CachedKeysBuilder {
        CachedKeysBuilder {
            store: Arc::new(store),
            time_to_live: Duration::from_secs(30),
            unknown_time_to_live: None,
            ask_again_after: Duration::from_secs(1),
            capacity: 10_000,
        }
    }

    /// Forgets what is known of a tenant, so that the next request asks the store. Call it after a change of its keys.
    ///
    /// A lookup that is under way at this moment may still bring the old keys back for one time to live.
    pub async fn forget(&self, tenant: &TenantId) {
        self.fresh.invalidate(tenant).await;
        self.known.invalidate(tenant).await;
        self.unknown.invalidate(tenant).await;
    }

    /// Asks the store, or waits for whoever is asking it for this tenant, and remembers what it says.
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
    /// How long a tenant's keys are remembered. Default: 30 s. The longest time that a key goes on working that another
    /// process has revoked. More than a year counts as a year.
    #[must_use]
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = time;
        self
    }

    /// How long it is remembered that a tenant is unknown. Default: the [`time_to_live`](Self::time_to_live). With
    /// another time, the times of the answers to two forgeries tell which tenants exist.
    #[must_use]
    pub fn unknown_time_to_live(mut self, time: Duration) -> Self {
        self.unknown_time_to_live = Some(time);
        self
    }

    /// How soon the store is asked again for a tenant, where a request was refused with what is cached. Default: 1 s.
    /// It is the longest time until a rotation or a new tenant works that another process has made. With zero, every
    /// forgery reaches the store. Never longer than the times to live.
    #[must_use]
    pub fn ask_again_after(mut self, time: Duration) -> Self {
        self.ask_again_after = time;
        self
    }

    /// How many tenants are remembered, known and unknown each. Default: 10,000, whose names take 5 MB at most. Beyond
    /// it the least used ones go.
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
        // The cache is bounded in bytes, not only in names.
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
            // Asked just now, perhaps by another request after this one's keys were found.
            Some(Some(keys)) => (!keys.are(tried)).then(|| StoreFuture::ready(Ok(keys))),
            _ => Some(StoreFuture::new(self.clone().ask(tenant.clone()))),
        }
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
