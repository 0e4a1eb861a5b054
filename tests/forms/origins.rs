//! The address that a partner signed, for apps with several public hosts and behind chains of proxies: in each form
//! that signs one.

use http::{Method, Request};
use http_body_util::Full;
use serde_json::Value;
use tower_sso::body::RawBody;
use tower_sso::clock::UnixTime;
use tower_sso::http_signature::{self, Algorithm};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1::{self, Transport};
use tower_sso::scheme::{Encoding, Origin};
use tower_sso::sign::{OAuthLink, SigningWebhook};
use tower_sso::webhook;

use crate::support::subject::refused;
use crate::support::{App, NOW, Request_, clock, outcome, replay};

const SECRET: &str = "the secret of both hosts, which is long enough";
const HOSTS: [&str; 2] = ["https://app.example", "https://app.example.org/sso"];

/// A form that signs the address.
struct Subject {
    name: &'static str,
    app: fn(Origin) -> App,
    /// A request for the path `/in`, signed for this public address.
    signed_for: fn(&str) -> Request_,
}

fn link(address: &str) -> OAuthLink {
    let secret = Secret::new(SECRET);
    OAuthLink::new(address, "acme", &secret).issued_at(UnixTime::from_secs(NOW)).nonce("12345678")
}

fn oauth(origin: Origin) -> App {
    let layer = oauth1::layer::<Value>(origin).transports([Transport::Query, Transport::Form]);
    let layer = layer.methods([Method::GET, Method::POST]).keys(MemoryKeys::new().with("acme", SECRET));
    App::new(layer.replay(replay()).clock(clock()).build().unwrap())
}

const SUBJECTS: [Subject; 4] = [
    Subject {
        name: "oauth1, a query",
        app: oauth,
        signed_for: |public| {
            let uri = link(&format!("{public}/in")).uri(&[("user_id", "7")]).unwrap();
            let (_, query) = uri.split_once('?').unwrap();
            Request::get(format!("/in?{query}")).body(Full::default()).unwrap()
        },
    },
    Subject {
        name: "oauth1, a form",
        app: oauth,
        signed_for: |public| {
            let form = link(&format!("{public}/in")).form(&[("user_id", "7")]).unwrap();
            let request = Request::post("/in").header("content-type", "application/x-www-form-urlencoded");
            request.body(Full::from(form)).unwrap()
        },
    },
    Subject {
        name: "http_signature",
        app: |origin| {
            let layer = http_signature::layer::<RawBody>(Algorithm::HmacSha256, origin);
            let layer = layer.required_components(["@target-uri"]).methods([Method::GET]).optional_body();
            App::new(layer.any_content_type().secrets([SECRET]).replay(replay()).clock(clock()).build().unwrap())
        },
        signed_for: |public| {
            let signed = format!("(\"@target-uri\");created={NOW}");
            let base = format!("\"@target-uri\": {public}/in\n\"@signature-params\": {signed}");
            let key = SigningWebhook::new(SECRET.into()).encoding(Encoding::Base64);
            let request = Request::get("/in").header("signature-input", format!("sig={signed}"));
            let request = request.header("signature", format!("sig=:{}:", key.signature(&[base.as_bytes()])));
            request.body(Full::default()).unwrap()
        },
    },
    Subject {
        name: "webhook",
        app: |origin| {
            let layer = webhook::layer::<Value>().signed("{url}{body}").origin(origin).secrets([SECRET]);
            App::new(layer.replay(replay()).handler_remembers().clock(clock()).build().unwrap())
        },
        signed_for: |public| {
            let signature = SigningWebhook::new(SECRET.into()).signature(&[format!("{public}/in{{}}").as_bytes()]);
            let request = Request::post("/in").header("webhook-signature", signature);
            request.header("content-type", "application/json").body(Full::from("{}")).unwrap()
        },
    },
];

