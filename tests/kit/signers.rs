//! `VerifyLayer::signer` takes everything from the layer.

use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::clock::UnixTime;
use tower_sso::jwt::{self, Algorithm};
use tower_sso::sign::SignError;
use tower_sso::tenant::Tenant;
use tower_sso::timestamp_hash::{Digest, Recipe};
use tower_sso::{VerifyLayer, timestamp_hash};

use crate::support::{App, NOW, clock, outcome, replay};

const SECRET: &str = "a-secret-of-acme-0123";
const ADDRESS: &str = "https://app.example/sso";

fn layer() -> VerifyLayer<timestamp_hash::TimestampHash<Value>> {
    let recipe = Recipe::hmac(Digest::Sha384, ["made", "email", "org"], ":");
    let layer = timestamp_hash::layer(recipe).timestamp_parameter("made").hash_parameter("mac").tenant_field("org");
    layer.secrets([SECRET]).replay(replay()).clock(clock()).build().unwrap()
}

#[tokio::test]
async fn what_a_layer_is_set_to_is_signed() {
    let (layer, claims) = (layer(), json!({"email": "ada@example.com"}));
    let app = App::new(layer.clone());
    let sign = |secret: &str, time| {
        let signer = layer.signer(&secret.into()).tenant("acme").issued_at(UnixTime::from_secs(time));
        signer.request(ADDRESS, &claims).unwrap().map(Full::new)
    };
    for (request, expected, why) in [
        (sign(SECRET, NOW), "ok", "as it should be"),
        (sign(SECRET, NOW), "replayed", "the same again"),
        (sign(SECRET, NOW - 1), "ok", "another second"),
        (sign("another-secret-0123456", NOW), "invalid", "another secret"),
        (sign(SECRET, NOW - 31), "expired", "too old"),
        (sign(SECRET, NOW + 6), "not_yet_valid", "too new"),
    ] {
        assert_eq!(outcome(&app.send(request).await), expected, "{why}");
    }
    let now = layer.signer(&SECRET.into()).tenant("acme").request(ADDRESS, &claims).unwrap();
    assert!(now.uri().query().unwrap().starts_with(&format!("made={NOW}&")), "the layer's clock: {}", now.uri());
}

#[test]
fn what_cannot_be_signed_says_why() {
    let (layer, secret) = (layer(), SECRET.into());
    let claims = json!({"email": "ada@example.com"});
    let error = |result: Result<_, SignError>| result.unwrap_err().to_string();
    let signer = || layer.signer(&secret).tenant("acme");
    assert!(error(signer().request(ADDRESS, &json!({}))).contains("lack `email`"));
    assert!(error(signer().request(ADDRESS, &json!("ada"))).contains("not an object"));
    assert!(error(signer().request("not an address", &claims)).contains("the address"));
    assert!(error(layer.signer(&secret).request(ADDRESS, &claims)).contains("call `tenant`"));

    let layer = jwt::layer::<Value>(Algorithm::RS256).audience("rp").tenant(Tenant::query("tenant"));
    let layer = layer.keys(tower_sso::keys::MemoryKeys::new()).replay(replay()).build().unwrap();
    assert!(error(layer.signer(&secret).tenant("acme").request(ADDRESS, &claims)).contains("not a private key"));
    let built = layer.kit(ADDRESS).tenant("acme").build().map(drop);
    assert!(built.unwrap_err().to_string().contains("`throwaway_key_pair`"));

    let layer = tower_sso::providers::launches::danger_alibaba::<Value>().secrets([SECRET]).replay(replay());
    let layer = layer.build().unwrap();
    assert!(error(layer.signer(&secret).tenant("acme").request(ADDRESS, &claims)).contains("MD5"));
    assert!(layer.kit(ADDRESS).tenant("acme").build().unwrap_err().to_string().contains("MD5"));
}
