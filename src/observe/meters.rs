//! What a layer counts and measures, for whichever recorder the application has installed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata};

use super::tenants::{MetricKeys, Tenants};
use crate::clock::UnixTime;
use crate::keys::{KeyUse, TenantId};
use crate::metrics::names;
use crate::rejection::{Reason, Step};
use crate::replay::ReplayStore;

/// The keys of one layer's metrics, made when it is built: counting an honest request does not allocate.
pub(crate) struct Meters {
    all: MetricKeys,
    /// `None`: tenants are not told apart.
    tenants: Option<Tenants>,
    check: Key,
    key_store: Key,
    replay_store: Key,
    entries: Key,
    ceiling: Key,
    /// The second in which the store's size was last recorded.
    sized: AtomicI64,
}

/// A store that a check asks.
#[derive(Clone, Copy)]
pub(crate) enum Store {
    Keys,
    Replay,
}

impl Meters {
    pub(crate) fn new(form: &'static str, namespace: &str, tenant_labels: usize) -> Self {
        let labels = vec![Label::from_static_parts("form", form), Label::new("namespace", namespace.to_owned())];
        let all = MetricKeys::new(labels);
        Self {
            tenants: (tenant_labels > 0).then(|| Tenants::new(tenant_labels, &all)),
            check: all.key(names::CHECK, None),
            key_store: all.key(names::STORE, Some(("store", "keys"))),
            replay_store: all.key(names::STORE, Some(("store", "replay"))),
            entries: all.key(names::ENTRIES, None),
            ceiling: all.key(names::CEILING, None),
            sized: AtomicI64::new(i64::MIN),
            all,
        }
    }

    pub(crate) fn accepted(&self, tenant: &TenantId, age: Option<f64>, key_use: KeyUse) {
        self.count(Some(tenant), true, |counted| {
            increment(&counted.accepted);
            increment(if key_use == KeyUse::Current { &counted.current } else { &counted.previous });
            if let Some(age) = age.filter(is_of_a_clock) {
                record(&counted.age, age);
            }
        });
    }

    /// The age of an authentic credential outside its window: without it, a clock that is far off would show nowhere.
    pub(crate) fn untimely(&self, reason: &Reason, tenant: Option<&TenantId>, age: Option<f64>) {
        if let Some(age) = age.filter(is_of_a_clock) {
            self.count(tenant, true, |counted| {
                record(&counted.key(names::AGE, Some(("outcome", reason.as_str()))), age);
            });
        }
    }

    pub(crate) fn acknowledged(&self, tenant: &TenantId) {
        self.count(Some(tenant), true, |counted| increment(&counted.acknowledged));
    }

    /// A refusal after the keys step proves that the tenant exists. A wrong algorithm does not: a form may refuse it
    /// before the keys are looked up.
    pub(crate) fn refused(&self, reason: &Reason, tenant: Option<&TenantId>) {
        let is_known = reason.step() > Step::Keys && *reason != Reason::AlgorithmNotAllowed;
        self.count(tenant, is_known, |counted| match reason {
            Reason::BadSignature => increment(&counted.forged),
            _ => increment(&counted.key(names::REQUESTS, Some(("outcome", reason.as_str())))),
        });
    }

    fn count(&self, tenant: Option<&TenantId>, is_known: bool, count: impl FnOnce(&MetricKeys)) {
        match &self.tenants {
            None => count(&self.all),
            Some(tenants) => count(&tenants.of(tenant, is_known)),
        }
    }

    pub(crate) fn checked(&self, took: Duration) {
        record(&self.check, took.as_secs_f64());
    }

    pub(crate) fn answered(&self, store: Store, took: Duration) {
        let key = match store {
            Store::Keys => &self.key_store,
            Store::Replay => &self.replay_store,
        };
        record(key, took.as_secs_f64());
    }

    /// At most once a second.
    pub(crate) fn sized(&self, store: &dyn ReplayStore, now: UnixTime) {
        let second = now.as_secs();
        // Fast path: a plain load avoids cache-line contention.
        if self.sized.load(Ordering::Relaxed) == second || self.sized.swap(second, Ordering::Relaxed) == second {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        if let Some(fill) = store.fill() {
            gauge(&self.entries, fill.entries as f64);
            gauge(&self.ceiling, fill.ceiling as f64);
        }
    }
}

pub(crate) fn not_settled(form: &'static str) {
    increment(&Key::from_parts(names::UNSETTLED, &[("form", form)]));
}

/// What is off by more than a day is an old link, or milliseconds that are read as seconds.
fn is_of_a_clock(age: &f64) -> bool {
    age.abs() <= 86_400.0
}

static METADATA: Metadata<'_> = Metadata::new("tower_sso", Level::INFO, Some("tower_sso"));

fn increment(key: &Key) {
    metrics::with_recorder(|recorder| recorder.register_counter(key, &METADATA)).increment(1);
}

fn record(key: &Key, value: f64) {
    metrics::with_recorder(|recorder| recorder.register_histogram(key, &METADATA)).record(value);
}

fn gauge(key: &Key, value: f64) {
    metrics::with_recorder(|recorder| recorder.register_gauge(key, &METADATA)).set(value);
}
