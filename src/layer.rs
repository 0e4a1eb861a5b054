//! The layer that forms are mounted with: [`VerifyLayer`].

use std::fmt;
use std::sync::Arc;

use http::Method;
use tower_layer::Layer;

use crate::config::Builder;
use crate::form::Form;
use crate::pipeline::Pipeline;
use crate::service::Verify;
use crate::tenant::Tenant;

/// Checks requests by one form before they reach the service. Cheap to clone.
///
/// The forms have functions that start one: see [`fernet::layer`](crate::fernet::layer) and
/// [`webhook::layer`](crate::webhook::layer). A form of your own starts here.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use http::Method;
/// use tower_sso::config::ConfigError;
/// use tower_sso::form::Form;
/// use tower_sso::layer::VerifyLayer;
/// use tower_sso::replay::MemoryReplay;
/// use tower_sso::tenant::Tenant;
///
/// fn mount<F: Form>(form: F) -> Result<VerifyLayer<F>, ConfigError> {
///     VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET)
///         .secrets(["acme's secret"])
///         .replay(MemoryReplay::new())
///         .build()
/// }
/// # }
/// ```
pub struct VerifyLayer<F> {
    pipeline: Arc<Pipeline<F>>,
}

impl<F: Form> VerifyLayer<F> {
    /// Starts a layer for a form, with the form's usual tenant and method.
    pub fn builder(form: F, tenant: Tenant, method: Method) -> Builder<F> {
        Builder::new(form, tenant, method)
    }

    /// The form, whose methods are one step each: to measure them one by one. **None of them signs anyone in**: their order,
    /// the keys, the clock and the replay store are the layer's.
    ///
    /// ```
    /// # #[cfg(all(feature = "fernet", feature = "moka"))] {
    /// # let layer = tower_sso::fernet::layer::<serde_json::Value>()
    /// #     .tenant(tower_sso::tenant::Tenant::fixed("acme"))
    /// #     .secrets(["38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c="])
    /// #     .replay(tower_sso::replay::MemoryReplay::new())
    /// #     .build()
    /// #     .unwrap();
    /// use tower_sso::form::Form;
    ///
    /// assert_eq!(layer.form().parameters(), ["token"]);
    /// # }
    /// ```
    pub fn form(&self) -> &F {
        self.pipeline.form()
    }

    pub(crate) fn new(pipeline: Pipeline<F>) -> Self {
        Self { pipeline: Arc::new(pipeline) }
    }
}

impl<S, F: Form> Layer<S> for VerifyLayer<F> {
    type Service = Verify<S, F>;

    fn layer(&self, inner: S) -> Verify<S, F> {
        Verify::new(inner, Arc::clone(&self.pipeline))
    }
}

impl<F> Clone for VerifyLayer<F> {
    fn clone(&self) -> Self {
        Self { pipeline: Arc::clone(&self.pipeline) }
    }
}

impl<F: Form> fmt::Debug for VerifyLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyLayer").field("form", &F::NAME).finish_non_exhaustive()
    }
}
