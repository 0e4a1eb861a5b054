//! Senders that sign where a delivery goes, too.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tower_sso::Builder;
use tower_sso::providers::webhooks as senders;
use tower_sso::scheme::Origin;
use tower_sso::webhook::{Digest, Encoding, RawBody, Webhook};

use super::contract::{Delivery, Facts, Preset};
use super::signed::{Sender, Time, plain};
use super::times::{milliseconds, seconds};
use crate::support::{App, clock, outcome, replay};

/// With a query whose escape no sender decodes.
const ADDRESS: Option<&str> = Some("/hook?a=1&b=%20");

fn origin() -> Origin {
    Origin::new("https://app.example")
}

fn base64(sender: Sender) -> Sender {
    Sender { encoding: Encoding::Base64, ..sender }
}

/// Requests by any method, perhaps without a body. `by_get`: the status of one that was signed for POST.
fn any_method(by_get: u16, sender: Sender) -> Sender {
    Sender { facts: Facts { optional_body: true, by_get, ..sender.facts }, ..sender }
}

pub(super) fn all() -> Vec<Sender> {
    vec![
        any_method(
            200,
            base64(Sender {
                signed: "{url}{form}",
                digest: Digest::Sha1,
                form: true,
                address: ADDRESS,
                ..plain("twilio", || senders::danger_twilio(origin()), &["x-twilio-signature"])
            }),
        ),
        // The same with JSON.
        any_method(
            200,
            base64(Sender {
                signed: "{url}",
                digest: Digest::Sha1,
                digest_in_query: true,
                ..plain("twilio", || senders::danger_twilio(origin()), &["x-twilio-signature"])
            }),
        ),
        base64(Sender {
            signed: "{url}{form}",
            digest: Digest::Sha1,
            form: true,
            address: ADDRESS,
            ..plain("mandrill", || senders::danger_mandrill(origin()), &["x-mandrill-signature"])
        }),
        base64(Sender {
            signed: "{url}{body}",
            address: ADDRESS,
            ..plain("square", || senders::square(origin()), &["x-square-hmacsha256-signature"])
        })
        .known_by(|id, time| format!(r#"{{"event_id":"{id}","attempt":{time}}}"#)),
        base64(Sender {
            signed: "{body}{url}",
            digest: Digest::Sha1,
            address: ADDRESS,
            ..plain("trello", || senders::trello(origin()), &["x-trello-webhook"])
        }),
        any_method(
            401,
            Sender {
                signed: "{method}{url}{body}",
                secret_first: true,
                address: ADDRESS,
                ..plain("hubspot_v2", || senders::danger_hubspot_v2(origin()), &["x-hubspot-signature"])
            },
        ),
        any_method(
            401,
            base64(Sender {
                time: Time::Header("x-hubspot-request-timestamp", milliseconds),
                signed: "{method}{url}{body}{timestamp}",
                address: ADDRESS,
                ..plain("hubspot_v3", || senders::hubspot_v3(origin()), &["x-hubspot-signature-v3"])
            }),
        )
        .unknown("HubSpot says that the `eventId` of its lists is not unique"),
        Sender {
            time: Time::Header("x-contentful-timestamp", milliseconds),
            extra: &[
                (
                    "x-contentful-signed-headers",
                    "x-contentful-signed-headers,x-contentful-timestamp,x-contentful-user-id",
                ),
                ("x-contentful-user-id", "u1"),
            ],
            // The query is escaped twice.
            address: Some("/hook?a=1"),
            signed: "{method}\n/hook?a%253D1\nx-contentful-signed-headers:\
                     x-contentful-signed-headers,x-contentful-timestamp,x-contentful-user-id;\
                     x-contentful-timestamp:{timestamp};x-contentful-user-id:u1\n{body}",
            facts: Facts {
                any_content_type: true,
                optional_body: true,
                by_get: 401,
                max_age: Some(30),
                ..Facts::USUAL
            },
            ..plain("contentful", senders::contentful, &["x-contentful-signature"])
        }
        .unknown("requests have no id"),
        Sender {
            list: Some(","),
            time: Time::Header("x-canva-timestamp", seconds),
            // The path behind the extension's base URL.
            address: Some("/canva/hook"),
            signed: "v1:{timestamp}:/hook:{body}",
            key: |secret| BASE64_STANDARD.decode(secret).unwrap(),
            facts: Facts { every_delivery: true, max_age: Some(300), ..Facts::USUAL },
            ..plain("canva", || senders::canva("/canva"), &["x-canva-signatures"])
        },
    ]
}

/// Each preset that takes the origin.
const AT: [(&str, fn(Origin) -> Builder<Webhook<RawBody>>); 6] = [
    ("twilio", senders::danger_twilio),
    ("mandrill", senders::danger_mandrill),
    ("square", senders::square),
    ("trello", senders::trello),
    ("hubspot_v2", senders::danger_hubspot_v2),
    ("hubspot_v3", senders::hubspot_v3),
];

#[tokio::test]
async fn scheme_host_and_port_are_signed() {
    for (name, layer) in AT {
        let sender = all().into_iter().find(|sender| sender.name == name).unwrap();
        let said = async |origin: Origin, host: &'static str| {
            let layer = layer(origin).secrets(sender.secrets).danger_forgets_on_restart().replay(replay());
            let mut request = sender.request(&Delivery::by(sender.secrets[0]));
            request.headers_mut().insert("host", host.parse().unwrap());
            outcome(&App::new(layer.clock(clock()).build().unwrap()).send(request).await)
        };
        // Twilio signs the port or leaves it out, so that its URL counts either way.
        let with_port = if name == "twilio" { "ok" } else { "invalid" };
        for (url, expected) in [
            ("https://app.example", "ok"),
            ("http://app.example", "invalid"),
            ("https://bpp.example", "invalid"),
            ("https://app.example:8443", with_port),
            ("https://a:b@app.example", "invalid"),
        ] {
            assert_eq!(said(Origin::new(url), "app.example").await, expected, "{name} {url}");
            assert_eq!(said(Origin::new(url), "internal").await, expected, "{name} {url}: whatever the host header is");
        }
        for (host, expected) in [("app.example", "ok"), ("bpp.example", "invalid"), ("app.example:443", "ok")] {
            let origin = Origin::danger_from_host_header(true);
            assert_eq!(said(origin, host).await, expected, "{name} at {host}");
        }
        let origin = Origin::danger_from_host_header(false);
        assert_eq!(said(origin, "app.example").await, "invalid", "{name}: another scheme");
    }
}
