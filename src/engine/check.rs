//! The order of a check: [`Engine::screen`], then [`Engine::start`] and what follows it.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use super::Engine;
use super::lease::LeaseGuard;
use super::proof::{Accepted, Verified};
use crate::form::{Extracted, Form, Presence};
use crate::identity::{Identity, Unused};
use crate::keys::{Keys, TenantId, check_length};
use crate::observe::{self, Store, Watch};
use crate::prefetch;
use crate::rejection::{Facts, Reason, Step, StoreFailure};
use crate::replay::Claimed;
use crate::store::{StoreError, StoreFuture, Timer, Within};

/// Why a request does not reach the inner service.
pub(super) enum Stop {
    Refused(Reason, Option<Found>),
    /// It is a duplicate of this tenant's delivery, which was processed.
    Acknowledged(TenantId),
}

/// What a check had found when it refused.
#[derive(Default)]
pub(super) struct Found {
    /// As the request names it.
    pub(super) tenant: Option<TenantId>,
    pub(super) facts: Facts,
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason, None)
    }
}

impl<C> Accepted<C> {
    /// A refusal of what is authentic.
    fn stop(&self, reason: Reason) -> Stop {
        Stop::with(reason, Some(self.tenant().clone()), Facts::new())
    }
}

impl Stop {
    pub(super) fn with(reason: Reason, tenant: Option<TenantId>, facts: Facts) -> Self {
        Self::Refused(reason, Some(Found { tenant, facts }))
    }
}

