use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::{Plus, Recipe, TimestampHash};
use crate::body::{Reads, WholeBody};
use crate::form::HasWindow;
use crate::has_settings::has_settings;
use crate::scheme::Source;
use crate::tenant::Tenant;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// Starts a layer for links hashed by a recipe. Its fields, each a string, are deserialized into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`source`](Builder::source) | the query |
/// | [`timestamp_parameter`](Builder::timestamp_parameter) | `timestamp` |
/// | [`hash_parameter`](Builder::hash_parameter) | `hash` |
/// | [`plus`](Builder::plus) | [`Plus::Either`] |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 30 s, 5 s |
/// | [`tenant`](Builder::tenant), [`tenant_field`](Builder::tenant_field) | one for all |
/// | [`methods`](Builder::methods) | GET |
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::replay::MemoryReplay;
/// use tower_sso::timestamp_hash::{self, Digest, Recipe};
///
/// let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|");
/// let sso = timestamp_hash::layer::<serde_json::Value>(recipe)
///     .secrets(["0123456789abcdef"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(recipe: Recipe) -> Builder<TimestampHash<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    start(recipe)
}

/// As [`layer`], where [`source`](Builder::source) may name a place in the body. The inner service gets a
/// [`LayerBody`](crate::body::LayerBody) with the body as it came.
///
/// ```
/// use tower_sso::scheme::Source;
/// use tower_sso::timestamp_hash::{self, Digest, Recipe};
///
/// let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|");
/// let layer = timestamp_hash::body_layer::<serde_json::Value>(recipe).source(Source::Form);
/// let layer = layer.methods([http::Method::POST]);
/// ```
pub fn body_layer<C>(recipe: Recipe) -> Builder<TimestampHash<C, WholeBody>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    start(recipe)
}

fn start<C, R>(recipe: Recipe) -> Builder<TimestampHash<C, R>>
where
    C: DeserializeOwned + Send + Sync + 'static,
    R: Reads + 'static,
{
    let form = TimestampHash {
        recipe,
        source: Source::Query,
        timestamp: "timestamp".into(),
        hash: "hash".into(),
        tenant: None,
        plus: Plus::Either,
        window: Window { max_age: Duration::from_secs(30), clock_skew: Duration::from_secs(5) },
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::GET)
}

impl<C, R, D> Builder<TimestampHash<C, R>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
    R: Reads + 'static,
{
    /// Where the fields and the hash are. Default: in the query. Only a layer that [`body_layer`] started reads a body.
    pub fn source(mut self, source: Source) -> Self {
        self.form.source = source;
        self
    }

    /// The parameter that holds the timestamp; the recipe must hash it. Default: `timestamp`.
    pub fn timestamp_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.timestamp = name.into();
        self
    }

    /// The parameter that holds the hash. Default: `hash`.
    pub fn hash_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.hash = name.into();
        self
    }

    /// The field of the recipe that names the tenant. Default: none, and [`tenant`](Self::tenant) decides; it has no
    /// effect once this is set.
    ///
    /// The name is read as it was hashed: a raw `+` is a space, except with [`Plus::Literal`]. A layer whose
    /// [`Tenant::query`] names a hashed field does not build: **if the field were read in two ways, the tenant `a b`
    /// could sign as `a+b`.**
    ///
    /// ```
    /// use tower_sso::timestamp_hash::{self, Digest, Recipe};
    ///
    /// let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email", "org"], "|");
    /// let layer = timestamp_hash::layer::<serde_json::Value>(recipe).tenant_field("org");
    /// ```
    pub fn tenant_field(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.tenant = Some(name.into());
        self
    }

    /// The meaning of a raw `+` in a field. Default: whichever matches the hash.
    pub fn plus(mut self, plus: Plus) -> Self {
        self.form.plus = plus;
        self
    }
}

has_settings!(TimestampHash<C, R>: HasWindow::window_mut, window: Window);

pub(super) fn check<C, R: Reads>(form: &TimestampHash<C, R>) -> Result<(), ConfigProblem> {
    form.window.check()?;
    form.source.check("source")?;
    if form.source.is_in_body() && !R::READS_BODY {
        let problem = "is in the body, which this layer does not read: start it with `timestamp_hash::body_layer`";
        return Err(ConfigProblem::setting("source", problem));
    }
    if form.hash.is_empty() {
        let problem = "is empty: name the parameter that holds the hash";
        return Err(ConfigProblem::setting("hash_parameter", problem));
    }
    if form.recipe.has(&form.hash) {
        let problem = "is one of the hashed fields: a hash cannot hash itself";
        return Err(ConfigProblem::setting("hash_parameter", problem));
    }
    if let Some(tenant) = &form.tenant
        && !form.recipe.has(tenant)
    {
        let problem = "is not in the recipe: anyone could put another tenant's name there. Hash it, or call `tenant`";
        return Err(ConfigProblem::setting("tenant_field", problem));
    }
    form.recipe.check(&form.timestamp)
}
