//! `portal.toml`. An unknown or invalid key is an error that names the key.

mod connections;
mod fields;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use http::Uri;
use http::uri::Authority;
use serde::Deserialize;
use toml::de::{DeTable, Deserializer};
use tower_sso::keys::sql::MasterKeys;

use crate::presets::{self, Explained};
use crate::stores::ReplayUrl;
use crate::vendors::{self, Vendors};

pub(crate) use connections::Connections;
pub(crate) use fields::{duration, keys, secrets, unique};

/// The variable with the master keys.
const MASTER_KEYS: &str = "TOWER_SSO_MASTER_KEYS";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// Where operators have a page that explains requests. Default: nowhere.
    pub(crate) operators_listen: Option<SocketAddr>,
    /// The origin that browsers and partners use. Default: the listening address, by plain http.
    pub(crate) public_url: Option<Origin>,
    /// Default: an SQLite file in the data directory.
    pub(crate) database_url: Option<DatabaseUrl>,
    pub(crate) replay_url: ReplayUrl,
    replay_namespace: Option<String>,
    /// Encrypts the companies' keys. Default: the variable [`MASTER_KEYS`]; without either, they are stored readable.
    master_key_file: Option<PathBuf>,
    pub(crate) connections: Connections,
    /// Presets that are explained, and not served.
    pub(crate) explained: Vec<Explained>,
    /// Vendors that have a section.
    #[serde(skip)]
    pub(crate) vendors: Vendors,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            operators_listen: None,
            public_url: None,
            database_url: None,
            replay_url: ReplayUrl::Memory,
            replay_namespace: None,
            master_key_file: None,
            connections: Connections::default(),
            explained: Vec::new(),
            vendors: Vendors::new(),
        }
    }
}

impl Config {
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let refuse = |problem: String| ConfigError(format!("{}: {problem}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let config = Self::parse(&text).map_err(|error| refuse(describe(&error, &text)))?;
        config.check().map_err(refuse)?;
        Ok(config)
    }

    /// Each vendor takes out its own sections; the rest are the portal's keys.
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let mut table = DeTable::parse(text)?;
        let vendors = vendors::configured(&mut table)?;
        Ok(Self { vendors, ..Self::deserialize(Deserializer::from(table))? })
    }

    /// Checks what spans several keys or sections.
    fn check(&self) -> Result<(), String> {
        if matches!(self.replay_url, ReplayUrl::Redis(_)) && self.replay_namespace().is_none() {
            return Err(
                "`public_url`: is not set, so this deployment cannot be told from others on the same Redis: set \
                        `public_url` or `replay_namespace`"
                    .to_owned(),
            );
        }
        if self.operators_listen.is_some_and(|address| !address.ip().is_loopback()) {
            return Err("`operators_listen`: other machines could reach it, and it says which part of a forgery was \
                        wrong: take 127.0.0.1, and reach it through `ssh -L`"
                .to_owned());
        }
        presets::check(&self.explained)?;
        self.vendors.iter().try_for_each(|vendor| vendor.check())
    }

    /// In the environment, the keys are not in a file that a backup may hold.
    pub(crate) fn master_keys(&self) -> Result<Option<MasterKeys>, ConfigError> {
        let (text, origin) = match (&self.master_key_file, std::env::var(MASTER_KEYS).ok()) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(ConfigError(format!("`master_key_file` is set: remove the variable {MASTER_KEYS}")));
            }
            (Some(file), None) => {
                let origin = format!("`master_key_file`: {}", file.display());
                (std::fs::read_to_string(file).map_err(|error| ConfigError(format!("{origin}: {error}")))?, origin)
            }
            (None, Some(text)) => (text, MASTER_KEYS.to_owned()),
        };
        MasterKeys::parse(&text).map(Some).map_err(|error| ConfigError(format!("{origin}: {error}")))
    }

    /// The deployment's name on Redis. All its processes share it, and no other deployment may use it.
    pub(crate) fn replay_namespace(&self) -> Option<String> {
        let of_url = || self.public_url.as_ref().map(|url| format!("portal:{}", url.as_str()));
        self.replay_namespace.clone().or_else(of_url)
    }
}

/// Names the line number, the key and the problem. toml's own message would quote the line, which may hold a secret.
fn describe(error: &toml::de::Error, text: &str) -> String {
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return error.message().to_owned() };
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let mut message = error.message().to_owned();
    if message.contains("expected one of `listen`") {
        // Top-level key: the vendors' sections are allowed there too.
        message.push_str(&format!(", or of the vendors' {}", vendors::section_names()));
    }
    match line.split_once('=') {
        Some((key, _)) => format!("line {number}, `{}`: {message}", key.trim()),
        None if line.starts_with('[') => format!("line {number}, `{}`: {message}", line.trim()),
        None => format!("line {number}: {message}"),
    }
}

/// A problem with the configuration, worded for its author.
#[derive(Debug)]
pub(crate) struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// A scheme, a host and an optional port, without path or trailing slash.
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
        const PROBLEM: &str =
            "must be an origin such as https://portal.example or http://127.0.0.1:3000, without a path";
        let uri: Uri = text.parse().map_err(|_| PROBLEM)?;
        let is_origin = uri.path() == "/" && uri.query().is_none();
        // The origin goes into a header: allow no character that has a meaning there. `port()` is `None` for an invalid port,
        // which the length check catches.
        let is_plain = |authority: &Authority| {
            let port = authority.port().map_or(0, |port| port.as_str().len() + 1);
            let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
            authority.as_str().bytes().all(is_fit) && authority.host().len() + port == authority.as_str().len()
        };
        match (uri.scheme_str(), uri.authority()) {
            (Some(scheme @ ("http" | "https")), Some(authority)) if is_origin && is_plain(authority) => {
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
            // Each connection of the pool would open its own database.
            return Err("must not be in memory: name a file");
        }
        match url.split_once("://") {
            // Create a missing file, unless the URL sets a mode.
            Some(("sqlite", rest)) if !rest.is_empty() && !url.contains("mode=") => {
                let separator = if url.contains('?') { '&' } else { '?' };
                Ok(Self(format!("{url}{separator}mode=rwc")))
            }
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
