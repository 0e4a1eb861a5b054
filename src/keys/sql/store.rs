use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::{Acquire, Pool, Transaction};

use super::backend::{Backend, Engine, SecretRow, Value};
use super::{Rotation, SqlKeyError, schema};
use crate::clock::{Clock, SystemClock, UnixTime};
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

// Both engines read these texts. They avoid conflict errors: in Postgres, an error would abort the caller's
// transaction.
const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
const LIMIT_LOCKS: &str = "SELECT set_config('lock_timeout', $1, true) WHERE current_setting('lock_timeout') = '0'";
const RECORD: &str = "INSERT INTO tower_sso_credentials (namespace, credential, tenant, applied_at) \
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
/// An end in 1970: owned from here on, accepted only once it is made current.
const OWN: &str = "INSERT INTO tower_sso_keys (digest, namespace, tenant, generation, not_after) \
    VALUES ($1, $2, $3, 0, 0) ON CONFLICT DO NOTHING";
const STATE: &str = "SELECT CAST(CASE WHEN tenant <> $2 THEN 2 WHEN not_after IS NULL THEN 1 ELSE 0 END AS BIGINT) \
    FROM tower_sso_keys WHERE digest = $1";
const STATE_CURRENT: i64 = 1;
const STATE_FOREIGN: i64 = 2;
const RETIRE: &str = "UPDATE tower_sso_keys SET not_after = $3 \
    WHERE namespace = $1 AND tenant = $2 AND not_after IS NULL";
/// Previous keys that have ended, and all but the newest three (`Keys::MAX` less the current one).
const WIPE: &str = "UPDATE tower_sso_keys SET secret = NULL \
    WHERE namespace = $1 AND tenant = $2 AND secret IS NOT NULL AND not_after IS NOT NULL AND (not_after < $3 \
    OR digest NOT IN (SELECT digest FROM tower_sso_keys WHERE namespace = $1 AND tenant = $2 AND secret IS NOT NULL \
    AND not_after IS NOT NULL ORDER BY not_after DESC, generation DESC LIMIT 3))";
const INSTALL: &str = "UPDATE tower_sso_keys SET secret = $4, not_after = NULL, generation = \
    (SELECT COALESCE(MAX(generation), 0) + 1 FROM tower_sso_keys \
    WHERE namespace = $2 AND tenant = $3 AND secret IS NOT NULL) WHERE digest = $1";
const REMOVE: &str = "UPDATE tower_sso_keys SET secret = NULL, not_after = $3 \
    WHERE namespace = $1 AND tenant = $2 AND secret IS NOT NULL";
const ACTIVE: &str = "SELECT secret, not_after FROM tower_sso_keys \
    WHERE namespace = $1 AND tenant = $2 AND secret IS NOT NULL AND (not_after IS NULL OR not_after >= $3) \
    ORDER BY generation DESC";

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
    pool: Pool<DB>,
    namespace: Arc<str>,
    grace: Duration,
    lock_timeout: Duration,
    clock: Arc<dyn Clock>,
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

    /// Creates or updates the tables. Any number of processes may call this at once and repeatedly. Does not touch
    /// sqlx's own table of migrations.
    ///
    /// The database user needs the right to create tables. The texts are
    /// [`POSTGRES_MIGRATIONS`](super::POSTGRES_MIGRATIONS) and [`SQLITE_MIGRATIONS`](super::SQLITE_MIGRATIONS), for
    /// those who would rather apply them on their own.
    pub async fn migrate(&self) -> Result<(), SqlKeyError> {
        Ok(schema::migrate(&self.pool).await?)
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
        let ended = Value::Integer(0);
        DB::execute(&mut transaction, REMOVE, &[Value::Text(&self.namespace), Value::Text(tenant.as_str()), ended])
            .await?;
        Ok(transaction.commit().await?)
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
        let digest = digest(self.namespace.as_bytes(), secret.expose());
        let (namespace, name) = (Value::Text(&self.namespace), Value::Text(tenant.as_str()));
        let (digest, at) = (Value::Bytes(&digest), Value::Integer(now.as_nanos()));

        let record = [namespace, Value::Bytes(credential.as_bytes()), name, at];
        if DB::execute(connection, RECORD, &record).await? == 0 {
            return Ok(Rotation::Repeated);
        }
        DB::execute(connection, OWN, &[digest, namespace, name]).await?;
        match DB::integer(connection, STATE, &[digest, name]).await? {
            STATE_FOREIGN => return Err(SqlKeyError::OwnedByAnotherTenant),
            STATE_CURRENT => return Ok(Rotation::Unchanged),
            _ => {}
        }
        let until = Value::Integer(now.plus(self.grace).as_nanos());
        let retired = DB::execute(connection, RETIRE, &[namespace, name, until]).await?;
        DB::execute(connection, INSTALL, &[digest, namespace, name, Value::Bytes(secret.expose())]).await?;
        // Delete secrets that are no longer accepted. This comes last, as a previous key may just have become current
        // again.
        DB::execute(connection, WIPE, &[namespace, name, at]).await?;
        Ok(if retired == 0 { Rotation::Created } else { Rotation::Rotated })
    }

    async fn lock(&self, connection: &mut DB::Connection, tenant: &TenantId) -> Result<(), sqlx::Error> {
        let key = digest(self.namespace.as_bytes(), tenant.as_str().as_bytes());
        lock::<DB>(connection, DB::engine(&self.pool)?, &key).await
    }

    async fn active(&self, tenant: &TenantId) -> Result<Keys, sqlx::Error> {
        let at = Value::Integer(self.clock.now().as_nanos());
        let mut connection = self.pool.acquire().await?;
        let values = [Value::Text(&self.namespace), Value::Text(tenant.as_str()), at];
        let secrets = DB::secrets(&mut connection, ACTIVE, &values).await?.into_iter();
        let key = |(secret, not_after): SecretRow| match not_after {
            None => Key::current(Secret::new(secret)),
            Some(not_after) => Key::previous(Secret::new(secret), UnixTime::from_nanos(not_after)),
        };
        Ok(secrets.map(key).collect())
    }
}

