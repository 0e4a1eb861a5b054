//! What operators see of a check: its [`Step`]s, log events and (feature `metrics`) counters. No secret, no credential.

use crate::keys::TenantId;
use crate::rejection::{Code, Rejection};
use crate::store::StoreError;

/// The steps of a check, in the order in which every form takes them.
///
/// [`Reason::step`](crate::rejection::Reason::step) tells at which one a request was refused, and so that the steps
/// before it had passed.
///
/// ```
/// use tower_sso::observe::Step;
/// use tower_sso::rejection::Reason;
///
/// let refused_at = Reason::Expired.step();
/// let passed: Vec<_> = Step::ALL.into_iter().filter(|step| *step < refused_at).collect();
/// assert_eq!(passed, [Step::Extract, Step::Keys, Step::Verify]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The parts of the form are found in the request and decoded.
    Extract,
    /// The tenant's keys are found.
    Keys,
    /// One of them made the signature.
    Verify,
    /// The credential is inside its window.
    Time,
    /// The payload is what it must be.
    Claims,
    /// The credential was not used before.
    Replay,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 6] = [Self::Extract, Self::Keys, Self::Verify, Self::Time, Self::Claims, Self::Replay];

    /// The step's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Keys => "keys",
            Self::Verify => "verify",
            Self::Time => "time",
            Self::Claims => "claims",
            Self::Replay => "replay",
        }
    }
}

pub(crate) fn accepted(form: &'static str, outcome: &'static str) {
    tracing::debug!(target: "tower_sso", form, outcome, "credential accepted");
    count(form, outcome);
}

pub(crate) fn rejected(rejection: &Rejection) {
    let (form, reason) = (rejection.form(), rejection.reason());
    if rejection.code() == Code::Unavailable {
        tracing::warn!(target: "tower_sso", form, reason = reason.as_str(), detail = %reason, "credential not checked");
    } else {
        tracing::info!(target: "tower_sso", form, reason = reason.as_str(), detail = %reason, "credential refused");
    }
    count(form, reason.as_str());
}

/// A store's own words for its failure: they may name hosts, so they go to the log and nowhere else.
pub(crate) fn store_failed(form: &'static str, error: &StoreError) {
    tracing::warn!(target: "tower_sso", form, detail = %error, "store failed");
}

/// A key that cannot be one: the tenant's other keys still work, but somebody should look at it.
pub(crate) fn unusable_key(form: &'static str, tenant: &TenantId, what: &'static str) {
    tracing::warn!(target: "tower_sso", form, ?tenant, what, "unusable key");
}

fn count(_form: &'static str, _outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_sso_requests_total", "form" => _form, "outcome" => _outcome).increment(1);
}
