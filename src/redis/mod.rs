//! Replays and tickets on Redis or Valkey: [`RedisStore`], for an application that runs on many machines.
//!
//! ```no_run
//! # #[cfg(feature = "fernet")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # use tower_sso::keys::MemoryKeys;
//! use tower_sso::redis::RedisStore;
//!
//! let redis = RedisStore::connect("redis://10.0.0.5/").await?;
//! # let keys = MemoryKeys::new();
//! let sso = tower_sso::fernet::layer::<serde_json::Value>().keys(keys).replay(redis.clone()).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! - **Exactly once** over all machines on one server: a claim is one script, which is one round trip and atomic.
//! - **Nothing is admitted in doubt.** A server that is down, paused, full or slow is an error, and the layers answer 503
//!   `unavailable`. The connection is made anew by itself.
//! - **Nothing live is evicted.** [`connect`](RedisStore::connect) refuses a server that would drop entries to make room
//!   (`maxmemory-policy` other than `noeviction`), and [`ready`](RedisStore::ready) looks again. A server at its
//!   `maxmemory` is the ceiling: it refuses new claims, and goes on knowing the old ones.
//! - **A restart of the server lets nothing in twice**, whatever it kept: with no persistence, with a snapshot that is
//!   minutes old, with a log that lacks the last second, or with a replica in its place that had not heard of the last
//!   claims, be it one that was the master before. The store notices that the server has lost its memory, and the layers
//!   refuse, as `replayed`, what was made before they noticed: the *fence*. Tickets that were waiting become unknown. New
//!   links work at once, after [`clock_skew`](RedisStoreBuilder::clock_skew). A link from a partner whose clock is ahead
//!   may look as if it were made after it; [`fence_margin`](RedisStoreBuilder::fence_margin) closes that gap.
//! - **Clocks may differ** by [`clock_skew`](RedisStoreBuilder::clock_skew) between any two machines that share the store.
//!   Entries are kept twice that much longer, in the server's own time, from the moment of the claim: once for the other
//!   machine's clock, and once for the server's, which may be set right meanwhile.
//!
//! What it cannot promise: two servers that both believe to be the master, because the network has split or one of them
//! stood still, each admit a link once. `min-replicas-to-write` on the server bounds the time in which they can.
//!
//! # The server
//!
//! Redis 7.0 or later, or Valkey. Give it `maxmemory` and `maxmemory-policy noeviction`. All keys begin with
//! `{prefix}` in braces, so a cluster keeps them together on one node, where one script can reach them. The user needs the
//! commands EVAL, EVALSHA, SCRIPT LOAD, MULTI, EXEC, GET, GETDEL, SET, DEL, EXISTS and INFO on these keys, and no other.
//!
//! A master takes itself for another one when its first replica comes, and an hour after the last one went. Then too, what
//! was made before is refused, and waiting tickets become unknown: once. Give it its replicas before it serves.
//!
//! # What it takes
//!
//! `cargo bench --bench replay`, two shared cores, server and client on one machine:
//!
//! | live entries | memory of the server per entry | a claim |
//! |---|---|---|
//! | 1,000 | 180 bytes | 51 µs, one round trip |
//! | 100,000 | 300 bytes | 55 µs |
//! | 1,000,000 | 230 bytes | 56 µs; 64 at once 18 µs each |
//!
//! So `maxmemory 1gb` is a ceiling of some four million live entries, each of which lives for its credential's window. Above
//! it new claims are refused with 503 until old ones have ended; none is evicted. Webhook calls without a timestamp are kept for
//! an hour if the layer has `handler_remembers()`, else for ever: nothing frees those.
//!
//! The keys are digests, and no credential can be found from them. What a ticket stands for is stored as it is.

