//! What is special about the JWT form.

mod header;
mod named;
mod places;
pub(crate) mod webhook;

use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::jwt::{self, Algorithm, Jwt};
use tower_sso::keys::MemoryKeys;
use tower_sso::providers::waggl;
use tower_sso::sign::JwtSigner;
use tower_sso::tenant::Tenant;

use crate::support::subject::{get, refused, store_since};
use crate::support::{Answer, App, NOW, clock, outcome, reason, replay, secs, seen};

/// The vendor's own sample has one of this length.
const SECRET: &str = "adskfjlksflksgjl";

fn app() -> App {
    App::new(waggl::sso([SECRET]).replay(replay()).clock(clock()).build().unwrap())
}

fn claims() -> Value {
    json!({
        "data": {"email": "bob@yourcompany.com"},
        "iat": NOW, "nbf": NOW - 180, "exp": NOW + 300, "aud": "www.waggl.com"
    })
}

/// The sample's claims with some of them exchanged; `null` takes one out.
fn with(changes: Value) -> String {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims.to_string()
}

fn sign(algorithm: Algorithm, header: &str, payload: &str) -> String {
    JwtSigner::new(algorithm, &SECRET.into()).unwrap().sign(header.as_bytes(), payload.as_bytes()).unwrap()
}

async fn send(token: &str) -> Answer {
    app().send(get(&format!("/i/9745804b?sso_jwt={token}&view=vote"))).await
}

const HS512: &str = r#"{"typ":"JWT","alg":"HS512"}"#;

#[tokio::test]
async fn registered_claims() {
    for (payload, expected, why) in [
        (with(json!({})), "ok", "the sample"),
        (with(json!({"aud": ["www.waggl.com"]})), "ok", "a list"),
        (with(json!({"aud": ["other", "www.waggl.com"]})), "ok", "a list of several"),
        (with(json!({"aud": "www.example.com"})), "wrong_audience", "another"),
        (with(json!({"aud": "WWW.waggl.com"})), "wrong_audience", "names are not folded"),
        (with(json!({"aud": ["other"]})), "wrong_audience", "a list of others"),
        (with(json!({"aud": []})), "wrong_audience", "an empty list"),
        (with(json!({"aud": ["www.waggl.com", 5]})), "bad_claim", "a list of more than strings"),
        (with(json!({"aud": {"www.waggl.com": 1}})), "bad_claim", "an object"),
        (with(json!({"aud": 5})), "bad_claim", "a number"),
        (with(json!({"aud": null})), "missing_claim", "none"),
        (with(json!({"exp": null})), "missing_claim", "none"),
        (with(json!({"exp": (NOW + 300).to_string()})), "bad_claim", "text"),
        (with(json!({"exp": true})), "bad_claim", "a truth value"),
        (with(json!({"exp": NOW as f64 + 300.5})), "ok", "a fraction"),
        (with(json!({})).replace(&(NOW + 300).to_string(), "1.7000003e9"), "ok", "an exponent"),
        (with(json!({})).replace(&(NOW + 300).to_string(), "null"), "bad_claim", "null is no date"),
        (with(json!({})).replace(&(NOW + 300).to_string(), "1e300"), "bad_claim", "out of range"),
        (with(json!({})).replace(&(NOW + 300).to_string(), "18446744073709551615"), "bad_claim", "out of range"),
        (with(json!({})).replace(&(NOW + 300).to_string(), "1e400"), "bad_payload", "no number"),
        (with(json!({"exp": 253_402_300_800_u64})), "bad_claim", "beyond the year 9999, such as milliseconds"),
        (with(json!({"exp": -253_402_300_800_i64})), "bad_claim", "as far back"),
        (with(json!({"exp": 9_999_999_999_u64})), "bad_claim", "a date, and longer than a token may live"),
        (with(json!({"iat": 9_999_999_999_u64})), "not_yet_valid", "a date that nanoseconds cannot tell"),
        (with(json!({"nbf": -62_135_596_800_i64})), "ok", "the year 1"),
        (with(json!({})).replace(&(NOW - 180).to_string(), "-0"), "ok", "a zero, after all"),
        (with(json!({})).replace(&(NOW - 180).to_string(), "1e-400"), "ok", "as good as zero"),
        (with(json!({})).replace(&(NOW + 300).to_string(), "-0.0"), "expired", "a zero, after all"),
        (with(json!({"exp": NOW - 60, "iat": NOW - 300})), "ok", "as late as the leeway allows"),
        (with(json!({"exp": NOW - 61, "iat": NOW - 300})), "expired", "later"),
        (with(json!({"nbf": NOW + 60})), "ok", "as early as the leeway allows"),
        (with(json!({"nbf": NOW + 61})), "not_yet_valid", "earlier"),
        (with(json!({"nbf": "now"})), "bad_claim", "text"),
        (with(json!({"iat": NOW + 61})), "not_yet_valid", "made in the future"),
        (with(json!({"iat": false})), "bad_claim", "a truth value"),
        (with(json!({"nbf": null, "iat": null})), "ok", "neither is required"),
        (with(json!({"exp": NOW + 900})), "ok", "as long as a token may live"),
        (with(json!({"exp": NOW + 901})), "bad_claim", "longer"),
        (with(json!({"exp": NOW + 960, "iat": null})), "ok", "made now, by a clock that is ahead, for all we know"),
        (with(json!({"exp": NOW + 961, "iat": null})), "bad_claim", "longer, whenever it was made"),
        (with(json!({"iss": 5, "sub": [], "jti": {}})), "ok", "claims that nobody asks for"),
    ] {
        let answer = send(&sign(Algorithm::HS512, HS512, &payload)).await;
        assert_eq!(reason(&answer), expected, "{why}: {payload}");
        if matches!(expected, "wrong_audience" | "bad_claim" | "missing_claim") {
            assert_eq!(outcome(&answer), "invalid");
        }
    }
}

