use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::Fernet;
use crate::form::HasWindow;
use crate::tenant::Tenant;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// Starts a layer for Fernet tokens whose content is deserialized into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`token_parameter`](Builder::token_parameter) | `token` |
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
    let form = Fernet {
        parameter: "token".into(),
        window: Window { max_age: Duration::from_secs(60), clock_skew: Duration::from_secs(60) },
        longest: 8 * 1024,
        required: Vec::new(),
        timestamp_claim: Some("ts".into()),
        claims: PhantomData,
    };
    Builder::new(form, Tenant::query("company_id"), Method::GET)
}

impl<C, D> Builder<Fernet<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// The query parameter that holds the token. Default: `token`.
    pub fn token_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.parameter = name.into();
        self
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

impl<C> HasWindow for Fernet<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    fn window_mut(&mut self) -> &mut Window {
        &mut self.window
    }
}

pub(super) fn check<C>(form: &Fernet<C>) -> Result<(), ConfigProblem> {
    form.window.check()?;
    if form.parameter.is_empty() {
        return Err(ConfigProblem::setting("token_parameter", "is empty: name the parameter that holds the token"));
    }
    if form.longest < super::token::SHORTEST {
        return Err(ConfigProblem::setting(
            "max_token_length",
            "is shorter than the shortest Fernet token, which has 98 characters",
        ));
    }
    Ok(())
}
