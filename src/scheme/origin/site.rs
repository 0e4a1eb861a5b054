use http::Uri;
use http::uri::Authority;

use crate::keys::Secret;
use crate::received::is_host;
use crate::text::percent::percent_encoded;

/// An address that was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Configured {
    pub(super) site: Site,
    /// `user:password`, which only some webhooks sign.
    pub(super) user: Option<Secret>,
    /// Percent-encoded, as it stands in base strings.
    pub(super) encoded: String,
}

/// Scheme, host and port, and the path in front of the app's own. The host is in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) scheme: &'static str,
    pub(super) host: String,
    /// `None` if it is the scheme's own.
    pub(super) port: Option<u16>,
    pub(super) prefix: String,
}

impl Site {
    pub(super) fn new(scheme: &'static str, authority: &Authority, other_port: Option<u16>) -> Self {
        let port = match (scheme, authority.port_u16().or(other_port)) {
            ("http", Some(80)) | ("https", Some(443)) => None,
            (_, port) => port,
        };
        Self { scheme, host: authority.host().to_ascii_lowercase(), port, prefix: String::new() }
    }

    pub(super) fn address(&self) -> String {
        [self.scheme, "://", &self.host, &written(self.port), &self.prefix].concat()
    }
}

pub(super) fn written(port: Option<u16>) -> String {
    port.map(|port| format!(":{port}")).unwrap_or_default()
}

pub(super) fn configured(public_url: &str) -> Result<Configured, &'static str> {
    let problem =
        "is not an address such as https://app.example, without a query: give the one that partners are given";
    let uri: Uri = public_url.parse().map_err(|_| problem)?;
    let (Some(scheme), Some(authority)) = (scheme_of(&uri), uri.authority()) else { return Err(problem) };
    let (user, authority) = match authority.as_str().rsplit_once('@') {
        Some((user, host)) => (Some(user), host.parse().map_err(|_| problem)?),
        None => (None, authority.clone()),
    };
    if uri.query().is_some() || !is_host(&authority) || user.is_some_and(|user| user.contains(['@', '/'])) {
        return Err(problem);
    }
    let site = Site { prefix: uri.path().trim_end_matches('/').to_owned(), ..Site::new(scheme, &authority, None) };
    let encoded = percent_encoded(&site.address());
    Ok(Configured { site, user: user.map(Secret::new), encoded })
}

fn scheme_of(uri: &Uri) -> Option<&'static str> {
    match uri.scheme_str()? {
        "http" => Some("http"),
        "https" => Some("https"),
        _ => None,
    }
}

/// The base string's URI of an address (RFC 5849, 3.4.1.2).
#[cfg(feature = "sign")]
pub(crate) fn base_uri_of(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let authority = uri.authority().filter(|authority| is_host(authority))?;
    Some(Site::new(scheme_of(&uri)?, authority, None).address() + uri.path())
}
