//! The order of a check: [`Engine::screen`], then [`Engine::check`].

use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use super::lease::LeaseGuard;
use super::proof::{Accepted, Verified};
use super::{Engine, Presented};
use crate::body::sealed::Sealed as _;
use crate::clock::UnixTime;
use crate::form::{Form, Presence};
use crate::identity::{Admission, Identity};
use crate::keys::{Keys, TenantId};
use crate::observe::{Store, Watch};
use crate::prefetch;
use crate::rejection::{Facts, Reason, StoreFailure};
use crate::replay::Claimed;
use crate::store::{StoreError, StoreFuture, Within};

/// Why a request does not reach the inner service.
pub(super) enum Stop {
    Refused(Reason, Option<TenantId>, Facts),
    /// It is authentic, but outside its window: with its age in seconds, if it has a time.
    Untimely(Reason, Option<TenantId>, Facts, Option<f64>),
    /// It is a duplicate of this tenant's delivery, which was processed.
    Acknowledged(TenantId),
}

/// How far a check has come, and what it waits for. With stores in memory it waits only while another request has the
/// same delivery in progress.
pub(super) enum Stage<F: Form, C> {
    /// Not started. The body is empty unless it is signed or holds the credential.
    Begun(Bytes),
    /// For the tenant's keys.
    Keys { answer: Within<Keys>, presented: Presented<F>, asked_again: bool },
    /// For the replay store. Field order is drop order: a claim is over before its lease is released.
    /// `waited`: for another request that has the same delivery in progress, up to this claim.
    Claim { answer: Within<Claimed>, lease: Option<LeaseGuard>, accepted: Accepted<C>, waited: Duration },
    /// For another request that has the same delivery in progress.
    Pause { timer: StoreFuture<()>, accepted: Accepted<C>, waited: Duration },
}

/// A request that may reach the inner service.
pub(super) struct Passed<C> {
    pub(super) identity: Identity<C>,
    /// To be settled once the inner service has answered.
    pub(super) lease: Option<LeaseGuard>,
    /// When the check ended.
    pub(super) ended: UnixTime,
}

/// The context of the future that polls the check. `None` inside `Service::call`: only answers that are ready are
/// taken, and the rest is polled by the future.
pub(super) type Task<'t, 'c> = Option<&'t mut Context<'c>>;

