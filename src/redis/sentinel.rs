//! A connection to the master that the sentinels currently name.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::io::tcp::TcpSettings;
use ::redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use ::redis::{
    AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline, RedisError,
    RedisFuture, RedisResult, TlsMode, Value,
};

use super::reopening::{is_refused, is_replica};
use crate::debug::opaque_debug;

/// A connection to the master that the sentinels name. Clones share it.
///
/// If the connection breaks or times out, or its server is no longer the master, the next request asks the sentinels
/// again. Created by [`connect_sentinel`](super::RedisStoreBuilder::connect_sentinel).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_sso::redis::RedisStore;
///
/// let sentinels = ["redis://10.0.0.6:26379/", "redis://10.0.0.7:26379/"];
/// let redis = RedisStore::builder("my-app:production").connect_sentinel(sentinels, "mymaster").await?;
/// # Ok(())
/// # }
/// ```
// redis-rs asks the sentinels only once: its own connection does not follow a failover.
#[derive(Clone)]
pub struct SentinelConnection(Arc<Inner>);

struct Inner {
    /// Each by itself, the one to ask first in front. Locked while asking, so that only one of many requests asks.
    sentinels: tokio::sync::Mutex<VecDeque<SentinelClient>>,
    current: Mutex<Option<Current>>,
    config: AsyncConnectionConfig,
    timeout: Duration,
}

#[derive(Clone)]
struct Current {
    connection: MultiplexedConnection,
    /// Identifies this connection.
    mark: Arc<()>,
}

/// How to connect to a master: as to this server, wherever it is.
pub(super) fn node(like: Option<&ConnectionInfo>, tcp: TcpSettings) -> SentinelNodeConnectionInfo {
    let mut node = SentinelNodeConnectionInfo::default().set_tcp_settings(tcp);
    if let Some(like) = like {
        node = node.set_redis_connection_info(like.redis_settings().clone());
        if let ConnectionAddr::TcpTls { insecure, .. } = like.addr() {
            node = node.set_tls_mode(if *insecure { TlsMode::Insecure } else { TlsMode::Secure });
        }
    }
    node
}

impl SentinelConnection {
    pub(super) fn new<U: IntoConnectionInfo>(
        sentinels: impl IntoIterator<Item = U>,
        master: &str,
        node: &SentinelNodeConnectionInfo,
        timeout: Duration,
    ) -> RedisResult<Self> {
        let sentinels = sentinels.into_iter().map(|sentinel| {
            // Without redis-rs's TLS features, `build` takes only a `String`.
            let name = String::from(master);
            let sentinel = vec![sentinel.into_connection_info()?];
            SentinelClient::build(sentinel, name, Some(node.clone()), SentinelServerType::Master)
        });
        let sentinels = sentinels.collect::<RedisResult<VecDeque<_>>>()?;
        if sentinels.is_empty() {
            return Err((ErrorKind::EmptySentinelList, "give at least one sentinel").into());
        }
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(timeout)).set_response_timeout(Some(timeout));
        Ok(Self(Arc::new(Inner {
            sentinels: tokio::sync::Mutex::new(sentinels),
            current: Mutex::new(None),
            config,
            timeout,
        })))
    }

    fn current(&self) -> Option<Current> {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn connected(&self) -> RedisResult<Current> {
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let asking = async {
            let mut sentinels = self.0.sentinels.lock().await;
            // Another request may have asked while this one waited.
            if let Some(current) = self.current() {
                return Ok(current);
            }
            let mut result = Err(timed_out());
            for _ in 0..sentinels.len() {
                // The next request begins with another one, also if this future is dropped.
                sentinels.rotate_left(1);
                let Some(sentinel) = sentinels.back_mut() else { break };
                let connecting = sentinel.get_async_connection_with_config(&self.0.config);
                result = tokio::time::timeout(self.0.timeout, connecting).await.unwrap_or_else(|_| Err(timed_out()));
                if result.is_ok() {
                    sentinels.rotate_right(1);
                    break;
                }
            }
            let current = Current { connection: result?, mark: Arc::new(()) };
            *self.0.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(current.clone());
            Ok(current)
        };
        // Limits the total: each sentinel that is down takes a timeout of its own.
        tokio::time::timeout(self.0.timeout.saturating_mul(2), asking).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// Drops a failed connection, unless it has been replaced already.
    fn give_up(&self, failed: &Current) {
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.mark, &failed.mark)) {
            *current = None;
        }
    }

    fn judge<T>(&self, used: &Current, result: RedisResult<T>, answers: impl Fn(&T) -> &[Value]) -> RedisResult<T> {
        let is_lost = |error: &RedisError| error.is_unrecoverable_error() || error.is_timeout();
        if result.as_ref().is_err_and(is_lost) || is_refused(&result, answers, is_no_master) {
            self.give_up(used);
        }
        result
    }
}

fn timed_out() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

fn is_no_master(code: &str) -> bool {
    is_replica(code) || code == "LOADING"
}

impl ConnectionLike for SentinelConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut used = self.connected().await?;
            let result = used.connection.req_packed_command(cmd).await;
            self.judge(&used, result, std::slice::from_ref)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut used = self.connected().await?;
            let result = used.connection.req_packed_commands(pipeline, offset, count).await;
            self.judge(&used, result, Vec::as_slice)
        })
    }

    fn get_db(&self) -> i64 {
        self.current().map_or(0, |current| current.connection.get_db())
    }
}

opaque_debug!(SentinelConnection);
