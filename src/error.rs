//! Why a layer does not build: [`ConfigError`].

use std::borrow::Cow;
use std::fmt;

use crate::keys::TenantId;

/// Why a layer does not build, what to do, and which layer it is.
///
/// ```
/// # #[cfg(feature = "fernet")] {
/// use tower_sso::ConfigProblem;
///
/// let error = tower_sso::fernet::layer::<serde_json::Value>().namespace("acme").build().unwrap_err();
/// assert_eq!(error.problem(), &ConfigProblem::NoKeys);
/// assert!(error.to_string().starts_with("the fernet layer with the namespace `acme` does not build: no keys: call"));
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    problem: ConfigProblem,
    /// Its form and namespace. `None` for what is not a layer.
    layer: Option<(&'static str, Cow<'static, str>)>,
}

impl ConfigError {
    pub(crate) fn of_layer(form: &'static str, namespace: Cow<'static, str>, problem: ConfigProblem) -> Self {
        Self { problem, layer: Some((form, namespace)) }
    }

    /// What is wrong.
    pub fn problem(&self) -> &ConfigProblem {
        &self.problem
    }
}

impl From<ConfigProblem> for ConfigError {
    fn from(problem: ConfigProblem) -> Self {
        Self { problem, layer: None }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.layer {
            Some((form, namespace)) if namespace.is_empty() => write!(f, "the {form} layer does not build: ")?,
            Some((form, name)) => write!(f, "the {form} layer with the namespace `{name}` does not build: ")?,
            None => {}
        }
        fmt::Display::fmt(&self.problem, f)
    }
}

/// The sentence, as `unwrap` and `main` print this.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with a layer's settings, and what to do. A form of your own returns it from
/// [`Form::check`](crate::form::Form::check).
///
/// ```
/// use tower_sso::ConfigProblem;
///
/// assert!(ConfigProblem::NoReplayStore.to_string().contains("replay(MemoryReplay::new())"), "it says what to do");
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// There is nothing to check a signature with.
    #[error("no keys: call `keys(store)` with a key store, or `secrets([secret])` with at least one secret")]
    NoKeys,
    /// A known key is invalid.
    #[error("{} {problem}{}", whose(tenant.as_ref()), advice(problem))]
    Key {
        /// The tenant that has it, if that is known.
        tenant: Option<TenantId>,
        /// What is wrong with it, and usually what to do.
        problem: &'static str,
    },
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
    /// Anyone could choose the tenant's name, because every name has the same keys.
    #[error(
        "anyone could sign in to any tenant, as all tenants have the same keys and requests choose the tenant: call \
         `tenant(Tenant::fixed(\"…\"))`, or give each tenant keys of its own, with `MemoryKeys` or another store"
    )]
    SameKeysForEveryTenant,
    /// The replay store forgets with the process, and no time shows that a credential is an old one: it has none, or a
    /// retry of the same event has a new one.
    #[error(
        "the replay store forgets when the process ends, so an old call could be processed again after a restart: calls \
         have no time in them, or are known by their `event_id`, and a retry has a new time. Have the handler keep \
         `Identity::fingerprint` with what it stores and call `handler_remembers()`, or use a store that does not forget, \
         such as `RedisStore`, or call `danger_forgets_on_restart()`"
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
    /// A setting of the form is unsafe or cannot work.
    #[error("`{setting}` {problem}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it, and what to do.
        problem: Cow<'static, str>,
    },
}

impl ConfigProblem {
    /// A setting is unsafe or cannot work: its name, what is wrong with it, and what to do, as the end of a sentence.
    ///
    /// ```
    /// use tower_sso::ConfigProblem;
    ///
    /// let problem = ConfigProblem::setting("header", "is empty: name the header that holds the pass");
    /// assert_eq!(problem.to_string(), "`header` is empty: name the header that holds the pass");
    /// ```
    pub fn setting(setting: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Setting { setting, problem: problem.into() }
    }
}

fn whose(tenant: Option<&TenantId>) -> String {
    tenant.map_or_else(|| "a key".into(), |tenant| format!("the key of tenant {tenant:?}"))
}

/// What to do about a key, unless the problem says so itself.
fn advice(problem: &str) -> &'static str {
    if problem.contains(": ") { "" } else { ": give the secret exactly as the partner's settings page shows it" }
}

/// The sentence.
impl fmt::Debug for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
