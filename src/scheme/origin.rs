use std::borrow::Cow;

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, Uri};

use crate::ConfigProblem;
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
    /// Percent-encoded, as it stands in base strings.
    Configured(Result<String, Cow<'static, str>>),
    HostHeader {
        scheme: &'static str,
    },
    Forwarded,
}

impl Origin {
    /// This address, normalised to lower case without a default port (RFC 5849, 3.4.1.2).
    pub fn new(public_url: &str) -> Self {
        Self(Source::Configured(normalise(public_url).map(|origin| percent_encoded(&origin))))
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
            Source::Configured(Err(problem)) => Err(ConfigProblem::setting("origin", problem.clone())),
            _ => Ok(()),
        }
    }

    /// Other origins that a partner may have signed, and what that would mean.
    #[cfg(feature = "explain")]
    pub(crate) fn near(&self, head: &Parts) -> Vec<(String, Self)> {
        let Source::Configured(Ok(encoded)) = &self.0 else { return Vec::new() };
        let ours = crate::text::percent::decode_escapes(encoded).unwrap_or_default();
        let (scheme, rest) = ours.split_once("://").unwrap_or_default();
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        let other_scheme = if scheme == "https" { "http" } else { "https" };
        let requested = received::host(head).unwrap_or_default();
        let mut near = Vec::new();
        let mut add = |cause: &str, origin: String| {
            let origin = Self(Source::Configured(Ok(percent_encoded(&origin))));
            near.push((format!("{cause}, and this layer expects {ours}"), origin));
        };
        add(&format!("it was signed for {other_scheme}"), format!("{other_scheme}://{rest}"));
        for port in [443, 80, 8080, 8443, 3000] {
            add(&format!("it was signed with the port {port}"), format!("{scheme}://{authority}:{port}{path}"));
            add(
                &format!("it was signed for {other_scheme} with the port {port}"),
                format!("{other_scheme}://{authority}:{port}{path}"),
            );
        }
        let without_port = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        for (host, cause) in
            [(requested.as_str(), "for the host that the request names"), (without_port, "without the port")]
        {
            for scheme in [scheme, other_scheme] {
                add(&format!("it was signed {cause}, with {scheme}"), format!("{scheme}://{host}{path}"));
            }
        }
        let www = authority.strip_prefix("www.").map_or_else(|| format!("www.{authority}"), str::to_owned);
        add("it was signed with or without `www.`", format!("{scheme}://{www}{path}"));
        if !path.is_empty() {
            add("it was signed without the path in front of the app's own", format!("{scheme}://{authority}"));
        }
        near
    }

    /// The base string's URI: the encoded origin, and the path as received.
    pub(crate) fn base_uri<'a>(&'a self, head: &'a Parts) -> Result<(Cow<'a, str>, &'a str), Reason> {
        let origin = match &self.0 {
            Source::Configured(Ok(origin)) => origin.into(),
            Source::Configured(Err(_)) => return Err(Reason::BadSignature),
            Source::HostHeader { scheme } => {
                let host = match received::uri(head).authority() {
                    Some(authority) => authority.as_str(),
                    None => once(head, &HOST)?.ok_or(Reason::MissingParameter("host".into()))?,
                };
                percent_encoded(&write(scheme, &authority(host, "host")?, None)).into()
            }
            Source::Forwarded => percent_encoded(&forwarded(head)?).into(),
        };
        Ok((origin, received::uri(head).path()))
    }
}

/// The origin as the proxy nearest the client saw it.
fn forwarded(head: &Parts) -> Result<String, Reason> {
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
    Ok(write(scheme, &authority(required(HOST)?, HOST)?, port))
}

fn once<'a>(head: &'a Parts, name: &HeaderName) -> Result<Option<&'a str>, Reason> {
    once_text(&head.headers, name, "is not text")
}

fn authority(host: &str, header: &'static str) -> Result<Authority, Reason> {
    let authority = host.parse().ok().filter(is_host);
    authority.ok_or(Reason::Malformed(header.into(), "is not a host name"))
}

/// The origin, normalised. `port` counts if the authority names none.
fn write(scheme: &str, authority: &Authority, port: Option<u16>) -> String {
    let host = authority.host().to_ascii_lowercase();
    match (scheme, authority.port_u16().or(port)) {
        (_, None) | ("http", Some(80)) | ("https", Some(443)) => format!("{scheme}://{host}"),
        (_, Some(port)) => format!("{scheme}://{host}:{port}"),
    }
}

fn normalise(public_url: &str) -> Result<String, Cow<'static, str>> {
    let problem =
        "is not an address such as https://app.example, without a query: give the one that partners are given";
    let uri: Uri = public_url.parse().map_err(|_| problem)?;
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(problem.into());
    };
    if uri.query().is_some() || !is_host(authority) {
        return Err(problem.into());
    }
    let prefix = uri.path().trim_end_matches('/');
    Ok(write(scheme, authority, None) + prefix)
}

/// The base string's URI of an address (RFC 5849, 3.4.1.2).
#[cfg(feature = "sign")]
pub(crate) fn base_uri_of(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let authority = uri.authority().filter(|authority| is_host(authority))?;
    Some(write(uri.scheme_str()?, authority, None) + uri.path())
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
            "https://u@a/",
            "https://u@a:443/",
            "/a",
            "https://a:99999",
        ] {
            assert!(Origin::new(bad).check().is_err(), "{bad}");
        }
    }
}
