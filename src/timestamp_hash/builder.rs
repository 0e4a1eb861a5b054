use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::{Plus, Recipe, TimestampHash};
use crate::form::HasWindow;
use crate::tenant::Tenant;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// Starts a layer for links hashed by a recipe. Its fields, each a string, are deserialized into `C`.
///
/// | setting | default |
/// |---|---|
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
///     .secrets(["shared"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(recipe: Recipe) -> Builder<TimestampHash<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let form = TimestampHash {
        recipe,
        timestamp: "timestamp".into(),
        hash: "hash".into(),
        tenant: None,
        plus: Plus::Either,
        window: Window { max_age: Duration::from_secs(30), clock_skew: Duration::from_secs(5) },
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::GET)
}

impl<C, D> Builder<TimestampHash<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// The query parameter that holds the timestamp; the recipe must hash it. Default: `timestamp`.
    pub fn timestamp_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.timestamp = name.into();
        self
    }

    /// The query parameter that holds the hash. Default: `hash`.
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

impl<C> HasWindow for TimestampHash<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    fn window_mut(&mut self) -> &mut Window {
        &mut self.window
    }
}

pub(super) fn check<C>(form: &TimestampHash<C>) -> Result<(), ConfigProblem> {
    form.window.check()?;
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
