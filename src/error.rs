//! Why a layer does not build: [`ConfigError`].

use std::borrow::Cow;
use std::fmt;

/// Why a layer does not build.
///
/// ```
/// use tower_sso::ConfigError;
///
/// assert!(ConfigError::NoReplayStore.to_string().contains("replay(MemoryReplay::new())"), "it says what to do");
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is nothing to check a signature with.
    #[error("no keys: call `keys(store)` with a key store, or `secrets([secret])` with at least one secret")]
    NoKeys,
    /// A known key is invalid.
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
    /// Anyone could choose the tenant's name, because every name has the same keys.
    #[error(
        "anyone could sign in to any tenant, as all tenants have the same keys and requests choose the tenant: call \
         `tenant(Tenant::fixed(\"…\"))`, or give each tenant keys of its own, with `MemoryKeys` or another store"
    )]
    SameKeysForEveryTenant,
    /// The replay store forgets with the process, and nothing in the credential shows its age.
    #[error(
        "the replay store forgets when the process ends, and these calls have no time in them: an old one could be sent \
         again after a restart. Have the handler keep `Identity::fingerprint` with what it stores and call \
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
    /// A setting of the form is unsafe or cannot work.
    #[error("`{setting}` {problem}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it, and what to do.
        problem: Cow<'static, str>,
    },
}

/// The sentence, as `unwrap` and `main` print this.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
