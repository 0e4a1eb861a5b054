//! Replay protection and tickets on Redis or Valkey, for an application that runs on several machines: [`RedisStore`].
//!
//! ```no_run
//! # #[cfg(feature = "fernet")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # use tower_sso::keys::MemoryKeys;
//! use tower_sso::redis::RedisStore;
//!
//! let redis = RedisStore::connect("redis://10.0.0.5/", "my-app:production").await?;
//! # let keys = MemoryKeys::new();
//! let sso = tower_sso::fernet::layer::<serde_json::Value>().keys(keys).replay(redis.clone()).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises, and what each promise depends on
//!
//! - **Exactly once** across all machines that share a server: a claim is made by one atomic script, in one round trip.
//!   Claims that come while others are under way share the next round trip. If two servers both believe they are the
//!   master, this does not hold: see below.
//! - **When in doubt, it refuses.** If the server is down, paused, full or slow, the store fails and the layers answer
//!   503 `unavailable`. The connection reopens by itself, also if its server has become a replica, stands still or
//!   refused a password for a while: an address or a slot that moves to another master is followed. An entry that this
//!   store did not write is an error.
//! - **No live entry is evicted.** Each script checks the server's `maxmemory-policy`: any but `noeviction` is an
//!   error. It also compares the server's count of evicted keys: if the count has grown, the server's memory counts as
//!   lost. At `maxmemory`, the server refuses new claims and still knows the old ones.
//! - **A restart of the server lets nothing in twice**, whatever it kept: without persistence, with a snapshot that is
//!   minutes old, with a log that lacks the last second, or with a replica in its place that lacks the last claims,
//!   even a former master. The store notices that the server has lost its memory, and the layers refuse, as `replayed`,
//!   everything usable before they noticed: the *cutoff*. Waiting tickets become unknown. New links work after
//!   [`clock_skew`](RedisStoreBuilder::clock_skew). If a partner's clock is ahead, an old link may look newer than the
//!   cutoff; [`cutoff_margin`](RedisStoreBuilder::cutoff_margin) closes that gap. The detection depends on
//!   `master_replid` of `INFO replication`, on loaded scripts being kept only in memory, and on a hash,
//!   `{namespace}memory`, that holds everything the server must know about its memory.
//! - **Clocks may differ** by [`clock_skew`](RedisStoreBuilder::clock_skew) between any two machines that share the
//!   store. Entries are kept longer by twice that, in the server's own time from the moment of the claim: once for the
//!   other machine's clock, and once for the server's, which may be corrected meanwhile.
//! - **A wrong clock is noticed.** A node that is further ahead of the server cannot raise the cutoff and gets an
//!   error; the others go on. One that is further behind can raise it, but nodes also work out by their own clocks how
//!   long the server has remembered. If the server's clock is set forward by more than the skew, it has dropped entries
//!   early: each node notices by comparing the next answer with its own elapsed time, and it counts as a loss. A change
//!   while no node was connected goes unnoticed. A cutoff further ahead of the server's clock than the skew explains is
//!   an error of [`ready`](RedisStore::ready), which says what to do.
//! - **Layers may have different windows**, on different routes or in an old and a new version side by side: the script
//!   keeps each entry for the longest window of its group, see [how long an entry is
//!   kept](crate::replay::ReplayStore#how-long-an-entry-is-kept). When no layer with the longest window has claimed for
//!   that window plus a week, the next longest takes its place.
//! - **No tenant fills the server with tickets**: they take at most [`ticket_bytes`](RedisStoreBuilder::ticket_bytes),
//!   and never more than half of the server's `maxmemory`. A tenant may take at most what is still free; beyond that,
//!   only this tenant is told that the store is full. What the tickets of one call share is stored once. A call stores
//!   all its tickets or none, in one round trip, and at most 8 MiB. A ticket that nobody redeems counts for up to two
//!   seconds after it has expired; the next calls that store tickets remove it from the count.
//! - **Deployments are separate** if their namespaces differ. Nothing else separates them: a ticket works in any
//!   deployment that finds it.
//!
//! It cannot protect against two things. If two servers both believe they are the master, because the network has split
//! or one of them was paused, each admits a link once; `min-replicas-to-write` on the server limits that time. And
//! anyone who may write to the server may delete an entry.
//!
//! # The server
//!
//! Redis 7.0 or later, or Valkey. Give it `maxmemory` and `maxmemory-policy noeviction`. All keys begin with
//! `{namespace}` in braces, so a cluster keeps them together in one slot, where one script can reach them. While that
//! slot moves to another node, claims fail within [`timeout`](RedisStoreBuilder::timeout); afterwards the cutoff is
//! raised once. The user needs the commands EVAL, EVALSHA, SCRIPT LOAD, MULTI, EXEC, GET, GETDEL, SET, DEL,
//! EXISTS, HGET, HMGET, HSET, TIME and INFO on these keys, for tickets HDEL, PEXPIRE, ZADD, ZRANGE and ZREM too, and in
//! a cluster CLUSTER SLOTS and PING; no other.
//!
//! A master changes its identity when its first replica comes, and an hour after the last one went. Then too, older
//! links are refused and waiting tickets become unknown, once. Attach the replicas before the master serves.
//!
//! # Cost
//!
//! `cargo bench --bench replay`, two shared cores, server and client on one machine:
//!
//! | live entries | memory of the server per entry | a claim |
//! |---|---|---|
//! | 1,000 | 180 bytes | 51 µs, one round trip |
//! | 100,000 | 300 bytes | 55 µs |
//! | 1,000,000 | 230 bytes | 56 µs |
//!
//! One Redis makes 60,000 to 80,000 claims a second if 64 or more are under way at once, on two busy cores that the
//! client shares; one at a time, it makes as many as there are round trips.
//!
//! So `maxmemory 1gb` holds about four million live entries. An entry lives as long as its credential's window. When
//! memory is full, new claims are refused with 503 until old entries expire; none is evicted. Webhook deliveries
//! without a timestamp are kept for an hour if the layer has `handler_remembers()`, otherwise forever: nothing frees
//! those.
//!
//! Keys are digests and do not reveal credentials. Tickets' claims are stored in plain text.

mod batch;
mod builder;
mod lua;
mod lua_tickets;
mod memory;
mod reopening;
mod script;
#[cfg(feature = "redis-sentinel")]
mod sentinel;
mod store;
#[cfg(feature = "ticket")]
mod tickets;

pub use builder::{ConnectError, RedisStoreBuilder};
#[cfg(feature = "redis-sentinel")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis-sentinel")))]
pub use sentinel::SentinelConnection;
pub use store::RedisStore;
