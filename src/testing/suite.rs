//! Shared by both suites: their settings, and the order in which their cases run.

use std::sync::Arc;

use super::bench::{Bench, Case, Options, run_all};
use super::promise::BrokenPromises;

/// A suite's cases, for stores of type `S`.
pub(super) struct Cases<S: ?Sized> {
    /// The preconditions of all others. If one fails, only that is reported.
    pub(super) first: fn(&Arc<Bench<S>>) -> Vec<Case>,
    pub(super) all: fn(&Arc<Bench<S>>) -> Vec<Case>,
    pub(super) unreachable: fn(Arc<S>, Options) -> Vec<Case>,
}

impl<S: ?Sized> Cases<S> {
    /// `nodes` is not empty.
    pub(super) async fn run(
        self,
        nodes: Vec<Arc<S>>,
        unreachable: Option<Arc<S>>,
        options: Options,
    ) -> Result<(), BrokenPromises> {
        let bench = match Bench::new(nodes, options) {
            Ok(bench) => bench,
            Err(broken) => return BrokenPromises::check(vec![broken]),
        };
        let mut broken = run_all((self.first)(&bench)).await;
        if broken.is_empty() {
            broken = run_all((self.all)(&bench)).await;
        }
        if let Some(store) = unreachable {
            broken.extend(run_all((self.unreachable)(store, options)).await);
        }
        BrokenPromises::check(broken)
    }
}

/// The settings that both suites have, and `run`.
macro_rules! settings {
    ($suite:ident for $store:ident, $cases:expr) => {
        impl<M> $suite<M> {
            /// How many handles to make. Default: 3; at least 1. Two or more are needed to see whether processes share
            /// the store.
            pub fn nodes(mut self, handles: usize) -> Self {
                self.options.nodes = handles.max(1);
                self
            }

            /// How many tasks call each handle concurrently. Default: 8; at least 2.
            pub fn callers(mut self, per_node: usize) -> Self {
                self.options.callers = per_node.max(2);
                self
            }

            /// How many live entries to fill the store with, to see whether it drops one. Default: 20,000; at least 1.
            ///
            /// It need not keep those that it refuses with [`StoreError::full`](crate::store::StoreError::full). Use
            /// more than its cache holds.
            pub fn entries(mut self, entries: usize) -> Self {
                self.options.entries = entries.max(1);
                self
            }

            /// How long one call may take, also if the store is [unreachable](Self::unreachable). Default: 5 s.
            pub fn patience(mut self, per_call: Duration) -> Self {
                self.options.patience = per_call;
                self
            }

            /// How long threads race for the same entries, in rounds. Default: 1 s; at least one round. If a check and
            /// its write are not one operation, the gap may be a fraction of a microsecond: a shorter race misses it
            /// more easily.
            pub fn race(mut self, time: Duration) -> Self {
                self.options.race = time;
                self
            }

            /// A store of the same kind that has lost its database: each call to it must fail within the
            /// [`patience`](Self::patience). Without it, this is not tested.
            pub fn unreachable(mut self, store: impl $store) -> Self {
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
                S: $store,
            {
                if let Err(broken) = check_runtime() {
                    return BrokenPromises::check(vec![broken]);
                }
                // Not in a function that takes `make`: this future would no longer be `Send`.
                let mut nodes: Vec<Arc<dyn $store>> = Vec::new();
                for _ in 0..self.options.nodes {
                    nodes.push(Arc::new((self.make)().await));
                }
                $cases.run(nodes, self.unreachable, self.options).await
            }
        }
    };
}
pub(super) use settings;
