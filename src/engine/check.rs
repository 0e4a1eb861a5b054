//! The order of a check: [`Engine::screen`], then [`Engine::start`] and the steps that it calls.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use super::lease::LeaseGuard;
use super::proof::{Accepted, Verified};
use super::{Engine, Presented};
use crate::form::{Extracted, Form, Presence};
use crate::identity::{Admission, Identity};
use crate::keys::{Key, Keys, TenantId, check_length};
use crate::observe::{self, Store, Watch};
use crate::prefetch;
use crate::rejection::{Facts, Reason, Step, StoreFailure};
use crate::replay::Claimed;
use crate::store::{StoreError, StoreFuture, Timer, Within};

/// Why a request does not reach the inner service.
pub(super) enum Stop {
    Refused(Reason, Option<TenantId>, Facts),
    /// It is a duplicate of this tenant's delivery, which was processed.
    Acknowledged(TenantId),
}

type Checked<F, C> = Result<Stage<F, C>, Stop>;

impl<C> Accepted<C> {
    /// A refusal of what is authentic.
    fn refuse(&self, reason: Reason) -> Stop {
        Stop::Refused(reason, Some(self.tenant().clone()), Facts::new())
    }
}

/// The task that waits for the check. In `Service::call` there may be none: without one, no step polls anything, and
/// an answer that is not there yet is waited for later.
pub(super) type Task<'t, 'c> = Option<&'t mut Context<'c>>;

