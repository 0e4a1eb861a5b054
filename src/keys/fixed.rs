use super::{Key, KeyStore, Keys, Secret, TenantId};
use crate::clock::UnixTime;
use crate::store::{StoreError, StoreFuture};

/// The same keys for every request: for one partner whose secret stands in the configuration. A layer with these must have
/// a [`Tenant::fixed`](crate::tenant::Tenant::fixed), or a form whose tenant is signed.
///
/// ```
/// use tower_sso::keys::FixedKeys;
///
/// // The first is current, the others are still accepted.
/// let keys = FixedKeys::new(["new-secret", "old-secret"]);
/// ```
#[derive(Clone, Debug)]
pub struct FixedKeys(Keys);

impl FixedKeys {
    /// These secrets: the first is the current one, the others are previous ones without an end.
    ///
    /// A list without any is refused when the layer is built.
    pub fn new<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let keys = secrets.into_iter().map(Into::into).enumerate().map(|(position, secret)| match position {
            0 => Key::current(secret),
            _ => Key::previous(secret, UnixTime::MAX),
        });
        Self(keys.collect())
    }
}

impl KeyStore for FixedKeys {
    fn keys(&self, _: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        StoreFuture::ready(Ok(self.0.clone()))
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        Some(self.0.to_vec())
    }

    fn ignores_tenant(&self) -> bool {
        true
    }
}
