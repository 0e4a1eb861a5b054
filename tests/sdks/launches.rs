//! Launches: by presets, and by the recipes for frameworks of `signed_payload`.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use http::header::AUTHORIZATION;
use serde_json::Value;
use tower_sso::body::WholeBody;
use tower_sso::form::Form;
use tower_sso::jwt::{self, Algorithm, Jwt};
use tower_sso::keys::{MemoryKeys, PublicKeys};
use tower_sso::providers::launches;
use tower_sso::scheme::{Digest, Encoding, KeyDerivation, Origin, Place, TimeFormat};
use tower_sso::signed_payload::{self, Layout, PayloadEncoding, SignedPayload, Stamp};
use tower_sso::{Builder, Identity};

use crate::calls::{Server, has_node, node, now, python, replay};

#[tokio::test]
async fn what_partners_libraries_sign_signs_in_once() {
    let mut rows = python("launches", now());
    rows.extend(node("launches", now()));
    let signers: BTreeSet<_> = rows.iter().map(|row| row["signer"].as_str().unwrap()).collect();
    let mut libraries = vec!["oauthlib", "PyJWT", "itsdangerous", "Django", "init-data-py", "as Rails 7.1"];
    if has_node() {
        libraries.extend(["@shopify/shopify-api", "atlassian-jwt"]);
    }
    for library in libraries {
        assert!(signers.iter().any(|signer| signer.starts_with(library)), "{library}: not in {signers:?}");
    }
    for row in &rows {
        let signer = row["signer"].as_str().unwrap();
        let server = Server::of(app(row)).await;
        let send = async |name: &str| {
            let call = &row[name];
            let (status, body) =
                server.send(call["target"].as_str().unwrap(), &call["headers"], call["body"].as_str()).await;
            if status == 200 { ("ok".to_owned(), body) } else { (code(&body), body) }
        };
        let again = row["again"].as_str().unwrap_or("replayed");
        for (name, expected) in [("tampered", "invalid"), ("stale", "expired"), ("good", "ok"), ("good", again)] {
            let (found, body) = send(name).await;
            assert_eq!(found, expected, "{signer}: {name}: {body}");
            assert!(found != "ok" || body.contains("lovelace"), "{signer}: the user is among the claims: {body}");
        }
    }
}

fn code(problem: &str) -> String {
    let problem: Value = serde_json::from_str(problem).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}

fn app(row: &Value) -> Router {
    let key = row["key"].as_str().unwrap();
    match row["layer"].as_str().unwrap() {
        "lti11" => {
            let layer = launches::lti11::<Value>(Origin::new("https://tool.example"));
            once(layer.keys(MemoryKeys::new().with("acme", key)))
        }
        "RS256" => once(public(Algorithm::RS256, row)),
        "ES256" => once(public(Algorithm::ES256, row)),
        "itsdangerous serializer" => once(itsdangerous("itsdangeroussigner").secrets([key])),
        "itsdangerous signer" => once(itsdangerous("itsdangerous.Signersigner").secrets([key])),
        "Django dumps" => once(django("django.core.signingsigner").secrets([key])),
        "Django signer" => once(django("django.core.signing.TimestampSignersigner").secrets([key])),
        "itsdangerous text" => {
            let layer = itsdangerous("itsdangerous.Signersigner").text().payload_encoding(PayloadEncoding::Text);
            once(layer.secrets([key]))
        }
        "Django text" => {
            let layer = django("django.core.signing.TimestampSignersigner").text();
            once(layer.payload_encoding(PayloadEncoding::Text).secrets([key]))
        }
        "Rails" => once(rails().payload_encoding(PayloadEncoding::Base64).digest(Digest::Sha1).secrets([key])),
        "Rails url_safe" => once(rails().secrets([key])),
        "telegram_mini_app" => {
            let place = Place::header_after(AUTHORIZATION, "tma");
            reusable(launches::telegram_mini_app::<Value>(place).secrets([key]))
        }
        "telegram_login" => once(launches::telegram_login::<Value>().secrets([key])),
        "atlassian_connect" => reusable(launches::atlassian_connect::<Value>().secrets([key])),
        "shopify" => once(launches::shopify::<Value>().secrets([key])),
        "shopify_app_proxy" => reusable(launches::shopify_app_proxy::<Value>().secrets([key])),
        "shopify_session_token" => reusable(launches::shopify_session_token::<Value>().audience("app").secrets([key])),
        other => panic!("{other}: not in this test"),
    }
}

fn once<F: Form<Reads = WholeBody>>(layer: Builder<F, Value>) -> Router {
    reusable(layer.replay(replay()))
}

fn reusable<F: Form<Reads = WholeBody>>(layer: Builder<F, Value>) -> Router {
    let echo = any(|claims: Identity<Value>| async move { claims.claims().to_string() });
    Router::new().route("/launch", echo.layer(layer.build().unwrap()))
}

fn token() -> Place {
    Place::query("t")
}

fn public(algorithm: Algorithm, row: &Value) -> Builder<Jwt<Value>> {
    let keys = PublicKeys::new("idp.example");
    assert_eq!(keys.set_jwks(row["jwks"].as_str().unwrap().as_bytes()).unwrap(), 2);
    jwt::layer(algorithm).token_in(token()).tenant_header("kid").audience("app").keys(keys)
}

fn itsdangerous(salted: &'static str) -> Builder<SignedPayload<Value>> {
    signed_payload::layer(Layout::payload_first(token(), "."))
        .stamped(Stamp::Base64Bytes)
        .digest(Digest::Sha1)
        .encoding(Encoding::Base64Url)
        .key_derivation(KeyDerivation::digest_after(Digest::Sha1, salted))
}

fn django(salted: &'static str) -> Builder<SignedPayload<Value>> {
    signed_payload::layer(Layout::payload_first(token(), ":"))
        .stamped(Stamp::Base62)
        .encoding(Encoding::Base64Url)
        .key_derivation(KeyDerivation::digest_after(Digest::Sha256, salted))
}

fn rails() -> Builder<SignedPayload<Value>> {
    signed_payload::layer(Layout::payload_first(token(), "--"))
        .expires_at("/_rails/exp", TimeFormat::Rfc3339, Duration::from_secs(600))
        .require_value("/_rails/pur", "sso")
}
