//! From one step of a check to the next: as far as it goes without waiting.
//!
//! These steps, and what they call in [`pipeline`](crate::pipeline) and [`proof`](crate::proof), are each called in one place, for
//! every form. They are marked `#[inline]` so that the compiler, which makes them anew for each form, sees them as one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
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
}

/// What the replay store is owed for a claim of a call.
pub(crate) struct Settling<F> {
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
    pub(crate) fn verify(&mut self, extraction: Extraction<F::Credential>, keys: Result<Keys, StoreError>) -> Step<F> {
        let now = self.pipeline.now();
        match self.pipeline.verify(extraction, keys, now) {
            Err(reason) => Step::Refuse(reason),
            Ok(accepted) => {
                let claimed_at = self.pipeline.time_of_claim(now);
                self.claim(Checked { accepted, now, claimed_at, waited: Duration::ZERO })
            }
        }
    }

    #[inline]
    pub(crate) fn claim(&mut self, checked: Checked<F>) -> Step<F> {
        let claim = self.pipeline.claim(checked.accepted.proof(), checked.now, checked.claimed_at);
        let Some(claim) = claim else { return self.judge(checked, None) };
        match claim.at_once() {
            Ok(claimed) => self.judge(checked, Some(claimed)),
            Err(claim) => Step::Later(Later::Claim { claim, checked }),
        }
    }

    #[inline]
    pub(crate) fn judge(&mut self, checked: Checked<F>, claimed: Option<Result<Claimed, StoreError>>) -> Step<F> {
        let settling = self.pipeline.settles().then(|| checked.settling(self.pipeline));
        let Checked { accepted, now, claimed_at, waited } = checked;
        match self.pipeline.judge(accepted, claimed, now, waited) {
            Verdict::Pass(unique) => {
                self.pipeline.admit_identity(self.head, unique);
                Step::Call(settling.map_or(After::Seal, After::Settle))
            }
            Verdict::Acknowledge => Step::Acknowledge,
            Verdict::Wait(accepted) if waited < self.pipeline.longest_wait() => {
                let pause = Duration::from_millis(20).max(waited / 2);
                let checked = Checked { accepted, now, claimed_at, waited: waited + pause };
                Step::Later(Later::Wait { pause, checked })
            }
            Verdict::Wait(_) => Step::Refuse(Reason::InProgress),
            Verdict::Refuse(reason) => Step::Refuse(reason),
            Verdict::Forfeit(reason) => {
                if let Some(settling) = settling {
                    settling.forfeit();
                }
                Step::Refuse(reason)
            }
        }
    }
}

impl<F: Form> Checked<F> {
    fn settling(&self, pipeline: &Arc<Pipeline<F>>) -> Settling<F> {
        Settling { pipeline: Arc::clone(pipeline), proof: *self.accepted.proof(), claimed_at: self.claimed_at }
    }

    /// Nobody waits for the replay store any more, which may have carried the claim out, or may yet do so.
    pub(crate) fn forfeit(&self, pipeline: &Arc<Pipeline<F>>) {
        if pipeline.settles() {
            self.settling(pipeline).forfeit();
        }
    }
}

impl<F: Form> Settling<F> {
    #[inline]
    pub(crate) fn conclude(self, carried_out: bool) -> Option<Patience<()>> {
        self.pipeline.conclude(&self.proof, self.claimed_at, carried_out)
    }

    /// The call was not carried out, or nobody has heard that it was.
    pub(crate) fn forfeit(self) {
        if let Some(conclusion) = self.conclude(false) {
            conclude_alone::<F>(conclusion);
        }
    }
}

/// Brings a conclusion to its end without anyone who waits for it.
pub(crate) fn conclude_alone<F: Form>(mut conclusion: Patience<()>) {
    // Without a runtime only a store in memory can have been waited for, and it has done its part when it was called.
    let Ok(runtime) = Handle::try_current() else { return };
    // A store in memory is done at once, and needs no task.
    if Pin::new(&mut conclusion).poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        runtime.spawn(async move {
            if let Err(error) = conclusion.await {
                observe::store_failed(F::NAME, &error);
            }
        });
    }
}
