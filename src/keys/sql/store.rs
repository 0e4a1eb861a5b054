use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Acquire, Pool, Transaction};

use super::audit::{self, Action};
use super::backend::{Backend, Engine, SecretRow, Value};
use super::last_use::LastUse;
use super::master::{self, MasterKeys, Row};
use super::statements::{
    ACTIVE, END_PREVIOUS, INSTALL, LIMIT_LOCKS, OWN, RECORD, REMOVE, RETIRE, STATE, STATE_CURRENT, STATE_FOREIGN, WIPE,
};
use super::transaction::{begin, digest, lock};
use super::{Rotation, SqlKeyError, encrypt, owners, schema, stored};
use crate::clock::{Clock, SystemClock};
use crate::keys::identity::identity;
use crate::keys::{Key, KeyStore, Keys, Secret, TenantId};
use crate::replay::Fingerprint;
use crate::store::{StoreError, StoreFuture};

/// Longer names are unknown tenants. Postgres indexes at most about 2,700 bytes.
const MAX_TENANT_BYTES: usize = 512;

/// The default grace period of a replaced key.
const GRACE: Duration = Duration::from_hours(24);

/// The default wait of a rotation for a lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// In milliseconds, as Postgres counts.
const LONGEST_LOCK_TIMEOUT: u128 = i32::MAX as u128;

/// Keys in a database. The [module](super) says what it keeps and what the database must provide. Clones share the
/// pool.
///
/// ```no_run
/// use std::time::Duration;
/// use tower_sso::keys::sql::SqlKeyStore;
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::AnyPool::connect("postgres://app@localhost/app").await?;
/// let keys = SqlKeyStore::new(pool, "tutorcruncher").grace(Duration::from_secs(3_600));
/// keys.migrate().await?;
/// # Ok(())
/// # }
/// ```
pub struct SqlKeyStore<DB: Backend> {
    pub(super) pool: Pool<DB>,
    pub(super) namespace: Arc<str>,
    grace: Duration,
    lock_timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) master_keys: Option<MasterKeys>,
    pub(super) actor: Arc<str>,
    last_use: Option<LastUse<DB>>,
}

impl<DB: Backend> SqlKeyStore<DB> {
    /// The keys of one partner, whose name is the namespace. Partners share the tables and are independent of each
    /// other.
    ///
    /// The namespace is a constant of the application, never a part of a request. Changing it hides all keys.
    pub fn new(pool: Pool<DB>, namespace: impl Into<Arc<str>>) -> Self {
        Self {
            pool,
            namespace: namespace.into(),
            grace: GRACE,
            lock_timeout: LOCK_TIMEOUT,
            clock: Arc::new(SystemClock),
            master_keys: None,
            actor: "application".into(),
            last_use: None,
        }
    }

    /// How long the key that a rotation replaces is still accepted. Default: 24 hours.
    ///
    /// A sender that has not noticed the rotation yet signs with the old key. During the grace period a leaked key that
    /// was replaced still works; [`remove`](Self::remove) ends it at once.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long a rotation on Postgres waits for another rotation of the tenant, or for a locked row. Default: 5 s; the
    /// connection's own `lock_timeout` takes precedence. Afterwards it fails, and the sender retries. A waiting
    /// rotation holds a connection, so a few can hold the whole pool. SQLite has `busy_timeout`.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// The clock. Default: [`SystemClock`]. Use the clock of the layer that asks this store.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Encrypts secrets under the first of these keys, and decrypts them with all. Default: secrets are stored
    /// readable. The [module](super#encrypted-secrets) says how to begin, and how to change the master key.
    ///
    /// Until [`migrate`](Self::migrate) has encrypted what was stored before, lookups of those tenants fail (503).
    pub fn master_keys(mut self, keys: impl Into<Option<MasterKeys>>) -> Self {
        self.master_keys = keys.into();
        self
    }

    /// Who makes the changes, as [`changes`](Self::changes) shows it: an operator's name, for instance. Default:
    /// `application`. At most 200 bytes are kept, and no control characters.
    pub fn acting_as(mut self, who: &str) -> Self {
        self.actor = audit::actor(who).into();
        self
    }

