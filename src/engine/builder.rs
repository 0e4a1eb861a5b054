//! What every layer's builder shares: [`Builder`].

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};

use super::replay::Replay;
use super::{Engine, MapClaims, VerifyLayer};
use crate::ConfigError;
use crate::clock::Clock;
use crate::debug::form_debug;
use crate::form::{Form, Usage};
use crate::keys::{FixedKeys, KeyStore, Secret};
use crate::observe::Meters;
use crate::rejection::{Reason, RefusedClaims, Rejection};
use crate::replay::{Group, ReplayStore};
use crate::settings::{Settings, allow, validate};
use crate::tenant::Tenant;
use crate::text::strip::CredentialParameters;

/// Sets up a layer of the form `F`, for claims of type `C`. It is made by the form's `layer` function, such as
/// [`fernet::layer`](crate::fernet::layer), or by [`VerifyLayer::builder`].
///
/// Every form has the settings in this table. The settings of single forms are further down, and in the documentation
/// of each form's `layer` function.
///
/// | setting | default |
/// |---|---|
/// | [`keys`](Self::keys), [`secrets`](Self::secrets) | none: one of them must be called |
/// | [`replay`](Self::replay) | none: must be called, unless the form's credentials may come again |
/// | [`tenant`](Self::tenant) | the form's |
/// | [`methods`](Self::methods) | the form's |
/// | [`clock`](Self::clock) | [`SystemClock`](crate::clock::SystemClock) |
/// | [`store_timeout`](Self::store_timeout) | 2 s |
/// | [`danger_unsigned_body`](Self::danger_unsigned_body) | a body that nobody signed is refused |
/// | [`body_limit`](Self::body_limit), [`body_timeout`](Self::body_timeout) | 64 KiB, 10 s |
/// | [`responder`](Self::responder) | [`Rejection::problem_json`] |
/// | [`optional`](Self::optional) | off |
/// | [`namespace`](Self::namespace) | one for all layers of a form |
/// | [`tenant_labels`](Self::tenant_labels) (feature `metrics`) | 0: metrics without tenants |
///
/// ```
/// # #[cfg(all(feature = "fernet", feature = "moka"))] {
/// use tower_sso::ConfigProblem;
/// use tower_sso::keys::MemoryKeys;
/// use tower_sso::replay::MemoryReplay;
///
/// let refused = tower_sso::fernet::layer::<serde_json::Value>().replay(MemoryReplay::new()).build();
/// assert_eq!(refused.unwrap_err().problem(), &ConfigProblem::NoKeys);
/// # }
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder<F: Form, C = <F as Form>::Claims> {
    pub(crate) form: F,
    map_claims: MapClaims<F, C>,
    pub(crate) settings: Settings,
}

impl<F: Form> Builder<F> {
    /// A builder for a form, with the form's own tenant and methods.
    pub(crate) fn new(form: F, tenant: Tenant, method: Method) -> Self {
        Self { form, map_claims: Box::new(Ok), settings: Settings::new(tenant, method) }
    }
}

