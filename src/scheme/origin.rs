use std::borrow::Cow;

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, Uri};

use crate::ConfigProblem;
use crate::keys::Secret;
use crate::received::{self, is_host};
use crate::rejection::Reason;
use crate::text::headers::once_text;
use crate::text::percent::percent_encoded;

/// The public scheme and host under which partners sign, and a path in front of the app's own if there is one.
///
/// Behind a proxy the app sees another scheme, and often another host, than the browser did, so you must name them.
///
/// ```
/// use tower_sso::scheme::Origin;
///
/// let origin = Origin::new("https://app.example");
/// // Behind a proxy that takes `/sso` away:
/// let origin = Origin::new("https://app.example/sso");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Source);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Configured(Result<Configured, Cow<'static, str>>),
    HostHeader { scheme: &'static str },
    Forwarded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Configured {
    site: Site,
    /// `user:password`, which only some webhooks sign.
    user: Option<Secret>,
    /// Percent-encoded, as it stands in base strings.
    encoded: String,
}

/// Scheme, host and port, and the path in front of the app's own. The host is in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Site {
    scheme: &'static str,
    host: String,
    /// `None` if it is the scheme's own.
    port: Option<u16>,
    prefix: String,
}

impl Origin {
    /// This address, normalised to lower case without a default port (RFC 5849, 3.4.1.2).
    ///
    /// A user and a password in it (`https://user:password@app.example`) are part of the URLs that
    /// [webhooks](crate::webhook) sign. No other form builds with them.
    pub fn new(public_url: &str) -> Self {
        Self(Source::Configured(configured(public_url).map_err(Cow::Borrowed)))
    }

    /// This scheme, and the host that the request names. **A link that was signed for another host of the same partner
    /// is accepted here** if the path and the consumer's secret are the same there.
    pub fn danger_from_host_header(https: bool) -> Self {
        Self(Source::HostHeader { scheme: if https { "https" } else { "http" } })
    }

    /// Trusts `X-Forwarded-Proto` and `X-Forwarded-Host`, and `X-Forwarded-Port` if the host has no port of its own.
    /// There, 80 and 443 count as the scheme's default, because proxies name the port that they listen on.
    ///
    /// Each header may appear once. In a list, as a chain of proxies makes it, the first entry counts: the one nearest
    /// the client. **Anyone who bypasses the proxy chooses the origin**, and so does any client if the outermost proxy
    /// appends to these headers: it must overwrite them on every request.
    pub fn danger_trust_forwarded() -> Self {
        Self(Source::Forwarded)
    }

    pub(crate) fn check(&self) -> Result<(), ConfigProblem> {
        match &self.0 {
            Source::Configured(Ok(Configured { user: Some(_), .. })) => {
                Err(ConfigProblem::setting("origin", "has a user, which is not signed here: leave it out"))
            }
            _ => self.check_url(),
        }
    }

    /// As [`Self::check`], where a user may be part of the URL.
    pub(crate) fn check_url(&self) -> Result<(), ConfigProblem> {
        match &self.0 {
            Source::Configured(Err(problem)) => Err(ConfigProblem::setting("origin", problem.clone())),
            _ => Ok(()),
        }
    }

    /// Other origins that a partner may have signed, and what that would mean.
    #[cfg(feature = "explain")]
    pub(crate) fn near(&self, head: &Parts) -> Vec<(String, Self)> {
        let configured = match &self.0 {
            Source::Configured(Ok(configured)) => configured,
            Source::Configured(Err(_)) => return Vec::new(),
            Source::HostHeader { .. } | Source::Forwarded => {
                let as_named = |scheme| (format!("it was signed for {scheme}"), Self(Source::HostHeader { scheme }));
                return ["http", "https"].map(as_named).into();
            }
        };
        let site = &configured.site;
        let ours = site.address();
        let other_scheme = if site.scheme == "https" { "http" } else { "https" };
        let mut near = Vec::new();
        let mut add = |cause: &str, site: Site| {
            if site != configured.site {
                let origin = Configured { encoded: percent_encoded(&site.address()), site, ..configured.clone() };
                let cause = format!("it was signed {cause}, and this layer expects {ours}");
                near.push((cause, Self(Source::Configured(Ok(origin)))));
            }
        };
        add(&format!("for {other_scheme}"), Site { scheme: other_scheme, ..site.clone() });
        for port in [443, 80, 8080, 8443, 3000] {
            let site = Site { port: Some(port), ..site.clone() };
            add(&format!("with the port {port}"), site.clone());
            add(&format!("for {other_scheme} with the port {port}"), Site { scheme: other_scheme, ..site });
        }
        let requested = received::host(head).unwrap_or_else(|| site.host.clone());
        for (cause, host) in [("without the port", &site.host), ("for the host that the request names", &requested)] {
            for scheme in [site.scheme, other_scheme] {
                let site = Site { scheme, host: host.clone(), port: None, ..site.clone() };
                add(&format!("{cause}, with {scheme}"), site);
            }
        }
        let www = site.host.strip_prefix("www.").map_or_else(|| format!("www.{}", site.host), str::to_owned);
        add("with or without `www.`", Site { host: www, ..site.clone() });
        add("without the path in front of the app's own", Site { prefix: String::new(), ..site.clone() });
        near
    }

