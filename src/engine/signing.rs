//! What the partner's side has to know of a layer.

use http::Method;

use super::VerifyLayer;
use crate::clock::UnixTime;
use crate::form::Form;
#[cfg(feature = "kit")]
use crate::form::Usage;

impl<F: Form, C> VerifyLayer<F, C> {
    pub(crate) fn now(&self) -> UnixTime {
        self.engine().settings.clock.now()
    }

    pub(crate) fn methods(&self) -> &[Method] {
        &self.engine().settings.methods
    }

    /// The query parameter that names the tenant.
    pub(crate) fn tenant_parameter(&self) -> Option<&str> {
        self.engine().settings.tenant.parameter().map(AsRef::as_ref)
    }

    #[cfg(feature = "kit")]
    pub(crate) fn body_limit(&self) -> usize {
        self.engine().settings.body.size
    }

    #[cfg(feature = "kit")]
    pub(crate) fn takes_unsigned_body(&self) -> bool {
        self.engine().takes_unsigned_body()
    }

    #[cfg(feature = "kit")]
    pub(crate) fn usage(&self) -> Usage {
        self.engine().rules.usage
    }
}