impl<F: Form, C: Send + Sync + 'static> Builder<F, C> {
    /// Where the keys are found. Any [`KeyStore`], or a closure through [`keys::from_fn`](crate::keys::from_fn).
    pub fn keys(mut self, keys: impl KeyStore) -> Self {
        self.settings.keys = Some(Arc::new(keys));
        self
    }

    /// Fixed secrets, the same for every request: the first is current, the others are still accepted. Needs a
    /// [`Tenant::fixed`], unless the form signs its tenant.
    pub fn secrets<S: Into<Secret>>(self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.keys(FixedKeys::new(secrets))
    }

    /// Where used credentials are remembered. One store may serve every layer.
    pub fn replay(mut self, replay: impl ReplayStore) -> Self {
        self.settings.replay = Some(Arc::new(replay));
        self
    }

    /// A name that sets this layer's credentials apart from those of other layers of the same form with the same replay
    /// store. Without it, what was used at one of them is used at all: right for sign-in links, and wrong for two
    /// webhooks that take the same bytes for different things. The log and the metrics name it.
    pub fn namespace(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.settings.namespace = name.into();
        self
    }

    /// How the tenant is found, which selects the keys. Not for a form whose credentials say whose they are.
    pub fn tenant(mut self, tenant: Tenant) -> Self {
        self.settings.tenant = tenant;
        self.settings.tenant_is_set = true;
        self
    }

    /// The methods that are let through; others get 405. HEAD cannot be one of them: it would use a credential up
    /// without anybody seeing the answer. For mailed links, [allow only POST](crate::guide::mail_scanners).
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.settings.methods = methods.into_iter().collect();
        self
    }

    /// The clock of every time check. For tests: [`ManualClock`](crate::clock::ManualClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// How long to wait for the key store and for the replay store, each. After that the answer is 503 `unavailable`.
    /// At most an hour. Waiting needs a tokio runtime with time enabled; a store that answers at once does not.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.settings.store_timeout = timeout;
        self
    }

    /// The largest body that is read, in bytes, inclusive; a larger one gets 413. For forms that read the body.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.settings.body.size = bytes;
        self
    }

    /// How long to wait for the body, or for the end of one that must be empty; a slower one gets 408. At most an hour.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.settings.body.timeout = timeout;
        self
    }

    /// Lets bodies through that nobody signed. Default: a request whose credential is in its query, headers or cookies,
    /// and whose body is not empty, is `malformed`, unless the credential signs the body. It uses nothing up.
    ///
    /// **Anyone who gets hold of an unused request can put any body under its signature**, and your handler may read it
    /// with `axum::Form` or `axum::Json` as if it were the partner's. With this setting it must not trust the body. The
    /// layer neither reads the body nor [limits](Self::body_limit) it. What is signed of a body is still checked.
    /// Better: have the partner send its parameters where they are signed.
    ///
    /// Not for forms whose credentials are shown again with each call and sign none
    /// ([`bearer`](crate::form::Rules::bearer)): a body beside such a credential is the caller's own.
    ///
    /// ```
    /// use http::Method;
    /// use tower_sso::fernet;
    ///
    /// let layer = fernet::layer::<serde_json::Value>().methods([Method::POST]).danger_unsigned_body();
    /// ```
    pub fn danger_unsigned_body(mut self) -> Self {
        self.settings.unsigned_body = true;
        self
    }

    /// Writes the answers to refused requests, from the refusal and the request's head, whose URI and headers still
    /// hold the credential.
    ///
    /// Take the status from [`Code::status`](crate::rejection::Code::status). Showing
    /// [`Rejection::reason`] tells an attacker which part of a forgery was wrong.
    ///
    /// Every answer gets `Cache-Control: no-store` and `Referrer-Policy: no-referrer`, and the [`Rejection`] in its
    /// extensions. Where the responder did not set them, one with status 401 gets `WWW-Authenticate: SSO`, and one for
    /// `unavailable` or `too_many_requests` gets `Retry-After`; one for `method_not_allowed` gets the layer's `Allow`.
    pub fn responder<R>(mut self, responder: R) -> Self
    where
        R: Fn(&Rejection, &Parts) -> Response<Bytes> + Send + Sync + 'static,
    {
        self.settings.responder = Arc::new(responder);
        self
    }

    /// Lets requests without any credential of this form through, without an identity. Requests with a credential are
    /// checked as usual. For pages that a session opens too.
    ///
    /// Two optional layers on one route need different claim types: each layer removes an identity with its own claims
    /// that it finds in a request, whoever put it there.
    pub fn optional(mut self) -> Self {
        self.settings.optional = true;
        self
    }

    /// Adds a label `tenant` to this layer's metrics of requests, key use and ages, with the names of the first `most`
    /// tenants that come and have keys. All others are `other`, and so are requests that name no tenant. Default: 0, no
    /// label. At most 1,000: a recorder keeps each name, with some twenty series, until the process ends.
    ///
    /// Names that were made up take no place. The label is seen by whoever sees the metrics: leave it out if the names
    /// of your customers are not for them.
    ///
    /// ```
    /// # #[cfg(feature = "fernet")]
    /// let layer = tower_sso::fernet::layer::<serde_json::Value>().tenant_labels(50);
    /// ```
    #[cfg(feature = "metrics")]
    #[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
    pub fn tenant_labels(mut self, most: usize) -> Self {
        self.settings.tenant_labels = most;
        self
    }

    /// Refuses or replaces the claims, once they are authentic and before the credential is used up. A refusal is
    /// answered as `rejected_claims`.
    ///
    /// ```
    /// # #[cfg(all(feature = "fernet", feature = "moka"))] {
    /// use tower_sso::rejection::RefusedClaims;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct User { role: String }
    ///
    /// let teachers = tower_sso::fernet::layer::<User>().map_claims(|user| match user.role.as_str() {
    ///     "teacher" => Ok(user),
    ///     _ => Err(RefusedClaims::new("not a teacher")),
    /// });
    /// # }
    /// ```
    pub fn map_claims<D, M>(self, map: M) -> Builder<F, D>
    where
        M: Fn(C) -> Result<D, RefusedClaims> + Send + Sync + 'static,
        D: Send + Sync + 'static,
    {
        let Self { form, map_claims, settings } = self;
        let map_claims = move |claims| map(map_claims(claims)?).map_err(Reason::from);
        Builder { form, map_claims: Box::new(map_claims), settings }
    }

    /// The layer.
    ///
    /// # Errors
    /// [`ConfigError`] for what is missing or not safe, with this layer's form and namespace.
    pub fn build(self) -> Result<VerifyLayer<F, C>, ConfigError> {
        let Self { mut form, map_claims, mut settings } = self;
        form.set_clock(&settings.clock);
        let mut rules = form.rules();
        let valid = form.check().and_then(|()| validate(&form, &rules, &settings));
        // A form's own namespace and store replace the settings, which `validate` requires to be unset.
        settings.namespace = rules.namespace.take().unwrap_or(settings.namespace);
        let allow = valid.and_then(|()| allow(&settings.methods));
        let allow = allow.map_err(|problem| ConfigError::of_layer(F::NAME, settings.namespace.clone(), problem))?;
        let meters = Meters::new(F::NAME, &settings.namespace, settings.tenant_labels);
        let parameters = rules.parameters.iter().chain(settings.tenant.parameter()).cloned();
        let credential = CredentialParameters::new(parameters);
        let store = rules.replay.take().or(settings.replay.take());
        let replay = store.filter(|_| rules.usage != Usage::Reusable).map(|store| {
            let (clock, timeout) = (Arc::clone(&settings.clock), settings.store_timeout);
            let group = Group::new(F::NAME, &settings.namespace);
            Arc::new(Replay { form: F::NAME, store, clock, timeout, group, usage: rules.usage })
        });
        if let Some(replay) = &replay {
            replay.announce(rules.longest_window);
        }
        Ok(VerifyLayer::new(Engine { form, rules, map_claims, settings, replay, allow, credential, meters }))
    }
}

form_debug!(Builder<F, C>, settings);
