//! What every layer's builder shares: [`Builder`], and why it may refuse to build: [`ConfigError`].

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};

use crate::body::BodyLimits;
use crate::clock::{Clock, SystemClock};
use crate::form::Form;
use crate::keys::{FixedKeys, KeyStore, Secret};
use crate::layer::VerifyLayer;
use crate::map::Mapped;
use crate::pipeline::Pipeline;
use crate::rejection::Rejection;
use crate::replay::ReplayStore;
use crate::tenant::Tenant;

pub use crate::map::RefusedClaims;

/// Sets up a layer. What a form adds of its own stands in the form's module.
///
/// | setting | default |
/// |---|---|
/// | [`keys`](Self::keys), [`secrets`](Self::secrets) | none: one of them must be called |
/// | [`replay`](Self::replay) | none: must be called, unless the form's credentials may come again |
/// | [`tenant`](Self::tenant) | the form's |
/// | [`methods`](Self::methods) | the form's |
/// | [`clock`](Self::clock) | [`SystemClock`] |
/// | [`store_timeout`](Self::store_timeout) | 2 s |
/// | [`body_limit`](Self::body_limit), [`body_timeout`](Self::body_timeout) | 64 KiB, 10 s |
/// | [`responder`](Self::responder) | [`Rejection::problem_json`] |
/// | [`optional`](Self::optional) | off |
/// | [`scope`](Self::scope) | one for all layers of a form |
///
/// ```
/// # #[cfg(all(feature = "fernet", feature = "moka"))] {
/// use tower_sso::config::ConfigError;
/// use tower_sso::keys::MemoryKeys;
/// use tower_sso::replay::MemoryReplay;
///
/// let refused = tower_sso::fernet::layer::<serde_json::Value>().replay(MemoryReplay::new()).build();
/// assert!(matches!(refused, Err(ConfigError::NoKeys)));
/// # }
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder<F> {
    pub(crate) form: F,
    pub(crate) shared: Shared,
}

/// What does not depend on the form.
pub(crate) struct Shared {
    pub(crate) tenant: Tenant,
    pub(crate) keys: Option<Arc<dyn KeyStore>>,
    pub(crate) replay: Option<Arc<dyn ReplayStore>>,
    pub(crate) methods: Vec<Method>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store_timeout: Duration,
    pub(crate) body: BodyLimits,
    pub(crate) responder: Responder,
    pub(crate) optional: bool,
    pub(crate) scope: Cow<'static, str>,
}

pub(crate) type Responder = Arc<dyn Fn(&Rejection, &HeaderMap) -> Response<Bytes> + Send + Sync>;

impl<F: Form> Builder<F> {
    /// A builder for a form, with the form's own tenant and methods.
    pub fn new(form: F, tenant: Tenant, method: Method) -> Self {
        let shared = Shared {
            tenant,
            keys: None,
            replay: None,
            methods: vec![method],
            clock: Arc::new(SystemClock),
            store_timeout: Duration::from_secs(2),
            body: BodyLimits { size: 64 * 1024, timeout: Duration::from_secs(10) },
            responder: Arc::new(|rejection, _| rejection.problem_json()),
            optional: false,
            scope: Cow::Borrowed(""),
        };
        Self { form, shared }
    }

    /// Where the keys are found. Any [`KeyStore`], or a closure through [`keys::from_fn`](crate::keys::from_fn).
    pub fn keys(mut self, keys: impl KeyStore) -> Self {
        self.shared.keys = Some(Arc::new(keys));
        self
    }

    /// Fixed secrets, the same for every request: the first is current, the others are still accepted. Needs a
    /// [`Tenant::fixed`], unless the form signs its tenant.
    pub fn secrets<S: Into<Secret>>(self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.keys(FixedKeys::new(secrets))
    }

    /// Where used credentials are remembered. One store may serve every layer.
    pub fn replay(mut self, replay: impl ReplayStore) -> Self {
        self.shared.replay = Some(Arc::new(replay));
        self
    }

    /// A name that sets this layer's credentials apart from those of other layers of the same form with the same replay
    /// store. Without it, what was used at one of them is used at all: right for sign-in links, and wrong for two webhooks
    /// that take the same bytes for different things.
    pub fn scope(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.shared.scope = name.into();
        self
    }

    /// How the tenant is found, which selects the keys.
    pub fn tenant(mut self, tenant: Tenant) -> Self {
        self.shared.tenant = tenant;
        self
    }

