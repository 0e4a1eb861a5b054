//! Transactions and locks.

use std::io;

use sha2::{Digest, Sha256};
use sqlx::{Pool, Transaction};

use super::backend::{Backend, Engine, Value};
use super::statements::LOCK;

pub(super) async fn begin<DB: Backend>(
    pool: &Pool<DB>,
    engine: Engine,
) -> Result<Transaction<'static, DB>, sqlx::Error> {
    let statement = match engine {
        // Each statement must see what was committed while it waited for the lock.
        Engine::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        // A read lock cannot become a write lock once another has written, and waiting would not help.
        Engine::Sqlite => "BEGIN IMMEDIATE",
    };
    let pool = pool.clone();
    // If this future is dropped, a task goes on, and what it began is rolled back. sqlx alone would hand on a Postgres
    // connection that is in a transaction.
    tokio::spawn(async move { pool.begin_with(statement).await }).await.map_err(io::Error::from)?
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
