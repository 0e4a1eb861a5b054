//! Sessions in the app's SQLite database: a store for tower-sessions.

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqlitePool;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS sessions (id BLOB PRIMARY KEY, record TEXT, ends INTEGER)";

/// Keyed by a digest of the id: a leaked table does not let anyone sign in.
#[derive(Clone, Debug)]
pub(crate) struct Sessions(pub(crate) SqlitePool);

#[async_trait]
impl SessionStore for Sessions {
    /// Also deletes expired sessions. Fails on a duplicate id, which 128 random bits rule out.
    async fn create(&self, record: &mut Record) -> Result<()> {
        sqlx::query("DELETE FROM sessions WHERE ends <= unixepoch()").execute(&self.0).await.map_err(failed)?;
        write(&self.0, "INSERT INTO sessions (id, record, ends) VALUES ($1, $2, $3)", record).await
    }

    /// Updates only, never inserts: a request in progress during a logout must not bring its session back.
    async fn save(&self, record: &Record) -> Result<()> {
        write(&self.0, "UPDATE sessions SET record = $2, ends = $3 WHERE id = $1", record).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let query = sqlx::query_scalar("SELECT record FROM sessions WHERE id = $1 AND ends > unixepoch()");
        let json: Option<String> = query.bind(digest(id)).fetch_optional(&self.0).await.map_err(failed)?;
        json.map(|json| Ok(Record { id: *id, ..serde_json::from_str(&json).map_err(failed)? })).transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let query = sqlx::query("DELETE FROM sessions WHERE id = $1").bind(digest(id));
        query.execute(&self.0).await.map(drop).map_err(failed)
    }
}

async fn write(db: &SqlitePool, query: &'static str, record: &Record) -> Result<()> {
    // The id itself is not stored.
    let json = serde_json::to_string(&Record { id: Id(0), ..record.clone() }).map_err(failed)?;
    let query = sqlx::query(query).bind(digest(&record.id)).bind(json).bind(record.expiry_date.unix_timestamp());
    query.execute(db).await.map(drop).map_err(failed)
}

fn digest(id: &Id) -> Vec<u8> {
    Sha256::digest(id.0.to_be_bytes()).to_vec()
}

fn failed(error: impl std::error::Error) -> Error {
    Error::Backend(error.to_string())
}
