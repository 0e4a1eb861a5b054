//! Webhooks that are signed by a JWT with the body's digest, and the senders that sign so.

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower_sso::Builder;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::jwt::webhook::{self, JwtWebhook};
use tower_sso::jwt::{self, Algorithm};
use tower_sso::keys::{PublicKeys, Secret};
use tower_sso::providers::webhooks as senders;
use tower_sso::sign::JwtSigner;

use crate::senders::contract::{Delivery, Facts, Preset, Retries};
use crate::support::pairs::P256;
use crate::support::subject::refused;
use crate::support::{Answer, App, NOW, Request_, clock, outcome, reason, replay, secs, seen};

const SECRETS: [&str; 2] = ["the secret of one site, which is long enough", "the secret of another site, long enough"];
const BODY: &str = r#"{"id": 7}"#;

/// How a sender signs.
struct Sender {
    name: &'static str,
    layer: fn() -> Builder<JwtWebhook<Value>>,
    algorithm: Algorithm,
    header: &'static str,
    claim: &'static str,
    /// What verifies and what signs, of two keys.
    keys: [(&'static str, Secret); 2],
    /// The claims besides the digest.
    claims: Value,
}

fn all() -> [Sender; 2] {
    [
        Sender {
            name: "netlify",
            layer: senders::netlify,
            algorithm: Algorithm::HS256,
            header: "x-webhook-signature",
            claim: "sha256",
            keys: SECRETS.map(|secret| (secret, secret.into())),
            claims: json!({"iss": "netlify"}),
        },
        Sender {
            name: "plaid",
            layer: senders::plaid,
            algorithm: Algorithm::ES256,
            header: "plaid-verification",
            claim: "request_body_sha256",
            keys: P256.map(|pair| (pair.public, pair.private())),
            claims: json!({"iat": NOW}),
        },
    ]
}

fn digest(body: &str) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
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
        [self.keys[0].0, self.keys[1].0]
    }

    fn facts(&self) -> Facts {
        let max_age = (self.name == "plaid").then_some(300);
        let retries = max_age.map_or(Retries::Same, |_| Retries::New("Plaid documents no id of an event"));
        Facts { any_content_type: true, retries, max_age, ..Facts::USUAL }
    }

    fn app(&self, clock: &ManualClock, secrets: &[&'static str]) -> App {
        let layer = (self.layer)().secrets(secrets.iter().copied()).replay(replay()).danger_forgets_on_restart();
        App::new(layer.clock(clock.clone()).build().unwrap())
    }

    fn request(&self, Delivery { keys, event, time, is_empty }: &Delivery) -> Request_ {
        let body = if *is_empty { String::new() } else { json!({"id": event}).to_string() };
        let key = self.keys.iter().position(|(public, _)| *public == keys[0]).unwrap();
        let time = self.claims.get("iat").map(|_| *time);
        self.request(&self.token(key, json!({self.claim: digest(&body), "iat": time})), body)
    }

    fn tampered(&self, delivery: &Delivery) -> Vec<(String, Request_)> {
        let good = Preset::request(self, delivery);
        let changed = |text: &[u8], at: usize| {
            let mut text = text.to_vec();
            text[at] ^= 1;
            text
        };
        let token = good.headers()[self.header].as_bytes();
        let of_token = |at| {
            let mut request = good.clone();
            let value = HeaderValue::from_bytes(&changed(token, at)).unwrap();
            request.headers_mut().insert(self.header, value);
            (format!("token {at}"), request)
        };
        let body = json!({"id": delivery.event}).to_string().into_bytes();
        let of_body = |at| (format!("body {at}"), good.clone().map(|_| Full::new(changed(&body, at).into())));
        (0..token.len()).map(of_token).chain((0..body.len()).map(of_body)).collect()
    }
}

impl Sender {
    fn layer(&self) -> Builder<JwtWebhook<Value>> {
        (self.layer)().secrets([self.keys[0].0]).replay(replay()).handler_remembers().clock(clock())
    }

