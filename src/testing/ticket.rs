use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, Options, check_runtime, run_all};
use super::promise::BrokenPromises;
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

impl<M> TicketSuite<M> {
    /// How many handles to make. Default: 3; at least 1. Two or more are needed to see whether processes share the
    /// store.
    pub fn nodes(mut self, handles: usize) -> Self {
        self.options.nodes = handles.max(1);
        self
    }

    /// How many tasks call each handle concurrently. Default: 8; at least 2.
    pub fn callers(mut self, per_node: usize) -> Self {
        self.options.callers = per_node.max(2);
        self
    }

    /// How many live tickets to fill the store with, to see whether it drops one. Default: 20,000; at least 1.
    ///
    /// It need not keep those that it refuses with [`StoreError::full`](crate::store::StoreError::full). Use more than
    /// its cache holds.
    pub fn entries(mut self, entries: usize) -> Self {
        self.options.entries = entries.max(1);
        self
    }

    /// How long one call may take, also if the store is [unreachable](Self::unreachable). Default: 5 s.
    pub fn patience(mut self, per_call: Duration) -> Self {
        self.options.patience = per_call;
        self
    }

    /// How long threads race for the same tickets, in rounds. Default: 1 s; at least one round. If a check and its
    /// write are not one operation, the gap may be a fraction of a microsecond: a shorter race misses it more easily.
    pub fn race(mut self, time: Duration) -> Self {
        self.options.race = time;
        self
    }

    /// A store of the same kind that has lost its database: each call to it must fail within the
    /// [`patience`](Self::patience). Without it, this is not tested.
    pub fn unreachable(mut self, store: impl TicketStore) -> Self {
        self.unreachable = Some(Arc::new(store));
        self
    }

    /// Runs every case. Takes about four seconds in memory, and about 50,000 calls in a database.
    ///
    /// # Errors
    /// [`BrokenPromises`], with all of them.
    ///
    /// # Panics
    /// If the runtime has no timer, or if `make` does. A panic in a call of the store is reported instead.
    pub async fn run<S>(self) -> Result<(), BrokenPromises>
    where
        M: AsyncFn() -> S,
        S: TicketStore,
    {
        if let Err(broken) = check_runtime() {
            return BrokenPromises::check(vec![broken]);
        }
        let mut nodes: Vec<Arc<dyn TicketStore>> = Vec::new();
        for _ in 0..self.options.nodes {
            nodes.push(Arc::new((self.make)().await));
        }
        let bench = match Bench::new(nodes, self.options) {
            Ok(bench) => bench,
            Err(broken) => return BrokenPromises::check(vec![broken]),
        };
        // A store that is down, or not shared, breaks everything: report only that.
        let mut broken = run_all(cases::first(&bench)).await;
        if broken.is_empty() {
            broken = run_all(cases::all(&bench)).await;
        }
        if let Some(store) = self.unreachable {
            broken.extend(run_all(cases::unreachable(store, self.options)).await);
        }
        BrokenPromises::check(broken)
    }
}

opaque_debug!(TicketSuite<M> { options });
