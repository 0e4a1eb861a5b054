//! The whole flow, in order, once, for every form.
//!
//! ```text
//! request → admit → extract → keys → verify → time → claims → replay → Identity<C> → inner service
//! ```
//!
//! Two of the steps wait for a store, so [`Check`](crate::steps::Check) calls the functions below one after the other. It
//! cannot call them in another order: each needs what only the one before it makes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};

use crate::body::{BodyLimits, LayerBody};
use crate::clock::UnixTime;
use crate::config::{ConfigError, Shared};
use crate::form::{Form, Presence, Usage};
use crate::identity::Identity;
use crate::keys::{Keys, Secret, TenantId};
use crate::observe::Step;
use crate::proof::{Accepted, FirstClaim, Proof, ReusableForm, Unique, Verified};
use crate::rejection::{Reason, Rejection, StoreFailure, seal};
use crate::replay::{Claim, Claimed, Group, Hold, Terms};
use crate::store::{Patience, StoreError, StoreFuture};
use crate::strip::Stripped;
use crate::{building, observe, prefetch, tenant};

/// A form and everything that its layer was set up with.
pub(crate) struct Pipeline<F> {
    form: F,
    shared: Shared,
    decoy: Secret,
    allow: HeaderValue,
    stripped: Stripped,
    group: Group,
}

/// What becomes of a request at first sight.
pub(crate) enum Admission {
    /// It has no credential, and needs none.
    PassThrough,
    /// It is to be checked, with or without its body.
    Check { read_body: bool },
}

/// A credential that was extracted, and whose it claims to be.
pub(crate) struct Extraction<C> {
    credential: C,
    /// `None`: the request names no tenant that could be known.
    tenant: Option<TenantId>,
    /// Whether the key store was asked a second time.
    asked_again: bool,
}

/// What the replay store's answer means for the request.
pub(crate) enum Verdict<F: Form> {
    /// It goes on to the inner service.
    Pass(Unique<F>),
    /// It is a copy of a call that was carried out: say so, and do nothing.
    Acknowledge,
    /// It is a copy of a call that is being carried out: see what becomes of that.
    Wait(Accepted<F>),
    /// It is refused.
    Refuse(Reason),
    /// It is refused, and what it may have been given by the replay store goes back.
    Forfeit(Reason),
}

impl<F: Form> Pipeline<F> {
    pub(crate) fn new(mut form: F, shared: Shared) -> Result<Self, ConfigError> {
        form.set_clock(&shared.clock);
        form.check()?;
        let allow = building::check(&form, &shared)?;
        let stripped = Stripped::new(form.parameters().into_iter().chain(shared.tenant.parameter().cloned()));
        let group = Group::new(F::NAME, &shared.scope);
        let window = form.longest_window();
        if let Some(replay) = shared.replay.as_ref().filter(|_| !window.is_zero()) {
            replay.expect(group, window.saturating_add(shared.store_timeout), shared.clock.now());
        }
        Ok(Self { decoy: form.decoy(), form, shared, allow, stripped, group })
    }

    pub(crate) fn form(&self) -> &F {
        &self.form
    }

    pub(crate) fn body_limits(&self) -> BodyLimits {
        self.shared.body
    }

    #[inline]
    pub(crate) fn now(&self) -> UnixTime {
        self.shared.clock.now()
    }

    /// Step 1: the method, and whether there is anything to check.
    #[inline]
    pub(crate) fn admit(&self, head: &mut Parts) -> Result<Admission, Reason> {
        // Nobody but this layer may say who the user is.
        head.extensions.remove::<Identity<F::Claims>>();
        let presence = self.form.screen(head);
        if self.shared.optional && presence == Ok(Presence::Absent) {
            return Ok(Admission::PassThrough);
        }
        if !self.shared.methods.contains(&head.method) {
            return Err(Reason::Method);
        }
        if prefetch::is_marked(&head.headers) {
            return Err(Reason::Prefetch);
        }
        // What is absent is named by `extract`, which knows what to look for.
        Ok(Admission::Check { read_body: presence? == Presence::InBody })
    }

    /// Step 2: the parts of the form, decoded.
    #[inline]
    pub(crate) fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extraction<F::Credential>, Reason> {
        let extracted = self.form.extract(head, body)?;
        let tenant = match extracted.tenant {
            Some(tenant) => Some(tenant),
            None => self.shared.tenant.of(head)?,
        };
        if let Some(name) = &tenant {
            tenant::check_length(name.as_str()).map_err(|why| Reason::Malformed("tenant".into(), why))?;
        }
        Ok(Extraction { credential: extracted.credential, tenant, asked_again: false })
    }

    /// Step 3: the tenant's keys.
    #[inline]
    pub(crate) fn keys(&self, extraction: &Extraction<F::Credential>) -> Patience<Keys> {
        let keys = match (&extraction.tenant, &self.shared.keys) {
            (Some(tenant), Some(store)) => store.keys(tenant),
            _ => StoreFuture::ready(Ok(Keys::unknown_tenant())),
        };
        Patience::new(keys, self.shared.store_timeout)
    }

