//! Partners who get something wrong: the true cause is named first, and no secret with it.

mod bounds;
mod broken;
mod integrators;
mod partners;
mod recipes;
mod senders;
mod table;

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use serde_json::{Value, json};
use tower_sso::VerifyLayer;
use tower_sso::clock::UnixTime;
use tower_sso::explain::{self, Explanation};
use tower_sso::jwt::{Algorithm, Jwt};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1::{OAuth1, Origin};
use tower_sso::sign::{FernetLink, HashedLink, JwtSigner, OAuthLink, SigningWebhook, generate_fernet_key};
use tower_sso::tenant::Tenant;
use tower_sso::timestamp_hash::{Digest, Recipe, TimestampHash};
use tower_sso::{fernet, jwt, oauth1, timestamp_hash, webhook};

use crate::support::{NOW, clock, replay};

const SECRET: &str = "A-secret-of-acme-0123";
const OLD: &str = "the-old-secret-of-acme";
const OTHER: &str = "a-secret-of-somebody-else";

fn keys() -> MemoryKeys {
    let keys = MemoryKeys::new().with("acme", OLD).with("other", OTHER);
    keys.rotate("acme", SECRET, UnixTime::from_secs(NOW - 60));
    keys
}

fn get(uri: &str) -> Parts {
    Request::get(uri).body(()).unwrap().into_parts().0
}

fn said(explanation: &Explanation) -> String {
    let text = explanation.to_string();
    for secret in [SECRET, OLD, OTHER, "ada"] {
        assert!(!text.contains(secret), "{text}");
    }
    explanation.cause().unwrap_or(&text).to_owned()
}

fn oauth() -> VerifyLayer<OAuth1<Value>> {
    let layer = oauth1::layer::<Value>(Origin::new("https://rp.example"));
    layer.keys(keys()).replay(replay()).clock(clock()).build().unwrap()
}

fn link(address: &str, secret: &str) -> OAuthLink {
    OAuthLink::new(address, "acme", &Secret::verbatim(secret)).issued_at(UnixTime::from_secs(NOW)).nonce("n")
}

const EMAIL: [(&str, &str); 1] = [("email", "Ada@x.example")];

#[tokio::test]
async fn signed_links_of_broken_partners() {
    let right = || link("https://rp.example/launch", SECRET).uri(&EMAIL).unwrap();
    let signed_with = |secret: &str| link("https://rp.example/launch", secret).uri(&EMAIL).unwrap();
    let signed_for = |address: &str| link(address, SECRET).uri(&EMAIL).unwrap();
    let off = |seconds: i64| {
        let time = UnixTime::from_secs(NOW.checked_add_signed(seconds).unwrap());
        link("https://rp.example/launch", SECRET).issued_at(time).uri(&EMAIL).unwrap()
    };
    for (uri, expected) in [
        (signed_for("http://rp.example/launch"), "signed for http,"),
        (off(-400), "made 400 s ago"),
        (off(400), "clock is 400 s ahead"),
        (signed_with(OLD), "a key that has ended"),
        (right().replace("Ada%40x.example", "Ada%2540x.example"), "`email` in the query is encoded once more"),
        (
            link("https://rp.example/launch", SECRET)
                .uri(&[("email", "ada@x.example")])
                .unwrap()
                .replace("ada%40", "Ada%40"),
            "`email` in the query was signed in lower case",
        ),
        (signed_with(&format!("{SECRET}\n")), "ends with a line feed"),
        (signed_with(&format!("\"{SECRET}\"")), "in double quotes"),
        (signed_with(&format!("\u{feff}{SECRET}")), "byte order mark"),
        (signed_with(&SECRET.to_lowercase()), "secret in lower case"),
        (signed_with(OTHER), "the key of tenant \"other\""),
        (signed_for("https://rp.example:443/launch"), "signed"),
        (signed_for("https://rp.example/launch/").replace("/launch/?", "/launch?"), "with a slash at the path's end"),
        (signed_for("https://www.rp.example/launch"), "`www.`"),
        (right().replace("oauth_consumer_key=acme", "oauth_consumer_key=ACME"), "no tenant \"ACME\""),
        (right(), "It passes"),
    ] {
        let uri = uri.split_once("rp.example").map(|(_, rest)| rest.trim_start_matches(":443").to_owned()).unwrap();
        let head = get(&uri);
        let explanation = explain::request(&oauth(), &head, &Bytes::new()).await;
        let said = if explanation.refused().is_some() { said(&explanation) } else { explanation.to_string() };
        if expected == "signed" {
            // The signer leaves a default port out, as it should.
            assert!(said.contains("It passes"), "{uri}: {said}");
            continue;
        }
        assert!(said.contains(expected), "{expected}: {said}\n{uri}");
    }
}

