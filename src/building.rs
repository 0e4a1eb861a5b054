//! What a layer must have, and must not, before it is built: [`check`]. A mistake here is never a refused request.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderValue, Method};

use crate::config::{ConfigError, Shared};
use crate::form::{Form, Usage};
use crate::keys::{Key, KeyStore, check_known};
use crate::{observe, tenant};

const LONGEST_TIMEOUT: Duration = Duration::from_secs(60 * 60);
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks a layer's settings, and returns its methods as a 405 names them.
pub(crate) fn check(form: &impl Form, shared: &Shared) -> Result<HeaderValue, ConfigError> {
    let keys = shared.keys.as_deref().ok_or(ConfigError::NoKeys)?;
    check_known(keys, form)?;
    check_tenant(form, keys, shared)?;
    check_replay(form, shared)?;
    check_times(form.usage(), shared)?;
    allow(shared)
}

fn setting(setting: &'static str, problem: &'static str) -> Result<(), ConfigError> {
    Err(ConfigError::Setting { setting, problem: Cow::Borrowed(problem) })
}

fn check_tenant<F: Form>(form: &F, keys: &dyn KeyStore, shared: &Shared) -> Result<(), ConfigError> {
    if keys.ignores_tenant() && !shared.tenant.is_fixed() && !form.signs_tenant() {
        return Err(ConfigError::SameKeysForEveryTenant);
    }
    if let Some(Err(problem)) = shared.tenant.fixed_name().map(tenant::check_length) {
        return setting("tenant", problem);
    }
    if let Some(name) = shared.tenant.fixed_name().filter(|_| !form.signs_tenant()) {
        warn_of_unknown_tenant::<F>(name, keys);
    }
    match shared.tenant.parameter() {
        Some(name) if name.is_empty() => {
            setting("tenant", "is a query parameter without a name: say which one names the tenant")
        }
        Some(name) if form.signs_parameter(name) && !form.signs_tenant() => setting(
            "tenant",
            "is a parameter that the form signs, and could be read in two ways: call `tenant_field` with its name instead",
        ),
        _ => Ok(()),
    }
}

/// Not an error, as the tenant's key may be added later; until then every request is refused.
fn warn_of_unknown_tenant<F: Form>(name: &str, keys: &dyn KeyStore) {
    let known = keys.known_keys().unwrap_or_default();
    let others = |key: &Key| key.owner().is_some_and(|owner| owner.as_str() != name);
    if !known.is_empty() && known.iter().all(others) {
        observe::no_key_yet(F::NAME, name);
    }
}

fn check_replay(form: &impl Form, shared: &Shared) -> Result<(), ConfigError> {
    match (&shared.replay, form.usage()) {
        (_, Usage::Reusable) => Ok(()),
        (None, _) => Err(ConfigError::NoReplayStore),
        (Some(replay), _) if replay.remembers_since().is_some() && !form.has_time() && !form.survives_restart() => {
            Err(ConfigError::ForgetsOnRestart)
        }
        _ => Ok(()),
    }
}

fn check_times(usage: Usage, shared: &Shared) -> Result<(), ConfigError> {
    for (name, timeout) in [("store_timeout", shared.store_timeout), ("body_timeout", shared.body.timeout)] {
        if timeout.is_zero() {
            return Err(ConfigError::ZeroTimeout(name));
        }
        // Every entry is remembered for the store's timeout longer: without an end, all of them for ever.
        if timeout > LONGEST_TIMEOUT {
            return setting(name, "is more than an hour: nobody waits that long. Give it some seconds");
        }
    }
    match usage {
        Usage::Idempotent { lease, .. } if lease > LONGEST_LEASE => setting(
            "lease",
            "is more than a day: if the process dies, a retry has to wait that long. Give it what the handler takes at most",
        ),
        _ => Ok(()),
    }
}

fn allow(shared: &Shared) -> Result<HeaderValue, ConfigError> {
    if shared.body.size == 0 {
        return Err(ConfigError::NoBody);
    }
    if shared.methods.is_empty() {
        return Err(ConfigError::NoMethods);
    }
    if shared.methods.contains(&Method::HEAD) {
        return Err(ConfigError::Head);
    }
    let names = shared.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(names).map_err(|_| ConfigError::NoMethods)
}
