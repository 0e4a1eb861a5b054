//! The lease on a call: [`LeaseGuard`].
//!
//! A call that was processed is settled, so that its duplicates are acknowledged. One that was not is released, so that
//! the sender's retry works, however its request ends: answered, refused, cancelled or in a panic.

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::memory::Memory;
use super::proof::Accepted;
use crate::clock::UnixTime;
use crate::observe;
use crate::replay::{Claim, Fingerprint, Hold, LeaseId};
use crate::store::{StoreError, StoreFuture, Within};
use crate::window::Validity;

/// Releases the lease when dropped: on disconnect, timeout or panic the sender may retry.
pub(super) struct LeaseGuard {
    call: Call,
    armed: bool,
}

/// A call in progress.
#[derive(Clone)]
struct Call {
    memory: Arc<Memory>,
    key: Fingerprint,
    validity: Validity,
    lease: LeaseId,
    /// The last instant of the lease.
    until: UnixTime,
}

type Told = Result<(), StoreError>;

impl LeaseGuard {
    /// Armed before the store is asked: the claim may succeed although nobody hears the answer. `None` if the claim
    /// asks for no lease.
    pub(super) fn new<C>(memory: &Arc<Memory>, accepted: &Accepted<C>, claim: &Claim) -> Option<Self> {
        let Hold::Lease { until, id: lease } = claim.hold else { return None };
        let (memory, validity) = (Arc::clone(memory), *accepted.validity());
        Some(Self { call: Call { memory, key: claim.key, validity, lease, until }, armed: true })
    }

    /// There is no lease after all.
    pub(super) fn disarm(mut self) {
        self.armed = false;
    }

    /// Tells the store how the call ended. `Some` if the store takes its time: the task ends when the store has
    /// answered, and goes on if nobody waits for it.
    pub(super) fn end(mut self, processed: bool) -> Option<JoinHandle<()>> {
        // The store is told once, even if it panics.
        self.armed = false;
        self.call.tell(processed)
    }
}

impl Drop for LeaseGuard {
    /// This may run during a panic, where a second panic ends the process. The store may panic, the log, and the
    /// panic's own payload when it is dropped, so it is forgotten.
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let tell = || self.call.tell(false);
        let log = || observe::store_failed(self.call.memory.form, &panicked());
        if let Err(panic) = catch_unwind(AssertUnwindSafe(tell)) {
            forget(panic);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(log)) {
                forget(panic);
            }
        }
    }
}

impl Call {
    /// Settles or releases: here if the store answers at once, otherwise in a task.
    fn tell(&self, processed: bool) -> Option<JoinHandle<()>> {
        let store = &self.memory.store;
        let mut telling = if processed { self.settle() } else { store.release(self.key, self.lease) };
        let told = match Pin::new(&mut telling).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(told) => told,
            Poll::Pending => match Handle::try_current() {
                Ok(runtime) => return Some(runtime.spawn(self.clone().hear(telling, processed))),
                Err(no_runtime) => Err(no_runtime.into()),
            },
        };
        self.told(told, processed);
        None
    }

    fn settle(&self) -> StoreFuture<Told> {
        self.memory.store.settle(&self.memory.settlement(self.key, &self.validity))
    }

    async fn hear(self, telling: StoreFuture<Told>, processed: bool) {
        let told = supervised(Within::new(self.memory.timeout, telling)).await;
        self.told(told, processed);
    }

    /// The answer stands, whatever the store says. But once the lease ends, a duplicate of a call that was processed
    /// would be processed too, so it is settled again until then.
    fn told(&self, told: Told, processed: bool) {
        let Err(error) = told else { return };
        observe::store_failed(self.memory.form, &error);
        match Handle::try_current() {
            Ok(runtime) if processed => _ = runtime.spawn(self.clone().settle_until_the_lease_ends()),
            Err(_) if processed => observe::not_settled(self.memory.form),
            _ => {}
        }
    }

    async fn settle_until_the_lease_ends(self) {
        let settled = async {
            let mut pause = Duration::from_millis(50);
            loop {
                tokio::time::sleep(pause).await;
                let call = self.clone();
                match supervised(async move { Within::new(call.memory.timeout, call.settle()).await }).await {
                    Ok(()) => return,
                    Err(error) => observe::store_failed(self.memory.form, &error),
                }
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        };
        let left = self.until.since(self.memory.clock.now());
        if tokio::time::timeout(left, settled).await.is_err() {
            observe::not_settled(self.memory.form);
        }
    }
}

/// Runs in a task of its own, so that a store that panics has failed and no more.
async fn supervised(telling: impl Future<Output = Told> + Send + 'static) -> Told {
    tokio::spawn(telling).await.unwrap_or_else(|_| Err(panicked()))
}

fn panicked() -> StoreError {
    StoreError::new("it panicked")
}
