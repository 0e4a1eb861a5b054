//! What is special about the shared secret form.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::keys::{Key, KeyUse, Secret};
use tower_sso::providers::seatmap::{self, SeatmapLogin, SeatmapRegistration};
use tower_sso::rejection::Code;
use tower_sso::shared_secret::{self, PrivateKeyStore, PrivateKeys, TokenDigest};
use tower_sso::throttle::{Source, Throttle};

use crate::support::log::Log;
use crate::support::subject::refused;
use crate::support::{Answer, App, NOW, Request_, clock, outcome, reason, secs, seen};

const KEY: &str = "k-9f86d081884c7d659a2f";
const OLD_KEY: &str = "k-60303ae22b998861bce3";
const OPERAS_KEY: &str = "k-fcde2b2edba56bf40860";

fn keys() -> PrivateKeys {
    PrivateKeys::new().with("default", [KEY, OLD_KEY]).unwrap().with("opera", [OPERAS_KEY]).unwrap()
}

fn app() -> App {
    App::new(seatmap::autologin(keys()).build().unwrap())
}

fn post(body: impl Into<Bytes>) -> Request_ {
    let request = Request::post("/api/auth/autologin?b=1").header("content-type", "application/json");
    request.body(Full::new(body.into())).unwrap()
}

fn login(token: &str) -> String {
    format!(r#"{{"login": "jd@seatmap.pro", "firstName": "John", "lastName": "Doe", "token": "{token}"}}"#)
}

async fn send(body: impl Into<Bytes>) -> &'static str {
    outcome(&app().send(post(body)).await)
}

