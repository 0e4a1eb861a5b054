//! Senders that sign where a delivery goes, too.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tower_sso::providers::webhooks as senders;
use tower_sso::scheme::Origin;
use tower_sso::webhook::{Digest, Encoding};

use super::contract::Facts;
use super::signed::{Sender, Time, plain};
use super::times::{milliseconds, seconds};

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
                ..plain("twilio", || senders::danger_twilio(origin()), &["x-twilio-signature"])
            }),
        ),
        base64(Sender {
            signed: "{url}{form}",
            digest: Digest::Sha1,
            form: true,
            ..plain("mandrill", || senders::danger_mandrill(origin()), &["x-mandrill-signature"])
        }),
        base64(Sender {
            signed: "{url}{body}",
            ..plain("square", || senders::square(origin()), &["x-square-hmacsha256-signature"])
        }),
        base64(Sender {
            signed: "{body}{url}",
            digest: Digest::Sha1,
            ..plain("trello", || senders::trello(origin()), &["x-trello-webhook"])
        }),
        any_method(
            401,
            Sender {
                signed: "{method}{url}{body}",
                secret_first: true,
                ..plain("hubspot_v2", || senders::danger_hubspot_v2(origin()), &["x-hubspot-signature"])
            },
        ),
        any_method(
            401,
            base64(Sender {
                time: Time::Header("x-hubspot-request-timestamp", milliseconds),
                signed: "{method}{url}{body}{timestamp}",
                ..plain("hubspot_v3", || senders::hubspot_v3(origin()), &["x-hubspot-signature-v3"])
            }),
        ),
        Sender {
            time: Time::Header("x-contentful-timestamp", milliseconds),
            extra: &[("x-contentful-signed-headers", "x-contentful-signed-headers,x-contentful-timestamp")],
            signed: "{method}\n/hook\nx-contentful-signed-headers:x-contentful-signed-headers,x-contentful-timestamp;\
                     x-contentful-timestamp:{timestamp}\n{body}",
            facts: Facts {
                any_content_type: true,
                optional_body: true,
                by_get: 401,
                max_age: Some(30),
                ..Facts::USUAL
            },
            ..plain("contentful", senders::contentful, &["x-contentful-signature"])
        },
        Sender {
            list: Some(","),
            time: Time::Header("x-canva-timestamp", seconds),
            // The path behind the extension's base URL.
            signed: "v1:{timestamp}::{body}",
            key: |secret| BASE64_STANDARD.decode(secret).unwrap(),
            facts: Facts { every_delivery: true, max_age: Some(300), ..Facts::USUAL },
            ..plain("canva", || senders::canva("/hook"), &["x-canva-signatures"])
        },
    ]
}
