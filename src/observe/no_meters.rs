//! Without the feature `metrics`, nothing is counted or measured.

use std::time::Duration;

use crate::clock::UnixTime;
use crate::keys::{KeyUse, TenantId};
use crate::rejection::Reason;
use crate::replay::ReplayStore;

pub(crate) struct Meters;

#[derive(Clone, Copy)]
pub(crate) enum Store {
    Keys,
    Replay,
}

#[expect(clippy::unused_self, reason = "the same methods as with the feature")]
impl Meters {
    pub(crate) fn new(_: &'static str, _: &str, _: usize) -> Self {
        Self
    }

    pub(crate) fn accepted(&self, _: &TenantId, _: Option<f64>, _: KeyUse) {}

    pub(crate) fn untimely(&self, _: &Reason, _: Option<&TenantId>, _: Option<f64>) {}

    pub(crate) fn acknowledged(&self, _: &TenantId) {}

    pub(crate) fn refused(&self, _: &Reason, _: Option<&TenantId>) {}

    pub(crate) fn checked(&self, _: Duration) {}

    pub(crate) fn answered(&self, _: Store, _: Duration) {}

    pub(crate) fn sized(&self, _: &dyn ReplayStore, _: UnixTime) {}
}

pub(crate) fn not_settled(_: &'static str) {}