/// The order of every check, top to bottom. Verify, time, claims and replay cannot be skipped, as each needs what only
/// the step before it makes. Screen, cutoff and [`Engine::still_stands`] are plain calls.
///
/// A step calls the next one if it need not wait, so that nothing is moved into a [`Stage`] and out again.
impl<F: Form, C> Engine<F, C> {
    /// Before the check, and before the body is read: where the credential is. `Absent` is returned only by an optional
    /// layer.
    pub(super) fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        let presence = self.form.screen(head);
        if self.settings.optional && presence == Ok(Presence::Absent) {
            return presence;
        }
        if !self.settings.methods.contains(&head.method) {
            return Err(Reason::Method); //                                          0 method_not_allowed
        }
        if prefetch::is_marked(&head.headers) {
            return Err(Reason::Prefetch); //                                        0 too_early
        }
        let presence = presence?; //                                                0 unsupported_media_type
        if presence == Presence::Absent { Err(self.what_is_missing(head)) } else { Ok(presence) }
    }

    /// Step 1, and asks for the keys. The body is empty unless the credential is in it.
    #[inline]
    pub(super) fn start(&self, head: &Parts, body: &Bytes, task: Task<'_, '_>) -> Checked<F, C> {
        let presented = self.extract(head, body).map_err(|reason| self.refuse_head(reason, head))?; // 1 malformed
        self.on_keys(self.within(self.look_up(&presented)), presented, false, task)
    }

    /// Steps 2 to 7, once the keys are here.
    #[inline]
    fn on_keys(
        &self,
        mut keys: Within<Keys>,
        presented: Presented<F>,
        asked_again: bool,
        mut task: Task<'_, '_>,
    ) -> Checked<F, C> {
        let Poll::Ready(found) = keys.poll_in(task.as_deref_mut()) else {
            return Ok(Stage::Keys { keys, presented, asked_again });
        };
        self.meters.answered(Store::Keys, keys.asked());
        let keys = found.map_err(|error| self.store_failed(&error, Reason::KeyStore));
        let keys = keys.map_err(|reason| self.refuse_presented(reason, &presented))?; // 2 unavailable
        let verified = Verified::by_one_of(&keys, &presented, self); //             3 invalid, too_many_requests
        let verified = match verified {
            Ok(verified) => verified,
            Err(reason) => {
                let newer = if asked_again { None } else { self.newer_keys(&reason, &keys, &presented) };
                let newer = newer.ok_or_else(|| self.refuse_presented(reason, &presented))?;
                return self.on_keys(newer, presented, true, task);
            }
        };
        let (accepted, key) = self.accept(verified, &presented)?; //                4, 5
        key.used(accepted.checked_at());
        self.check_cutoff(&accepted)?; //                                           6 replayed
        self.ask_replay_store(accepted, Duration::ZERO, task) //                    7 replayed, unavailable
    }

    /// Steps 4 and 5. One reading of the clock decides every time check; leases and the stores' bookkeeping have their
    /// own.
    pub(super) fn accept(
        &self,
        verified: Verified<'_, F, C>,
        presented: &Presented<F>,
    ) -> Result<(Accepted<C>, Key), Stop> {
        let refuse = |(reason, facts)| Stop::Refused(reason, presented.tenant.clone(), facts);
        let fresh = verified.fresh().map_err(refuse)?; //                           4 expired, not_yet_valid
        fresh.with_claims().map_err(refuse) //                                      5 invalid, rejected_claims
    }

    /// Step 7: claims the credential. Of any number of duplicates, one passes.
    #[inline]
    fn ask_replay_store(&self, accepted: Accepted<C>, waited: Duration, task: Task<'_, '_>) -> Checked<F, C> {
        let Some(replay) = &self.replay else {
            let admission = Admission::reusable(self.rules.usage);
            let failed = || accepted.refuse(Reason::ReplayStore(StoreFailure::Failed));
            let admission = admission.ok_or_else(failed)?;
            return Ok(Stage::Passed(accepted.admitted(admission), None));
        };
        let claim = replay.claim_for(&accepted);
        // Before the store is asked: dropped after the claim, also if the store panics.
        let lease = LeaseGuard::new(replay, &accepted, &claim);
        self.on_claimed(lease, self.within(replay.store.claim(&claim)), accepted, waited, task)
    }

    /// Whether the claim was the first. A duplicate of a delivery in progress waits until that delivery has ended.
    #[inline]
    fn on_claimed(
        &self,
        lease: Option<LeaseGuard>,
        mut claim: Within<Claimed>,
        accepted: Accepted<C>,
        waited: Duration,
        mut task: Task<'_, '_>,
    ) -> Checked<F, C> {
        let Poll::Ready(claimed) = claim.poll_in(task.as_deref_mut()) else {
            return Ok(Stage::Claim { claim, lease, accepted, waited });
        };
        self.meters.answered(Store::Replay, claim.asked());
        if let Some(replay) = &self.replay {
            self.meters.sized(&*replay.store, accepted.checked_at());
        }
        drop(claim);
        // On failure the store may hold the claim, or may yet do so: dropping the lease releases it.
        let claimed = claimed.map_err(|error| self.store_failed(&error, Reason::ReplayStore));
        let taken = match claimed.map(Admission::first) {
            Ok(Ok(admission)) => {
                self.still_stands(&accepted, waited)?;
                return Ok(Stage::Passed(accepted.admitted(admission), lease));
            }
            Ok(Err(taken)) => taken,
            Err(reason) => return Err(accepted.refuse(reason)),
        };
        let takes_leases = lease.is_some();
        if let Some(lease) = lease {
            // The claim got no lease, so there is nothing to release.
            lease.disarm();
        }
        let reason = match taken {
            Claimed::Spent if takes_leases => {
                return match Admission::duplicate(&self.rules) {
                    Some(admission) => Ok(Stage::Passed(accepted.admitted(admission), None)),
                    None => Err(Stop::Acknowledged(accepted.tenant().clone())),
                };
            }
            Claimed::Leased if takes_leases && waited < self.settings.store_timeout => {
                let pause = Duration::from_millis(20).max(waited / 2);
                return self.pause(Timer::new(pause), accepted, waited + pause, task);
            }
            Claimed::Leased if takes_leases => Reason::InProgress,
            Claimed::Forgotten => Reason::Forgotten,
            _ => self.rules.duplicate.clone(),
        };
        Err(accepted.refuse(reason))
    }

    fn pause(
        &self,
        mut timer: Timer,
        accepted: Accepted<C>,
        waited: Duration,
        mut task: Task<'_, '_>,
    ) -> Checked<F, C> {
        match timer.poll_in(task.as_deref_mut()) {
            Poll::Ready(()) => self.ask_replay_store(accepted, waited, task),
            Poll::Pending => Ok(Stage::Pause { timer, accepted, waited }),
        }
    }

    /// After the check: the request as the inner service sees it, with the identity and without the credential.
    pub(super) fn admit(&self, head: &mut Parts, identity: Identity<C>, watch: Watch)
    where
        C: Send + Sync + 'static,
    {
        watch.admitted(&identity, &self.settings.namespace, &self.meters);
        self.credential.strip(&mut head.uri);
        #[cfg(feature = "axum")]
        if let Some(::axum::extract::OriginalUri(uri)) = head.extensions.get_mut() {
            self.credential.strip(uri);
        }
        self.form.redact(head);
        head.extensions.insert(identity);
    }
}

