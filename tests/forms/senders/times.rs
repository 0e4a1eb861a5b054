//! Senders that sign a time, and perhaps an id, beside the body.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tower_sso::Builder;
use tower_sso::providers::webhooks as senders;
use tower_sso::webhook::{Encoding, PublicKeyAlgorithm, RawBody, Webhook};

use super::contract::{Facts, Retries};
use super::signed::{Sender, Time, plain};
use crate::support::pairs::{ED25519, P256, Pair, RSA};

pub(super) const WHSEC: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"];

pub(super) fn seconds(time: u64) -> String {
    time.to_string()
}

pub(super) fn milliseconds(time: u64) -> String {
    (time * 1_000).to_string()
}

/// All times of these tests are on one day, the 14th of November 2023 from 22:13:20 on, or the day before or after.
pub(crate) fn rfc3339(time: u64) -> String {
    let day = time / 86_400 + 14 - 19_675;
    let (hour, minute, second) = (time / 3_600 % 24, time / 60 % 60, time % 60);
    format!("2023-11-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn base64(sender: Sender) -> Sender {
    Sender { encoding: Encoding::Base64, ..sender }
}

fn max_age(seconds: u64, sender: Sender) -> Sender {
    Sender { facts: Facts { max_age: Some(seconds), ..sender.facts }, ..sender }
}

/// Times may be as far ahead as they may be old.
fn either_way(sender: Sender) -> Sender {
    Sender { facts: Facts { skew: sender.facts.max_age.unwrap(), ..sender.facts }, ..sender }
}

/// Retries are known by their event's id, or by their body.
fn with_id(sender: Sender) -> Sender {
    Sender { facts: Facts { retries: Retries::Known, ..sender.facts }, ..sender }
}

/// `t=…,v1=…`.
fn stripe(sender: Sender) -> Sender {
    Sender {
        list: Some(","),
        prefix: "v1=",
        signed: "{timestamp}.{body}",
        time: Time::Element("t=", seconds),
        ..sender
    }
}

/// `v0=…`, with the time in a header.
fn chat(sender: Sender, time: &'static str) -> Sender {
    Sender { prefix: "v0=", signed: "v0:{timestamp}:{body}", time: Time::Header(time, seconds), ..sender }
}

/// Standard Webhooks, with these names of its headers.
fn standard(
    name: &'static str,
    layer: fn() -> Builder<Webhook<RawBody>>,
    [signature, id, time]: &'static [&'static str; 3],
) -> Sender {
    either_way(with_id(base64(Sender {
        list: Some(" "),
        prefix: "v1,",
        signed: "{id}.{timestamp}.{body}",
        id: Some(id),
        time: Time::Header(time, seconds),
        key: |secret| BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap(),
        secrets: WHSEC,
        ..plain(name, layer, std::slice::from_ref(signature))
    })))
}

fn private(algorithm: PublicKeyAlgorithm, pairs: [Pair; 2], sender: Sender) -> Sender {
    Sender { private: Some((algorithm, pairs)), secrets: pairs.map(|pair| pair.public), ..sender }
}

