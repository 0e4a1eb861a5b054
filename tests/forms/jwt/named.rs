//! Keys that the token itself names, and tokens that are bound to a request.

use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::jwt::{self, Algorithm, Jwt};
use tower_sso::keys::{MemoryKeys, PublicKeys, Secret};
use tower_sso::scheme::Place;
use tower_sso::sign::JwtSigner;
use tower_sso::tenant::Tenant;

use crate::support::subject::{get, refused};
use crate::support::{App, NOW, clock, outcome, reason, replay, seen};

const ONE: &str = "the secret of the first installation, long enough";
const TWO: &str = "the secret of the second installation, long enough";

fn start(algorithm: Algorithm) -> Builder<Jwt<Value>> {
    jwt::layer(algorithm).audience("rp").replay(replay()).clock(clock())
}

fn token(algorithm: Algorithm, key: &str, header: Value, claims: Value) -> String {
    let mut all = json!({"aud": "rp", "iat": NOW, "exp": NOW + 60});
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let mut head = json!({"typ": "JWT", "alg": algorithm.name()});
    head.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    let signer = JwtSigner::new(algorithm, &Secret::new(key)).unwrap();
    signer.sign(head.to_string().as_bytes(), all.to_string().as_bytes()).unwrap()
}

async fn tenant(app: &App, token: &str) -> Result<String, &'static str> {
    let answer = app.send(get(&format!("/?sso_jwt={token}"))).await;
    if outcome(&answer) == "ok" { Ok(seen(&answer).tenant.clone().unwrap()) } else { Err(reason(&answer)) }
}

#[tokio::test]
async fn a_claim_chooses_the_key_and_is_proved_by_it() {
    let keys = || MemoryKeys::new().with("one", ONE).with("two", TWO).with("7", ONE);
    let app = || App::new(start(Algorithm::HS256).tenant_claim("iss").keys(keys()).build().unwrap());
    let hs256 = |key, claims| token(Algorithm::HS256, key, json!({}), claims);
    for (token, expected, why) in [
        (hs256(ONE, json!({"iss": "one"})), Ok("one"), "its key"),
        (hs256(TWO, json!({"iss": "two"})), Ok("two"), "another tenant's"),
        (hs256(ONE, json!({"iss": 7})), Ok("7"), "a whole number"),
        (hs256(ONE, json!({"iss": "two"})), Err("bad_signature"), "another tenant's key"),
        (hs256(ONE, json!({"iss": "three"})), Err("unknown_key"), "nobody"),
        (hs256(ONE, json!({})), Err("unknown_key"), "no claim"),
        (hs256(ONE, json!({"iss": ["one"]})), Err("unknown_key"), "a list"),
        (hs256(ONE, json!({"iss": 7.5})), Err("unknown_key"), "a fraction"),
        (hs256(ONE, json!({"iss": ""})), Err("malformed"), "empty"),
        (hs256(ONE, json!({"iss": "x".repeat(256)})), Err("malformed"), "too long"),
    ] {
        assert_eq!(tenant(&app(), &token).await.as_deref(), expected.as_deref(), "{why}");
    }
    let in_claim = App::new(start(Algorithm::HS256).tenant_claim("/dat/a~1b").keys(keys()).build().unwrap());
    for (token, expected, why) in [
        (hs256(ONE, json!({"dat": {"a/b": "one"}})), Ok("one"), "inside a claim"),
        (hs256(ONE, json!({"dat": {"a/b": 7}})), Ok("7"), "a whole number"),
        (hs256(ONE, json!({"dat": {"a/b": "two"}})), Err("bad_signature"), "another tenant's key"),
        (hs256(ONE, json!({"dat": "one"})), Err("unknown_key"), "no object"),
        (hs256(ONE, json!({"/dat/a~1b": "one"})), Err("unknown_key"), "a name that looks like the pointer"),
    ] {
        assert_eq!(tenant(&in_claim, &token).await.as_deref(), expected.as_deref(), "{why}");
    }
    let layer = start(Algorithm::HS256).tenant_claim("/dat/account").keys(keys()).build().unwrap();
    let sign = |claims: Value| layer.signer(&Secret::new(ONE)).tenant("one").request("https://app.example/", &claims);
    assert!(sign(json!({"dat": {"account": "one"}})).is_ok());
    assert!(sign(json!({"sub": "ada"})).unwrap_err().to_string().contains("inside a claim"));
    // One secret for all, and a name behind a prefix.
    let layer = || start(Algorithm::HS256).tenant_claim("dest").tenant_after("https://").secrets([ONE]);
    let app = App::new(layer().build().unwrap());
    assert_eq!(tenant(&app, &hs256(ONE, json!({"dest": "https://a.example"}))).await.as_deref(), Ok("a.example"));
    assert_eq!(tenant(&app, &hs256(ONE, json!({"dest": "http://a.example"}))).await, Err("unknown_key"));
    for (built, setting) in [
        (start(Algorithm::HS256).tenant_after("x").secrets([ONE]).build(), "tenant_claim"),
        (layer().tenant(Tenant::host()).build(), "tenant"),
        (start(Algorithm::HS256).tenant_claim("/a~2").secrets([ONE]).build(), "tenant_claim"),
        (start(Algorithm::HS256).query_hash("addon").secrets([ONE]).build(), "query_hash"),
        (start(Algorithm::HS256).query_hash("/").secrets([ONE]).build(), "query_hash"),
    ] {
        assert!(refused(built).contains(setting), "{setting}");
    }
}

