//! The site that a request names, by itself or by its proxies.

use http::HeaderName;
use http::request::Parts;
use http::uri::Authority;

use super::site::Site;
use crate::received::{self, is_host};
use crate::rejection::Reason;
use crate::text::headers::once_text;

/// Which entry of a header counts, if proxies made a list of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    First,
    /// The one that the outermost of so many proxies wrote.
    OfProxies(usize),
}

const PROTO: &str = "x-forwarded-proto";
pub(super) const HOST: &str = "x-forwarded-host";
const PORT: &str = "x-forwarded-port";

pub(super) fn from_host(scheme: &'static str, head: &Parts) -> Result<Site, Reason> {
    let host = match received::uri(head).authority() {
        Some(authority) => authority.as_str(),
        None => once(head, "host")?.ok_or(Reason::MissingParameter("host".into()))?,
    };
    Ok(Site::new(scheme, &authority(host, "host")?, None))
}

/// The site in the entries that `chain` picks.
pub(super) fn forwarded(head: &Parts, chain: Chain) -> Result<Site, Reason> {
    let proto = chain.entry(head, PROTO)?.ok_or(Reason::MissingParameter(PROTO.into()))?;
    let scheme = match proto.to_ascii_lowercase().as_str() {
        "http" => "http",
        "https" => "https",
        _ => return Err(Reason::Malformed(PROTO.into(), "is not http or https")),
    };
    let port = chain.entry(head, PORT)?.map(|port| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        port.parse().ok().filter(|_| digits).ok_or(Reason::Malformed(PORT.into(), "is not a port"))
    });
    let port = port.transpose()?.filter(|port| !matches!(port, 80 | 443));
    Ok(Site::new(scheme, &host(head, chain)?, port))
}

/// The host in the entry that `chain` picks.
pub(super) fn host(head: &Parts, chain: Chain) -> Result<Authority, Reason> {
    authority(chain.entry(head, HOST)?.ok_or(Reason::MissingParameter(HOST.into()))?, HOST)
}

impl Chain {
    fn entry<'a>(self, head: &'a Parts, name: &'static str) -> Result<Option<&'a str>, Reason> {
        let Some(list) = once(head, name)? else { return Ok(None) };
        let entry = match self {
            Self::First => list.split(',').next(),
            Self::OfProxies(proxies) => match list.rsplit(',').nth(proxies.saturating_sub(1)) {
                // Overwritten by the last proxy.
                None if !list.contains(',') => Some(list),
                entry => entry,
            },
        };
        let entry = entry.ok_or(Reason::Malformed(name.into(), "has fewer entries than there are proxies"))?;
        Ok(Some(entry.trim()))
    }
}

fn once<'a>(head: &'a Parts, name: &'static str) -> Result<Option<&'a str>, Reason> {
    once_text(&head.headers, &HeaderName::from_static(name), "is not text")
}

fn authority(host: &str, header: &'static str) -> Result<Authority, Reason> {
    let authority = host.parse().ok().filter(is_host);
    authority.ok_or(Reason::Malformed(header.into(), "is not a host name"))
}
