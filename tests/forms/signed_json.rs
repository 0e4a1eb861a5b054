//! What is special about signatures inside JSON, and the senders that have them.

mod settings;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::keys::Secret;
use tower_sso::providers::webhooks as senders;
use tower_sso::scheme::{Encoding, PublicKeyAlgorithm};
use tower_sso::sign::SigningWebhook;
use tower_sso::signed_json::{self, SignedJson};
use tower_sso::{Builder, Identity};

use crate::senders::contract::{Delivery, Facts, Preset, Retries};
use crate::support::pairs::RSA;
use crate::support::{App, NOW, Request_, clock, outcome, reason, replay, secs};

const HEX: [&str; 2] = ["44782DEF547AAA06C910C43932B1EB0C", "74F490DD33F7327BAECC88B2947C011F"];
const TEXT: [&str; 2] = ["key-3ax6xnjp29jd6fds4gc373sgvjxteol0", "key-0loetxjvgs373cg4sdf6dj92pjnx6xa3"];
const CERTIFICATE: &str = include_str!("../vectors/keys/rsa-2048-certificate.pem");

/// How a sender signs.
struct Sender {
    name: &'static str,
    layer: fn() -> Builder<SignedJson<Value>>,
    secrets: [&'static str; 2],
    /// An event with this number, made at this time, signed with one of the secrets.
    event: fn(number: u64, time: u64, secret: &str) -> Value,
    /// Pointers to what is signed, and to something that is not.
    signed: &'static [&'static str],
    unsigned: &'static str,
    signature: &'static str,
    facts: Facts,
}

fn mac(secret: Secret, encoding: Encoding, text: &str) -> String {
    SigningWebhook::new(secret).encoding(encoding).sign(text).signature
}

fn adyen(number: u64, _: u64, secret: &str) -> Value {
    let key: Vec<u8> =
        (0..secret.len()).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap()).collect();
    let text = format!("psp-{number}::Shop:order: {number}:1130:EUR:AUTHORISATION:true");
    let signature = mac(Secret::new(key), Encoding::Base64, &text);
    json!({"live": "false", "notificationItems": [{"NotificationRequestItem": {
        "pspReference": format!("psp-{number}"), "merchantAccountCode": "Shop",
        "merchantReference": format!("order: {number}"), "amount": {"currency": "EUR", "value": 1130},
        "eventCode": "AUTHORISATION", "success": "true", "reason": "none",
        "additionalData": {"hmacSignature": signature},
    }}]})
}

fn mailgun(number: u64, time: u64, secret: &str) -> Value {
    let signature = mac(secret.into(), Encoding::Hex, &format!("{time}token-{number}"));
    json!({
        "signature": {"timestamp": time.to_string(), "token": format!("token-{number}"), "signature": signature},
        "event-data": {"event": "opened"},
    })
}

fn sns(number: u64, time: u64, public: &str) -> Value {
    let pair = RSA.into_iter().find(|pair| pair.public == public).unwrap();
    let time = rfc3339(time);
    let text = format!(
        "Message\nHi\nMessageId\n no\nMessageId\nid-{number}\nTimestamp\n{time}\nTopicArn\narn:x\nType\nNotification\n"
    );
    let signer = SigningWebhook::private_key(PublicKeyAlgorithm::RsaSha256, &pair.private()).unwrap();
    let signature = signer.encoding(Encoding::Base64).sign(text).signature;
    json!({
        "Type": "Notification", "MessageId": format!("id-{number}"), "TopicArn": "arn:x", "Timestamp": time,
        "Message": "Hi\nMessageId\n no", "SignatureVersion": "2", "Signature": signature,
        "SigningCertURL": "https://sns.example/key.pem", "UnsubscribeURL": "https://sns.example/",
    })
}

