//! The order of a check: [`Engine::check`] and what follows it.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use super::Engine;
use super::lease::LeaseGuard;
use super::proof::{Accepted, Verified};
use crate::form::{Extracted, Form, Presence};
use crate::identity::{Identity, Unused};
use crate::keys::{Keys, check_length};
use crate::rejection::{Reason, Step, StoreFailure};
use crate::replay::Claimed;
use crate::store::{StoreError, StoreFuture, Timer, Within};
use crate::{observe, prefetch};

/// Where a check has come to, if nothing has refused the request.
pub(super) enum Next<F: Form, C> {
    Wait(Check<F, C>),
    /// It passed, with the lease to settle once the inner service has answered.
    Pass(Identity<C>, Option<LeaseGuard>),
}

/// Why a request does not reach the inner service.
pub(super) enum Stop {
    Refused(Reason),
    /// It is a duplicate of a call that was processed.
    Acknowledged,
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// The order of every check, top to bottom. Each step needs what only the step before it makes, so none can be left out
/// or moved.
impl<F: Form, C> Engine<F, C> {
    pub(super) fn check(&self, head: &Parts, body: &Bytes) -> Result<Check<F, C>, Stop> {
        let presented = self.extract(head, body)?; //                               1 malformed
        let keys = Within::new(self.store_timeout, self.look_up(&presented));
        Ok(Check::Keys { keys, presented, asked_again: false })
    }

    /// Reads the clock, once for all that follows.
    fn verify(
        &self,
        keys: Result<Keys, StoreError>,
        presented: Extracted<F::Credential>,
        asked_again: bool,
    ) -> Result<Next<F, C>, Stop> {
        let keys = keys.map_err(|error| self.store_failed(&error, Reason::KeyStore))?; // 2 unavailable
        let verified = match Verified::by_one_of(&keys, &presented, self) {
            //      3 invalid
            Ok(verified) => verified,
            Err(refused) if asked_again => return Err(refused.into()),
            Err(refused) => return self.ask_again(&keys, presented, refused),
        };
        let fresh = verified.fresh()?; //                                           4 expired, not_yet_valid
        let accepted = fresh.with_claims()?; //                                     5 rejected_claims
        self.refuse_older_than_the_store(&accepted)?; //                            6 replayed
        self.claim(accepted, Duration::ZERO) //                                     7 replayed, acknowledged, unavailable
    }

    /// Of any number of duplicates, one passes.
    fn claim(&self, accepted: Accepted<C>, waited: Duration) -> Result<Next<F, C>, Stop> {
        let Some(memory) = &self.memory else {
            let unused = Unused::reusable(self.rules.usage).ok_or(Reason::ReplayStore(StoreFailure::Failed))?;
            return Ok(Next::Pass(accepted.admitted(unused), None));
        };
        let claim = memory.claim_for(&accepted);
        let lease = LeaseGuard::new(memory, &accepted, &claim);
        let claimed = Within::new(self.store_timeout, memory.store.claim(&claim));
        Ok(Next::Wait(Check::Claim { claimed, lease, accepted, waited }))
    }

    /// Whether the claim was the first. A duplicate of a call in progress waits for what becomes of that call.
    fn judge(
        &self,
        claimed: Result<Claimed, StoreError>,
        lease: Option<LeaseGuard>,
        accepted: Accepted<C>,
        waited: Duration,
    ) -> Result<Next<F, C>, Stop> {
        // On failure the store may hold the claim, or may yet do so: dropping the lease releases it.
        let claimed = claimed.map_err(|error| self.store_failed(&error, Reason::ReplayStore))?;
        let taken = match Unused::first(claimed) {
            Ok(unused) => {
                self.still_stands(&accepted, waited)?;
                return Ok(Next::Pass(accepted.admitted(unused), lease));
            }
            Err(taken) => taken,
        };
        let is_call = lease.is_some();
        // Another request has it or had it, so there is nothing to release.
        lease.into_iter().for_each(LeaseGuard::disarm);
        match taken {
            Claimed::Spent if is_call => Err(Stop::Acknowledged),
            Claimed::Leased if is_call && waited < self.store_timeout => {
                let pause = Duration::from_millis(20).max(waited / 2);
                Ok(Next::Wait(Check::Pause { timer: Timer::new(pause), accepted, waited: waited + pause }))
            }
            Claimed::Leased if is_call => Err(Reason::InProgress.into()),
            Claimed::Forgotten => Err(Reason::BeforeCutoff.into()),
            _ => Err(self.rules.duplicate.clone().into()),
        }
    }
}

/// A check that waits, and for what. With stores in memory none ever does.
pub(super) enum Check<F: Form, C> {
    /// For the tenant's keys.
    Keys { keys: Within<Keys>, presented: Extracted<F::Credential>, asked_again: bool },
    /// For the replay store. Field order is drop order: a claim is over before its lease is released.
    Claim { claimed: Within<Claimed>, lease: Option<LeaseGuard>, accepted: Accepted<C>, waited: Duration },
    /// For another request that has the same call in progress.
    Pause { timer: Timer, accepted: Accepted<C>, waited: Duration },
}

impl<F: Form, C> Check<F, C> {
    /// Goes on until the check is decided or has to wait. Without a context, an answer that is not there yet is waited
    /// for.
    pub(super) fn go_on(mut self, engine: &Engine<F, C>, mut cx: Option<&mut Context<'_>>) -> Result<Next<F, C>, Stop> {
        loop {
            let next = match self {
                Self::Keys { mut keys, presented, asked_again } => match keys.poll_in(cx.as_deref_mut()) {
                    Poll::Ready(keys) => engine.verify(keys, presented, asked_again)?,
                    Poll::Pending => return Ok(Next::Wait(Self::Keys { keys, presented, asked_again })),
                },
                Self::Claim { mut claimed, lease, accepted, waited } => match claimed.poll_in(cx.as_deref_mut()) {
                    Poll::Ready(answer) => {
                        drop(claimed);
                        engine.judge(answer, lease, accepted, waited)?
                    }
                    Poll::Pending => return Ok(Next::Wait(Self::Claim { claimed, lease, accepted, waited })),
                },
                Self::Pause { mut timer, accepted, waited } => match timer.poll_in(cx.as_deref_mut()) {
                    Poll::Ready(()) => engine.claim(accepted, waited)?,
                    Poll::Pending => return Ok(Next::Wait(Self::Pause { timer, accepted, waited })),
                },
            };
            let Next::Wait(check) = next else { return Ok(next) };
            self = check;
        }
    }
}

/// The parts of the steps.
impl<F: Form, C> Engine<F, C> {
    /// Before the check: the method, marks of requests that nobody clicked, and where the credential is. `Absent` only
    /// if the request needs none.
    pub(super) fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        let presence = self.form.screen(head);
        if self.optional && presence == Ok(Presence::Absent) {
            return presence;
        }
        if !self.methods.contains(&head.method) {
            return Err(Reason::Method);
        }
        if prefetch::is_marked(&head.headers) {
            return Err(Reason::Prefetch);
        }
        match presence? {
            Presence::Absent => Err(self.what_is_missing(head)),
            found => Ok(found),
        }
    }

