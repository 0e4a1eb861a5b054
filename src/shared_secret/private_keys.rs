use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::keys::{self, Key, Secret, TenantId};
use crate::store::{StoreError, StoreFuture};
use crate::text::hex::{decode_hex, encode_hex};
use crate::{ConfigError, ConfigProblem};

/// The SHA-256 digest of a token. Only the digest is stored and looked up.
///
/// The digest is neither salted nor slow, because tokens are random and long. **A token that a person made up can be
/// found from its digest**: give out tokens of 128 random bits or more.
///
/// ```
/// use tower_sso::shared_secret::TokenDigest;
///
/// // When a key is given out: store this text, and not the token.
/// let row = TokenDigest::of(&"k-9f86d081884c7d659a2f".into()).to_hex();
/// assert_eq!(TokenDigest::parse(&row).unwrap().to_hex(), row);
/// ```
#[derive(Clone, Copy)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest's length in bytes.
    pub const LENGTH: usize = 32;

    /// The digest of this token.
    pub fn of(token: &Secret) -> Self {
        Self(Sha256::digest(token.expose()).into())
    }

    /// The digest of a token, without copying it.
    pub(super) fn of_text(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Parses the output of [`to_hex`](Self::to_hex): 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digest = Self(decode_hex(text)?.try_into().ok()?);
        (digest.to_hex() == text).then_some(digest)
    }

    /// The digest in lower-case hexadecimal.
    pub fn to_hex(self) -> String {
        encode_hex(&self.0)
    }

    /// The key for a store to answer with.
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.to_vec())
    }

    /// Whether this is what the key holds, in constant time.
    pub(super) fn is(&self, key: &Secret) -> bool {
        self.0.as_slice().ct_eq(key.expose()).into()
    }

    /// The digest of a token that nobody has.
    pub(super) fn nobodys() -> Self {
        let mut digest = [0; 32];
        // If the system has no randomness, this is a digest whose token nobody knows.
        _ = getrandom::fill(&mut digest);
        Self(digest)
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

/// Finds private keys by the digest of the received token.
///
/// A closure is one too:
///
/// ```
/// use tower_sso::keys::{Key, TenantId};
/// use tower_sso::shared_secret::{self, TokenDigest};
///
/// let keys = |digest: TokenDigest| async move {
///     let organisation = lookup(&digest.to_hex()).await?; // your database
///     Ok::<_, std::io::Error>(organisation.map(|owner| Key::current(digest.secret()).owned_by(owner)))
/// };
/// # async fn lookup(_: &str) -> Result<Option<TenantId>, std::io::Error> { Ok(None) }
/// let sso = shared_secret::layer::<serde_json::Value>(keys).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub trait PrivateKeyStore: Send + Sync + 'static {
    /// The key of the token with this digest, with its [secret](TokenDigest::secret) and [owner](Key::owned_by); `None`
    /// if nobody has it. A miss must take as long as a hit. A key without an owner is refused as `unavailable`.
    fn find(&self, digest: &TokenDigest) -> StoreFuture<Result<Option<Key>, StoreError>>;
}

impl<F, Fut, E> PrivateKeyStore for F
where
    F: Fn(TokenDigest) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<Key>, E>> + Send + 'static,
    E: Into<StoreError> + 'static,
{
    fn find(&self, digest: &TokenDigest) -> StoreFuture<Result<Option<Key>, StoreError>> {
        let found = self(*digest);
        StoreFuture::new(async move { found.await.map_err(Into::into) })
    }
}

/// The private keys of several organisations in this process's memory, as digests. Clones share them.
///
/// An organisation's first token is its current key; the others are still accepted.
/// [`Identity::key_use`](crate::Identity::key_use) tells which one was used,
/// [`Identity::tenant`](crate::Identity::tenant) whose it is.
///
/// ```
/// use tower_sso::shared_secret::PrivateKeys;
///
/// let keys = PrivateKeys::new().with("default", ["k-9f86d081884c7d659a2f"])?;
/// keys.insert("opera", ["k-60303ae22b998861bce3"])?;
/// // Later: a new one; the old one stays valid until it is left out.
/// keys.insert("opera", ["k-fcde2b2edba56bf408601fb", "k-60303ae22b998861bce3"])?;
/// keys.remove("default");
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
#[derive(Clone, Default)]
pub struct PrivateKeys(Arc<RwLock<Tokens>>);

/// The key, with its owner, by digest.
type Tokens = HashMap<[u8; 32], Key>;

impl PrivateKeys {
    /// A store without any organisation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an organisation.
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
    /// [`ConfigProblem::NoKeys`] without a token; [`ConfigProblem::Key`] for a token that is empty, blank, almost
    /// surely a slip (see [`Secret::new`]) or a public key; [`ConfigProblem::Setting`] for one that another
    /// organisation has, as it would not tell whose users it signs in. On an error nothing changes.
    pub fn insert<S: Into<Secret>>(
        &self,
        organisation: impl Into<TenantId>,
        tokens: impl IntoIterator<Item = S>,
    ) -> Result<(), ConfigError> {
        let organisation = organisation.into();
        let mut added = Vec::new();
        for token in tokens {
            let token = token.into();
            let refused = |problem| ConfigProblem::Key { tenant: Some(organisation.clone()), problem };
            let problem = token.weakness().or_else(|| token.doubt());
            problem.map_or_else(|| keys::check_shared(&token), Err).map_err(refused)?;
            let digest = TokenDigest::of(&token);
            let key = match added.is_empty() {
                true => Key::current(digest.secret()),
                false => Key::previous(digest.secret(), UnixTime::MAX),
            };
            added.push((digest.0, key.owned_by(organisation.clone())));
        }
        if added.is_empty() {
            return Err(ConfigProblem::NoKeys.into());
        }
        let mut tokens = self.write();
        let others = |digest: &[u8; 32]| tokens.get(digest).is_some_and(|key| key.owner() != Some(&organisation));
        if added.iter().any(|(digest, _)| others(digest)) {
            let problem = "has one token for two organisations: give each tokens of its own";
            return Err(ConfigProblem::setting("private_keys", problem).into());
        }
        tokens.retain(|_, key| key.owner() != Some(&organisation));
        for (digest, key) in added {
            // Of a token that is listed twice, the first place counts.
            tokens.entry(digest).or_insert(key);
        }
        Ok(())
    }

    /// Forgets an organisation's tokens.
    pub fn remove(&self, organisation: impl Into<TenantId>) {
        let organisation = organisation.into();
        self.write().retain(|_, key| key.owner() != Some(&organisation));
    }

    // A panic under the lock can have left tokens out, but never extra ones in.
    fn write(&self) -> RwLockWriteGuard<'_, Tokens> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Tokens> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PrivateKeyStore for PrivateKeys {
    fn find(&self, digest: &TokenDigest) -> StoreFuture<Result<Option<Key>, StoreError>> {
        StoreFuture::ready(Ok(self.read().get(&digest.0).cloned()))
    }
}

opaque_debug!(PrivateKeys);
