//! The setters of a signed time, once for all forms whose time is a member of what is signed.

use std::borrow::Cow;
use std::time::Duration;

use crate::Builder;
use crate::form::Form;
use crate::scheme::{SignedTime, TimeFormat};

/// A form whose time is a member of what it signs.
pub trait HasSignedTime: Form {
    #[doc(hidden)]
    fn time_mut(&mut self) -> &mut SignedTime;
}

/// For signed payloads, signed parameters and sealed payloads: the time, which is a member of the payload or a signed
/// pair. In JSON, a name that begins with `/` is a pointer (RFC 6901).
impl<F: HasSignedTime, C> Builder<F, C> {
    /// The member or pair with the time at which the request was signed, text or a number. [`max_age`](Self::max_age)
    /// says how old it may be.
    ///
    /// A wrong format fails closed: milliseconds read as seconds are far in the future. Default: none, and the layer
    /// does not build without a time.
    pub fn issued_at(mut self, member: impl Into<Cow<'static, str>>, format: TimeFormat) -> Self {
        *self.form.time_mut() = SignedTime::IssuedAt { member: member.into(), format, may_be_absent: false };
        self
    }

    /// As [`issued_at`](Self::issued_at), for partners that leave it out of some requests. Those have no time: each is
    /// remembered for ever, so the replay store must not forget, and the layer cannot be [`reusable`](Self::reusable).
    pub fn issued_at_if_given(mut self, member: impl Into<Cow<'static, str>>, format: TimeFormat) -> Self {
        *self.form.time_mut() = SignedTime::IssuedAt { member: member.into(), format, may_be_absent: true };
        self
    }

    /// The member or pair with the time at which the request ends. It may be `longest` ahead, at most 31 days; until it
    /// comes so near, the request is `not_yet_valid`. [`clock_skew`](Self::clock_skew) is added on either side.
    pub fn expires_at(mut self, member: impl Into<Cow<'static, str>>, format: TimeFormat, longest: Duration) -> Self {
        *self.form.time_mut() = SignedTime::ExpiresAt { member: member.into(), format, longest };
        self
    }

    /// Requests have no time. **A stolen one works for ever** if the layer is [`reusable`](Self::reusable). Otherwise
    /// it works once, each is remembered for ever, and the replay store must not forget.
    pub fn danger_without_time(mut self) -> Self {
        *self.form.time_mut() = SignedTime::Without;
        self
    }
}