#[tokio::test]
async fn the_key_says_whose_user_it_is_and_may_come_again() {
    let app = app();
    for (token, tenant, key) in [
        (KEY, "default", KeyUse::Current),
        (OLD_KEY, "default", KeyUse::Previous),
        (OPERAS_KEY, "opera", KeyUse::Current),
    ] {
        let first = app.send(post(login(token))).await;
        let again = app.send(post(login(token))).await;
        for answer in [&first, &again] {
            assert_eq!(outcome(answer), "ok");
            assert_eq!(seen(answer).tenant.as_deref(), Some(tenant));
            assert_eq!(seen(answer).key, Some(key));
            assert_eq!(seen(answer).body, login(token), "as received");
        }
    }
    assert_eq!(app.inner.calls(), 6);
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let long = |length: usize| format!(r#"{{"login":"a@b.c","token":"{}"}}"#, "x".repeat(length));
    for (body, expected, why) in [
        (login(KEY), "ok", "the sample"),
        (format!(r#"{{"login":"a@b.c","token":"{KEY}"}}"#), "ok", "what real integrations send"),
        (
            format!(r#" {{"token":"{KEY}","login":"a@b.c","more":[{{"a":1}},{{"a":2}}],"x":null}} "#),
            "ok",
            "fields that are unknown",
        ),
        (format!(r#"{{"login":"a@b.c","firstName":null,"token":"{KEY}"}}"#), "ok", "null is absent"),
        (format!(r#"{{"login":"a@b.c","t\u006fken":"{KEY}"}}"#), "ok", "an escaped name"),
        (login("k-9f86d081884c7d659a2e"), "invalid", "another token"),
        (login(&KEY.to_uppercase()), "invalid", "case counts"),
        (login(&format!("{KEY} ")), "invalid", "nothing is trimmed"),
        (login(" "), "invalid", "blank is no key"),
        (long(1_024), "invalid", "the longest token"),
        (long(1_025), "malformed", "too long"),
        (login(""), "malformed", "empty"),
        (r#"{"login":"a@b.c"}"#.into(), "malformed", "no token"),
        (r#"{"login":"a@b.c","token":null}"#.into(), "malformed", "null"),
        (r#"{"login":"a@b.c","token":1}"#.into(), "malformed", "a number"),
        (format!(r#"{{"login":"a@b.c","token":["{KEY}"]}}"#), "malformed", "a list"),
        (format!(r#"{{"login":"a@b.c","Token":"{KEY}"}}"#), "malformed", "names are not folded"),
        (format!(r#"{{"token":"{KEY}","login":"a@b.c","token":"{KEY}"}}"#), "malformed", "the token twice"),
        (format!(r#"{{"token":"x","login":"a@b.c","t\u006fken":"{KEY}"}}"#), "malformed", "twice in two spellings"),
        (format!(r#"{{"token":"{KEY}","login":"a@b.c","login":"root@b.c"}}"#), "malformed", "the login twice"),
        (format!(r#"{{"token":"{KEY}","login":"a@b.c","x":{{"a":1,"a":2}}}}"#), "malformed", "twice in the depth"),
        (format!(r#"[{}]"#, login(KEY)), "malformed", "no object"),
        (format!("{}x", login(KEY)), "malformed", "something after it"),
        (format!("\u{feff}{}", login(KEY)), "malformed", "a byte order mark"),
        (format!("login=a%40b.c&token={KEY}"), "malformed", "a form"),
        (String::new(), "malformed", "empty"),
        (format!(r#"{{"token":"{KEY}"}}"#), "rejected_claims", "no login"),
        (format!(r#"{{"login":null,"token":"{KEY}"}}"#), "rejected_claims", "a null login"),
        (format!(r#"{{"login":" ","token":"{KEY}"}}"#), "rejected_claims", "a blank login"),
        (format!(r#"{{"login":7,"token":"{KEY}"}}"#), "rejected_claims", "a login that is no string"),
        (r#"{"token":"x"}"#.into(), "invalid", "a wrong token is not told what else is wrong"),
    ] {
        assert_eq!(send(body.clone()).await, expected, "{why}: {body:.200}");
    }
    assert_eq!(send(&b"{\"login\":\"\xff\",\"token\":\"x\"}"[..]).await, "malformed", "no UTF-8");
    assert_eq!(send(vec![b' '; 64 * 1024 + 1]).await, "payload_too_large");
}

#[tokio::test]
async fn content_types_and_foreign_headers() {
    for (headers, expected, why) in [
        (&[("content-type", "application/json; charset=utf-8")][..], "ok", "parameters"),
        (&[("content-type", "Application/JSON")], "ok", "case"),
        (&[("content-type", "application/json"), ("authorization", "Bearer foreign")], "ok", "a foreign Authorization"),
        (&[("content-type", "application/json"), ("content-encoding", "identity")], "ok", "identity"),
        (&[("content-type", "application/json"), ("content-encoding", "gzip")], "unsupported_media_type", "compressed"),
        (&[("content-type", "text/plain")], "unsupported_media_type", "another type"),
        (
            &[("content-type", "application/json"), ("content-type", "text/plain")],
            "unsupported_media_type",
            "two types",
        ),
        (&[], "unsupported_media_type", "no type"),
    ] {
        let mut request = post(login(KEY));
        request.headers_mut().clear();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        assert_eq!(outcome(&app().send(request).await), expected, "{why}");
    }
}

#[tokio::test]
async fn claims_are_the_rest_of_the_object() {
    let layer = shared_secret::layer::<Value>(keys()).token_field("secret").map_claims(|claims| {
        assert_eq!(claims, serde_json::json!({"login": "a@b.c", "token": "theirs"}));
        Ok(claims)
    });
    let body = format!(r#"{{"login":"a@b.c","token":"theirs","secret":"{KEY}"}}"#);
    assert_eq!(outcome(&App::new(layer.build().unwrap()).send(post(body)).await), "ok");
    assert!(refused(shared_secret::layer::<Value>(keys()).token_field("").build()).contains("token_field"));

    let user: SeatmapLogin = serde_json::from_str(&login(KEY)).unwrap();
    assert_eq!((user.first_name.as_deref(), user.last_name.as_deref()), (Some("John"), Some("Doe")));
    for bad in [r#"{"email":" ","password":"x"}"#, r#"{"email":"a@b.c","password":""}"#] {
        assert!(serde_json::from_str::<SeatmapRegistration>(bad).is_err(), "{bad}");
    }
}

#[test]
fn private_keys_are_kept_as_digests_and_changed_at_run_time() {
    let keys = keys();
    let find = |token: &str| {
        let found = futures::FutureExt::now_or_never(keys.find(&TokenDigest::of(&token.into()))).unwrap();
        found.unwrap().map(|key| key.owner().unwrap().to_string())
    };
    assert_eq!(find(KEY).as_deref(), Some("default"));
    keys.insert("default", ["k-new-key", KEY, KEY]).unwrap();
    assert_eq!(find("k-new-key").as_deref(), Some("default"));
    assert_eq!(find(OLD_KEY), None, "left out");
    for (refused, why) in [
        (keys.insert("other", [""]), "empty"),
        (keys.insert("other", ["good", " \t"]), "blank"),
        (keys.insert("other", [""; 0]), "none"),
        (keys.insert("other", ["good", OPERAS_KEY]), "another organisation's"),
        (keys.insert("default", [OPERAS_KEY]), "another organisation's"),
    ] {
        assert!(refused.is_err(), "{why}");
    }
    assert_eq!((find("good"), find("k-new-key").as_deref()), (None, Some("default")), "nothing was changed");
    keys.remove("opera");
    assert_eq!(find(OPERAS_KEY), None);
    keys.insert("default", [OPERAS_KEY]).unwrap();

    let digest = TokenDigest::of(&KEY.into());
    assert_eq!(TokenDigest::parse(&digest.to_hex()).unwrap().secret(), digest.secret());
    for bad in ["", "ab", &digest.to_hex().to_uppercase(), &"é".repeat(32), &"0".repeat(63)] {
        assert!(TokenDigest::parse(bad).is_none(), "{bad}");
    }
    for shown in [format!("{keys:?}"), format!("{digest:?}"), format!("{:?}", seatmap::autologin(keys.clone()))] {
        assert!(!shown.contains(KEY) && !shown.contains(&digest.to_hex()), "{shown}");
    }
    let key = futures::FutureExt::now_or_never(keys.find(&TokenDigest::of(&OPERAS_KEY.into()))).unwrap().unwrap();
    assert_ne!(*key.unwrap().secret(), Secret::new(OPERAS_KEY));
}

#[test]
fn raw_tokens_are_refused_as_keys() {
    assert!(refused(shared_secret::layer::<Value>(keys()).secrets([KEY]).build()).contains("PrivateKeys"));
}

/// An app that throttles by the header `x-peer`, which stands for the peer's address.
fn throttled(time: &ManualClock) -> App {
    let throttle = Throttle::by(|head| Some(head.headers.get("x-peer")?.to_str().ok()?.into()));
    // The throttle uses the layer's clock, in whichever order the two are set, also with `map_claims`.
    let layer = seatmap::autologin(keys()).throttle(throttle).clock(time.clone()).map_claims(Ok);
    App::new(layer.build().unwrap())
}

async fn from(app: &App, peer: &str, body: &str) -> Answer {
    let mut request = post(body.to_owned());
    request.headers_mut().insert("x-peer", peer.parse().unwrap());
    app.send(request).await
}

#[tokio::test]
async fn guesses_are_throttled_per_source() {
    // The window of 60 s began 20 s ago, since windows are counted from the epoch.
    assert_eq!(NOW % 60, 20);
    let time = clock();
    let app = throttled(&time);
    for n in 0..10 {
        assert_eq!(outcome(&from(&app, "a", &login(&format!("guess {n}"))).await), "invalid");
    }
    for body in [login("guess"), login(KEY), "{".into()] {
        let answer = from(&app, "a", &body).await;
        assert_eq!((outcome(&answer), reason(&answer)), ("too_many_requests", "too_many_guesses"), "{body}");
        assert_eq!(answer.status(), Code::TooManyRequests.status());
        assert_eq!(answer.headers()["retry-after"], "40");
    }
    assert_eq!(outcome(&from(&app, "b", &login(KEY)).await), "ok", "others are not locked out");
    assert_eq!(outcome(&app.send(post(login(KEY))).await), "ok", "nor is who has no source");

    time.advance(secs(39));
    assert_eq!(outcome(&from(&app, "a", &login(KEY)).await), "too_many_requests");
    time.set(UnixTime::from_nanos(time_nanos(&time) + 500_000_000));
    assert_eq!(from(&app, "a", &login(KEY)).await.headers()["retry-after"], "1", "rounded up");
    time.advance(secs(1));
    assert_eq!(outcome(&from(&app, "a", &login(KEY)).await), "ok", "in the next window");
}

/// The first of them says what to mend.
#[tokio::test]
async fn wrong_secrets_without_a_source_are_logged_once() {
    let log = Log::start();
    let app = throttled(&clock());
    assert_eq!(outcome(&app.send(post(login(KEY))).await), "ok");
    assert_eq!(outcome(&from(&app, "a", &login("guess")).await), "invalid");
    assert_eq!(log.warnings(), [""; 0], "nothing is missed");
    for _ in 0..3 {
        assert_eq!(outcome(&app.send(post(login("guess"))).await), "invalid");
    }
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("wrong secrets are not counted") && warnings[0].contains("ConnectInfo"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn the_log_says_that_nobody_has_the_secret() {
    let log = Log::start();
    assert_eq!(reason(&app().send(post(login("guess"))).await), "unknown_key");
    let said = log.text(); // in a busy second at `DEBUG`
    assert!(said.contains(r#"reason="unknown_key" detail=nobody has this secret"#), "{said}");
    assert!(!said.contains("tenant"), "none is named: {said}");
}

fn time_nanos(time: &ManualClock) -> i64 {
    tower_sso::clock::Clock::now(time).as_nanos()
}

#[tokio::test]
async fn only_wrong_secrets_count() {
    let app = throttled(&clock());
    for _ in 0..30 {
        assert_eq!(outcome(&from(&app, "a", &login(KEY)).await), "ok");
        assert_eq!(outcome(&from(&app, "a", "{").await), "malformed");
        assert_eq!(outcome(&from(&app, "a", &format!(r#"{{"token":"{KEY}"}}"#)).await), "rejected_claims");
    }
    for _ in 0..9 {
        assert_eq!(outcome(&from(&app, "a", &login("guess")).await), "invalid");
    }
    assert_eq!(outcome(&from(&app, "a", &login(KEY)).await), "ok", "nine are not ten");
}

/// The key store takes its time, so all of them are looked up before the first is known to be wrong.
#[tokio::test(start_paused = true)]
async fn guesses_at_the_same_moment_are_throttled_too() {
    let keys = |digest: TokenDigest| async move {
        tokio::time::sleep(secs(1)).await;
        let is_known = digest.to_hex() == TokenDigest::of(&KEY.into()).to_hex();
        Ok::<_, std::io::Error>(is_known.then(|| Key::current(digest.secret()).owned_by("acme".into())))
    };
    let throttle = Throttle::by(|_| Some(Source::from("one"))).limit(10);
    let app = App::new(shared_secret::layer::<Value>(keys).throttle(throttle).clock(clock()).build().unwrap());
    let send = |token: String| {
        let app = app.clone();
        async move { outcome(&app.send(post(login(&token))).await) }
    };
    let tokens = (0..50).map(|guess| if guess == 30 { KEY.to_owned() } else { format!("guess {guess}") });
    let answers = futures::future::join_all(tokens.map(send)).await;
    assert_eq!(answers.iter().filter(|answer| **answer == "invalid").count(), 10, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| **answer == "too_many_requests").count(), 40, "the right one too");
}

#[tokio::test]
async fn a_key_without_an_owner_is_nobodys() {
    let keys = |digest: TokenDigest| async move { Ok::<_, std::io::Error>(Some(Key::current(digest.secret()))) };
    let app = App::new(shared_secret::layer::<Value>(keys).clock(clock()).build().unwrap());
    let answer = app.send(post(login(KEY))).await;
    assert_eq!((outcome(&answer), reason(&answer)), ("unavailable", "key_store"));
    assert_eq!(app.inner.calls(), 0);
}

#[test]
fn a_throttle_is_bounded_and_counts_each_attempt_once() {
    let head = |peer: &'static str| {
        let (mut head, ()) = Request::new(()).into_parts();
        head.extensions.insert(Source::from(peer));
        head
    };
    let by = || Throttle::by(|head| head.extensions.get::<Source>().cloned()).clock(clock());
    let throttle = by().limit(2);
    for _ in 0..2 {
        let attempt = throttle.attempt(&head("a")).unwrap();
        (0..5).for_each(|_| attempt.wrong());
    }
    assert!(throttle.attempt(&head("a")).is_err());
    assert!(throttle.clone().check(&head("a")).is_err(), "clones share the counts");
    assert!(throttle.check(&head("b")).is_ok());

    let throttle = by().limit(1).capacity(1);
    throttle.attempt(&head("a")).unwrap().wrong();
    throttle.attempt(&head("b")).unwrap().wrong();
    assert!(throttle.check(&head("a")).is_err(), "what is counted stays counted");
    assert!(throttle.check(&head("b")).is_ok(), "what is above the capacity is not");

    let throttle = by().limit(1).window(secs(0));
    throttle.attempt(&head("a")).unwrap().wrong();
    assert!(throttle.check(&head("a")).is_err(), "a window of nothing does not panic");
}
