//! The vendors' sections. A vendor without one has no routes.

use std::time::Duration;

use http::HeaderName;
use serde::{Deserialize, Deserializer};
use tower_sso::clock::UnixTime;
use tower_sso::keys::{Key, Keys, Secret};
use tower_sso::login_redirect::SsoUrl;

/// Every vendor that is configured.
#[derive(Debug, Default)]
pub(crate) struct Vendors {
    pub(crate) tutorcruncher: Option<TutorCruncher>,
    pub(crate) site_builder: Vec<SiteBuilder>,
    pub(crate) waggl: Vec<Waggl>,
    pub(crate) lcvista: Vec<Lcvista>,
    pub(crate) seatmap: Vec<Seatmap>,
    pub(crate) seatmap_registration: SeatmapRegistration,
    pub(crate) seatmap_throttle: SeatmapThrottle,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TutorCruncher {
    /// The first is current, the others are still accepted.
    #[serde(deserialize_with = "secrets")]
    pub(crate) webhook_secrets: Vec<Secret>,
    /// How long a company's previous key is accepted after a rotation.
    #[serde(default = "TutorCruncher::default_grace", deserialize_with = "super::duration")]
    pub(crate) key_grace: Duration,
    /// How long a process goes on with the keys that it has read: within this time it sees what another one has rotated.
    #[serde(default = "TutorCruncher::default_cache", deserialize_with = "super::duration")]
    pub(crate) key_cache: Duration,
    /// How long a sign-up call belongs to the process that has begun it, if that process ends meanwhile.
    #[serde(default = "TutorCruncher::default_lease", deserialize_with = "super::duration")]
    pub(crate) webhook_lease: Duration,
}

impl TutorCruncher {
    pub(crate) fn new(webhook_secret: Secret) -> Self {
        Self {
            webhook_secrets: vec![webhook_secret],
            key_grace: Self::default_grace(),
            key_cache: Self::default_cache(),
            webhook_lease: Self::default_lease(),
        }
    }

    fn default_grace() -> Duration {
        Duration::from_secs(24 * 60 * 60)
    }

    fn default_cache() -> Duration {
        Duration::from_secs(30)
    }

    fn default_lease() -> Duration {
        Duration::from_secs(30)
    }
}

/// A partner whose users build sites.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SiteBuilder {
    pub(crate) consumer_key: String,
    #[serde(deserialize_with = "secrets")]
    pub(crate) consumer_secrets: Vec<Secret>,
}

/// An organisation whose people answer surveys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waggl {
    pub(crate) tenant: String,
    #[serde(deserialize_with = "secrets")]
    pub(crate) secrets: Vec<Secret>,
    /// Where people without a session are sent to sign in.
    #[serde(deserialize_with = "address")]
    pub(crate) sso_url: SsoUrl,
    /// The pages that are this organisation's.
    pub(crate) surveys: Vec<String>,
}

/// An organisation whose professionals learn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lcvista {
    pub(crate) slug: String,
    #[serde(deserialize_with = "secrets")]
    pub(crate) secrets: Vec<Secret>,
    /// The email addresses of those who have an account, as the partner writes them.
    pub(crate) users: Vec<String>,
}

/// An organisation whose users draw seating charts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seatmap {
    pub(crate) organization: String,
    #[serde(deserialize_with = "secrets")]
    pub(crate) private_keys: Vec<Secret>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SeatmapRegistration {
    pub(crate) mode: RegistrationMode,
}

/// By what those are told apart who guess private keys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SeatmapThrottle {
    /// The header in which the proxy in front says who called it. Without one it is the peer, which behind a proxy is the
    /// proxy for everybody: one who guesses would lock all others out.
    #[serde(deserialize_with = "header_name")]
    pub(crate) client_address_header: Option<HeaderName>,
}

/// Who may register a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RegistrationMode {
    /// Anyone, as the vendor documents it.
    #[default]
    Open,
    /// Who has the private key of the organisation: it must be in the body, as `token`.
    Keyed,
}

/// The first secret is current, the others are still accepted.
pub(crate) fn keys(secrets: &[Secret]) -> Keys {
    let keys = secrets.iter().cloned().enumerate().map(|(position, secret)| match position {
        0 => Key::current(secret),
        _ => Key::previous(secret, UnixTime::MAX),
    });
    keys.collect()
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

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SsoUrl, D::Error> {
    let text = String::deserialize(deserializer)?;
    SsoUrl::parse(&text)
        .map_err(|_| serde::de::Error::custom("must be an address such as https://idp.example/waggl/sso/"))
}

fn header_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HeaderName>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let name =
        text.parse().map_err(|_| serde::de::Error::custom("must be a header's name such as \"x-forwarded-for\""))?;
    Ok(Some(name))
}
