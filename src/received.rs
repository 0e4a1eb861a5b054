//! The URI and host as the client sent them, before routers and middleware rewrote them.
//!
//! axum's `nest` removes the front of the path, `NormalizePath` its end. Partners sign the path that the client sent,
//! and that path names the tenant. All of this crate reads it with [`uri`]:
//! [`Tenant::path_segment`](crate::tenant::Tenant::path_segment), the base string of OAuth 1.0a, the return path of
//! [`login_redirect`](crate::login_redirect). Credentials in the query are read from the request's own URI; they are
//! removed from both.
//!
//! With the feature `axum`, the URI as received is axum's `OriginalUri`. Every axum `Router` adds it, unless it is
//! there already. **What rewrites the URI outside the first `Router` comes too early**: add it yourself before that.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::extract::{OriginalUri, Request};
//! use axum::{Router, ServiceExt, routing::get};
//! use tower::{Layer, ServiceBuilder};
//!
//! fn keep_uri(mut request: Request) -> Request {
//!     let uri = OriginalUri(request.uri().clone());
//!     request.extensions_mut().insert(uri);
//!     request
//! }
//!
//! let app: Router = Router::new().route("/widget", get(async || "…"));
//! // A link that was signed for `/widget/` is checked as that, and routed to `/widget`.
//! let normalize = tower_http::normalize_path::NormalizePathLayer::trim_trailing_slash();
//! let app = ServiceBuilder::new().map_request(keep_uri).layer(normalize).service(app);
//! # use {axum::response::Response, std::convert::Infallible};
//! # async fn serve<S>(app: S) -> std::io::Result<()>
//! # where
//! #     S: tower::Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
//! # {
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await
//! # }
//! # _ = || serve(app);
//! # }
//! ```
//!
//! Without axum, the URI as received is the request's own. Put the layer outside any middleware that rewrites it, or
//! tell the layer what was removed: the path in [`Origin::new`](crate#forms-and-partners), and
//! [`Tenant::from_fn`](crate::tenant::Tenant::from_fn). A proxy that rewrites paths is always outside.

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Uri};

use crate::text::headers::once;

/// The URI as the client sent it. See the [module](self).
///
/// ```
/// let (head, ()) = http::Request::get("/t/acme/sso").body(())?.into_parts();
/// assert_eq!(tower_sso::received::uri(&head).path(), "/t/acme/sso");
/// # Ok::<(), http::Error>(())
/// ```
pub fn uri(head: &Parts) -> &Uri {
    #[cfg(feature = "axum")]
    if let Some(::axum::extract::OriginalUri(uri)) = head.extensions.get() {
        return uri;
    }
    &head.uri
}

/// The path after the app's own, such as `/hook` of `/app/hook` below `/app`. `None` if it is not below that.
#[cfg(any(feature = "webhook", feature = "jwt"))]
pub(crate) fn path_below<'a>(uri: &'a Uri, base: &str) -> Option<&'a str> {
    uri.path().strip_prefix(base.trim_end_matches('/')).filter(|path| path.is_empty() || path.starts_with('/'))
}

/// The request's host name, in lower case and without its port. `None` if it names no host, more than one, or an
/// invalid one: user information, a port that is not a number, characters that host names cannot have.
///
/// HTTP/1 has it in the `Host` header, HTTP/2 in the URI; the URI takes precedence (RFC 9112, 3.2.2; RFC 9113, 8.3.1).
/// **Clients choose it**: use it for lookups, not to build addresses.
///
/// ```
/// let (head, ()) = http::Request::get("/sso").header("host", "Acme.example:8080").body(())?.into_parts();
/// assert_eq!(tower_sso::received::host(&head).as_deref(), Some("acme.example"));
/// # Ok::<(), http::Error>(())
/// ```
pub fn host(head: &Parts) -> Option<String> {
    let authority = match uri(head).authority() {
        Some(authority) => is_host(authority).then(|| authority.clone()),
        None => host_header(&head.headers),
    };
    authority.map(|authority| authority.host().to_ascii_lowercase())
}

fn host_header(headers: &HeaderMap) -> Option<Authority> {
    once(headers, &HOST).ok()??.as_bytes().try_into().ok().filter(is_host)
}

/// Whether this is a host name or address, optionally with a numeric port.
pub(crate) fn is_host(authority: &Authority) -> bool {
    let name = authority.host();
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let is_address = |address: &str| address.parse::<std::net::Ipv6Addr>().is_ok();
    let in_brackets = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit()) && authority.port_u16().is_some();
    // User information precedes the name.
    let port =
        authority.as_str().strip_prefix(name).map(|rest| rest.strip_prefix(':').map_or(rest.is_empty(), is_port));
    in_brackets.map_or_else(|| is_name(name), is_address) && port == Some(true)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn hosts_are_read_strictly() {
        for (text, expected, why) in [
            ("acme.example", Some("acme.example"), "a name"),
            ("Acme.EXAMPLE:8080", Some("acme.example"), "port and case go"),
            ("a_b-c.example.", Some("a_b-c.example."), "what resolvers take"),
            ("10.0.0.1:80", Some("10.0.0.1"), "an address"),
            ("[2001:DB8::1]", Some("[2001:db8::1]"), "an address"),
            ("[::1]:3000", Some("[::1]"), "an address and a port"),
            ("evil@acme.example", None, "user information"),
            ("acme.example@evil.example", None, "user information"),
            ("other.example@acme.example:1", None, "user information, and a port"),
            ("u:p@acme.example", None, "user information"),
            ("acme.example:x", None, "a port that is not a number"),
            ("acme.example:", None, "a port that is empty"),
            ("acme.example:99999", None, "a port that is too large"),
            ("acme.example:+80", None, "a port with a sign"),
            ("acme.example:80:80", None, "two ports"),
            (":80", None, "no name"),
            ("", None, "empty"),
            ("a b", None, "a space"),
            ("a.example, b.example", None, "a list"),
            ("acme.example/", None, "a path"),
            ("acme.example;x", None, "not a character of host names"),
            ("acme'example", None, "not a character of host names"),
            ("acme%2eexample", None, "an escape"),
            ("[::1", None, "half a bracket"),
            ("[::1]x", None, "something behind the bracket"),
            ("[acme.example]", None, "a name in brackets"),
            ("[fe80::1%25eth0]", None, "a zone, which no client should send"),
        ] {
            let Ok(request) = Request::get("/").header(HOST, text).body(()) else { panic!("{text}") };
            let (head, ()) = request.into_parts();
            assert_eq!(host(&head).as_deref(), expected, "{text:?} in the header: {why}");
            let Ok(request) = Request::get(format!("http://{text}/")).header(HOST, "other.example").body(()) else {
                assert_eq!(expected, None, "{text:?}: {why}");
                continue;
            };
            if text != "acme.example/" {
                assert_eq!(host(&request.into_parts().0).as_deref(), expected, "{text:?} in the URI: {why}");
            }
        }
    }

    #[test]
    fn one_host_is_named() {
        let named = |uri: &str, hosts: &[&str]| {
            let request = hosts.iter().fold(Request::get(uri), |request, host| request.header(HOST, *host));
            host(&request.body(()).unwrap().into_parts().0)
        };
        assert_eq!(named("/", &[]), None);
        assert_eq!(named("/", &["a.example", "a.example"]), None, "two hosts are none");
        assert_eq!(named("http://b.example/", &["a.example"]).as_deref(), Some("b.example"), "RFC 9112, 3.2.2");
        assert_eq!(named("http://u@b.example/", &["b.example"]), None, "a bad one is not mended by the header");
    }
}
