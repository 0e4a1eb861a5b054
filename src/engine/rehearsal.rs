//! A check that stops before the replay store: [`Rehearsal`], from which [`explain`](crate::explain) tells what
//! happened.

use bytes::Bytes;
use http::request::Parts;

use super::builder::Settings;
use super::check::{Found, Stop};
use super::proof::Verified;
use super::{Engine, VerifyLayer};
use crate::clock::UnixTime;
use crate::form::{Extracted, Form, Presence, Rules};
use crate::keys::Keys;
use crate::rejection::{Reason, Rejection};
use crate::store::Within;

/// How far a request came. A part is there if its step was reached and passed.
pub(crate) struct Rehearsal<C> {
    pub(crate) presence: Option<Presence>,
    pub(crate) presented: Option<Extracted<C>>,
    pub(crate) keys: Option<Keys>,
    pub(crate) now: UnixTime,
    pub(crate) refused: Option<Rejection>,
}

impl<F: Form, C> VerifyLayer<F, C> {
    /// The steps of a check up to the replay store.
    pub(crate) async fn rehearse(&self, head: &Parts, body: &Bytes) -> Rehearsal<F::Credential> {
        let engine = self.engine();
        let now = engine.settings.clock.now();
        let mut rehearsal = Rehearsal { presence: None, presented: None, keys: None, now, refused: None };
        if let Err(Stop::Refused(reason, found)) = engine.rehearse(head, body, &mut rehearsal).await {
            let Found { tenant, facts } = found.unwrap_or_else(|| engine.found_in(head));
            let rejection = Rejection::new(F::NAME, reason);
            rehearsal.refused = Some(rejection.found(engine.settings.namespace.clone(), tenant, facts));
        }
        rehearsal
    }

    /// The credential as another form of this kind reads it.
    pub(crate) fn read_by(&self, form: &F, head: &Parts, body: &Bytes) -> Option<Extracted<F::Credential>> {
        self.engine().extract_by(form, head, body).ok()
    }

    /// The keys that such a credential would be checked with.
    pub(crate) fn keys_by(&self, form: &F, presented: &Extracted<F::Credential>) -> Within<Keys> {
        let engine = self.engine();
        Within::new(engine.settings.store_timeout, engine.look_up_by(form, presented))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.engine().settings
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.engine().rules
    }
}

impl<F: Form, C> Engine<F, C> {
    async fn rehearse(&self, head: &Parts, body: &Bytes, so_far: &mut Rehearsal<F::Credential>) -> Result<(), Stop> {
        so_far.presence = Some(self.screen(head)?);
        let presented = so_far.presented.insert(self.extract(head, body)?);
        let found = Within::new(self.settings.store_timeout, self.look_up(presented)).await;
        let found = found.map_err(|error| self.stop(Reason::KeyStore(error.failure()), presented))?;
        let keys = so_far.keys.insert(found);
        let verified = Verified::by_one_of(keys, presented, self).map_err(|reason| self.stop(reason, presented))?;
        let refuse = |(reason, facts)| Stop::with(reason, presented.tenant.clone(), facts);
        verified.fresh().map_err(refuse)?.with_claims().map_err(refuse)?;
        Ok(())
    }
}