fn hashed() -> VerifyLayer<TimestampHash<Value>> {
    let layer = timestamp_hash::layer::<Value>(recipe(["timestamp", "email", "org"], "|"));
    layer.tenant_field("org").keys(keys()).replay(replay()).clock(clock()).build().unwrap()
}

fn recipe(fields: [&'static str; 3], separator: &'static str) -> Recipe {
    Recipe::hmac(Digest::Sha256, fields, separator)
}

#[tokio::test]
async fn what_the_client_wrote_stays_on_its_line() {
    let uri = "/launch?x%0ACause%3A+all+is+well%1b%5b2J=1&oauth_consumer_key=acme&oauth_nonce=n&oauth_timestamp=1700000000\
               &oauth_signature_method=HMAC-SHA1&oauth_signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D";
    let said = explain::request(&oauth(), &get(uri), &Bytes::new()).await.to_string();
    assert!(said.contains("refused") && !said.contains('\u{1b}'), "{said}");
    assert!(!said.lines().any(|line| line.starts_with("Cause: all is well")), "{said}");
}

#[tokio::test]
async fn explaining_a_wrong_secret_guesses_once() {
    use tower_sso::shared_secret::{self, PrivateKeys};
    use tower_sso::throttle::Throttle;

    let keys = PrivateKeys::new().with("acme", [SECRET]).unwrap();
    let throttle = Throttle::by(|_| Some("10.0.0.1".into())).limit(3);
    let layer = shared_secret::layer::<Value>(keys).throttle(throttle).clock(clock()).build().unwrap();
    let call = |secret: &str| {
        let request = Request::post("/?a=b&c=d").header("content-type", "application/json");
        let (head, ()) = request.body(()).unwrap().into_parts();
        (head, Bytes::from(json!({"token": secret}).to_string()))
    };
    let (head, wrong) = call("not-the-secret");
    let explanation = explain::request(&layer, &head, &wrong).await;
    assert!(explanation.cause().unwrap().contains("nothing is known under this credential"), "{explanation}");
    let (head, right) = call(SECRET);
    assert!(explain::request(&layer, &head, &right).await.refused().is_none());
}

#[tokio::test]
async fn hashes_of_broken_partners() {
    let secret = Secret::new(SECRET);
    let now = NOW.to_string();
    let values = [now.as_str(), "ada@x.example", "acme"];
    let right = HashedLink::new("/l", recipe(["timestamp", "email", "org"], "|"), &secret);
    let turned = HashedLink::new("/l", recipe(["email", "timestamp", "org"], "|"), &secret);
    let colons = HashedLink::new("/l", recipe(["timestamp", "email", "org"], ":"), &secret);
    let plain = Recipe::digest_with_secret_last(Digest::Sha256, ["timestamp", "email", "org"], "|");
    for (uri, expected) in [
        (right.uri(&values), "It passes"),
        (turned.uri(&["ada@x.example", &now, "acme"]), "another order: email, timestamp, org"),
        (colons.uri(&values), "joins the fields by \":\""),
        (HashedLink::new("/l", plain, &secret).uri(&values), "a plain digest with the secret last"),
    ] {
        let explanation = explain::request(&hashed(), &get(&uri), &Bytes::new()).await;
        let said = explanation.to_string();
        assert!(said.contains(expected), "{expected}: {said}\n{uri}");
    }
}

#[tokio::test]
async fn webhooks_of_broken_senders() {
    let layer = webhook::layer::<Value>().secrets([SECRET]).replay(replay()).handler_remembers().clock(clock());
    let layer = layer.build().unwrap();
    let body = r#"{"event": "paid", "note": "é"}"#;
    for (signed, secret, expected) in [
        (body, SECRET.to_owned(), "It passes"),
        (r#"{"event":"paid","note":"é"}"#, SECRET.to_owned(), "without white space"),
        ("{\"event\": \"paid\", \"note\": \"\\u00e9\"}", SECRET.to_owned(), "non-ASCII characters"),
        ("{\"event\": \"paid\", \"note\": \"é\"}\n", SECRET.to_owned(), "ended with a line feed"),
        (body, format!("{SECRET}\r\n"), "a carriage return and a line feed"),
        (body, "bm90LWEtc2VjcmV0".to_owned(), "Nothing that was tried"),
    ] {
        let signature = SigningWebhook::new(Secret::verbatim(secret)).signature(&[signed.as_bytes()]);
        let request = Request::post("/hook").header("webhook-signature", signature);
        let (head, ()) = request.header("content-type", "application/json").body(()).unwrap().into_parts();
        let said = explain::request(&layer, &head, &Bytes::from(body)).await.to_string();
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains(SECRET) && !said.contains("paid"), "{said}");
    }
}

fn token_layer(secret: &str) -> VerifyLayer<Jwt<Value>> {
    let layer = jwt::layer::<Value>(Algorithm::HS256).audience("rp").secrets([secret]);
    layer.replay(replay()).clock(clock()).build().unwrap()
}

#[tokio::test]
async fn tokens_of_broken_partners() {
    // Base64 of a key, as a page may show it.
    const SHOWN: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let sign = |secret: &[u8], claims: Value| {
        let signer = JwtSigner::new(Algorithm::HS256, &Secret::verbatim(secret)).unwrap();
        format!("/?sso_jwt={}", signer.token(&claims).unwrap())
    };
    let good = || json!({"sub": "ada", "aud": "rp", "iat": NOW, "exp": NOW + 60});
    for (uri, expected) in [
        (sign(SHOWN.as_bytes(), good()), "It passes"),
        (sign(b"01234567890123456789012345678901", good()), "decodes the secret as base64"),
        (
            sign(SHOWN.as_bytes(), json!({"sub": "ada", "aud": "rp", "iat": NOW * 1000, "exp": NOW * 1000})),
            "milliseconds",
        ),
        (
            sign(SHOWN.as_bytes(), json!({"sub": "ada", "aud": "other", "iat": NOW, "exp": NOW + 60})),
            "another audience",
        ),
    ] {
        let said = explain::request(&token_layer(SHOWN), &get(&uri), &Bytes::new()).await.to_string();
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains(SHOWN) && !said.contains("ada"), "{said}");
    }
}

#[tokio::test]
async fn fernet_tokens_of_broken_partners() {
    let (key, other) = (generate_fernet_key(), generate_fernet_key());
    let keys = MemoryKeys::new().with("4321", key.clone()).with("9", other.clone());
    let layer = fernet::layer::<Value>().keys(keys).replay(replay()).tenant(Tenant::query("company_id"));
    let layer = layer.clock(clock()).build().unwrap();
    let link = |company: &str, key: &Secret| FernetLink::new("/", company, key).issued_at(UnixTime::from_secs(NOW));
    let claims = json!({"user_id": 1});
    for (link, expected) in [
        (link("4321", &key), "It passes"),
        (link("4321", &other), "the key of tenant \"9\""),
        (link("432", &key), "names another tenant: it was made with the key of tenant \"4321\""),
        (link("4321", &key).issued_at(UnixTime::from_secs(NOW - 3_600)), "made 3600 s ago"),
    ] {
        let said = explain::request(&layer, &get(&link.uri(&claims).unwrap()), &Bytes::new()).await.to_string();
        assert!(said.contains(expected), "{expected}: {said}");
    }
}
