use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Key, KeyStore, KeyUse, Keys, Secret, TenantId};
use crate::clock::UnixTime;
use crate::store::{StoreError, StoreFuture};

/// Keys of several tenants in this process's memory. Clones share them.
///
/// Two tenants with one secret, or with one public key in any two spellings, are logged at `WARN` when a layer is built
/// whose form does not sign the tenant: a user of one could sign in to the other. If they are two names of one
/// organisation, name it with [`Key::owned_by`]; it becomes [`Identity::tenant`](crate::Identity::tenant). Tenants
/// added later are not compared; [`keys::sql`](crate::keys#stores) refuses a second owner.
///
/// The store has no limit. If outsiders can create tenants, the application must limit them.
///
/// ```
/// use tower_sso::clock::{Clock, SystemClock};
/// use tower_sso::keys::MemoryKeys;
///
/// let keys = MemoryKeys::new().with("acme", "first-secret");
/// // Later: a new secret; the first one stays valid for an hour.
/// keys.rotate("acme", "second-secret", SystemClock.now().plus(std::time::Duration::from_secs(3_600)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryKeys(Arc<RwLock<HashMap<TenantId, Keys>>>);

impl MemoryKeys {
    /// A store without any tenant.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tenant.
    #[must_use]
    pub fn with(self, tenant: impl Into<TenantId>, secret: impl Into<Secret>) -> Self {
        self.set(tenant, secret.into().into());
        self
    }

    /// Replaces all keys of a tenant.
    pub fn set(&self, tenant: impl Into<TenantId>, keys: Keys) {
        self.write().insert(tenant.into(), keys);
    }

    /// Makes `secret` the tenant's current key; the key that was current is accepted until `previous_until`, inclusive.
    ///
    /// Older keys keep their own end: a rotation never extends a key's life. At most [`Keys::MAX`] stay; the oldest are
    /// dropped. Rotating to the current secret changes nothing, so a webhook may come twice. A previous secret may
    /// become current again. [`keys::sql`](crate::keys#stores) has the same rules.
    pub fn rotate(&self, tenant: impl Into<TenantId>, secret: impl Into<Secret>, previous_until: UnixTime) {
        let secret = secret.into();
        let mut tenants = self.write();
        let keys = tenants.entry(tenant.into()).or_default();
        let is_current = |key: &Key| key.key_use() == KeyUse::Current;
        if keys.iter().any(|key| is_current(key) && *key.secret() == secret) {
            return;
        }
        let others = keys.iter().filter(|key| *key.secret() != secret);
        let previous = others.map(|key| if is_current(key) { key.retired(previous_until) } else { key.clone() });
        let mut current = Key::current(secret.clone());
        // The owner stays.
        if let Some(owner) = keys.iter().find_map(Key::owner) {
            current = current.owned_by(owner.clone());
        }
        *keys = [current].into_iter().chain(previous).collect();
    }

    /// Forgets a tenant.
    pub fn remove(&self, tenant: &TenantId) {
        self.write().remove(tenant);
    }

    // A panic under the lock cannot have left the map half changed.
    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<TenantId, Keys>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for MemoryKeys {
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        let tenants = self.0.read().unwrap_or_else(PoisonError::into_inner);
        StoreFuture::ready(Ok(tenants.get(tenant).cloned().unwrap_or_default()))
    }

    /// The keys at this moment. A store that is still empty is not an error: tenants may be added later.
    fn known_keys(&self) -> Option<Vec<Key>> {
        let tenants = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let owned = |(tenant, key): (&TenantId, &Key)| match key.owner() {
            Some(_) => key.clone(),
            None => key.clone().owned_by(tenant.clone()),
        };
        let keys = tenants.iter().flat_map(|(tenant, keys)| keys.iter().map(move |key| (tenant, key)));
        let keys: Vec<Key> = keys.map(owned).collect();
        (!keys.is_empty()).then_some(keys)
    }

    fn ignores_tenant(&self) -> bool {
        false
    }
}
