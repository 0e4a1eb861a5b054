//! Runs the check until it is decided or has to wait for a store.
//!
//! These steps, and what they call in [`pipeline`](crate::pipeline) and [`proof`](crate::proof), are each called in one place, for
//! every form. They are marked `#[inline]` so that the compiler, which makes them anew for each form, sees them as one.

use std::future::Future;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use tokio::runtime::Handle;

use crate::clock::UnixTime;
use crate::form::Form;
use crate::keys::Keys;
use crate::observe;
use crate::pipeline::{Extraction, Pipeline, Verdict};
use crate::proof::{Accepted, Proof};
use crate::rejection::Reason;
use crate::replay::Claimed;
use crate::store::{Patience, StoreError};

/// What is to be done next for a request.
pub(crate) enum Step<F: Form> {
    /// All is checked, or nothing needs to be: it goes to the inner service.
    Call(After<F>),
    /// It is refused.
    Refuse(Reason),
    /// It is a copy of a call that was carried out.
    Acknowledge,
    /// Something has to be waited for.
    Later(Later<F>),
}

/// What has to be waited for.
pub(crate) enum Later<F: Form> {
    /// The tenant's keys.
    Find { keys: Patience<Keys>, extraction: Extraction<F::Credential> },
    /// The replay store.
    Claim { claim: Patience<Claimed>, checked: Checked<F> },
    /// A pause: another request has the same call in hand.
    Wait { pause: Duration, checked: Checked<F> },
}

/// What is to be done after the inner service.
pub(crate) enum After<F: Form> {
    /// The request passed without a credential: its answer is none of this layer's business.
    Nothing,
    /// The answer is sealed.
    Seal,
    /// And the replay store is told what became of the call.
    Settle(Settling<F>),
}

/// A request of which everything is checked but whether it is the first of its copies.
pub(crate) struct Checked<F: Form> {
    accepted: Accepted<F>,
    now: UnixTime,
    claimed_at: UnixTime,
    waited: Duration,
    /// Where the form's credentials are calls.
    settling: Option<Settling<F>>,
}

/// Releases the claim of a call when dropped: on disconnect, timeout or panic the sender may retry.
pub(crate) struct Settling<F: Form> {
    pipeline: Arc<Pipeline<F>>,
    proof: Proof,
    claimed_at: UnixTime,
    is_owed: bool,
}

/// The replay store is being told what came of a call. Dropped, it goes on alone.
pub(crate) struct Conclusion<F: Form> {
    telling: Option<Patience<()>>,
    /// The call that was carried out, if it was: the store is told again if it fails.
    carried_out: Option<CarriedOut<F>>,
}

/// A call that was carried out, and is safe from a second time only until its lease ends.
struct CarriedOut<F: Form> {
    pipeline: Arc<Pipeline<F>>,
    proof: Proof,
    claimed_at: UnixTime,
}

/// A request in hand.
pub(crate) struct Check<'a, F> {
    pub(crate) pipeline: &'a Arc<Pipeline<F>>,
    pub(crate) head: &'a mut Parts,
}

impl<F: Form> Check<'_, F> {
    #[inline]
    pub(crate) fn extract(&mut self, body: &Bytes) -> Step<F> {
        match self.pipeline.extract(self.head, body) {
            Err(reason) => Step::Refuse(reason),
            Ok(extraction) => match self.pipeline.keys(&extraction).at_once() {
                Ok(keys) => self.verify(extraction, keys),
                Err(keys) => Step::Later(Later::Find { keys, extraction }),
            },
        }
    }

    #[inline]
    pub(crate) fn verify(
        &mut self,
        mut extraction: Extraction<F::Credential>,
        keys: Result<Keys, StoreError>,
    ) -> Step<F> {
        let now = self.pipeline.now();
        match self.pipeline.verify(&extraction, &keys, now) {
            Err(reason) => match self.pipeline.keys_again(&mut extraction, &keys, &reason).map(Patience::at_once) {
                None => Step::Refuse(reason),
                Some(Ok(keys)) => self.verify(extraction, keys),
                Some(Err(keys)) => Step::Later(Later::Find { keys, extraction }),
            },
            Ok(accepted) => {
                let claimed_at = self.pipeline.time_of_claim(now);
                let settling = self.pipeline.settles().then(|| Settling {
                    pipeline: Arc::clone(self.pipeline),
                    proof: *accepted.proof(),
                    claimed_at,
                    is_owed: false,
                });
                self.claim(Checked { accepted, now, claimed_at, waited: Duration::ZERO, settling })
            }
        }
    }

    #[inline]
    pub(crate) fn claim(&mut self, mut checked: Checked<F>) -> Step<F> {
        if !checked.waited.is_zero() {
            // Its lease is as long as any, and begins only now. The time at which it was checked stays the one it came at.
            checked.claimed_at = self.pipeline.time_of_claim(self.pipeline.now());
        }
        if let Some(settling) = &mut checked.settling {
            (settling.is_owed, settling.claimed_at) = (true, checked.claimed_at);
        }
        let claim = self.pipeline.claim(checked.accepted.proof(), checked.now, checked.claimed_at);
        let Some(claim) = claim else { return self.judge(checked, None) };
        match claim.at_once() {
            Ok(claimed) => self.judge(checked, Some(claimed)),
            Err(claim) => Step::Later(Later::Claim { claim, checked }),
        }
    }

    #[inline]
    pub(crate) fn judge(&mut self, checked: Checked<F>, claimed: Option<Result<Claimed, StoreError>>) -> Step<F> {
        let Checked { accepted, now, claimed_at, waited, mut settling } = checked;
        let verdict = self.pipeline.judge(accepted, claimed, now, waited);
        // Another request has the call, or had it: then there is nothing to give back.
        if let (Some(settling), Verdict::Acknowledge | Verdict::Wait(_) | Verdict::Refuse(_)) =
            (&mut settling, &verdict)
        {
            settling.is_owed = false;
        }
        match verdict {
            Verdict::Pass(unique) => {
                self.pipeline.admit_identity(self.head, unique);
                Step::Call(settling.map_or(After::Seal, After::Settle))
            }
            Verdict::Acknowledge => Step::Acknowledge,
            Verdict::Wait(accepted) if waited < self.pipeline.longest_wait() => {
                let pause = Duration::from_millis(20).max(waited / 2);
                let checked = Checked { accepted, now, claimed_at, waited: waited + pause, settling };
                Step::Later(Later::Wait { pause, checked })
            }
            Verdict::Wait(_) => Step::Refuse(Reason::InProgress),
            Verdict::Refuse(reason) | Verdict::Forfeit(reason) => Step::Refuse(reason),
        }
    }
}

