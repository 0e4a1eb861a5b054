use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::Fernet;
use crate::body::{Reads, WholeBody};
use crate::form::HasWindow;
use crate::has_settings::has_settings;
use crate::scheme::{Place, Places};
use crate::tenant::Tenant;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// Starts a layer for Fernet tokens whose content is deserialized into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`token_in`](Builder::token_in), [`or_in`](Builder::or_in) | the query parameter `token` |
/// | [`tenant`](Builder::tenant) | the parameter `company_id` |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 60 s, 60 s |
/// | [`max_token_length`](Builder::max_token_length) | 8 KiB |
/// | [`require`](Builder::require) | nothing but what `C` needs |
/// | [`timestamp_claim`](Builder::timestamp_claim), [`no_timestamp_claim`](Builder::no_timestamp_claim) | `ts` |
/// | [`methods`](Builder::methods) | GET |
///
/// A key is the 44 characters of a Fernet key, as a [`Secret`](crate::keys::Secret).
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use std::time::Duration;
/// use tower_sso::{fernet, replay::MemoryReplay, tenant::Tenant};
///
/// // One customer with one key: then the tenant does not come from the request.
/// let sso = fernet::layer::<serde_json::Value>()
///     .max_age(Duration::from_secs(30))
///     .tenant(Tenant::fixed("acme"))
///     .secrets(["38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c="])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>() -> Builder<Fernet<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    start()
}

/// As [`layer`], where [`token_in`](Builder::token_in) may name a place in the body. The inner service gets a
/// [`LayerBody`](crate::body::LayerBody) with the body as it came.
///
/// ```
/// use tower_sso::{fernet, scheme::Place};
///
/// let layer = fernet::body_layer::<serde_json::Value>().token_in(Place::form("token")).methods([http::Method::POST]);
/// ```
pub fn body_layer<C>() -> Builder<Fernet<C, WholeBody>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    start()
}

fn start<C, R>() -> Builder<Fernet<C, R>>
where
    C: DeserializeOwned + Send + Sync + 'static,
    R: Reads + 'static,
{
    let form = Fernet {
        places: Places::one(Place::query("token")),
        window: Window { max_age: Duration::from_secs(60), clock_skew: Duration::from_secs(60) },
        longest: 8 * 1024,
        required: Vec::new(),
        timestamp_claim: Some("ts".into()),
        #[cfg(feature = "explain")]
        misread: None,
        claims: PhantomData,
    };
    Builder::new(form, Tenant::query("company_id"), Method::GET)
}

impl<C, R, D> Builder<Fernet<C, R>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
    R: Reads + 'static,
{
    /// Where the token is. Default: the query parameter `token`.
    ///
    /// The inner service gets the request without it; a body stays as it came, and only a layer that [`body_layer`]
    /// started reads one. The tenant is still the parameter
    /// `company_id` of the query, unless [`tenant`](Self::tenant) says otherwise.
    ///
    /// ```
    /// use tower_sso::{fernet, scheme::Place};
    ///
    /// let layer = fernet::layer::<serde_json::Value>().token_in(Place::bearer());
    /// ```
    pub fn token_in(mut self, place: Place) -> Self {
        self.form.places = Places::one(place);
        self
    }

    /// Another place where the token may be instead. A request with tokens in two places is `malformed`.
    pub fn or_in(mut self, place: Place) -> Self {
        self.form.places.add(place);
        self
    }

    /// The query parameter that holds the token: [`token_in`](Self::token_in) for a query. Default: `token`.
    pub fn token_parameter(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.token_in(Place::query(name))
    }

    /// The longest token in characters, inclusive; a longer one is `malformed`. Default: 8,192.
    pub fn max_token_length(mut self, characters: usize) -> Self {
        self.form.longest = characters;
        self
    }

    /// Fields that the content must have, and not null, even if `C` makes them optional. Default: none.
    pub fn require<N: Into<Cow<'static, str>>>(mut self, fields: impl IntoIterator<Item = N>) -> Self {
        self.form.required.extend(fields.into_iter().map(Into::into));
        self
    }

    /// The field that, if present, must be a number of seconds inside the token's own window. Default: `ts`.
    pub fn timestamp_claim(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.form.timestamp_claim = Some(field.into());
        self
    }

    /// Checks no field for a time, for a content whose `ts` means something else. The token's own time is checked all
    /// the same.
    pub fn no_timestamp_claim(mut self) -> Self {
        self.form.timestamp_claim = None;
        self
    }
}

has_settings!(Fernet<C, R>: HasWindow::window_mut, window: Window);

pub(super) fn check<C, R: Reads>(form: &Fernet<C, R>) -> Result<(), ConfigProblem> {
    form.window.check()?;
    form.places.check("token_in")?;
    if form.places.is_in_body() && !R::READS_BODY {
        let problem = "is in the body, which this layer does not read: start it with `fernet::body_layer`";
        return Err(ConfigProblem::setting("token_in", problem));
    }
    if form.longest < super::token::SHORTEST {
        return Err(ConfigProblem::setting(
            "max_token_length",
            "is shorter than the shortest Fernet token, which has 98 characters",
        ));
    }
    Ok(())
}
