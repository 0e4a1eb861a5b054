//! The portal's tables on SQLite or Postgres: settings, companies, sessions. The key store has its own in the same database.

mod file;
mod known_first;
mod schema;
mod turns;

use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Executor};
use tower_sso::keys::Secret;

use crate::config::DatabaseUrl;
use crate::random;

pub(crate) use file::file_in;
pub(crate) use known_first::KnownFirst;
pub(crate) use turns::Turns;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// For authenticated work.
    pub(crate) pool: AnyPool,
    /// A few connections for queries that anyone can trigger, so that a flood of them does not exhaust `pool`.
    pub(crate) strangers: AnyPool,
    /// For `/healthz` only: a busy pool must not report the database as down.
    readiness: AnyPool,
    /// For what no request waits for.
    pub(crate) notes: AnyPool,
    pub(crate) turns: Turns,
}

/// How the two engines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Postgres,
    Sqlite,
}

impl Engine {
    fn of(url: &DatabaseUrl) -> Self {
        if url.0.starts_with("sqlite:") { Self::Sqlite } else { Self::Postgres }
    }

    /// Concurrent writers. SQLite allows one and makes the others poll; queueing for a turn here is fair and cheaper.
    fn writers(self) -> usize {
        match self {
            Self::Postgres => 6,
            Self::Sqlite => 1,
        }
    }

    /// How long to wait for a turn to write. Together with the lock timeout it stays below the request timeout.
    fn patience(self) -> Duration {
        match self {
            Self::Postgres => Duration::from_secs(5),
            Self::Sqlite => Duration::from_secs(9),
        }
    }

    /// Set on each connection. On Postgres it is short, because a writer that waits for a lock occupies a connection; SQLite
    /// has only one writer.
    fn lock_timeout(self) -> &'static str {
        match self {
            Self::Postgres => "SET lock_timeout = '3s'",
            Self::Sqlite => "PRAGMA busy_timeout = 9000",
        }
    }
}

impl Database {
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self, Box<dyn std::error::Error>> {
        sqlx::any::install_default_drivers();
        let engine = Engine::of(url);
        if engine == Engine::Sqlite {
            file::make_private(url)?;
        }
        // Below the request timeout, so that a database that is down leads to 503 and not to 408.
        let options = AnyPoolOptions::new().acquire_timeout(Duration::from_secs(5));
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move { connection.execute(engine.lock_timeout()).await.map(drop) })
        });
        let pool = options.clone().max_connections(8).connect(&url.0).await?;
        schema::create(&pool, engine).await?;
        Ok(Self {
            pool,
            strangers: options.clone().max_connections(2).connect_lazy(&url.0)?,
            readiness: options.clone().max_connections(1).connect_lazy(&url.0)?,
            notes: options.max_connections(1).connect_lazy(&url.0)?,
            turns: Turns::new(engine),
        })
    }

    /// Whether the database answers within two seconds.
    pub(crate) async fn is_ready(&self) -> bool {
        let asked = sqlx::query("SELECT 1").execute(&self.readiness);
        tokio::time::timeout(Duration::from_secs(2), asked).await.is_ok_and(|answer| answer.is_ok())
    }

    /// Makes every later query fail.
    #[cfg(test)]
    pub(crate) async fn close(&self) {
        tokio::join!(self.pool.close(), self.strangers.close(), self.readiness.close(), self.notes.close());
    }

    pub(crate) async fn setting(&self, name: &str) -> Result<Option<String>, sqlx::Error> {
        let query = sqlx::query_scalar("SELECT value FROM portal_settings WHERE name = $1");
        query.bind(name).fetch_optional(&self.pool).await
    }

    pub(crate) async fn set(&self, name: &str, value: &str) -> Result<(), sqlx::Error> {
        let query = "INSERT INTO portal_settings (name, value) VALUES ($1, $2) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let _turn = self.turns.to_write().await?;
        sqlx::query(query).bind(name).bind(value).execute(&self.pool).await.map(drop)
    }

    /// A random secret, created on first use and then stable, also if several processes ask at once.
    pub(crate) async fn secret(&self, name: &str) -> Result<Secret, sqlx::Error> {
        let made = random::secret()?;
        let query = "INSERT INTO portal_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        let turn = self.turns.to_write().await?;
        sqlx::query(query).bind(name).bind(made).execute(&self.pool).await?;
        drop(turn);
        let kept = self.setting(name).await?.ok_or(sqlx::Error::RowNotFound)?;
        Ok(Secret::new(kept))
    }
}

/// A customer organisation, as its partner signed it up.
#[derive(Debug)]
pub(crate) struct Company<'a> {
    pub(crate) provider: &'a str,
    pub(crate) tenant: &'a str,
    pub(crate) name: &'a str,
    pub(crate) admin_name: &'a str,
    pub(crate) admin_email: &'a str,
}

impl Company<'_> {
    /// Inserts or replaces the company, inside the caller's transaction.
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
