use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use http::Method;
use serde::de::DeserializeOwned;

use super::{PrivateKeyStore, SharedSecret};
use crate::tenant::Tenant;
use crate::throttle::Throttle;
use crate::{Builder, ConfigProblem};

/// Starts a layer for JSON bodies that contain a shared secret. The other fields are deserialized into `C`. `keys` are
/// [`PrivateKeys`](super::PrivateKeys) or a [store of your own](PrivateKeyStore).
///
/// | setting | default |
/// |---|---|
/// | [`token_field`](Builder::token_field) | `token` |
/// | [`require`](Builder::require) | nothing but what `C` needs |
/// | [`throttle`](Builder::throttle) | none |
/// | [`keys`](Builder::keys), [`tenant`](Builder::tenant) | not asked, as `keys` says whose key came: an error |
/// | [`methods`](Builder::methods) | POST |
/// | [`replay`](Builder::replay) | not asked, as a credential may come again: an error |
///
/// ```
/// use std::net::SocketAddr;
/// use axum::extract::ConnectInfo;
/// use tower_sso::shared_secret::{self, PrivateKeys};
/// use tower_sso::throttle::Throttle;
///
/// let keys = PrivateKeys::new().with("default", ["k-9f86d081884c7d659a2f"])?;
/// // axum sets it if the app is served `into_make_service_with_connect_info::<SocketAddr>()`.
/// let peer = Throttle::by(|head| Some(head.extensions.get::<ConnectInfo<SocketAddr>>()?.0.into()));
/// let sso = shared_secret::layer::<serde_json::Value>(keys).throttle(peer).require(["login"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(keys: impl PrivateKeyStore) -> Builder<SharedSecret<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let keys = Arc::new(keys);
    let form =
        SharedSecret { keys, token_field: "token".into(), required: Vec::new(), throttle: None, claims: PhantomData };
    Builder::new(form, Tenant::fixed("default"), Method::POST)
}

impl<C, D> Builder<SharedSecret<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// The field that holds the secret. Default: `token`. It is not among the claims.
    pub fn token_field(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.token_field = name.into();
        self
    }

    /// Fields that must be present and not null. Default: only those that `C` needs. A body without one is
    /// `rejected_claims`.
    pub fn require<N: Into<Cow<'static, str>>>(mut self, fields: impl IntoIterator<Item = N>) -> Self {
        self.form.required.extend(fields.into_iter().map(Into::into));
        self
    }

    /// Counts wrong secrets per source. Default: none, as only you know how to tell sources apart. **Without it, an
    /// attacker can guess secrets as fast as requests are answered**: harmless for 128 random bits, but not for a
    /// secret that a person made up.
    pub fn throttle(mut self, throttle: Throttle) -> Self {
        self.form.throttle = Some(throttle);
        self
    }
}

pub(super) fn check<C>(form: &SharedSecret<C>) -> Result<(), ConfigProblem> {
    if form.token_field.is_empty() {
        return Err(ConfigProblem::setting("token_field", "is empty: name the field that holds the secret"));
    }
    Ok(())
}
