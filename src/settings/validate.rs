//! What a layer must and must not have: [`validate`]. A mistake is found when the layer is built, not by a refused
//! request.

use std::time::Duration;

use http::{HeaderValue, Method};

use super::Settings;
use crate::ConfigProblem;
use crate::form::{Form, Rules, Usage};
use crate::keys::{Key, Keys, check_length, shared_secrets};
use crate::observe;

const LONGEST_TIMEOUT: Duration = Duration::from_secs(60 * 60);
const MOST_TENANT_LABELS: usize = 1_000;
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// Validates a layer's settings. The keys themselves come last, so that nobody is warned of them while something else
/// is missing.
pub(crate) fn validate<F: Form>(form: &F, rules: &Rules, settings: &Settings) -> Result<(), ConfigProblem> {
    match (&settings.keys, rules.looks_keys_up) {
        (None, false) => return Err(ConfigProblem::NoKeys),
        (Some(_), true) => bad_setting(
            "keys",
            "is not asked by this form, which finds its keys itself: give its `layer(…)` a store, such as `PrivateKeys`",
        )?,
        _ => {}
    }
    if rules.namespace.is_some() && !settings.namespace.is_empty() {
        bad_setting("namespace", "is not the layer's: this form has one of its own, such as `Tickets::namespace`")?;
    }
    if settings.tenant_labels > MOST_TENANT_LABELS {
        bad_setting("tenant_labels", "is more than 1,000: a recorder keeps every one of them until the process ends")?;
    }
    if settings.unsigned_body && rules.bearer {
        bad_setting(
            "danger_unsigned_body",
            "is not asked by this form: a body beside its credentials is the caller's own and passes anyway. Do not call it",
        )?;
    }
    check_tenant(rules, settings)?;
    check_replay(rules, settings)?;
    check_times(rules.usage, settings)?;
    check_requests(settings)?;
    if let Some(keys) = &settings.keys {
        let known = keys.known_keys();
        if let Some(known) = &known {
            check_known(known, keys.ignores_tenant(), form, rules)?;
        }
        check_owners::<F>(rules, known.as_deref().unwrap_or_default(), settings)?;
    }
    Ok(())
}

fn bad_setting(name: &'static str, problem: &'static str) -> Result<(), ConfigProblem> {
    Err(ConfigProblem::setting(name, problem))
}

/// Checks the keys that the store knows already. Keys found per request are checked per request.
fn check_known<F: Form>(known: &[Key], fixed: bool, form: &F, rules: &Rules) -> Result<(), ConfigProblem> {
    if known.is_empty() {
        return Err(ConfigProblem::NoKeys);
    }
    if fixed && known.len() > Keys::MAX {
        return Err(ConfigProblem::TooManyKeys);
    }
    for key in known {
        let problem = key.secret().weakness().or_else(|| rules.slip(key.secret()));
        let refused = |problem| ConfigProblem::Key { tenant: key.owner().cloned(), problem };
        problem.map_or_else(|| form.check_key(key.secret()), Err).map_err(refused)?;
        key.secret().shortness().map_or(Ok(()), Err).map_err(refused)?;
    }
    Ok(())
}

/// Whether the known keys can belong to the tenants that requests will name. A signed name cannot be wrong.
fn check_owners<F: Form>(rules: &Rules, known: &[Key], settings: &Settings) -> Result<(), ConfigProblem> {
    if rules.signs_tenant {
        return Ok(());
    }
    let mut owners = known.iter().filter_map(Key::owner);
    let first = owners.next();
    if let Some(name) = settings.tenant.fixed_name() {
        if !settings.tenant_is_set && owners.any(|owner| Some(owner) != first) {
            return bad_setting(
                "tenant",
                "is not set, and there are keys of several tenants: say where a request names its own, as in \
                 `tenant(Tenant::path_segment(1))`, or whose keys this layer takes, with `Tenant::fixed`",
            );
        }
        // Not an error, as the tenant's key may be added later; until then every request is refused.
        let others = |key: &Key| key.owner().is_some_and(|owner| owner.as_str() != name);
        if !known.is_empty() && known.iter().all(others) {
            observe::no_key_yet(F::NAME, name);
        }
    }
    if let Some((one, other, more)) = shared_secrets(known) {
        observe::shared_secret(F::NAME, one, other, more);
    }
    Ok(())
}

fn check_tenant(rules: &Rules, settings: &Settings) -> Result<(), ConfigProblem> {
    if settings.tenant_is_set && (rules.looks_keys_up || rules.signs_tenant) {
        return bad_setting(
            "tenant",
            "is not asked by this form, whose credentials say whose they are: do not call it",
        );
    }
    let ignored = settings.keys.as_ref().is_some_and(|keys| keys.ignores_tenant());
    if ignored && !settings.tenant.is_fixed() && !rules.signs_tenant {
        return Err(ConfigProblem::SameKeysForEveryTenant);
    }
    if let Some(Err(problem)) = settings.tenant.fixed_name().map(check_length) {
        return bad_setting("tenant", problem);
    }
    match settings.tenant.parameter() {
        Some(name) if name.is_empty() => {
            bad_setting("tenant", "is a query parameter without a name: say which one names the tenant")
        }
        Some(name) if rules.signed_parameters.contains(name) && !rules.signs_tenant => bad_setting(
            "tenant",
            "is a parameter that the form signs, and could be read in two ways: call `tenant_field` with its name instead",
        ),
        _ => Ok(()),
    }
}

fn check_replay(rules: &Rules, settings: &Settings) -> Result<(), ConfigProblem> {
    match (&settings.replay, &rules.replay) {
        (Some(_), _) if rules.usage == Usage::Reusable => {
            bad_setting("replay", "is not asked by this form, whose credentials may come again: do not call it")
        }
        _ if rules.usage == Usage::Reusable => Ok(()),
        (Some(_), Some(_)) => {
            bad_setting("replay", "is not asked by this form, which has a store of its own: do not call it")
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
            return bad_setting(name, "is more than an hour: nobody waits that long. Give it some seconds");
        }
    }
    match usage {
        Usage::Idempotent { lease, .. } if lease > LONGEST_LEASE => bad_setting(
            "lease",
            "is more than a day: if the process dies, a retry has to wait that long. Give it what the handler takes at most",
        ),
        _ => Ok(()),
    }
}

/// At least one request must be able to pass, and HEAD must not: it would use a link up unseen.
fn check_requests(settings: &Settings) -> Result<(), ConfigProblem> {
    if settings.body.size == 0 {
        return Err(ConfigProblem::NoBody);
    }
    if settings.methods.is_empty() {
        return Err(ConfigProblem::NoMethods);
    }
    if settings.methods.contains(&Method::HEAD) {
        return Err(ConfigProblem::Head);
    }
    Ok(())
}

/// The methods, as a 405 names them.
pub(crate) fn allow(methods: &[Method]) -> Result<HeaderValue, ConfigProblem> {
    let names = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(names).map_err(|_| ConfigProblem::NoMethods)
}
