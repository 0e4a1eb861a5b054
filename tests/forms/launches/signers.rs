//! Whose keys sign a launch, and how digests are written.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use tower_sso::Builder;
use tower_sso::challenge::{Challenge, Issued};
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::form::Form;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::tenant::Tenant;

use crate::support::{App, Served, clock, replay};

/// Whose key signs, and for which tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    Acme,
    Other,
    /// `acme` is named, and the other tenant's key signs.
    OtherAsAcme,
    /// A tenant that the app does not know.
    Stranger,
}

pub(super) const KEYS: [&str; 3] = [
    "the first key of the launches, which is long enough",
    "the second key of the launches, which is long enough",
    "a key that no tenant has, which is long enough too",
];

impl Signer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Acme | Self::OtherAsAcme => "acme",
            Self::Other => "other",
            Self::Stranger => "stranger",
        }
    }

    /// The host of the tenant, for launches that do not name it.
    pub(super) fn host(self) -> &'static str {
        match self {
            Self::Acme | Self::OtherAsAcme => "acme.example",
            Self::Other => "other.example",
            Self::Stranger => "stranger.example",
        }
    }

    pub(super) fn secret(self) -> Secret {
        Secret::new(self.text())
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Acme => KEYS[0],
            Self::Other | Self::OtherAsAcme => KEYS[1],
            Self::Stranger => KEYS[2],
        }
    }
}

/// What gives browsers their nonces.
pub(super) fn challenge() -> Challenge {
    Challenge::new("__Host-sso")
}

/// The nonce of a browser that was sent away at this time.
pub(super) fn given(challenge: Challenge, at: u64) -> Issued {
    challenge.clock(ManualClock::at(UnixTime::from_secs(at))).issue(&HeaderMap::new()).unwrap()
}

/// What this browser sends along.
pub(crate) fn cookie_of(issued: &Issued) -> String {
    issued.set_cookie().to_str().unwrap().split(';').next().unwrap().to_owned()
}

pub(super) fn keys(acme: &str, other: &str) -> MemoryKeys {
    MemoryKeys::new().with(acme, KEYS[0]).with(other, KEYS[1])
}

/// Of launches that do not name their tenant, each tenant has a host of its own.
pub(super) fn hosted<F: Form>(layer: Builder<F>) -> Builder<F> {
    layer.tenant(Tenant::host()).keys(keys("acme.example", "other.example"))
}

pub(super) fn once<F>(layer: Builder<F>) -> App
where
    F: Served<Claims: std::fmt::Debug>,
{
    reusable(layer.replay(replay()))
}

pub(super) fn reusable<F>(layer: Builder<F>) -> App
where
    F: Served<Claims: std::fmt::Debug>,
{
    App::showing(layer.clock(clock()).build().unwrap(), |claims| Some(format!("{claims:?}")))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

pub(super) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Standard base64 in a query or a form.
pub(super) fn escaped(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

pub(super) fn hmac_sha256(key: impl AsRef<[u8]>, text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key.as_ref()).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

pub(super) fn hmac_sha512(key: &str, text: &str) -> Vec<u8> {
    Hmac::<Sha512>::new_from_slice(key.as_bytes()).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

pub(super) fn hmac_sha1(key: &str, text: &str) -> Vec<u8> {
    Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

pub(super) fn sha256(text: &str) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}

pub(super) fn md5(text: &str) -> Vec<u8> {
    Md5::digest(text).to_vec()
}

pub(super) fn sha1(text: &str) -> Vec<u8> {
    Sha1::digest(text).to_vec()
}
