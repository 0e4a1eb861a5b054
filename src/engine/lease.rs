//! The lease on a delivery: [`LeaseGuard`].
//!
//! A delivery that was processed is settled, so that its duplicates are acknowledged. One that was not is released, so
//! that the sender's retry works, however its request ends: answered, refused, cancelled or in a panic.

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::proof::Accepted;
use super::replay::Replay;
use crate::clock::UnixTime;
use crate::observe;
use crate::replay::{Claim, Fingerprint, Hold, LeaseId};
use crate::store::{StoreError, StoreFuture};
use crate::window::Validity;

/// Releases the lease when dropped: on disconnect, timeout or panic the sender may retry.
///
/// `None` once the store has been told, or if it has nothing to be told.
pub(super) struct LeaseGuard(Option<Delivery>);

/// A delivery in progress, and what the replay store is told of its end.
#[derive(Clone)]
struct Delivery {
    replay: Arc<Replay>,
    key: Fingerprint,
    validity: Validity,
    lease: LeaseId,
    /// The last instant of the lease.
    until: UnixTime,
}

type Answer = Result<(), StoreError>;

impl LeaseGuard {
    /// Made before the store is asked: the claim may succeed even if this request is gone before the answer comes.
    /// `None` if the claim asks for no lease.
    pub(super) fn new<C>(replay: &Arc<Replay>, accepted: &Accepted<C>, claim: &Claim) -> Option<Self> {
        let Hold::Lease { until, id: lease } = claim.hold else { return None };
        let (replay, validity) = (Arc::clone(replay), *accepted.validity());
        Some(Self(Some(Delivery { replay, key: claim.key, validity, lease, until })))
    }

    /// For a claim that got no lease: there is nothing to release.
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }

    /// Reports to the store how the delivery ended. `Some` if the store does not answer at once: a task that finishes
    /// the report, even if nobody waits for it.
    pub(super) fn end(mut self, processed: bool) -> Option<JoinHandle<()>> {
        self.0.take()?.report(processed)
    }
}

impl Drop for LeaseGuard {
    /// This may run during a panic, where a second panic ends the process. So a panic of the log is caught, and its
    /// payload is forgotten, as dropping that may panic too.
    fn drop(&mut self) {
        let Some(delivery) = self.0.take() else { return };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| delivery.report(false))) {
            forget(panic);
        }
    }
}

impl Delivery {
    /// Settles or releases: here if the store answers at once, otherwise in a task.
    fn report(&self, processed: bool) -> Option<JoinHandle<()>> {
        // A store that panics has failed, like one that returns an error.
        let asked = catch_unwind(AssertUnwindSafe(|| {
            let store = &self.replay.store;
            let mut report = if processed { self.settle() } else { store.release(self.key, self.lease) };
            match Pin::new(&mut report).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => Ok(answer),
                Poll::Pending => Err(report),
            }
        }));
        let answer = match asked {
            Ok(Ok(answer)) => answer,
            Ok(Err(report)) => match Handle::try_current() {
                Ok(runtime) => return Some(runtime.spawn(self.clone().report_in_task(report, processed))),
                Err(no_runtime) => Err(no_runtime.into()),
            },
            Err(panic) => {
                forget(panic);
                Err(panicked())
            }
        };
        self.on_answer(answer, processed);
        None
    }

    fn settle(&self) -> StoreFuture<Answer> {
        self.replay.store.settle(&self.replay.settlement(self.key, &self.validity))
    }

    async fn report_in_task(self, report: StoreFuture<Answer>, processed: bool) {
        let report = report.within(self.replay.timeout);
        let answer = supervised(async { report.await.0 }).await;
        self.on_answer(answer, processed);
    }

    /// The response stands, whatever the store answers. But once the lease ends, a duplicate of a processed delivery
    /// would be processed too, so settling is retried until then.
    fn on_answer(&self, answer: Answer, processed: bool) {
        let Err(error) = answer else { return };
        observe::store_failed(self.replay.form, &error);
        match Handle::try_current() {
            Ok(runtime) if processed => _ = runtime.spawn(self.clone().settle_until_the_lease_ends()),
            Err(_) if processed => observe::not_settled(self.replay.form),
            _ => {}
        }
    }

    async fn settle_until_the_lease_ends(self) {
        let settled = async {
            let mut pause = Duration::from_millis(50);
            loop {
                tokio::time::sleep(pause).await;
                let delivery = self.clone();
                match supervised(async move { delivery.settle().within(delivery.replay.timeout).await.0 }).await {
                    Ok(()) => return,
                    Err(error) => observe::store_failed(self.replay.form, &error),
                }
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        };
        let left = self.until.since(self.replay.clock.now());
        if tokio::time::timeout(left, settled).await.is_err() {
            observe::not_settled(self.replay.form);
        }
    }
}

/// Spawns a second task, so a panicking store ends that one only.
async fn supervised(report: impl Future<Output = Answer> + Send + 'static) -> Answer {
    tokio::spawn(report).await.unwrap_or_else(|_| Err(panicked()))
}

fn panicked() -> StoreError {
    StoreError::new("it panicked")
}
