//! Every sender's preset against one contract, with deliveries signed as the sender documents.

mod headers;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};
use tower_sso::Builder;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::keys::Secret;
use tower_sso::providers::webhooks as senders;
use tower_sso::scheme::Origin;
use tower_sso::sign::SigningWebhook;
use tower_sso::webhook::{Digest, Encoding, PublicKeyAlgorithm, RawBody, Webhook};

use crate::support::pairs::{ED25519, P256, Pair, RSA};
use crate::support::{Answer, App, NOW, Request_, clock, outcome, replay, secs};

/// How a sender signs.
#[derive(Clone)]
struct Sender {
    name: &'static str,
    layer: fn() -> Builder<Webhook<RawBody>>,
    header: &'static [&'static str],
    /// What parts the signatures in a header, for a sender that writes several.
    list: Option<&'static str>,
    prefix: &'static str,
    digest: Digest,
    /// Signs with private keys instead, whose public keys are the secrets.
    private: Option<(PublicKeyAlgorithm, [Pair; 2])>,
    encoding: Encoding,
    signed: &'static str,
    id: Option<&'static str>,
    time: Time,
    /// What the key is of a secret as the page shows it.
    key: fn(&str) -> Vec<u8>,
    secrets: [&'static str; 2],
    retries_are_known: bool,
    every_delivery: bool,
    any_content_type: bool,
    optional_body: bool,
    /// Whether bodies are forms.
    form: bool,
    /// Headers that are always the same.
    extra: &'static [(&'static str, &'static str)],
    /// Whether it is a digest with the secret in front.
    secret_first: bool,
    /// The status of the same delivery by GET.
    by_get: u16,
    youngest_refused: u64,
}

