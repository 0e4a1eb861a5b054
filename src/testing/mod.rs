//! Tests of your own stores: one call checks a [`ReplayStore`](crate::replay::ReplayStore) or a `TicketStore` on any
//! database.
//!
//! ```
//! # #[cfg(feature = "moka")] {
//! use tower_sso::replay::MemoryReplay;
//! use tower_sso::testing;
//!
//! # macro_rules! ignore { ($($item:tt)*) => {} }
//! # ignore! {
//! #[tokio::test(flavor = "multi_thread")]
//! # }
//! async fn my_store_keeps_its_promises() {
//!     let shared = MemoryReplay::new(); // here: one map; for yours: `async || MyStore::connect(&url).await.unwrap()`
//!     testing::replay_store(async || shared.clone()).run().await.unwrap();
//! }
//! # tokio::runtime::Runtime::new().unwrap().block_on(my_store_keeps_its_promises());
//! # }
//! ```
//!
//! The suite opens several handles on the same store, as several processes would, and calls each from several tasks.
//! One error, [`BrokenPromises`], reports everything: what was expected, what was seen, what to do.
//!
//! It needs no test framework, only a tokio runtime with several threads and a timer. It uses the system's clock,
//! because some databases expire entries by their own. Such a store must keep entries longer than asked: by the
//! possible difference of the two clocks, plus 200 ms, as a call may be that late for the instant that it names.
//!
//! **It may run on a store in use**: its keys are random. It leaves entries behind, most for ten minutes, a handful for
//! ever ([`UnixTime::MAX`](crate::clock::UnixTime::MAX) is one of the ends that it tries).
//!
//! It cannot check whether entries survive a restart of the database, or what a failover loses.

mod bench;
mod promise;
mod race;
mod replay;
mod replay_cases;
mod replay_crowd;
mod replay_windows;
mod suite;
#[cfg(feature = "ticket")]
mod ticket;
#[cfg(feature = "ticket")]
mod ticket_cases;
#[cfg(feature = "ticket")]
mod ticket_shares;

pub use promise::{BrokenPromises, Promise};
pub use replay::{ReplaySuite, replay_store};
#[cfg(feature = "ticket")]
#[cfg_attr(docsrs, doc(cfg(feature = "ticket")))]
pub use ticket::{TicketSuite, ticket_store};
