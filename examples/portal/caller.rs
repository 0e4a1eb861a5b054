//! The client's address, for counting wrong private keys: the peer, or the address that a proxy in front reports.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::extract::ConnectInfo;
use http::HeaderName;
use http::request::Parts;
use tower_sso::clock::Clock;
use tower_sso::throttle::Source;

/// In seconds. Rate-limits a warning that any client could trigger with each request.
const WARN_EVERY: i64 = 60;

pub(crate) struct Callers {
    /// The header in which the proxy puts its client's address.
    header: Option<HeaderName>,
    warned_at: AtomicI64,
    clock: Arc<dyn Clock>,
}

impl Callers {
    pub(crate) fn new(header: Option<HeaderName>, clock: Arc<dyn Clock>) -> Self {
        Self { header, warned_at: AtomicI64::new(i64::MIN), clock }
    }

    /// Returns `None` if the address is unknown; guesses are then not counted. Behind a proxy with an unreadable header, the
    /// peer would be the proxy: one guesser would lock everyone out.
    pub(crate) fn source(&self, head: &Parts) -> Option<Source> {
        let Some(header) = &self.header else {
            return head.extensions.get().map(|ConnectInfo::<SocketAddr>(peer)| Source::from(*peer));
        };
        // The proxy appends the last address. The ones before it come from the client and may be forged.
        let last = head.headers.get_all(header).iter().next_back().and_then(|value| value.to_str().ok());
        let said = last.and_then(|list| address(list.rsplit(',').next()?));
        if said.is_none() {
            self.warn(header);
        }
        said.map(Source::from)
    }

    fn warn(&self, header: &HeaderName) {
        let now = self.clock.now().as_secs();
        let last = self.warned_at.load(Ordering::Relaxed);
        let due = last.saturating_add(WARN_EVERY) <= now;
        if due && self.warned_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            tracing::warn!(%header, "`client_address_header` has no readable address: wrong private keys are not counted");
        }
    }
}

/// Parses `203.0.113.1`, `203.0.113.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:443`, quoted or not.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let plain = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    plain.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use http::Request;
    use tower_sso::clock::{ManualClock, UnixTime};

    use super::*;

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        let [v4, v6] = ["203.0.113.1", "2001:db8::1"].map(|address| address.parse::<IpAddr>().ok());
        for (text, expected) in [
            ("203.0.113.1", v4),
            (" 203.0.113.1\t", v4),
            ("203.0.113.1:4711", v4),
            ("\"203.0.113.1\"", v4),
            ("\"203.0.113.1:4711\"", v4),
            ("2001:db8::1", v6),
            ("[2001:db8::1]", v6),
            ("[2001:db8::1]:443", v6),
            ("\"[2001:db8::1]:443\"", v6),
            ("unknown", None),
            ("_hidden", None),
            ("", None),
            ("\"", None),
            ("203.0.113.1:", None),
            ("203.0.113.1:99999", None),
            ("[203.0.113.1", None),
        ] {
            assert_eq!(address(text), expected, "{text:?}");
        }
    }

    #[test]
    fn behind_a_proxy_the_peer_is_nobody() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
        let header = HeaderName::from_static("x-forwarded-for");
        let head = |said: &[&str]| {
            let request = Request::get("/").extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 80))));
            let request = said.iter().fold(request, |request, said| request.header(&header, *said));
            request.body(()).unwrap().into_parts().0
        };
        let source = |text: &str| text.parse::<IpAddr>().ok().map(Source::from);
        let behind = Callers::new(Some(header.clone()), Arc::clone(&clock));
        assert_eq!(behind.source(&head(&["198.51.100.7, 203.0.113.1:4711"])), source("203.0.113.1"));
        assert_eq!(behind.source(&head(&["198.51.100.7", "203.0.113.1"])), source("203.0.113.1"));
        for unreadable in [&["unknown"][..], &["203.0.113.1, unknown"], &[""], &[]] {
            assert_eq!(behind.source(&head(unreadable)), None, "{unreadable:?}");
        }
        let direct = Callers::new(None, clock);
        assert_eq!(
            direct.source(&head(&["203.0.113.1"])),
            source("192.0.2.1"),
            "without a proxy, the header is the client's own claim"
        );
    }
}