#[tokio::test]
async fn the_user() {
    let data = |data: Value| with(json!({"data": data}));
    for (payload, expected, why) in [
        (data(json!({"email": "b@c.d", "tags": {"Büro": "Köln"}})), "ok", "tags"),
        (data(json!({"email": "b@c.d", "tags": []})), "ok", "no tags, as PHP writes them"),
        (data(json!({"email": "b@c.d", "tags": ["a"]})), "bad_payload", "a list of tags"),
        (data(json!({"email": "b@c.d", "tags": {"a": 1}})), "bad_payload", "a number"),
        (data(json!({"email": "b@c.d", "tags": {"a": {}}})), "bad_payload", "deeper"),
        (data(json!({"email": ""})), "bad_payload", "an empty email"),
        (data(json!({"email": " "})), "bad_payload", "a blank email"),
        (data(json!({"email": 5})), "bad_payload", "a number"),
        (data(json!({"email": "b@c.d", "tags": {}})), "ok", "no tags"),
        (data(json!({"email": "b@c.d", "tags": null})), "bad_payload", "neither a map nor PHP's empty one"),
        (data(json!({"email": "b@c.d", "tags": "a"})), "bad_payload", "text"),
        (data(json!({"email": null})), "bad_payload", "null"),
        (data(json!(["b@c.d", {}])), "bad_payload", "fields without their names"),
        (data(json!({})), "bad_payload", "no email"),
        (with(json!({"data": null})), "bad_payload", "no data"),
        (with(json!({})).replacen('{', r#"{"exp":1,"#, 1), "bad_payload", "a name twice"),
        (with(json!({})).replacen("\"email\"", r#""email":"eve@x.y","\u0065mail""#, 1), "bad_payload", "twice, deeper"),
        ("[]".to_owned(), "bad_payload", "a list"),
        ("x".to_owned(), "bad_payload", "no JSON"),
    ] {
        let answer = send(&sign(Algorithm::HS512, HS512, &payload)).await;
        assert_eq!(reason(&answer), expected, "{why}: {payload}");
    }
}

#[tokio::test]
async fn each_organisation_has_secrets_of_its_own() {
    let keys = MemoryKeys::new().with("acme.example", SECRET).with("bolt.example", "another secret");
    let app = App::new(waggl::sso_for_each(Tenant::host(), keys).replay(replay()).clock(clock()).build().unwrap());
    let token = sign(Algorithm::HS512, HS512, &with(json!({})));
    for (host, expected) in
        [("bolt.example", "bad_signature"), ("nobody.example", "unknown_key"), ("ACME.example", "ok")]
    {
        let mut request = get(&format!("/i/1?sso_jwt={token}"));
        request.headers_mut().insert("host", host.parse().unwrap());
        let answer = app.send(request).await;
        assert_eq!(reason(&answer), expected, "{host}");
        if expected == "ok" {
            assert_eq!(seen(&answer).tenant.as_deref(), Some("acme.example"));
        }
    }
    let other = sign(Algorithm::HS512, HS512, &with(json!({"aud": "www.example.com"})));
    let mut request = get(&format!("/i/1?sso_jwt={other}"));
    request.headers_mut().insert("host", "acme.example".parse().unwrap());
    assert_eq!(reason(&app.send(request).await), "wrong_audience");
}

#[tokio::test]
async fn the_algorithm_is_the_layers() {
    let payload = with(json!({}));
    for (algorithm, header, expected, why) in [
        (Algorithm::HS512, HS512, "ok", "as it must be"),
        (Algorithm::HS512, r#"{"alg":"HS512"}"#, "ok", "no type"),
        (
            Algorithm::HS512,
            r#"{"alg":"HS512","kid":"../../etc/passwd","jku":"http://x/","jwk":{},"x5u":"y"}"#,
            "ok",
            "never followed",
        ),
        (Algorithm::HS256, r#"{"alg":"HS256"}"#, "alg_not_allowed", "a weaker one"),
        (Algorithm::HS384, r#"{"alg":"HS384"}"#, "alg_not_allowed", "a weaker one"),
        (Algorithm::HS512, r#"{"alg":"HS256"}"#, "alg_not_allowed", "says another"),
        (Algorithm::HS512, r#"{"alg":"hs512"}"#, "alg_not_allowed", "another case"),
        (Algorithm::HS512, r#"{"alg":"none"}"#, "alg_not_allowed", "none"),
        (Algorithm::HS512, r#"{"alg":"RS512"}"#, "alg_not_allowed", "another kind"),
        (Algorithm::HS512, r#"{"alg":["HS512"]}"#, "alg_not_allowed", "a list"),
        (Algorithm::HS256, HS512, "bad_signature", "signed with another than it says"),
        (Algorithm::HS512, r#"{"alg":"HS512","crit":["exp"]}"#, "bad_token", "an extension to be understood"),
        (Algorithm::HS512, r#"{"alg":"HS512","crit":[]}"#, "bad_token", "an empty list of them"),
        (Algorithm::HS512, r#"{"alg":"HS512","crit":null}"#, "bad_token", "no list of them"),
        (Algorithm::HS512, r#"{"alg":"HS512","a":{"b":1,"\u0062":2}}"#, "bad_token", "twice, deeper"),
        (Algorithm::HS512, r#"{"alg":"HS512","alg":"HS512"}"#, "bad_token", "twice"),
        (Algorithm::HS512, r#"{"typ":"JWT"}"#, "bad_token", "no algorithm"),
        (Algorithm::HS512, "[]", "bad_token", "no object"),
    ] {
        let answer = send(&sign(algorithm, header, &payload)).await;
        assert_eq!(reason(&answer), expected, "{why}: {header}");
        if expected != "ok" {
            assert_eq!(outcome(&answer), "invalid");
        }
    }
    let token = sign(Algorithm::HS512, r#"{"alg":"none"}"#, &payload);
    let unsigned = token.rsplit_once('.').unwrap().0;
    assert_eq!(outcome(&send(&format!("{unsigned}.")).await), "invalid", "and not signed");
}

#[tokio::test]
async fn the_structure() {
    let token = sign(Algorithm::HS512, HS512, &with(json!({})));
    for (token, why) in [
        (String::new(), "empty"),
        ("a.b".to_owned(), "two parts"),
        (format!("{token}.x"), "four parts"),
        (format!("{token}="), "padding"),
        (token.replacen('.', "..", 1), "an empty part more"),
        (format!("{token} "), "a space"),
    ] {
        assert_eq!(outcome(&send(&token.replace(' ', "%20")).await), "malformed", "{why}");
    }
    // In the last character of 64 bytes only four bits count, so it has several spellings.
    let last = token.chars().last().unwrap();
    for other in
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars().filter(|other| *other != last)
    {
        let other = format!("{}{other}", &token[..token.len() - 1]);
        assert!(matches!(outcome(&send(&other).await), "malformed" | "invalid"));
    }
}

#[tokio::test]
async fn what_a_layer_can_ask_for_besides() {
    type Change = fn(Builder<Jwt<Value>>) -> Builder<Jwt<Value>>;
    let token = sign(Algorithm::HS512, HS512, &with(json!({})));
    let exact = token.len();
    assert_eq!(outcome(&send_to(|layer| layer.max_token_length(exact), &token).await), "ok");
    assert_eq!(outcome(&send_to(|layer| layer.max_token_length(exact - 1), &token).await), "malformed", "one too many");
    for (change, payload, expected, why) in [
        ((|layer| layer.danger_any_lifetime()) as Change, with(json!({"exp": 9_999_999_999_u64})), "ok", "a far date"),
        (|layer| layer.danger_any_lifetime(), with(json!({"exp": null})), "missing_claim", "and still one"),
        (|layer| layer.max_lifetime(secs(300)), with(json!({"exp": NOW + 301})), "bad_claim", "longer than allowed"),
        (|layer| layer.danger_without_expiry(secs(60)), with(json!({"exp": null})), "ok", "none is needed"),
        (|layer| layer.danger_without_expiry(secs(60)), with(json!({"exp": NOW - 61})), "expired", "and one counts"),
        (
            |layer| layer.danger_without_expiry(secs(60)),
            with(json!({"exp": null, "iat": null, "nbf": null})),
            "before_cutoff",
            "without any time, a store in memory may have forgotten it",
        ),
        (
            |layer| layer.danger_without_expiry(secs(60)),
            with(json!({"exp": null, "iat": null, "nbf": NOW})),
            "ok",
            "one time is enough",
        ),
        (|layer| layer.max_age(secs(300)), with(json!({"exp": null})), "ok", "made now"),
        (|layer| layer.max_age(secs(300)), with(json!({"exp": null, "iat": NOW - 360})), "ok", "as old as allowed"),
        (|layer| layer.max_age(secs(300)), with(json!({"exp": null, "iat": NOW - 361})), "expired", "older"),
        (|layer| layer.max_age(secs(300)), with(json!({"exp": null, "iat": NOW - 31_536_000})), "expired", "a year"),
        (|layer| layer.max_age(secs(300)), with(json!({"exp": null, "iat": null})), "missing_claim", "no time"),
        (|layer| layer.max_age(secs(300)), with(json!({"iat": null})), "missing_claim", "its age is not known"),
        (|layer| layer.max_age(secs(300)), with(json!({"exp": NOW - 61, "iat": NOW - 90})), "expired", "`exp` counts"),
        (|layer| layer.max_age(secs(300)), with(json!({"iat": NOW - 361})), "expired", "and so does the age beside it"),
        (|layer| layer, with(json!({"exp": null})), "missing_claim", "a time that says nothing of an end"),
        (|layer| layer.danger_any_audience(), with(json!({"aud": null})), "ok", "for nobody in particular"),
        (|layer| layer.danger_any_audience(), with(json!({"aud": "x"})), "ok", "for another"),
        (
            |layer| layer.danger_any_audience().require_claims(["aud"]),
            with(json!({})).replace("\"www.waggl.com\"", "null"),
            "missing_claim",
            "null says nothing",
        ),
        (|layer| layer.require_claims(["sub", "jti"]), with(json!({"sub": "a"})), "missing_claim", "no `jti`"),
        (
            |layer| layer.require_claims(["sub"]),
            with(json!({})).replacen('{', r#"{"sub":null,"#, 1),
            "missing_claim",
            "",
        ),
        (|layer| layer.require_claims(["sub"]), with(json!({"sub": "a"})), "ok", "there"),
        (|layer| layer.require_claims(["sub"]), with(json!({"sub": 5})), "bad_claim", "no text (RFC 7519, 4.1.2)"),
        (|layer| layer.require_claims(["iat"]), with(json!({"iat": null})), "missing_claim", "no date"),
        (|layer| layer.require_claims(["role"]), with(json!({"role": ["a"]})), "ok", "not one that the RFC types"),
        (|layer| layer.require(["data", "team"]), with(json!({})), "missing_field", "a field of the payload"),
    ] {
        let answer = send_to(change, &sign(Algorithm::HS512, HS512, &payload)).await;
        assert_eq!(reason(&answer), expected, "{why}: {payload}");
    }
}

async fn send_to(change: impl FnOnce(Builder<Jwt<Value>>) -> Builder<Jwt<Value>>, token: &str) -> Answer {
    let layer =
        jwt::layer(Algorithm::HS512).audience("www.waggl.com").secrets([SECRET]).replay(replay()).clock(clock());
    App::new(change(layer).build().unwrap()).send(get(&format!("/?sso_jwt={token}"))).await
}

/// What was made before the store began to remember may have been used: a token that does not say when it was made was
/// made as early as it can have been.
#[tokio::test]
async fn when_a_token_was_made() {
    for (changes, lifetime, expected) in [
        (json!({"nbf": null, "iat": NOW}), true, "ok"),
        (json!({"nbf": NOW - 180, "iat": NOW}), true, "ok"),
        (json!({"nbf": null, "iat": NOW - 1}), true, "before_cutoff"),
        // With a leeway of a minute it passes a minute before its `nbf`.
        (json!({"nbf": NOW + 60, "iat": null}), true, "ok"),
        (json!({"nbf": NOW + 59, "iat": null}), true, "before_cutoff"),
        (json!({"nbf": null, "iat": null}), true, "before_cutoff"),
        (json!({"nbf": null, "iat": null}), false, "before_cutoff"),
    ] {
        let layer = jwt::layer::<Value>(Algorithm::HS512).audience("www.waggl.com").secrets([SECRET]);
        let layer = layer.replay(store_since(NOW)).clock(clock());
        let layer = if lifetime { layer } else { layer.danger_any_lifetime() };
        let token = sign(Algorithm::HS512, HS512, &with(changes.clone()));
        let answer = App::new(layer.build().unwrap()).send(get(&format!("/?sso_jwt={token}"))).await;
        assert_eq!(reason(&answer), expected, "{changes}, {lifetime}");
    }
}

/// Tokens without an end do not keep everybody out for ever.
#[tokio::test]
async fn what_has_no_end_does_not_fill_the_store() {
    use tower_sso::replay::MemoryReplay;
    type Change = fn(Builder<Jwt<Value>>) -> Builder<Jwt<Value>>;
    for (change, why) in [
        ((|layer| layer.max_age(secs(60))) as Change, "they are too old"),
        (|layer| layer.danger_without_expiry(secs(60)), "they are remembered for so long"),
    ] {
        let clock = clock();
        let replay = MemoryReplay::builder().ceiling(10).clock(clock.clone()).build();
        let layer = jwt::layer(Algorithm::HS512).audience("www.waggl.com").secrets([SECRET]);
        let app = App::new(change(layer.replay(replay).clock(clock.clone())).build().unwrap());
        for round in 0..5_u64 {
            for number in 0..5 {
                let iat = NOW + round * 600;
                let payload = with(json!({"exp": null, "nbf": null, "iat": iat, "jti": format!("{round} {number}")}));
                let token = sign(Algorithm::HS512, HS512, &payload);
                let answer = app.send(get(&format!("/?sso_jwt={token}"))).await;
                assert_eq!(reason(&answer), "ok", "{why}: round {round}, {number}");
                let copy = app.send(get(&format!("/?sso_jwt={token}"))).await;
                assert_eq!(reason(&copy), "replayed", "{why}");
            }
            clock.advance(secs(600));
        }
    }
}

#[test]
fn unsafe_settings_do_not_build() {
    let start = || jwt::layer::<Value>(Algorithm::HS512).replay(replay()).leeway(secs(0));
    for (built, expected) in [
        (start().secrets([SECRET]).build(), "audience"),
        (start().secrets([SECRET]).audience("").build(), "audience"),
        (start().secrets([""]).audience("a").build(), "is empty"),
        (start().secrets([SECRET]).audience("a").token_parameter("").build(), "token_in"),
        (start().secrets([SECRET]).audience("a").max_age(std::time::Duration::MAX).build(), "max_age"),
        (start().secrets([SECRET]).audience("a").max_lifetime(std::time::Duration::MAX).build(), "max_lifetime"),
        (start().secrets([SECRET]).audience("a").leeway(std::time::Duration::MAX).build(), "leeway"),
        (start().secrets([SECRET]).audience("a").danger_without_expiry(secs(0)).build(), "danger_without_expiry"),
    ] {
        let said = refused(built);
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
}
