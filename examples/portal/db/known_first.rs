//! Key lookups of known tenants do not queue behind lookups of made-up ones.

use std::sync::Arc;

use moka::sync::Cache;
use tower_sso::keys::{Key, KeyStore, Keys, TenantId};
use tower_sso::store::{StoreError, StoreFuture};

/// Sends lookups of tenants that have had keys before to one store, and all others to a second store with its own
/// connections. An attacker can flood only the second, by naming tenants that do not exist.
#[derive(Clone)]
pub(crate) struct KnownFirst {
    known: Arc<dyn KeyStore>,
    others: Arc<dyn KeyStore>,
    seen: Cache<TenantId, ()>,
}

impl KnownFirst {
    pub(crate) fn new(known: impl KeyStore, others: impl KeyStore) -> Self {
        Self { known: Arc::new(known), others: Arc::new(others), seen: Cache::new(100_000) }
    }
}

impl KeyStore for KnownFirst {
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        if self.seen.contains_key(tenant) {
            return self.known.keys(tenant);
        }
        let (this, tenant) = (self.clone(), tenant.clone());
        StoreFuture::new(async move {
            let keys = this.others.keys(&tenant).await?;
            if !keys.is_empty() {
                this.seen.insert(tenant, ());
            }
            Ok(keys)
        })
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        self.known.known_keys()
    }

    fn stored_keys(&self, tenant: Option<&TenantId>, most: usize) -> StoreFuture<Result<Vec<Key>, StoreError>> {
        self.known.stored_keys(tenant, most)
    }

    fn ignores_tenant(&self) -> bool {
        self.known.ignores_tenant()
    }
}
