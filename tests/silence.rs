//! No answer and no log line contains a secret, a credential or its claims.

mod support;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use support::log::Log;
use support::subject::{
    FernetSubject, JwtSubject, OAuth1Subject, SealedSubject, SharedSecretSubject, SignedJsonSubject,
    SignedParametersSubject, SignedPayloadSubject, Spoil, Subject, TimestampHashSubject, WebhookSubject, Wish, get,
    keys,
};
use support::{App, NOW, Request_, clock, outcome, reason, replay};
use tower_sso::rejection::RefusedClaims;
use tower_sso::scheme::{Place, TimeFormat};
use tower_sso::sign::SigningWebhook;
use tower_sso::signed_payload::{self, Layout};
use tower_sso::store::StoreError;

/// Provokes every refusal. Returns the outcomes, and what must appear nowhere.
async fn run<S: Subject>(answers: &mut String) -> (Vec<&'static str>, Vec<String>) {
    let app: App = S::app_with(keys::<S>(), replay(), clock());
    let wish = Wish { subject: "ada@example.com".into(), ..Wish::default() };
    let good = S::request(&wish);
    let mut secrets =
        vec!["ada@example.com".to_owned(), "ada%40example.com".into(), "whsec".into(), "private key".into()];
    secrets.extend((0..4).filter_map(|number| String::from_utf8(S::key(number).expose().to_vec()).ok()));
    if let Some(signature) = good.headers().get("webhook-signature") {
        secrets.push(signature.to_str().unwrap().to_owned());
    }
    let credentials = ["token=", "sso_jwt=", "hash=", "sig=", "oauth_signature="];
    for (_, credential) in credentials.iter().filter_map(|name| good.uri().query().unwrap().split_once(name)) {
        // A token's parts, and what of a part is read before the rest.
        for part in credential.split('&').next().unwrap().split('.') {
            secrets.extend([part.to_owned(), part.chars().take(24).collect()]);
        }
    }
    let mut outcomes = Vec::new();
    let spoilt =
        [Spoil::Content, Spoil::Signature, Spoil::Twice, Spoil::Absent, Spoil::Alphabet, Spoil::Short, Spoil::Oversize];
    let spoilt = spoilt.into_iter().filter_map(|how| S::spoil(good.clone(), how));
    let unknown = S::request(&Wish { tenant: "nobody", ..wish.clone() });
    let wrong_key = S::request(&Wish { key: 3, ..wish.clone() });
    for request in spoilt.chain([unknown, wrong_key, good.clone(), good.clone()]) {
        let answer = app.send(request).await;
        outcomes.push(outcome(&answer));
        answers.push_str(&format!("{:?} {}\n", answer.headers(), String::from_utf8_lossy(answer.body())));
    }
    (outcomes, secrets)
}

#[tokio::test(start_paused = true)]
async fn nothing_secret_is_said() {
    let log = Log::start();
    let mut answers = String::new();
    let mut secrets = Vec::new();
    for (outcomes, more) in [
        run::<FernetSubject>(&mut answers).await,
        run::<JwtSubject>(&mut answers).await,
        run::<OAuth1Subject>(&mut answers).await,
        run::<SealedSubject>(&mut answers).await,
        run::<SharedSecretSubject>(&mut answers).await,
        run::<SignedJsonSubject>(&mut answers).await,
        run::<SignedParametersSubject>(&mut answers).await,
        run::<SignedPayloadSubject>(&mut answers).await,
        run::<TimestampHashSubject>(&mut answers).await,
        run::<WebhookSubject>(&mut answers).await,
    ] {
        assert!(outcomes.contains(&"ok") && outcomes.contains(&"invalid") && outcomes.contains(&"malformed"));
        secrets.extend(more);
    }
    let log = log.text();
    for expected in ["bad_signature", "unknown_key", "duplicate_parameter", "replayed", "accepted", "acknowledged"] {
        assert!(log.contains(expected), "operators see {expected}:\n{log}");
        assert!(!answers.contains("bad_signature") && !answers.contains("unknown_key"), "clients do not");
    }
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log:\n{log}");
        assert!(!answers.contains(&secret), "{secret} is in an answer:\n{answers}");
    }
}

