//! A check that stops before the cutoff and the replay store: [`Rehearsal`], from which [`explain`](crate::explain)
//! tells what happened.

use bytes::Bytes;
use http::request::Parts;

use super::builder::Settings;
use super::check::Stop;
use super::proof::Verified;
use super::{Engine, Presented, VerifyLayer};
use crate::clock::UnixTime;
use crate::form::{Extracted, Form, Presence, Rules};
use crate::keys::Keys;
use crate::rejection::{Reason, Rejection};
use crate::store::{StoreError, Within};

/// How far a request came. A part is there if its step was reached and passed.
pub(crate) struct Rehearsal<C> {
    pub(crate) presence: Option<Presence>,
    pub(crate) presented: Option<Extracted<C>>,
    pub(crate) keys: Option<Keys>,
    pub(crate) now: UnixTime,
    pub(crate) refused: Option<Rejection>,
}

impl<F: Form, C> VerifyLayer<F, C> {
    /// The steps of a check up to the claims.
    pub(crate) async fn rehearse(&self, head: &Parts, body: &Bytes) -> Rehearsal<F::Credential> {
        let engine = self.engine();
        let now = engine.settings.clock.now();
        let mut rehearsal = Rehearsal { presence: None, presented: None, keys: None, now, refused: None };
        if let Err(Stop::Refused(reason, tenant, facts)) = engine.rehearse(head, body, &mut rehearsal).await {
            rehearsal.refused = Some(engine.rejection(reason, tenant, facts));
        }
        rehearsal
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

    pub(crate) fn settings(&self) -> &Settings {
        &self.engine().settings
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.engine().rules
    }
}

impl<F: Form, C> Engine<F, C> {
    /// Like a check up to step 5, with the same parts. Does not note that a key was used.
    async fn rehearse(&self, head: &Parts, body: &Bytes, so_far: &mut Rehearsal<F::Credential>) -> Result<(), Stop> {
        let presence = self.screen(head).map_err(|reason| self.refuse_head(reason, head))?;
        let body = match *so_far.presence.insert(presence) {
            Presence::Absent => return Ok(()),
            Presence::InHead => &Bytes::new(),
            Presence::InBody => body,
        };
        let presented = so_far.presented.insert(self.extract(head, body)?);
        let unavailable =
            |error: StoreError, presented| self.refuse_presented(Reason::KeyStore(error.failure()), presented);
        let found = self.within(self.look_up(presented)).await;
        let keys = so_far.keys.insert(found.map_err(|error| unavailable(error, presented))?);
        let mut verified = Verified::by_one_of(keys, presented, self);
        if let Err(reason) = verified {
            let newer = self.newer_keys(reason, keys, presented)?.await;
            *keys = newer.map_err(|error| unavailable(error, presented))?;
            verified = Verified::by_one_of(keys, presented, self);
        }
        let verified = verified.map_err(|reason| self.refuse_presented(reason, presented))?;
        verified.fresh()?.with_claims()?;
        Ok(())
    }
}
