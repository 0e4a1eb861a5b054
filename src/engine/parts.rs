//! Helpers of single steps, shared with `rehearsal.rs`.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;

use super::check::Stop;
use super::proof::Accepted;
use super::{Engine, Presented};
use crate::clock::UnixTime;
use crate::form::Form;
use crate::keys::{Keys, check_length};
use crate::observe;
use crate::rejection::{Facts, Reason, Step, StoreFailure};
use crate::store::{StoreError, StoreFuture, Within};

impl<F: Form, C> Engine<F, C> {
    /// No credential was found: asks `extract` which part is missing. If it finds one nevertheless, the form has a bug,
    /// and the request is still refused.
    pub(super) fn what_is_missing(&self, head: &Parts) -> Reason {
        let extracted = self.form.extract(head, &Bytes::new());
        extracted.err().unwrap_or_else(|| Reason::MissingParameter("credential".into()))
    }

    /// The credential, and whose it claims to be: `None` if the request names no tenant that could be known.
    pub(super) fn extract(&self, head: &Parts, body: &Bytes) -> Result<Presented<F>, Stop> {
        let presented = self.extract_by(&self.form, head, body).map_err(|reason| self.refuse_head(reason, head))?;
        if presented.in_head {
            self.check_unsigned(head, body)?;
        }
        Ok(presented)
    }

    /// Whether a body beside a credential in the head may be anything.
    pub(super) fn takes_unsigned_body(&self) -> bool {
        self.rules.bearer || self.settings.unsigned_body
    }

    /// Refuses a body beside a credential in the head: anyone who gets hold of an unused link could add a body of their
    /// own.
    pub(super) fn check_unsigned(&self, head: &Parts, body: &Bytes) -> Result<(), Stop> {
        match body.is_empty() || self.takes_unsigned_body() {
            true => Ok(()),
            false => Err(self.refuse_head(Reason::UnsignedBody, head)),
        }
    }

    /// Extracts with the layer's own form, or with another of its kind that [`explain`](crate::explain) tries.
    pub(super) fn extract_by(&self, form: &F, head: &Parts, body: &Bytes) -> Result<Presented<F>, Reason> {
        let mut extracted = form.extract(head, body)?;
        // If the form signs the name, anybody could write another one elsewhere into the request. If it looks the key
        // up, the key names its owner.
        if extracted.tenant.is_none() && !self.rules.signs_tenant && !self.rules.looks_keys_up {
            extracted.tenant = self.settings.tenant.of(head)?;
        }
        if let Some(name) = &extracted.tenant {
            check_length(name.as_str()).map_err(|why| Reason::Malformed("tenant".into(), why))?;
        }
        Ok(extracted)
    }

    /// The keys of the tenant, or what the form finds itself. A request that names no tenant does not reach the store.
    /// The time of its answer shows that, but reveals nothing about any tenant.
    pub(super) fn look_up(&self, presented: &Presented<F>) -> StoreFuture<Result<Keys, StoreError>> {
        self.look_up_by(&self.form, presented)
    }

    pub(super) fn look_up_by(&self, form: &F, presented: &Presented<F>) -> StoreFuture<Result<Keys, StoreError>> {
        match (form.look_up(&presented.credential), &self.settings.keys, &presented.tenant) {
            (Some(found), ..) => found,
            (None, Some(store), Some(tenant)) => store.keys(tenant),
            _ => StoreFuture::ready(Ok(Keys::unknown_tenant())),
        }
    }

    /// A key store that fails refuses the request: no keys must not look like an unknown tenant.
    pub(super) fn found(&self, found: Result<Keys, StoreError>, presented: &Presented<F>) -> Result<Keys, Stop> {
        found.map_err(|error| self.refuse_presented(self.store_failed(&error, Reason::KeyStore), presented))
    }

    /// No key fitted: asks the store once for newer keys, as it may have answered from a cache.
    pub(super) fn ask_again(
        &self,
        refused: Reason,
        tried: &Keys,
        presented: &Presented<F>,
        asked_again: bool,
    ) -> Result<Within<Keys>, Stop> {
        let newer = if asked_again { None } else { self.newer_keys(&refused, tried, presented) };
        newer.ok_or_else(|| self.refuse_presented(refused, presented))
    }

    /// Asks for unknown tenants too, so that the time of the answer does not reveal which tenants exist.
    pub(super) fn newer_keys(&self, refused: &Reason, tried: &Keys, presented: &Presented<F>) -> Option<Within<Keys>> {
        match (refused.step(), &self.settings.keys, &presented.tenant) {
            (Step::Keys | Step::Verify, Some(store), Some(tenant)) => {
                store.keys_again(tenant, tried).map(|newer| self.within(newer))
            }
            _ => None,
        }
    }

    pub(super) fn within<T: Send + 'static>(&self, answer: StoreFuture<Result<T, StoreError>>) -> Within<T> {
        answer.within(self.settings.store_timeout)
    }

    /// A credential that was usable before the replay store began to remember may have been used before that. So may a
    /// credential without a time, unless something other than the store recognises it.
    pub(super) fn check_cutoff(&self, accepted: &Accepted<C>) -> Result<(), Stop> {
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

    /// The claim succeeded, but may have come too late. The store may have learnt only now that it has forgotten. And
    /// if the process was suspended between the time check and the claim, a duplicate's entry may have ended meanwhile.
    ///
    /// Returns the time. A refusal here releases a delivery. A sign-in link stays spent: its user needs a new one.
    pub(super) fn check_late_claim(&self, accepted: &Accepted<C>, waited: Duration) -> Result<UnixTime, Stop> {
        self.check_cutoff(accepted)?;
        let now = self.settings.clock.exact();
        if now.since(accepted.checked_at()) > self.settings.store_timeout.saturating_add(waited) {
            let reason = self.store_failed(&StoreError::timed_out(), Reason::ReplayStore);
            return Err(accepted.refuse(reason));
        }
        Ok(now)
    }

    /// A refusal before a credential was found. The head may name a tenant already.
    pub(super) fn refuse_head(&self, reason: Reason, head: &Parts) -> Stop {
        let names_none = self.rules.signs_tenant || self.rules.looks_keys_up;
        let tenant = if names_none { None } else { self.settings.tenant.of(head).ok().flatten() };
        let mut facts = Facts::new();
        if reason == Reason::ContentType {
            let given = head.headers.get(CONTENT_TYPE).map(|given| given.to_str().unwrap_or("not readable"));
            facts.add("content_type", given.unwrap_or("none"));
        }
        Stop::Refused(reason, tenant, facts)
    }

    /// A refusal before the credential was authentic.
    pub(super) fn refuse_presented(&self, reason: Reason, presented: &Presented<F>) -> Stop {
        let mut facts = Facts::new();
        if presented.tenant.is_none() && !self.rules.looks_keys_up {
            facts.add("tenant_of", format_args!("{:?}", self.settings.tenant));
        }
        self.form.describe(&presented.credential, &mut facts);
        Stop::Refused(reason, presented.tenant.clone(), facts)
    }

    pub(super) fn store_failed(&self, error: &StoreError, reason: impl Fn(StoreFailure) -> Reason) -> Reason {
        observe::store_failed(F::NAME, error);
        reason(error.failure())
    }
}