#[derive(Clone, Copy)]
enum Time {
    None,
    Header(&'static str, fn(u64) -> String),
    Element(&'static str, fn(u64) -> String),
}

const SECRETS: [&str; 2] = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"];
const WHSEC: [&str; 2] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"];

fn seconds(time: u64) -> String {
    time.to_string()
}

fn milliseconds(time: u64) -> String {
    (time * 1_000).to_string()
}

/// All times of these tests are on one day, the 14th of November 2023 from 22:13:20 on, or the day before or after.
pub(crate) fn rfc3339(time: u64) -> String {
    let day = time / 86_400 + 14 - 19_675;
    let (hour, minute, second) = (time / 3_600 % 24, time / 60 % 60, time % 60);
    format!("2023-11-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn plain(name: &'static str, layer: fn() -> Builder<Webhook<RawBody>>, header: &'static [&'static str]) -> Sender {
    Sender {
        name,
        layer,
        header,
        list: None,
        prefix: "",
        digest: Digest::Sha256,
        private: None,
        encoding: Encoding::Hex,
        signed: "{body}",
        id: None,
        time: Time::None,
        key: |secret| secret.as_bytes().to_vec(),
        secrets: SECRETS,
        retries_are_known: false,
        every_delivery: false,
        any_content_type: false,
        optional_body: false,
        form: false,
        extra: &[],
        secret_first: false,
        by_get: 405,
        youngest_refused: 601,
    }
}

fn origin() -> Origin {
    Origin::new("https://app.example")
}

fn all() -> Vec<Sender> {
    let base64 = |sender: Sender| Sender { encoding: Encoding::Base64, ..sender };
    let prefix = |prefix, sender: Sender| Sender { prefix, ..sender };
    let stripe = |sender: Sender| Sender {
        list: Some(","),
        prefix: "v1=",
        signed: "{timestamp}.{body}",
        time: Time::Element("t=", seconds),
        ..sender
    };
    let standard = |sender: Sender, id, time| Sender {
        list: Some(" "),
        prefix: "v1,",
        encoding: Encoding::Base64,
        signed: "{id}.{timestamp}.{body}",
        id: Some(id),
        time: Time::Header(time, seconds),
        key: |secret| BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap(),
        secrets: WHSEC,
        retries_are_known: true,
        ..sender
    };
    let chat = |sender: Sender, time| Sender {
        prefix: "v0=",
        signed: "v0:{timestamp}:{body}",
        time: Time::Header(time, seconds),
        ..sender
    };
    let private = |algorithm, pairs: [Pair; 2], sender: Sender| Sender {
        private: Some((algorithm, pairs)),
        secrets: pairs.map(|pair| pair.public),
        ..sender
    };
    vec![
        Sender {
            any_content_type: true,
            ..prefix("sha256=", plain("github", senders::github, &["x-hub-signature-256"]))
        },
        prefix("sha256=", plain("bitbucket", senders::bitbucket, &["x-hub-signature"])),
        prefix("sha256=", plain("jira", senders::jira, &["x-hub-signature"])),
        Sender { digest: Digest::Sha1, ..plain("vercel", senders::vercel, &["x-vercel-signature"]) },
        base64(plain("heroku", senders::heroku, &["heroku-webhook-hmac-sha256"])),
        Sender { list: Some(","), ..prefix("v1=", plain("circleci", senders::circleci, &["circleci-signature"])) },
        plain("sentry", senders::sentry, &["sentry-hook-signature"]),
        Sender { list: Some(","), ..prefix("v1=", plain("pagerduty", senders::pagerduty, &["x-pagerduty-signature"])) },
        plain("linear", senders::linear, &["linear-signature"]),
        Sender { retries_are_known: true, ..stripe(plain("stripe", senders::stripe, &["stripe-signature"])) },
        base64(plain("shopify", senders::shopify, &["x-shopify-hmac-sha256"])),
        Sender {
            list: Some(";"),
            prefix: "h1=",
            signed: "{timestamp}:{body}",
            time: Time::Element("ts=", seconds),
            ..plain("paddle", senders::paddle, &["paddle-signature"])
        },
        plain("coinbase_commerce", senders::coinbase_commerce, &["x-cc-webhook-signature"]),
        Sender { prefix: "v0=", ..stripe(plain("coinbase_cdp", senders::coinbase_cdp, &["x-hook0-signature"])) },
        plain("lemon_squeezy", senders::lemon_squeezy, &["x-signature"]),
        base64(plain("woocommerce", senders::woocommerce, &["x-wc-webhook-signature"])),
        base64(plain("xero", senders::xero, &["x-xero-signature"])),
        plain("razorpay", senders::razorpay, &["x-razorpay-signature"]),
        Sender { digest: Digest::Sha512, ..plain("paystack", senders::paystack, &["x-paystack-signature"]) },
        plain("gocardless", senders::gocardless, &["webhook-signature"]),
        Sender {
            key: |secret| {
                let pair = |at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap();
                (0..secret.len()).step_by(2).map(pair).collect()
            },
            ..base64(plain("adyen_header", senders::adyen_header, &["hmacsignature"]))
        },
        Sender { list: Some(","), ..prefix("sha256=", plain("mollie", senders::mollie, &["x-mollie-signature"])) },
        Sender {
            any_content_type: true,
            ..chat(plain("slack", senders::slack, &["x-slack-signature"]), "x-slack-request-timestamp")
        },
        chat(plain("zoom", senders::zoom, &["x-zm-signature"]), "x-zm-request-timestamp"),
        Sender {
            id: Some("twitch-eventsub-message-id"),
            time: Time::Header("twitch-eventsub-message-timestamp", rfc3339),
            signed: "{id}{timestamp}{body}",
            retries_are_known: true,
            ..prefix("sha256=", plain("twitch", senders::twitch, &["twitch-eventsub-message-signature"]))
        },
        prefix("sha256=", plain("meta", senders::meta, &["x-hub-signature-256"])),
        base64(prefix("sha256=", plain("x", senders::x, &["x-twitter-webhooks-signature"]))),
        prefix("sha256=", plain("notion", senders::notion, &["x-notion-signature"])),
        Sender { digest: Digest::Sha1, ..prefix("sha1=", plain("intercom", senders::intercom, &["x-hub-signature"])) },
        Sender {
            time: Time::Header("x-zendesk-webhook-signature-timestamp", rfc3339),
            signed: "{timestamp}{body}",
            optional_body: true,
            by_get: 200,
            ..base64(plain("zendesk", senders::zendesk, &["x-zendesk-webhook-signature"]))
        },
        base64(prefix("sha256=", plain("typeform", senders::typeform, &["typeform-signature"]))),
        stripe(plain("calendly", senders::calendly, &["calendly-webhook-signature"])),
        plain("cal_com", senders::cal_com, &["x-cal-signature-256"]),
        Sender { every_delivery: true, ..plain("dropbox", senders::danger_dropbox, &["x-dropbox-signature"]) },
        Sender {
            time: Time::Header("box-delivery-timestamp", rfc3339),
            signed: "{body}{timestamp}",
            ..base64(plain("box", senders::box_com, &["box-signature-primary", "box-signature-secondary"]))
        },
        base64(plain("docusign", senders::docusign, &["x-docusign-signature-1", "x-docusign-signature-2"])),
        base64(plain("line", senders::line, &["x-line-signature"])),
        Sender {
            list: Some(", "),
            time: Time::Element("t=", milliseconds),
            ..stripe(plain("workos", senders::workos, &["workos-signature"]))
        },
        Sender {
            signed: "{url}{form}",
            digest: Digest::Sha1,
            form: true,
            optional_body: true,
            by_get: 200,
            ..base64(plain("twilio", || senders::danger_twilio(origin()), &["x-twilio-signature"]))
        },
        Sender {
            signed: "{url}{form}",
            digest: Digest::Sha1,
            form: true,
            ..base64(plain("mandrill", || senders::danger_mandrill(origin()), &["x-mandrill-signature"]))
        },
        Sender {
            signed: "{url}{body}",
            ..base64(plain("square", || senders::square(origin()), &["x-square-hmacsha256-signature"]))
        },
        Sender {
            signed: "{body}{url}",
            digest: Digest::Sha1,
            ..base64(plain("trello", || senders::trello(origin()), &["x-trello-webhook"]))
        },
        Sender { secret_first: true, ..plain("hubspot_v1", senders::danger_hubspot_v1, &["x-hubspot-signature"]) },
        Sender {
            signed: "{method}{url}{body}",
            secret_first: true,
            optional_body: true,
            by_get: 401,
            ..plain("hubspot_v2", || senders::danger_hubspot_v2(origin()), &["x-hubspot-signature"])
        },
        Sender {
            time: Time::Header("x-hubspot-request-timestamp", milliseconds),
            signed: "{method}{url}{body}{timestamp}",
            optional_body: true,
            by_get: 401,
            ..base64(plain("hubspot_v3", || senders::hubspot_v3(origin()), &["x-hubspot-signature-v3"]))
        },
        Sender {
            time: Time::Header("x-contentful-timestamp", milliseconds),
            extra: &[("x-contentful-signed-headers", "x-contentful-signed-headers,x-contentful-timestamp")],
            signed: "{method}\n/hook\nx-contentful-signed-headers:x-contentful-signed-headers,x-contentful-timestamp;\
                     x-contentful-timestamp:{timestamp}\n{body}",
            any_content_type: true,
            optional_body: true,
            by_get: 401,
            youngest_refused: 31,
            ..plain("contentful", senders::contentful, &["x-contentful-signature"])
        },
        Sender { every_delivery: true, ..stripe(plain("stripe_apps", senders::stripe_apps, &["stripe-signature"])) },
        Sender {
            every_delivery: true,
            ..plain("intercom_canvas_kit", senders::danger_intercom_canvas_kit, &["x-body-signature"])
        },
        Sender {
            digest: Digest::Sha1,
            every_delivery: true,
            ..base64(plain("help_scout_legacy", senders::danger_help_scout_legacy, &["x-helpscout-signature"]))
        },
        Sender { every_delivery: true, ..plain("enchant", senders::danger_enchant, &["enchant-signature"]) },
        Sender {
            any_content_type: true,
            ..plain("shopware_webhook", senders::shopware_webhook, &["shopware-shop-signature"])
        },
        plain("viber", senders::viber, &["x-viber-content-signature"]),
        standard(
            plain("standard_webhooks", senders::standard_webhooks, &["webhook-signature"]),
            "webhook-id",
            "webhook-timestamp",
        ),
        standard(plain("svix", senders::svix, &["svix-signature"]), "svix-id", "svix-timestamp"),
        standard(plain("gitlab", senders::gitlab, &["webhook-signature"]), "webhook-id", "webhook-timestamp"),
        Sender {
            prefix: "v1a,",
            ..private(
                PublicKeyAlgorithm::Ed25519,
                ED25519,
                standard(
                    plain("standard_webhooks_v1a", senders::standard_webhooks_v1a, &["webhook-signature"]),
                    "webhook-id",
                    "webhook-timestamp",
                ),
            )
        },
        Sender {
            time: Time::Header("x-twilio-email-event-webhook-timestamp", seconds),
            signed: "{timestamp}{body}",
            ..base64(private(
                PublicKeyAlgorithm::EcdsaP256Der,
                P256,
                plain("sendgrid", senders::sendgrid, &["x-twilio-email-event-webhook-signature"]),
            ))
        },
        Sender {
            time: Time::Header("x-signature-timestamp", seconds),
            signed: "{timestamp}{body}",
            ..private(
                PublicKeyAlgorithm::Ed25519,
                ED25519,
                plain("discord", senders::discord, &["x-signature-ed25519"]),
            )
        },
        base64(private(PublicKeyAlgorithm::RsaSha256, RSA, plain("wise", senders::wise, &["x-signature-sha256"]))),
    ]
}

/// A delivery before it is sent.
#[derive(Clone)]
struct Delivery<'a> {
    keys: Vec<&'a str>,
    id: &'a str,
    time: u64,
    body: &'a str,
}

impl Delivery<'_> {
    /// Signed with the first secret, now.
    fn new(sender: &Sender) -> Self {
        Delivery { keys: vec![sender.secrets[0]], id: "msg_1", time: NOW, body: sender.body(1) }
    }
}

/// Names and values, sorted by name, with nothing between them.
fn fields(form: &str) -> String {
    let mut pairs: Vec<_> = form.split('&').filter_map(|pair| pair.split_once('=')).collect();
    pairs.sort_unstable();
    pairs.iter().flat_map(|(name, value)| [*name, *value]).collect()
}

impl Sender {
    fn body(&self, event: usize) -> &'static str {
        match (self.form, event) {
            (true, 1) => "n=1&id=evt_1",
            (true, _) => "n=1&id=evt_2",
            (false, 1) => r#"{"id":"evt_1","n":1}"#,
            (false, _) => r#"{"id":"evt_2","n":1}"#,
        }
    }

