//! Queues writers before they take a connection. Writers that wait for a held lock would otherwise occupy the whole pool and
//! block everything else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Engine;

/// Transactions that may hold or wait for a tenant's lock at once. Far fewer than connections.
const TENANTS_AT_ONCE: usize = 3;

/// Cheap to clone; clones share the turns.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    writers: Arc<Semaphore>,
    tenants: Arc<Semaphore>,
    /// One semaphore for each tenant that has a turn in use or waited for.
    tenant: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
    patience: Duration,
}

/// Permits a write until it is dropped.
#[derive(Debug)]
#[must_use = "the turn ends when this is dropped"]
pub(crate) struct Turn(#[expect(dead_code, reason = "released on drop")] Vec<OwnedSemaphorePermit>);

impl Turns {
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            writers: Arc::new(Semaphore::new(engine.writers())),
            tenants: Arc::new(Semaphore::new(TENANTS_AT_ONCE)),
            tenant: Arc::default(),
            patience: engine.patience(),
        }
    }

    /// For a row without contention, such as a session.
    pub(crate) async fn to_write(&self) -> Result<Turn, sqlx::Error> {
        self.take([&self.writers]).await
    }

    /// For rows that a whole tenant shares: its writers run one at a time.
    pub(crate) async fn to_write_for(&self, tenant: &str) -> Result<Turn, sqlx::Error> {
        let own = self.of(tenant);
        self.take([&own, &self.tenants, &self.writers]).await
    }

    fn of(&self, tenant: &str) -> Arc<Semaphore> {
        let mut turns = self.tenant.lock().unwrap_or_else(PoisonError::into_inner);
        // Every turn in use or waited for holds a clone; drop the rest.
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