    /// Stores when each key was last used, for [`keys_of`](Self::keys_of): the time of the newest credential that it
    /// proved, to the minute. Default: off.
    ///
    /// A request never waits for this. A task of its own writes, at most once a second, and at most once a minute for
    /// each key. If the database fails, that is a line in the log. Give it a pool of its own: one connection is enough,
    /// and lookups then never wait for it.
    pub fn note_last_use(mut self, pool: Pool<DB>) -> Self {
        self.last_use = Some(LastUse::new(pool));
        self
    }

    /// Creates or updates the tables. Any number of processes may call this at once and repeatedly. Does not touch
    /// sqlx's own table of migrations.
    ///
    /// With [`master_keys`](Self::master_keys), it then encrypts what is still readable or encrypted under another one
    /// of them. Last, it notes the owners of public keys that an earlier release stored, so that no other tenant can
    /// bring one in another spelling. If it is interrupted, call it again.
    ///
    /// # Errors
    /// [`SqlKeyError::MasterKey`] if secrets of this namespace are encrypted under a key that is not given. Nothing is
    /// then changed.
    ///
    /// The database user needs the right to create tables. The texts are
    /// [`POSTGRES_MIGRATIONS`](super::POSTGRES_MIGRATIONS) and [`SQLITE_MIGRATIONS`](super::SQLITE_MIGRATIONS), for
    /// those who would rather apply them on their own.
    pub async fn migrate(&self) -> Result<(), SqlKeyError> {
        schema::migrate(&self.pool).await?;
        encrypt::all(self).await?;
        owners::all(self).await
    }

