//! Which tenant a request names: [`Tenant`].

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;

use crate::keys::TenantId;
use crate::query::Query;
use crate::rejection::Reason;

const LONGEST_NAME: usize = 255;

type Function = dyn Fn(&Parts) -> Option<TenantId> + Send + Sync;

/// How a layer finds the tenant of a request, which selects the keys.
///
/// None of these is trusted: a request that names another tenant is checked with that tenant's keys, and fails.
/// A name is at most 255 bytes long and not empty; else the request is malformed.
///
/// ```
/// use tower_sso::tenant::Tenant;
///
/// let by_parameter = Tenant::query("company_id");
/// let by_host = Tenant::host();
/// let by_header = Tenant::from_fn(|head| head.headers.get("x-tenant")?.to_str().ok().map(Into::into));
/// ```
#[derive(Clone)]
pub struct Tenant(Source);

#[derive(Clone)]
enum Source {
    Fixed(TenantId),
    Query(Cow<'static, str>),
    Host,
    PathSegment(usize),
    Function(Arc<Function>),
}

impl Tenant {
    /// One tenant for every request.
    pub fn fixed(name: impl Into<TenantId>) -> Self {
        Self(Source::Fixed(name.into()))
    }

    /// The value of a query parameter, which is taken out of the URI together with the credential.
    pub fn query(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Source::Query(name.into()))
    }

    /// The host name, in lower case and without its port. Behind a proxy that rewrites `Host`, use
    /// [`Tenant::from_fn`].
    pub fn host() -> Self {
        Self(Source::Host)
    }

    /// A segment of the path as received, counted from 0: of `/t/acme/sso`, segment 1 is `acme`.
    pub fn path_segment(index: usize) -> Self {
        Self(Source::PathSegment(index))
    }

    /// What a function makes of the request's head; `None` is an unknown tenant.
    pub fn from_fn(function: impl Fn(&Parts) -> Option<TenantId> + Send + Sync + 'static) -> Self {
        Self(Source::Function(Arc::new(function)))
    }

    /// Whether the sender of a request cannot choose it.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.0, Source::Fixed(_))
    }

    /// The name that every request has, if it does not depend on the request.
    pub(crate) fn fixed_name(&self) -> Option<&str> {
        match &self.0 {
            Source::Fixed(tenant) => Some(tenant.as_str()),
            _ => None,
        }
    }

    /// The query parameter that is part of the credential, if it is one.
    pub(crate) fn parameter(&self) -> Option<&Cow<'static, str>> {
        match &self.0 {
            Source::Query(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn of(&self, head: &Parts) -> Result<Option<TenantId>, Reason> {
        match &self.0 {
            Source::Fixed(tenant) => Ok(Some(tenant.clone())),
            Source::Query(name) => bounded(name, &Query::of(&head.uri).required(name)?).map(Some),
            Source::Host => Ok(host(head)),
            Source::PathSegment(index) => {
                let segment = head.uri.path().split('/').nth(index + 1).filter(|segment| !segment.is_empty());
                segment.map(|segment| bounded("path", segment)).transpose()
            }
            Source::Function(function) => Ok(function(head)),
        }
    }
}

fn bounded(what: &str, name: &str) -> Result<TenantId, Reason> {
    check_length(name).map(|()| name.into()).map_err(|why| Reason::Malformed(what.to_owned().into(), why))
}

/// Names are kept in caches and written to logs, so they are bounded, whoever found them.
pub(crate) fn check_length(name: &str) -> Result<(), &'static str> {
    match name.len() {
        0 => Err("is empty"),
        1..=LONGEST_NAME => Ok(()),
        _ => Err("is too long"),
    }
}

fn host(head: &Parts) -> Option<TenantId> {
    let authority = match head.uri.authority() {
        Some(authority) => authority.clone(),
        None => {
            let mut hosts = head.headers.get_all(HOST).iter();
            let (host, None) = (hosts.next()?, hosts.next()) else { return None };
            host.as_bytes().try_into().ok()?
        }
    };
    let host = authority.host();
    (1..=LONGEST_NAME).contains(&host.len()).then(|| host.to_ascii_lowercase().into())
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Fixed(tenant) => write!(f, "Tenant::fixed({tenant:?})"),
            Source::Query(name) => write!(f, "Tenant::query({name:?})"),
            Source::Host => f.write_str("Tenant::host()"),
            Source::PathSegment(index) => write!(f, "Tenant::path_segment({index})"),
            Source::Function(_) => f.write_str("Tenant::from_fn(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn tenant(of: &Tenant, uri: &str, hosts: &[&str]) -> Result<Option<TenantId>, Reason> {
        let mut request = Request::get(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        of.of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn names_come_from_where_they_should() {
        let long = format!("/?t={}", "x".repeat(256));
        let malformed = |why| Err(Reason::Malformed("t".into(), why));
        for (source, uri, hosts, expected, why) in [
            (Tenant::fixed("acme"), "/", &[][..], Ok(Some("acme")), "fixed"),
            (Tenant::query("t"), "/?t=a%20b", &[], Ok(Some("a b")), "decoded"),
            (Tenant::query("t"), "/?t=", &[], malformed("is empty"), "empty"),
            (Tenant::query("t"), &long, &[], malformed("is too long"), "too long"),
            (Tenant::query("t"), "/", &[], Err(Reason::MissingParameter("t".into())), "missing"),
            (Tenant::host(), "/", &["Acme.example:8080"], Ok(Some("acme.example")), "port and case go"),
            (Tenant::host(), "http://b.example/", &["a.example"], Ok(Some("b.example")), "RFC 9112, 3.2.2"),
            (Tenant::host(), "/", &["a.example", "b.example"], Ok(None), "two hosts are none"),
            (Tenant::host(), "/", &[], Ok(None), "no host"),
            (Tenant::host(), "/", &["a b"], Ok(None), "no host name"),
            (Tenant::path_segment(1), "/t/acme/sso", &[], Ok(Some("acme")), "a segment"),
            (Tenant::path_segment(1), "/t", &[], Ok(None), "no such segment"),
            (Tenant::path_segment(0), "/", &[], Ok(None), "an empty segment"),
            (Tenant::from_fn(|head| Some(head.method.as_str().into())), "/", &[], Ok(Some("GET")), "a function"),
        ] {
            let expected = expected.map(|name: Option<&str>| name.map(TenantId::from));
            assert_eq!(tenant(&source, uri, hosts), expected, "{why}");
        }
    }
}
