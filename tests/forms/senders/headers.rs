//! Headers that are missing, or come twice.

use http::HeaderName;

use super::all;
use super::contract::{Delivery, Preset};
use crate::support::{clock, outcome};

#[tokio::test]
async fn no_signed_header_may_be_missing() {
    for sender in all() {
        let app = sender.app(&clock(), &sender.secrets[..1]);
        let good = sender.request(&Delivery::by(sender.secrets[0]));
        for name in sender.signed_headers() {
            let mut none = good.clone();
            none.headers_mut().remove(name);
            assert_eq!(outcome(&app.send(none).await), "malformed", "{} {name}", sender.name);
        }
        assert_eq!(app.inner.calls(), 0, "{}", sender.name);
    }
}

/// Where a sender writes one signature, two are refused, even if both are right. A time or an id never comes twice.
#[tokio::test]
async fn headers_do_not_come_twice() {
    for sender in all() {
        let app = sender.app(&clock(), &sender.secrets[..1]);
        let good = sender.request(&Delivery::by(sender.secrets[0]));
        let several = sender.signs_several();
        for name in sender.signed_headers().into_iter().filter(|name| !several || *name != sender.header[0]) {
            let mut twice = good.clone();
            let value = twice.headers()[name].clone();
            twice.headers_mut().append(HeaderName::from_static(name), value);
            assert_eq!(outcome(&app.send(twice).await), "malformed", "{} {name}", sender.name);
        }
        assert_eq!(app.inner.calls(), 0, "{}", sender.name);
    }
}
