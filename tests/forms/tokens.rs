//! A shared secret in other places than a JSON body, and the presets whose senders send one.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, Method, Request};
use http_body_util::Full;
use serde_json::Value;
use tower_sso::Builder;
use tower_sso::body::{FormBody, RawBody};
use tower_sso::clock::ManualClock;
use tower_sso::keys::{KeyUse, MemoryKeys};
use tower_sso::providers::{launches, webhooks};
use tower_sso::rejection::RefusedClaims;
use tower_sso::scheme::Place;
use tower_sso::shared_secret::{self, NoClaims, PrivateKeys, SharedSecret, UserName};
use tower_sso::tenant::Tenant;
use tower_sso::throttle::Throttle;

use crate::senders::contract::{Delivery, Facts, Preset};
use crate::support::subject::refused;
use crate::support::{App, Request_, clock, outcome, replay, secs, seen};

const SECRETS: [&str; 2] = ["k-9f86d081884c7d659a2f", "k-60303ae22b998861bce3"];
const BODY: &str = r#"{"id":1}"#;

fn request(uri: &str, headers: &[(&str, &str)], body: &str) -> Request_ {
    let mut request = Request::post(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

fn basic(user: &str, secret: &str) -> String {
    BASE64_STANDARD.encode(format!("{user}:{secret}"))
}

/// Claims that are not these are refused.
fn equal(claims: &str, expected: &str) -> Result<(), RefusedClaims> {
    if claims == expected { Ok(()) } else { Err(RefusedClaims::new("others")) }
}

/// How a sender sends its secret.
struct Sender {
    name: &'static str,
    layer: fn() -> Builder<SharedSecret<RawBody>>,
    call: fn(&str) -> Request_,
}

/// As the senders' contract sees them.
pub(crate) fn presets() -> Vec<Box<dyn Preset>> {
    senders().into_iter().map(|sender| Box::new(sender) as Box<dyn Preset>).collect()
}

impl Preset for Sender {
    fn name(&self) -> &'static str {
        self.name
    }

    fn secrets(&self) -> [&'static str; 2] {
        // Postmark's secret is a user name and a password.
        if self.name == "postmark" { ["ada:pass-word-1-of-ada", "ada:pass-word-2-of-ada"] } else { SECRETS }
    }

    fn facts(&self) -> Facts {
        let usual = Facts { every_delivery: true, any_content_type: true, optional_body: true, ..Facts::USUAL };
        Facts { signs_nothing: true, ..usual }
    }

    fn app(&self, _: &ManualClock, secrets: &[&'static str]) -> App {
        App::new((self.layer)().secrets(secrets.iter().copied()).build().unwrap())
    }

    fn request(&self, Delivery { keys, event, is_empty, .. }: &Delivery) -> Request_ {
        let body = if *is_empty { String::new() } else { format!("{{\"id\":{event}}}") };
        (self.call)(keys[0]).map(|_| Full::new(body.into()))
    }

    /// The secret is all that is checked.
    fn tampered(&self, delivery: &Delivery) -> Vec<(String, Request_)> {
        let secret = delivery.keys[0];
        let changed = |at| {
            let mut wrong = secret.as_bytes().to_vec();
            wrong[at] ^= 1;
            (format!("secret {at}"), (self.call)(std::str::from_utf8(&wrong).unwrap()))
        };
        (0..secret.len()).map(changed).collect()
    }
}

fn senders() -> Vec<Sender> {
    fn in_query(secret: &str) -> Request_ {
        request(&format!("/hook?a=1&token={secret}"), &[], BODY)
    }
    let plain = |secret: &str| request("/hook?a=1", &[("authorization", secret)], BODY);
    vec![
        Sender {
            name: "gitlab_token",
            layer: webhooks::gitlab_token,
            call: |secret| request("/hook?a=1", &[("X-Gitlab-Token", secret)], BODY),
        },
        Sender {
            name: "telegram",
            layer: webhooks::telegram,
            call: |secret| request("/hook?a=1", &[("X-Telegram-Bot-Api-Secret-Token", secret)], BODY),
        },
        Sender {
            name: "postmark",
            layer: webhooks::postmark,
            call: |secret| {
                let credentials = format!("Basic {}", BASE64_STANDARD.encode(secret));
                request("/hook?a=1", &[("authorization", &credentials)], BODY)
            },
        },
        Sender {
            name: "bigcommerce_webhook",
            layer: || webhooks::bigcommerce_webhook(HeaderName::from_static("x-hook-secret")),
            call: |secret| request("/hook?a=1", &[("x-hook-secret", secret)], BODY),
        },
        Sender { name: "okta", layer: webhooks::okta, call: plain },
        Sender { name: "auth0", layer: webhooks::auth0, call: plain },
        Sender {
            name: "flutterwave_v3",
            layer: webhooks::flutterwave_v3,
            call: |secret| request("/hook?a=1", &[("verif-hash", secret)], BODY),
        },
        Sender { name: "shippo", layer: webhooks::danger_shippo, call: in_query },
        Sender { name: "gumroad", layer: webhooks::danger_gumroad, call: in_query },
    ]
}

#[tokio::test]
async fn senders_of_a_secret() {
    for sender in senders() {
        let (name, [new, old]) = (sender.name, sender.secrets());
        let app = App::new((sender.layer)().secrets([new, old]).build().unwrap());
        for (secret, key) in [(new, KeyUse::Current), (old, KeyUse::Previous), (new, KeyUse::Current)] {
            let answer = app.send((sender.call)(secret)).await;
            assert_eq!(outcome(&answer), "ok", "{name}: a duplicate passes too");
            assert_eq!(seen(&answer).key, Some(key), "{name}");
            assert_eq!(seen(&answer).body, BODY, "{name}");
            assert_eq!(seen(&answer).uri, "/hook?a=1", "{name}: without the secret");
        }
        assert_eq!(outcome(&app.send((sender.call)(&new[..new.len() - 1])).await), "invalid", "{name}: cut short");
        assert_eq!(outcome(&app.send(request("/hook", &[], BODY)).await), "malformed", "{name}: no secret");
        let replay = (sender.layer)().secrets([new]).replay(replay()).build();
        assert!(refused(replay).contains("replay"), "{name}: nothing is remembered");
    }
}

#[tokio::test]
async fn tenants_have_secrets_of_their_own() {
    let keys = MemoryKeys::new().with("acme", SECRETS[0]).with("opera", SECRETS[1]);
    let layer = webhooks::gitlab_token::<Value>().keys(keys).tenant(Tenant::path_segment(1));
    let app = App::new(layer.build().unwrap());
    for (tenant, secret, expected) in [
        ("acme", SECRETS[0], "ok"),
        ("opera", SECRETS[1], "ok"),
        ("acme", SECRETS[1], "invalid"),
        ("nobody", SECRETS[0], "invalid"),
    ] {
        let answer = app.send(request(&format!("/hooks/{tenant}"), &[("x-gitlab-token", secret)], BODY)).await;
        assert_eq!(outcome(&answer), expected, "{tenant}");
        if expected == "ok" {
            assert_eq!(seen(&answer).tenant.as_deref(), Some(tenant));
        }
    }
    let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----";
    assert!(webhooks::telegram::<Value>().secrets([public]).build().is_err(), "a public key is no secret");
}

#[tokio::test]
async fn claims_are_read_from_what_the_sender_sends() {
    #[derive(serde::Deserialize)]
    struct Sale {
        id: String,
    }
    let token = [("x-token", SECRETS[0])];
    let place = || Place::header(HeaderName::from_static("x-token"));
    let json = shared_secret::by_tenant::<Value>().token_in(place()).require(["id"]).secrets(SECRETS);
    let json = App::new(json.build().unwrap());
    for (body, expected, why) in [
        (BODY, "ok", "an object"),
        (r#"{"id":null}"#, "rejected_claims", "a field that is required"),
        (r#"{"id":1,"id":2}"#, "rejected_claims", "a name twice"),
        ("[1]", "rejected_claims", "no object"),
        ("", "rejected_claims", "nothing"),
    ] {
        assert_eq!(outcome(&json.send(request("/", &token, body)).await), expected, "{why}");
    }
    let form = shared_secret::by_tenant::<FormBody<Sale>>().token_in(place()).secrets(SECRETS);
    let form = App::new(form.map_claims(|FormBody(sale)| equal(&sale.id, "a b")).build().unwrap());
    assert_eq!(outcome(&form.send(request("/", &token, "id=a+b&price=1")).await), "ok");
    assert_eq!(outcome(&form.send(request("/", &token, BODY)).await), "rejected_claims");
    // Nothing is read: the body may be larger than the layer reads, and compressed.
    let none = shared_secret::by_tenant::<NoClaims>().token_in(place()).secrets(SECRETS).body_limit(1);
    let none = App::new(none.build().unwrap());
    let zipped = [token[0], ("content-encoding", "gzip")];
    assert_eq!(seen(&none.send(request("/", &zipped, BODY)).await).body, BODY);
    let in_form = shared_secret::by_tenant::<FormBody<Sale>>().token_in(Place::form("token")).secrets(SECRETS);
    let in_form = App::new(in_form.build().unwrap());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("id=a&token={}", SECRETS[0]);
    assert_eq!(outcome(&in_form.send(request("/", &form, &body)).await), "ok");
    assert_eq!(outcome(&in_form.send(request("/", &form, "id=a&token=wrong")).await), "invalid");
    assert_eq!(outcome(&in_form.send(request("/", &token, &body)).await), "unsupported_media_type", "no form");
}

#[tokio::test]
async fn nextcloud_names_a_user_beside_the_secret() {
    for user in ["admin", "", "Zoë"] {
        let layer = launches::nextcloud_appapi().secrets(SECRETS);
        let app = App::new(layer.map_claims(move |UserName(named)| equal(&named, user)).build().unwrap());
        for (secret, expected) in [(SECRETS[0], "ok"), (SECRETS[1], "ok"), ("another", "invalid"), ("", "malformed")] {
            let header = [("authorization-app-api", &*basic(user, secret))];
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                let mut call = request("/ex-app", &header, "any body");
                *call.method_mut() = method;
                assert_eq!(outcome(&app.send(call).await), expected, "{user} {secret}");
            }
        }
    }
}

#[tokio::test]
async fn front_names_a_customer_in_the_query() {
    let keys = PrivateKeys::new().with("acme", [SECRETS[0]]).unwrap();
    let app = App::new(launches::danger_front_plugin(keys).build().unwrap());
    for (secret, expected) in [(SECRETS[0], "ok"), (SECRETS[0], "ok"), (SECRETS[1], "invalid")] {
        let mut call = request(&format!("/plugin?auth_secret={secret}&a=1"), &[], "");
        *call.method_mut() = Method::GET;
        let answer = app.send(call).await;
        assert_eq!(outcome(&answer), expected);
        if expected == "ok" {
            assert_eq!(
                (seen(&answer).tenant.as_deref(), &*seen(&answer).uri.to_string()),
                (Some("acme"), "/plugin?a=1")
            );
        }
    }
}

/// Ten wrong secrets of one source, and it has to wait, even with the right one.
#[tokio::test]
async fn wrong_secrets_in_headers_are_counted() {
    let clock = clock();
    let throttle = Throttle::by(|head| Some(head.headers.get("x-peer")?.to_str().ok()?.into()));
    let layer = webhooks::telegram::<Value>().secrets(SECRETS).throttle(throttle).clock(clock.clone());
    let app = App::new(layer.build().unwrap());
    let call = |peer: &'static str, secret: &'static str| {
        request("/hook", &[("x-peer", peer), ("x-telegram-bot-api-secret-token", secret)], BODY)
    };
    for _ in 0..10 {
        assert_eq!(outcome(&app.send(call("a", "wrong")).await), "invalid");
        assert_eq!(outcome(&app.send(call("b", SECRETS[0])).await), "ok");
    }
    for (peer, secret, expected) in [
        ("a", "wrong", "too_many_requests"),
        ("a", SECRETS[0], "too_many_requests"),
        ("b", "wrong", "invalid"),
        ("b", SECRETS[0], "ok"),
    ] {
        assert_eq!(outcome(&app.send(call(peer, secret)).await), expected, "{peer} {secret}");
    }
    clock.advance(secs(60));
    assert_eq!(outcome(&app.send(call("a", SECRETS[0])).await), "ok");
}

/// A request without the header passes without an identity; one with a wrong secret does not.
#[tokio::test]
async fn a_secret_may_be_optional() {
    let app = App::new(webhooks::gitlab_token::<RawBody>().secrets(SECRETS).optional().build().unwrap());
    let none = app.send_unsealed(request("/hook", &[], BODY)).await;
    assert!(!seen(&none).identified && seen(&none).body == BODY);
    assert_eq!(outcome(&app.send(request("/hook", &[("x-gitlab-token", "wrong")], BODY)).await), "invalid");
    let both = [("x-gitlab-token", SECRETS[0]), ("x-gitlab-token", SECRETS[0])];
    assert_eq!(outcome(&app.send(request("/hook", &both, BODY)).await), "malformed", "twice");
}

#[test]
fn places_that_do_not_build() {
    let layer = || shared_secret::by_tenant::<NoClaims>().secrets(SECRETS);
    let bad = Place::header_after(AUTHORIZATION, "two words");
    for (layer, said) in [
        (layer().token_in(Place::query("token")), "danger_token_in_query"),
        (layer().danger_token_in_query("a").token_in(Place::query("token")), "danger_token_in_query"),
        (layer().token_in(Place::cookie("token")), "forged requests"),
        (layer().token_in(bad), "token_in"),
    ] {
        let problem = refused(layer.build());
        assert!(problem.contains(said), "{problem}");
    }
    let named = shared_secret::by_tenant::<UserName>().token_in(Place::bearer()).secrets(SECRETS).build();
    assert!(refused(named).contains("password_in"));
    assert!(layer().danger_token_in_query("token").build().is_ok());
    assert!(refused(shared_secret::by_tenant::<NoClaims>().token_in(Place::bearer()).build()).contains("key"));
}

#[tokio::test]
async fn the_inner_service_does_not_see_the_header() {
    let layer = shared_secret::by_tenant::<RawBody>().token_in(Place::bearer()).secrets(SECRETS).build().unwrap();
    let show = tower::service_fn(|request: Request<tower_sso::body::LayerBody<Full<Bytes>>>| async move {
        assert!(!request.headers().contains_key(AUTHORIZATION));
        assert!(request.headers().contains_key(COOKIE));
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::default()))
    });
    let bearer = format!("Bearer {}", SECRETS[0]);
    let call = request("/", &[("authorization", &bearer), ("cookie", "a=1")], BODY);
    let answer = tower::ServiceExt::oneshot(tower::Layer::layer(&layer, show), call).await.unwrap();
    assert_eq!(answer.status(), 200);
}