const P256: &str = include_str!("../../vectors/p256-private.pem");
const RSA: &str = include_str!("../../vectors/keys/rsa-2048-private.pem");
const ED25519: &str = include_str!("../../vectors/keys/ed25519-one-private.pem");

fn jwks() -> Value {
    json!({"keys": [
        {"kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "alg": "ES256",
         "x": "Q6L4JlfZ-SFNrlaa2zmHd50x5cwGs26ha24VXHgGK-c", "y": "VZHh6R8rmGkovzriqO-ALWQVkOmxycBzoyfeCNez964"},
        {"kty": "RSA", "kid": "rsa", "e": "AQAB", "n": "vXZdrUuEQbQdrLpEbQJk6EZk3mdP6AaisTCtAGzl2wCGhN1ybr3IcA5t_ryGWGiMThS8jUL2gNPX92OoeeyRAptlYk6G4UGgOSpV7eRKxBY1Z3iKdShV4BqJqGBvm-jVErJ69l94Oq_GJnQmQKGR_1DZ5efeO2BSqsN3pfinydks5EyRKdM4Obh8vm5NXMdiuFXGKAIDIP8v2RsDBrvxOR1OcIhl_e3mrkDs75GWh-BMjSK2_7gUSk8j9RvjWDw4jn45kfbFpQOr4_-LxeVkj6SICT7Ef5Rjx3qur0ELipMnibmjwC2XhMiJnisALzYf7RVjiPxpVStT0QHWEjNsqw"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "uqee4PoXnx3KwzO_ul9zWey1YLV-K0ui4KZdhQIFUKQ"},
        {"kty": "RSA", "kid": "for encryption", "use": "enc", "e": "AQAB", "n": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    ]})
}

#[tokio::test]
async fn keys_of_a_jwk_set_are_found_by_their_id() {
    let keys = PublicKeys::new("idp.example");
    assert_eq!(keys.set_jwks(jwks().to_string().as_bytes()).unwrap(), 3, "no id, or for encryption: left out");
    for (algorithm, key, kid, expected) in [
        (Algorithm::ES256, P256, "ec", Ok("idp.example")),
        (Algorithm::RS256, RSA, "rsa", Ok("idp.example")),
        (Algorithm::PS512, RSA, "rsa", Ok("idp.example")),
        (Algorithm::EdDSA, ED25519, "ed", Ok("idp.example")),
        (Algorithm::ES256, P256, "EC", Err("unknown_key")),
        (Algorithm::ES256, P256, "rsa", Err("bad_signature")),
        (Algorithm::RS256, RSA, "for encryption", Err("unknown_key")),
    ] {
        let layer = start(algorithm).tenant_header("kid").keys(keys.clone()).build().unwrap();
        let token = token(algorithm, key, json!({"kid": kid}), json!({"sub": "ada"}));
        assert_eq!(tenant(&App::new(layer), &token).await.as_deref(), expected.as_deref(), "{algorithm:?} {kid}");
    }
    let app = App::new(start(Algorithm::ES256).tenant_header("kid").keys(keys.clone()).build().unwrap());
    let signed = |kid, sub| token(Algorithm::ES256, P256, json!({"kid": kid}), json!({"sub": sub}));
    // What cannot be read changes nothing.
    let five: Vec<Value> = (0..5).map(|_| jwks()["keys"][0].clone()).collect();
    let five = json!({"keys": five}).to_string();
    for bad in ["", "[]", r#"{"keys": []}"#, r#"{"keys": 5}"#, &five, &" ".repeat(PublicKeys::LONGEST + 1)] {
        assert!(keys.set_jwks(bad.as_bytes()).is_err());
    }
    assert_eq!(tenant(&app, &signed("ec", "one")).await.as_deref(), Ok("idp.example"));
    // Keys of two kinds may have one id (RFC 7517, 4.5).
    let mut both = json!({"keys": [jwks()["keys"][1], jwks()["keys"][0]]});
    both["keys"][0]["kid"] = "ec".into();
    assert_eq!(keys.set_jwks(both.to_string().as_bytes()).unwrap(), 1);
    assert_eq!(tenant(&app, &signed("ec", "one and a half")).await.as_deref(), Ok("idp.example"));
    // A rotation: the layer sees it at once, and the old id is nobody's any more.
    keys.set([("next", include_str!("../../vectors/p256-public.pem"))]).unwrap();
    assert_eq!(tenant(&app, &signed("ec", "two")).await, Err("unknown_key"));
    assert_eq!(tenant(&app, &signed("next", "three")).await.as_deref(), Ok("idp.example"));
}

#[tokio::test]
async fn a_private_jwk_is_no_key() {
    let mut private = jwks()["keys"][0].clone();
    private["d"] = "AA".into();
    let layer = start(Algorithm::ES256).secrets([private.to_string()]);
    assert!(refused(layer.build()).contains("private"));
    let layer = start(Algorithm::ES256).secrets([jwks()["keys"][0].to_string()]);
    assert!(layer.build().is_ok(), "one JWK is a key");
    assert!(refused(start(Algorithm::ES384).secrets([jwks()["keys"][0].to_string()]).build()).contains("JWK"));
}

#[tokio::test]
async fn members_of_the_header() {
    let app = App::new(start(Algorithm::HS256).require_header("signer", "arn:1").secrets([ONE]).build().unwrap());
    for (header, expected) in [
        (json!({"signer": "arn:1"}), "ok"),
        (json!({"signer": "arn:2"}), "bad_token"),
        (json!({"signer": ["arn:1"]}), "bad_token"),
        (json!({}), "bad_token"),
    ] {
        let token = token(Algorithm::HS256, ONE, header.clone(), json!({}));
        assert_eq!(reason(&app.send(get(&format!("/?sso_jwt={token}"))).await), expected, "{header}");
    }
}

#[tokio::test]
async fn a_token_is_bound_to_its_request() {
    const SOMETHING: &str = "90b8cc6920375d6a6d133bd65be2d802a20e3544bf5704a1a80151210078798d";
    let layer = || start(Algorithm::HS256).token_in(Place::query("jwt")).secrets([ONE]).query_hash("/base");
    for (layer, qsh, uri, expected, why) in [
        (layer(), json!(SOMETHING), "/base/something", "ok", "below the app's own address"),
        (layer(), json!(SOMETHING), "/base/something/", "ok", "one slash at the end"),
        (layer(), json!(SOMETHING), "/base/something//", "bad_claim", "two of them"),
        (layer(), json!(SOMETHING), "/something", "malformed", "without it, as another request has it"),
        (layer(), json!(SOMETHING), "/base/base/something", "bad_claim", "with it twice"),
        (layer(), json!(SOMETHING), "/basement/something", "malformed", "another beginning"),
        (layer(), json!(SOMETHING), "/base/something/else", "bad_claim", "another path"),
        (layer(), json!(SOMETHING), "/base/something?a=1", "bad_claim", "a parameter more"),
        (layer(), json!("context-qsh"), "/base/something", "bad_claim", "bound to nothing"),
        (layer().danger_context_qsh(), json!("context-qsh"), "/base/else", "ok", "bound to nothing, as is allowed"),
        (layer().danger_context_qsh(), json!("CONTEXT-QSH"), "/base/else", "bad_claim", "another word"),
        (layer(), Value::Null, "/base/something", "missing_claim", "no text"),
        (layer(), json!(5), "/base/something", "missing_claim", "no text"),
    ] {
        let token = token(Algorithm::HS256, ONE, json!({}), json!({"qsh": qsh}));
        let separator = if uri.contains('?') { '&' } else { '?' };
        let answer = App::new(layer.build().unwrap()).send(get(&format!("{uri}{separator}jwt={token}"))).await;
        assert_eq!(reason(&answer), expected, "{why}");
    }
    let unbound = token(Algorithm::HS256, ONE, json!({}), json!({}));
    let app = App::new(layer().build().unwrap());
    assert_eq!(reason(&app.send(get(&format!("/base/something?jwt={unbound}"))).await), "missing_claim");
    let bound = token(Algorithm::HS256, ONE, json!({}), json!({"qsh": SOMETHING}));
    let app = App::new(start(Algorithm::HS256).secrets([ONE]).build().unwrap());
    assert_eq!(reason(&app.send(get(&format!("/?sso_jwt={bound}"))).await), "bad_claim", "nobody checks it");
}