    fn app(&self) -> App {
        App::new(self.layer().build().unwrap())
    }

    /// A token of the first or second key, with these claims changed; `null` takes one out.
    fn token(&self, key: usize, changes: Value) -> String {
        let mut claims = self.claims.clone();
        claims[self.claim] = digest(BODY).into();
        let members = claims.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        let header = json!({"alg": self.algorithm.name(), "typ": "JWT", "kid": "one"}).to_string();
        let signer = JwtSigner::new(self.algorithm, &self.keys[key].1).unwrap();
        signer.sign(header.as_bytes(), claims.to_string().as_bytes()).unwrap()
    }

    fn request(&self, token: &str, body: impl Into<Bytes>) -> Request_ {
        let request = Request::post("/hook").header("content-type", "application/json").header(self.header, token);
        request.body(Full::new(body.into())).unwrap()
    }

    async fn send(&self, changes: Value, body: &str) -> Answer {
        self.app().send(self.request(&self.token(0, changes), body.to_owned())).await
    }
}

#[tokio::test]
async fn the_signed_digest_is_the_bodys() {
    for sender in all() {
        let claim = sender.claim;
        for (changes, body, expected, why) in [
            (json!({}), BODY, "ok", "as signed"),
            (json!({claim: digest(BODY).to_uppercase()}), BODY, "ok", "in upper case"),
            (json!({}), r#"{"id":7}"#, "body_hash", "without a space"),
            (json!({}), "{\"id\": 7}\n", "body_hash", "with a line feed"),
            (json!({claim: digest("{}")}), BODY, "body_hash", "of another body"),
            (json!({claim: null}), BODY, "body_hash", "without the claim"),
            (json!({claim: ""}), BODY, "body_hash", "empty"),
            (json!({claim: &digest(BODY)[2..]}), BODY, "body_hash", "cut at the front"),
            (json!({claim: &digest(BODY)[..62]}), BODY, "body_hash", "cut at the end"),
            (json!({claim: digest(BODY) + "00"}), BODY, "body_hash", "longer"),
            (json!({claim: [digest(BODY)]}), BODY, "body_hash", "a list"),
            (json!({claim: 7}), BODY, "body_hash", "a number"),
            (json!({"htu": "https://rp.example/"}), BODY, "bad_claim", "bound to what nobody checks"),
        ] {
            let answer = sender.send(changes, body).await;
            assert_eq!(reason(&answer), expected, "{} {why}", sender.name);
            assert!(["ok", "invalid"].contains(&outcome(&answer)), "{} {why}", sender.name);
        }
    }
}

#[tokio::test]
async fn what_was_not_signed_by_the_sender_is_refused() {
    for sender in all() {
        let app = sender.app();
        let token = sender.token(0, json!({}));
        let mut cut = sender.request(&token, BODY);
        cut.headers_mut().insert(sender.header, token.rsplit_once('.').unwrap().0.parse().unwrap());
        let mut twice = sender.request(&token, BODY);
        twice.headers_mut().append(sender.header, token.parse().unwrap());
        let mut none = sender.request(&token, BODY);
        none.headers_mut().remove(sender.header);
        let payload = json!({"iss": "netlify", "iat": NOW, sender.claim: digest(BODY)}).to_string();
        let forged = JwtSigner::new(Algorithm::HS512, &sender.keys[0].0.into()).unwrap();
        let forged = forged.sign(br#"{"alg":"HS512"}"#, payload.as_bytes()).unwrap();
        for (request, expected, why) in [
            (sender.request(&forged, BODY), "invalid", "another algorithm"),
            (cut, "malformed", "no signature"),
            (twice, "malformed", "two tokens"),
            (none, "malformed", "no token"),
        ] {
            assert_eq!(outcome(&app.send(request).await), expected, "{}: {why}", sender.name);
        }
        assert_eq!(app.inner.calls(), 0, "{}", sender.name);
        // A refused call does not use up the token.
        assert_eq!(outcome(&app.send(sender.request(&token, BODY)).await), "ok", "{}", sender.name);
    }
}

#[tokio::test]
async fn a_call_of_another_time_or_issuer_is_refused() {
    let [netlify, plaid] = all();
    for (sender, changes, expected) in [
        (&netlify, json!({"iss": null}), "missing_claim"),
        (&netlify, json!({"iss": "other"}), "bad_claim"),
        (&netlify, json!({"iat": NOW - 1_000_000}), "ok"),
        (&netlify, json!({"exp": NOW - 1}), "expired"),
        (&netlify, json!({"exp": NOW}), "ok"),
        (&netlify, json!({"exp": "soon"}), "bad_claim"),
        (&netlify, json!({"nbf": NOW + 61}), "not_yet_valid"),
        (&plaid, json!({"iat": NOW - 300}), "ok"),
        (&plaid, json!({"iat": NOW - 301}), "expired"),
        (&plaid, json!({"iat": NOW + 60}), "ok"),
        (&plaid, json!({"iat": NOW + 61}), "not_yet_valid"),
        (&plaid, json!({"iat": null}), "missing_claim"),
        (&plaid, json!({"iat": null, "exp": NOW + 60}), "missing_claim"),
        (&plaid, json!({"exp": NOW - 1}), "expired"),
    ] {
        assert_eq!(reason(&sender.send(changes.clone(), BODY).await), expected, "{} {changes}", sender.name);
    }
}

/// What comes while the layer would still accept it, and a little before it no longer does, is known.
#[tokio::test]
async fn a_duplicate_is_known_for_as_long_as_it_would_pass() {
    for sender in all() {
        let clock = clock();
        let app = App::new(sender.layer().clock(clock.clone()).build().unwrap());
        for seconds in [0, 1, 299, 300] {
            clock.set(UnixTime::from_secs(NOW).plus(secs(seconds)));
            let answer = app.send(sender.request(&sender.token(0, json!({})), BODY)).await;
            assert_eq!((answer.status(), app.inner.calls()), (StatusCode::OK, 1), "{} {seconds}", sender.name);
        }
    }
}

#[tokio::test]
async fn the_key_is_the_one_that_the_token_names() {
    let [_, plaid] = all();
    let key = plaid.keys[0].0;
    let keys = PublicKeys::new("plaid");
    keys.set([("one", key)]).unwrap();
    let layer = senders::plaid::<Value>().keys(keys.clone()).replay(replay()).clock(clock());
    let app = App::new(layer.build().unwrap());
    let answer = app.send(plaid.request(&plaid.token(0, json!({})), BODY)).await;
    assert_eq!(seen(&answer).tenant.as_deref(), Some("plaid"));
    keys.set([("two", key)]).unwrap();
    let token = plaid.token(0, json!({"iat": NOW + 1}));
    assert_eq!(reason(&app.send(plaid.request(&token, BODY)).await), "unknown_key");
    // A set may hold keys of other kinds: one of these is as if nobody had it, and no failure of ours.
    let modulus = "vXZdrUuEQbQdrLpEbQJk6EZk3mdP6AaisTCtAGzl2wCGhN1ybr3IcA5t_ryGWGiMThS8jUL2gNPX92OoeeyRAptlYk6G4UGgOSpV7eRKxBY1Z3iKdShV4BqJqGBvm-jVErJ69l94Oq_GJnQmQKGR_1DZ5efeO2BSqsN3pfinydks5EyRKdM4Obh8vm5NXMdiuFXGKAIDIP8v2RsDBrvxOR1OcIhl_e3mrkDs75GWh-BMjSK2_7gUSk8j9RvjWDw4jn45kfbFpQOr4_-LxeVkj6SICT7Ef5Rjx3qur0ELipMnibmjwC2XhMiJnisALzYf7RVjiPxpVStT0QHWEjNsqw";
    let set = json!({"keys": [{"kty": "RSA", "kid": "one", "e": "AQAB", "n": modulus}]}).to_string();
    assert_eq!(keys.set_jwks(set.as_bytes()).unwrap(), 1);
    let answer = app.send(plaid.request(&token, BODY)).await;
    assert_eq!((answer.status(), reason(&answer)), (StatusCode::UNAUTHORIZED, "bad_signature"));
}

/// An entry is kept until the last instant at which any layer of the sender's would accept the call.
#[tokio::test]
async fn a_used_call_is_known_at_a_layer_that_allows_a_greater_age() {
    for (end, later, expected, why) in [
        (Some(600), 100, "ok", "the greater age decides, and the call has an end of its own"),
        (Some(600), 599, "ok", "an instant before its end"),
        (Some(600), 601, "expired", "after its end"),
        (Some(60), 100, "expired", "its end comes before either age"),
        (None, 100, "ok", "it has no end of its own"),
    ] {
        let [_, plaid] = all();
        let (store, time) = (replay(), clock());
        let app = |age| {
            let layer = plaid.layer().replay(store.clone()).clock(time.clone()).max_age(secs(age));
            App::new(layer.build().unwrap())
        };
        let (short, long) = (app(30), app(900));
        let token = plaid.token(0, json!({"exp": end.map(|seconds: u64| NOW + seconds)}));
        assert_eq!(outcome(&short.send(plaid.request(&token, BODY)).await), "ok", "{why}");
        assert_eq!(short.inner.calls(), 1, "{why}");
        time.advance(secs(later));
        let answer = long.send(plaid.request(&token, BODY)).await;
        assert_eq!((outcome(&answer), long.inner.calls()), (expected, 0), "{why}");
    }
}

/// Without `max_age`, a call's own end decides, also where the handler remembers calls without one.
#[tokio::test]
async fn a_call_with_an_end_is_known_until_then() {
    let [netlify, _] = all();
    let clock = clock();
    let app = App::new(netlify.layer().handler_remembers().clock(clock.clone()).build().unwrap());
    let token = netlify.token(0, json!({"exp": NOW + 7_200}));
    for (after, expected) in [(0, "ok"), (3_601, "ok"), (7_200, "ok"), (7_201, "expired")] {
        clock.set(UnixTime::from_secs(NOW).plus(secs(after)));
        let answer = app.send(netlify.request(&token, BODY)).await;
        assert_eq!((outcome(&answer), app.inner.calls()), (expected, 1), "{after}");
    }
}

#[test]
fn unsafe_settings_do_not_build() {
    let layer = || {
        let layer = webhook::layer::<Value>(Algorithm::HS256).body_digest_claim("sha256").secrets([SECRETS[0]]);
        layer.replay(replay()).clock(clock())
    };
    let remembers = || layer().handler_remembers();
    for (layer, expected, why) in [
        (layer(), "handler_remembers", "nothing recognises an old call"),
        (remembers().body_digest_claim(""), "body_digest_claim", "nothing signs the body"),
        (remembers().issuer(""), "issuer", "no issuer"),
        (remembers().tenant_header(""), "tenant_header", "no member"),
        (remembers().max_age(secs(32 * 86_400)), "max_age", "32 days"),
        (remembers().clock_skew(secs(3_601)), "clock_skew", "more than an hour"),
        (remembers().lease(secs(0)), "lease", "no time to answer in"),
    ] {
        let said = refused(layer.build());
        assert!(said.contains(expected), "{why}: {said}");
    }
    assert!(remembers().build().is_ok());
    assert!(layer().max_age(secs(300)).build().is_ok());
}

/// A layer that does not check the claim still refuses it.
#[tokio::test]
async fn a_sign_in_does_not_take_such_a_token() {
    let [_, plaid] = all();
    let layer = jwt::layer::<Value>(Algorithm::ES256).danger_any_audience().secrets([plaid.keys[0].0]);
    let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
    let token = plaid.token(0, json!({"exp": NOW + 60}));
    let request = Request::get(format!("/?sso_jwt={token}")).body(Full::default()).unwrap();
    assert_eq!(reason(&app.send(request).await), "bad_claim");
}
