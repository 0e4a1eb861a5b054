//! Creates the portal's tables. Several processes may start on an empty database at once.

use std::time::Duration;

use sqlx::AnyPool;

use super::Engine;

/// Valid on SQLite and Postgres. Times are in seconds since the epoch.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS portal_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS portal_companies (
    provider TEXT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL,
    admin_name TEXT NOT NULL, admin_email TEXT NOT NULL, PRIMARY KEY (provider, tenant));
CREATE TABLE IF NOT EXISTS portal_sessions (id TEXT PRIMARY KEY, data TEXT NOT NULL, expires_at BIGINT NOT NULL);
";

/// The key of the Postgres advisory lock. Nothing else in the database may use it.
const LOCK: i64 = 0x706f_7274_616c;

/// How long to wait for other processes that are starting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes a lock first: on Postgres, two concurrent `CREATE TABLE IF NOT EXISTS` of the same table can fail.
pub(super) async fn create(pool: &AnyPool, engine: Engine) -> Result<(), sqlx::Error> {
    let mut transaction = match engine {
        Engine::Postgres => {
            let mut transaction = pool.begin().await?;
            let patience = format!("SET LOCAL lock_timeout = {}", PATIENCE.as_millis());
            sqlx::raw_sql(sqlx::AssertSqlSafe(patience)).execute(&mut *transaction).await?;
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
            transaction
        }
        Engine::Sqlite => {
            let in_time = tokio::time::timeout(PATIENCE, write_ahead(pool)).await;
            in_time.map_err(|_| sqlx::Error::PoolTimedOut)??;
            pool.begin_with("BEGIN IMMEDIATE").await?
        }
    };
    sqlx::raw_sql(TABLES).execute(&mut *transaction).await?;
    sqlx::raw_sql(crate::accounts::TABLES).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Switches the file to write-ahead logging, so that readers do not wait for a writer. The setting persists in the file.
///
/// Retries, because SQLite ignores its busy timeout for this pragma and reports a busy file at once.
async fn write_ahead(pool: &AnyPool) -> Result<(), sqlx::Error> {
    const BUSY: i64 = 5;
    let primary_code = |error: &sqlx::Error| Some(error.as_database_error()?.code()?.parse::<i64>().ok()? & 0xff);
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    loop {
        pause.tick().await;
        match sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(pool).await {
            Err(error) if primary_code(&error) == Some(BUSY) => {}
            other => return other.map(drop),
        }
    }
}
