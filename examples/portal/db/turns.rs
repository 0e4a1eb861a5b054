//! Who may write next. Who waits for a turn holds no connection, so a lock that somebody holds keeps few connections busy,
//! and leaves the others to those who do not need it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Engine;

/// Transactions that may wait for a tenant's lock at once. Far fewer than there are connections.
const TENANTS_AT_ONCE: usize = 3;

/// Cheap to clone; clones share the turns.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    writers: Arc<Semaphore>,
    tenants: Arc<Semaphore>,
    /// The turns of each tenant that somebody has, or waits for.
    tenant: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
    patience: Duration,
}

/// The right to write, until it is dropped.
#[derive(Debug)]
#[must_use = "the turn ends when this is dropped"]
pub(crate) struct Turn(#[expect(dead_code, reason = "dropped, they are given back")] Vec<OwnedSemaphorePermit>);

impl Turns {
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            writers: Arc::new(Semaphore::new(engine.writers())),
            tenants: Arc::new(Semaphore::new(TENANTS_AT_ONCE)),
            tenant: Arc::default(),
            patience: engine.patience(),
        }
    }

    /// For one row that nobody else writes, such as a session.
    pub(crate) async fn to_write(&self) -> Result<Turn, sqlx::Error> {
        self.take([&self.writers]).await
    }

    /// For what others of the same tenant write too: one after the other, without a connection until it is their turn.
    pub(crate) async fn to_write_for(&self, tenant: &str) -> Result<Turn, sqlx::Error> {
        let own = self.of(tenant);
        self.take([&own, &self.tenants, &self.writers]).await
    }

    fn of(&self, tenant: &str) -> Arc<Semaphore> {
        let mut turns = self.tenant.lock().unwrap_or_else(PoisonError::into_inner);
        // Who has a turn, or waits for one, has a clone.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(tenant.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }

    async fn take<const N: usize>(&self, turns: [&Arc<Semaphore>; N]) -> Result<Turn, sqlx::Error> {
        let all = async {
            let mut permits = Vec::with_capacity(N);
            for turn in turns {
                permits.push(Arc::clone(turn).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?);
            }
            Ok(Turn(permits))
        };
        tokio::time::timeout(self.patience, all).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }
}
