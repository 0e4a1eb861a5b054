//! Where Fernet tokens, and fields with a timestamp hash, may be: a query, a form, a JSON object, a header, a cookie.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::Value;
use tower_sso::fernet;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::scheme::{Place, Source};
use tower_sso::sign::{FernetLink, HashedLink};
use tower_sso::signed_parameters::{self, Join, Order, Recipe as Pairs, Text};
use tower_sso::timestamp_hash::{self, Digest, Recipe};

use crate::support::subject::refused;
use crate::support::{App, NOW, Request_, clock, outcome, replay, seen};

const SECRET: &str = "the secret of the places, which is long enough";
const FERNET_KEY: &str = "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=";
const METHODS: [Method; 2] = [Method::GET, Method::POST];

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn get(uri: &str, header: Option<(&'static str, String)>) -> Request_ {
    let mut request = Request::get(uri);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    request.body(Full::default()).unwrap()
}

fn post(content_type: &str, body: impl Into<Bytes>) -> Request_ {
    Request::post("/sso?company_id=4321").header("content-type", content_type).body(Full::new(body.into())).unwrap()
}

/// The first is accepted once, the others never.
async fn once(app: &App, good: Request_, bad: &[(&str, Request_)], place: &str) {
    for (why, request) in bad {
        assert_eq!(outcome(&app.send(request.clone()).await), "malformed", "{place}: {why}");
    }
    let body = good.body().clone();
    let answer = app.send(good.clone()).await;
    assert_eq!(outcome(&answer), "ok", "{place}");
    let collected = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
    assert_eq!(seen(&answer).body, collected, "{place}: a body stays as it came");
    assert_eq!(seen(&answer).uri.path(), "/sso", "{place}");
    let query = seen(&answer).uri.query().unwrap_or_default().replace("company_id=4321", "");
    assert!(query.is_empty(), "{place}: {query} is left");
    assert_eq!(outcome(&app.send(good).await), "replayed", "{place}");
}

#[tokio::test]
async fn a_fernet_token_in_every_place() {
    let link = FernetLink::new("/sso", "4321", &FERNET_KEY.into());
    let link = link.issued_at(tower_sso::clock::UnixTime::from_secs(NOW));
    let token = link.token(br#"{"id":7}"#).unwrap();
    let app = |place: Place| {
        let layer = fernet::body_layer::<Value>().token_in(place).methods(METHODS);
        let keys = MemoryKeys::new().with("4321", FERNET_KEY);
        App::new(layer.keys(keys).replay(replay()).clock(clock()).build().unwrap())
    };
    let json = format!(r#"{{"token":"{token}"}}"#);
    let uri = "/sso?company_id=4321";
    for (name, place, good, bad) in [
        ("a query", Place::query("t"), get(&format!("{uri}&t={token}"), None), get(uri, None)),
        (
            "a form",
            Place::form("token"),
            post(FORM, format!("a=1&token={token}")),
            post(FORM, format!("token={token}&token={token}")),
        ),
        ("a JSON object", Place::json("token"), post(JSON, json.clone()), post(JSON, r#"{"token":7}"#)),
        (
            "the whole body",
            Place::body("text/plain"),
            post("text/plain; charset=utf-8", token.clone()),
            post("text/plain", format!("{token}\n")),
        ),
        (
            "a header",
            Place::header_after(AUTHORIZATION, "Token"),
            get(uri, Some(("authorization", format!("token {token}")))),
            get(uri, Some(("authorization", format!("Bearer {token}")))),
        ),
        (
            "a cookie",
            Place::cookie("sso"),
            get(uri, Some(("cookie", format!("a=1; sso={token}")))),
            get(uri, Some(("cookie", format!("sso={token}; sso={token}")))),
        ),
    ] {
        once(&app(place), good, &[("not this", bad)], name).await;
    }
    let either = |request| {
        let layer = fernet::body_layer::<Value>().or_in(Place::form("token")).methods(METHODS);
        let layer = layer.keys(MemoryKeys::new().with("4321", FERNET_KEY)).replay(replay()).clock(clock());
        let app = App::new(layer.build().unwrap());
        async move { outcome(&app.send(request).await) }
    };
    let form = |uri: &str| {
        let mut request = post(FORM, format!("token={token}"));
        *request.uri_mut() = uri.parse().unwrap();
        request
    };
    assert_eq!(either(form(uri)).await, "ok");
    assert_eq!(either(get(&format!("{uri}&token={token}"), None)).await, "ok");
    assert_eq!(either(form(&format!("{uri}&token={token}"))).await, "malformed", "in two places");
    let unread = app(Place::form("token")).send(post("text/plain", format!("token={token}"))).await;
    assert_eq!(outcome(&unread), "unsupported_media_type");
}

fn recipe() -> Recipe {
    Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|")
}

fn hashed(source: Source) -> App {
    let layer = timestamp_hash::body_layer::<Value>(recipe()).source(source).methods(METHODS);
    let layer = layer.map_claims(|claims: Value| {
        assert_eq!(claims["email"], "ada+x@example.com");
        Ok(claims)
    });
    App::new(layer.secrets([SECRET]).replay(replay()).clock(clock()).build().unwrap())
}

/// `timestamp=…&email=…&hash=…`
fn pairs() -> String {
    let link = HashedLink::new("/sso", recipe(), &Secret::new(SECRET)).uri(&[&NOW.to_string(), "ada+x@example.com"]);
    link.split_once('?').unwrap().1.to_owned()
}

#[tokio::test]
async fn fields_and_their_hash_in_every_place() {
    let pairs = pairs();
    let hash = pairs.rsplit_once('=').unwrap().1;
    let encoded = pairs.replace('%', "%25").replace('&', "%26").replace('=', "%3D");
    let json = |email: &str, more: &str| format!(r#"{{"hash":"{hash}","timestamp":{NOW},"email":"{email}"{more}}}"#);
    let uri = "/sso";
    for (name, source, good, bad) in [
        ("a query", Source::Query, get(&format!("{uri}?{pairs}"), None), get(uri, None)),
        ("a form", Source::Form, post(FORM, format!("a=1&{pairs}")), post(FORM, format!("{pairs}&email=x"))),
        // In JSON a plus is a plus, and a whole number has one spelling.
        (
            "a JSON object",
            Source::Json,
            post(JSON, json("ada+x@example.com", "")),
            post(JSON, json("ada+x@example.com", r#","more":[]"#)),
        ),
        (
            "JSON without duplicate names",
            Source::Json,
            post(JSON, json("ada\\u002bx@example.com", r#","a":1"#)),
            post(JSON, json("ada+x@example.com", r#","email":"x""#)),
        ),
        (
            "a header",
            Source::Value(Place::header_after(AUTHORIZATION, "Hash")),
            get(uri, Some(("authorization", format!("Hash {pairs}")))),
            get(&format!("{uri}?{pairs}"), None),
        ),
        (
            "a cookie",
            Source::Value(Place::cookie("sso")),
            get(uri, Some(("cookie", format!("sso={pairs}")))),
            get(uri, Some(("cookie", format!("sso={pairs}; sso={pairs}")))),
        ),
        (
            "one parameter",
            Source::Value(Place::query("data")),
            get(&format!("{uri}?data={encoded}"), None),
            get(&format!("{uri}?{pairs}"), None),
        ),
    ] {
        once(&hashed(source), good, &[("not this", bad)], name).await;
    }
}

#[tokio::test]
async fn signed_parameters_in_a_json_object() {
    use tower_sso::sign::SigningWebhook;
    let layer = || signed_parameters::layer::<Value>(Pairs::all(Join::pairs('&'))).source(Source::Json);
    let layer = move || layer().danger_without_time().danger_forgets_on_restart().methods(METHODS);
    let app = App::new(layer().secrets([SECRET]).replay(replay()).clock(clock()).build().unwrap());
    let signature = SigningWebhook::new(SECRET.into()).signature(&[b"a=1&b=x y"]);
    let json = |b: &str| post(JSON, format!(r#"{{"signature":"{signature}","b":"{b}","a":1}}"#));
    once(&app, json("x y"), &[("a separator", json("x&y"))], "JSON").await;
    assert_eq!(outcome(&app.send(json("x z")).await), "invalid");
    for recipe in [Pairs::all(Join::pairs('&')).order(Order::Sent), Pairs::all(Join::pairs('&')).text(Text::Raw)] {
        let layer = signed_parameters::layer::<Value>(recipe).source(Source::Json).danger_without_time();
        assert!(refused(layer.secrets([SECRET]).replay(replay()).build().map(drop)).contains("`source`"));
    }
}

#[test]
fn a_layer_that_reads_no_body_does_not_build_with_a_place_in_it() {
    for place in [Place::form("token"), Place::json("token"), Place::body("text/plain")] {
        let fernet = fernet::layer::<Value>().keys(MemoryKeys::new().with("4321", FERNET_KEY)).replay(replay());
        let problem = refused(fernet.or_in(place.clone()).build().map(drop));
        assert!(problem.contains("`fernet::body_layer`"), "{problem}");
        for source in [Source::Form, Source::Json, Source::Value(place)] {
            let hash = timestamp_hash::layer::<Value>(recipe()).source(source).secrets([SECRET]).replay(replay());
            let problem = refused(hash.build().map(drop));
            assert!(problem.contains("`timestamp_hash::body_layer`"), "{problem}");
        }
    }
}
