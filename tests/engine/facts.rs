//! A refusal says, to the operator alone, whose it was and what was compared.

use bytes::Bytes;
use http::{HeaderName, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::clock::UnixTime;
use tower_sso::jwt::Algorithm;
use tower_sso::keys::{MemoryKeys, Secret, TenantId};
use tower_sso::oauth1::Origin;
use tower_sso::rejection::Rejection;
use tower_sso::sign::{JwtSigner, OAuthLink, SigningWebhook};
use tower_sso::tenant::Tenant;
use tower_sso::{jwt, oauth1, webhook};

use crate::support::log::Log;
use crate::support::subject::{HttpSignatureSubject, SignedParametersSubject, Subject, Wish, keys};
use crate::support::{Answer, App, NOW, Request_, clock, replay};

const SECRET: &str = "a secret of acme that is long enough";

fn rejection(answer: &Answer) -> &Rejection {
    answer.extensions().get().unwrap()
}

fn facts(answer: &Answer) -> String {
    rejection(answer).facts().to_string()
}

fn get(uri: &str) -> Request_ {
    Request::get(uri).body(Full::default()).unwrap()
}

#[tokio::test]
async fn the_base_string_of_oauth_is_named() {
    let layer = oauth1::layer::<Value>(Origin::new("https://rp.example"));
    let keys = MemoryKeys::new().with("acme", SECRET);
    let app = App::new(layer.keys(keys).replay(replay()).clock(clock()).build().unwrap());
    // Signed for http.
    let link = OAuthLink::new("http://rp.example/launch", "acme", &SECRET.into());
    let uri = link.issued_at(UnixTime::from_secs(NOW)).nonce("n1").uri(&[("user", "ada"), ("a", "1")]).unwrap();
    let log = Log::start();
    let answer = app.send(get(&uri)).await;
    let rejection = rejection(&answer);
    assert_eq!(rejection.reason().as_str(), "bad_signature");
    assert_eq!(rejection.tenant().map(TenantId::as_str), Some("acme"));
    assert_eq!(rejection.facts().get("base_string_uri"), Some("https://rp.example/launch"));
    let signed = "user a oauth_consumer_key oauth_nonce oauth_signature_method oauth_timestamp oauth_version";
    assert_eq!(rejection.facts().get("signed"), Some(signed));
    // At whatever level: other tests may have used this second's lines up.
    let text = log.text();
    let [line] = &text.lines().filter(|line| line.contains("refused")).collect::<Vec<_>>()[..] else {
        panic!("{text}")
    };
    for said in ["tenant=acme", "reason=\"bad_signature\"", "base_string_uri: https://rp.example/launch"] {
        assert!(line.contains(said), "{said} in {line}");
    }
    for secret in [SECRET, "ada"] {
        assert!(!line.contains(secret), "{line}");
    }
}

#[tokio::test]
async fn ages_and_limits_are_told_in_seconds() {
    let layer = jwt::layer::<Value>(Algorithm::HS256).audience("rp").secrets([SECRET]);
    let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
    let signer = JwtSigner::new(Algorithm::HS256, &SECRET.into()).unwrap();
    for (iat, exp, expected) in [
        (NOW - 900, NOW - 500, "age: 900 s; oldest: 460 s; ahead_at_most: 60 s"),
        (NOW + 300, NOW + 600, "age: -300 s; oldest: 360 s; ahead_at_most: 60 s"),
    ] {
        let token = signer.token(&json!({"aud": "rp", "sub": "ada", "iat": iat, "exp": exp})).unwrap();
        assert_eq!(facts(&app.send(get(&format!("/?sso_jwt={token}"))).await), expected);
    }
}

#[tokio::test]
async fn a_wrong_unit_of_time_is_named() {
    let time = HeaderName::from_static("x-time");
    let layer = webhook::layer::<Value>().timestamp_header(time).signed("{timestamp}.{body}").secrets([SECRET]);
    let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
    let signer = SigningWebhook::new(SECRET.into());
    let milliseconds = format!("{NOW}000");
    let signature = signer.signature(&[milliseconds.as_bytes(), b".{}"]);
    let request = Request::post("/").header("webhook-signature", signature).header("x-time", &milliseconds);
    let answer = app.send(request.header("content-type", "application/json").body(Full::from("{}")).unwrap()).await;
    assert_eq!(rejection(&answer).reason().as_str(), "not_yet_valid");
    assert_eq!(
        rejection(&answer).facts().get("hint"),
        Some("the time looks like milliseconds, and is read as seconds")
    );
}

#[tokio::test]
async fn the_content_type_that_came_is_told() {
    let layer = webhook::layer::<Value>().secrets([SECRET]).replay(replay()).handler_remembers();
    let app = App::new(layer.clock(clock()).build().unwrap());
    for (given, expected) in [
        (None, "none"),
        (Some("text/plain; charset=utf-8"), "text/plain; charset=utf-8"),
        (Some("text/\u{e9}"), "not readable"),
    ] {
        let mut request = SigningWebhook::new(SECRET.into()).sign("{}").request("/").map(Full::from);
        request.headers_mut().remove("content-type");
        if let Some(given) = given {
            request.headers_mut().insert("content-type", given.as_bytes().try_into().unwrap());
        }
        let answer = app.send(request.map(|body: Full<Bytes>| body)).await;
        assert_eq!(rejection(&answer).reason().as_str(), "content_type");
        assert_eq!(facts(&answer), format!("content_type: {expected}"));
    }
}

#[tokio::test]
async fn where_a_tenant_was_looked_for_is_told() {
    let layer = webhook::layer::<Value>().keys(MemoryKeys::new().with("acme", SECRET)).tenant(Tenant::host());
    let app = App::new(layer.replay(replay()).handler_remembers().clock(clock()).build().unwrap());
    let call = SigningWebhook::new(Secret::new(SECRET)).sign("{}").request("/");
    let answer = app.send(call.map(|body| Full::from(Bytes::from(body)))).await;
    assert_eq!(rejection(&answer).tenant(), None);
    assert_eq!(facts(&answer), "tenant_of: Tenant::host(); body: 2 bytes; signatures: 1; signed: {body}");
    // Nothing of it is in the answer.
    assert!(!String::from_utf8_lossy(answer.body()).contains("tenant"), "{:?}", answer.body());
}

#[tokio::test]
async fn the_responder_sees_the_whole_request() {
    let layer = webhook::layer::<Value>().secrets([SECRET]).namespace("signup").replay(replay()).handler_remembers();
    let layer = layer.responder(|rejection, head| {
        assert_eq!((rejection.namespace(), head.uri.path(), head.method.as_str()), ("signup", "/hook", "POST"));
        rejection.problem_json()
    });
    let app = App::new(layer.clock(clock()).build().unwrap());
    let answer = app.send(Request::post("/hook").body(Full::default()).unwrap()).await;
    assert_eq!(rejection(&answer).tenant().map(TenantId::as_str), Some("default"));
}

#[tokio::test]
async fn the_names_of_what_was_signed_are_told() {
    let wish = Wish { key: 2, ..Wish::default() };
    let parameters = SignedParametersSubject::app_with(keys::<SignedParametersSubject>(), replay(), clock());
    let answer = parameters.send(SignedParametersSubject::request(&wish)).await;
    assert_eq!(facts(&answer), "signed: s_org s_sub s_ts; text: 36 bytes");
    let message = HttpSignatureSubject::app_with(keys::<HttpSignatureSubject>(), replay(), clock());
    let answer = message.send(HttpSignatureSubject::request(&wish)).await;
    assert_eq!(rejection(&answer).facts().get("signed"), Some("@method @target-uri content-digest"));
    // Eloqua's way of sorting is one more text that may have been signed.
    let layer = oauth1::layer::<Value>(Origin::new("https://rp.example")).names_sorted_without_case();
    let layer = layer.keys(MemoryKeys::new().with("acme", SECRET)).replay(replay()).clock(clock()).build().unwrap();
    let link = OAuthLink::new("http://rp.example/", "acme", &SECRET.into()).issued_at(UnixTime::from_secs(NOW));
    let answer = App::new(layer).send(get(&link.nonce("n").uri(&[]).unwrap())).await;
    assert_eq!(rejection(&answer).facts().get("readings"), Some("2"));
}
