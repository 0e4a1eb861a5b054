//! Checks of keys that are known when a layer is built.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Key, KeyStore, Keys, TenantId};
use crate::ConfigError;
use crate::form::{Form, Rules};
use crate::observe;

/// Checks the keys that the store knows already. Keys found per request are checked per request.
pub(crate) fn check_known<F: Form>(store: &dyn KeyStore, form: &F, rules: &Rules) -> Result<(), ConfigError> {
    let Some(known) = store.known_keys() else { return Ok(()) };
    if known.is_empty() {
        return Err(ConfigError::NoKeys);
    }
    if store.ignores_tenant() && known.len() > Keys::MAX {
        return Err(ConfigError::TooManyKeys);
    }
    for key in known.iter().map(Key::secret) {
        if let Some(problem) = key.weakness().or_else(|| key.slip()) {
            return Err(ConfigError::Key(problem));
        }
        form.check_key(key).map_err(ConfigError::Key)?;
    }
    if !rules.signs_tenant {
        warn_of_shared_secrets::<F>(&known);
    }
    Ok(())
}

/// Two companies with one secret are a mistake, two names of one company are not. Both look the same here.
fn warn_of_shared_secrets<F: Form>(known: &[Key]) {
    let mut owners: HashMap<&[u8], &TenantId> = HashMap::new();
    let (mut first, mut more) = (None, 0_usize);
    for (secret, owner) in known.iter().filter_map(|key| Some((key.secret().expose(), key.owner()?))) {
        match owners.entry(secret) {
            Entry::Occupied(other) if *other.get() != owner && first.is_some() => more += 1,
            Entry::Occupied(other) if *other.get() != owner => first = Some((*other.get(), owner)),
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => _ = free.insert(owner),
        }
    }
    if let Some((one, other)) = first {
        observe::shared_secret(F::NAME, one, other, more);
    }
}
