//! When keys were last used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Pool;
use tokio::runtime::Handle;

use super::backend::{Backend, Value};
use super::statements::USED;
use super::transaction::begin;
use crate::clock::UnixTime;

/// How exact the stored time is.
const MINUTE: Duration = Duration::from_mins(1);
/// How long a task gathers before it writes.
const PAUSE: Duration = Duration::from_secs(1);
/// How many keys' times are in memory. Those of more keys are written more often.
const MOST: usize = 10_000;

/// Notes uses in memory. A task writes them. Clones share them.
pub(super) struct LastUse<DB: Backend> {
    pool: Pool<DB>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By digest, within the last minute.
    noted: HashMap<Vec<u8>, UnixTime>,
    /// What is not written yet.
    pending: Vec<(Vec<u8>, UnixTime)>,
}

impl<DB: Backend> LastUse<DB> {
    pub(super) fn new(pool: Pool<DB>) -> Self {
        Self { pool, state: Arc::default() }
    }

    /// Never waits for the database. Outside a Tokio runtime it does nothing.
    pub(super) fn note(&self, digest: &[u8], now: UnixTime) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.noted.get(digest).is_some_and(|noted| now.since(*noted) < MINUTE) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        // The task may have ended with its runtime: then the first one of the next minute starts another.
        let is_scheduled = state.pending.first().is_some_and(|(_, first)| now.since(*first) < MINUTE);
        if state.noted.len() >= MOST {
            state.noted.clear();
        }
        state.noted.insert(digest.to_vec(), now);
        if state.pending.len() < MOST {
            state.pending.push((digest.to_vec(), now));
        }
        drop(state);
        if !is_scheduled {
            runtime.spawn(self.clone().write());
        }
    }

    async fn write(self) {
        tokio::time::sleep(PAUSE).await;
        let mut pending = std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).pending);
        // In one order everywhere: two processes cannot deadlock.
        pending.sort();
        if let Err(error) = self.store(&pending).await {
            // At most once a second.
            tracing::warn!(target: "tower_sso", ?error, keys = pending.len(), "the last use of keys was not stored");
        }
    }

    async fn store(&self, pending: &[(Vec<u8>, UnixTime)]) -> Result<(), sqlx::Error> {
        let mut transaction = begin(&self.pool, DB::engine(&self.pool)?).await?;
        for (digest, at) in pending {
            let values = [Value::Bytes(digest), Value::Integer(at.as_nanos())];
            DB::execute(&mut transaction, USED, &values).await?;
        }
        transaction.commit().await
    }
}

impl<DB: Backend> Clone for LastUse<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), state: Arc::clone(&self.state) }
    }
}
