//! The settings of a layer that do not depend on its form, and which of them [`validate`] refuses.

mod validate;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};

use crate::body::BodyLimits;
use crate::clock::{Clock, SystemClock};
use crate::debug::opaque_debug;
use crate::keys::KeyStore;
use crate::rejection::Rejection;
use crate::replay::ReplayStore;
use crate::tenant::Tenant;

pub(crate) use validate::{allow, validate};

/// What a builder sets, and a layer keeps.
pub(crate) struct Settings {
    pub(crate) tenant: Tenant,
    /// Whether `tenant(…)` was called. If not, `tenant` is the form's default.
    pub(crate) tenant_is_set: bool,
    /// `None` for a form that looks its keys up itself.
    pub(crate) keys: Option<Arc<dyn KeyStore>>,
    pub(crate) replay: Option<Arc<dyn ReplayStore>>,
    pub(crate) methods: Vec<Method>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store_timeout: Duration,
    pub(crate) body: BodyLimits,
    /// Whether a body that no credential signs is let through.
    pub(crate) unsigned_body: bool,
    pub(crate) responder: Responder,
    pub(crate) optional: bool,
    pub(crate) namespace: Cow<'static, str>,
    /// For how many tenants metrics are told apart.
    pub(crate) tenant_labels: usize,
}

pub(crate) type Responder = Arc<dyn Fn(&Rejection, &Parts) -> Response<Bytes> + Send + Sync>;

impl Settings {
    /// The defaults.
    pub(crate) fn new(tenant: Tenant, method: Method) -> Self {
        Self {
            tenant,
            tenant_is_set: false,
            keys: None,
            replay: None,
            methods: vec![method],
            clock: Arc::new(SystemClock),
            store_timeout: Duration::from_secs(2),
            body: BodyLimits { size: 64 * 1024, timeout: Duration::from_secs(10) },
            unsigned_body: false,
            responder: Arc::new(|rejection, _| rejection.problem_json()),
            optional: false,
            namespace: Cow::Borrowed(""),
            tenant_labels: 0,
        }
    }
}

opaque_debug!(Settings { tenant, methods, optional, namespace, store_timeout, body });
