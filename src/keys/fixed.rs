use super::{Key, KeyStore, Keys, Secret, TenantId};
use crate::clock::UnixTime;
use crate::store::{StoreError, StoreFuture};

/// The same keys for every request: for one partner whose secret is in the configuration. A layer with these must have
/// a [`Tenant::fixed`](crate::tenant::Tenant::fixed), or a form whose tenant is signed.
///
/// ```
/// use tower_sso::keys::FixedKeys;
///
/// // The first is current, the others are still accepted.
/// let keys = FixedKeys::new(["new-secret", "old-secret"]);
/// ```
#[derive(Clone, Debug)]
pub struct FixedKeys {
    keys: Keys,
    /// All keys as given. Too many are refused when a layer is built.
    given: Vec<Key>,
}

impl FixedKeys {
    /// These secrets: the first is the current one, the others are previous ones without an end.
    ///
    /// An empty list is refused when the layer is built, as is one of more than [`Keys::MAX`].
    pub fn new<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let given = secrets.into_iter().map(Into::into).enumerate().map(|(position, secret)| match position {
            0 => Key::current(secret),
            _ => Key::previous(secret, UnixTime::MAX),
        });
        let given: Vec<Key> = given.collect();
        Self { keys: given.iter().cloned().collect(), given }
    }
}

impl KeyStore for FixedKeys {
    fn keys(&self, _: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        StoreFuture::ready(Ok(self.keys.clone()))
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        Some(self.given.clone())
    }

    fn ignores_tenant(&self) -> bool {
        true
    }
}
