//! Behind a proxy: addresses, hosts, sources and paths.
//!
//! A proxy changes what your app sees of a request: scheme, host, peer and sometimes the path. Tell the layers what the
//! *client* asked for. Never guess it from a header that a client can send itself.
//!
//! | what depends on it | tell it so |
//! |---|---|
//! | the address that OAuth 1.0a and some webhooks sign | [`Origin::new("https://…")`](crate::scheme::Origin) |
//! | the tenant, named by the host | [`Tenant::host`], or [`from_fn`] if the proxy rewrites `Host` |
//! | who guesses secrets | [`Throttle::by`](crate::throttle::Throttle::by) with the header that your proxy sets |
//! | the path that was signed or names the tenant | [`received`](crate::received): add `OriginalUri` before it |
//!
//! The others sign neither scheme, host nor path: Fernet tokens, JWTs, timestamp hashes, most webhooks, shared secrets
//! and tickets need nothing here.
//!
//! # The origin of OAuth 1.0a
//!
//! The signature covers the address as the partner wrote it. Your app sees `http://10.0.0.7:3000/widget/`. So configure
//! the public scheme and host, and the path if the proxy takes one away:
//!
//! ```
//! # #[cfg(feature = "oauth1")] {
//! use tower_sso::oauth1::Origin;
//!
//! let origin = Origin::new("https://app.example");
//! // The partner signs https://app.example/sso/widget/, and the proxy asks the app for /widget/.
//! let origin = Origin::new("https://app.example/sso");
//! # }
//! ```
//!
//! An app with several public hosts lists them, and the request's host picks one. A link for one host is refused at the
//! others, and a request for a host that is not listed is `malformed`:
//!
//! ```
//! use tower_sso::scheme::Origin;
//!
//! let origin = Origin::one_of(["https://app.example", "https://app.example.org", "https://eu.example/sso"]);
//! ```
//!
//! The other origins believe what a request says of itself. All have `danger` in their names:
//!
//! | origin | believes | use it if |
//! |---|---|---|
//! | [`danger_one_of_forwarded`] | `X-Forwarded-Host`, for a host of your list | the proxy overwrites it |
//! | [`danger_from_host_header`] | `Host`; a link for another of your hosts is accepted | you cannot list the hosts |
//! | [`danger_trust_forwarded`] | the first entry of each `X-Forwarded-…` | the proxy overwrites them |
//! | [`danger_trust_proxies`]`(n)` | the entry that the outermost of `n` proxies wrote | your proxies append to them |
//!
//! The last two take whatever the headers say, so the app must be reachable through the proxies alone. With a chain of
//! two that append, `X-Forwarded-Proto: http, https,http` means that the client wrote `http`, the outermost proxy saw
//! `https`, and the inner one `http`. `danger_trust_proxies(2)` takes `https`; `danger_trust_forwarded` would take what
//! the client wrote.
//!
//! # The tenant by its host
//!
//! `Tenant::host` reads the URI, and then `Host`; forwarded headers count for nothing. If your proxy keeps `Host`,
//! there is nothing to do. If it rewrites `Host` and overwrites `X-Forwarded-Host`:
//!
//! ```
//! use tower_sso::tenant::Tenant;
//!
//! let tenant = Tenant::from_fn(|head| {
//!     let host = head.headers.get("x-forwarded-host")?.to_str().ok()?;
//!     Some(host.to_ascii_lowercase().into())
//! });
//! ```
//!
//! A forged name gains nothing by itself: the request is checked with the keys of the tenant that it names.
//!
//! # Who guesses
//!
//! A [`Throttle`](crate::throttle::Throttle) counts wrong secrets per source: ten a minute by default, then 429. Behind
//! a proxy the peer is the proxy, and counting it lets one guesser shut everybody out. Count what your proxy writes:
//!
//! ```
//! use std::net::IpAddr;
//! use tower_sso::throttle::{Source, Throttle};
//!
//! // The proxy appends the peer to `X-Forwarded-For`: only the last entry is the proxy's own.
//! let throttle = Throttle::by(|head| {
//!     let last = head.headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
//!     let address: IpAddr = last.rsplit(',').next()?.trim().parse().ok()?;
//!     Some(Source::from(address))
//! });
//! # let source = |header: &str| {
//! #     let (head, ()) = http::Request::get("/").header("x-forwarded-for", header).body(()).unwrap().into_parts();
//! #     head
//! # };
//! # let limited = throttle.limit(1);
//! # limited.attempt(&source("1.1.1.1, 192.0.2.1")).unwrap().wrong();
//! # assert!(limited.check(&source("2.2.2.2, 192.0.2.1")).is_err());
//! # assert!(limited.check(&source("192.0.2.1, 192.0.2.2")).is_ok());
//! ```
//!
//! With two proxies of your own, take the last entry but one. A source that is not known (`None`) is not counted.
//! Counts are kept per process: behind `n` of them, a source has `n` times the guesses.
//!
//! # Paths
//!
//! `NormalizePath` and `nest` rewrite the path. With the feature `axum`, the layers read `OriginalUri`, which every
//! `Router` adds. Whatever rewrites the path *outside* the first `Router` comes too early:
//! [`received`](crate::received) has the four lines that keep the URI. A proxy that rewrites paths is always outside:
//! give OAuth's `Origin` the path, and read a tenant in the path with `Tenant::from_fn`.
//!
//! # What the proxy must leave alone
//!
//! - **The body.** Webhooks, and OAuth bodies, are signed byte by byte: no decompression, no rewriting of JSON.
//! - **The query.** No sorting, no decoding, no added parameters for OAuth, which signs them all.
//! - **The log.** Access logs hold the whole URI, and so the credential. It works until it is used or expires: log the
//!   path alone.
//! - **The cache.** Answers say `no-store`; a cache that ignores it hands one user's session cookie to another.
//! - **Retries.** A GET that the proxy sends twice is `replayed` the second time. Switch retries off on sign-in routes.
//!
//! [`danger_one_of_forwarded`]: crate::scheme::Origin::danger_one_of_forwarded
//! [`danger_from_host_header`]: crate::scheme::Origin::danger_from_host_header
//! [`danger_trust_forwarded`]: crate::scheme::Origin::danger_trust_forwarded
//! [`danger_trust_proxies`]: crate::scheme::Origin::danger_trust_proxies
//! [`Tenant::host`]: crate::tenant::Tenant::host
//! [`from_fn`]: crate::tenant::Tenant::from_fn
