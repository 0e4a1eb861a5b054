//! Published test vectors, sent as requests. `vectors/README.md` names their sources.

use bytes::Bytes;
use http::{HeaderName, Method, Request};
use http_body_util::Full;
use serde_json::Value;
use tower_sso::clock::{ManualClock, SystemClock, UnixTime};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1::{self, Origin, Transport};
use tower_sso::replay::MemoryReplay;
use tower_sso::{fernet, jwt, webhook};

use crate::support::{self, App, outcome, reason};

#[tokio::test]
async fn published_vectors() {
    let mut run = std::collections::BTreeMap::<String, usize>::new();
    for row in include_str!("../vectors/public.jsonl").lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let (id, route) = (row["id"].as_str().unwrap(), &row["route"]);
        let app = match route["scheme"].as_str().unwrap() {
            "fernet" => fernet_app(&row),
            "hmac_webhook" => webhook_app(&row),
            "jwt" => jwt_app(&row),
            "oauth1" => oauth1_app(&row),
            other => panic!("{id}: what is {other}?"),
        };
        let answer = app.send(request(&row)).await;
        let (outcome, reason) = (outcome(&answer), reason(&answer));
        // `signature_ok`: authentic, whatever the content is. `reject_unverified`: refused whatever the content is.
        let as_expected = match row["expect"].as_str().unwrap() {
            "accept" => {
                let again = app.send(request(&row)).await;
                outcome == "ok" && support::outcome(&again) == "replayed"
            }
            "signature_ok" => matches!(outcome, "ok" | "rejected_claims"),
            "reject_unverified" => !matches!(outcome, "ok" | "rejected_claims" | "unavailable"),
            "reject" => {
                let expected = row["errors"].as_array().is_none_or(|errors| errors.iter().any(|error| error == reason));
                !matches!(outcome, "ok" | "unavailable") && expected
            }
            other => panic!("{id}: what is {other}?"),
        };
        assert!(as_expected, "{id}: {reason}: {row}");
        *run.entry(route["scheme"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let run: Vec<_> = run.iter().map(|(scheme, rows)| (scheme.as_str(), *rows)).collect();
    assert_eq!(run, [("fernet", 10), ("hmac_webhook", 57), ("jwt", 14), ("oauth1", 130)]);
}

/// A store older than all vectors.
fn replay() -> MemoryReplay {
    MemoryReplay::builder().clock(ManualClock::at(UnixTime::from_secs(0))).build()
}

fn fernet_app(row: &Value) -> App {
    let mut keys = MemoryKeys::new();
    for (company, key) in row["route"]["keys"].as_object().unwrap() {
        keys = keys.with(company.as_str(), key.as_str().unwrap());
    }
    let clock = ManualClock::at(UnixTime::from_secs_f64(row["clock"].as_f64().unwrap()).unwrap());
    let replay = replay();
    App::new(fernet::layer::<Value>().keys(keys).replay(replay).clock(clock).build().unwrap())
}

fn webhook_app(row: &Value) -> App {
    let route = &row["route"];
    assert_eq!((route["hash"].as_str(), route["encoding"].as_str()), (Some("sha256"), Some("hex")));
    let layer = webhook::layer::<Value>()
        .signature_header(HeaderName::try_from(route["header"].as_str().unwrap()).unwrap())
        .secrets([secret(&route["secret"])])
        .replay(MemoryReplay::new())
        .handler_remembers()
        .clock(SystemClock);
    App::new(layer.build().unwrap())
}

fn jwt_app(row: &Value) -> App {
    let route = &row["route"];
    let mut layer = jwt::layer::<Value>(jwt::Algorithm::named(route["alg"].as_str().unwrap()).unwrap())
        .token_parameter(route["param"].as_str().unwrap().to_owned())
        .danger_any_audience()
        .danger_without_expiry(support::secs(60))
        .require_claims(route["require"].as_array().unwrap().iter().map(|claim| claim.as_str().unwrap().to_owned()))
        .secrets([secret(&route["secret"])])
        .replay(replay());
    assert!(route["aud"].is_null());
    if let Some(now) = row["clock"].as_f64() {
        layer = layer.clock(ManualClock::at(UnixTime::from_secs_f64(now).unwrap()));
    }
    if let Some(leeway) = route["leeway"].as_u64() {
        layer = layer.leeway(support::secs(leeway));
    }
    App::new(layer.build().unwrap())
}

fn oauth1_app(row: &Value) -> App {
    let route = &row["route"];
    let mut keys = MemoryKeys::new();
    for (consumer, secret) in route["consumers"].as_object().unwrap() {
        keys = keys.with(consumer.as_str(), Secret::verbatim(secret.as_str().unwrap()));
    }
    let transport = |name: &Value| match name.as_str().unwrap() {
        "query" => Transport::Query,
        "header" => Transport::Header,
        "form" => Transport::Form,
        other => panic!("what transport is {other}?"),
    };
    let layer = oauth1::layer::<Value>(Origin::danger_from_host_header(row["scheme"] == "https"))
        .transports(route["transports"].as_array().unwrap().iter().map(transport))
        .window(support::secs(route["window"].as_u64().unwrap()))
        .methods([Method::GET, Method::POST])
        .keys(keys)
        .replay(replay())
        .clock(ManualClock::at(UnixTime::from_secs_f64(row["clock"].as_f64().unwrap()).unwrap()));
    App::new(layer.build().unwrap())
}

fn secret(secret: &Value) -> Secret {
    match (secret["utf8"].as_str(), secret["hex"].as_str(), secret["base64url"].as_str()) {
        (Some(text), None, None) => Secret::verbatim(text),
        (None, Some(text), None) => Secret::verbatim(hex(text)),
        (None, None, Some(text)) => {
            use base64::Engine;
            Secret::verbatim(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap())
        }
        _ => panic!("what secret is {secret}?"),
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn request(row: &Value) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(row["method"].as_str().unwrap()).uri(row["target"].as_str().unwrap());
    for (name, value) in row["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    let body = match row["body_hex"].as_str() {
        Some(text) => hex(text),
        None => row["body"].as_str().unwrap_or_default().into(),
    };
    request.body(Full::new(Bytes::from(body))).unwrap()
}