    /// The methods that are let through; others get 405. HEAD cannot be one of them: it would use a credential up
    /// without anybody seeing the answer. For links that are mailed, [POST alone](crate::layer#links-that-are-mailed).
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.shared.methods = methods.into_iter().collect();
        self
    }

    /// The clock of every time check. For tests: [`ManualClock`](crate::clock::ManualClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.shared.clock = Arc::new(clock);
        self
    }

    /// How long to wait for the key store and for the replay store, each. After that the answer is 503 `unavailable`.
    /// At most an hour. Waiting needs a tokio runtime with time enabled; a store that answers at once does not.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.shared.store_timeout = timeout;
        self
    }

    /// The largest body that is read, in bytes, inclusive; a larger one gets 413. For forms that read the body.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.shared.body.size = bytes;
        self
    }

    /// How long to wait for the body to arrive; a slower one gets 408. At most an hour. For forms that read the body.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.shared.body.timeout = timeout;
        self
    }

    /// Writes the answers to refused requests, from the refusal and the request's headers.
    ///
    /// Take the status from [`Code::status`](crate::rejection::Code::status). Showing
    /// [`Rejection::reason`] tells an attacker which part of a forgery was wrong. `Allow`, `Retry-After`,
    /// `Cache-Control: no-store` and `Referrer-Policy: no-referrer` are added.
    pub fn responder<R>(mut self, responder: R) -> Self
    where
        R: Fn(&Rejection, &HeaderMap) -> Response<Bytes> + Send + Sync + 'static,
    {
        self.shared.responder = Arc::new(responder);
        self
    }

    /// Lets requests through that have no credential of this form at all, without an identity. Those that have one are
    /// checked as ever. For pages that a session opens too.
    ///
    /// Two optional layers on one route need different claim types: each layer removes an identity with its own claims that
    /// it finds in a request, whoever put it there.
    pub fn optional(mut self) -> Self {
        self.shared.optional = true;
        self
    }

    /// Refuses or replaces the claims, after they were proved and before the credential is used up. A refusal is
    /// answered as `rejected_claims`. Call it last: the form's own settings stand before it.
    ///
    /// ```
    /// # #[cfg(all(feature = "fernet", feature = "moka"))] {
    /// use tower_sso::config::RefusedClaims;
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
    pub fn map_claims<D, M>(self, map: M) -> Builder<Mapped<F, M>>
    where
        M: Fn(F::Claims) -> Result<D, RefusedClaims> + Send + Sync + 'static,
        D: Send + Sync + 'static,
    {
        Builder { form: Mapped::new(self.form, map), shared: self.shared }
    }

    /// The layer.
    ///
    /// # Errors
    /// [`ConfigError`] for what is missing or not safe.
    pub fn build(self) -> Result<VerifyLayer<F>, ConfigError> {
        Pipeline::new(self.form, self.shared).map(VerifyLayer::new)
    }
}

impl<F: Form> fmt::Debug for Builder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("form", &F::NAME).finish_non_exhaustive()
    }
}

/// Why a layer was not built.
///
/// ```
/// use tower_sso::config::ConfigError;
///
/// assert!(ConfigError::NoReplayStore.to_string().contains("replay(MemoryReplay::new())"), "it says what to do");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is nothing to check a signature with.
    #[error("no keys: call `keys(store)` with a key store, or `secrets([secret])` with at least one secret")]
    NoKeys,
    /// A key is known, and cannot be one.
    #[error("a key {0}: give the secret exactly as the partner's settings page shows it")]
    Key(&'static str),
    /// Used credentials would not be remembered.
    #[error(
        "no replay store: call `replay(MemoryReplay::new())` for one process, or give a store that all processes share"
    )]
    NoReplayStore,
    /// There are more fixed secrets than a tenant may have keys.
    #[error(
        "more than {max} secrets: a forgery is checked with each of them, so a tenant has at most the current one and three \
         previous ones. Leave out the oldest; with one secret for each tenant, use `MemoryKeys` or another store",
        max = crate::keys::Keys::MAX
    )]
    TooManyKeys,
    /// Anyone could choose the tenant's name, and every name has the same keys.
    #[error(
        "anyone could sign in to any tenant, as all tenants have the same keys and requests choose the tenant: call \
         `tenant(Tenant::fixed(\"…\"))`, or give each tenant keys of its own, with `MemoryKeys` or another store"
    )]
    SameKeysForEveryTenant,
    /// The replay store forgets with the process, and nothing in the credential tells that it is old.
    #[error(
        "the replay store forgets when the process ends, and these calls have no time in them: an old one could be sent \
         again after a restart. Have the handler keep `Identity::credential` with what it stores and call \
         `handler_remembers()`, or use a store that does not forget, or call `danger_forgets_on_restart()`"
    )]
    ForgetsOnRestart,
    /// Every body would be refused.
    #[error("`body_limit` is zero: allow at least one byte")]
    NoBody,
    /// Every request would be refused.
    #[error("no methods: call `methods([Method::GET])` with at least one, or leave the form's default")]
    NoMethods,
    /// HEAD would use up a credential.
    #[error("HEAD is among the methods: leave it out, as it would use a link up before the user clicks it")]
    Head,
    /// A timeout of zero fails every request.
    #[error("`{0}` is zero: give it some time")]
    ZeroTimeout(&'static str),
    /// A setting of the form is not safe, or cannot work.
    #[error("`{setting}` {problem}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it, and what to do.
        problem: Cow<'static, str>,
    },
}
