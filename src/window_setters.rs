//! The setters of a [`Window`](crate::window::Window), once for all forms that have one.

use std::time::Duration;

use crate::Builder;
use crate::form::HasWindow;

/// For forms whose credentials have one timestamp: Fernet tokens, timestamp hashes, signed payloads, parameters and
/// JSON, sealed payloads, webhooks, HTTP Message Signatures, and forms of your own that implement [`HasWindow`].
impl<F: HasWindow, C> Builder<F, C> {
    /// The maximum age of a credential, inclusive; in whole seconds where its timestamp is. A stolen link works that
    /// long.
    ///
    /// Default: 60 s for Fernet tokens, 30 s for timestamp hashes, 300 s for all others of this crate.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.form.window_mut().max_age = age;
        self
    }

    /// How far the partner's clock may run ahead of ours, inclusive; in whole seconds where its timestamp is.
    ///
    /// Default: 5 s for timestamp hashes, 60 s for all others of this crate.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.form.window_mut().clock_skew = skew;
        self
    }
}
