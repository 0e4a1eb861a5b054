//! One check under observation: [`Watch`].

use std::mem;

use tracing::Span;
use tracing::field::{Empty, display};

use super::{Meters, OneLine};
use crate::identity::Identity;
use crate::keys::{KeyUse, TenantId};
use crate::rejection::Rejection;
use crate::stopwatch::Stopwatch;

/// The span of a check, and since when it takes. The span ends when the check does, before the inner service is called.
pub(crate) struct Watch {
    since: Stopwatch,
    span: Span,
}

impl Watch {
    pub(crate) fn start(form: &'static str, namespace: &str) -> Self {
        let span = tracing::debug_span!(
            target: "tower_sso",
            "check",
            form,
            namespace,
            tenant = Empty,
            key_use = Empty,
            outcome = Empty,
            reason = Empty
        );
        Self { since: Stopwatch::start(), span }
    }

    /// For its end. What stays behind observes nothing.
    pub(crate) fn take(&mut self) -> Self {
        Self { since: self.since, span: mem::replace(&mut self.span, Span::none()) }
    }

    /// Runs a part of the check inside the span.
    pub(crate) fn observe<T>(&self, part: impl FnOnce() -> T) -> T {
        self.span.in_scope(part)
    }

    pub(crate) fn accepted<C>(self, identity: &Identity<C>, meters: &Meters) {
        let outcome = if identity.is_duplicate() { "acknowledged" } else { "accepted" };
        let key_use = match identity.key_use() {
            KeyUse::Current => "current",
            KeyUse::Previous => "previous",
        };
        self.span.record("tenant", display(OneLine(identity.tenant()))).record("key_use", key_use);
        self.end(outcome, meters);
        if identity.is_duplicate() {
            meters.acknowledged(identity.tenant());
        } else {
            meters.accepted(identity.tenant(), identity.issued_at(), identity.key_use(), identity.checked_at());
        }
    }

    pub(crate) fn acknowledged(self, tenant: &TenantId, meters: &Meters) {
        self.span.record("tenant", display(OneLine(tenant)));
        self.end("acknowledged", meters);
        meters.acknowledged(tenant);
    }

    pub(crate) fn refused(self, rejection: &Rejection, meters: &Meters) {
        if let Some(tenant) = rejection.tenant() {
            self.span.record("tenant", display(OneLine(tenant)));
        }
        self.span.record("reason", rejection.reason().as_str());
        self.end("refused", meters);
        meters.refused(rejection.reason(), rejection.tenant());
    }

    fn end(&self, outcome: &'static str, meters: &Meters) {
        self.span.record("outcome", outcome);
        meters.checked(self.since);
    }
}