    /// Step 3 once more, where no key fitted: the store may have answered from a cache. Whatever the keys were refused for,
    /// and whether there were any, so that the time of the answer does not tell.
    pub(crate) fn keys_again(
        &self,
        extraction: &mut Extraction<F::Credential>,
        tried: &Result<Keys, StoreError>,
        refused: &Reason,
    ) -> Option<Patience<Keys>> {
        let (Ok(tried), Step::Keys | Step::Verify) = (tried, refused.step()) else { return None };
        if std::mem::replace(&mut extraction.asked_again, true) {
            return None;
        }
        let again = self.shared.keys.as_ref()?.keys_again(extraction.tenant.as_ref()?, tried)?;
        Some(Patience::new(again, self.shared.store_timeout))
    }

    /// Steps 4 to 6: signature, time, claims.
    #[inline]
    pub(crate) fn verify(
        &self,
        extraction: &Extraction<F::Credential>,
        keys: &Result<Keys, StoreError>,
        now: UnixTime,
    ) -> Result<Accepted<F>, Reason> {
        let keys = keys.as_ref().map_err(|error| self.store_failed(error, Reason::KeyStore))?;
        let nobody = TenantId::from("");
        let tenant = extraction.tenant.as_ref().unwrap_or(&nobody);
        let accepted =
            Verified::check(&self.form, &extraction.credential, tenant, keys, &self.decoy, &self.shared.scope, now)?
                .check_time(&self.form, now)?
                .check_claims(&self.form, now)?;
        self.check_startup_cutoff(accepted.proof())?;
        Ok(accepted)
    }

    /// What was usable before the replay store began to remember may have been used before that; and so may what does not
    /// say since when it is usable, unless something else recognises it.
    fn check_startup_cutoff(&self, proof: &Proof) -> Result<(), Reason> {
        let cutoff = self.shared.replay.as_ref().and_then(|replay| replay.remembers_since());
        let may_be_older = |cutoff| match proof.validity.usable_since() {
            Some(usable_since) => usable_since < cutoff,
            None => !self.form.survives_restart(),
        };
        if cutoff.is_some_and(may_be_older) { Err(Reason::BeforeFence) } else { Ok(()) }
    }

    /// When a lease begins that is taken `now`. It is told from another one by its end alone, so no two of a process end at
    /// once, even if its clock stands still for a thousand of them.
    #[inline]
    pub(crate) fn time_of_claim(&self, now: UnixTime) -> UnixTime {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        match self.form.usage() {
            Usage::Idempotent { .. } => now.plus(Duration::from_nanos(NEXT.fetch_add(1, Ordering::Relaxed) % 1_000)),
            Usage::Once | Usage::Reusable => now,
        }
    }

    /// Step 7: claims the credential. `None` where there is nothing to claim.
    #[inline]
    pub(crate) fn claim(&self, proof: &Proof, now: UnixTime, claimed_at: UnixTime) -> Option<Patience<Claimed>> {
        let terms = self.terms(proof, now);
        let hold = match self.form.usage() {
            Usage::Reusable => return None,
            Usage::Once => Hold::Until(terms.until),
            Usage::Idempotent { lease, .. } => self.lease(claimed_at, lease),
        };
        let claim = Claim { key: proof.fingerprint, now, hold, terms };
        Some(Patience::new(self.shared.replay.as_ref()?.claim(&claim), self.shared.store_timeout))
    }

    /// Under which settings a credential was accepted that is used `now`.
    fn terms(&self, proof: &Proof, now: UnixTime) -> Terms {
        let (validity, store_timeout) = (&proof.validity, self.shared.store_timeout);
        let (window, until) = match (validity.end_of_memory(), self.form.usage()) {
            // Nothing of it has to do with a window.
            (UnixTime::MAX, Usage::Idempotent { lease, remember: Some(remember) }) => {
                (Duration::ZERO, now.plus(store_timeout).plus(lease).plus(remember))
            }
            (UnixTime::MAX, _) => (Duration::ZERO, UnixTime::MAX),
            // The store may take this long to answer, and must not have forgotten meanwhile.
            (until, _) => (validity.window().saturating_add(store_timeout), until.plus(store_timeout)),
        };
        // By a clock that is ahead it can have been used a little before it was made.
        let passes_from = Some(validity.not_before()).filter(|start| *start != UnixTime::MIN);
        let usable_since = validity.usable_since().into_iter().chain(passes_from).min().unwrap_or(UnixTime::MIN);
        Terms { group: self.group, window, usable_since, until }
    }

    /// The lease that was asked for at this time.
    fn lease(&self, claimed_at: UnixTime, lease: Duration) -> Hold {
        Hold::Lease(claimed_at.plus(self.shared.store_timeout).plus(lease))
    }

    /// How much is left of the lease that was asked for at `claimed_at`.
    pub(crate) fn lease_left(&self, claimed_at: UnixTime) -> Duration {
        let Usage::Idempotent { lease, .. } = self.form.usage() else { return Duration::ZERO };
        self.lease(claimed_at, lease).until().since(self.now())
    }

