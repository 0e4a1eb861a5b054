//! `portal.toml`. A key that is unknown or wrong is an error that names it; nothing is guessed.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::Uri;
use serde::{Deserialize, Deserializer};
use tower_sso::keys::Secret;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// The origin that browsers and partners use. Without it, the address that is listened on, by plain http.
    pub(crate) public_url: Option<Origin>,
    /// Without it, an SQLite file in the data directory.
    pub(crate) database_url: Option<DatabaseUrl>,
    pub(crate) replay_url: ReplayUrl,
    /// A vendor without a section has no routes.
    pub(crate) tutorcruncher: Option<TutorCruncher>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TutorCruncher {
    /// The first is current, the others are still accepted.
    #[serde(deserialize_with = "secrets")]
    pub(crate) webhook_secrets: Vec<Secret>,
    /// How long a company's previous key is accepted after a rotation.
    #[serde(default = "TutorCruncher::default_grace", deserialize_with = "duration")]
    pub(crate) key_grace: Duration,
}

impl TutorCruncher {
    pub(crate) fn new(webhook_secret: Secret) -> Self {
        Self { webhook_secrets: vec![webhook_secret], key_grace: Self::default_grace() }
    }

    fn default_grace() -> Duration {
        Duration::from_secs(24 * 60 * 60)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            public_url: None,
            database_url: None,
            replay_url: ReplayUrl::Memory,
            tutorcruncher: None,
        }
    }
}

impl Config {
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let refuse = |problem: String| ConfigError(format!("{}: {problem}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        toml::from_str(&text).map_err(|error| refuse(describe(&error, &text)))
    }
}

/// The line, the key on it, and what is wrong. Not the line itself, as toml's own message has it: it may hold a secret.
fn describe(error: &toml::de::Error, text: &str) -> String {
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return error.message().to_owned() };
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default();
    match line.split_once('=') {
        Some((key, _)) => format!("line {number}, `{}`: {}", key.trim(), error.message()),
        None if line.starts_with('[') => format!("line {number}, `{}`: {}", line.trim(), error.message()),
        None => format!("line {number}: {}", error.message()),
    }
}

/// What is wrong with the configuration, for the person who wrote it.
#[derive(Debug)]
pub(crate) struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// A scheme, a host and perhaps a port: no path, and no slash at the end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Origin(String);

impl Origin {
    pub(crate) fn of_listener(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl TryFrom<String> for Origin {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const PROBLEM: &str = "must be an origin such as https://portal.example or http://127.0.0.1:3000, and no more";
        let uri: Uri = text.parse().map_err(|_| PROBLEM)?;
        let is_origin = uri.path() == "/" && uri.query().is_none();
        match (uri.scheme_str(), uri.authority()) {
            (Some(scheme @ ("http" | "https")), Some(authority)) if is_origin && !authority.as_str().contains('@') => {
                Ok(Self(format!("{scheme}://{}", authority.as_str().to_ascii_lowercase())))
            }
            _ => Err(PROBLEM),
        }
    }
}

/// Not shown by `Debug`: it may hold a password.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct DatabaseUrl(pub(crate) String);

impl TryFrom<String> for DatabaseUrl {
    type Error = &'static str;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        if url.contains(":memory:") || url.contains("mode=memory") {
            // A pool has several connections, and each of them would have a database of its own.
            return Err("must not be in memory: name a file");
        }
        match url.split_once("://") {
            Some(("sqlite" | "postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(Self(url)),
            _ => Err("must begin with sqlite:// or postgres://"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// Where used credentials are remembered.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum ReplayUrl {
    /// In this process: right for one process, and a restart refuses what was made before it.
    Memory,
}

impl TryFrom<String> for ReplayUrl {
    type Error = &'static str;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        if url == "memory:" {
            Ok(Self::Memory)
        } else {
            Err("is not supported: the one store there is, is \"memory:\"")
        }
    }
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    // Not as a list of strings: the error for anything else would quote the value, which is a secret.
    let value = toml::Value::deserialize(deserializer)?;
    let secrets: Option<Vec<&str>> = value.as_array().and_then(|list| list.iter().map(toml::Value::as_str).collect());
    let secrets = secrets.ok_or_else(|| serde::de::Error::custom("must be a list of strings"))?;
    if secrets.is_empty() {
        return Err(serde::de::Error::custom("holds no secret: give at least one"));
    }
    if secrets.iter().any(|secret| secret.trim().is_empty()) {
        return Err(serde::de::Error::custom("holds a blank secret: anyone could sign with it"));
    }
    Ok(secrets.into_iter().map(Secret::new).collect())
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!("{error}: it must be a duration such as \"24h\", \"15m\" or \"90s\""))
    })
}
