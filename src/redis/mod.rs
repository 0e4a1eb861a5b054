//! Replays and tickets on Redis or Valkey: [`RedisStore`], for an application that runs on many machines.
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
//! # What it promises, and what each promise rests on
//!
//! - **Exactly once** over all machines on one server: a claim is one script, which is one round trip and atomic. It
//!   rests on the server: see below for two that both believe to be the master.
//! - **Nothing is admitted in doubt.** A server that is down, paused, full or slow is an error, and the layers answer
//!   503 `unavailable`. The connection is opened again by itself. An answer says in a word which case it is; an entry
//!   that this store did not write is an error.
//! - **Nothing live is evicted.** Each script asks the server for its `maxmemory-policy`: any but `noeviction` is an
//!   error, which says so. It also compares how many keys the server has evicted: one more, and the server counts as
//!   one that has lost its memory. A server at its `maxmemory` is the ceiling: it refuses new claims, and goes on
//!   knowing the old ones.
//! - **A restart of the server lets nothing in twice**, whatever it kept: with no persistence, with a snapshot that is
//!   minutes old, with a log that lacks the last second, or with a replica in its place that had not heard of the last
//!   claims, be it one that was the master before. The store notices that the server has lost its memory, and the
//!   layers refuse, as `replayed`, what could be used before they noticed: the *fence*. Tickets that were waiting
//!   become unknown. New links work at once, after [`clock_skew`](RedisStoreBuilder::clock_skew). A link from a
//!   partner whose clock is ahead may look as if it were made after it;
//!   [`fence_margin`](RedisStoreBuilder::fence_margin) closes that gap. It rests on `master_replid` of `INFO
//!   replication`, on loaded scripts being kept in memory alone, and on a hash, `{namespace}memory`, in which all
//!   stands that the server has to know about its memory.
//! - **Clocks may differ** by [`clock_skew`](RedisStoreBuilder::clock_skew) between any two machines that share the
//!   store. Entries are kept twice that much longer, in the server's own time, from the moment of the claim: once for
//!   the other machine's clock, and once for the server's, which may be set right meanwhile.
//! - **A wrong clock is noticed.** A node that is further ahead of the server cannot raise the fence, and gets an
//!   error; the others go on. One that is further behind can, but nodes also reckon by their own clocks how long the
//!   server has remembered. If the server's clock is set forward by more than the skew, it has dropped entries early:
//!   the next answer to each node tells, compared with the time that has passed there, and counts as a loss. Not
//!   noticed is what was set while no node was connected. A fence further ahead of the server's clock than the skew
//!   explains is an error of [`ready`](RedisStore::ready), which says what to do.
//! - **Layers may have different windows**, on different routes or in an old and a new version side by side: the
//!   script keeps each entry for the longest that its group was asked for, see [how long an entry is
//!   kept](crate::replay::ReplayStore#how-long-an-entry-is-kept). When no layer with the longest has claimed for that
//!   time and a week, the next longest takes its place.
//! - **No tenant fills the server with tickets**: they take at most
//!   [`ticket_bytes`](RedisStoreBuilder::ticket_bytes), and never more than half of the server's `maxmemory`. A tenant
//!   may have as much as is still free; above that, it alone is told that the store is full. What the tickets of one
//!   call share is kept once. A call stores all its tickets or none, in one round trip, and at most 8 MiB. A ticket
//!   that nobody redeems counts for up to two seconds longer than it is kept; then the next calls that store tickets
//!   take it off the count.
//! - **Deployments know nothing of each other** if their namespaces differ. Nothing else parts them: a ticket is good
//!   for whoever finds it.
//!
//! What it cannot promise: two servers that both believe to be the master, because the network has split or one of
//! them stood still, each admit a link once. `min-replicas-to-write` on the server bounds the time in which they can.
//! And whoever may write to the server may delete an entry.
//!
//! # The server
//!
//! Redis 7.0 or later, or Valkey. Give it `maxmemory` and `maxmemory-policy noeviction`. All keys begin with
//! `{namespace}` in braces, so a cluster keeps them together in one slot, where one script can reach them. While that
//! slot moves to another node, claims of new links fail within [`timeout`](RedisStoreBuilder::timeout); afterwards the
//! fence is raised once. The user needs the commands EVAL, EVALSHA, SCRIPT LOAD, MULTI, EXEC, GET, GETDEL, SET, DEL,
//! EXISTS, HGET, HMGET, HSET, TIME and INFO on these keys, and for tickets HDEL, PEXPIRE, ZADD, ZRANGE and ZREM; no
//! other.
//!
//! A master takes itself for another one when its first replica comes, and an hour after the last one went. Then too,
//! what was made before is refused, and waiting tickets become unknown: once. Give it its replicas before it serves.
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
//! So `maxmemory 1gb` is a ceiling of some four million live entries, each of which lives for its credential's window.
//! Above it new claims are refused with 503 until old ones have ended; none is evicted. Webhook calls without a
//! timestamp are kept for an hour if the layer has `handler_remembers()`, else for ever: nothing frees those.
//!
//! The keys are digests, and no credential can be found from them. What a ticket stands for is stored as it is.

mod builder;
mod lua;
mod lua_tickets;
mod memory;
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
