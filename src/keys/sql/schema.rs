use sqlx::Pool;

use super::backend::{Backend, Engine};
use super::transaction::{begin, digest, lock};

/// The tables for PostgreSQL, one text for each schema version, oldest first.
///
/// [`SqlKeyStore::migrate`](super::SqlKeyStore::migrate) applies them. To create the tables with your own migrations
/// instead, copy each text into one of them, and the new ones with each upgrade; both ways may be mixed, since a text
/// records its version itself.
///
/// ```
/// use tower_sso::keys::sql::POSTGRES_MIGRATIONS;
///
/// assert!(POSTGRES_MIGRATIONS[0].contains("CREATE TABLE IF NOT EXISTS tower_sso_keys"));
/// ```
pub const POSTGRES_MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.postgres.sql"),
    include_str!("migrations/0002.postgres.sql"),
    include_str!("migrations/0003.postgres.sql"),
];

/// The tables for SQLite, one text for each schema version, oldest first. Used as [`POSTGRES_MIGRATIONS`] are.
///
/// ```
/// use tower_sso::keys::sql::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};
///
/// assert_eq!(SQLITE_MIGRATIONS.len(), POSTGRES_MIGRATIONS.len());
/// ```
pub const SQLITE_MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sqlite.sql"),
    include_str!("migrations/0002.sqlite.sql"),
    include_str!("migrations/0003.sqlite.sql"),
];

// Not sqlx's own migrator: on SQLite it takes no lock, so two processes that start at once would collide.
const CREATE_VERSIONS: &str = "CREATE TABLE IF NOT EXISTS tower_sso_keys_schema (version BIGINT NOT NULL PRIMARY KEY)";
const VERSION: &str = "SELECT COALESCE(MAX(version), 0) FROM tower_sso_keys_schema";

/// Applies all texts that the database has not seen yet, in one transaction.
///
/// A database with a newer schema is left alone: the next release is being rolled out.
pub(super) async fn migrate<DB: Backend>(pool: &Pool<DB>) -> Result<(), sqlx::Error> {
    let engine = DB::engine(pool)?;
    let migrations = match engine {
        Engine::Postgres => POSTGRES_MIGRATIONS,
        Engine::Sqlite => SQLITE_MIGRATIONS,
    };
    let mut transaction = begin(pool, engine).await?;
    // `IF NOT EXISTS` alone is no protection on Postgres: two at once make one of them fail.
    lock_migrations::<DB>(&mut transaction, engine).await?;
    DB::execute(&mut transaction, CREATE_VERSIONS, &[]).await?;
    let version = DB::integer(&mut transaction, VERSION, &[]).await?;
    for migration in migrations.iter().skip(usize::try_from(version).unwrap_or_default()) {
        DB::script(&mut transaction, migration).await?;
    }
    transaction.commit().await
}

/// The one lock of all migrations.
pub(super) async fn lock_migrations<DB: Backend>(
    connection: &mut DB::Connection,
    engine: Engine,
) -> Result<(), sqlx::Error> {
    lock::<DB>(connection, engine, &digest(b"tower_sso_keys", b"migrate")).await
}