fn with(mut request: Request_, headers: &[(&'static str, &str)]) -> Request_ {
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn a_link_for_one_host_is_refused_at_the_others() {
    for Subject { name, app, signed_for } in SUBJECTS {
        for (signed, host, expected) in [
            (HOSTS[0], "app.example", "ok"),
            (HOSTS[0], "APP.example:8080", "ok"),
            (HOSTS[1], "app.example.org", "ok"),
            (HOSTS[0], "app.example.org", "invalid"),
            (HOSTS[1], "app.example", "invalid"),
            ("https://app.example.org", "app.example.org", "invalid"),
            ("http://app.example", "app.example", "invalid"),
            ("https://evil.example", "evil.example", "malformed"),
        ] {
            let app = app(Origin::one_of(HOSTS));
            let request = with(signed_for(signed), &[("host", host), ("x-forwarded-host", "app.example")]);
            assert_eq!(outcome(&app.send(request).await), expected, "{name}: for {signed}, at {host}");
        }
        let nameless = app(Origin::one_of(HOSTS)).send(signed_for(HOSTS[0])).await;
        assert_eq!(outcome(&nameless), "malformed", "{name}");
    }
}

#[tokio::test]
async fn a_proxy_may_name_the_host() {
    for Subject { name, app, signed_for } in SUBJECTS {
        for (forwarded, expected) in
            [("app.example.org", "ok"), ("app.example.org, 10.0.0.7", "ok"), ("app.example", "invalid")]
        {
            let app = app(Origin::danger_one_of_forwarded(HOSTS));
            let request = with(signed_for(HOSTS[1]), &[("host", "10.0.0.7"), ("x-forwarded-host", forwarded)]);
            assert_eq!(outcome(&app.send(request).await), expected, "{name}: {forwarded}");
        }
    }
}

/// A client's own entries are in front of those of the proxies.
#[tokio::test]
async fn the_outermost_of_several_proxies_says_what_was_asked_for() {
    let chain = [
        ("x-forwarded-proto", "http, https,http"),
        ("x-forwarded-host", "evil.example, app.example, ingress.internal"),
        ("x-forwarded-port", "80, 8443, 3000"),
    ];
    for Subject { name, app, signed_for } in SUBJECTS {
        for (origin, signed, expected) in [
            (Origin::danger_trust_proxies(2), "https://app.example:8443", "ok"),
            (Origin::danger_trust_proxies(2), "http://evil.example", "invalid"),
            (Origin::danger_trust_proxies(1), "https://app.example:8443", "invalid"),
            (Origin::danger_trust_forwarded(), "http://evil.example", "ok"),
            (Origin::new("https://app.example:8443"), "https://app.example:8443", "ok"),
            (Origin::danger_from_host_header(true), "https://10.0.0.7", "ok"),
            (Origin::danger_from_host_header(true), "https://app.example:8443", "invalid"),
        ] {
            let request = with(with(signed_for(signed), &chain), &[("host", "10.0.0.7")]);
            let said = outcome(&app(origin.clone()).send(request).await);
            assert_eq!(said, expected, "{name}: {origin:?}, for {signed}");
        }
    }
}

#[test]
fn lists_that_name_no_host_or_one_twice_do_not_build() {
    for (origin, part) in [
        (Origin::one_of([]), "lists no address"),
        (Origin::one_of(["https://a.example", "http://A.example"]), "lists a host twice"),
        (Origin::danger_one_of_forwarded(["a.example"]), "is not an address"),
        (Origin::danger_trust_proxies(0), "trusts no proxy"),
    ] {
        let oauth = oauth1::layer::<Value>(origin.clone()).keys(MemoryKeys::new().with("acme", SECRET));
        let problem = refused(oauth.replay(replay()).build().map(drop));
        assert!(problem.contains(part), "{problem}");
        let webhook = webhook::layer::<Value>().signed("{url}{body}").origin(origin).secrets([SECRET]);
        let problem = refused(webhook.replay(replay()).handler_remembers().build().map(drop));
        assert!(problem.contains(part), "{problem}");
    }
}
