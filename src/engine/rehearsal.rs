//! A check that stops before the cutoff and the replay store: [`Rehearsal`], from which [`explain`](crate::explain)
//! tells what happened.

use bytes::Bytes;
use http::request::Parts;

use super::check::Stop;
use super::proof::Verified;
use super::{Engine, Presented, VerifyLayer};
use crate::clock::UnixTime;
use crate::form::{Extracted, Form, Presence};
use crate::keys::{Key, Keys, TenantId};
use crate::rejection::{Reason, Rejection};
use crate::store::{StoreError, Within};

/// How many keys of all tenants are asked for.
const MOST_KEYS: usize = 10_000;

/// How far a request came. A part is there if its step was reached and passed.
pub(crate) struct Rehearsal<C> {
    pub(crate) presence: Option<Presence>,
    pub(crate) presented: Option<Extracted<C>>,
    /// The tenant's. After [`VerifyLayer::stored_beside`], also those that have ended and the store still has.
    pub(crate) keys: Option<Keys>,
    /// Keys of all tenants, as far as the store tells: see [`VerifyLayer::stored_beside`].
    pub(crate) known: Vec<Key>,
    pub(crate) now: UnixTime,
    pub(crate) refused: Option<Rejection>,
}

impl<F: Form, C> VerifyLayer<F, C> {
    /// The steps of a check up to the claims.
    pub(crate) async fn rehearse(&self, head: &Parts, body: &Bytes) -> Rehearsal<F::Credential> {
        let engine = self.engine();
        let now = engine.settings.clock.now();
        let mut rehearsal =
            Rehearsal { presence: None, presented: None, keys: None, known: Vec::new(), now, refused: None };
        if let Err(Stop::Refused(reason, tenant, facts) | Stop::Untimely(reason, tenant, facts, _)) =
            engine.rehearse(head, body, &mut rehearsal).await
        {
            rehearsal.refused = Some(engine.rejection(reason, tenant, facts));
        }
        rehearsal
    }

    /// Adds keys that a check does not look at: the tenant's that have ended, and those of all tenants.
    pub(crate) async fn stored_beside(&self, rehearsal: &mut Rehearsal<F::Credential>) {
        let (engine, now) = (self.engine(), rehearsal.now);
        rehearsal.known = engine.stored_keys(None, MOST_KEYS).await;
        if let (Some(keys), Some(presented)) = (&mut rehearsal.keys, &rehearsal.presented) {
            let stored = engine.stored_keys(presented.tenant.as_ref(), Keys::MAX).await.into_iter();
            let is_new = |key: &Key| keys.iter().all(|known| known.secret() != key.secret());
            let ended: Vec<Key> = stored.filter(|key| !key.is_active(now) && is_new(key)).collect();
            *keys = keys.iter().cloned().chain(ended).collect();
        }
    }

    /// The credential as another form of this kind reads it.
    pub(crate) fn read_by(&self, form: &F, head: &Parts, body: &Bytes) -> Option<Presented<F>> {
        self.engine().extract_by(form, head, body).ok()
    }

    /// The keys that such a credential would be checked with.
    pub(crate) fn keys_by(&self, form: &F, presented: &Presented<F>) -> Within<Keys> {
        let engine = self.engine();
        engine.within(engine.look_up_by(form, presented))
    }
}

impl<F: Form, C> Engine<F, C> {
    /// None if the store fails: the explanation then has fewer guesses.
    async fn stored_keys(&self, tenant: Option<&TenantId>, most: usize) -> Vec<Key> {
        match &self.settings.keys {
            Some(store) => self.within(store.stored_keys(tenant, most)).await.0.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// Like a check up to step 5, with the same parts. Does not note that a key was used.
    async fn rehearse(&self, head: &Parts, body: &Bytes, so_far: &mut Rehearsal<F::Credential>) -> Result<(), Stop> {
        let presence = self.screen(head).map_err(|reason| self.refuse_head(reason, head))?;
        let body = match *so_far.presence.insert(presence) {
            Presence::Absent => return Ok(()),
            Presence::InHead => {
                self.check_unsigned(head, body)?;
                &Bytes::new()
            }
            Presence::InBody => body,
        };
        let presented = so_far.presented.insert(self.extract(head, body)?);
        let unavailable =
            |error: StoreError, presented| self.refuse_presented(Reason::KeyStore(error.failure()), presented);
        let (found, _) = self.within(self.look_up(presented)).await;
        let keys = so_far.keys.insert(found.map_err(|error| unavailable(error, presented))?);
        let now = so_far.now;
        let mut verified = Verified::by_one_of(keys, presented, now, self);
        let reason = verified.as_ref().err();
        if let Some(newer) = reason.and_then(|reason| self.newer_keys(reason, keys, presented)) {
            *keys = newer.await.0.map_err(|error| unavailable(error, presented))?;
            verified = Verified::by_one_of(keys, presented, now, self);
        }
        let verified = verified.map_err(|reason| self.refuse_presented(reason, presented))?;
        verified.fresh()?.with_claims()?;
        Ok(())
    }
}
