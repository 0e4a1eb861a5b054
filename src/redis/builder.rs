#[cfg(feature = "ticket")]
use std::ops::RangeInclusive;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use ::redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
#[cfg(feature = "redis-cluster")]
use ::redis::cluster::{ClusterClientBuilder, ClusterConfig};
#[cfg(feature = "redis-cluster")]
use ::redis::cluster_async::ClusterConnection;
use ::redis::io::tcp::TcpSettings;
use ::redis::{Client, ErrorKind, IntoConnectionInfo, RedisError, Value, cmd};
#[cfg(feature = "redis-sentinel")]
use ::redis::{ConnectionInfo, RedisResult};

use super::RedisStore;
use super::batch::Batches;
use super::memory::Witness;
use super::reopening::Reopening;
use super::script::{Scripts, failure};
#[cfg(feature = "redis-sentinel")]
use super::sentinel::{self, SentinelConnection};
use super::store::Inner;
use crate::clock::{Clock, SystemClock};
use crate::debug::opaque_debug;
use crate::store::StoreError;

/// Sets up a [`RedisStore`].
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use tower_sso::redis::RedisStore;
///
/// let redis = RedisStore::builder("my-app:production").timeout(Duration::from_millis(500));
/// let redis = redis.connect("redis://10.0.0.5/").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until it connects"]
pub struct RedisStoreBuilder {
    namespace: String,
    clock_skew: Duration,
    cutoff_margin: Duration,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    check_policy: bool,
    #[cfg(feature = "redis-sentinel")]
    master_like: Option<RedisResult<ConnectionInfo>>,
    #[cfg(feature = "ticket")]
    ticket_bytes: u64,
}

/// In bytes.
const MAX_NAMESPACE: usize = 256;

/// Below the range, the tickets of one page might not fit. Above it, Lua's doubles would lose precision.
#[cfg(feature = "ticket")]
const TICKET_BYTES: RangeInclusive<u64> = 1024 * 1024..=1 << 50;

/// Why a store could not connect.
///
/// ```
/// use tower_sso::redis::ConnectError;
///
/// let error = ConnectError::Evicts("allkeys-lru".to_owned());
/// assert!(error.to_string().contains("maxmemory-policy noeviction"), "it says what to do");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is invalid, or needs a feature that is not compiled in.
    #[error("the Redis URL is not usable: give redis://host/, or rediss://host/ with the feature `redis-tls`")]
    Url(#[source] RedisError),
    /// The server does not answer, or refuses the user.
    #[error("the Redis server cannot be used: {0}")]
    Server(StoreError),
    /// The server evicts entries to make room. A link whose entry is evicted could be used again.
    #[error(
        "the Redis server evicts entries (maxmemory-policy {0}), and a link whose entry is evicted works again: set \
         maxmemory-policy noeviction, or use a separate server for the store"
    )]
    Evicts(String),
    /// The server does not reveal whether it evicts.
    #[error(
        "the Redis server does not reveal its maxmemory-policy: allow the user the command INFO, or make sure that the \
         policy is noeviction and call `danger_unchecked_eviction()`"
    )]
    UnknownPolicy(#[source] RedisError),
    /// The namespace is not valid.
    #[error(
        "the namespace is empty, longer than {MAX_NAMESPACE} bytes, or contains a brace, blank or control character: \
         use the deployment's name, such as `my-app:production`"
    )]
    Namespace,
    /// The limit for tickets is too low or too high.
    #[error("`ticket_bytes` is {0}: set at least 1 MiB (1,048,576) and at most 1 PiB")]
    TicketBytes(u64),
}

impl RedisStore {
    /// A store on one server: `redis://[user:password@]host[:port][/database]`, `redis+unix:///path`, or `rediss://…`
    /// (feature `redis-tls`). All requests share one connection, which reconnects by itself.
    ///
    /// The namespace names the deployment: see [`builder`](Self::builder).
    ///
    /// # Errors
    /// [`ConnectError`] if the server is unreachable or unsuitable.
    pub async fn connect(url: impl IntoConnectionInfo, namespace: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder(namespace).connect(url).await
    }

