use std::borrow::Cow;

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, Uri};

use crate::config::ConfigError;
use crate::encoding::percent_encoded;
use crate::received::{self, is_host};
use crate::rejection::Reason;

/// The public scheme and host under which partners sign, and a path in front of the app's own if there is one.
///
/// Behind a proxy the app sees another scheme and often another host than the browser did, so it must be told.
///
/// ```
/// use tower_sso::oauth1::Origin;
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
    /// This address, which is normalised as RFC 5849, 3.4.1.2 says: lower case, no default port.
    pub fn new(public_url: &str) -> Self {
        Self(Source::Configured(normalise(public_url).map(|origin| percent_encoded(&origin))))
    }

    /// This scheme, and the host that the request names. **A link that was signed for another host of the same partner is
    /// accepted here**, if it has the same path and the consumer the same secret there.
    pub fn danger_from_host_header(https: bool) -> Self {
        Self(Source::HostHeader { scheme: if https { "https" } else { "http" } })
    }

    /// What `X-Forwarded-Proto` and `X-Forwarded-Host` say, each once. **Anyone who reaches the app past the proxy says what
    /// he likes**; the proxy must set both anew on every request.
    pub fn danger_trust_forwarded() -> Self {
        Self(Source::Forwarded)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match &self.0 {
            Source::Configured(Err(problem)) => {
                Err(ConfigError::Setting { setting: "origin", problem: problem.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The base string's URI: the origin, encoded, and the path as it was received.
    pub(super) fn base_uri<'a>(&'a self, head: &'a Parts) -> Result<(Cow<'a, str>, &'a str), Reason> {
        let origin = match &self.0 {
            Source::Configured(Ok(origin)) => origin.into(),
            Source::Configured(Err(_)) => return Err(Reason::BadSignature),
            Source::HostHeader { scheme } => {
                let host = match received::uri(head).authority() {
                    Some(authority) => authority.as_str(),
                    None => once(head, &HOST)?,
                };
                percent_encoded(&join(scheme, host)?).into()
            }
            Source::Forwarded => {
                let scheme = once(head, &HeaderName::from_static("x-forwarded-proto"))?;
                let host = once(head, &HeaderName::from_static("x-forwarded-host"))?;
                match scheme {
                    "http" | "https" => percent_encoded(&join(scheme, host)?).into(),
                    _ => return Err(Reason::Malformed("x-forwarded-proto".into(), "is not http or https")),
                }
            }
        };
        Ok((origin, received::uri(head).path()))
    }
}

fn once<'a>(head: &'a Parts, name: &HeaderName) -> Result<&'a str, Reason> {
    let mut values = head.headers.get_all(name).iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(Reason::MissingParameter(name.as_str().to_owned().into())),
        (Some(_), Some(_)) => Err(Reason::DuplicateParameter(name.as_str().to_owned().into())),
    }
}

fn join(scheme: &str, host: &str) -> Result<String, Reason> {
    let authority = host.parse().ok().filter(is_host);
    let authority = authority.ok_or(Reason::Malformed("host".into(), "is not a host name"))?;
    Ok(write(scheme, &authority))
}

fn write(scheme: &str, authority: &Authority) -> String {
    let host = authority.host().to_ascii_lowercase();
    match (scheme, authority.port_u16()) {
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
    Ok(write(scheme, authority) + prefix)
}

/// The base string's URI of an address (RFC 5849, 3.4.1.2).
#[cfg(feature = "sign")]
pub(crate) fn base_uri_of(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let authority = uri.authority().filter(|authority| is_host(authority))?;
    Some(write(uri.scheme_str()?, authority) + uri.path())
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
        origin.base_uri(&head).ok().map(|(origin, path)| crate::query::decode(&origin).unwrap().into_owned() + path)
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
