//! One check under observation: [`Watch`].

use std::mem;

use tracing::field::{Empty, display};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};

use super::{Meters, OneLine};
use crate::clock::UnixTime;
use crate::identity::Identity;
use crate::keys::{KeyUse, TenantId};
use crate::rejection::Rejection;

/// The span of a check, and when it began. It logs and counts the outcome. The span ends with the check, before the
/// inner service is called.
pub(crate) struct Watch {
    began: UnixTime,
    span: Span,
}

impl Watch {
    pub(crate) fn start(form: &'static str, namespace: &str, began: UnixTime) -> Self {
        // A disabled span would still record its fields, if tracing's feature `log` is on.
        let span = if LevelFilter::current() >= Level::DEBUG {
            tracing::debug_span!(
                target: "tower_sso",
                "check",
                form,
                namespace,
                tenant = Empty,
                key_use = Empty,
                outcome = Empty,
                reason = Empty
            )
        } else {
            Span::none()
        };
        Self { began, span }
    }

    pub(crate) fn began(&self) -> UnixTime {
        self.began
    }

    /// Moves the span out. What stays observes nothing.
    pub(crate) fn take(&mut self) -> Self {
        Self { began: self.began, span: mem::replace(&mut self.span, Span::none()) }
    }

    /// Runs a part of the check inside the span.
    pub(crate) fn in_span<T>(&self, part: impl FnOnce() -> T) -> T {
        self.span.in_scope(part)
    }

    pub(crate) fn admitted<C>(self, identity: &Identity<C>, namespace: &str, meters: &Meters) {
        let (form, tenant, key_use) = (identity.form(), identity.tenant(), identity.key_use());
        self.span.record(
            "key_use",
            match key_use {
                KeyUse::Current => "current",
                KeyUse::Previous => "previous",
            },
        );
        if identity.is_duplicate() {
            return self.acknowledged(form, namespace, tenant, meters);
        }
        self.in_span(|| super::accepted(form, namespace, tenant, key_use));
        self.end("accepted", Some(tenant));
        meters.accepted(tenant, identity.age(), key_use);
    }

    pub(crate) fn acknowledged(self, form: &'static str, namespace: &str, tenant: &TenantId, meters: &Meters) {
        self.in_span(|| super::acknowledged(form, namespace, tenant));
        self.end("acknowledged", Some(tenant));
        meters.acknowledged(tenant);
    }

    pub(crate) fn refused(self, rejection: &Rejection, meters: &Meters) {
        self.in_span(|| super::refused(rejection));
        self.span.record("reason", rejection.reason().as_str());
        self.end("refused", rejection.tenant());
        meters.refused(rejection.reason(), rejection.tenant());
    }

    fn end(&self, outcome: &'static str, tenant: Option<&TenantId>) {
        if let Some(tenant) = tenant {
            self.span.record("tenant", display(OneLine(tenant)));
        }
        self.span.record("outcome", outcome);
    }
}