/// In a header, a cookie, a form, JSON: what is wrong with it is said, and nothing of it.
#[tokio::test(start_paused = true)]
async fn nothing_is_said_of_a_credential_wherever_it_is() {
    const SECRET: &str = "a payload's secret, long enough";
    let payload = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"iat":{NOW},"sub":"ada@example.com"}}"#));
    let mac = SigningWebhook::new(SECRET.into()).signature(&[payload.as_bytes()]);
    let good = format!("{payload}.{mac}");
    let forged = format!("{payload}.{}{}", if mac.starts_with('0') { "1" } else { "0" }, &mac[1..]);
    let (short, wild) = (good[..good.len() - 2].to_owned(), good.replace(&payload[..3], "(!)"));
    let in_header = |name: &str, value: String| {
        http::Request::post("/").header(name, value).body(http_body_util::Full::default()).unwrap()
    };
    let in_body = |kind: &str, body: String| {
        http::Request::post("/").header("content-type", kind).body(http_body_util::Full::from(body)).unwrap()
    };
    type Make<'a> = &'a dyn Fn(&str) -> Request_;
    let places: [(Place, Make<'_>); 6] = [
        (Place::query("t"), &|token| {
            http::Request::post(format!("/?t={token}")).body(http_body_util::Full::default()).unwrap()
        }),
        (Place::header("x-token".parse().unwrap()), &|token| in_header("x-token", token.to_owned())),
        (Place::bearer(), &|token| in_header("authorization", format!("Bearer {token}"))),
        (Place::cookie("t"), &|token| in_header("cookie", format!("a=1; t={token}"))),
        (Place::form("t"), &|token| in_body("application/x-www-form-urlencoded", format!("a=1&t={token}"))),
        (Place::json("t"), &|token| in_body("application/json", format!(r#"{{"t":"{token}"}}"#))),
    ];
    let log = Log::start();
    let mut answers = String::new();
    for (place, request) in places {
        let layer = signed_payload::layer::<serde_json::Value>(Layout::payload_first(place, "."));
        let layer = layer.issued_at("iat", TimeFormat::Seconds).methods([http::Method::POST]).secrets([SECRET]);
        let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
        for (token, expected) in
            [(&good, "ok"), (&good, "replayed"), (&forged, "invalid"), (&short, "malformed"), (&wild, "malformed")]
        {
            let answer = app.send(request(token)).await;
            assert_eq!(outcome(&answer), expected);
            answers.push_str(&format!("{:?} {}\n", answer.headers(), String::from_utf8_lossy(answer.body())));
        }
    }
    for secret in [SECRET, "ada@example.com", &payload[..20], &payload[20..40], &mac[1..20], &mac[20..40]] {
        assert!(!log.text().contains(secret), "{secret} is in the log:\n{}", log.text());
        assert!(!answers.contains(secret), "{secret} is in an answer:\n{answers}");
    }
}

/// Text that would read as a log line of its own.
const FORGED: &str = "2023-11-14T22:13:20Z  INFO tower_sso: credential accepted form=\"oauth1\" user=\"root\"";

/// RFC 5849, 3.1: duplicate names are refused before the signature check, so anybody can choose them.
#[tokio::test]
async fn a_parameters_name_forges_no_line() {
    let log = Log::start();
    let name = format!("oauth_\n{FORGED}\n\u{1b}[31m\u{2028}{}", "x".repeat(30_000));
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let app = OAuth1Subject::app_with(keys::<OAuth1Subject>(), replay(), clock());
    let answer = app.send(get(&format!("/launch?oauth_signature=x&{name}=1&{name}=2"))).await;
    assert_eq!(reason(&answer), "duplicate_parameter");
    let log = log.text();
    assert!(log.contains("duplicate_parameter") && log.lines().count() == 1, "{log}");
    assert!(!log.contains("root") && log.len() < 500, "nothing of it is said: {log}");
}

/// A form that signs whatever there is names the parameter that is wrong, which anybody can choose.
#[tokio::test]
async fn a_signed_parameters_name_stays_in_its_line() {
    let app = SignedParametersSubject::app_with(keys::<SignedParametersSubject>(), replay(), clock());
    let sig = "0".repeat(64);
    let name = |end: &str| {
        let name = format!("s_\n{FORGED}\n\u{1b}[31m\u{2028}{}{end}", "x".repeat(30_000));
        url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>()
    };
    for (query, expected) in [
        (format!("{0}=1&{0}=2", name("")), "duplicate_parameter"),
        (format!("{}=%zz", name("")), "malformed"),
        (format!("{}=1", name("=")), "malformed"),
    ] {
        let log = Log::start();
        let answer = app.send(get(&format!("/sso?{query}&sig={sig}"))).await;
        assert_eq!(reason(&answer), expected);
        let log = log.text();
        assert!(log.contains(expected) && log.lines().count() == 1, "{log}");
        assert!(!log.trim_end().contains(char::is_control) && log.len() < 1_000, "{log}");
    }
}

/// Text of the application, or of its own form, about the request.
#[tokio::test(start_paused = true)]
async fn words_about_a_request_stay_in_their_line() {
    let log = Log::start();
    let said = format!("no such role: o'\"x\\\r\n{FORGED}\n\u{1b}[31m\u{2028}\u{202e}\u{85}é{}", "y".repeat(30_000));
    let refuse = move |_: serde_json::Value| Err::<(), _>(RefusedClaims::new(said.clone()));
    let layer = OAuth1Subject::layer(keys::<OAuth1Subject>(), replay(), clock()).map_claims(refuse);
    let app = App::new(layer.build().unwrap());
    let answer = app.send(OAuth1Subject::request(&Wish::default())).await;
    assert_eq!(outcome(&answer), "rejected_claims");
    let log = log.text();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains(r#"no such role: o'"x\\\r\n2023-11-14"#), "quotes stay, all else is escaped: {log}");
    assert!(log.contains(r"\n\u{1b}[31m\u{2028}\u{202e}\u{85}éyyy") && log.trim_end().ends_with("yyy…"), "{log}");
    assert!(!log.trim_end().contains(char::is_control) && log.len() < 1_000, "{log}");
}

/// A store's error may quote its input.
#[tokio::test(start_paused = true)]
async fn a_stores_words_stay_in_their_line() {
    let log = Log::start();
    let failing = tower_sso::keys::from_fn(|tenant: tower_sso::keys::TenantId| async move {
        Err(StoreError::new(format!("no connection for {tenant}\n{FORGED}")))
    });
    let layer = tower_sso::oauth1::layer::<serde_json::Value>(tower_sso::oauth1::Origin::new("https://rp.example"));
    let app = App::new(layer.keys(failing).replay(replay()).clock(clock()).build().unwrap());
    let answer = app.send(OAuth1Subject::request(&Wish::default())).await;
    assert_eq!(outcome(&answer), "unavailable");
    let log = log.text();
    assert!(
        log.contains(r"no connection for acme\n2023") && log.lines().count() == 2,
        "the failure, the refusal: {log}"
    );
}
