//! Broken partners of some presets, as integrators in five languages make them: what they send, and what an operator
//! has to read first.

mod platforms;
mod senders;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

/// The secret of all presets but Standard Webhooks'. It is hexadecimal, as many platforms show theirs.
pub(crate) const SECRET: &str = "9f86d081884c7d659a2feaa0c55ad015";
pub(crate) const WHSEC: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM=";
const WHSEC_KEY: &[u8] = b"0123456789abcdef0123";
/// Another tenant's.
pub(crate) const OTHER: &str = "3c363836cf4e16666669a25da280a186";

/// The public address of the app.
pub(crate) const ORIGIN: &str = "https://portal.example";

/// The presets, where each takes its requests, and its secrets by tenant. `None`: it has one for all.
pub(crate) const PRESETS: [(&str, &str, &[(Option<&str>, &str)]); 9] = [
    ("webhooks::github", "/in/github", &[(None, SECRET)]),
    ("webhooks::stripe", "/in/stripe", &[(None, SECRET)]),
    ("webhooks::shopify", "/in/shopify", &[(None, SECRET)]),
    ("webhooks::standard_webhooks", "/in/standard", &[(None, WHSEC)]),
    ("webhooks::netlify", "/in/netlify", &[(None, SECRET)]),
    ("webhooks::danger_mailgun", "/in/mailgun", &[(None, SECRET)]),
    ("launches::lti11", "/in/lti", &[(Some("acme"), SECRET), (Some("other"), OTHER)]),
    ("launches::discourse", "/in/forum", &[(None, SECRET)]),
    ("launches::shopify", "/in/shop", &[(None, SECRET)]),
];

/// What a partner sends, why it is wrong, and what is said first.
pub(crate) struct Row {
    pub(crate) why: &'static str,
    pub(crate) preset: &'static str,
    pub(crate) request: Sent,
    pub(crate) expected: &'static str,
}

pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Sent {
    /// A line for curl.
    pub(crate) fn curl(&self) -> String {
        let mut words = vec!["curl".to_owned(), "-X".to_owned(), self.method.to_owned()];
        for (name, value) in &self.headers {
            words.extend(["-H".to_owned(), format!("{name}: {value}")]);
        }
        if !self.body.is_empty() {
            words.extend(["--data-raw".to_owned(), self.body.clone()]);
        }
        words.push(format!("{ORIGIN}{}", self.target));
        let quoted = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''")));
        quoted.collect::<Vec<_>>().join(" ")
    }
}

fn sha256(key: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn sha1(key: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    let mac = Hmac::<Sha1>::new_from_slice(key.as_ref()).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// As RFC 3986 says.
fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// All rows, at this time.
pub(crate) fn rows(now: u64) -> Vec<Row> {
    senders::rows(now)
        .into_iter()
        .chain(senders::in_bodies(now))
        .chain(platforms::rows(now))
        .chain(platforms::forums())
        .collect()
}
