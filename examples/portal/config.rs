//! `portal.toml`. A key that is unknown or wrong is an error that names it; nothing is guessed.

mod connections;
mod vendors;

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::Uri;
use http::uri::Authority;
use serde::{Deserialize, Deserializer};

use crate::stores::ReplayUrl;

pub(crate) use connections::Connections;
pub(crate) use vendors::{
    Lcvista, RegistrationMode, Seatmap, SeatmapRegistration, SeatmapThrottle, SiteBuilder, TutorCruncher, Vendors,
    Waggl, keys,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// The origin that browsers and partners use. Without it, the address that is listened on, by plain http.
    pub(crate) public_url: Option<Origin>,
    /// Without it, an SQLite file in the data directory.
    pub(crate) database_url: Option<DatabaseUrl>,
    pub(crate) replay_url: ReplayUrl,
    replay_namespace: Option<String>,
    pub(crate) connections: Connections,
    tutorcruncher: Option<TutorCruncher>,
    site_builder: Vec<SiteBuilder>,
    waggl: Vec<Waggl>,
    lcvista: Vec<Lcvista>,
    seatmap: Vec<Seatmap>,
    seatmap_registration: SeatmapRegistration,
    seatmap_throttle: SeatmapThrottle,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            public_url: None,
            database_url: None,
            replay_url: ReplayUrl::Memory,
            replay_namespace: None,
            connections: Connections::default(),
            tutorcruncher: None,
            site_builder: Vec::new(),
            waggl: Vec::new(),
            lcvista: Vec::new(),
            seatmap: Vec::new(),
            seatmap_registration: SeatmapRegistration::default(),
            seatmap_throttle: SeatmapThrottle::default(),
        }
    }
}

impl Config {
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let refuse = |problem: String| ConfigError(format!("{}: {problem}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let config: Self = toml::from_str(&text).map_err(|error| refuse(describe(&error, &text)))?;
        config.check().map_err(refuse)?;
        Ok(config)
    }

    /// What the sections say together.
    fn check(&self) -> Result<(), String> {
        if matches!(self.replay_url, ReplayUrl::Redis(_)) && self.replay_namespace().is_none() {
            return Err(
                "`public_url`: is not set, so nothing tells this deployment from another one on the same Redis: set \
                        it, or `replay_namespace`"
                    .to_owned(),
            );
        }
        let surveys = self.waggl.iter().flat_map(|waggl| &waggl.surveys);
        unique("[[site_builder]] consumer_key", self.site_builder.iter().map(|partner| &partner.consumer_key))?;
        unique("[[waggl]] tenant", self.waggl.iter().map(|waggl| &waggl.tenant))?;
        unique("[[waggl]] surveys", surveys.clone())?;
        if let Some(survey) = surveys.into_iter().find(|survey| !stands_in_a_path(survey)) {
            return Err(format!(
                "`[[waggl]] surveys`: {survey:?} does not stand in a link as it is: take letters, digits, `-`, `_` and `~`"
            ));
        }
        unique("[[lcvista]] slug", self.lcvista.iter().map(|lcvista| &lcvista.slug))?;
        // Those that look alike are one.
        let organizations: Vec<_> =
            self.seatmap.iter().map(|seatmap| crate::text::fold(&seatmap.organization)).collect();
        unique("[[seatmap]] organization", organizations.iter())
    }

    /// What the processes of this deployment have in common on a Redis, and no other deployment has.
    pub(crate) fn replay_namespace(&self) -> Option<String> {
        let of_url = || self.public_url.as_ref().map(|url| format!("portal:{}", url.as_str()));
        self.replay_namespace.clone().or_else(of_url)
    }

    pub(crate) fn into_vendors(self) -> Vendors {
        Vendors {
            tutorcruncher: self.tutorcruncher,
            site_builder: self.site_builder,
            waggl: self.waggl,
            lcvista: self.lcvista,
            seatmap: self.seatmap,
            seatmap_registration: self.seatmap_registration,
            seatmap_throttle: self.seatmap_throttle,
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!("{error}: it must be a duration such as \"24h\", \"15m\" or \"90s\""))
    })
}

/// A name that two sections share would make one of them void.
fn unique<'a>(key: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if name.trim().is_empty() {
            return Err(format!("`{key}`: is empty"));
        }
        if !seen.insert(name) {
            return Err(format!("`{key}`: {name:?} is there twice"));
        }
    }
    Ok(())
}

/// A segment of a path with one spelling, which nothing on its way to here encodes or drops.
fn stands_in_a_path(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte))
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
        // It stands in a header, so a host has nothing that means something there. A port that is none is not parsed.
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
            // A pool has several connections, and each of them would have a database of its own.
            return Err("must not be in memory: name a file");
        }
        match url.split_once("://") {
            // A file that is not there yet is made, unless the URL says what to do.
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
