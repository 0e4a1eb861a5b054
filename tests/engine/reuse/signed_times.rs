//! The same for forms whose time is a part of what was signed, or a nonce of ours.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::HeaderName;
use http::header::COOKIE;
use tower_sso::challenge::Challenge;
use tower_sso::scheme::{Encoding, Place, PublicKeyAlgorithm, TimeFormat};
use tower_sso::sealed::{self, Seal, Sealed};
use tower_sso::signed_json::{self, Layout, SignedJson};
use tower_sso::signed_parameters::{self, Join, Recipe, SignedParameters};
use tower_sso::signed_payload::{self, SignedPayload, Stamp};
use tower_sso::webhook::EventId;

use super::*;
use crate::support::pairs::P256;
use crate::support::subject::frame;

const LONGEST: std::time::Duration = std::time::Duration::from_secs(600);

fn parameters() -> Builder<SignedParameters<Value>> {
    signed_parameters::layer(Recipe::all(Join::pairs('&'))).signature_parameter("sig").secrets([SECRET])
}

fn payloads() -> Builder<SignedPayload<Value>> {
    signed_payload::layer(signed_payload::Layout::payload_first(Place::query("t"), ".")).secrets([SECRET])
}

fn seals() -> Builder<Sealed<Value>> {
    sealed::layer(Seal::FramedAesGcm, Place::query("t")).secrets([SECRET])
}

