//! Where a token is, how it is written, and how often it may come.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use http::{HeaderName, Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::jwt::{self, Algorithm, Jwt};
use tower_sso::scheme::{Place, SecretFormat};
use tower_sso::sign::JwtSigner;

use crate::support::subject::refused;
use crate::support::{App, NOW, Request_, clock, reason, replay, secs, seen};

const SECRET: &str = "a secret that the partner shares with this app";

fn start() -> Builder<Jwt<Value>> {
    jwt::layer(Algorithm::HS256).audience("rp.example").secrets([SECRET]).clock(clock())
}

fn token(algorithm: Algorithm, changes: &Value) -> String {
    let mut claims = json!({"sub": "ada", "iat": NOW, "exp": NOW + 60, "aud": "rp.example", "jti": "1"});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    JwtSigner::new(algorithm, &SECRET.into()).unwrap().token(&claims).unwrap()
}

fn request(method: Method, uri: &str, headers: &[(&str, String)], body: &str) -> Request_ {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_token_is_found_where_it_is_set_and_nowhere_else() {
    let token = token(Algorithm::HS256, &json!({}));
    let (form, json) = (("content-type", FORM.to_owned()), ("content-type", "application/json".to_owned()));
    let header = || Place::header(HeaderName::from_static("x-auth-token"));
    let bearer = ("authorization", format!("Bearer {token}"));
    let plain = ("content-type", "application/jwt".to_owned());
    let whole = || start().token_in(Place::body("application/jwt"));
    let both = |place: Place| start().token_in(place).or_in(Place::query("id_token"));
    for (layer, uri, headers, body, expected, why) in [
        (both(Place::bearer()), "/", vec![bearer.clone()], String::new(), "ok", "a header with a word"),
        (both(Place::bearer()), &format!("/?id_token={token}"), vec![], String::new(), "ok", "the other place"),
        (
            both(Place::bearer()),
            &format!("/?id_token={token}"),
            vec![bearer.clone()],
            String::new(),
            "duplicate_parameter",
            "two places",
        ),
        (start().token_in(header()), "/", vec![("x-auth-token", token.clone())], String::new(), "ok", "a header"),
        (start().token_in(header()), "/", vec![bearer.clone()], String::new(), "missing_parameter", "another header"),
        (
            start().token_in(Place::cookie("sso")),
            "/",
            vec![("cookie", format!("a=1; sso={token}"))],
            String::new(),
            "ok",
            "a cookie",
        ),
        (start().token_in(Place::form("jwt")), "/", vec![form.clone()], format!("a=1&jwt={token}"), "ok", "a form"),
        (whole(), "/", vec![plain.clone()], token.clone(), "ok", "the whole body"),
        (whole(), "/", vec![plain.clone()], String::new(), "missing_parameter", "an empty body"),
        (whole(), "/", vec![plain.clone()], format!("{token} "), "malformed", "the body has more"),
        (whole(), "/", vec![form.clone()], token.clone(), "content_type", "a body of another type"),
        (
            whole().or_in(Place::bearer()),
            "/",
            vec![plain.clone(), bearer.clone()],
            token.clone(),
            "duplicate_parameter",
            "the whole body and a header",
        ),
        (
            start().token_in(Place::form("jwt")),
            "/",
            vec![form.clone()],
            format!("jwt={token}&jwt={token}"),
            "duplicate_parameter",
            "twice in a form",
        ),
        (
            start().token_in(Place::form("jwt")),
            &format!("/?jwt={token}"),
            vec![form.clone()],
            "a=1".to_owned(),
            "missing_parameter",
            "the query is not the form",
        ),
        (
            start().token_in(Place::form("jwt")),
            "/",
            vec![json.clone()],
            format!("jwt={token}"),
            "content_type",
            "another type",
        ),
        (
            both(Place::form("jwt")),
            &format!("/?id_token={token}"),
            vec![form],
            format!("jwt={token}"),
            "duplicate_parameter",
            "the query and the form",
        ),
        (both(Place::form("jwt")), &format!("/?id_token={token}"), vec![json.clone()], "".into(), "ok", "no body"),
        (
            both(Place::form("jwt")),
            &format!("/?id_token={token}"),
            vec![json.clone()],
            "{}".into(),
            "unsigned_body",
            "not a form",
        ),
        (start().token_in(Place::json("t")), "/", vec![json], json!({"t": token}).to_string(), "ok", "a JSON body"),
    ] {
        let app = App::new(layer.methods([Method::POST]).replay(replay()).build().unwrap());
        let answer = app.send(request(Method::POST, uri, &headers, &body)).await;
        assert_eq!(reason(&answer), expected, "{why}");
        if expected == "ok" {
            let seen = seen(&answer);
            assert!(!seen.uri.to_string().contains("eyJ"), "{why}: {}", seen.uri);
            assert_eq!(seen.body, body.as_bytes(), "{why}: the body stays as it came");
            let again = app.send(request(Method::POST, uri, &headers, &body)).await;
            assert_eq!(reason(&again), "replayed", "{why}");
        }
    }
}

#[tokio::test]
async fn the_inner_service_sees_no_token_in_the_headers() {
    let token = token(Algorithm::HS256, &json!({}));
    let layer = || start().token_in(Place::bearer()).or_in(Place::cookie("sso")).replay(replay()).build().unwrap();
    for (name, value, left) in [
        ("authorization", format!("Bearer {token}"), None),
        ("cookie", format!("a=1; sso={token}; b=2"), Some("a=1; b=2")),
    ] {
        let inner =
            tower::service_fn(move |request: Request<tower_sso::body::LayerBody<Full<bytes::Bytes>>>| async move {
                let seen = request.headers().get(name).map(|value| value.to_str().unwrap());
                assert_eq!(seen, left);
                Ok::<_, std::convert::Infallible>(http::Response::new(Full::<bytes::Bytes>::default()))
            });
        let service = tower::Layer::layer(&layer(), inner);
        let answer =
            tower::ServiceExt::oneshot(service, request(Method::GET, "/", &[(name, value)], "")).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn several_algorithms_of_one_kind_of_key() {
    let layer = || start().algorithms([Algorithm::HS256, Algorithm::HS512]).replay(replay());
    let app = App::new(layer().build().unwrap());
    for (user, algorithm, expected) in [
        ("ada", Algorithm::HS256, "ok"),
        ("bob", Algorithm::HS512, "ok"),
        ("eve", Algorithm::HS384, "alg_not_allowed"),
        ("sam", Algorithm::HS256, "ok"),
    ] {
        let uri = format!("/?sso_jwt={}", token(algorithm, &json!({"sub": user})));
        assert_eq!(reason(&app.send(request(Method::GET, &uri, &[], "")).await), expected, "{algorithm:?}");
    }
    // The header of one algorithm above another one's signature.
    let (one, other) = (token(Algorithm::HS256, &json!({})), token(Algorithm::HS512, &json!({})));
    let mixed = format!("{}.{}", one.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
    let uri = format!("/?sso_jwt={mixed}");
    assert_eq!(reason(&app.send(request(Method::GET, &uri, &[], "")).await), "bad_signature");
    let mixed = start().algorithms([Algorithm::HS256, Algorithm::RS256]).replay(replay()).build();
    assert!(refused(mixed).contains("algorithms"), "a public key is no shared secret");
}

#[tokio::test]
async fn what_makes_two_tokens_one() {
    let one = token(Algorithm::HS256, &json!({}));
    let same_id = token(Algorithm::HS256, &json!({"sub": "bob"}));
    let other_id = token(Algorithm::HS256, &json!({"jti": "2"}));
    let send = async |app: &App, token: &str| {
        reason(&app.send(request(Method::GET, &format!("/?sso_jwt={token}"), &[], "")).await)
    };
    let app = App::new(start().replay_by_id().replay(replay()).build().unwrap());
    assert_eq!(send(&app, &one).await, "ok");
    assert_eq!(send(&app, &same_id).await, "replayed", "another token with the id");
    assert_eq!(send(&app, &other_id).await, "ok");
    for (jti, expected) in [(json!(""), "bad_claim"), (json!(5), "bad_claim"), (Value::Null, "missing_claim")] {
        assert_eq!(send(&app, &token(Algorithm::HS256, &json!({"jti": jti}))).await, expected, "{jti}");
    }
    let by_signature = App::new(start().replay(replay()).build().unwrap());
    assert_eq!((send(&by_signature, &one).await, send(&by_signature, &same_id).await), ("ok", "ok"));
    let reusable = App::new(start().danger_reusable().build().unwrap());
    assert_eq!((send(&reusable, &one).await, send(&reusable, &one).await), ("ok", "ok"));
    for (problem, setting) in [
        (start().danger_reusable().replay(replay()).build(), "replay"),
        (start().danger_reusable().replay_by_id().build(), "replay_by_id"),
        (start().issuer("").replay(replay()).build(), "issuer"),
        (start().token_in(Place::form("")).replay(replay()).build(), "token_in"),
    ] {
        assert!(refused(problem).contains(setting), "{setting}");
    }
}

#[tokio::test]
async fn the_issuer() {
    let app = App::new(start().issuer("https://idp.example").replay(replay()).build().unwrap());
    for (issuer, expected) in [
        (json!("https://idp.example"), "ok"),
        (json!("https://idp.example/"), "bad_claim"),
        (json!(["https://idp.example"]), "bad_claim"),
        (Value::Null, "bad_claim"),
    ] {
        let uri = format!("/?sso_jwt={}", token(Algorithm::HS256, &json!({"iss": issuer})));
        assert_eq!(reason(&app.send(request(Method::GET, &uri, &[], "")).await), expected, "{issuer}");
    }
    let uri = format!("/?sso_jwt={}", token(Algorithm::HS256, &json!({})));
    assert_eq!(reason(&app.send(request(Method::GET, &uri, &[], "")).await), "missing_claim");
}

#[tokio::test]
async fn padding_and_encoded_secrets() {
    let padded = token(Algorithm::HS256, &json!({"sub": "adaa"}));
    let parts: Vec<String> = padded
        .split('.')
        .map(|part| URL_SAFE.encode(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()))
        .collect();
    // Padding is part of what is signed, so the token is signed again.
    let signed = format!("{}.{}", parts[0], parts[1]);
    let mac = hmac_sha256(SECRET.as_bytes(), signed.as_bytes());
    let padded = format!("{signed}.{}", URL_SAFE.encode(mac));
    assert!(padded.ends_with('='));
    let send = async |layer: Builder<Jwt<Value>>, token: &str| {
        let app = App::new(layer.replay(replay()).build().unwrap());
        reason(&app.send(request(Method::GET, &format!("/?sso_jwt={token}"), &[], "")).await)
    };
    assert_eq!(send(start().padded(), &padded).await, "ok");
    assert_eq!(send(start(), &padded).await, "malformed");
    assert_eq!(send(start().padded(), &padded[..padded.len() - 1]).await, "ok", "and so is a signature without it");
    assert_eq!(send(start().padded(), &format!("{padded}=")).await, "malformed", "too much");
    let shown = STANDARD.encode(SECRET);
    let encoded = || start().secrets([shown.as_str()]);
    let plain = token(Algorithm::HS256, &json!({}));
    assert_eq!(send(encoded().secret_format(SecretFormat::Base64 { prefix: "" }), &plain).await, "ok");
    assert_eq!(send(encoded(), &plain).await, "bad_signature");
    let bad = start().secrets(["not base64!"]).secret_format(SecretFormat::Base64 { prefix: "" });
    assert!(refused(bad.replay(replay()).leeway(secs(1)).build()).contains("base64"));
}

/// HMAC-SHA256.
fn hmac_sha256(secret: &[u8], signed: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap().chain_update(signed).finalize().into_bytes().to_vec()
}
