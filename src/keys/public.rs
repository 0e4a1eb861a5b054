use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use serde_json::Value;

use super::{Key, KeyStore, Keys, Secret, TenantId};
use crate::store::{StoreError, StoreFuture};

/// The public keys of one sender, found by their id (`kid`): a JWK set (RFC 7517, 5), or keys in PEM. Clones share
/// them.
///
/// **It never fetches anything**, so that no request can make it do so. Fetch the set yourself, from the address that
/// the sender documents: when the program starts, and then in a task of your own, every few minutes or as
/// `Cache-Control` says. A set that cannot be read changes nothing: the keys from before stay.
///
/// A layer that takes its keys from here names the key by [`tenant_header`](crate::Builder::tenant_header) `("kid")`.
/// [`Identity::tenant`](crate::Identity::tenant) is then the sender's name that is given here.
///
/// ```
/// use tower_sso::jwt::{self, Algorithm};
/// use tower_sso::keys::PublicKeys;
///
/// let keys = PublicKeys::new("idp.example");
/// let set = r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256",
///     "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
/// assert_eq!(keys.set_jwks(set.as_bytes())?, 1);
/// let layer = jwt::layer::<serde_json::Value>(Algorithm::ES256).tenant_header("kid").keys(keys.clone());
/// # Ok::<(), tower_sso::store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PublicKeys {
    sender: TenantId,
    keys: Arc<RwLock<HashMap<TenantId, Keys>>>,
}

/// A JWK set. What it has besides is ignored.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl PublicKeys {
    /// The largest set, in bytes.
    pub const LONGEST: usize = 256 * 1024;
    /// How many ids there are at most, each with up to four keys.
    pub const MOST: usize = 256;

    /// No keys yet, of the sender of this name.
    pub fn new(sender: impl Into<TenantId>) -> Self {
        Self { sender: sender.into(), keys: Arc::default() }
    }

    /// Replaces all keys by those of a JWK set, and returns how many ids they have. Keys without a `kid` or a `kty`,
    /// and those for encryption, are left out. A key that the layer's algorithm cannot use is found when a token names
    /// it.
    ///
    /// # Errors
    /// If it is not a JWK set, is too large, has more than 256 ids, more than four keys of one id, or none that is of
    /// use. The keys from before stay.
    pub fn set_jwks(&self, set: &[u8]) -> Result<usize, StoreError> {
        if set.len() > Self::LONGEST {
            return Err(StoreError::new("is not taken for a JWK set: it has more than 256 KiB"));
        }
        let set: Set = serde_json::from_slice(set).map_err(|_| StoreError::new("is not a JWK set"))?;
        let mut named = Vec::new();
        for jwk in set.keys {
            let is_for_signatures = jwk.get("use").is_none_or(|usage| usage == "sig");
            if let (Some(Value::String(kid)), Some(_), true) = (jwk.get("kid"), jwk.get("kty"), is_for_signatures) {
                named.push((kid.clone(), Secret::new(jwk.to_string())));
            }
        }
        self.set(named)
    }

    /// Replaces all keys by these, each with its id: public keys, or certificates with RSA keys, in PEM. Returns how
    /// many ids they have.
    ///
    /// # Errors
    /// If there are none, more than 256 ids, or more than four keys of one id. The keys from before stay.
    ///
    /// ```
    /// # let pem = "-----BEGIN PUBLIC KEY-----\n…";
    /// let keys = tower_sso::keys::PublicKeys::new("eu-west-1");
    /// keys.set([("11111111-2222-3333-4444-555555555555", pem)])?;
    /// # Ok::<(), tower_sso::store::StoreError>(())
    /// ```
    pub fn set<I, S>(&self, keys: impl IntoIterator<Item = (I, S)>) -> Result<usize, StoreError>
    where
        I: Into<TenantId>,
        S: Into<Secret>,
    {
        let mut all: HashMap<TenantId, Vec<Key>> = HashMap::new();
        for (id, key) in keys {
            let of_id = all.entry(id.into()).or_default();
            of_id.push(Key::current(key.into()).owned_by(self.sender.clone()));
            // Keys of different kinds may have one id (RFC 7517, 4.5).
            if of_id.len() > Keys::MAX {
                return Err(StoreError::new("has more than four keys of one id"));
            }
            if all.len() > Self::MOST {
                return Err(StoreError::new("has more than 256 ids"));
            }
        }
        let all: HashMap<_, Keys> = all.into_iter().map(|(id, keys)| (id, keys.into_iter().collect())).collect();
        if all.is_empty() {
            return Err(StoreError::new("has no key that is of use"));
        }
        let count = all.len();
        // A panic under the lock cannot have left the map half changed.
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(count)
    }
}

impl KeyStore for PublicKeys {
    fn keys(&self, id: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        StoreFuture::ready(Ok(keys.get(id).cloned().unwrap_or_default()))
    }

    /// Not known when a layer is built: a sender's set may have keys of other kinds too.
    fn known_keys(&self) -> Option<Vec<Key>> {
        None
    }

    fn ignores_tenant(&self) -> bool {
        false
    }
}