    /// What the replay store's answer means. Without a claim, only a reusable credential passes.
    ///
    /// The time at which the credential was checked was `since`, and it has `waited` after that for a copy of its own.
    #[inline]
    pub(crate) fn judge(
        &self,
        accepted: Accepted<F>,
        claimed: Option<Result<Claimed, StoreError>>,
        since: UnixTime,
        waited: Duration,
    ) -> Verdict<F> {
        let idempotent = self.settles();
        let claimed = match claimed {
            None => {
                return match ReusableForm::of(&self.form) {
                    Some(reusable) => Verdict::Pass(accepted.reusable(&reusable)),
                    None => Verdict::Refuse(Reason::ReplayStore(StoreFailure::Failed)),
                };
            }
            // The store may have carried the claim out, or may yet do so.
            Some(Err(error)) => return Verdict::Forfeit(self.store_failed(&error, Reason::ReplayStore)),
            Some(Ok(claimed)) => claimed,
        };
        match FirstClaim::of(claimed) {
            Ok(first) => match self.still_stands(accepted.proof(), since, waited) {
                Ok(()) => Verdict::Pass(accepted.first_of_its_copies(&first)),
                Err(reason) => Verdict::Forfeit(reason),
            },
            Err(Claimed::Spent) if idempotent => Verdict::Acknowledge,
            Err(Claimed::Leased) if idempotent => Verdict::Wait(accepted),
            Err(Claimed::Forgotten) => Verdict::Refuse(Reason::BeforeFence),
            Err(_) => Verdict::Refuse(Reason::Replayed),
        }
    }

    /// Whether a first claim is worth what it says. By asking, the store may have learnt that it has forgotten; and a
    /// process that stood still between the check of the time and the claim may have slept through the end of the entry
    /// of another copy.
    fn still_stands(&self, proof: &Proof, since: UnixTime, waited: Duration) -> Result<(), Reason> {
        self.check_startup_cutoff(proof)?;
        if self.now().since(since) > self.shared.store_timeout.saturating_add(waited) {
            return Err(self.store_failed(&StoreError::timed_out(), Reason::ReplayStore));
        }
        Ok(())
    }

    /// Step 8: the request as the inner service sees it: with the identity, without the credential.
    #[inline]
    pub(crate) fn admit_identity(&self, head: &mut Parts, unique: Unique<F>) {
        observe::accepted::<F>();
        self.stripped.strip(&mut head.uri);
        #[cfg(feature = "axum")]
        if let Some(::axum::extract::OriginalUri(uri)) = head.extensions.get_mut() {
            self.stripped.strip(uri);
        }
        self.form.redact(head);
        head.extensions.insert(Identity::new(unique));
    }

    /// Whether the replay store is to be told what became of a call.
    #[inline]
    pub(crate) fn settles(&self) -> bool {
        matches!(self.form.usage(), Usage::Idempotent { .. })
    }

    /// After the inner service: a call that was carried out is settled, one that failed may come again. `claimed_at` is the
    /// time of the claim.
    #[inline]
    pub(crate) fn conclude(&self, proof: &Proof, claimed_at: UnixTime, carried_out: bool) -> Option<Patience<()>> {
        let Usage::Idempotent { lease, remember } = self.form.usage() else { return None };
        let (replay, now) = (self.shared.replay.as_ref()?, self.now());
        let conclusion = if carried_out {
            // A copy that came in time may still be waiting, with the time at which it came.
            let no_sooner = now.plus(self.longest_wait()).plus(self.longest_wait());
            let until = match (proof.validity.end_of_memory(), remember) {
                (UnixTime::MAX, Some(remember)) => now.plus(remember),
                (until, _) => until.max(no_sooner),
            };
            let terms = self.terms(proof, now);
            replay.settle(&Claim { key: proof.fingerprint, now, hold: Hold::Until(until), terms })
        } else {
            replay.release(proof.fingerprint, self.lease(claimed_at, lease))
        };
        Some(Patience::new(conclusion, self.shared.store_timeout))
    }

    /// How long a copy waits, all in all, for the call that it is a copy of.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.shared.store_timeout
    }

    /// The answer to a refused request.
    pub(crate) fn refuse<B>(&self, reason: Reason, headers: &HeaderMap) -> Response<LayerBody<B>> {
        let rejection = Rejection::new(F::NAME, reason);
        observe::rejected(&rejection);
        let mut response = (self.shared.responder)(&rejection, headers);
        rejection.finish(&mut response, &self.allow);
        seal(response.headers_mut());
        response.map(LayerBody::own)
    }

    /// The answer to a copy of a call that was carried out.
    pub(crate) fn acknowledge<B>(&self) -> Response<LayerBody<B>> {
        observe::acknowledged::<F>();
        let mut response = Response::new(LayerBody::own(Bytes::new()));
        seal(response.headers_mut());
        response
    }

    pub(crate) fn store_failed(&self, error: &StoreError, reason: impl Fn(StoreFailure) -> Reason) -> Reason {
        observe::store_failed(F::NAME, error);
        reason(error.failure())
    }
}
