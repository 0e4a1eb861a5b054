//! The setters of a nonce of ours, once for all forms that can bring one back.

use std::borrow::Cow;

use crate::Builder;
use crate::challenge::{Challenge, ReturnedNonce};
use crate::form::Form;

/// A form that can bring a nonce of ours back.
pub trait HasNonce: Form {
    #[doc(hidden)]
    fn nonce_mut(&mut self) -> &mut ReturnedNonce;
}

/// For JWTs, signed payloads and signed parameters that answer a request of your app: the [nonce](crate::challenge)
/// that they bring back.
impl<F: HasNonce, C> Builder<F, C> {
    /// The claim, member or signed pair that brings back a nonce of ours. The layer builds only with a
    /// [`challenge`](Self::challenge), or [`danger_any_nonce`](Self::danger_any_nonce). Default: none, for partners
    /// that sign users in unasked.
    pub fn nonce_member(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.nonce_mut().member = Some(name.into());
        self
    }

    /// Takes an answer only if its nonce was given to the browser that brings it, for as long as the nonce is
    /// [valid](Challenge::max_age). The nonce then works once. A time of the answer's own counts too; without one, the
    /// nonce tells the time.
    pub fn challenge(mut self, challenge: Challenge) -> Self {
        self.form.nonce_mut().challenge = Some(challenge);
        self
    }

    /// Takes any nonce, so that **an attacker can log a victim into the attacker's account** by a link with the
    /// attacker's own answer (login CSRF). An answer without a time of its own is then remembered for ever. For an app
    /// that compares the nonce itself: an answer without one is refused.
    pub fn danger_any_nonce(mut self) -> Self {
        self.form.nonce_mut().any = true;
        self
    }
}