pub(super) fn all() -> Vec<Sender> {
    const WEBHOOK: &[&str; 3] = &["webhook-signature", "webhook-id", "webhook-timestamp"];
    const SVIX: &[&str; 3] = &["svix-signature", "svix-id", "svix-timestamp"];
    vec![
        with_id(stripe(plain("stripe", senders::stripe, &["stripe-signature"]))),
        Sender {
            facts: Facts { every_delivery: true, max_age: Some(300), ..Facts::USUAL },
            ..stripe(plain("stripe_apps", senders::stripe_apps, &["stripe-signature"]))
        },
        with_id(max_age(180, stripe(plain("calendly", senders::calendly, &["calendly-webhook-signature"])))),
        Sender { prefix: "v0=", ..stripe(plain("coinbase_cdp", senders::coinbase_cdp, &["x-hook0-signature"])) }
            .unknown("the id is in a header that the preset does not check"),
        stripe(plain("shippo_hmac", senders::shippo_hmac, &["shippo-auth-signature"]))
            .unknown("tracking updates have no id"),
        Sender {
            list: Some(";"),
            prefix: "h1=",
            signed: "{timestamp}:{body}",
            time: Time::Element("ts=", seconds),
            ..plain("paddle", senders::paddle, &["paddle-signature"])
        }
        .known_by(|id, time| format!(r#"{{"event_id":"{id}","attempt":{time}}}"#)),
        either_way(max_age(
            180,
            Sender {
                list: Some(", "),
                time: Time::Element("t=", milliseconds),
                ..stripe(plain("workos", senders::workos, &["workos-signature"]))
            },
        ))
        .known_by(|id, time| format!(r#"{{"id":"{id}","attempt":{time}}}"#)),
        either_way(Sender {
            facts: Facts { any_content_type: true, max_age: Some(300), ..Facts::USUAL },
            ..chat(plain("slack", senders::slack, &["x-slack-signature"]), "x-slack-request-timestamp")
        })
        .known_by(|id, time| format!(r#"{{"event_id":"{id}","attempt":{time}}}"#)),
        with_id(chat(plain("zoom", senders::zoom, &["x-zm-signature"]), "x-zm-request-timestamp")),
        with_id(Sender {
            id: Some("twitch-eventsub-message-id"),
            time: Time::Header("twitch-eventsub-message-timestamp", rfc3339),
            signed: "{id}{timestamp}{body}",
            prefix: "sha256=",
            ..plain("twitch", senders::twitch, &["twitch-eventsub-message-signature"])
        }),
        max_age(
            60,
            Sender {
                time: Time::Field("webhookTimestamp", milliseconds),
                ..plain("linear", senders::linear, &["linear-signature"])
            },
        )
        .unknown("the id of a delivery is in a header, which is not signed"),
        Sender {
            time: Time::Header("x-zendesk-webhook-signature-timestamp", rfc3339),
            signed: "{timestamp}{body}",
            facts: Facts { optional_body: true, by_get: 200, max_age: Some(300), ..Facts::USUAL },
            ..base64(plain("zendesk", senders::zendesk, &["x-zendesk-webhook-signature"]))
        }
        .unknown("triggers send what their author wrote: an `id` there may be a ticket's"),
        max_age(
            600,
            base64(Sender {
                time: Time::Header("box-delivery-timestamp", rfc3339),
                signed: "{body}{timestamp}",
                ..plain("box", senders::box_com, &["box-signature-primary", "box-signature-secondary"])
            }),
        )
        .known_by(|id, time| format!(r#"{{"type":"webhook_event","id":"{id}","attempt":{time}}}"#)),
        standard("standard_webhooks", senders::standard_webhooks, WEBHOOK),
        standard("svix", senders::svix, SVIX),
        standard("gitlab", senders::gitlab, WEBHOOK),
        private(
            PublicKeyAlgorithm::Ed25519,
            ED25519,
            Sender { prefix: "v1a,", ..standard("standard_webhooks_v1a", senders::standard_webhooks_v1a, WEBHOOK) },
        ),
        base64(private(
            PublicKeyAlgorithm::EcdsaP256Der,
            P256,
            Sender {
                time: Time::Header("x-twilio-email-event-webhook-timestamp", seconds),
                signed: "{timestamp}{body}",
                ..plain("sendgrid", senders::sendgrid, &["x-twilio-email-event-webhook-signature"])
            },
        ))
        .known_by(|id, time| format!(r#"[{{"sg_event_id":"{id}"}},{{"sg_event_id":"2","attempt":{time}}}]"#)),
        private(
            PublicKeyAlgorithm::Ed25519,
            ED25519,
            Sender {
                time: Time::Header("x-signature-timestamp", seconds),
                signed: "{timestamp}{body}",
                ..plain("discord", senders::discord, &["x-signature-ed25519"])
            },
        )
        .unknown("interactions are not retried, and events have no id"),
        base64(private(
            PublicKeyAlgorithm::RsaSha256,
            RSA,
            Sender {
                id: Some("paypal-transmission-id"),
                time: Time::Header("paypal-transmission-time", rfc3339),
                signed: "{id}|{timestamp}|1JE4291016473214C|{crc}",
                ..plain("paypal", || senders::danger_paypal("1JE4291016473214C"), &["paypal-transmission-sig"])
            },
        ))
        .unknown("the body is not signed, nor is its id"),
    ]
}