    fn sign(&self, delivery: &Delivery<'_>) -> Request_ {
        let mut request = Request::post("/hook")
            .header("content-type", if self.form { "application/x-www-form-urlencoded" } else { "application/json" });
        for (name, value) in self.extra {
            request = request.header(*name, *value);
        }
        let write = match self.time {
            Time::None => seconds,
            Time::Header(_, write) | Time::Element(_, write) => write,
        };
        let time = write(delivery.time);
        let text = self.signed.replace("{id}", delivery.id).replace("{timestamp}", &time);
        let text = text.replace("{method}", "POST").replace("{url}", "https://app.example/hook");
        let text = text.replace("{form}", &fields(delivery.body)).replace("{body}", delivery.body);
        let sign = |secret: &&str| {
            if self.secret_first {
                let digest = Sha256::digest([secret.as_bytes(), text.as_bytes()].concat());
                return digest.iter().map(|byte| format!("{byte:02x}")).collect();
            }
            let signer = match self.private {
                None => SigningWebhook::new(Secret::new((self.key)(secret))).digest(self.digest),
                Some((algorithm, pairs)) => {
                    let pair = pairs.into_iter().find(|pair| pair.public == *secret).unwrap();
                    SigningWebhook::private_key(algorithm, &pair.private()).unwrap()
                }
            };
            signer.encoding(self.encoding).prefix(self.prefix).sign(text.clone()).signature
        };
        let mut elements: Vec<String> = delivery.keys.iter().map(sign).collect();
        match self.time {
            Time::Header(name, _) => request = request.header(name, &time),
            Time::Element(prefix, _) => elements.insert(0, format!("{prefix}{time}")),
            Time::None => {}
        }
        if let Some(name) = self.id {
            request = request.header(name, delivery.id);
        }
        match self.list {
            Some(separator) => request = request.header(self.header[0], elements.join(separator)),
            None => {
                for (name, element) in self.header.iter().zip(elements) {
                    request = request.header(*name, element);
                }
            }
        }
        request.body(Full::new(Bytes::copy_from_slice(delivery.body.as_bytes()))).unwrap()
    }

