//! The steps of a check, in order: [`check`].

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use super::Engine;
use super::lease::LeaseGuard;
use super::proof::{Accepted, Admitted, Unused, Verified};
use crate::form::{Form, Presence};
use crate::identity::Identity;
use crate::keys::{Keys, TenantId};
use crate::observe::Step;
use crate::rejection::{Reason, StoreFailure};
use crate::replay::Claimed;
use crate::store::{StoreError, StoreFuture, within};
use crate::{observe, prefetch, tenant};

/// What is to be done with a request, judged by its head alone.
pub(super) enum Screening {
    /// It carries no credential and needs none.
    PassThrough,
    /// The head holds the whole credential.
    Head,
    /// The body is part of the credential.
    Body,
}

/// A credential as it was extracted, and whose it claims to be.
pub(super) struct Presented<C> {
    pub(super) credential: C,
    /// `None` if the request names no tenant that could be known.
    pub(super) tenant: Option<TenantId>,
}

/// A request that passed: its identity, and the lease to settle once the inner service has answered.
pub(super) struct Passed<C> {
    pub(super) admitted: Admitted<C>,
    pub(super) lease: Option<LeaseGuard>,
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

/// Checks one request. Each step needs what only the step before it makes, so none can be left out or moved.
pub(super) async fn check<F: Form, C>(engine: &Engine<F, C>, head: &Parts, body: &Bytes) -> Result<Passed<C>, Stop> {
    let presented = engine.extract(head, body)?; //              1 malformed
    let keys = engine.found(engine.look_up(&presented)).await?; // 2 unavailable
    let verified = engine.verify(presented, keys).await?; // 3 invalid; reads the clock, once for all that follows
    let fresh = verified.fresh()?; //                            4 expired, not_yet_valid
    let accepted = fresh.with_claims()?; //                      5 rejected_claims
    engine.refuse_older_than_the_store(&accepted)?; //           6 replayed
    engine.claim(accepted).await //                              7 replayed, acknowledged, unavailable
}

impl<F: Form, C> Engine<F, C> {
    /// Before the check: the method, marks of requests that nobody clicked, and whether there is anything to check.
    pub(super) fn screen(&self, head: &Parts) -> Result<Screening, Reason> {
        let presence = self.form.screen(head);
        if self.optional && presence == Ok(Presence::Absent) {
            return Ok(Screening::PassThrough);
        }
        if !self.methods.contains(&head.method) {
            return Err(Reason::Method);
        }
        if prefetch::is_marked(&head.headers) {
            return Err(Reason::Prefetch);
        }
        // If it is absent, `extract` says what is missing.
        Ok(if presence? == Presence::InBody { Screening::Body } else { Screening::Head })
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Presented<F::Credential>, Reason> {
        let extracted = self.form.extract(head, body)?;
        let tenant = match extracted.tenant {
            Some(tenant) => Some(tenant),
            None => self.tenant.of(head)?,
        };
        if let Some(name) = &tenant {
            tenant::check_length(name.as_str()).map_err(|why| Reason::Malformed("tenant".into(), why))?;
        }
        Ok(Presented { credential: extracted.credential, tenant })
    }

    fn look_up(&self, presented: &Presented<F::Credential>) -> StoreFuture<Result<Keys, StoreError>> {
        match (self.form.look_up(&presented.credential), &self.keys, &presented.tenant) {
            (Some(found), ..) => found,
            (None, Some(store), Some(tenant)) => store.keys(tenant),
            _ => StoreFuture::ready(Ok(Keys::unknown_tenant())),
        }
    }

    async fn found(&self, keys: StoreFuture<Result<Keys, StoreError>>) -> Result<Keys, Reason> {
        within(self.store_timeout, keys).await.map_err(|error| self.store_failed(&error, Reason::KeyStore))
    }

    /// Where no key fits, asks the store once for newer ones: it may have answered from a cache. It is asked whether the
    /// tenant has keys or not, so that the time of the answer does not tell.
    async fn verify(&self, presented: Presented<F::Credential>, keys: Keys) -> Result<Verified<'_, F, C>, Reason> {
        let refused = match Verified::by_one_of(&keys, &presented, self) {
            Ok(verified) => return Ok(verified),
            Err(refused) => refused,
        };
        let newer = match (refused.step(), &self.keys, &presented.tenant) {
            (Step::Keys | Step::Verify, Some(store), Some(tenant)) => store.keys_again(tenant, &keys),
            _ => None,
        };
        match newer {
            Some(newer) => Verified::by_one_of(&self.found(newer).await?, &presented, self),
            None => Err(refused),
        }
    }

    /// What was usable before the replay store began to remember may have been used before that. So may what does not say
    /// since when it is usable, unless something other than the store recognises it.
    fn refuse_older_than_the_store(&self, accepted: &Accepted<C>) -> Result<(), Reason> {
        let cutoff = self.memory.as_ref().and_then(|memory| memory.store.remembers_since());
        let may_be_older = |cutoff| match accepted.validity().usable_since() {
            Some(usable_since) => usable_since < cutoff,
            None => !self.rules.survives_restart,
        };
        if cutoff.is_some_and(may_be_older) { Err(Reason::BeforeFence) } else { Ok(()) }
    }

    /// Claims the credential: of any number of duplicates, one passes. A duplicate of a call in progress waits for what
    /// becomes of that call.
    async fn claim(&self, accepted: Accepted<C>) -> Result<Passed<C>, Stop> {
        let Some(memory) = &self.memory else {
            let unused = Unused::reusable(self.rules.usage).ok_or(Reason::ReplayStore(StoreFailure::Failed))?;
            return Ok(Passed { admitted: accepted.admitted(unused), lease: None });
        };
        let is_call = self.rules.usage.is_idempotent();
        let mut waited = Duration::ZERO;
        loop {
            let claim = memory.claim_for(&accepted);
            let lease = is_call.then(|| LeaseGuard::new(memory, &accepted, claim.hold));
            // On failure the store may hold the claim, or may yet do so: dropping the guard releases it.
            let claimed = within(self.store_timeout, memory.store.claim(&claim)).await;
            let claimed = claimed.map_err(|error| self.store_failed(&error, Reason::ReplayStore))?;
            let taken = match Unused::first(claimed) {
                Ok(unused) => {
                    self.still_stands(&accepted, waited)?;
                    return Ok(Passed { admitted: accepted.admitted(unused), lease });
                }
                Err(taken) => taken,
            };
            // Another request has it or had it, so there is nothing to release.
            if let Some(lease) = lease {
                lease.disarm();
            }
            match taken {
                Claimed::Spent if is_call => return Err(Stop::Acknowledged),
                Claimed::Leased if is_call && waited < self.store_timeout => {
                    let pause = Duration::from_millis(20).max(waited / 2);
                    tokio::time::sleep(pause).await;
                    waited += pause;
                }
                Claimed::Leased if is_call => return Err(Reason::InProgress.into()),
                Claimed::Forgotten => return Err(Reason::BeforeFence.into()),
                _ => return Err(Reason::Replayed.into()),
            }
        }
    }

    /// Whether a first claim is worth what it says. The store may have learnt only now that it has forgotten. And a process
    /// that was suspended between the check of the time and the claim may have slept past the end of a duplicate's entry.
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
    pub(super) fn admit(&self, head: &mut Parts, admitted: Admitted<C>)
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
        head.extensions.insert(Identity::new(admitted));
    }
}