/// The order of every check, top to bottom. Each step needs what only the step before it makes, so none can be left out
/// or moved. A step calls the next one if it need not wait, so that nothing is moved into a [`Stage`] and out again.
impl<F: Form, C> Engine<F, C> {
    /// Before the check: where the credential is. `Absent` only if the request needs none.
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
        let found = presence?; //                                                   0 unsupported_media_type
        if found == Presence::Absent { Err(self.what_is_missing(head)) } else { Ok(found) }
    }

    #[inline]
    pub(super) fn start(&self, head: &Parts, body: &Bytes) -> Result<Stage<F, C>, Stop> {
        let presented = self.extract(head, body)?; //                               1 malformed
        let mut keys = Within::new(self.settings.store_timeout, self.look_up(&presented));
        match keys.poll_in(None) {
            Poll::Ready(found) => {
                self.meters.answered(Store::Keys, keys.asked());
                self.on_keys(found, presented, false)
            }
            Poll::Pending => Ok(Stage::Keys { keys, presented, asked_again: false }),
        }
    }

    /// One reading of the clock decides every time check. Leases and the stores' bookkeeping have their own.
    #[inline]
    fn on_keys(
        &self,
        keys: Result<Keys, StoreError>,
        presented: Extracted<F::Credential>,
        asked_again: bool,
    ) -> Result<Stage<F, C>, Stop> {
        let refuse = |reason| self.stop(reason, &presented);
        let keys = keys.map_err(|error| self.store_failed(&error, Reason::KeyStore)).map_err(refuse)?; // 2 unavailable
        let verified = Verified::by_one_of(&keys, &presented, self); //             3 invalid
        let verified = match verified {
            Ok(verified) => verified,
            Err(refused) if asked_again => return Err(refuse(refused)),
            Err(refused) => return self.ask_key_store_again(&keys, presented, refused),
        };
        let refuse = |(reason, facts)| Stop::with(reason, presented.tenant.clone(), facts);
        let fresh = verified.fresh().map_err(refuse)?; //                           4 expired, not_yet_valid
        let accepted = fresh.with_claims().map_err(refuse)?; //                     5 invalid, rejected_claims
        self.refuse_older_than_the_store(&accepted).map_err(|reason| accepted.stop(reason))?; // 6 replayed
        self.ask_replay_store(accepted, Duration::ZERO) //                          7 replayed, acknowledged, unavailable
    }

    /// Of any number of duplicates, one passes.
    #[inline]
    fn ask_replay_store(&self, accepted: Accepted<C>, waited: Duration) -> Result<Stage<F, C>, Stop> {
        let Some(replay) = &self.replay else {
            let unused = Unused::reusable(self.rules.usage);
            let unused = unused.ok_or_else(|| accepted.stop(Reason::ReplayStore(StoreFailure::Failed)))?;
            return Ok(Stage::Passed(accepted.admitted(unused), None));
        };
        let claim = replay.claim_for(&accepted);
        let lease = LeaseGuard::new(replay, &accepted, &claim);
        let mut claimed = Within::new(self.settings.store_timeout, replay.store.claim(&claim));
        match claimed.poll_in(None) {
            Poll::Ready(answer) => {
                self.meters.answered(Store::Replay, claimed.asked());
                self.meters.sized(&*replay.store, accepted.checked_at());
                drop(claimed);
                self.on_claimed(answer, lease, accepted, waited)
            }
            Poll::Pending => Ok(Stage::Claim { claimed, lease, accepted, waited }),
        }
    }

    /// Whether the claim was the first. A duplicate of a delivery in progress waits until that delivery has ended.
    #[inline]
    fn on_claimed(
        &self,
        claimed: Result<Claimed, StoreError>,
        lease: Option<LeaseGuard>,
        accepted: Accepted<C>,
        waited: Duration,
    ) -> Result<Stage<F, C>, Stop> {
        // On failure the store may hold the claim, or may yet do so: dropping the lease releases it.
        let refuse = |reason| accepted.stop(reason);
        let claimed = claimed.map_err(|error| refuse(self.store_failed(&error, Reason::ReplayStore)))?;
        let taken = match Unused::first(claimed) {
            Ok(unused) => {
                self.still_stands(&accepted, waited).map_err(refuse)?;
                return Ok(Stage::Passed(accepted.admitted(unused), lease));
            }
            Err(taken) => taken,
        };
        let takes_leases = lease.is_some();
        if let Some(lease) = lease {
            // The claim got no lease, so there is nothing to release.
            lease.disarm();
        }
        match taken {
            Claimed::Spent if takes_leases => match Unused::known_duplicate(&self.rules) {
                Some(known) => Ok(Stage::Passed(accepted.admitted(known), None)),
                None => Err(Stop::Acknowledged(accepted.tenant().clone())),
            },
            Claimed::Leased if takes_leases && waited < self.settings.store_timeout => {
                let pause = Duration::from_millis(20).max(waited / 2);
                Ok(Stage::Pause { timer: Timer::new(pause), accepted, waited: waited + pause })
            }
            Claimed::Leased if takes_leases => Err(accepted.stop(Reason::InProgress)),
            Claimed::Forgotten => Err(accepted.stop(Reason::Forgotten)),
            _ => Err(accepted.stop(self.rules.duplicate.clone())),
        }
    }

    /// After the check: the request as the inner service sees it, with the identity and without the credential.
    pub(super) fn admit(&self, head: &mut Parts, identity: Identity<C>, watch: Watch)
    where
        C: Send + Sync + 'static,
    {
        let namespace = &self.settings.namespace;
        watch.observe(|| match identity.is_duplicate() {
            true => observe::acknowledged::<F>(namespace, identity.tenant()),
            false => observe::accepted::<F>(namespace, identity.tenant(), identity.key_use()),
        });
        watch.accepted(&identity, &self.meters);
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
    Keys { keys: Within<Keys>, presented: Extracted<F::Credential>, asked_again: bool },
    /// For the replay store. Field order is drop order: a claim is over before its lease is released.
    Claim { claimed: Within<Claimed>, lease: Option<LeaseGuard>, accepted: Accepted<C>, waited: Duration },
    /// For another request that has the same delivery in progress.
    Pause { timer: Timer, accepted: Accepted<C>, waited: Duration },
    /// With the lease to settle once the inner service has answered.
    Passed(Identity<C>, Option<LeaseGuard>),
}

impl<F: Form, C> Stage<F, C> {
    /// Runs the check until it has passed, is refused, or has to wait: then the stage it waits in comes back.
    ///
    /// Without a context (in `Service::call`, where there may be no task) nothing is polled: what is not ready yet
    /// comes back.
    pub(super) fn run(mut self, engine: &Engine<F, C>, mut cx: Option<&mut Context<'_>>) -> Result<Self, Stop> {
        loop {
            self = match self {
                Self::Keys { mut keys, presented, asked_again } => match keys.poll_in(cx.as_deref_mut()) {
                    Poll::Ready(found) => {
                        engine.meters.answered(Store::Keys, keys.asked());
                        engine.on_keys(found, presented, asked_again)?
                    }
                    Poll::Pending => return Ok(Self::Keys { keys, presented, asked_again }),
                },
                Self::Claim { mut claimed, lease, accepted, waited } => match claimed.poll_in(cx.as_deref_mut()) {
                    Poll::Ready(answer) => {
                        engine.meters.answered(Store::Replay, claimed.asked());
                        drop(claimed);
                        engine.on_claimed(answer, lease, accepted, waited)?
                    }
                    Poll::Pending => return Ok(Self::Claim { claimed, lease, accepted, waited }),
                },
                Self::Pause { mut timer, accepted, waited } => match timer.poll_in(cx.as_deref_mut()) {
                    Poll::Ready(()) => engine.ask_replay_store(accepted, waited)?,
                    Poll::Pending => return Ok(Self::Pause { timer, accepted, waited }),
                },
                passed @ Self::Passed(..) => return Ok(passed),
            };
        }
    }
}

