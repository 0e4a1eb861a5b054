//! Origins that a partner may have signed by mistake.

use http::request::Parts;

use super::site::{Configured, Site};
use super::{Address, Kind, Origin};
use crate::received;
use crate::text::percent::percent_encoded;

impl Origin {
    /// Other origins that a partner may have signed, and what that would mean.
    pub(crate) fn near(&self, head: &Parts) -> Vec<(String, Self)> {
        let configured = match (&self.0, self.address(head)) {
            (Kind::HostHeader { .. } | Kind::Forwarded(_), _) => {
                let as_named = |scheme| (format!("it was signed for {scheme}"), Self(Kind::HostHeader { scheme }));
                return ["http", "https"].map(as_named).into();
            }
            (_, Ok(Address::Configured(configured))) => configured,
            (_, _) => return Vec::new(),
        };
        let site = &configured.site;
        let ours = site.address();
        let other_scheme = if site.scheme == "https" { "http" } else { "https" };
        let mut near = Vec::new();
        let mut add = |cause: &str, site: Site| {
            if site != configured.site {
                let origin = Configured { encoded: percent_encoded(&site.address()), site, ..configured.clone() };
                let cause = format!("it was signed {cause}, and this layer expects {ours}");
                near.push((cause, Self(Kind::Configured(Ok(origin)))));
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
        for other in self.configured().flatten() {
            add(&format!("for {}", other.site.address()), other.site.clone());
        }
        near
    }
}
