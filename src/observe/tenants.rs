//! What is counted for each tenant, if a layer asks for it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use metrics::{Key, Label};

use crate::keys::TenantId;
use crate::metrics::names;
use crate::rejection::Reason;

/// The keys of what is counted: of a whole layer, or of one tenant.
pub(super) struct MetricKeys {
    labels: Vec<Label>,
    pub(super) accepted: Key,
    pub(super) acknowledged: Key,
    /// The only refusal whose key is made in advance: a flood of forgeries must not allocate for each.
    pub(super) forged: Key,
    pub(super) current: Key,
    pub(super) previous: Key,
    pub(super) age: Key,
}

impl MetricKeys {
    pub(super) fn new(labels: Vec<Label>) -> Self {
        Self {
            accepted: key(&labels, names::REQUESTS, Some(("outcome", "accepted"))),
            acknowledged: key(&labels, names::REQUESTS, Some(("outcome", "acknowledged"))),
            forged: key(&labels, names::REQUESTS, Some(("outcome", Reason::BadSignature.as_str()))),
            current: key(&labels, names::KEY_USE, Some(("use", "current"))),
            previous: key(&labels, names::KEY_USE, Some(("use", "previous"))),
            age: key(&labels, names::AGE, Some(("outcome", "accepted"))),
            labels,
        }
    }

    pub(super) fn key(&self, name: &'static str, label: Option<(&'static str, &'static str)>) -> Key {
        key(&self.labels, name, label)
    }

    fn of_tenant(&self, tenant: &str) -> Arc<Self> {
        let tenant = Label::new("tenant", tenant.to_owned());
        Arc::new(Self::new(self.labels.iter().cloned().chain([tenant]).collect()))
    }
}

fn key(labels: &[Label], name: &'static str, label: Option<(&'static str, &'static str)>) -> Key {
    let more = label.map(|(name, value)| Label::from_static_parts(name, value));
    Key::from_parts(name, labels.iter().cloned().chain(more).collect::<Vec<_>>())
}

/// The first tenants that have keys, and one series for all others: recorders keep each series for ever.
pub(super) struct Tenants {
    most: usize,
    layer: MetricKeys,
    known: RwLock<BTreeMap<TenantId, Arc<MetricKeys>>>,
    others: Arc<MetricKeys>,
}

impl Tenants {
    pub(super) fn new(most: usize, layer: &MetricKeys) -> Self {
        let layer = MetricKeys::new(layer.labels.clone());
        Self { most, others: layer.of_tenant("other"), layer, known: RwLock::default() }
    }

    /// Anybody can make names up, so a tenant gets a series of its own once it is known to have keys.
    pub(super) fn of(&self, tenant: Option<&TenantId>, is_known: bool) -> Arc<MetricKeys> {
        let Some(tenant) = tenant else { return Arc::clone(&self.others) };
        // A panic under the lock cannot have left the map half changed.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (found, has_room) = (known.get(tenant).cloned(), known.len() < self.most);
        drop(known);
        match found {
            Some(counted) => counted,
            None if is_known && has_room => {
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                if known.len() >= self.most && !known.contains_key(tenant) {
                    return Arc::clone(&self.others);
                }
                Arc::clone(known.entry(tenant.clone()).or_insert_with(|| self.layer.of_tenant(tenant.as_str())))
            }
            None => Arc::clone(&self.others),
        }
    }
}