    /// The base string's URI: the encoded origin, and the path as received.
    pub(crate) fn base_uri<'a>(&'a self, head: &'a Parts) -> Result<(Cow<'a, str>, &'a str), Reason> {
        let origin = match &self.0 {
            Source::Configured(Ok(configured)) => Cow::from(&configured.encoded),
            Source::Configured(Err(_)) => return Err(Reason::BadSignature),
            Source::HostHeader { scheme } => percent_encoded(&from_host(scheme, head)?.address()).into(),
            Source::Forwarded => percent_encoded(&forwarded(head)?.address()).into(),
        };
        Ok((origin, received::uri(head).path()))
    }

    /// The URL as received, and the same with a default port, or without another one.
    pub(crate) fn urls(&self, head: &Parts) -> Result<(String, String), Reason> {
        let (site, user) = match &self.0 {
            Source::Configured(Ok(configured)) => (Cow::Borrowed(&configured.site), configured.user.as_ref()),
            Source::Configured(Err(_)) => return Err(Reason::BadSignature),
            Source::HostHeader { scheme } => (Cow::Owned(from_host(scheme, head)?), None),
            Source::Forwarded => (Cow::Owned(forwarded(head)?), None),
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
}

impl Site {
    fn new(scheme: &'static str, authority: &Authority, other_port: Option<u16>) -> Self {
        let port = match (scheme, authority.port_u16().or(other_port)) {
            ("http", Some(80)) | ("https", Some(443)) => None,
            (_, port) => port,
        };
        Self { scheme, host: authority.host().to_ascii_lowercase(), port, prefix: String::new() }
    }

    fn address(&self) -> String {
        [self.scheme, "://", &self.host, &written(self.port), &self.prefix].concat()
    }
}

fn written(port: Option<u16>) -> String {
    port.map(|port| format!(":{port}")).unwrap_or_default()
}

fn from_host(scheme: &'static str, head: &Parts) -> Result<Site, Reason> {
    let host = match received::uri(head).authority() {
        Some(authority) => authority.as_str(),
        None => once(head, &HOST)?.ok_or(Reason::MissingParameter("host".into()))?,
    };
    Ok(Site::new(scheme, &authority(host, "host")?, None))
}

/// The origin as the proxy nearest the client saw it.
fn forwarded(head: &Parts) -> Result<Site, Reason> {
    const PROTO: &str = "x-forwarded-proto";
    const HOST: &str = "x-forwarded-host";
    const PORT: &str = "x-forwarded-port";
    let first = |name: &'static str| -> Result<Option<&str>, Reason> {
        let list = once(head, &HeaderName::from_static(name))?;
        Ok(list.map(|list| list.split(',').next().unwrap_or_default().trim()))
    };
    let required = |name| first(name)?.ok_or(Reason::MissingParameter(name.into()));
    let scheme = match required(PROTO)?.to_ascii_lowercase().as_str() {
        "http" => "http",
        "https" => "https",
        _ => return Err(Reason::Malformed(PROTO.into(), "is not http or https")),
    };
    let port = first(PORT)?.map(|port| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        port.parse().ok().filter(|_| digits).ok_or(Reason::Malformed(PORT.into(), "is not a port"))
    });
    let port = port.transpose()?.filter(|port| !matches!(port, 80 | 443));
    Ok(Site::new(scheme, &authority(required(HOST)?, HOST)?, port))
}