fn json_calls(signed: &[&'static str]) -> Builder<SignedJson<Value>> {
    let layer = signed_json::layer(signed.iter().copied()).layout(Layout::Joined(':')).timestamp_field("/at");
    layer.secrets([SECRET]).handler_remembers()
}

fn mac(text: &str) -> String {
    SigningWebhook::new(SECRET.into()).signature(&[text.as_bytes()])
}

/// `?t=payload.mac`.
fn payload(text: &str) -> Request_ {
    let encoded = BASE64_URL_SAFE_NO_PAD.encode(text);
    get(&format!("/?t={encoded}.{}", mac(&encoded)))
}

fn seal(text: &str) -> Request_ {
    get(&format!("/?t={}", BASE64_URL_SAFE_NO_PAD.encode(frame(SECRET.as_bytes(), b"", text))))
}

fn post(body: &Value) -> Request_ {
    let request = Request::post("/").header("content-type", "application/json");
    request.body(Full::from(body.to_string())).unwrap()
}

/// As [`super::short_and_long`].
pub(super) fn short_and_long(
    replay: &MemoryReplay,
    clock: &ManualClock,
) -> Vec<(&'static str, App, App, Request_, u64)> {
    macro_rules! pair {
        ($name:literal, $start:expr, $set:ident, $credential:expr) => {{
            let app = |window| {
                let layer = $start.$set(secs(window)).replay(replay.clone()).clock(clock.clone());
                App::new(layer.build().unwrap())
            };
            ($name, app(30), app(600), $credential, 30)
        }};
    }
    let seconds = TimeFormat::Seconds;
    let signed = |pairs: String| get(&format!("/?{pairs}&sig={}", mac(&pairs)));

    let challenge = || Challenge::new("__Host-sso").clock(clock.clone());
    let issued = challenge().issue(&http::HeaderMap::new()).unwrap();
    let mut answer = payload(&json!({"nonce": issued.nonce()}).to_string());
    let cookie = issued.set_cookie().to_str().unwrap().split(';').next().unwrap().parse().unwrap();
    answer.headers_mut().insert(COOKIE, cookie);

    let asked = |window| {
        let layer = payloads().nonce_member("nonce").challenge(challenge().max_age(secs(window)));
        App::new(layer.replay(replay.clone()).clock(clock.clone()).build().unwrap())
    };

    let stamped = format!("{}.ZVPxAA", BASE64_URL_SAFE_NO_PAD.encode("{}"));
    let stamped = get(&format!("/?t={stamped}.{}", mac(&stamped)));
    let timed = json!({"at": NOW, "signature": mac(&NOW.to_string())});
    let named = json!({"at": NOW, "id": "7", "signature": mac(&format!("{NOW}:7"))});
    let (iat, exp) = (json!({"iat": NOW}).to_string(), json!({"exp": NOW}).to_string());
    vec![
        pair!("signed_parameters", parameters().issued_at("ts", seconds), max_age, signed(format!("a=1&ts={NOW}"))),
        pair!(
            "signed_parameters, by its end",
            parameters().expires_at("end", seconds, LONGEST),
            clock_skew,
            signed(format!("a=2&end={NOW}"))
        ),
        pair!("signed_payload", payloads().issued_at("iat", seconds), max_age, payload(&iat)),
        pair!("signed_payload, by its end", payloads().expires_at("exp", seconds, LONGEST), clock_skew, payload(&exp)),
        pair!("signed_payload, stamped", payloads().stamped(Stamp::Base64Bytes), max_age, stamped),
        ("signed_payload, by its nonce", asked(30), asked(600), answer, 30),
        pair!("sealed", seals().issued_at("iat", seconds), max_age, seal(&iat)),
        pair!("sealed, by its end", seals().expires_at("exp", seconds, LONGEST), clock_skew, seal(&exp)),
        pair!("signed_json", json_calls(&["/at"]), max_age, post(&timed)),
        pair!(
            "signed_json, by its id",
            json_calls(&["/at", "/id"]).event_id_field("/id").retried_for(secs(0)),
            max_age,
            post(&named)
        ),
    ]
}

/// The layers whose windows have a bound, by name.
pub(super) fn bounded(window: std::time::Duration) -> Vec<(&'static str, Result<(), ConfigError>)> {
    let seconds = TimeFormat::Seconds;
    let (parameters, payloads) = (|| parameters().issued_at("ts", seconds), || payloads().issued_at("iat", seconds));
    let (seals, calls) = (|| seals().issued_at("iat", seconds), || json_calls(&["/at"]));
    vec![
        ("signed_parameters", parameters().max_age(window).replay(replay()).build().map(drop)),
        ("signed_parameters, skew", parameters().clock_skew(window).replay(replay()).build().map(drop)),
        ("signed_parameters, end", parameters().expires_at("end", seconds, window).replay(replay()).build().map(drop)),
        ("signed_payload", payloads().max_age(window).replay(replay()).build().map(drop)),
        ("signed_payload, skew", payloads().clock_skew(window).replay(replay()).build().map(drop)),
        ("signed_payload, end", payloads().expires_at("exp", seconds, window).replay(replay()).build().map(drop)),
        ("sealed", seals().max_age(window).replay(replay()).build().map(drop)),
        ("sealed, skew", seals().clock_skew(window).replay(replay()).build().map(drop)),
        ("sealed, end", seals().expires_at("exp", seconds, window).replay(replay()).build().map(drop)),
        ("signed_json", calls().max_age(window).replay(replay()).build().map(drop)),
        ("signed_json, skew", calls().clock_skew(window).replay(replay()).build().map(drop)),
    ]
}

/// A credential that tells its end alone may have been used since the first instant at which it was accepted.
#[tokio::test]
async fn what_tells_its_end_alone_is_good_once_across_a_restart() {
    let (seconds, end) = (TimeFormat::Seconds, NOW + 660);
    let link = format!("end={end}");
    let (link, json) = (get(&format!("/?{link}&sig={}", mac(&link))), json!({"exp": end}).to_string());
    macro_rules! check {
        ($layer:expr, $credential:expr, $name:literal) => {{
            let (time, credential) = (clock(), $credential);
            let app = |since| App::new($layer.replay(store_since(since)).clock(time.clone()).build().unwrap());
            assert_eq!(outcome(&app(NOW - 3_600).send(credential.clone()).await), "ok", $name);
            time.advance(secs(30));
            assert_eq!(reason(&app(NOW + 30).send(credential).await), "before_cutoff", $name);
        }};
    }
    check!(parameters().expires_at("end", seconds, LONGEST), link, "signed_parameters");
    check!(payloads().expires_at("exp", seconds, LONGEST), payload(&json), "signed_payload");
    check!(seals().expires_at("exp", seconds, LONGEST), seal(&json), "sealed");
}

/// Where a delivery is recognised by what was signed, and not by its MAC.
#[tokio::test]
async fn aliases_of_a_key_share_its_deliveries() {
    let tenant = || Tenant::from_fn(|head| head.headers.get("x-tenant")?.to_str().ok().map(Into::into));
    let named = |request: &Request_, tenant: &'static str| {
        let mut request = request.clone();
        request.headers_mut().insert("x-tenant", tenant.parse().unwrap());
        request
    };
    let keys = |secret: &'static str| MemoryKeys::new().with("acme.example", secret).with("www.acme.example", secret);
    let hook = |signature: String| {
        let request = Request::post("/").header("content-type", "application/json");
        request.header("webhook-signature", signature).body(Full::from(r#"{"id":"7"}"#)).unwrap()
    };
    let header = || webhook::layer::<Value>().signature_header(HeaderName::from_static("webhook-signature"));
    let list = header().separator(' ').keys(keys(SECRET)).tenant(tenant()).handler_remembers();
    let event = header().event_id(EventId::field("id")).keys(keys(SECRET)).tenant(tenant()).handler_remembers();
    let public =
        header().public_key(PublicKeyAlgorithm::EcdsaP256).encoding(Encoding::Base64).keys(keys(P256[0].public));
    let public = public.tenant(tenant()).handler_remembers();
    let signer = SigningWebhook::private_key(PublicKeyAlgorithm::EcdsaP256, &P256[0].private()).unwrap();
    let by_key = signer.encoding(Encoding::Base64).sign(r#"{"id":"7"}"#).signature;
    let json = signed_json::layer::<Value>(["/id"]).keys(keys(SECRET)).tenant(tenant()).handler_remembers();
    assert_eq!(BASE64_STANDARD.decode(&by_key).unwrap().len(), 64);
    for (name, app, request) in [
        ("a list", App::new(list.replay(replay()).clock(clock()).build().unwrap()), hook(mac(r#"{"id":"7"}"#))),
        ("an id", App::new(event.replay(replay()).clock(clock()).build().unwrap()), hook(mac(r#"{"id":"7"}"#))),
        ("a public key", App::new(public.replay(replay()).clock(clock()).build().unwrap()), hook(by_key)),
        (
            "signed JSON",
            App::new(json.replay(replay()).clock(clock()).build().unwrap()),
            post(&json!({"id": "7", "signature": mac("7")})),
        ),
    ] {
        for tenant in ["acme.example", "www.acme.example", "acme.example"] {
            assert_eq!(outcome(&app.send(named(&request, tenant)).await), "ok", "{name}");
        }
        assert_eq!(app.inner.calls(), 1, "{name}");
    }
}
