//! How a delivery is processed once: settings and setters of all forms whose duplicates are acknowledged.

use std::time::Duration;

use crate::form::{Form, Rules, Usage};
use crate::{Builder, ConfigProblem};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// How the inner service processes deliveries.
#[derive(Clone, Copy, Debug)]
pub struct Processing {
    lease: Duration,
    pub(crate) handler_remembers: bool,
    forgetting_is_fine: bool,
}

impl Default for Processing {
    fn default() -> Self {
        Self { lease: Duration::from_secs(30), handler_remembers: false, forgetting_is_fine: false }
    }
}

impl Processing {
    /// A delivery has no end if it has no time; then it is remembered for this long.
    pub(crate) fn usage(&self, remember: Option<Duration>) -> Usage {
        // The handler recognises duplicates, so they need not fill the store. Retries come within the hour.
        let remember = remember.or(self.handler_remembers.then_some(HOUR));
        Usage::Idempotent { lease: self.lease, remember }
    }

    pub(crate) fn survives_restart(&self) -> bool {
        self.handler_remembers || self.forgetting_is_fine
    }

    pub(crate) fn set(&self, rules: &mut Rules) {
        rules.usage = self.usage(None);
        rules.survives_restart = self.survives_restart();
    }

    pub(crate) fn check(&self) -> Result<(), ConfigProblem> {
        if self.lease.is_zero() { Err(ConfigProblem::ZeroTimeout("lease")) } else { Ok(()) }
    }
}

/// A form whose duplicates are acknowledged.
pub trait HasProcessing: Form {
    #[doc(hidden)]
    fn processing_mut(&mut self) -> &mut Processing;
}

/// For webhooks, JWT webhooks and signed JSON: how the inner service processes a delivery once.
impl<F: HasProcessing, C> Builder<F, C> {
    /// How long the inner service may take. Default: 30 s. If it neither answers nor fails within that time, its
    /// process may be gone, and a duplicate is let through, [`store_timeout`](Self::store_timeout) later at the latest.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.form.processing_mut().lease = lease;
        self
    }

    /// States that the handler recognises a duplicate itself: it stores
    /// [`Identity::fingerprint`](crate::Identity::fingerprint) with its own data, in one transaction. Required for
    /// deliveries without a time, and for those that are recognised by an event id, if the replay store forgets when
    /// the process ends.
    ///
    /// The replay store then remembers a delivery without a time for an hour instead of for ever, so it does not grow
    /// without bound. **A later duplicate reaches the handler**, which must do nothing and answer as before. For
    /// webhooks, `danger_remember_for` sets another time.
    pub fn handler_remembers(mut self) -> Self {
        self.form.processing_mut().handler_remembers = true;
        self
    }

    /// Builds without [`handler_remembers`](Self::handler_remembers): **after a restart, any past delivery is processed
    /// once more** if it is sent again, and brings back an old key or an old state.
    pub fn danger_forgets_on_restart(mut self) -> Self {
        self.form.processing_mut().forgetting_is_fine = true;
        self
    }
}