    /// A builder for a store. The namespace is the deployment's name, such as `my-app:production`; all keys begin with
    /// it, in braces. At most 256 bytes, without braces, blanks and control characters.
    ///
    /// All machines of a deployment use the same namespace. **Every other deployment needs a different one**,
    /// production and staging above all: if they share it, a ticket issued by staging signs in to production.
    /// Therefore there is no default.
    pub fn builder(namespace: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder {
            namespace: namespace.into(),
            clock_skew: Duration::from_secs(1),
            cutoff_margin: Duration::ZERO,
            timeout: Duration::from_secs(1),
            clock: Arc::new(SystemClock),
            check_policy: true,
            #[cfg(feature = "redis-sentinel")]
            master_like: None,
            #[cfg(feature = "ticket")]
            ticket_bytes: 256 * 1024 * 1024,
        }
    }
}

impl RedisStoreBuilder {
    /// How far any two clocks may differ, among the machines that share this store and the server. Default: 1 s, which
    /// NTP achieves easily.
    ///
    /// Entries are kept longer by twice that. **A greater difference opens a gap**: a machine that is further behind
    /// still accepts a link that the server has forgotten. After a restart of the server, links made within that time
    /// are refused.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// How far the partners' clocks may be ahead of these machines' clocks. Default: zero. After the server has lost
    /// its memory, links made within that time are refused too.
    ///
    /// A layer accepts links from the future within its own `clock_skew`. **A link that was used before the loss, but
    /// dated after it by a fast clock, works once more** unless this margin is at least as long. The price: nobody can
    /// sign in for that long after each restart of the server.
    pub fn cutoff_margin(mut self, margin: Duration) -> Self {
        self.cutoff_margin = margin;
        self
    }

    /// The timeout for connecting, and for each answer; also how long a claim may wait for others that are under way.
    /// Default: 1 s. A layer waits at most its own [`store_timeout`](crate::Builder::store_timeout) in all.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The limit for all tickets of this namespace, in bytes. Default: 256 MiB; at least 1 MiB. The tickets never take
    /// more than half of the server's `maxmemory`, to leave room for replay entries.
    ///
    /// A ticket counts the size of its claims as JSON plus 400 bytes. What the tickets of one call share counts once,
    /// also plus 400 bytes.
    ///
    /// A tenant's tickets may take at most as much as is still free: a single tenant gets half, a second tenant a
    /// quarter. Above that, [`Tickets::issue`](crate::ticket::Tickets::issue) fails for that tenant with
    /// [`StoreFailure::Full`](crate::rejection::StoreFailure::Full). Each machine applies its own limit, so use the
    /// same one in a whole deployment.
    #[cfg(feature = "ticket")]
    #[cfg_attr(docsrs, doc(cfg(feature = "ticket")))]
    pub fn ticket_bytes(mut self, bytes: u64) -> Self {
        self.ticket_bytes = bytes;
        self
    }

    /// The clock that sets the cutoff after the server has lost its memory. Default: [`SystemClock`].
    ///
    /// If it is ahead of the server's clock by more than [`clock_skew`](Self::clock_skew), this node gets an error
    /// instead of raising the cutoff so far that no other node can sign anyone in.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Accepts a server that evicts entries, or does not reveal whether it does. **A link whose entry was evicted works
    /// once more.** If the user may not call INFO, some failovers also go unnoticed, and so do restarts of a server
    /// that several namespaces share.
    pub fn danger_unchecked_eviction(mut self) -> Self {
        self.check_policy = false;
        self
    }