    /// Begins a transaction for [`rotate_in`](Self::rotate_in): `READ COMMITTED` on Postgres, whatever the database's
    /// default; with the write lock from the start on SQLite.
    ///
    /// ```no_run
    /// # use tower_sso::{keys::{sql::*, Secret, TenantId}, replay::Fingerprint};
    /// # async fn sign_up(
    /// #     keys: SqlKeyStore<sqlx::Any>, tenant: TenantId, secret: Secret, credential: Fingerprint, name: &str,
    /// # ) -> Result<(), SqlKeyError> {
    /// let mut transaction = keys.begin().await?;
    /// if keys.rotate_in(&mut transaction, &tenant, &secret, credential).await? != Rotation::Repeated {
    ///     sqlx::query("UPDATE companies SET name = $1 WHERE id = $2")
    ///         .bind(name)
    ///         .bind(tenant.as_str())
    ///         .execute(&mut *transaction)
    ///         .await?;
    /// }
    /// transaction.commit().await?; // both, or neither
    /// # Ok(())
    /// # }
    /// ```
    pub async fn begin(&self) -> Result<Transaction<'static, DB>, SqlKeyError> {
        let engine = DB::engine(&self.pool)?;
        let mut transaction = begin(&self.pool, engine).await?;
        if let Engine::Postgres = engine {
            // Zero would be no limit.
            let milliseconds = self.lock_timeout.as_millis().clamp(1, LONGEST_LOCK_TIMEOUT);
            DB::execute(&mut transaction, LIMIT_LOCKS, &[Value::Text(&milliseconds.to_string())]).await?;
        }
        Ok(transaction)
    }

    /// Makes `secret` the tenant's current key, once for each `credential`, for ever.
    ///
    /// The credential identifies the delivery that brought the key. However many duplicates come, at once or years
    /// later, on one machine or many, the first changes the keys and all others are [`Rotation::Repeated`].
    pub async fn rotate(
        &self,
        tenant: &TenantId,
        secret: &Secret,
        credential: Fingerprint,
    ) -> Result<Rotation, SqlKeyError> {
        check(tenant, secret)?;
        // Dropping the transaction on an error rolls it back.
        let mut transaction = self.begin().await?;
        let rotation = self.apply(&mut transaction, tenant, secret, credential).await?;
        transaction.commit().await?;
        Ok(rotation)
    }

    /// The same inside the caller's transaction, so that the key and the caller's data are stored together or not at
    /// all.
    ///
    /// Take the transaction from [`begin`](Self::begin). Rotate first, so that all transactions on a tenant lock in the
    /// same order. Keep it short, as another delivery for this tenant waits for its end. After an error the transaction
    /// goes on without the rotation. If this future is dropped unfinished, as by a timeout, drop the transaction too:
    /// its state is unknown.
    ///
    /// In any other transaction, a race may end in a database error (SQLite: `database is locked`; Postgres above
    /// `READ COMMITTED`: a serialization failure). Nothing is lost: roll back and retry.
    pub async fn rotate_in(
        &self,
        transaction: &mut Transaction<'_, DB>,
        tenant: &TenantId,
        secret: &Secret,
        credential: Fingerprint,
    ) -> Result<Rotation, SqlKeyError> {
        check(tenant, secret)?;
        // A savepoint, so that committing after an error does not keep half a rotation.
        let mut savepoint = transaction.begin().await?;
        let rotation = self.apply(&mut savepoint, tenant, secret, credential).await?;
        savepoint.commit().await?;
        Ok(rotation)
    }

    /// Revokes all keys of a tenant at once, without a grace period. Does nothing for an unknown tenant.
    ///
    /// Deletes the secrets. Their digests stay, so the secrets remain this tenant's. The deliveries that brought them
    /// stay recorded, so a duplicate does not bring a key back; a new delivery may.
    pub async fn remove(&self, tenant: &TenantId) -> Result<(), SqlKeyError> {
        if unusable(tenant).is_some() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        // Otherwise this and a rotation could deadlock on each other's rows.
        self.lock(&mut transaction, tenant).await?;
        self.end(&mut transaction, REMOVE, tenant, Action::Removed).await?;
        Ok(transaction.commit().await?)
    }

    /// Ends the previous keys of a tenant before their time, and deletes their secrets. The current key stays.
    /// Otherwise as [`remove`](Self::remove). For the end of a rotation: once the previous key is no longer used.
    pub async fn end_previous(&self, tenant: &TenantId) -> Result<(), SqlKeyError> {
        if unusable(tenant).is_some() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        self.lock(&mut transaction, tenant).await?;
        self.end(&mut transaction, END_PREVIOUS, tenant, Action::PreviousEnded).await?;
        Ok(transaction.commit().await?)
    }

    async fn end(
        &self,
        connection: &mut DB::Connection,
        statement: &'static str,
        tenant: &TenantId,
        action: Action,
    ) -> Result<(), sqlx::Error> {
        let ended = Value::Integer(0);
        let values = [Value::Text(&self.namespace), Value::Text(tenant.as_str()), ended];
        if DB::execute(connection, statement, &values).await? > 0 {
            self.record(connection, tenant.as_str(), action, &[]).await?;
        }
        Ok(())
    }

    /// The rotation itself. On an error the caller must roll back.
    async fn apply(
        &self,
        connection: &mut DB::Connection,
        tenant: &TenantId,
        secret: &Secret,
        credential: Fingerprint,
    ) -> Result<Rotation, SqlKeyError> {
        self.lock(connection, tenant).await?;
        // Read after the lock: a rotation that waited must not use an older time.
        let now = self.clock.now();
        // Earlier releases stored every key under the digest of its text.
        let of_text = digest(self.namespace.as_bytes(), secret.expose());
        let digest = digest(self.namespace.as_bytes(), &identity(secret.expose()));
        let row = Row { namespace: &self.namespace, tenant: tenant.as_str(), digest: &digest };
        let (namespace, name) = (Value::Text(&self.namespace), Value::Text(tenant.as_str()));
        let (digest, at) = (Value::Bytes(row.digest), Value::Integer(now.as_nanos()));

        let record = [namespace, Value::Bytes(credential.as_bytes()), name, at];
        if DB::execute(connection, RECORD, &record).await? == 0 {
            return Ok(Rotation::Repeated);
        }
        DB::execute(connection, OWN, &[digest, namespace, name]).await?;
        match DB::integer(connection, STATE, &[digest, name, Value::Bytes(&of_text)]).await? {
            STATE_FOREIGN => return Err(SqlKeyError::OwnedByAnotherTenant),
            STATE_CURRENT => return Ok(Rotation::Unchanged),
            _ => {}
        }
        let until = Value::Integer(now.plus(self.grace).as_nanos());
        let retired = DB::execute(connection, RETIRE, &[namespace, name, until]).await?;
        let encrypted = self.master_keys.as_ref().map(|keys| keys.encrypt(row, secret.expose())).transpose()?;
        let stored = Value::Bytes(encrypted.as_deref().unwrap_or(secret.expose()));
        DB::execute(connection, INSTALL, &[digest, namespace, name, stored]).await?;
        // Delete secrets that are no longer accepted. This comes last, as a previous key may just have become current
        // again.
        DB::execute(connection, WIPE, &[namespace, name, at]).await?;
        let (rotation, action) = match retired {
            0 => (Rotation::Created, Action::Created),
            _ => (Rotation::Rotated, Action::Rotated),
        };
        self.record(connection, row.tenant, action, row.digest).await?;
        Ok(rotation)
    }

    pub(super) async fn lock(&self, connection: &mut DB::Connection, tenant: &TenantId) -> Result<(), sqlx::Error> {
        let key = digest(self.namespace.as_bytes(), tenant.as_str().as_bytes());
        lock::<DB>(connection, DB::engine(&self.pool)?, &key).await
    }

    async fn active(&self, tenant: &TenantId) -> Result<Keys, StoreError> {
        let at = Value::Integer(self.clock.now().as_nanos());
        let mut connection = self.pool.acquire().await?;
        let values = [Value::Text(&self.namespace), Value::Text(tenant.as_str()), at];
        let secrets = DB::secrets(&mut connection, ACTIVE, &values).await?.into_iter();
        let key = |(stored, not_after, digest): SecretRow| {
            let row = Row { namespace: &self.namespace, tenant: tenant.as_str(), digest: &digest };
            let secret = master::read(self.master_keys.as_ref(), row, stored).map_err(StoreError::new)?;
            let key = stored::key(secret, not_after);
            let last_use = self.last_use.clone();
            Ok(match last_use {
                Some(last_use) => key.when_used(move |now| last_use.note(&digest, now)),
                None => key,
            })
        };
        secrets.map(key).collect()
    }
}

