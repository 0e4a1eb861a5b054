//! Which tenant a request names: [`Tenant`].

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::request::Parts;

use crate::keys::{TenantId, check_length};
use crate::query::Query;
use crate::received;
use crate::rejection::Reason;
use crate::text::percent::decode_escapes;

type Function = dyn Fn(&Parts) -> Option<TenantId> + Send + Sync;

/// How a layer finds the tenant of a request, which selects the keys.
///
/// None of these is trusted: a request that names another tenant is checked with that tenant's keys, and fails. A name
/// has 1 to 255 bytes; otherwise the request is malformed.
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

    /// The value of a query parameter. It is removed from the URI together with the credential.
    pub fn query(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Source::Query(name.into()))
    }

    /// The host name, in lower case and without its port, as [`received::host`] reads it. An invalid host name is an
    /// unknown tenant. Behind a proxy that rewrites `Host`, use [`Tenant::from_fn`].
    pub fn host() -> Self {
        Self(Source::Host)
    }

    /// A segment of the path as the client sent it, counted from 0: of `/t/acme/sso`, segment 1 is `acme`, also in a
    /// router that is nested at `/t/{tenant}`. See [`received`] for what rewrites the path outside a router.
    ///
    /// Percent escapes are decoded once, as axum's `Path` does: `acme%20inc` is the tenant `acme inc`, and `+` stays
    /// `+`. A bad escape, NUL, or bytes that are not UTF-8 are malformed.
    pub fn path_segment(index: usize) -> Self {
        Self(Source::PathSegment(index))
    }

    /// The result of a function of the request's head; `None` is an unknown tenant.
    pub fn from_fn(function: impl Fn(&Parts) -> Option<TenantId> + Send + Sync + 'static) -> Self {
        Self(Source::Function(Arc::new(function)))
    }

    /// Whether the sender cannot choose the tenant.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.0, Source::Fixed(_))
    }

    /// The tenant's name, if it does not depend on the request.
    pub(crate) fn fixed_name(&self) -> Option<&str> {
        match &self.0 {
            Source::Fixed(tenant) => Some(tenant.as_str()),
            _ => None,
        }
    }

    /// The query parameter that names the tenant, if any. It is part of the credential.
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
            Source::Host => {
                Ok(received::host(head).filter(|host| check_length(host).is_ok()).map(|host| host.as_str().into()))
            }
            Source::PathSegment(index) => {
                let mut segments = received::uri(head).path().split('/').skip(1);
                let Some(segment) = segments.nth(*index).filter(|segment| !segment.is_empty()) else { return Ok(None) };
                let name = decode_escapes(segment).map_err(|what| Reason::Malformed("path".into(), what))?;
                bounded("path", &name).map(Some)
            }
            Source::Function(function) => Ok(function(head)),
        }
    }
}

fn bounded(what: &str, name: &str) -> Result<TenantId, Reason> {
    check_length(name).map(|()| name.into()).map_err(|why| Reason::Malformed(what.to_owned().into(), why))
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
    use http::header::HOST;

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
        let in_path = |why| Err(Reason::Malformed("path".into(), why));
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
            (Tenant::host(), "/", &["evil@acme.example"], Ok(None), "user information"),
            (Tenant::host(), "/", &["other.example@acme.example:1"], Ok(None), "user information"),
            (Tenant::host(), "/", &["acme.example:x"], Ok(None), "no port"),
            (Tenant::host(), "/", &["acme.example:99999"], Ok(None), "no port"),
            (Tenant::path_segment(1), "/t/acme%20inc", &[], Ok(Some("acme inc")), "decoded"),
            (Tenant::path_segment(1), "/t/a+b%2Bc", &[], Ok(Some("a+b+c")), "a plus is no space in a path"),
            (Tenant::path_segment(1), "/t/%61cme%2F%2E.", &[], Ok(Some("acme/..")), "a name, and not a path any more"),
            (Tenant::path_segment(1), "/t/%zz", &[], in_path("has a bad percent escape"), "mis-encoded"),
            (Tenant::path_segment(1), "/t/%FF", &[], in_path("is not UTF-8"), "mis-encoded"),
            (Tenant::path_segment(1), "/t/a%00", &[], in_path("holds a NUL"), "mis-encoded"),
            (Tenant::path_segment(usize::MAX), "/t", &[], Ok(None), "no such segment"),
            (Tenant::path_segment(1), "/t", &[], Ok(None), "no such segment"),
            (Tenant::path_segment(0), "/", &[], Ok(None), "an empty segment"),
            (Tenant::from_fn(|head| Some(head.method.as_str().into())), "/", &[], Ok(Some("GET")), "a function"),
        ] {
            let expected = expected.map(|name: Option<&str>| name.map(TenantId::from));
            assert_eq!(tenant(&source, uri, hosts), expected, "{why}");
        }
    }
}