    fn signs_several(&self) -> bool {
        self.list.is_some() || self.header.len() > 1
    }

    fn app(&self, clock: &ManualClock, secrets: &[&'static str]) -> App {
        let layer = (self.layer)().secrets(secrets.iter().copied()).danger_forgets_on_restart();
        let layer = if self.every_delivery { layer } else { layer.replay(replay()) };
        App::new(layer.clock(clock.clone()).build().unwrap())
    }

    async fn outcome(&self, delivery: &Delivery<'_>) -> &'static str {
        outcome(&self.app(&clock(), &self.secrets[..1]).send(self.sign(delivery)).await)
    }
}

fn with(mut request: Request_, name: &'static str, value: &str) -> Request_ {
    request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    request
}

fn status(answer: &Answer) -> u16 {
    answer.status().as_u16()
}

#[tokio::test]
async fn a_delivery_is_processed_once() {
    for sender in all() {
        let app = sender.app(&clock(), &sender.secrets[..1]);
        for attempt in 1..=3 {
            let answer = app.send(sender.sign(&Delivery::new(&sender))).await;
            assert_eq!(status(&answer), 200, "{}", sender.name);
            assert_eq!(app.inner.calls(), if sender.every_delivery { attempt } else { 1 }, "{}", sender.name);
        }
        let other = Delivery { id: "msg_2", body: sender.body(2), ..Delivery::new(&sender) };
        assert_eq!(outcome(&app.send(sender.sign(&other)).await), "ok", "{}: another event", sender.name);
    }
}

#[tokio::test]
async fn what_is_not_signed_by_the_sender_is_refused() {
    for sender in all() {
        let good = Delivery::new(&sender);
        let app = sender.app(&clock(), &sender.secrets[..1]);
        for at in 0..good.body.len() {
            let mut body = good.body.as_bytes().to_vec();
            body[at] ^= 1;
            let changed = sender.sign(&good).map(|_| Full::new(body.into()));
            let refused = outcome(&app.send(changed).await);
            // Beside a URL, JSON has to begin and end as such.
            let is_end = sender.signed.contains("{url}") && (at == 0 || at == good.body.len() - 1);
            assert!(
                refused == "invalid" || (is_end && refused == "malformed"),
                "{}: byte {at}: {refused}",
                sender.name
            );
        }
        let forged = Delivery { keys: vec![sender.secrets[1]], ..good.clone() };
        assert_eq!(sender.outcome(&forged).await, "invalid", "{}: another secret", sender.name);
        if let Time::Header(name, write) = sender.time {
            let changed = with(sender.sign(&good), name, &write(NOW + 1));
            assert_eq!(outcome(&app.send(changed).await), "invalid", "{}: another time", sender.name);
        }
        if let Some(name) = sender.id {
            let changed = with(sender.sign(&good), name, "msg_2");
            assert_eq!(outcome(&app.send(changed).await), "invalid", "{}: another id", sender.name);
        }
        let mut unsigned = sender.sign(&good);
        sender.header.iter().for_each(|name| _ = unsigned.headers_mut().remove(*name));
        assert_eq!(outcome(&app.send(unsigned).await), "malformed", "{}: no signature", sender.name);
        let empty = sender.sign(&Delivery { body: "", ..good.clone() });
        let expected = if sender.optional_body { "ok" } else { "malformed" };
        assert_eq!(outcome(&app.send(empty).await), expected, "{}: no body", sender.name);
        let long = "x".repeat(26 * 1024 * 1024);
        let long = sender.sign(&good).map(|_| Full::new(long.into()));
        assert_eq!(outcome(&app.send(long).await), "payload_too_large", "{}: too long", sender.name);
        let text = app.send(with(sender.sign(&good), "content-type", "text/plain")).await;
        let expected = if sender.any_content_type { "ok" } else { "unsupported_media_type" };
        assert_eq!(outcome(&text), expected, "{}: another content type", sender.name);
        let mut get = sender.sign(&good);
        *get.method_mut() = Method::GET;
        assert_eq!(status(&app.send(get).await), sender.by_get, "{}: by GET", sender.name);
        let accepted = [sender.optional_body, sender.any_content_type, sender.by_get == 200];
        assert_eq!(app.inner.calls(), accepted.iter().filter(|is| **is).count(), "{}", sender.name);
    }
}

#[tokio::test]
async fn a_signed_time_is_held_to_its_window() {
    for sender in all().into_iter().filter(|sender| !matches!(sender.time, Time::None)) {
        for (time, expected) in [
            (NOW - sender.youngest_refused, "expired"),
            (NOW - sender.youngest_refused.min(101) + 1, "ok"),
            (NOW + 30, "ok"),
            (NOW + 100, "not_yet_valid"),
        ] {
            let delivery = Delivery { time, ..Delivery::new(&sender) };
            assert_eq!(sender.outcome(&delivery).await, expected, "{} at {time}", sender.name);
        }
    }
}

#[tokio::test]
async fn a_retry_that_is_signed_anew_is_known_by_its_id() {
    for sender in all().into_iter().filter(|sender| !matches!(sender.time, Time::None)) {
        let clock = clock();
        let app = sender.app(&clock, &sender.secrets[..1]);
        for hours in [0, 1, 20] {
            clock.set(UnixTime::from_secs(NOW).plus(secs(hours * 3_600)));
            let retry = Delivery { time: NOW + hours * 3_600, ..Delivery::new(&sender) };
            assert_eq!(status(&app.send(sender.sign(&retry)).await), 200, "{}", sender.name);
        }
        assert_eq!(app.inner.calls(), if sender.retries_are_known { 1 } else { 3 }, "{}", sender.name);
    }
}

#[tokio::test]
async fn one_right_signature_of_several_is_enough_and_the_others_make_no_new_event() {
    for sender in all().into_iter().filter(Sender::signs_several) {
        let [one, other] = sender.secrets;
        let sign = |keys: &[&'static str]| sender.sign(&Delivery { keys: keys.to_vec(), ..Delivery::new(&sender) });
        for (keys, expected) in [(vec![other, one], "ok"), (vec![one, other], "ok"), (vec![other], "invalid")] {
            let app = sender.app(&clock(), &[one]);
            assert_eq!(outcome(&app.send(sign(&keys)).await), expected, "{}", sender.name);
        }
        // Both keys are accepted, and whoever recorded the delivery leaves one signature out.
        let app = sender.app(&clock(), &[one, other]);
        for keys in [vec![one, other], vec![one], vec![other], vec![other, one]] {
            assert_eq!(status(&app.send(sign(&keys)).await), 200, "{}", sender.name);
        }
        assert_eq!(app.inner.calls(), if sender.every_delivery { 4 } else { 1 }, "{}", sender.name);
    }
}

#[tokio::test]
async fn secrets_are_rotated_on_our_side() {
    for sender in all() {
        let [old, new] = sender.secrets;
        let app = sender.app(&clock(), &[new, old]);
        let delivery = Delivery { keys: vec![old], ..Delivery::new(&sender) };
        assert_eq!(outcome(&app.send(sender.sign(&delivery)).await), "ok", "{}", sender.name);
    }
}

/// Of the likeliest mistakes, one layer's secret given as another one's.
#[test]
fn a_secret_in_another_form_than_the_senders_page_shows_does_not_build() {
    let build = |layer: Builder<Webhook<RawBody>>, secret: Secret| {
        layer.secrets([secret]).replay(replay()).danger_forgets_on_restart().clock(clock()).build().map(drop)
    };
    let decoded = Secret::new(&b"\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4\x3c\x3f\x08\x2c"[..]);
    for (layer, secret, why) in [
        (senders::stripe as fn() -> _, decoded.clone(), "decoded, where the text is the key"),
        (senders::standard_webhooks, decoded, "decoded already"),
        (senders::standard_webhooks, Secret::new("whsec_not-base64!"), "no base64"),
        (senders::adyen_header, Secret::new("not hexadecimal"), "no hexadecimal"),
    ] {
        let error = build(layer(), secret).unwrap_err().to_string();
        assert!(error.contains("give it as the sender's page shows it"), "{why}: {error}");
    }
    assert!(build(senders::stripe(), Secret::new(WHSEC[0])).is_ok());
    assert!(build(senders::standard_webhooks(), Secret::new(WHSEC[0])).is_ok());
}