mod builder;
mod script;
#[cfg(feature = "redis-sentinel")]
mod sentinel;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ::redis::aio::{ConnectionLike, ConnectionManager};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use self::script::{Answer, Loaded, Scripts};
use crate::clock::{Clock, UnixTime};
use crate::replay::{Claim, Claimed, Hold, ReplayKey, ReplayStore};
use crate::store::{StoreError, StoreFuture};
#[cfg(feature = "ticket")]
use crate::ticket::{TicketDigest, TicketStore};

pub use builder::{ConnectError, RedisStoreBuilder};
#[cfg(feature = "redis-sentinel")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis-sentinel")))]
pub use sentinel::SentinelConnection;

/// What stands for a spent credential.
const SPENT: &[u8] = b"s";
/// What a lease begins with; its last instant follows, which tells it from another one.
const LEASED: &[u8] = b"l";

/// In milliseconds, some 9,000 years.
const LONGEST: u128 = 1 << 48;

/// A replay store and a ticket store on Redis or Valkey. Clones share a connection; one store may serve every layer.
///
/// The [module](self) says what it promises.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_sso::redis::RedisStore;
///
/// let redis = RedisStore::connect("redis://10.0.0.5/").await?;
/// # Ok(())
/// # }
/// ```
pub struct RedisStore<C = ConnectionManager>(Arc<Inner<C>>);

struct Inner<C> {
    connection: C,
    scripts: Scripts,
    /// `{prefix}`: the braces keep all keys in one slot of a cluster.
    prefix: String,
    fence_key: String,
    clock_skew: Duration,
    fence_margin: Duration,
    clock: Arc<dyn Clock>,
    check_policy: bool,
    /// Since when the server remembers, in nanoseconds, by its last answer.
    fence: AtomicI64,
}

impl<C> RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    /// Whether the server answers, takes writes, and does so without evicting anything: for a readiness probe.
    ///
    /// # Errors
    /// [`StoreError`] if it does not, if it evicts, if it is full ([`StoreFailure::Full`](crate::rejection::StoreFailure)),
    /// or if it is a replica.
    pub async fn ready(&self) -> Result<(), StoreError> {
        if self.0.check_policy {
            builder::check_policy(&mut self.0.connection.clone()).await.map_err(StoreError::new)?;
        }
        let fence_key = &self.0.fence_key;
        self.run(&self.0.scripts.write, fence_key, &[], self.0.clock.now()).await.map(drop)
    }

    /// Asks the server since when it remembers.
    async fn look(&self) -> Result<(), StoreError> {
        let fence_key = &self.0.fence_key;
        self.run(&self.0.scripts.look, fence_key, &[], self.0.clock.now()).await.map(drop)
    }

    /// Runs a script; if the server turns out to have lost its memory, sets the fence first.
    async fn run(&self, script: &Loaded, key: &str, arguments: &[&[u8]], now: UnixTime) -> Result<Vec<u8>, StoreError> {
        let Inner { scripts, fence_key, clock_skew, fence_margin, fence, .. } = &*self.0;
        let mut connection = self.0.connection.clone();
        for _ in 0..2 {
            if let Some(Answer { fence: since, held }) =
                script::run(&mut connection, script, [fence_key, key], arguments).await?
            {
                fence.fetch_max(since.as_nanos(), Ordering::AcqRel);
                return Ok(held);
            }
            tracing::warn!(target: "tower_sso", "the Redis server has no memory: what was made before now is refused");
            // By what another machine's clock may be ahead of this one's, and a partner's of them all.
            let fence = now.max(self.0.clock.now()).plus(*clock_skew).plus(*fence_margin);
            scripts.install(&mut connection, fence_key, fence).await.map_err(script::failure)?;
        }
        Err(StoreError::new("the server forgets at once what it is told"))
    }

    fn replay_key(&self, key: &ReplayKey) -> String {
        [&self.0.prefix, "r:", &BASE64_URL_SAFE_NO_PAD.encode(key.as_bytes())].concat()
    }

    #[cfg(feature = "ticket")]
    fn ticket_key(&self, digest: &TicketDigest) -> String {
        [&self.0.prefix, "t:", &BASE64_URL_SAFE_NO_PAD.encode(digest.as_bytes())].concat()
    }

    /// How long to keep an entry, in milliseconds: longer by what clocks may differ. Nothing: for ever.
    fn time_to_live(&self, now: UnixTime, until: UnixTime) -> String {
        if until == UnixTime::MAX {
            return String::new();
        }
        // Once for a machine whose clock is behind, once for the server's clock, which may be set right meanwhile.
        let time = until.since(now).saturating_add(self.0.clock_skew.saturating_mul(2));
        // Never zero, and never centuries, which the server does not take.
        time.as_nanos().div_ceil(1_000_000).clamp(1, LONGEST).to_string()
    }
}