/// The state of a check that was not refused: what it waits for, or that it has passed. With stores in memory it waits
/// only for a delivery in progress.
pub(super) enum Stage<F: Form, C> {
    /// For the tenant's keys.
    Keys { keys: Within<Keys>, presented: Presented<F>, asked_again: bool },
    /// For the replay store. Field order is drop order: a claim is over before its lease is released.
    Claim { claim: Within<Claimed>, lease: Option<LeaseGuard>, accepted: Accepted<C>, waited: Duration },
    /// For another request that has the same delivery in progress.
    Pause { timer: Timer, accepted: Accepted<C>, waited: Duration },
    /// With the lease to settle once the inner service has answered.
    Passed(Identity<C>, Option<LeaseGuard>),
}

impl<F: Form, C> Stage<F, C> {
    /// Runs the check until it has passed, is refused, or has to wait: then the stage it waits in comes back.
    pub(super) fn run(self, engine: &Engine<F, C>, task: Task<'_, '_>) -> Result<Self, Stop> {
        match self {
            Self::Keys { keys, presented, asked_again } => engine.on_keys(keys, presented, asked_again, task),
            Self::Claim { claim, lease, accepted, waited } => engine.on_claimed(lease, claim, accepted, waited, task),
            Self::Pause { timer, accepted, waited } => engine.pause(timer, accepted, waited, task),
            passed @ Self::Passed(..) => Ok(passed),
        }
    }
}

/// The parts of the steps.
impl<F: Form, C> Engine<F, C> {
    /// The reason from `extract`. A credential that it finds does not count: the form said that there is none, so no
    /// body was read.
    fn what_is_missing(&self, head: &Parts) -> Reason {
        let extracted = self.form.extract(head, &Bytes::new());
        extracted.err().unwrap_or_else(|| Reason::MissingParameter("credential".into()))
    }

    /// The credential, and whose it claims to be: `None` if the request names no tenant that could be known.
    pub(super) fn extract(&self, head: &Parts, body: &Bytes) -> Result<Presented<F>, Reason> {
        self.extract_by(&self.form, head, body)
    }

    /// As another form of this kind reads it, for [`explain`](crate::explain).
    #[inline]
    pub(super) fn extract_by(&self, form: &F, head: &Parts, body: &Bytes) -> Result<Presented<F>, Reason> {
        let extracted = form.extract(head, body)?;
        let tenant = match extracted.tenant {
            Some(tenant) => Some(tenant),
            // The form signs the name, and anybody could write another one elsewhere into the request.
            None if self.rules.signs_tenant => None,
            None => self.settings.tenant.of(head)?,
        };
        if let Some(name) = &tenant {
            check_length(name.as_str()).map_err(|why| Reason::Malformed("tenant".into(), why))?;
        }
        Ok(Extracted { credential: extracted.credential, tenant })
    }

