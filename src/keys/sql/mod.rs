//! Keys in SQLite or Postgres, by sqlx 0.9, with rotation.
//!
//! A partner's webhook brings a tenant's key ([`SqlKeyStore::rotate`]), and the layer looks it up. The rules:
//!
//! 1. A delivery is applied once, for ever. A duplicate of any age changes nothing, so an old one never rolls back a
//!    newer key.
//! 2. A new key is current at once. The replaced key is accepted for a grace period; older keys keep their own end. At
//!    most three previous keys are accepted: with a fourth, the oldest ends.
//! 3. A tenant always has one current key, however many deliveries come at once.
//! 4. A secret has one owner. A key that is or ever was another tenant's is refused, and nothing is recorded. A public
//!    key is one key as PEM, JWK, `whpk_` or DER.
//! 5. The caller's own data can be stored in the same transaction ([`SqlKeyStore::rotate_in`]).
//!
//! The tenant's next rotation deletes keys that have ended, and a fourth previous one. Their SHA-256 digests stay, for
//! rule 4, and one row per delivery stays, for rule 1.
//!
//! # Encrypted secrets
//!
//! A MAC needs the key itself, so secrets are stored readable unless the store has [`MasterKeys`]: **anyone who reads
//! the table `tower_sso_keys` can then sign in as anybody.** Let only this application's database user read it, encrypt
//! disks and backups, and require TLS from the server. sqlx does not wipe its own buffers.
//!
//! With [`SqlKeyStore::master_keys`], secrets are encrypted with AES-256-GCM, each under a random nonce, and bound to
//! their namespace, tenant and digest: in another row they are worthless. Whoever reads the table, a replica or a
//! backup has no secret, but can check guesses against the digests, so secrets must be random. Whoever can also write
//! may give a tenant a key of their own, which the next [`migrate`](SqlKeyStore::migrate) encrypts like any readable
//! one; it logs how many there were, and [`changes`](SqlKeyStore::changes) names them.
//!
//! ```no_run
//! use tower_sso::keys::sql::{MasterKeys, SqlKeyStore};
//!
//! # async fn start(pool: sqlx::AnyPool) -> Result<(), Box<dyn std::error::Error>> {
//! // One key to a line, each of 32 bytes in base64: `openssl rand -base64 32`.
//! let master_keys = MasterKeys::parse(&std::fs::read_to_string("/run/credentials/app/master-keys")?)?;
//! let keys = SqlKeyStore::new(pool, "tutorcruncher").master_keys(master_keys);
//! keys.migrate().await?; // encrypts what was stored before, or says which master key is missing
//! # Ok(())
//! # }
//! ```
//!
//! - **To begin**, first bring every process to a release that has master keys, then give all of them the key. A
//!   process that does not have it yet answers 503 for a tenant whose secret is encrypted, never 401. An older release
//!   would refuse that tenant's requests.
//! - **To change the master key**, deploy the file with the new key second, then with the new key first, then without
//!   the old one. The second deployment re-encrypts every secret under the new key. If the third does not start, a
//!   secret is still encrypted under the old key: put the old key back in last place.
//! - Pages and backups that were written before still hold readable secrets: `VACUUM` on SQLite, `VACUUM FULL` on
//!   Postgres, and delete old backups. If you cannot, rotate the keys.
//! - **A lost master key cannot be replaced.** Remove the tenants' keys, and ask the partners for new ones.
//!
//! # The database
//!
//! | engine | the pool needs |
//! |---|---|
//! | SQLite | a file, not `:memory:`; a `busy_timeout` above zero; WAL |
//! | Postgres | the encoding UTF-8; a `lock_timeout` for the application's own transactions |
//! | `Any` | the application installs sqlx's drivers first, with `sqlx::any::install_default_drivers` |
//!
//! With `:memory:` each connection has its own database. `busy_timeout` is how long a writer waits for another (sqlx's
//! default is 5 s). With WAL, lookups do not wait for writers. The transactions of [`SqlKeyStore::begin`] have a
//! `lock_timeout` of their own ([`SqlKeyStore::lock_timeout`]).
//!
//! Several processes may start at once: [`SqlKeyStore::migrate`] takes a lock. Your own `CREATE TABLE IF NOT EXISTS`
//! needs one too. WAL is written into the file, and switching to it ignores `busy_timeout`: try again while it says
//! `database is locked`.
//!
//! Waiting for a lock holds a connection. Give rotations a pool of their own, so that one company's webhooks do not
//! block everybody's sign-ins:
//!
//! ```no_run
//! # #[cfg(all(feature = "sqlite", feature = "postgres"))] {
//! use std::time::Duration;
//! use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
//! use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
//! use tower_sso::keys::sql::SqlKeyStore;
//!
//! # async fn postgres() -> Result<(), Box<dyn std::error::Error>> {
//! let options: PgConnectOptions = "postgres://app@localhost/app".parse()?;
//! let options = options.options([("lock_timeout", "3s")]);
//! let pool = |connections| PgPoolOptions::new().max_connections(connections);
//! let lookups = SqlKeyStore::new(pool(6).connect_with(options.clone()).await?, "tutorcruncher");
//! let rotations = SqlKeyStore::new(pool(2).connect_with(options).await?, "tutorcruncher");
//! rotations.migrate().await?;
//! # Ok(()) }
//! # async fn sqlite() -> Result<(), Box<dyn std::error::Error>> {
//! let options: SqliteConnectOptions = "sqlite://app.db?mode=rwc".parse()?;
//! let pool = SqlitePool::connect_with(options.busy_timeout(Duration::from_secs(5))).await?;
//! let mut tries = 0;
//! while let Err(error) = sqlx::query("PRAGMA journal_mode = WAL").execute(&pool).await {
//!     tries += 1;
//!     if tries == 100 || !error.to_string().contains("locked") {
//!         return Err(error.into());
//!     }
//!     tokio::time::sleep(Duration::from_millis(20)).await;
//! }
//! # Ok(()) }
//! # }
//! ```
//!
//! On both engines, a tenant's name with NUL or more than 512 bytes is unknown and cannot get a key. **A partner's text
//! for your own tables** needs the same care: Postgres refuses NUL, SQLite accepts it. Refuse it as
//! [`rejected_claims`](crate::Builder::map_claims): a database error would be 503, and the sender would retry for ever.
//!
//! Every lookup is a query. Put [`CachedKeys`](super::CachedKeys) in front, which also delays the effect of
//! [`SqlKeyStore::remove`].

mod audit;
mod backend;
mod encrypt;
mod error;
mod last_use;
mod master;
mod owners;
mod schema;
mod settings;
mod statements;
mod store;
mod stored;
mod transaction;

pub use audit::{Change, StoredKey};
pub use backend::Backend;
pub use error::{Rotation, SqlKeyError};
pub use master::MasterKeys;
pub use schema::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};
pub use settings::SqlKeyStore;