fn once<'a>(head: &'a Parts, name: &HeaderName) -> Result<Option<&'a str>, Reason> {
    once_text(&head.headers, name, "is not text")
}

fn authority(host: &str, header: &'static str) -> Result<Authority, Reason> {
    let authority = host.parse().ok().filter(is_host);
    authority.ok_or(Reason::Malformed(header.into(), "is not a host name"))
}

fn configured(public_url: &str) -> Result<Configured, &'static str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn base(origin: &Origin, uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = http::Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        origin
            .base_uri(&head)
            .ok()
            .map(|(origin, path)| crate::text::percent::decode_form(&origin).unwrap().into_owned() + path)
    }

    #[test]
    fn origins() {
        let host = |https| Origin::danger_from_host_header(https);
        for (origin, uri, headers, expected) in [
            (Origin::new("HTTPS://App.Example:443/"), "/a?b=1", &[][..], Some("https://app.example/a")),
            (Origin::new("http://app.example:8080"), "/", &[("host", "evil")], Some("http://app.example:8080/")),
            (Origin::new("https://app.example/sso/"), "/a%20B", &[], Some("https://app.example/sso/a%20B")),
            (Origin::new("http://[::1]:3000"), "/", &[], Some("http://[::1]:3000/")),
            (host(false), "/", &[("host", "EXAMPLE.com:80")], Some("http://example.com/")),
            (host(false), "/", &[("host", "example.com:443")], Some("http://example.com:443/")),
            (host(true), "/", &[("host", "example.com:443")], Some("https://example.com/")),
            (host(true), "/", &[], None),
            (host(true), "/", &[("host", "a"), ("host", "b")], None),
            (host(true), "/", &[("host", "u@a")], None),
            (host(true), "/", &[("host", "u@a:443")], None),
            (host(true), "/", &[("host", "a:99999")], None),
            (host(true), "/", &[("host", "a:+443")], None),
            (host(true), "/", &[("host", "a;b")], None),
            (Origin::danger_trust_forwarded(), "/", &[("host", "a")], None),
            (
                Origin::danger_trust_forwarded(),
                "/",
                &[("x-forwarded-proto", "https"), ("x-forwarded-host", "B.example")],
                Some("https://b.example/"),
            ),
            (Origin::danger_trust_forwarded(), "/", &[("x-forwarded-proto", "ftp"), ("x-forwarded-host", "b")], None),
        ] {
            assert_eq!(base(&origin, uri, headers).as_deref(), expected, "{origin:?} {uri} {headers:?}");
        }
        for bad in [
            "",
            "app.example",
            "ftp://app.example",
            "https://",
            "https://a/?b",
            "https://u@b@a/",
            "https://@/",
            "/a",
            "https://a:99999",
        ] {
            assert!(Origin::new(bad).check().is_err(), "{bad}");
        }
    }
    #[test]
    fn a_user_is_signed_by_webhooks_alone() {
        let origin = Origin::new("https://user:pass@app.example:443/sso");
        assert!(origin.check().is_err() && origin.check_url().is_ok());
        assert!(!format!("{origin:?}").contains("pass"), "{origin:?}");
    }

    #[test]
    fn urls_with_and_without_a_port() {
        for (origin, expected) in [
            (Origin::new("https://App.example/"), ["https://app.example/a?b", "https://app.example:443/a?b"]),
            (Origin::new("http://app.example:80/x"), ["http://app.example/x/a?b", "http://app.example:80/x/a?b"]),
            (Origin::new("https://app.example:8443"), ["https://app.example:8443/a?b", "https://app.example/a?b"]),
            (
                Origin::new("https://u:p@app.example"),
                ["https://u:p@app.example/a?b", "https://u:p@app.example:443/a?b"],
            ),
            (Origin::danger_from_host_header(true), ["https://h.example/a?b", "https://h.example:443/a?b"]),
        ] {
            let (head, ()) = http::Request::get("/a?b").header("host", "h.example").body(()).unwrap().into_parts();
            let (url, other) = origin.urls(&head).unwrap();
            assert_eq!([&*url, &*other], expected, "{origin:?}");
        }
    }
}
