//! Builds the `Location` header, and repairs the path that comes back.

use std::fmt::Write;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Uri};

use super::layer::Settings;
use crate::landing::LocalPath;
use crate::received;
use crate::text::strip::CredentialParameters;

impl Settings {
    /// The redirect target for this request, if the visitor must sign in.
    pub(super) fn location(&self, head: &Parts) -> Option<HeaderValue> {
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return None;
        }
        let url = (self.sso_url)(head)?;
        let mut asked_for = received::uri(head).clone();
        collapse_slashes(&mut asked_for);
        let mut parameters = format!("return_to_path={}", encode(&self.path(&asked_for)));
        let bound = self.bound.as_ref().map(|(name, value)| (name, value(head)));
        let left_out = [&self.credential].into_iter().chain(bound.as_ref().map(|(name, _)| *name));
        CredentialParameters::new(left_out.cloned()).strip(&mut asked_for);
        let mut query = asked_for.query().unwrap_or_default().to_owned();
        if let Some((name, Some(value))) = bound {
            let separator = if query.is_empty() { "" } else { "&" };
            _ = write!(query, "{separator}{}={}", encode(name), encode(&value));
        }
        if !query.is_empty() {
            _ = write!(parameters, "&return_to_params={}", encode(&query));
        }
        url.with(&parameters).try_into().ok()
    }

    fn path(&self, asked_for: &Uri) -> String {
        let path = LocalPath::parse(asked_for.path()).unwrap_or_default().to_string();
        let Some(bare) = path.strip_prefix('/') else { return path };
        let first = bare.split('/').next().unwrap_or_default();
        let plain = first.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let named = !first.is_empty() && self.bare_segments.iter().any(|segment| segment == first);
        if plain && named { bare.to_owned() } else { path }
    }
}

/// Two leading slashes come from a host name and a path that both had one.
pub(super) fn collapse_slashes(uri: &mut Uri) {
    let Some(path_and_query) = uri.path_and_query().map(PathAndQuery::as_str) else { return };
    if !path_and_query.starts_with("//") {
        return;
    }
    let one_slash = format!("/{}", path_and_query.trim_start_matches('/'));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = one_slash.try_into().ok();
    if let Ok(collapsed) = Uri::from_parts(parts) {
        *uri = collapsed;
    }
}

/// Percent-encodes everything but letters, digits, `-`, `.`, `_` and `~` (RFC 3986, 2.3).
fn encode(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
        encoded
    })
}
