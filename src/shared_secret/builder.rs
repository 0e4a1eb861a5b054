use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use http::Method;

use super::{FromCall, PrivateKeyStore, SharedSecret, Written};
use crate::scheme::Place;
use crate::tenant::Tenant;
use crate::throttle::Throttle;
use crate::{Builder, ConfigProblem};

/// Starts a layer for requests that hold a shared secret, which says whose they are. The rest of the request is read
/// into `C`: see [`FromCall`]. `keys` are [`PrivateKeys`](super::PrivateKeys) or a
/// [store of your own](PrivateKeyStore).
///
/// | setting | default |
/// |---|---|
/// | [`token_field`](Builder::token_field), [`token_in`](Builder::token_in) | `token` of a JSON body |
/// | [`password_in`](Builder::password_in), [`basic_credentials`](Builder::basic_credentials) | the token is plain |
/// | [`require`](Builder::require) | nothing but what `C` needs |
/// | [`throttle`](Builder::throttle) | none |
/// | [`methods`](Builder::methods) | POST |
/// | [`keys`](Builder::keys), [`tenant`](Builder::tenant) | an error: the argument `keys` says whose key came |
/// | [`replay`](Builder::replay) | an error: a credential may come again |
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
    C: FromCall + Send + Sync + 'static,
{
    start(Some(Arc::new(keys)))
}

/// Starts a layer for requests that hold their tenant's secret. The secrets come from [`keys`](Builder::keys) or
/// [`secrets`](Builder::secrets), and the [`tenant`](Builder::tenant) says which one is asked for: one store can serve
/// this layer and those of senders that sign. The other settings are those of [`layer`].
///
/// ```
/// use tower_sso::{keys::MemoryKeys, scheme::Place, shared_secret, tenant::Tenant};
///
/// // POST /hooks/acme with `X-Token: …`
/// let verify = shared_secret::by_tenant::<serde_json::Value>()
///     .token_in(Place::header(http::HeaderName::from_static("x-token")))
///     .keys(MemoryKeys::new().with("acme", "k-9f86d081884c7d659a2f"))
///     .tenant(Tenant::path_segment(1))
///     .build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn by_tenant<C>() -> Builder<SharedSecret<C>>
where
    C: FromCall + Send + Sync + 'static,
{
    start(None)
}

fn start<C>(keys: Option<Arc<dyn PrivateKeyStore>>) -> Builder<SharedSecret<C>>
where
    C: FromCall + Send + Sync + 'static,
{
    let form = SharedSecret {
        keys,
        place: Place::json("token"),
        written: Written::Plain,
        may_be_in_query: false,
        required: Vec::new(),
        throttle: None,
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::POST)
}

impl<C, D> Builder<SharedSecret<C>, D>
where
    C: FromCall + Send + Sync + 'static,
{
    /// The field of the JSON body that holds the secret. Default: `token`. It is not among the claims.
    pub fn token_field(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.token_in(Place::json(name))
    }

    /// Where the secret is. Default: the field `token` of a JSON body. In a cookie or the query it does not build: a
    /// browser sends cookies with forged requests too, and for the query there is
    /// [`danger_token_in_query`](Self::danger_token_in_query).
    pub fn token_in(self, place: Place) -> Self {
        self.token(place, Written::Plain)
    }

    /// The query parameter that holds the secret. The inner service does not see it, but **whatever logs URLs does**:
    /// proxies, the sender's own log, a browser's history.
    pub fn danger_token_in_query(self, name: impl Into<Cow<'static, str>>) -> Self {
        let mut layer = self.token(Place::query(name), Written::Plain);
        layer.form.may_be_in_query = true;
        layer
    }

    /// The secret is `user:password`, sent as HTTP Basic credentials (RFC 7617). Default: a [token](Self::token_in).
    pub fn basic_credentials(self) -> Self {
        self.token(Place::basic(), Written::Credentials)
    }

    /// The secret is the password in base64 of `user:password`, for senders that name a user of their choice beside
    /// it. [`UserName`](super::UserName) reads that name into claims. Default: a [token](Self::token_in).
    pub fn password_in(self, place: Place) -> Self {
        self.token(place, Written::Password)
    }

    fn token(mut self, place: Place, written: Written) -> Self {
        (self.form.place, self.form.written, self.form.may_be_in_query) = (place, written, false);
        self
    }

    /// Fields of a JSON body that must be present and not null. Default: only those that `C` needs. A body without one
    /// is `rejected_claims`.
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

pub(super) fn check<C: FromCall>(form: &SharedSecret<C>) -> Result<(), ConfigProblem> {
    let setting = if form.place.json_member().is_some() { "token_field" } else { "token_in" };
    let refused = |problem| Err(ConfigProblem::setting(setting, problem));
    form.place.check(setting)?;
    if form.place.is_cookie() {
        return refused("is a cookie, which a browser sends with forged requests too: have the partner send a header");
    }
    if form.place.parameter().is_some() && !form.may_be_in_query {
        return refused("is the query, which ends up in logs: take a header, or call `danger_token_in_query`");
    }
    if form.place.is_whole_body() && C::READS_BODY {
        return refused("is the whole body, which leaves nothing for the claims to be read from: take `NoClaims`");
    }
    if C::NEEDS_A_USER && form.written == Written::Plain {
        return refused("holds no user name, which the claims need: call `password_in` or `basic_credentials`");
    }
    Ok(())
}
