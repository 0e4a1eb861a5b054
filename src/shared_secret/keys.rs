use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::config::ConfigError;
use crate::hex::encode_hex;
use crate::keys::{self, Key, KeyStore, Keys, Secret, TenantId};
use crate::store::{StoreError, StoreFuture};

/// The SHA-256 digest of a token: what is stored of it, and what it is found by.
///
/// For a key store of your own: the layer asks it for the tenant [`tenant_id`](Self::tenant_id); it answers with a key of
/// [`secret`](Self::secret), and says [whose it is](Key::owned_by).
///
/// The digest is not salted and not slow, as tokens are random and long. **A token that a person has made up can be found
/// from its digest**; give out tokens of 128 random bits or more.
///
/// ```
/// use tower_sso::keys::{self, Key, Keys, TenantId};
/// use tower_sso::shared_secret::TokenDigest;
///
/// // When a key is given out: store this text, and not the token.
/// let row = TokenDigest::of(&"k-9f86d081884c7d659a2f".into()).tenant_id();
///
/// let keys = keys::from_fn(|digest: TenantId| async move {
///     let Some(organisation) = lookup(digest.as_str()).await? else { return Ok(Keys::unknown_tenant()) };
///     let key = TokenDigest::parse(digest.as_str()).map(|digest| Key::current(digest.secret()).owned_by(organisation));
///     Ok::<_, std::io::Error>(key.into_iter().collect())
/// });
/// # async fn lookup(_: &str) -> Result<Option<TenantId>, std::io::Error> { Ok(None) }
/// ```
#[derive(Clone)]
pub struct TokenDigest(Secret);

impl TokenDigest {
    /// The digest's length in bytes.
    pub const LENGTH: usize = 32;

    /// The digest of this token.
    pub fn of(token: &Secret) -> Self {
        Self(Secret::new(Sha256::digest(token.expose()).to_vec()))
    }

    /// The digest of a token that is not copied for it.
    pub(super) fn of_text(token: &str) -> Self {
        Self(Secret::new(Sha256::digest(token).to_vec()))
    }

    /// The digest that [`tenant_id`](Self::tenant_id) has written: 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        let digit = |byte: &u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let bytes: Vec<u8> =
            pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect::<Option<_>>()?;
        (bytes.len() == Self::LENGTH).then(|| Self(Secret::new(bytes)))
    }

    /// The name under which a key store is asked for the token: the digest in lower-case hexadecimal.
    pub fn tenant_id(&self) -> TenantId {
        encode_hex(self.0.expose()).into()
    }

    /// The digest as the key that a key store answers with.
    pub fn secret(&self) -> Secret {
        self.0.clone()
    }

    /// A digest that is of no token which anybody has.
    pub(super) fn nobodys() -> Self {
        let mut bytes = vec![0; Self::LENGTH];
        // Were there no randomness, it would be the digest of a token that has yet to be found.
        _ = getrandom::fill(&mut bytes);
        Self(Secret::new(bytes))
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

/// The private keys of several organisations in this process's memory, as digests. Clones share them.
///
/// Of an organisation's tokens the first is its current key, the others are still accepted:
/// [`Identity::key`](crate::identity::Identity::key) tells which one came, [`Identity::tenant`](crate::identity::Identity::tenant)
/// whose it is.
///
/// ```
/// use tower_sso::shared_secret::PrivateKeys;
///
/// let keys = PrivateKeys::new().with("default", ["k-9f86d081884c7d659a2f"])?.with("opera", ["k-60303ae22b998861bce3"])?;
/// // Later: a new one; the old one stays valid until it is left out.
/// keys.insert("opera", ["k-fcde2b2edba56bf408601fb", "k-60303ae22b998861bce3"])?;
/// keys.remove("default");
/// # Ok::<(), tower_sso::config::ConfigError>(())
/// ```
#[derive(Clone, Default)]
pub struct PrivateKeys(Arc<RwLock<Tokens>>);

/// By digest: the key, which says whose it is.
type Tokens = HashMap<TenantId, Key>;

impl PrivateKeys {
    /// A store without any organisation.
    pub fn new() -> Self {
        Self::default()
    }

    /// This store with one organisation more.
    ///
    /// # Errors
    /// As [`Self::insert`].
    pub fn with<S: Into<Secret>>(
        self,
        organisation: impl Into<TenantId>,
        tokens: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        self.insert(organisation, tokens)?;
        Ok(self)
    }

    /// Replaces all tokens of an organisation.
    ///
    /// # Errors
    /// [`ConfigError::NoKeys`] without a token, [`ConfigError::Key`] for one that is empty or blank, almost surely a slip
    /// (see [`Secret::new`]) or a public key, and [`ConfigError::Setting`] for one that is another organisation's: it
    /// could not be told whose users it signs in. Nothing is changed then.
    pub fn insert<S: Into<Secret>>(
        &self,
        organisation: impl Into<TenantId>,
        tokens: impl IntoIterator<Item = S>,
    ) -> Result<(), ConfigError> {
        let organisation = organisation.into();
        let mut added = Vec::new();
        for token in tokens {
            let token = token.into();
            if let Some(problem) = token.weakness().or_else(|| token.slip()) {
                return Err(ConfigError::Key(problem));
            }
            keys::check_shared(&token).map_err(ConfigError::Key)?;
            let digest = TokenDigest::of(&token);
            let key = match added.is_empty() {
                true => Key::current(digest.secret()),
                false => Key::previous(digest.secret(), UnixTime::MAX),
            };
            added.push((digest.tenant_id(), key.owned_by(organisation.clone())));
        }
        if added.is_empty() {
            return Err(ConfigError::NoKeys);
        }
        let mut tokens = self.write();
        let others = |digest: &TenantId| tokens.get(digest).is_some_and(|key| key.owner() != Some(&organisation));
        if added.iter().any(|(digest, _)| others(digest)) {
            let problem = "has one token for two organisations: give each tokens of its own".into();
            return Err(ConfigError::Setting { setting: "private_keys", problem });
        }
        tokens.retain(|_, key| key.owner() != Some(&organisation));
        for (digest, key) in added {
            // A token that is listed twice is what it was first.
            tokens.entry(digest).or_insert(key);
        }
        Ok(())
    }

    /// Forgets an organisation's tokens.
    pub fn remove(&self, organisation: impl Into<TenantId>) {
        let organisation = organisation.into();
        self.write().retain(|_, key| key.owner() != Some(&organisation));
    }

    // A panic while the lock was held can have left tokens out, and none in.
    fn write(&self) -> RwLockWriteGuard<'_, Tokens> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Tokens> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for PrivateKeys {
    fn keys(&self, digest: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        let key = self.read().get(digest).cloned();
        StoreFuture::ready(Ok(key.map(|key| [key].into_iter().collect()).unwrap_or_default()))
    }

    /// The keys at this moment. A store that is still empty is not an error: organisations may be added later.
    fn known_keys(&self) -> Option<Vec<Key>> {
        let keys: Vec<Key> = self.read().values().cloned().collect();
        (!keys.is_empty()).then_some(keys)
    }

    fn ignores_tenant(&self) -> bool {
        false
    }
}

impl fmt::Debug for PrivateKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKeys").finish_non_exhaustive()
    }
}
