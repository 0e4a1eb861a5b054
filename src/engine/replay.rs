//! A layer's requests to its replay store: [`Replay`].

use std::sync::Arc;
use std::time::Duration;

use super::proof::Accepted;
use crate::clock::{Clock, UnixTime};
use crate::form::Usage;
use crate::replay::{Claim, Fingerprint, Group, Hold, ReplayStore, Terms};
use crate::window::Validity;

/// A replay store, and the settings with which a layer asks it.
pub(super) struct Replay {
    pub(super) form: &'static str,
    pub(super) store: Arc<dyn ReplayStore>,
    pub(super) clock: Arc<dyn Clock>,
    /// How long the store may take to answer.
    pub(super) timeout: Duration,
    pub(super) group: Group,
    pub(super) usage: Usage,
}

impl Replay {
    /// Tells the store how long this layer's credentials can be used, before the first one comes.
    pub(super) fn announce(&self, window: Duration) {
        if !window.is_zero() {
            self.store.announce(self.group, window.saturating_add(self.timeout), self.clock.now());
        }
    }

    /// The claim of a credential, at the time at which it was checked. A lease begins after the wait for another one.
    pub(super) fn claim_for<C>(&self, accepted: &Accepted<C>, waited: Duration) -> Claim {
        let now = accepted.checked_at();
        let terms = self.terms(accepted.validity(), now);
        let hold = match self.usage {
            Usage::Idempotent { lease, .. } => {
                let from = if waited.is_zero() { now } else { self.clock.now() };
                // The store may take its timeout to answer.
                Hold::lease(from.plus(self.timeout).plus(lease))
            }
            // A layer whose credentials are reusable has no `Replay`.
            Usage::Once | Usage::Reusable => Hold::Until(terms.until),
        };
        Claim { key: accepted.fingerprint(), now, hold, terms }
    }

    /// The claim that spends a processed delivery.
    pub(super) fn settlement(&self, key: Fingerprint, validity: &Validity) -> Claim {
        let now = self.clock.now();
        let terms = self.terms(validity, now);
        let until = match (validity.hold_until(), self.usage) {
            (UnixTime::MAX, Usage::Idempotent { remember: Some(remember), .. }) => now.plus(remember),
            // A duplicate that came in time may still be waiting, and claims with the time at which it came.
            _ => terms.until.max(now.plus(self.timeout).plus(self.timeout)),
        };
        Claim { key, now, hold: Hold::Until(until), terms }
    }

    /// The settings under which a credential was accepted, if it is used `now`.
    fn terms(&self, validity: &Validity, now: UnixTime) -> Terms {
        let (window, until) = match (validity.hold_until(), self.usage) {
            // It does not expire: remembered from the last moment at which it can be settled.
            (UnixTime::MAX, Usage::Idempotent { lease, remember: Some(remember) }) => {
                (Duration::ZERO, now.plus(self.timeout).plus(lease).plus(remember))
            }
            (UnixTime::MAX, _) => (Duration::ZERO, UnixTime::MAX),
            // The store must still remember it when it answers, up to its timeout later.
            (until, _) => (validity.window().saturating_add(self.timeout), until.plus(self.timeout)),
        };
        // If the partner's clock runs ahead, the credential passes a little before its own time.
        let passes_from = Some(validity.not_before()).filter(|start| *start != UnixTime::MIN);
        let usable_since = validity.usable_since().into_iter().chain(passes_from).min().unwrap_or(UnixTime::MIN);
        Terms { group: self.group, window, usable_since, until }
    }
}