    /// Connects to one server; see [`RedisStore::connect`].
    ///
    /// # Errors
    /// [`ConnectError`] if the server is unreachable or unsuitable.
    pub async fn connect(self, url: impl IntoConnectionInfo) -> Result<RedisStore, ConnectError> {
        let info = url.into_connection_info().map_err(ConnectError::Url)?;
        let info = info.set_tcp_settings(tcp_settings(self.timeout));
        choose_cryptography();
        let client = Client::open(info).map_err(ConnectError::Url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout))
            // Each request tries once: retries here would exceed the layer's timeout.
            .set_number_of_retries(0);
        let open = move || ConnectionManager::new_lazy_with_config(client.clone(), config.clone());
        let connection = open().map_err(ConnectError::Url)?;
        self.over_reopening(Reopening::new(connection, open)).await
    }

    /// Connects to a cluster. Some of its nodes are enough.
    ///
    /// All keys are in one slot. While that slot moves to another node, claims fail within [`timeout`](Self::timeout).
    /// Afterwards, links made before the move are refused, as after a restart.
    ///
    /// # Errors
    /// [`ConnectError`] if the cluster is unreachable or unsuitable.
    #[cfg(feature = "redis-cluster")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis-cluster")))]
    pub async fn connect_cluster<U: IntoConnectionInfo>(
        self,
        urls: impl IntoIterator<Item = U>,
    ) -> Result<RedisStore<ClusterConnection>, ConnectError> {
        choose_cryptography();
        let client = ClusterClientBuilder::new(urls)
            .connection_timeout(self.timeout)
            .response_timeout(self.timeout)
            // In milliseconds. The client's default waits exceed the timeout, so it would never retry.
            .min_retry_wait(10)
            .max_retry_wait(100)
            .tcp_settings(tcp_settings(self.timeout))
            .build()
            .map_err(ConnectError::Url)?;
        let connection = client.get_async_connection().await.map_err(|error| ConnectError::Server(failure(error)))?;
        let config = ClusterConfig::new().set_response_timeout(self.timeout);
        let open = move || Ok(client.get_pending_async_connection_with_config(config.clone()));
        self.over_reopening(Reopening::new(connection, open)).await
    }

    /// How to connect to the master that [sentinels](Self::connect_sentinel) name: with user, password, database and
    /// TLS of this URL. Its host and port do not count. Default: as the user `default`, without a password or TLS.
    ///
    /// The sentinels' own users and passwords are in the sentinels' URLs. With TLS, the master's certificate must be
    /// for the address that the sentinels tell.
    ///
    /// ```no_run
    /// # use tower_sso::redis::RedisStore;
    /// # async fn connect() -> Result<(), tower_sso::redis::ConnectError> {
    /// let builder = RedisStore::builder("my-app:production").master_like("redis://app:the-password@master/");
    /// let redis = builder.connect_sentinel(["redis://sentinel-1:26379/"], "mymaster").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "redis-sentinel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis-sentinel")))]
    pub fn master_like(mut self, url: impl IntoConnectionInfo) -> Self {
        self.master_like = Some(url.into_connection_info());
        self
    }

    /// Connects to the master that the sentinels know under this name, and follows failovers. If the master has a
    /// password or TLS, set [`master_like`](Self::master_like).
    ///
    /// # Errors
    /// [`ConnectError`] if the master is unreachable or unsuitable.
    #[cfg(feature = "redis-sentinel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis-sentinel")))]
    pub async fn connect_sentinel<U: IntoConnectionInfo>(
        self,
        sentinels: impl IntoIterator<Item = U>,
        master: &str,
    ) -> Result<RedisStore<SentinelConnection>, ConnectError> {
        choose_cryptography();
        let master_like = self.master_like.clone().transpose().map_err(ConnectError::Url)?;
        let node = sentinel::node(master_like.as_ref(), tcp_settings(self.timeout));
        let connection = SentinelConnection::new(sentinels, master, &node, self.timeout).map_err(ConnectError::Url)?;
        self.over(connection).await
    }

    /// A store over your own connection, which must reconnect by itself and have timeouts. If its server becomes a
    /// replica, the store fails until the connection leads to the new master.
    ///
    /// # Errors
    /// [`ConnectError`] if the server is unreachable or unsuitable.
    pub async fn over<C>(self, connection: C) -> Result<RedisStore<C>, ConnectError>
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        self.over_reopening(Reopening::never(connection)).await
    }

    async fn over_reopening<C>(self, connection: Reopening<C>) -> Result<RedisStore<C>, ConnectError>
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        let unfit = |c: char| matches!(c, '{' | '}') || c.is_whitespace() || c.is_control();
        if self.namespace.is_empty() || self.namespace.len() > MAX_NAMESPACE || self.namespace.contains(unfit) {
            return Err(ConnectError::Namespace);
        }
        #[cfg(feature = "ticket")]
        if !TICKET_BYTES.contains(&self.ticket_bytes) {
            return Err(ConnectError::TicketBytes(self.ticket_bytes));
        }
        if self.check_policy {
            check_policy(&mut connection.clone()).await?;
        }
        let prefix = format!("{{{}}}", self.namespace);
        let store = RedisStore(Arc::new(Inner {
            connection,
            scripts: Scripts::new(self.check_policy),
            memory_key: [&prefix, "memory"].concat(),
            prefix,
            #[cfg(feature = "ticket")]
            ticket_bytes: self.ticket_bytes,
            clock_skew: self.clock_skew,
            expected: RwLock::default(),
            timeout: self.timeout,
            batches: Batches::default(),
            clock: self.clock,
            check_policy: self.check_policy,
            witness: Witness::new(self.clock_skew, self.cutoff_margin),
        }));
        // Sets up the cutoff now, so that the first request does not raise it and get refused.
        store.look().await.map_err(ConnectError::Server)?;
        Ok(store)
    }
}

