//! The replay store and the ticket store: in memory, or on a Redis that several processes share.

use std::sync::Arc;

use serde::Deserialize;
use tower_sso::clock::Clock;
use tower_sso::redis::{ConnectError, RedisStore};
use tower_sso::replay::{DenseReplay, MemoryReplay, ReplayStore};
use tower_sso::ticket::{MemoryTickets, TicketStore};

/// `replay_url`. Not shown by `Debug`: it may hold a password.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum ReplayUrl {
    /// For a single process. After a restart, links made before it are refused.
    Memory,
    /// The same, for millions of sign-ins.
    Dense,
    Redis(String),
}

impl TryFrom<String> for ReplayUrl {
    type Error = &'static str;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        match url.split_once("://") {
            None if url == "memory:" => Ok(Self::Memory),
            None if url == "memory:dense" => Ok(Self::Dense),
            Some(("redis" | "rediss", rest)) if !rest.is_empty() => Ok(Self::Redis(url)),
            _ => Err("must be \"memory:\" or \"memory:dense\", or begin with redis://"),
        }
    }
}

impl std::fmt::Debug for ReplayUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory => "ReplayUrl::Memory",
            Self::Dense => "ReplayUrl::Dense",
            Self::Redis(_) => "ReplayUrl::Redis(…)",
        })
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) replay: Arc<dyn ReplayStore>,
    pub(crate) tickets: Arc<dyn TicketStore>,
    redis: Option<RedisStore>,
}

impl Stores {
    /// The namespace must be the deployment's own: two deployments with the same one accept each other's tickets.
    pub(crate) async fn open(
        url: &ReplayUrl,
        namespace: Option<String>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let url = match url {
            ReplayUrl::Memory => return Ok(Self::in_memory(clock)),
            ReplayUrl::Dense => return Ok(Self::with(DenseReplay::builder().clock(Arc::clone(clock)).build())),
            ReplayUrl::Redis(url) => url.as_str(),
        };
        let redis = RedisStore::builder(namespace.unwrap_or_default()).clock(Arc::clone(clock)).connect(url).await?;
        Ok(Self { replay: Arc::new(redis.clone()), tickets: Arc::new(redis.clone()), redis: Some(redis) })
    }

    pub(crate) fn in_memory(clock: &Arc<dyn Clock>) -> Self {
        Self::with(MemoryReplay::builder().clock(Arc::clone(clock)).build())
    }

    fn with(replay: impl ReplayStore) -> Self {
        Self { replay: Arc::new(replay), tickets: Arc::new(MemoryTickets::new()), redis: None }
    }

    pub(crate) async fn is_ready(&self) -> bool {
        match &self.redis {
            Some(redis) => redis.ready().await.is_ok(),
            None => true,
        }
    }
}
