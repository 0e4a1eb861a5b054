//! Field types that several sections use.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use tower_sso::clock::UnixTime;
use tower_sso::keys::{Key, Keys, Secret};

/// The first secret is current; the others stay valid without an end.
pub(crate) fn keys(secrets: &[Secret]) -> Keys {
    let keys = secrets.iter().cloned().enumerate().map(|(position, secret)| match position {
        0 => Key::current(secret),
        _ => Key::previous(secret, UnixTime::MAX),
    });
    keys.collect()
}

pub(crate) fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    // serde's own error for a wrong type would quote the value, which is a secret.
    let value = toml::Value::deserialize(deserializer)?;
    let secrets: Option<Vec<&str>> = value.as_array().and_then(|list| list.iter().map(toml::Value::as_str).collect());
    let secrets = secrets.ok_or_else(|| serde::de::Error::custom("must be a list of strings"))?;
    if secrets.is_empty() {
        return Err(serde::de::Error::custom("is empty: give at least one secret"));
    }
    if secrets.iter().any(|secret| secret.trim().is_empty()) {
        return Err(serde::de::Error::custom("holds a blank secret: anyone could sign with it"));
    }
    Ok(secrets.into_iter().map(Secret::new).collect())
}

pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!("{error}: give a duration such as \"24h\", \"15m\" or \"90s\""))
    })
}

/// Refuses duplicate names, where a later section would override an earlier one.
pub(crate) fn unique<'a>(key: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if name.trim().is_empty() {
            return Err(format!("`{key}`: is empty"));
        }
        if !seen.insert(name) {
            return Err(format!("`{key}`: {name:?} is used twice"));
        }
    }
    Ok(())
}