opaque_debug!(RedisStoreBuilder { namespace });

/// On Linux, a server that has vanished is noticed after three timeouts. The kernel alone takes a quarter of an hour.
fn tcp_settings(timeout: Duration) -> TcpSettings {
    // It takes milliseconds in 31 bits.
    #[cfg(target_os = "linux")]
    let settings = {
        let longest = Duration::from_millis(i32::MAX.unsigned_abs().into());
        TcpSettings::default().set_user_timeout(timeout.saturating_mul(3).min(longest))
    };
    #[cfg(not(target_os = "linux"))]
    let settings = {
        _ = timeout;
        TcpSettings::default()
    };
    settings
}

/// Installs a rustls provider unless the application has. rustls panics if it was built with several providers and none
/// is installed.
fn choose_cryptography() {
    #[cfg(feature = "redis-tls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Fails if the server, or any server of a cluster, may evict live entries.
pub(super) async fn check_policy(connection: &mut (impl ConnectionLike + Send)) -> Result<(), ConnectError> {
    let info = cmd("INFO").arg("memory").query_async::<Value>(connection).await;
    let info = info.map_err(|error| match error.kind() {
        ErrorKind::Server(_) => ConnectError::UnknownPolicy(error),
        _ => ConnectError::Server(failure(error)),
    })?;
    let answers = match info {
        // In a cluster, each node answers separately.
        Value::Map(nodes) => nodes.into_iter().map(|(_, info)| info).collect(),
        one => vec![one],
    };
    for answer in answers {
        let info: String =
            ::redis::from_redis_value(answer).map_err(|error| ConnectError::UnknownPolicy(error.into()))?;
        match info.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")).map(str::trim) {
            Some("noeviction") => {}
            Some(policy) => return Err(ConnectError::Evicts(policy.to_owned())),
            None => {
                let silent = RedisError::from((ErrorKind::Client, "INFO has no maxmemory_policy"));
                return Err(ConnectError::UnknownPolicy(silent));
            }
        }
    }
    Ok(())
}
