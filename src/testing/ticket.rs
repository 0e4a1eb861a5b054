use std::sync::Arc;
use std::time::Duration;

use super::bench::{Options, check_runtime};
use super::promise::BrokenPromises;
use super::suite::{Cases, settings};
use super::ticket_cases as cases;
use crate::debug::opaque_debug;
use crate::ticket::TicketStore;

/// The suite for a ticket store. Set it up if need be, then [`run`](TicketSuite::run) it.
///
/// `make` opens a handle on the store, each time on the same one; it is called once per [node](TicketSuite::nodes).
///
/// ```no_run
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{testing, ticket::MemoryTickets};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let shared = MemoryTickets::new();
/// testing::ticket_store(async || shared.clone()).run().await?;
/// # Ok::<(), testing::BrokenPromises>(())
/// # }).unwrap();
/// # }
/// ```
pub fn ticket_store<M, S>(make: M) -> TicketSuite<M>
where
    M: AsyncFn() -> S,
    S: TicketStore,
{
    TicketSuite { make, unreachable: None, options: Options::default() }
}

/// The suite's settings for a ticket store. Made by [`ticket_store`].
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{testing, ticket::MemoryTickets};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let shared = MemoryTickets::new();
/// testing::ticket_store(async || shared.clone()).nodes(2).callers(4).entries(1_000).run().await.unwrap();
/// # });
/// # }
/// ```
#[must_use = "the suite does nothing until it is run"]
pub struct TicketSuite<M> {
    make: M,
    unreachable: Option<Arc<dyn TicketStore>>,
    options: Options,
}

settings!(TicketSuite for TicketStore, Cases { first: cases::first, all: cases::all, unreachable: cases::unreachable });

opaque_debug!(TicketSuite<M> { options });
