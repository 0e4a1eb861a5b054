use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Pool;

use super::audit;
use super::backend::Backend;
use super::last_use::LastUse;
use super::master::MasterKeys;
use crate::clock::{Clock, SystemClock};

/// The default grace period of a replaced key.
const GRACE: Duration = Duration::from_hours(24);

/// The default wait of a rotation for a lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Keys in a database. The [module](super) says what it keeps and what the database must provide. Clones share the
/// pool.
///
/// ```no_run
/// use std::time::Duration;
/// use tower_sso::keys::sql::SqlKeyStore;
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::AnyPool::connect("postgres://app@localhost/app").await?;
/// let keys = SqlKeyStore::new(pool, "tutorcruncher").grace(Duration::from_secs(3_600));
/// keys.migrate().await?;
/// # Ok(())
/// # }
/// ```
pub struct SqlKeyStore<DB: Backend> {
    pub(super) pool: Pool<DB>,
    pub(super) namespace: Arc<str>,
    pub(super) grace: Duration,
    pub(super) lock_timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) master_keys: Option<MasterKeys>,
    pub(super) actor: Arc<str>,
    pub(super) last_use: Option<LastUse<DB>>,
}

impl<DB: Backend> SqlKeyStore<DB> {
    /// The keys of one partner, whose name is the namespace. Partners share the tables and are independent of each
    /// other.
    ///
    /// The namespace is a constant of the application, never a part of a request. Changing it hides all keys.
    pub fn new(pool: Pool<DB>, namespace: impl Into<Arc<str>>) -> Self {
        Self {
            pool,
            namespace: namespace.into(),
            grace: GRACE,
            lock_timeout: LOCK_TIMEOUT,
            clock: Arc::new(SystemClock),
            master_keys: None,
            actor: "application".into(),
            last_use: None,
        }
    }

    /// How long the key that a rotation replaces is still accepted. Default: 24 hours.
    ///
    /// A sender that has not noticed the rotation yet signs with the old key. During the grace period a leaked key that
    /// was replaced still works; [`remove`](Self::remove) ends it at once.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long a rotation on Postgres waits for another rotation of the tenant, or for a locked row. Default: 5 s; the
    /// connection's own `lock_timeout` takes precedence. Afterwards it fails, and the sender retries. A waiting
    /// rotation holds a connection, so a few can hold the whole pool. SQLite has `busy_timeout`.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// The clock. Default: [`SystemClock`]. Use the clock of the layer that asks this store.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Encrypts secrets under the first of these keys, and decrypts them with all. Default: secrets are stored
    /// readable. The [module](super#encrypted-secrets) says how to begin, and how to change the master key.
    ///
    /// Until [`migrate`](Self::migrate) has encrypted what was stored before, lookups of those tenants fail (503).
    pub fn master_keys(mut self, keys: impl Into<Option<MasterKeys>>) -> Self {
        self.master_keys = keys.into();
        self
    }

    /// Who makes the changes, as [`changes`](Self::changes) shows it: an operator's name, for instance. Default:
    /// `application`. At most 200 bytes are kept, and no control characters.
    pub fn acting_as(mut self, who: &str) -> Self {
        self.actor = audit::actor(who).into();
        self
    }

    /// Stores when each key was last used, for [`keys_of`](Self::keys_of): the time of the newest credential that it
    /// proved, to the minute. Default: off.
    ///
    /// A request never waits for this. A task of its own writes, at most once a second, and at most once a minute for
    /// each key. If the database fails, that is a line in the log. Give it a pool of its own: one connection is enough,
    /// and lookups then never wait for it.
    pub fn note_last_use(mut self, pool: Pool<DB>) -> Self {
        self.last_use = Some(LastUse::new(pool));
        self
    }
}

impl<DB: Backend> Clone for SqlKeyStore<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            namespace: Arc::clone(&self.namespace),
            grace: self.grace,
            lock_timeout: self.lock_timeout,
            clock: Arc::clone(&self.clock),
            master_keys: self.master_keys.clone(),
            actor: Arc::clone(&self.actor),
            last_use: self.last_use.clone(),
        }
    }
}

// Leaves out the pool: its options contain the database's password.
impl<DB: Backend> fmt::Debug for SqlKeyStore<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlKeyStore")
            .field("namespace", &self.namespace)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
