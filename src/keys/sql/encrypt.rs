//! Encrypts what is stored readable, or under another master key.

use sqlx::Transaction;
use zeroize::Zeroizing;

use super::audit::{Action, id};
use super::backend::{Backend, Engine, StoredRow, Value};
use super::master::{self, MARK, MasterKeys, NO_MASTER_KEY, Row, UNKNOWN_MASTER_KEY};
use super::schema::lock_migrations;
use super::statements::{ENCRYPTED, ENCRYPTED_UNDER, REPLACE, TO_ENCRYPT};
use super::transaction::begin;
use super::{SqlKeyError, SqlKeyStore};

/// Checks the master keys against what is stored, and then encrypts a batch at a time. Each row is replaced as a whole,
/// so this may end anywhere and begin again, and run in several processes.
pub(super) async fn all<DB: Backend>(store: &SqlKeyStore<DB>) -> Result<(), SqlKeyError> {
    store.check_master_keys().await?;
    let Some(keys) = &store.master_keys else { return Ok(()) };
    let Some(first) = keys.heads().next() else { return Ok(()) };
    let engine = DB::engine(&store.pool)?;
    // On Postgres a transaction locks one tenant, as a rotation does: with several, the two could deadlock. On SQLite
    // it is the only writer, and each commit waits for the disk.
    let rows_at_once = if let Engine::Postgres = engine { 1 } else { usize::MAX };
    let (mut last, mut count) = (Vec::new(), 0);
    loop {
        let values = [Value::Text(&store.namespace), Value::Bytes(first), Value::Bytes(&last)];
        let mut connection = store.pool.acquire().await?;
        let rows = DB::stored(&mut connection, TO_ENCRYPT, &values).await?;
        drop(connection);
        let wiped = |(digest, tenant, stored): StoredRow| (digest, tenant, Zeroizing::new(stored));
        let rows: Vec<_> = rows.into_iter().map(wiped).collect();
        let Some((digest, ..)) = rows.last() else { break };
        last.clone_from(digest);
        for rows in rows.chunks(rows_at_once) {
            let mut transaction = begin(&store.pool, engine).await?;
            lock_migrations::<DB>(&mut transaction, engine).await?;
            for row in rows {
                count += replace(store, keys, &mut transaction, row).await?;
            }
            transaction.commit().await?;
        }
    }
    if count > 0 {
        tracing::info!(target: "tower_sso", namespace = &*store.namespace, keys = count, "secrets were encrypted");
    }
    Ok(())
}

impl<DB: Backend> SqlKeyStore<DB> {
    /// Whether the [`master_keys`](Self::master_keys) decrypt every secret of this namespace: for a tool that changes
    /// keys and does not [`migrate`](Self::migrate), which begins with this check.
    ///
    /// # Errors
    /// [`SqlKeyError::MasterKey`] says which key is missing.
    pub async fn check_master_keys(&self) -> Result<(), SqlKeyError> {
        let engine = DB::engine(&self.pool)?;
        let mut transaction = begin(&self.pool, engine).await?;
        // Otherwise another process could encrypt between the statements.
        lock_migrations::<DB>(&mut transaction, engine).await?;
        let namespace = Value::Text(&self.namespace);
        let mut unknown = DB::integer(&mut transaction, ENCRYPTED, &[namespace, Value::Bytes(MARK)]).await?;
        for head in self.master_keys.iter().flat_map(MasterKeys::heads) {
            unknown -= DB::integer(&mut transaction, ENCRYPTED_UNDER, &[namespace, Value::Bytes(head)]).await?;
        }
        transaction.rollback().await?;
        match (&self.master_keys, unknown) {
            (_, ..=0) => Ok(()),
            (None, _) => Err(SqlKeyError::MasterKey(NO_MASTER_KEY)),
            (Some(_), _) => Err(SqlKeyError::MasterKey(UNKNOWN_MASTER_KEY)),
        }
    }
}

/// Returns how many rows it has replaced: none if a rotation or another process has changed the row since, or if nobody
/// can decrypt it.
async fn replace<DB: Backend>(
    store: &SqlKeyStore<DB>,
    keys: &MasterKeys,
    transaction: &mut Transaction<'static, DB>,
    (digest, tenant, stored): &(Vec<u8>, String, Zeroizing<Vec<u8>>),
) -> Result<u64, SqlKeyError> {
    store.lock(transaction, &tenant.as_str().into()).await?;
    let row = Row { namespace: &store.namespace, tenant, digest };
    let secret = match master::read_any(keys, row, stored) {
        Ok(secret) => secret,
        Err(problem) => {
            // Its tenant gets 503. All others must not.
            let key = id(digest);
            tracing::warn!(target: "tower_sso", namespace = row.namespace, tenant = ?row.tenant, key, "{problem}");
            return Ok(0);
        }
    };
    let encrypted = keys.encrypt(row, secret.expose())?;
    let values = [Value::Bytes(digest), Value::Bytes(&encrypted), Value::Bytes(stored)];
    let replaced = DB::execute(transaction, REPLACE, &values).await?;
    if replaced > 0 {
        store.record(transaction, tenant, Action::Encrypted, digest).await?;
    }
    Ok(replaced)
}