/// The parts of the steps.
impl<F: Form, C> Engine<F, C> {
    /// The reason from `extract`. A credential that it finds does not count: the form said that there is none, so no
    /// body was read.
    fn what_is_missing(&self, head: &Parts) -> Reason {
        let found = self.form.extract(head, &Bytes::new());
        found.err().unwrap_or_else(|| Reason::MissingParameter("credential".into()))
    }

    /// The credential, and whose it claims to be: `None` if the request names no tenant that could be known.
    pub(super) fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<F::Credential>, Reason> {
        self.extract_by(&self.form, head, body)
    }

    /// As another form of this kind reads it, for [`explain`](crate::explain).
    #[inline]
    pub(super) fn extract_by(&self, form: &F, head: &Parts, body: &Bytes) -> Result<Extracted<F::Credential>, Reason> {
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

    /// The keys of the tenant, or what the form finds itself.
    pub(super) fn look_up(&self, presented: &Extracted<F::Credential>) -> StoreFuture<Result<Keys, StoreError>> {
        self.look_up_by(&self.form, presented)
    }

    #[inline]
    pub(super) fn look_up_by(
        &self,
        form: &F,
        presented: &Extracted<F::Credential>,
    ) -> StoreFuture<Result<Keys, StoreError>> {
        match (form.look_up(&presented.credential), &self.settings.keys, &presented.tenant) {
            (Some(found), ..) => found,
            (None, Some(store), Some(tenant)) => store.keys(tenant),
            _ => StoreFuture::ready(Ok(Keys::unknown_tenant())),
        }
    }

    /// No key fitted: asks the store once for newer keys, as it may have answered from a cache. Asks for unknown
    /// tenants too, so that the time of the answer does not reveal which tenants exist.
    fn ask_key_store_again(
        &self,
        tried: &Keys,
        presented: Extracted<F::Credential>,
        refused: Reason,
    ) -> Result<Stage<F, C>, Stop> {
        let newer = match (refused.step(), &self.settings.keys, &presented.tenant) {
            (Step::Keys | Step::Verify, Some(store), Some(tenant)) => store.keys_again(tenant, tried),
            _ => None,
        };
        let newer = newer.ok_or_else(|| self.stop(refused, &presented))?;
        let keys = Within::new(self.settings.store_timeout, newer);
        Ok(Stage::Keys { keys, presented, asked_again: true })
    }

    /// A credential that was usable before the replay store began to remember may have been used before that. So may a
    /// credential without a time, unless something other than the store recognises it.
    fn refuse_older_than_the_store(&self, accepted: &Accepted<C>) -> Result<(), Reason> {
        let cutoff = self.replay.as_ref().and_then(|replay| replay.store.remembers_since());
        let may_be_older = |cutoff| match accepted.validity().usable_since() {
            Some(usable_since) => usable_since < cutoff,
            None => !self.rules.survives_restart,
        };
        if cutoff.is_some_and(may_be_older) { Err(Reason::BeforeCutoff) } else { Ok(()) }
    }

    /// Whether a first claim counts. The store may have learnt only now that it has forgotten. And if the process was
    /// suspended between the time check and the claim, a duplicate's entry may have ended meanwhile.
    fn still_stands(&self, accepted: &Accepted<C>, waited: Duration) -> Result<(), Reason> {
        self.refuse_older_than_the_store(accepted)?;
        if self.settings.clock.now().since(accepted.checked_at()) > self.settings.store_timeout.saturating_add(waited) {
            return Err(self.store_failed(&StoreError::timed_out(), Reason::ReplayStore));
        }
        Ok(())
    }

    /// A refusal before the credential was authentic.
    pub(super) fn stop(&self, reason: Reason, presented: &Extracted<F::Credential>) -> Stop {
        let mut facts = Facts::new();
        if presented.tenant.is_none() && !self.rules.looks_keys_up {
            facts.add("tenant_of", format_args!("{:?}", self.settings.tenant));
        }
        self.form.describe(&presented.credential, &mut facts);
        // A form that finds its key itself names no tenant.
        let tenant = presented.tenant.clone().filter(|_| !self.rules.looks_keys_up);
        Stop::with(reason, tenant, facts)
    }

    fn store_failed(&self, error: &StoreError, reason: impl Fn(StoreFailure) -> Reason) -> Reason {
        observe::store_failed(F::NAME, error);
        reason(error.failure())
    }
}