impl<DB: Backend> KeyStore for SqlKeyStore<DB> {
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        if unusable(tenant).is_some() {
            return StoreFuture::ready(Ok(Keys::unknown_tenant()));
        }
        let (this, tenant) = (self.clone(), tenant.clone());
        StoreFuture::new(async move { this.active(&tenant).await })
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        None
    }

    fn stored_keys(&self, tenant: Option<&TenantId>, most: usize) -> StoreFuture<Result<Vec<Key>, StoreError>> {
        let (this, tenant) = (self.clone(), tenant.cloned());
        StoreFuture::new(async move { stored::keys(&this, tenant.as_ref(), most).await })
    }

    fn ignores_tenant(&self) -> bool {
        false
    }
}

impl<DB: Backend> Clone for SqlKeyStore<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            namespace: Arc::clone(&self.namespace),
            grace: self.grace,
            lock_timeout: self.lock_timeout,
            clock: Arc::clone(&self.clock),
            master_keys: self.master_keys.clone(),
            actor: Arc::clone(&self.actor),
            last_use: self.last_use.clone(),
        }
    }
}

// Leaves out the pool: its options contain the database's password.
impl<DB: Backend> fmt::Debug for SqlKeyStore<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlKeyStore")
            .field("namespace", &self.namespace)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

fn check(tenant: &TenantId, secret: &Secret) -> Result<(), SqlKeyError> {
    if let Some(why) = unusable(tenant) {
        return Err(SqlKeyError::UnusableTenant(why));
    }
    if master::is_encrypted(secret.expose()) {
        return Err(SqlKeyError::UnusableSecret("begins like an encrypted one"));
    }
    secret.weakness().map_or(Ok(()), |why| Err(SqlKeyError::UnusableSecret(why)))
}

/// Why this cannot be a tenant's name: Postgres refuses NUL in text.
pub(super) fn unusable(tenant: &TenantId) -> Option<&'static str> {
    let name = tenant.as_str();
    if name.contains('\0') {
        return Some("holds NUL");
    }
    (name.len() > MAX_TENANT_BYTES).then_some("is longer than 512 bytes")
}
