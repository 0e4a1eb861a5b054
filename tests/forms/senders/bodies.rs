//! Senders that sign the body alone.

use tower_sso::providers::webhooks as senders;
use tower_sso::webhook::{Digest, Encoding, PublicKeyAlgorithm};

use super::contract::{Facts, MIB};
use super::signed::{Sender, plain};
use crate::support::pairs::RSA;

fn base64(sender: Sender) -> Sender {
    Sender { encoding: Encoding::Base64, ..sender }
}

fn prefix(prefix: &'static str, sender: Sender) -> Sender {
    Sender { prefix, ..sender }
}

/// A list of hexadecimal MACs.
fn list(prefix: &'static str, sender: Sender) -> Sender {
    Sender { list: Some(","), prefix, ..sender }
}

fn sha1(sender: Sender) -> Sender {
    Sender { digest: Digest::Sha1, ..sender }
}

fn facts(sender: Sender, change: impl FnOnce(&mut Facts)) -> Sender {
    let mut facts = sender.facts;
    change(&mut facts);
    Sender { facts, ..sender }
}

/// For a page that wants an answer each time.
fn answered(sender: Sender) -> Sender {
    facts(sender, |facts| facts.every_delivery = true)
}

fn any_type(sender: Sender) -> Sender {
    facts(sender, |facts| facts.any_content_type = true)
}

fn hexadecimal(secret: &str) -> Vec<u8> {
    (0..secret.len()).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap()).collect()
}

pub(super) fn all() -> Vec<Sender> {
    vec![
        facts(any_type(prefix("sha256=", plain("github", senders::github, &["x-hub-signature-256"]))), |facts| {
            facts.limit = 25 * MIB;
        }),
        prefix("sha256=", plain("bitbucket", senders::bitbucket, &["x-hub-signature"])),
        prefix("sha256=", plain("jira", senders::jira, &["x-hub-signature"])),
        sha1(plain("vercel", senders::vercel, &["x-vercel-signature"])),
        base64(plain("heroku", senders::heroku, &["heroku-webhook-hmac-sha256"])).known_by(|id, time| {
            format!(r#"{{"webhook_metadata":{{"event":{{"id":"{id}"}},"attempt":{{"id":"{time}"}}}}}}"#)
        }),
        list("v1=", plain("circleci", senders::circleci, &["circleci-signature"]))
            .known_by(|id, time| format!(r#"{{"id":"{id}","attempt":{time}}}"#)),
        plain("sentry", senders::sentry, &["sentry-hook-signature"]),
        facts(list("v1=", plain("pagerduty", senders::pagerduty, &["x-pagerduty-signature"])), |facts| {
            facts.limit = 2 * MIB;
        })
        .known_by(|id, time| format!(r#"{{"event":{{"id":"{id}"}},"attempt":{time}}}"#)),
        plain("asana", senders::asana, &["x-hook-signature"]),
        base64(plain("shopify", senders::shopify, &["x-shopify-hmac-sha256"])),
        plain("coinbase_commerce", senders::coinbase_commerce, &["x-cc-webhook-signature"])
            .known_by(|id, time| format!(r#"{{"id":1,"attempt_number":{time},"event":{{"id":"{id}"}}}}"#)),
        plain("lemon_squeezy", senders::lemon_squeezy, &["x-signature"]),
        base64(plain("woocommerce", senders::woocommerce, &["x-wc-webhook-signature"])),
        base64(plain("xero", senders::xero, &["x-xero-signature"])),
        plain("razorpay", senders::razorpay, &["x-razorpay-signature"]),
        Sender { digest: Digest::Sha512, ..plain("paystack", senders::paystack, &["x-paystack-signature"]) },
        base64(plain("flutterwave_v4", senders::flutterwave_v4, &["flutterwave-signature"])),
        plain("gocardless", senders::gocardless, &["webhook-signature"])
            .known_by(|id, time| format!(r#"{{"events":[{{"id":"{id}"}},{{"id":"EV2"}}],"attempt":{time}}}"#)),
        Sender { key: hexadecimal, ..base64(plain("adyen_header", senders::adyen_header, &["hmacsignature"])) },
        list("sha256=", plain("mollie", senders::mollie, &["x-mollie-signature"]))
            .known_by(|id, time| format!(r#"{{"id":"{id}","attempt":{time}}}"#)),
        prefix("sha256=", plain("meta", senders::meta, &["x-hub-signature-256"])),
        base64(prefix("sha256=", plain("x", senders::x, &["x-twitter-webhooks-signature"]))),
        prefix("sha256=", plain("notion", senders::notion, &["x-notion-signature"]))
            .known_by(|id, time| format!(r#"{{"id":"{id}","attempt_number":{time}}}"#)),
        sha1(prefix("sha1=", plain("intercom", senders::intercom, &["x-hub-signature"])))
            .known_by(|id, time| format!(r#"{{"id":"{id}","delivery_attempts":{time}}}"#)),
        base64(prefix("sha256=", plain("typeform", senders::typeform, &["typeform-signature"]))),
        plain("cal_com", senders::cal_com, &["x-cal-signature-256"]),
        answered(plain("dropbox", senders::danger_dropbox, &["x-dropbox-signature"])),
        base64(plain("docusign", senders::docusign, &["x-docusign-signature-1", "x-docusign-signature-2"]))
            .known_by(|id, time| format!(r#"{{"event":"envelope-sent","id":"{id}","retryCount":{time}}}"#))
            .unknown("the body counts the attempts, and no field is the event's id"),
        base64(plain("line", senders::line, &["x-line-signature"]))
            .known_by(|id, time| format!(r#"{{"events":[{{"webhookEventId":"{id}","deliveryContext":{time}}}]}}"#)),
        Sender { secret_first: true, ..plain("hubspot_v1", senders::danger_hubspot_v1, &["x-hubspot-signature"]) }
            .known_by(|id, time| format!(r#"[{{"eventId":1,"objectId":"{id}","attemptNumber":{time}}}]"#))
            .unknown("HubSpot says that the `eventId` of its lists is not unique"),
        answered(plain("intercom_canvas_kit", senders::danger_intercom_canvas_kit, &["x-body-signature"])),
        answered(base64(sha1(plain(
            "help_scout_legacy",
            senders::danger_help_scout_legacy,
            &["x-helpscout-signature"],
        )))),
        answered(plain("enchant", senders::danger_enchant, &["enchant-signature"])),
        any_type(plain("shopware_webhook", senders::shopware_webhook, &["shopware-shop-signature"])),
        plain("viber", senders::viber, &["x-viber-content-signature"]),
        Sender {
            private: Some((PublicKeyAlgorithm::RsaSha256, RSA)),
            secrets: RSA.map(|pair| pair.public),
            ..base64(plain("wise", senders::wise, &["x-signature-sha256"]))
        },
    ]
}