impl<DB: Backend> KeyStore for SqlKeyStore<DB> {
    fn keys(&self, tenant: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
        if unusable(tenant).is_some() {
            return StoreFuture::ready(Ok(Keys::unknown_tenant()));
        }
        let (this, tenant) = (self.clone(), tenant.clone());
        StoreFuture::new(async move { Ok(this.active(&tenant).await?) })
    }

    fn known_keys(&self) -> Option<Vec<Key>> {
        None
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

pub(super) async fn begin<DB: Backend>(
    pool: &Pool<DB>,
    engine: Engine,
) -> Result<Transaction<'static, DB>, sqlx::Error> {
    pool.begin_with(match engine {
        // Each statement must see what was committed while it waited for the lock.
        Engine::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        // A read lock cannot become a write lock once another has written, and waiting would not help.
        Engine::Sqlite => "BEGIN IMMEDIATE",
    })
    .await
}

/// Takes this lock until the end of the transaction, after waiting for other holders.
pub(super) async fn lock<DB: Backend>(
    connection: &mut DB::Connection,
    engine: Engine,
    key: &[u8; 32],
) -> Result<(), sqlx::Error> {
    // SQLite has one writer at a time, and the first statement of a rotation writes.
    if let (Engine::Postgres, Some(key)) = (engine, key.first_chunk()) {
        DB::execute(connection, LOCK, &[Value::Integer(i64::from_be_bytes(*key))]).await?;
    }
    Ok(())
}

pub(super) fn digest(namespace: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [namespace, bytes] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

fn check(tenant: &TenantId, secret: &Secret) -> Result<(), SqlKeyError> {
    if let Some(why) = unusable(tenant) {
        return Err(SqlKeyError::UnusableTenant(why));
    }
    secret.weakness().map_or(Ok(()), |why| Err(SqlKeyError::UnusableSecret(why)))
}

/// Why this cannot be a tenant's name: Postgres refuses NUL in text.
fn unusable(tenant: &TenantId) -> Option<&'static str> {
    let name = tenant.as_str();
    if name.contains('\0') {
        return Some("holds NUL");
    }
    (name.len() > MAX_TENANT_BYTES).then_some("is longer than 512 bytes")
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;

    /// A lookup that reads the digests of all keys a tenant ever had reveals by timing that the tenant exists.
    #[tokio::test]
    async fn what_runs_for_a_tenant_does_not_read_its_old_keys() {
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        SqlKeyStore::new(pool.clone(), "n").migrate().await.unwrap();
        for statement in [ACTIVE, WIPE, INSTALL, REMOVE, RETIRE] {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"))).fetch_all(&pool).await;
            for step in plan.unwrap().iter().map(|step| step.get::<String, _>("detail")) {
                let reads_few = ["tower_sso_keys_active", "tower_sso_keys_current", "autoindex"];
                let touches_table = step.starts_with("SEARCH") || step.starts_with("SCAN");
                assert!(!touches_table || reads_few.iter().any(|index| step.contains(index)), "{statement}\n{step}");
                assert!(!step.contains("TEMP B-TREE") || statement != ACTIVE, "{statement}\n{step}");
            }
        }
    }
}
