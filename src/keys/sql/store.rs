use sqlx::{Acquire, Transaction};

use super::audit::Action;
use super::backend::{Backend, Engine, SecretRow, Value};
use super::master::{self, Row};
use super::statements::{
    ACTIVE, END_PREVIOUS, INSTALL, LIMIT_LOCKS, OWN, RECORD, REMOVE, RETIRE, STATE, STATE_CURRENT, STATE_FOREIGN, WIPE,
};
use super::transaction::{begin, digest, lock};
use super::{Rotation, SqlKeyError, SqlKeyStore, encrypt, owners, schema, stored};
use crate::clock::Clock;
use crate::keys::identity::identity;
use crate::keys::{Key, KeyStore, Keys, Secret, TenantId};
use crate::replay::Fingerprint;
use crate::store::{StoreError, StoreFuture};

/// Longer names are unknown tenants. Postgres indexes at most about 2,700 bytes.
const MAX_TENANT_BYTES: usize = 512;

/// In milliseconds, as Postgres counts.
const LONGEST_LOCK_TIMEOUT: u128 = i32::MAX as u128;

impl<DB: Backend> SqlKeyStore<DB> {
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