/// On the 14th of November 2023 or the day after.
fn rfc3339(time: u64) -> String {
    let (day, hour, minute, second) = (time / 86_400 - 19_675 + 14, time / 3_600 % 24, time / 60 % 60, time % 60);
    format!("2023-11-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

fn all() -> [Sender; 3] {
    [
        Sender {
            name: "adyen_standard",
            layer: senders::danger_adyen_standard,
            secrets: HEX,
            event: adyen,
            signed: &[
                "/notificationItems/0/NotificationRequestItem/pspReference",
                "/notificationItems/0/NotificationRequestItem/merchantAccountCode",
                "/notificationItems/0/NotificationRequestItem/merchantReference",
                "/notificationItems/0/NotificationRequestItem/amount/value",
                "/notificationItems/0/NotificationRequestItem/amount/currency",
                "/notificationItems/0/NotificationRequestItem/eventCode",
                "/notificationItems/0/NotificationRequestItem/success",
            ],
            unsigned: "/notificationItems/0/NotificationRequestItem/reason",
            signature: "/notificationItems/0/NotificationRequestItem/additionalData/hmacSignature",
            facts: Facts::USUAL,
        },
        Sender {
            name: "mailgun",
            layer: senders::danger_mailgun,
            secrets: TEXT,
            event: mailgun,
            signed: &["/signature/timestamp", "/signature/token"],
            unsigned: "/event-data/event",
            signature: "/signature/signature",
            facts: Facts {
                retries: Retries::New("the event is not signed, nor is its id"),
                max_age: Some(300),
                ..Facts::USUAL
            },
        },
        Sender {
            name: "aws_sns",
            layer: || senders::aws_sns(["arn:x"]),
            secrets: [RSA[0].public, RSA[1].public],
            event: sns,
            signed: &["/Message", "/MessageId", "/Timestamp", "/TopicArn", "/Type"],
            unsigned: "/UnsubscribeURL",
            signature: "/Signature",
            facts: Facts { any_content_type: true, retries: Retries::Known, max_age: Some(3_600), ..Facts::USUAL },
        },
    ]
}

/// As the senders' contract sees them.
pub(crate) fn presets() -> Vec<Box<dyn Preset>> {
    all().into_iter().map(|sender| Box::new(sender) as Box<dyn Preset>).collect()
}

impl Preset for Sender {
    fn name(&self) -> &'static str {
        self.name
    }

    fn secrets(&self) -> [&'static str; 2] {
        self.secrets
    }

    fn facts(&self) -> Facts {
        self.facts
    }

    fn app(&self, clock: &ManualClock, secrets: &[&'static str]) -> App {
        self.app(secrets, clock.clone())
    }

    fn request(&self, Delivery { keys, event, time, is_empty }: &Delivery) -> Request_ {
        if *is_empty { post("") } else { request(&(self.event)(*event as u64, *time, keys[0])) }
    }

    fn tampered(&self, delivery: &Delivery) -> Vec<(String, Request_)> {
        let event = (self.event)(1, delivery.time, delivery.keys[0]);
        let mut all = Vec::new();
        for pointer in self.signed.iter().chain([&self.signature]) {
            let text = event.pointer(pointer).unwrap().to_string();
            for at in 0..text.len() {
                let old = char::from(text.as_bytes()[at]);
                let new = match old {
                    '0'..='9' => (b'0' + (old as u8 - b'0' + 1) % 10) as char,
                    'q' => 'r',
                    _ => 'q',
                };
                let mut other = text.clone();
                other.replace_range(at..=at, &new.to_string());
                // A quotation mark, an escape, or a number that begins with zero.
                let Ok(other) = serde_json::from_str(&other) else { continue };
                let mut changed = event.clone();
                *changed.pointer_mut(pointer).unwrap() = other;
                if changed != event {
                    all.push((format!("{pointer} {at}"), request(&changed)));
                }
            }
        }
        all
    }
}

impl Sender {
    fn app(&self, secrets: &[&'static str], clock: ManualClock) -> App {
        let layer = (self.layer)().secrets(secrets.iter().copied()).replay(replay()).danger_forgets_on_restart();
        App::new(layer.clock(clock).build().unwrap())
    }

    fn event(&self) -> Value {
        (self.event)(1, NOW, self.secrets[0])
    }
}

fn post(body: impl Into<Bytes>) -> Request_ {
    Request::post("/hook").header("content-type", "application/json").body(Full::new(body.into())).unwrap()
}

fn request(event: &Value) -> Request_ {
    post(event.to_string())
}

/// The event with another value of the same kind.
fn changed(event: &Value, pointer: &str) -> Value {
    let mut event = event.clone();
    let value = event.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"));
    *value = match value {
        Value::Number(_) => 1.into(),
        Value::String(text) if text.len() == 10 => "1700000001".into(),
        Value::String(text) if text.ends_with(".000Z") => text.replace(".000Z", ".001Z").into(),
        _ => "other".into(),
    };
    event
}

#[tokio::test]
async fn an_event_is_processed_once_however_it_is_written() {
    for sender in all() {
        let app = sender.app(&sender.secrets[..1], clock());
        let event = sender.event();
        let pretty = serde_json::to_string_pretty(&event).unwrap();
        let unsigned = changed(&event, sender.unsigned).to_string();
        for body in [event.to_string(), event.to_string(), pretty, unsigned] {
            let answer = app.send(post(body)).await;
            assert_eq!((answer.status(), app.inner.calls()), (StatusCode::OK, 1), "{}", sender.name);
        }
        let other = (sender.event)(2, NOW, sender.secrets[0]);
        assert_eq!(outcome(&app.send(request(&other)).await), "ok", "{}", sender.name);
    }
}

#[tokio::test]
async fn what_was_not_signed_by_the_sender_is_refused() {
    for sender in all() {
        let app = sender.app(&sender.secrets[..1], clock());
        let event = sender.event();
        for pointer in sender.signed {
            let answer = app.send(request(&changed(&event, pointer))).await;
            assert_eq!(outcome(&answer), "invalid", "{} {pointer}", sender.name);
            let mut missing = event.clone();
            let (object, name) = pointer.rsplit_once('/').unwrap();
            missing.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(name);
            assert_eq!(outcome(&app.send(request(&missing)).await), "malformed", "{} without {pointer}", sender.name);
        }
        let text = event.to_string();
        for (body, expected, why) in [
            ("{}", "malformed", "nothing in it"),
            ("[]", "malformed", "a list"),
            (&text[1..], "malformed", "no JSON"),
            (&format!("{{\"live\":1,\"live\":2,{}", &text[1..]), "malformed", "a name twice"),
        ] {
            assert_eq!(outcome(&app.send(post(body.to_owned())).await), expected, "{}: {why}", sender.name);
        }
        assert_eq!(app.inner.calls(), 0, "{}", sender.name);
    }
}

/// Amazon's key signs for all its customers.
#[tokio::test]
async fn an_event_of_another_topic_is_refused_and_not_remembered() {
    let app = |layer: Builder<SignedJson<Value>>| {
        let layer = layer.secrets([RSA[0].public]).replay(replay()).handler_remembers();
        App::new(layer.clock(clock()).build().unwrap())
    };
    let event = sns(1, NOW, RSA[0].public);
    let foreign = app(senders::aws_sns(["arn:mine", "arn:x:2"]));
    for _ in 0..2 {
        assert_eq!(reason(&foreign.send(request(&event)).await), "bad_claim");
    }
    assert_eq!(foreign.inner.calls(), 0);
    assert_eq!(outcome(&app(senders::aws_sns(["arn:mine", "arn:x"])).send(request(&event)).await), "ok");
    assert_eq!(outcome(&app(senders::danger_aws_sns_of_anyone()).send(request(&event)).await), "ok");
}

/// A second notification in the list would not be signed.
#[tokio::test]
async fn a_list_of_two_is_refused() {
    let [adyen, ..] = all();
    let mut event = adyen.event();
    let items = event["notificationItems"].as_array_mut().unwrap();
    items.push(items[0].clone());
    let answer = adyen.app(&adyen.secrets[..1], clock()).send(request(&event)).await;
    assert_eq!(reason(&answer), "malformed");
}

/// The text of one notification, cut elsewhere, is another one's.
#[tokio::test]
async fn a_text_is_cut_in_one_way() {
    let [adyen, _, sns] = all();
    let mut event = adyen.event();
    let item = &mut event["notificationItems"][0]["NotificationRequestItem"];
    (item["merchantAccountCode"], item["merchantReference"]) = ("Shop:order".into(), " 1".into());
    assert_eq!(reason(&adyen.app(&adyen.secrets[..1], clock()).send(request(&event)).await), "malformed");
    let mut event = sns.event();
    (event["Message"], event["MessageId"]) = ("Hi".into(), " no\nMessageId\nid-1".into());
    assert_eq!(reason(&sns.app(&sns.secrets[..1], clock()).send(request(&event)).await), "malformed");
}

#[tokio::test]
async fn a_certificate_is_a_public_key() {
    let [.., sns] = all();
    let app = sns.app(&[CERTIFICATE], clock());
    assert_eq!(outcome(&app.send(request(&sns.event())).await), "ok");
}

/// What is not signed is in the body, and not in the claims.
#[tokio::test]
async fn claims_are_what_was_signed() {
    let layer = senders::danger_mailgun::<Value>().secrets([TEXT[0]]).replay(replay()).clock(clock()).build().unwrap();
    let handler = tower::service_fn(|request: Request<_>| async move {
        let claims = Identity::<Value>::of(request.extensions()).unwrap();
        assert_eq!(**claims, json!({"timestamp": NOW.to_string(), "token": "token-1"}));
        drop(request);
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::default()))
    });
    let service = tower::Layer::layer(&layer, handler);
    let answer = tower::ServiceExt::oneshot(service, request(&mailgun(1, NOW, TEXT[0]))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

/// Without a time, a call would be remembered for ever, and the store fill up.
#[tokio::test]
async fn what_the_handler_remembers_is_kept_for_an_hour() {
    let time = clock();
    let layer = signed_json::layer::<Value>(["/order"]).secrets(["a secret that is shared"]).handler_remembers();
    let app = App::new(layer.replay(replay()).clock(time.clone()).build().unwrap());
    let signature = mac("a secret that is shared".into(), Encoding::Hex, "7");
    let call = request(&json!({"order": "7", "signature": signature}));
    for (minutes, calls) in [(0, 1), (59, 1), (62, 2)] {
        time.set(UnixTime::from_secs(NOW).plus(secs(minutes * 60)));
        assert_eq!(outcome(&app.send(call.clone()).await), "ok");
        assert_eq!(app.inner.calls(), calls, "after {minutes} minutes");
    }
}

/// The signature does not tell a number from its text, so neither makes a call new.
#[tokio::test]
async fn a_number_as_text_is_the_same_call() {
    let pointer = "/notificationItems/0/NotificationRequestItem/amount/value";
    let sender = all().into_iter().find(|sender| sender.name == "adyen_standard").unwrap();
    let number = sender.event();
    let mut text = number.clone();
    *text.pointer_mut(pointer).unwrap() = "1130".into();
    let app = sender.app(&sender.secrets[..1], clock());
    assert_eq!(outcome(&app.send(request(&text)).await), "ok");
    app.send(request(&number)).await;
    assert_eq!(app.inner.calls(), 1, "acknowledged as a duplicate");
}
