//! Tenants with one secret: [`shared_secrets`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::identity::identity;
use super::{Key, TenantId};

/// The first two tenants that have one secret, or one public key in any two spellings, and how many more keys have
/// another tenant's. Two companies with one secret are a mistake, two names of one company are not. Both look the same
/// here.
pub(crate) fn shared_secrets(known: &[Key]) -> Option<(&TenantId, &TenantId, usize)> {
    let mut owners: HashMap<Cow<'_, [u8]>, &TenantId> = HashMap::new();
    let (mut first, mut more) = (None, 0);
    for (secret, owner) in known.iter().filter_map(|key| Some((identity(key.secret().expose()), key.owner()?))) {
        match owners.entry(secret) {
            Entry::Occupied(other) if *other.get() != owner && first.is_some() => more += 1,
            Entry::Occupied(other) if *other.get() != owner => first = Some((*other.get(), owner)),
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => _ = free.insert(owner),
        }
    }
    first.map(|(one, other)| (one, other, more))
}