    /// The keys of the tenant, or what the form finds itself. A request that names no tenant does not reach the store.
    /// The time of its answer shows that, but reveals nothing about any tenant.
    pub(super) fn look_up(&self, presented: &Presented<F>) -> StoreFuture<Result<Keys, StoreError>> {
        self.look_up_by(&self.form, presented)
    }

    #[inline]
    pub(super) fn look_up_by(&self, form: &F, presented: &Presented<F>) -> StoreFuture<Result<Keys, StoreError>> {
        match (form.look_up(&presented.credential), &self.settings.keys, &presented.tenant) {
            (Some(found), ..) => found,
            (None, Some(store), Some(tenant)) => store.keys(tenant),
            _ => StoreFuture::ready(Ok(Keys::unknown_tenant())),
        }
    }

    /// No key fitted: asks the store once for newer keys, as it may have answered from a cache. Asks for unknown
    /// tenants too, so that the time of the answer does not reveal which tenants exist.
    pub(super) fn newer_keys(&self, refused: &Reason, tried: &Keys, presented: &Presented<F>) -> Option<Within<Keys>> {
        match (refused.step(), &self.settings.keys, &presented.tenant) {
            (Step::Keys | Step::Verify, Some(store), Some(tenant)) => {
                store.keys_again(tenant, tried).map(|newer| self.within(newer))
            }
            _ => None,
        }
    }

    pub(super) fn within<T>(&self, answer: StoreFuture<Result<T, StoreError>>) -> Within<T> {
        Within::new(self.settings.store_timeout, answer)
    }

    /// A credential that was usable before the replay store began to remember may have been used before that. So may a
    /// credential without a time, unless something other than the store recognises it.
    fn check_cutoff(&self, accepted: &Accepted<C>) -> Result<(), Stop> {
        let cutoff = self.replay.as_ref().and_then(|replay| replay.store.remembers_since());
        let may_be_older = |cutoff| match accepted.validity().usable_since() {
            Some(usable_since) => usable_since < cutoff,
            None => !self.rules.survives_restart,
        };
        if cutoff.is_some_and(may_be_older) {
            return Err(accepted.refuse(Reason::BeforeCutoff));
        }
        Ok(())
    }

    /// Whether a first claim counts. The store may have learnt only now that it has forgotten. And if the process was
    /// suspended between the time check and the claim, a duplicate's entry may have ended meanwhile.
    ///
    /// A refusal here releases a delivery. A sign-in link stays spent: its user needs a new one.
    fn still_stands(&self, accepted: &Accepted<C>, waited: Duration) -> Result<(), Stop> {
        self.check_cutoff(accepted)?;
        if self.settings.clock.now().since(accepted.checked_at()) > self.settings.store_timeout.saturating_add(waited) {
            let reason = self.store_failed(&StoreError::timed_out(), Reason::ReplayStore);
            return Err(accepted.refuse(reason));
        }
        Ok(())
    }

    /// A refusal before a credential was found. The head may name a tenant already.
    pub(super) fn refuse_head(&self, reason: Reason, head: &Parts) -> Stop {
        let names_none = self.rules.signs_tenant || self.rules.looks_keys_up;
        let tenant = if names_none { None } else { self.settings.tenant.of(head).ok().flatten() };
        Stop::Refused(reason, tenant, Facts::new())
    }

    /// A refusal before the credential was authentic.
    pub(super) fn refuse_presented(&self, reason: Reason, presented: &Presented<F>) -> Stop {
        let mut facts = Facts::new();
        if presented.tenant.is_none() && !self.rules.looks_keys_up {
            facts.add("tenant_of", format_args!("{:?}", self.settings.tenant));
        }
        self.form.describe(&presented.credential, &mut facts);
        // A form that finds its key itself names no tenant.
        let tenant = presented.tenant.clone().filter(|_| !self.rules.looks_keys_up);
        Stop::Refused(reason, tenant, facts)
    }

    fn store_failed(&self, error: &StoreError, reason: impl Fn(StoreFailure) -> Reason) -> Reason {
        observe::store_failed(F::NAME, error);
        reason(error.failure())
    }
}