impl<F: Form, C> Engine<F, C> {
    /// Runs before the body is read, and says where the credential is. Only an optional layer returns `Absent`.
    pub(super) fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        let presence = self.form.screen(head);
        if self.settings.optional && presence == Ok(Presence::Absent) {
            return presence;
        }
        if !self.settings.methods.contains(&head.method) {
            return Err(Reason::Method); //                                          screen: method_not_allowed
        }
        if prefetch::is_marked(&head.headers) {
            return Err(Reason::Prefetch); //                                        screen: too_early
        }
        let presence = presence?; //                                                screen: unsupported_media_type
        match presence {
            Presence::Absent => Err(self.what_is_missing(head)),
            // Nothing reads the body, so it is refused like any that nobody signed.
            Presence::InBody if !F::Reads::READS_BODY => Ok(Presence::InHead),
            presence => Ok(presence),
        }
    }

    /// The order of every check. Runs until the check has passed, is refused, or has to wait.
    ///
    /// Steps 3, 4, 5 and 7 cannot be left out, as each takes what only the one before it makes: see `proof.rs`. One
    /// reading of the clock, `now`, decides steps 3 to 6: that of the call in which the keys arrive. Another one, after
    /// the replay store's answer, only decides whether that came too late.
    pub(super) fn check(
        &self,
        stage: &mut Stage<F, C>,
        head: &Parts,
        now: UnixTime,
        mut task: Task<'_, '_>,
    ) -> Poll<Result<Passed<C>, Stop>> {
        loop {
            *stage = match stage {
                Stage::Begun(body) => {
                    let presented = self.extract(head, body)?; //                1 extract: malformed
                    Stage::Keys { answer: self.within(self.look_up(&presented)), presented, asked_again: false }
                }
                Stage::Keys { answer, presented, asked_again } => {
                    let (found, took) = ready!(answer.poll_in(task.as_deref_mut()));
                    self.meters.answered(Store::Keys, took);
                    let keys = self.found(found, presented)?; //                 2 keys: unavailable
                    let verified = Verified::by_one_of(&keys, presented, now, self); // 3 verify: invalid, too_many_requests
                    let verified = match verified {
                        Ok(verified) => verified,
                        Err(reason) => {
                            *answer = self.ask_again(reason, &keys, presented, *asked_again)?;
                            *asked_again = true;
                            continue;
                        }
                    };
                    let fresh = verified.fresh()?; //                            4 time: expired, not_yet_valid
                    let (accepted, key) = fresh.with_claims()?; //               5 claims: invalid, rejected_claims
                    // Of a duplicate too: the key still has users.
                    key.used(accepted.checked_at());
                    self.check_cutoff(&accepted)?; //                            6 cutoff: replayed
                    if let Some(admission) = self.needs_no_claim() {
                        return Poll::Ready(Ok(accepted.passed(admission, None, self.settings.clock.now())));
                    }
                    self.claim(accepted, Duration::ZERO)? //                     7 replay: answered in `Stage::Claim`
                }
                Stage::Claim { accepted, lease, answer, waited } => {
                    let (claimed, took) = ready!(answer.poll_in(task.as_deref_mut()));
                    self.meters.answered(Store::Replay, took);
                    let passed = self.on_claimed(claimed, lease.take(), accepted, *waited)?; // 7 replay: replayed, unavailable
                    if let Some(passed) = passed {
                        return Poll::Ready(Ok(passed));
                    }
                    self.pause(accepted, *waited, took)
                }
                Stage::Pause { timer, accepted, waited } => {
                    ready!(timer.poll_in(task.as_deref_mut()));
                    self.claim(accepted.clone(), *waited)?
                }
            }
        }
    }

    /// For a form whose credentials may come again. `build` requires a replay store of all others.
    fn needs_no_claim(&self) -> Option<Admission> {
        if self.replay.is_none() { Admission::reusable(self.rules.usage) } else { None }
    }

    /// Step 7: claims the credential. Of any number of duplicates, one passes.
    ///
    /// If the client hangs up from here on, the stage is dropped. A delivery is then released by its lease, so that a
    /// retry passes. A sign-in link has no lease: it stays used up, if the store has heard of it.
    fn claim(&self, accepted: Accepted<C>, waited: Duration) -> Result<Stage<F, C>, Stop> {
        let Some(replay) = &self.replay else {
            return Err(accepted.refuse(Reason::ReplayStore(StoreFailure::Failed)));
        };
        let claim = replay.claim_for(&accepted, waited);
        // Before the store is asked: dropped after the claim, also if the store panics.
        let lease = LeaseGuard::new(replay, &accepted, &claim);
        Ok(Stage::Claim { answer: self.within(replay.store.claim(&claim)), lease, accepted, waited })
    }

    /// Waits before the next claim, all in all for no longer than a store may take to answer.
    fn pause(&self, accepted: &Accepted<C>, waited: Duration, took: Duration) -> Stage<F, C> {
        let most = self.settings.store_timeout;
        // If this process was suspended, that was no waiting.
        let waited = waited + took.min(most);
        let pause = Duration::from_millis(20).max(waited / 2).min(most.saturating_sub(waited));
        // It starts when it is first polled: before that there may be no runtime.
        let timer = StoreFuture::new(async move { tokio::time::sleep(pause).await });
        Stage::Pause { timer, accepted: accepted.clone(), waited: waited + pause }
    }

    /// Acts on the replay store's answer: passes the first claim, acknowledges or refuses a duplicate. `None`: the
    /// delivery is in progress, so wait.
    fn on_claimed(
        &self,
        claimed: Result<Claimed, StoreError>,
        lease: Option<LeaseGuard>,
        accepted: &Accepted<C>,
        waited: Duration,
    ) -> Result<Option<Passed<C>>, Stop> {
        if let Some(replay) = &self.replay {
            self.meters.sized(&*replay.store, accepted.checked_at());
        }
        // On failure the store may hold the claim, or may yet do so: dropping the lease releases it.
        let claimed = claimed.map_err(|error| self.store_failed(&error, Reason::ReplayStore));
        let taken = match claimed.map(Admission::first) {
            Ok(Ok(admission)) => {
                let now = self.check_late_claim(accepted, waited)?;
                return Ok(Some(accepted.passed(admission, lease, now)));
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
                    Some(admission) => Ok(Some(accepted.passed(admission, None, self.settings.clock.now()))),
                    None => Err(Stop::Acknowledged(accepted.tenant().clone())),
                };
            }
            Claimed::Leased if takes_leases && waited < self.settings.store_timeout => return Ok(None),
            Claimed::Leased if takes_leases => Reason::InProgress,
            Claimed::Forgotten => Reason::Forgotten,
            _ => self.rules.duplicate.clone(),
        };
        Err(accepted.refuse(reason))
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
