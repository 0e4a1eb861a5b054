//! Many processes: what they share, clocks, and restarts.
//!
//! **All processes behind one address share one replay store.** Otherwise they share only the keys and, if you use
//! them, the tickets.
//!
//! | | one process | several |
//! |---|---|---|
//! | replays | [`MemoryReplay`] or [`DenseReplay`](crate::replay) | [`RedisStore`], or a [`ReplayStore`] of your own |
//! | tickets | [`MemoryTickets`] | `RedisStore`, or a [`TicketStore`] of your own |
//! | keys | configuration, or a database | a database, with [`CachedKeys`](crate::keys::CachedKeys) in front |
//! | wrong guesses | [`Throttle`](crate::throttle::Throttle) | the same: each process counts for itself |
//!
//! ```no_run
//! # #[cfg(all(feature = "redis", feature = "fernet", feature = "ticket"))]
//! # async fn start(keys: tower_sso::keys::MemoryKeys) -> Result<(), Box<dyn std::error::Error>> {
//! use tower_sso::fernet;
//! use tower_sso::redis::RedisStore;
//! use tower_sso::ticket::{self, Tickets};
//!
//! let redis = RedisStore::connect("redis://10.0.0.5/", "my-app:production").await?;
//! let sso = fernet::layer::<serde_json::Value>().keys(keys).replay(redis.clone()).build()?;
//! let enter = ticket::layer::<serde_json::Value>(Tickets::new(redis.clone())).build()?;
//! // In the readiness probe: does the server answer, take writes, and evict nothing?
//! redis.ready().await.map_err(|error| error.to_string())?;
//! # Ok(())
//! # }
//! ```
//!
//! # One store in memory for each process
//!
//! Then one link works once *per process*: with four of them, anyone who copies a link has three more sign-ins, and a
//! webhook may be processed four times. A ticket that one process issued is unknown to the others. Sticky sessions do
//! not help, as the thief brings no cookie.
//!
//! The same holds for a rolling deployment: while an old and a new process serve together, they are two.
//!
//! `SECURITY.md` has the rules of a deployment, such as for snapshots that are restored and layers that are rebuilt in
//! one process.
//!
//! # The namespace of a deployment
//!
//! `my-app:production` above parts deployments that share a Redis server. Give staging another one. With the same one,
//! a ticket that staging issued signs in at production.
//!
//! [`Builder::namespace`](crate::Builder::namespace) is something else: it parts two *layers* of one form. Set it if
//! two webhooks take the same bytes for different things. [`Tickets::namespace`](crate::ticket::Tickets::namespace)
//! does so for two entrances.
//!
//! # Clocks
//!
//! Windows are seconds wide: run NTP everywhere.
//! - A clock of yours that is behind accepts expired links, and refuses fresh ones as `not_yet_valid`. One that is
//!   ahead refuses honest links as `expired`.
//! - `RedisStore` expects any two machines to differ by at most a second
//!   ([`clock_skew`](crate::redis::RedisStoreBuilder::clock_skew), Redis's own included). It keeps entries longer by
//!   twice that.
//! - [`SystemClock`](crate::clock::SystemClock) never runs backwards within a process. A machine that was an hour ahead
//!   and is set right refuses honest links until the process restarts.
//!
//! # Restarts
//!
//! A store in memory forgets when the process ends. So that used links do not work again, a layer refuses whatever
//! could have been used before the store was made: as `replayed`, with the reason `before_cutoff`. This is the startup
//! cutoff.
//!
//! Credentials tell their time in whole seconds. In the first second after a start, the cutoff therefore refuses honest
//! links too. Wait it out before you listen:
//!
//! ```
//! # #[cfg(feature = "moka")] {
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let replay = tower_sso::MemoryReplay::opened().await;
//! // Listen from here on.
//! # }
//! # main();
//! # }
//! ```
//!
//! - **A partner's clock that is ahead** dates links after the restart that were used before it. If your partners'
//!   clocks are, set [`cutoff_margin`](crate::replay::MemoryReplayBuilder::cutoff_margin): honest links are refused for
//!   as long after each start.
//! - **Webhooks without a timestamp** cannot be told old from new. `.build()` refuses a store that forgets for them,
//!   unless the handler keeps [`Identity::fingerprint`](crate::Identity::fingerprint) and says so with
//!   [`handler_remembers`](crate::Builder::handler_remembers).
//! - **`RedisStore` remembers across restarts of your processes.** If the *server* loses its memory, the same cutoff
//!   applies from then on, once, and waiting tickets become unknown.
//!
//! # When the store fails
//!
//! The answer is 503 `unavailable`, never a sign-in in doubt. A layer waits 2 s
//! ([`store_timeout`](crate::Builder::store_timeout)). A full store is a failure too: nothing live is evicted. Watch
//! `tower_sso_requests_total{outcome="replay_store"}`.
//!
//! [`MemoryReplay`]: crate::replay::MemoryReplay
//! [`RedisStore`]: crate::redis::RedisStore
//! [`ReplayStore`]: crate::replay::ReplayStore
//! [`MemoryTickets`]: crate::ticket::MemoryTickets
//! [`TicketStore`]: crate::ticket::TicketStore
