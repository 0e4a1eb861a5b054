//! The layer that forms are mounted with: [`VerifyLayer`].

use std::sync::Arc;

use http::Method;
use tower_layer::Layer;

use super::{Builder, Engine, Verify};
use crate::debug::form_debug;
use crate::form::Form;
#[cfg(any(feature = "explain", feature = "kit"))]
use crate::form::Rules;
#[cfg(any(feature = "explain", feature = "sign"))]
use crate::settings::Settings;
use crate::tenant::Tenant;

/// Checks requests by one form before they reach the service. Cheap to clone.
///
/// The forms have functions that start one: see [`fernet::layer`](crate::fernet::layer) and
/// [`webhook::layer`](crate::webhook::layer). A form of your own starts here.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use http::Method;
/// use tower_sso::ConfigError;
/// use tower_sso::form::Form;
/// use tower_sso::VerifyLayer;
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
pub struct VerifyLayer<F: Form, C = <F as Form>::Claims> {
    engine: Arc<Engine<F, C>>,
}

impl<F: Form> VerifyLayer<F> {
    /// Starts a layer for a form, with the form's usual tenant and method.
    pub fn builder(form: F, tenant: Tenant, method: Method) -> Builder<F> {
        Builder::new(form, tenant, method)
    }
}

impl<F: Form, C> VerifyLayer<F, C> {
    /// The form, whose methods are one step each: to measure them one by one. **None of them signs anyone in**: their
    /// order, the keys, the clock and the replay store are the layer's.
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
    /// assert_eq!(layer.form().rules().parameters, ["token"]);
    /// # }
    /// ```
    pub fn form(&self) -> &F {
        &self.engine.form
    }

    #[cfg(any(feature = "explain", feature = "sign"))]
    pub(crate) fn settings(&self) -> &Settings {
        &self.engine.settings
    }

    #[cfg(any(feature = "explain", feature = "kit"))]
    pub(crate) fn rules(&self) -> &Rules {
        &self.engine.rules
    }

    #[cfg(feature = "kit")]
    pub(crate) fn takes_unsigned_body(&self) -> bool {
        self.engine.takes_unsigned_body()
    }

    #[cfg(feature = "explain")]
    pub(super) fn engine(&self) -> &Engine<F, C> {
        &self.engine
    }

    pub(super) fn new(engine: Engine<F, C>) -> Self {
        Self { engine: Arc::new(engine) }
    }
}

impl<S, F: Form, C> Layer<S> for VerifyLayer<F, C> {
    type Service = Verify<S, F, C>;

    fn layer(&self, inner: S) -> Verify<S, F, C> {
        Verify::new(inner, Arc::clone(&self.engine))
    }
}

impl<F: Form, C> Clone for VerifyLayer<F, C> {
    fn clone(&self) -> Self {
        Self { engine: Arc::clone(&self.engine) }
    }
}

form_debug!(VerifyLayer<F, C>, engine.settings);