fn lease_value(until: UnixTime) -> Vec<u8> {
    [LEASED, until.as_nanos().to_string().as_bytes()].concat()
}

impl<C> ReplayStore for RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let (this, Claim { key, now, hold, .. }) = (self.clone(), *claim);
        StoreFuture::new(async move {
            let value = match hold {
                Hold::Until(_) => SPENT.to_vec(),
                Hold::Lease(until) => lease_value(until),
            };
            let time_to_live = this.time_to_live(now, hold.until());
            let arguments = [&value[..], time_to_live.as_bytes()];
            let held = this.run(&this.0.scripts.claim, &this.replay_key(&key), &arguments, now).await?;
            match &held[..] {
                b"" => Ok(Claimed::First),
                SPENT => Ok(Claimed::Spent),
                other if other.starts_with(LEASED) => Ok(Claimed::Leased),
                _ => Err(StoreError::new("another program writes under this prefix: choose another with `prefix`")),
            }
        })
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        let (this, Claim { key, now, hold, .. }) = (self.clone(), *claim);
        StoreFuture::new(async move {
            let time_to_live = this.time_to_live(now, hold.until());
            let arguments = [SPENT, time_to_live.as_bytes()];
            this.run(&this.0.scripts.settle, &this.replay_key(&key), &arguments, now).await.map(drop)
        })
    }

    fn release(&self, key: ReplayKey, lease: Hold) -> StoreFuture<Result<(), StoreError>> {
        let Hold::Lease(until) = lease else { return StoreFuture::ready(Ok(())) };
        let this = self.clone();
        StoreFuture::new(async move {
            let now = this.0.clock.now();
            let value = lease_value(until);
            this.run(&this.0.scripts.release, &this.replay_key(&key), &[&value], now).await.map(drop)
        })
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        Some(UnixTime::from_nanos(self.0.fence.load(Ordering::Acquire)))
    }
}

#[cfg(feature = "ticket")]
impl<C> TicketStore for RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn put(
        &self,
        digest: TicketDigest,
        payload: Vec<u8>,
        now: UnixTime,
        until: UnixTime,
    ) -> StoreFuture<Result<(), StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move {
            // The machine that redeems it goes by its own clock.
            let value = [&until.as_nanos().to_be_bytes(), &payload[..]].concat();
            let time_to_live = this.time_to_live(now, until);
            let arguments = [&value[..], time_to_live.as_bytes()];
            let held = this.run(&this.0.scripts.put, &this.ticket_key(&digest), &arguments, now).await?;
            if held.is_empty() { Ok(()) } else { Err(StoreError::new("the ticket is there already")) }
        })
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move {
            let held = this.run(&this.0.scripts.take, &this.ticket_key(&digest), &[], now).await?;
            Ok(held.split_first_chunk().and_then(|(until, payload)| {
                let live = now <= UnixTime::from_nanos(i64::from_be_bytes(*until));
                live.then(|| payload.to_vec())
            }))
        })
    }
}

impl<C> Clone for RedisStore<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("prefix", &self.0.prefix).finish_non_exhaustive()
    }
}