impl<F: Form> Settling<F> {
    /// Begins to tell the store. It is told once, even if it panics.
    pub(crate) fn conclude(mut self, carried_out: bool) -> Conclusion<F> {
        self.is_owed = false;
        let (pipeline, proof, claimed_at) = (Arc::clone(&self.pipeline), self.proof, self.claimed_at);
        Conclusion {
            telling: self.pipeline.conclude(&self.proof, self.claimed_at, carried_out),
            carried_out: carried_out.then_some(CarriedOut { pipeline, proof, claimed_at }),
        }
    }
}

impl<F: Form> Drop for Settling<F> {
    fn drop(&mut self) {
        if self.is_owed {
            alone::<F>(|| self.pipeline.conclude(&self.proof, self.claimed_at, false), None);
        }
    }
}

impl<F: Form> Conclusion<F> {
    /// What is left to do if the store was not told at once.
    pub(crate) fn at_once(mut self) -> Option<Self> {
        match self.telling.take()?.at_once() {
            Ok(told) => {
                self.note(told);
                None
            }
            Err(telling) => {
                self.telling = Some(telling);
                Some(self)
            }
        }
    }

    fn note(&mut self, told: Result<(), StoreError>) {
        note(told, self.carried_out.take());
    }
}

impl<F: Form> Future for Conclusion<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Taken out, so that a store that panics is not asked again when this is dropped.
        let Some(mut telling) = self.telling.take() else { return Poll::Ready(()) };
        match Pin::new(&mut telling).poll(cx) {
            Poll::Ready(told) => {
                self.note(told);
                Poll::Ready(())
            }
            Poll::Pending => {
                self.telling = Some(telling);
                Poll::Pending
            }
        }
    }
}

impl<F: Form> Drop for Conclusion<F> {
    fn drop(&mut self) {
        if let Some(telling) = self.telling.take() {
            alone(|| Some(telling), self.carried_out.take());
        }
    }
}

/// Brings a conclusion to its end without anyone who waits for it.
///
/// This runs when something is dropped, perhaps because of a panic: another one would end the process, whether the store's, the
/// log's, or that of what the store panicked with, which is therefore not dropped.
fn alone<F: Form>(conclude: impl FnOnce() -> Option<Patience<()>>, carried_out: Option<CarriedOut<F>>) {
    let told = catch_unwind(AssertUnwindSafe(|| {
        let Some(mut telling) = conclude() else { return };
        // A store in memory is done at once, and needs no task.
        match (telling.look(), Handle::try_current()) {
            (Poll::Ready(told), _) => note(told, carried_out),
            (Poll::Pending, Ok(runtime)) => _ = runtime.spawn(async move { note(telling.await, carried_out) }),
            (Poll::Pending, Err(no_runtime)) => note::<F>(Err(no_runtime.into()), None),
        }
    }));
    if let Err(panic) = told {
        forget(panic);
        if let Err(panic) = catch_unwind(|| note::<F>(Err(StoreError::new("it panicked")), None)) {
            forget(panic);
        }
    }
}

/// The answer stands, whatever the store says. A call that was carried out is settled again until its lease is over: after
/// that a copy of it would be carried out a second time.
fn note<F: Form>(told: Result<(), StoreError>, carried_out: Option<CarriedOut<F>>) {
    let Err(error) = told else { return };
    observe::store_failed(F::NAME, &error);
    let Some(carried_out) = carried_out else { return };
    match Handle::try_current() {
        Ok(runtime) => _ = runtime.spawn(carried_out.settle_again()),
        Err(_) => observe::not_settled::<F>(),
    }
}

impl<F: Form> CarriedOut<F> {
    async fn settle_again(self) {
        let Self { pipeline, proof, claimed_at } = self;
        let again_and_again = async {
            let mut pause = Duration::from_millis(50);
            loop {
                tokio::time::sleep(pause).await;
                let pipeline = Arc::clone(&pipeline);
                let attempt = async move {
                    match pipeline.conclude(&proof, claimed_at, true) {
                        Some(settling) => settling.await,
                        None => Ok(()),
                    }
                };
                // In a task of its own, so that a store that panics is asked again too.
                match tokio::spawn(attempt).await {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => observe::store_failed(F::NAME, &error),
                    Err(_) => observe::store_failed(F::NAME, &StoreError::new("it panicked")),
                }
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        };
        if tokio::time::timeout(pipeline.lease_left(claimed_at), again_and_again).await.is_err() {
            observe::not_settled::<F>();
        }
    }
}
