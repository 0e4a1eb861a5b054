//! The portal's own tables, beside the key store's: settings, companies and sessions, on SQLite or Postgres.

use std::path::Path;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool};
use tower_sso::keys::Secret;
use tower_sso::sign::generate_fernet_key;

use crate::config::DatabaseUrl;

/// Both engines read this. Times are in seconds since the epoch.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS portal_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS portal_companies (
    provider TEXT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL,
    admin_name TEXT NOT NULL, admin_email TEXT NOT NULL, PRIMARY KEY (provider, tenant));
CREATE TABLE IF NOT EXISTS portal_sessions (id TEXT PRIMARY KEY, data TEXT NOT NULL, expires_at BIGINT NOT NULL);
";

#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) pool: AnyPool,
}

/// An SQLite file in `dir`, which is created if need be.
pub(crate) fn file_in(dir: &Path) -> Result<DatabaseUrl, Box<dyn std::error::Error>> {
    let mut directory = std::fs::DirBuilder::new();
    // Keys are stored readable: nobody else on this machine is to read them.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
    directory.recursive(true).create(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let path = std::path::absolute(dir)?.join("portal.db");
    let path = path.to_str().ok_or_else(|| format!("{}: the path must be UTF-8", path.display()))?;
    // A URL ends its path at these; the driver decodes them again.
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(DatabaseUrl(format!("sqlite://{path}?mode=rwc")))
}

impl Database {
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        // Below the requests' own timeout: a database that is away is a 503, by whoever asked it.
        let options = AnyPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(5));
        let pool = options.connect(&url.0).await?;
        if url.0.starts_with("sqlite:") {
            // So that a lookup does not wait for a writer. The file remembers it.
            sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&pool).await?;
        }
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        sqlx::raw_sql(crate::accounts::TABLES).execute(&pool).await?;
        Ok(Self { pool })
    }

    pub(crate) async fn is_ready(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.pool).await.is_ok()
    }

    pub(crate) async fn setting(&self, name: &str) -> Result<Option<String>, sqlx::Error> {
        let query = sqlx::query_scalar("SELECT value FROM portal_settings WHERE name = $1");
        query.bind(name).fetch_optional(&self.pool).await
    }

    pub(crate) async fn set(&self, name: &str, value: &str) -> Result<(), sqlx::Error> {
        let query = "INSERT INTO portal_settings (name, value) VALUES ($1, $2) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(query).bind(name).bind(value).execute(&self.pool).await.map(drop)
    }

    /// A random secret that is made when it is first asked for, and the same ever after.
    pub(crate) async fn secret(&self, name: &str) -> Result<Secret, sqlx::Error> {
        let made = generate_fernet_key();
        let made = String::from_utf8_lossy(made.expose());
        let query = "INSERT INTO portal_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        sqlx::query(query).bind(name).bind(&*made).execute(&self.pool).await?;
        let kept = self.setting(name).await?.ok_or(sqlx::Error::RowNotFound)?;
        Ok(Secret::new(kept))
    }
}

/// A customer organisation, as its partner announced it.
#[derive(Debug)]
pub(crate) struct Company<'a> {
    pub(crate) provider: &'a str,
    pub(crate) tenant: &'a str,
    pub(crate) name: &'a str,
    pub(crate) admin_name: &'a str,
    pub(crate) admin_email: &'a str,
}

impl Company<'_> {
    /// Stores it, or replaces what is stored of it, inside the caller's transaction.
    pub(crate) async fn store(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let query = "INSERT INTO portal_companies (provider, tenant, name, admin_name, admin_email) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (provider, tenant) DO UPDATE SET \
                     name = excluded.name, admin_name = excluded.admin_name, admin_email = excluded.admin_email";
        let values = [self.provider, self.tenant, self.name, self.admin_name, self.admin_email];
        values.into_iter().fold(sqlx::query(query), sqlx::query::Query::bind).execute(connection).await?;
        Ok(())
    }
}

/// The name under which a company signed up.
pub(crate) async fn company_name(
    database: &Database,
    provider: &str,
    tenant: &str,
) -> Result<Option<String>, sqlx::Error> {
    let query = sqlx::query_scalar("SELECT name FROM portal_companies WHERE provider = $1 AND tenant = $2");
    query.bind(provider).bind(tenant).fetch_optional(&database.pool).await
}
