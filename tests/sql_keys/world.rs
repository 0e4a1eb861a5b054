//! A database for each test, and what the tests do with it.

use std::sync::Once;
use std::time::Duration;

use futures::FutureExt;
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Any, AnyPool, Pool, Postgres, Sqlite, Transaction};
use tempfile::TempDir;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::keys::sql::{Backend, Rotation, SqlKeyError, SqlKeyStore};
use tower_sso::keys::{KeyStore, KeyUse, Secret, TenantId};
use tower_sso::replay::{Fingerprint, FingerprintHasher};

pub const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
pub const GRACE: Duration = Duration::from_hours(1);
pub const NANOSECOND: Duration = Duration::from_nanos(1);
/// A loaded machine may be slow; only a deadlock ever waits this long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A test's own database and its connections.
pub struct World<DB: Backend> {
    make_url: fn(&TempDir) -> String,
    pub url: String,
    pub clock: ManualClock,
    pub keys: SqlKeyStore<DB>,
    pub pool: Pool<DB>,
    /// Reads the tables directly, without the store.
    pub eyes: AnyPool,
    _dir: TempDir,
}

/// What the suite needs of a database type besides the store.
pub trait Driver: Backend {
    async fn connect(url: &str) -> Pool<Self>;

    /// The application's own statement: adds a company.
    async fn add_company(transaction: &mut Transaction<'_, Self>);

    /// Another one, which only reads.
    fn look_around(transaction: &mut Transaction<'_, Self>) -> impl Future<Output = ()> + Send;
}

macro_rules! driver {
    ($database:ty, $connect:expr) => {
        impl Driver for $database {
            async fn connect(url: &str) -> Pool<Self> {
                $connect(PoolOptions::new().max_connections(4).acquire_timeout(PATIENCE), url.to_owned()).await.unwrap()
            }

            async fn add_company(transaction: &mut Transaction<'_, Self>) {
                sqlx::query("INSERT INTO companies (id) VALUES (1)").execute(&mut **transaction).await.unwrap();
            }

            async fn look_around(transaction: &mut Transaction<'_, Self>) {
                sqlx::query("SELECT * FROM tower_sso_keys").fetch_all(&mut **transaction).await.unwrap();
            }
        }
    };
}

driver!(Postgres, |options: PoolOptions<Postgres>, url: String| async move { options.connect(&url).await });
driver!(Sqlite, |options: PoolOptions<Sqlite>, url: String| {
    let sqlite: SqliteConnectOptions = url.parse().unwrap();
    options.connect_with(sqlite.journal_mode(SqliteJournalMode::Wal).busy_timeout(PATIENCE))
});
driver!(Any, |options: PoolOptions<Any>, url: String| async move { patient(options, &url).connect(&url).await });

/// SQLite through `Any` has its default journal, in which readers and writers wait for each other.
pub fn patient(options: PoolOptions<Any>, url: &str) -> PoolOptions<Any> {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    if !url.starts_with("sqlite:") {
        return options;
    }
    options.after_connect(|connection, _| {
        let pragma = format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis());
        sqlx::raw_sql(sqlx::AssertSqlSafe(pragma)).execute(connection).map(|done| done.map(drop)).boxed()
    })
}

pub fn sqlite(dir: &TempDir) -> String {
    format!("sqlite://{}?mode=rwc", dir.path().join("keys.db").display())
}

pub fn postgres(_: &TempDir) -> String {
    crate::postgres::shared().fresh_database()
}

impl<DB: Driver> World<DB> {
    /// With an empty database.
    pub async fn bare(make_url: fn(&TempDir) -> String) -> Self {
        let dir = TempDir::new().unwrap();
        let url = make_url(&dir);
        let clock = ManualClock::at(NOW);
        let pool = DB::connect(&url).await;
        let keys = SqlKeyStore::new(pool.clone(), "tutorcruncher").grace(GRACE).clock(clock.clone());
        let eyes = patient(AnyPoolOptions::new().max_connections(1), &url).connect(&url).await.unwrap();
        Self { make_url, url, clock, keys, pool, eyes, _dir: dir }
    }

    /// Another empty database of the same kind.
    pub async fn another(&self) -> Self {
        Self::bare(self.make_url).await
    }

    pub async fn new(url: fn(&TempDir) -> String) -> Self {
        let world = Self::bare(url).await;
        world.keys.migrate().await.unwrap();
        world.look("CREATE TABLE companies (id BIGINT NOT NULL)").await;
        world
    }

    /// The same database as another process sees it.
    pub async fn other_process(&self) -> SqlKeyStore<DB> {
        SqlKeyStore::new(DB::connect(&self.url).await, "tutorcruncher").grace(GRACE).clock(self.clock.clone())
    }

    pub async fn look(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.eyes).await.unwrap();
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.eyes).await.unwrap()
    }

    /// What the tables hold: secrets that are or were known, calls that were applied, companies.
    pub async fn rows(&self) -> (i64, i64, i64) {
        (
            self.count("SELECT COUNT(*) FROM tower_sso_keys").await,
            self.count("SELECT COUNT(*) FROM tower_sso_credentials").await,
            self.count("SELECT COUNT(*) FROM companies").await,
        )
    }

    /// The secrets as they are stored.
    pub async fn stored(&self) -> Vec<Vec<u8>> {
        let sql = "SELECT secret FROM tower_sso_keys WHERE secret IS NOT NULL ORDER BY digest";
        sqlx::query_scalar(sql).fetch_all(&self.eyes).await.unwrap()
    }

    pub async fn rotate(&self, who: &str, secret: &str, call: &str) -> Rotation {
        self.keys.rotate(&who.into(), &secret.into(), credential(call)).await.unwrap()
    }

    /// A rotation that is not what the test is about.
    pub async fn given(&self, who: &str, secret: &str, call: &str) {
        assert_ne!(self.rotate(who, secret, call).await, Rotation::Repeated);
    }

    pub async fn refused(&self, who: &str, secret: &str, call: &str) {
        let error = self.keys.rotate(&who.into(), &secret.into(), credential(call)).await.unwrap_err();
        assert!(matches!(error, SqlKeyError::OwnedByAnotherTenant), "{error:?}");
    }

    pub async fn keys(&self, who: &str) -> Vec<(String, KeyUse, UnixTime)> {
        shown(&self.keys, who).await
    }
}

pub async fn shown<DB: Backend>(keys: &SqlKeyStore<DB>, who: &str) -> Vec<(String, KeyUse, UnixTime)> {
    let keys = keys.keys(&TenantId::from(who)).await.unwrap();
    let show = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).unwrap();
    keys.iter().map(|key| (show(key.secret()), key.key_use(), key.not_after())).collect()
}

pub fn credential(call: &str) -> Fingerprint {
    let mut fingerprint = FingerprintHasher::new("webhook");
    fingerprint.part(call.as_bytes());
    fingerprint.finish()
}

pub fn current(secret: &str) -> (String, KeyUse, UnixTime) {
    (secret.to_owned(), KeyUse::Current, UnixTime::MAX)
}

pub fn previous(secret: &str, not_after: UnixTime) -> (String, KeyUse, UnixTime) {
    (secret.to_owned(), KeyUse::Previous, not_after)
}
