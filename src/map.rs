use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use crate::clock::{Clock, UnixTime};
use crate::config::ConfigError;
use crate::form::{Extracted, Form, Presence, Usage};
use crate::keys::Secret;
use crate::rejection::Reason;
use crate::replay::Fingerprint;
use crate::window::Validity;

/// The application refuses claims that were proved. Its text goes to the log.
///
/// ```
/// use tower_sso::config::RefusedClaims;
///
/// let refused = RefusedClaims::new("not a teacher");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedClaims(Cow<'static, str>);

impl RefusedClaims {
    /// Refused for this reason.
    pub fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self(why.into())
    }
}

/// A form whose claims go through a function of the application:
/// [`Builder::map_claims`](crate::config::Builder::map_claims).
#[derive(Clone, Debug)]
pub struct Mapped<F, M> {
    form: F,
    map: M,
}

impl<F, M> Mapped<F, M> {
    pub(crate) fn new(form: F, map: M) -> Self {
        Self { form, map }
    }
}

impl<F, M, D> Form for Mapped<F, M>
where
    F: Form,
    M: Fn(F::Claims) -> Result<D, RefusedClaims> + Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    const NAME: &'static str = F::NAME;
    type Reads = F::Reads;
    type Credential = F::Credential;
    type Message = F::Message;
    type Claims = D;

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        self.form.screen(head)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Self::Credential>, Reason> {
        self.form.extract(head, body)
    }

    fn verify(&self, credential: &Self::Credential, key: &Secret) -> Result<Self::Message, Reason> {
        self.form.verify(credential, key)
    }

    fn validity(&self, message: &Self::Message) -> Result<Validity, Reason> {
        self.form.validity(message)
    }

    fn fingerprint(&self, message: &Self::Message, fingerprint: &mut Fingerprint) {
        self.form.fingerprint(message, fingerprint);
    }

    fn claims(&self, message: Self::Message, now: UnixTime) -> Result<D, Reason> {
        let claims = self.form.claims(message, now)?;
        (self.map)(claims).map_err(|RefusedClaims(why)| Reason::RefusedByApplication(why))
    }

    fn decoy(&self) -> Secret {
        self.form.decoy()
    }

    fn usage(&self) -> Usage {
        self.form.usage()
    }

    fn signs_tenant(&self) -> bool {
        self.form.signs_tenant()
    }

    fn signs_parameter(&self, name: &str) -> bool {
        self.form.signs_parameter(name)
    }

    fn has_time(&self) -> bool {
        self.form.has_time()
    }

    fn longest_window(&self) -> Duration {
        self.form.longest_window()
    }

    fn survives_restart(&self) -> bool {
        self.form.survives_restart()
    }

    fn parameters(&self) -> Vec<Cow<'static, str>> {
        self.form.parameters()
    }

    fn redact(&self, head: &mut Parts) {
        self.form.redact(head);
    }

    fn set_clock(&mut self, clock: &Arc<dyn Clock>) {
        self.form.set_clock(clock);
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.form.check()
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        self.form.check_key(key)
    }
}
