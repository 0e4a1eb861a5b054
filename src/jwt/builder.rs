use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::verifier::Verifier;
use super::{Algorithm, Audience, Jwt};
use crate::config::{Builder, ConfigError};
use crate::tenant::Tenant;

/// Starts a layer for JWTs of one algorithm whose payload is deserialized into `C`.
///
/// | setting | default |
/// |---|---|
/// | [`token_parameter`](Builder::token_parameter) | `sso_jwt` |
/// | [`audience`](Builder::audience) | none: it or [`danger_any_audience`](Builder::danger_any_audience) must be called |
/// | [`leeway`](Builder::leeway) | 60 s |
/// | [`max_lifetime`](Builder::max_lifetime) | 15 min |
/// | [`max_token_length`](Builder::max_token_length) | 8 KiB |
/// | [`require`](Builder::require) | nothing but what `C` needs |
/// | [`tenant`](Builder::tenant) | one for all; the token does not say whose it is |
/// | [`methods`](Builder::methods) | GET |
///
/// A key is the shared secret for HS256, HS384 and HS512. For the others, which need the feature `jwt-public-key`, it is the
/// partner's public key in PEM; an RSA key has 2,048 to 4,096 bits and the exponent 65,537. A key that can never check a
/// signature is an error when the layer is built, or `unavailable` if it is found later.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::jwt::{self, Algorithm};
/// use tower_sso::replay::MemoryReplay;
///
/// let sso = jwt::layer::<serde_json::Value>(Algorithm::HS256)
///     .audience("www.example.com")
///     .secrets(["a secret that is shared with the partner"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::config::ConfigError>(())
/// ```
pub fn layer<C>(algorithm: Algorithm) -> Builder<Jwt<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let form = Jwt {
        verifier: Verifier::new(algorithm),
        parameter: "sso_jwt".into(),
        audience: Audience::Unset,
        expires: true,
        leeway: Duration::from_secs(60),
        max_lifetime: Some(Duration::from_secs(15 * 60)),
        longest: 8 * 1024,
        required: Vec::new(),
        required_claims: Vec::new(),
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::GET)
}

impl<C> Builder<Jwt<C>> {
    /// The query parameter that holds the token. Default: `sso_jwt`.
    pub fn token_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.parameter = name.into();
        self
    }

    /// For whom the token must be made: its `aud` is this, or a list that has this.
    pub fn audience(mut self, ours: impl Into<Cow<'static, str>>) -> Self {
        self.form.audience = Audience::Ours(ours.into());
        self
    }

    /// Takes tokens that were made for anyone, or do not say for whom. **A token that the partner made for another app
    /// with the same secret signs in here.**
    pub fn danger_any_audience(mut self) -> Self {
        self.form.audience = Audience::Any;
        self
    }

    /// Takes tokens without `exp`. **A stolen one that was not used works for ever**, and each is remembered for ever.
    pub fn danger_without_expiry(mut self) -> Self {
        self.form.expires = false;
        self
    }

    /// By how much the partner's clock may differ from ours, either way, inclusive. Default: 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.form.leeway = leeway;
        self
    }

    /// The longest time from `iat` to `exp`, inclusive. Where there is no `iat`, from now on, and [`leeway`](Self::leeway)
    /// longer: the partner's clock may be that far ahead. Default: 15 min.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.form.max_lifetime = Some(lifetime);
        self
    }

    /// Takes tokens that live for any time. **A stolen one works until it is used or expires.**
    pub fn danger_any_lifetime(mut self) -> Self {
        self.form.max_lifetime = None;
        self
    }

    /// The longest token in characters, inclusive; a longer one is `malformed`. Default: 8,192.
    pub fn max_token_length(mut self, characters: usize) -> Self {
        self.form.longest = characters;
        self
    }

    /// Claims of RFC 7519 that must be in the payload besides those that the other settings need, such as `sub` or `jti`;
    /// a token without one is `invalid`, and so is one whose `iss`, `sub` or `jti` is asked for and is no string. Default: none.
    pub fn require_claims<N: Into<Cow<'static, str>>>(mut self, claims: impl IntoIterator<Item = N>) -> Self {
        self.form.required_claims.extend(claims.into_iter().map(Into::into));
        self
    }

    /// Fields that must be in the payload, and not null, whatever `C` makes of their absence. Default: none.
    pub fn require<N: Into<Cow<'static, str>>>(mut self, fields: impl IntoIterator<Item = N>) -> Self {
        self.form.required.extend(fields.into_iter().map(Into::into));
        self
    }
}

pub(super) fn check<C>(form: &Jwt<C>) -> Result<(), ConfigError> {
    let setting = |setting, problem: &'static str| Err(ConfigError::Setting { setting, problem: problem.into() });
    if form.parameter.is_empty() {
        return setting("token_parameter", "is empty: name the parameter that holds the token");
    }
    match &form.audience {
        Audience::Unset => setting("audience", "is not set: say for whom tokens must be made (their `aud`)"),
        Audience::Ours(ours) if ours.is_empty() => setting("audience", "is empty: say for whom tokens must be made"),
        _ => Ok(()),
    }
}