    /// Whatever `extract` finds now does not count: the form said that there is no credential, so no body was read.
    fn what_is_missing(&self, head: &Parts) -> Reason {
        let found = self.form.extract(head, &Bytes::new());
        found.err().unwrap_or_else(|| Reason::MissingParameter("credential".into()))
    }

    /// The credential, and whose it claims to be: `None` if the request names no tenant that could be known.
    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<F::Credential>, Reason> {
        let extracted = self.form.extract(head, body)?;
        let tenant = match extracted.tenant {
            Some(tenant) => Some(tenant),
            // The form says that the name is signed, and anybody could write another one into the request.
            None if self.rules.signs_tenant => None,
            None => self.tenant.of(head)?,
        };
        if let Some(name) = &tenant {
            check_length(name.as_str()).map_err(|why| Reason::Malformed("tenant".into(), why))?;
        }
        Ok(Extracted { credential: extracted.credential, tenant })
    }

    /// The keys of the tenant, or what the form finds itself.
    fn look_up(&self, presented: &Extracted<F::Credential>) -> StoreFuture<Result<Keys, StoreError>> {
        match (self.form.look_up(&presented.credential), &self.keys, &presented.tenant) {
            (Some(found), ..) => found,
            (None, Some(store), Some(tenant)) => store.keys(tenant),
            _ => StoreFuture::ready(Ok(Keys::unknown_tenant())),
        }
    }

    /// No key fitted: asks the store once for newer ones, as it may have answered from a cache. It is asked whether the
    /// tenant has keys or not, so that the time of the answer does not tell.
    fn ask_again(
        &self,
        tried: &Keys,
        presented: Extracted<F::Credential>,
        refused: Reason,
    ) -> Result<Next<F, C>, Stop> {
        let newer = match (refused.step(), &self.keys, &presented.tenant) {
            (Step::Keys | Step::Verify, Some(store), Some(tenant)) => store.keys_again(tenant, tried),
            _ => None,
        };
        let keys = Within::new(self.store_timeout, newer.ok_or(refused)?);
        Ok(Next::Wait(Check::Keys { keys, presented, asked_again: true }))
    }

    /// What was usable before the replay store began to remember may have been used before that. So may what does not
    /// say since when it is usable, unless something other than the store recognises it.
    fn refuse_older_than_the_store(&self, accepted: &Accepted<C>) -> Result<(), Reason> {
        let cutoff = self.memory.as_ref().and_then(|memory| memory.store.remembers_since());
        let may_be_older = |cutoff| match accepted.validity().usable_since() {
            Some(usable_since) => usable_since < cutoff,
            None => !self.rules.survives_restart,
        };
        if cutoff.is_some_and(may_be_older) { Err(Reason::BeforeCutoff) } else { Ok(()) }
    }

    /// Whether a first claim is worth what it says. The store may have learnt only now that it has forgotten. And a
    /// process that was suspended between the check of the time and the claim may have slept past the end of a
    /// duplicate's entry.
    fn still_stands(&self, accepted: &Accepted<C>, waited: Duration) -> Result<(), Reason> {
        self.refuse_older_than_the_store(accepted)?;
        if self.clock.now().since(accepted.checked_at()) > self.store_timeout.saturating_add(waited) {
            return Err(self.store_failed(&StoreError::timed_out(), Reason::ReplayStore));
        }
        Ok(())
    }

    fn store_failed(&self, error: &StoreError, reason: impl Fn(StoreFailure) -> Reason) -> Reason {
        observe::store_failed(F::NAME, error);
        reason(error.failure())
    }

    /// After the check: the request as the inner service sees it, with the identity and without the credential.
    pub(super) fn admit(&self, head: &mut Parts, identity: Identity<C>)
    where
        C: Send + Sync + 'static,
    {
        observe::accepted::<F>();
        self.credential.strip(&mut head.uri);
        #[cfg(feature = "axum")]
        if let Some(::axum::extract::OriginalUri(uri)) = head.extensions.get_mut() {
            self.credential.strip(uri);
        }
        self.form.redact(head);
        head.extensions.insert(identity);
    }
}
