//! What a layer must have, and must not, before it is built: [`check`]. A mistake here is never a refused request.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderValue, Method};

use super::builder::Settings;
use crate::ConfigProblem;
use crate::form::{Form, Rules, Usage};
use crate::keys::{Key, KeyStore, Keys, check_length, shared_secrets};
use crate::observe;

const LONGEST_TIMEOUT: Duration = Duration::from_secs(60 * 60);
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks a layer's settings. Returns its methods as a 405 names them.
pub(super) fn check<F: Form>(form: &F, rules: &Rules, settings: &Settings) -> Result<HeaderValue, ConfigProblem> {
    match (settings.keys.as_deref(), rules.looks_keys_up) {
        (Some(keys), false) => {
            let known = keys.known_keys();
            if let Some(known) = &known {
                check_known(known, keys.ignores_tenant(), form, rules)?;
            }
            check_tenant::<F>(rules, keys, known.as_deref().unwrap_or_default(), settings)?;
        }
        (None, false) => return Err(ConfigProblem::NoKeys),
        (Some(_), true) => setting(
            "keys",
            "is not asked by this form, which finds its keys itself: give its `layer(…)` a store, such as `PrivateKeys`",
        )?,
        (None, true) => {}
    }
    if rules.namespace.is_some() && !settings.namespace.is_empty() {
        setting("namespace", "is not the layer's: this form has one of its own, such as `Tickets::namespace`")?;
    }
    check_replay(rules, settings)?;
    check_times(rules.usage, settings)?;
    allow(settings)
}

fn setting(setting: &'static str, problem: &'static str) -> Result<(), ConfigProblem> {
    Err(ConfigProblem::Setting { setting, problem: Cow::Borrowed(problem) })
}

/// Checks the keys that the store knows already. Keys found per request are checked per request.
fn check_known<F: Form>(known: &[Key], fixed: bool, form: &F, rules: &Rules) -> Result<(), ConfigProblem> {
    if known.is_empty() {
        return Err(ConfigProblem::NoKeys);
    }
    if fixed && known.len() > Keys::MAX {
        return Err(ConfigProblem::TooManyKeys);
    }
    for key in known.iter().map(Key::secret) {
        let problem = key.weakness().or_else(|| key.slip());
        problem.map_or_else(|| form.check_key(key), Err).map_err(ConfigProblem::Key)?;
    }
    if let Some((one, other, more)) = shared_secrets(known).filter(|_| !rules.signs_tenant) {
        observe::shared_secret(F::NAME, one, other, more);
    }
    Ok(())
}

fn check_tenant<F: Form>(
    rules: &Rules,
    keys: &dyn KeyStore,
    known: &[Key],
    settings: &Settings,
) -> Result<(), ConfigProblem> {
    if keys.ignores_tenant() && !settings.tenant.is_fixed() && !rules.signs_tenant {
        return Err(ConfigProblem::SameKeysForEveryTenant);
    }
    if let Some(Err(problem)) = settings.tenant.fixed_name().map(check_length) {
        return setting("tenant", problem);
    }
    if let Some(name) = settings.tenant.fixed_name().filter(|_| !rules.signs_tenant) {
        // Not an error, as the tenant's key may be added later; until then every request is refused.
        let others = |key: &Key| key.owner().is_some_and(|owner| owner.as_str() != name);
        if !known.is_empty() && known.iter().all(others) {
            observe::no_key_yet(F::NAME, name);
        }
    }
    match settings.tenant.parameter() {
        Some(name) if name.is_empty() => {
            setting("tenant", "is a query parameter without a name: say which one names the tenant")
        }
        Some(name) if rules.signed_parameters.contains(name) && !rules.signs_tenant => setting(
            "tenant",
            "is a parameter that the form signs, and could be read in two ways: call `tenant_field` with its name instead",
        ),
        _ => Ok(()),
    }
}

fn check_replay(rules: &Rules, settings: &Settings) -> Result<(), ConfigProblem> {
    match (&settings.replay, &rules.replay) {
        _ if rules.usage == Usage::Reusable => Ok(()),
        (Some(_), Some(_)) => {
            setting("replay", "is not asked by this form, which has a store of its own: do not call it")
        }
        (None, None) => Err(ConfigProblem::NoReplayStore),
        (Some(replay), None) if replay.remembers_since().is_some() && !rules.has_time && !rules.survives_restart => {
            Err(ConfigProblem::ForgetsOnRestart)
        }
        _ => Ok(()),
    }
}

fn check_times(usage: Usage, settings: &Settings) -> Result<(), ConfigProblem> {
    for (name, timeout) in [("store_timeout", settings.store_timeout), ("body_timeout", settings.body.timeout)] {
        if timeout.is_zero() {
            return Err(ConfigProblem::ZeroTimeout(name));
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

fn allow(settings: &Settings) -> Result<HeaderValue, ConfigProblem> {
    if settings.body.size == 0 {
        return Err(ConfigProblem::NoBody);
    }
    if settings.methods.is_empty() {
        return Err(ConfigProblem::NoMethods);
    }
    if settings.methods.contains(&Method::HEAD) {
        return Err(ConfigProblem::Head);
    }
    let names = settings.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(names).map_err(|_| ConfigProblem::NoMethods)
}
