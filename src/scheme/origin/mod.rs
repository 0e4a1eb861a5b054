//! The address under which partners sign: [`Origin`].

mod forwarded;
#[cfg(feature = "explain")]
mod near;
mod site;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use http::request::Parts;

use crate::ConfigProblem;
use crate::received;
use crate::rejection::Reason;
use crate::text::percent::percent_encoded;
use forwarded::{Chain, forwarded, from_host};
#[cfg(all(feature = "sign", any(feature = "http-signature", feature = "oauth1", feature = "webhook")))]
pub(crate) use site::base_uri_of;
use site::{Configured, Site, configured, written};

/// The public scheme and host under which partners sign, and a path in front of the app's own if there is one.
///
/// Behind a proxy the app sees another scheme, and often another host, than the browser did, so you must name them.
///
/// | your app has | call |
/// |---|---|
/// | one address | [`Origin::new`] |
/// | several, and sees the host that the client asked for | [`Origin::one_of`] |
/// | several, behind a proxy that names the host in `X-Forwarded-Host` | [`Origin::danger_one_of_forwarded`] |
/// | hosts that you cannot list | [`Origin::danger_from_host_header`] |
/// | the same, behind a proxy | [`Origin::danger_trust_forwarded`] |
/// | the same, behind a chain of proxies that append | [`Origin::danger_trust_proxies`] |
///
/// ```
/// use tower_sso::scheme::Origin;
///
/// let origin = Origin::new("https://app.example");
/// // Behind a proxy that takes `/sso` away:
/// let origin = Origin::new("https://app.example/sso");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Configured(Result<Configured, Cow<'static, str>>),
    OneOf { addresses: Vec<Result<Configured, Cow<'static, str>>>, is_forwarded: bool },
    HostHeader { scheme: &'static str },
    Forwarded(Chain),
}

impl Origin {
    /// This address, normalised to lower case without a default port (RFC 5849, 3.4.1.2).
    ///
    /// A user and a password in it (`https://user:password@app.example`) are part of the URLs that
    /// [webhooks](crate::webhook) sign. No other form builds with them.
    pub fn new(public_url: &str) -> Self {
        Self(Kind::Configured(configured(public_url).map_err(Cow::Borrowed)))
    }

    /// One of these addresses: the one with the host that the request names. Each host may be there once. A request for
    /// another host is `malformed`.
    ///
    /// A link for one of the hosts is refused at the others. The port in the request's host does not count.
    ///
    /// ```
    /// use tower_sso::scheme::Origin;
    ///
    /// let origin = Origin::one_of(["https://app.example", "https://app.example.org", "https://eu.example/sso"]);
    /// ```
    pub fn one_of<'u>(public_urls: impl IntoIterator<Item = &'u str>) -> Self {
        Self::listed(public_urls, false)
    }

    /// As [`one_of`](Self::one_of), by the host that the proxy wrote into `X-Forwarded-Host`. In a list, the first
    /// entry counts. **Anyone who writes that header chooses among the addresses**, so that a link for one of them is
    /// accepted at the others: the proxy must overwrite it on every request.
    ///
    /// ```
    /// use tower_sso::scheme::Origin;
    ///
    /// let origin = Origin::danger_one_of_forwarded(["https://app.example", "https://app.example.org"]);
    /// ```
    pub fn danger_one_of_forwarded<'u>(public_urls: impl IntoIterator<Item = &'u str>) -> Self {
        Self::listed(public_urls, true)
    }

    fn listed<'u>(public_urls: impl IntoIterator<Item = &'u str>, is_forwarded: bool) -> Self {
        let addresses = public_urls.into_iter().map(|url| configured(url).map_err(Cow::Borrowed));
        Self(Kind::OneOf { addresses: addresses.collect(), is_forwarded })
    }

    /// This scheme, and the host that the request names. **A link that was signed for another host of the same partner
    /// is accepted here** if the path and the consumer's secret are the same there.
    pub fn danger_from_host_header(https: bool) -> Self {
        Self(Kind::HostHeader { scheme: if https { "https" } else { "http" } })
    }

    /// Trusts `X-Forwarded-Proto` and `X-Forwarded-Host`, and `X-Forwarded-Port` if the host has no port of its own.
    /// There, 80 and 443 count as the scheme's default, because proxies name the port that they listen on.
    ///
    /// Each header may appear once. In a list, as a chain of proxies makes it, the first entry counts: the one nearest
    /// the client. **Anyone who bypasses the proxy chooses the origin**, and so does any client if the outermost proxy
    /// appends to these headers: it must overwrite them on every request. For proxies that append, take
    /// [`danger_trust_proxies`](Self::danger_trust_proxies).
    pub fn danger_trust_forwarded() -> Self {
        Self(Kind::Forwarded(Chain::First))
    }

    /// As [`danger_trust_forwarded`](Self::danger_trust_forwarded), behind a chain of this many proxies of yours that
    /// append to the headers, as in `X-Forwarded-Proto: https,http`. The entry counts that the outermost of them wrote:
    /// behind two, the last but one. What a client wrote is in front of it, and does not count.
    ///
    /// A header with one entry was overwritten by the last proxy, and that entry counts. A header with more entries
    /// than one and fewer than proxies is `malformed`. **Anyone who bypasses the proxies chooses the origin**, and so
    /// does any client if all of them pass one of the headers on as it came.
    ///
    /// ```
    /// use tower_sso::scheme::Origin;
    ///
    /// // X-Forwarded-Proto: https,http
    /// // X-Forwarded-Host: app.example, ingress.internal
    /// let origin = Origin::danger_trust_proxies(2);
    /// ```
    pub fn danger_trust_proxies(proxies: usize) -> Self {
        Self(Kind::Forwarded(Chain::OfProxies(proxies)))
    }

    pub(crate) fn check(&self) -> Result<(), ConfigProblem> {
        match self.configured().any(|address| address.is_ok_and(|address| address.user.is_some())) {
            true => Err(ConfigProblem::setting("origin", "has a user, which is not signed here: leave it out")),
            false => self.check_url(),
        }
    }

    /// As [`Self::check`], where a user may be part of the URL.
    pub(crate) fn check_url(&self) -> Result<(), ConfigProblem> {
        if let Some(problem) = self.configured().find_map(Result::err) {
            return Err(ConfigProblem::setting("origin", problem.to_owned()));
        }
        let problem = |problem| Err(ConfigProblem::setting("origin", problem));
        match &self.0 {
            Kind::OneOf { addresses, .. } if addresses.is_empty() => {
                problem("lists no address: name those that partners are given")
            }
            Kind::OneOf { addresses, .. } => {
                let hosts: Vec<_> = addresses.iter().flatten().map(|address| &address.site.host).collect();
                match hosts.iter().enumerate().any(|(at, host)| hosts.iter().take(at).any(|other| other == host)) {
                    true => problem("lists a host twice, and the request's host picks the address: leave one out"),
                    false => Ok(()),
                }
            }
            Kind::Forwarded(Chain::OfProxies(0)) => {
                problem("trusts no proxy: call `Origin::new`, or say how many proxies there are")
            }
            _ => Ok(()),
        }
    }

    fn configured(&self) -> impl Iterator<Item = Result<&Configured, &str>> {
        let addresses = match &self.0 {
            Kind::Configured(address) => std::slice::from_ref(address),
            Kind::OneOf { addresses, .. } => addresses,
            Kind::HostHeader { .. } | Kind::Forwarded(_) => &[],
        };
        addresses.iter().map(|address| address.as_ref().map_err(|problem| &**problem))
    }

    /// The base string's URI: the encoded origin, and the path as received.
    pub(crate) fn base_uri<'a>(&'a self, head: &'a Parts) -> Result<(Cow<'a, str>, &'a str), Reason> {
        let origin = match self.address(head)? {
            Address::Configured(configured) => Cow::from(&configured.encoded),
            Address::Requested(site) => percent_encoded(&site.address()).into(),
        };
        Ok((origin, received::uri(head).path()))
    }

    /// The URL as received, and the same with a default port, or without another one.
    pub(crate) fn urls(&self, head: &Parts) -> Result<(String, String), Reason> {
        let (site, user) = match self.address(head)? {
            Address::Configured(configured) => (Cow::Borrowed(&configured.site), configured.user.as_ref()),
            Address::Requested(site) => (Cow::Owned(site), None),
        };
        let other_port = match site.port {
            None => Some(if site.scheme == "https" { 443 } else { 80 }),
            Some(_) => None,
        };
        let user = user.map(|user| String::from_utf8_lossy(user.expose()) + "@").unwrap_or_default();
        let target = received::uri(head).path_and_query().map_or("/", |target| target.as_str());
        let with = |port| {
            let Site { scheme, host, prefix, .. } = &*site;
            [scheme, "://", &user, host, &written(port), prefix, target].concat()
        };
        Ok((with(site.port), with(other_port)))
    }

    fn address(&self, head: &Parts) -> Result<Address<'_>, Reason> {
        match &self.0 {
            Kind::Configured(Ok(configured)) => Ok(Address::Configured(configured)),
            Kind::Configured(Err(_)) => Err(Reason::BadSignature),
            Kind::OneOf { is_forwarded, .. } => {
                let (host, header) = match is_forwarded {
                    true => (forwarded::host(head, Chain::First)?.host().to_ascii_lowercase(), forwarded::HOST),
                    false => (received::host(head).ok_or(Reason::MissingParameter("host".into()))?, "host"),
                };
                let named = self.configured().flatten().find(|address| address.site.host == host);
                named.map(Address::Configured).ok_or(Reason::Malformed(header.into(), "is none of the layer's hosts"))
            }
            Kind::HostHeader { scheme } => from_host(scheme, head).map(Address::Requested),
            Kind::Forwarded(chain) => forwarded(head, *chain).map(Address::Requested),
        }
    }
}

enum Address<'a> {
    Configured(&'a Configured),
    Requested(Site),
}
