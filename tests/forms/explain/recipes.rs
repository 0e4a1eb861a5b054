//! The other forms: what their recipes know of near misses.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http::request::Parts;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;
use tower_sso::VerifyLayer;
use tower_sso::body::RawBody;
use tower_sso::explain;
use tower_sso::form::Form;
use tower_sso::http_signature::{self, Algorithm};
use tower_sso::keys::MemoryKeys;
use tower_sso::providers::lcvista;
use tower_sso::scheme::{Encoding, Origin};
use tower_sso::shared_secret::{self, PrivateKeys};
use tower_sso::sign::SigningWebhook;
use tower_sso::signed_json::{self, Layout};
use tower_sso::ticket::{self, MemoryTickets, Tickets};

use super::get;
use crate::support::{NOW, clock, replay};

const SECRET: &str = "lcv-4mQ8zR1xT0";

async fn first<F: Form, C>(layer: &VerifyLayer<F, C>, head: &Parts, body: impl Into<Bytes>) -> String {
    let explanation = explain::request(layer, head, &body.into()).await;
    let text = explanation.to_string();
    assert!(!text.contains(SECRET) && !text.contains("ada"), "{text}");
    explanation.cause().map_or(text, str::to_owned)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The vendor's sample hashes the URL-encoded fields and its token, as the key of an HMAC over nothing.
#[tokio::test]
async fn a_hash_over_url_encoded_fields() {
    let layer =
        lcvista::sso(MemoryKeys::new().with("big firm", SECRET)).replay(replay()).clock(clock()).build().unwrap();
    let sent = |hashed: &str| {
        let hash = Hmac::<Sha1>::new_from_slice(hashed.as_bytes()).unwrap().finalize().into_bytes();
        format!("/sso/oauth/?timestamp={NOW}&email=ada%40x.example&slug=big+firm&hash={}", hex(&hash))
    };
    for (hashed, expected, why) in [
        (
            format!("timestamp={NOW}&email=ada%40x.example&slug=big+firm&token={SECRET}"),
            "It passes",
            "as the page says",
        ),
        (
            format!("timestamp={NOW}&email=ada%40x.example&slug=big%20firm&token={SECRET}"),
            "`encodeURIComponent`",
            "encoded by JavaScript",
        ),
        (
            format!("email=ada%40x.example&timestamp={NOW}&slug=big+firm&token={SECRET}"),
            "another order: email, timestamp, slug",
            "sorted by another rule",
        ),
        (format!("timestamp={NOW}&email=ada%2540x.example&slug=big+firm&token={SECRET}"), "encoded once less", "twice"),
        (
            format!("timestamp={NOW}&email=ADA%40X.EXAMPLE&slug=big+firm&token={SECRET}"),
            "`email` in the query was signed in upper case",
            "another case",
        ),
        (
            format!("timestamp={NOW}&email=ada%40x.example&slug=big+firm&token={SECRET}%0A"),
            "ends with a line feed",
            "a file",
        ),
    ] {
        let said = first(&layer, &get(&sent(&hashed)), "").await;
        assert!(said.contains(expected), "{why}: {said}");
    }
}

fn post(body: &Value) -> (Parts, Bytes) {
    let request = Request::post("/").header("content-type", "application/json").body(()).unwrap();
    (request.into_parts().0, body.to_string().into())
}

#[tokio::test]
async fn a_signature_inside_the_body() {
    let layer = signed_json::layer::<Value>(["/order", "/amount"]).layout(Layout::Joined(':')).secrets([SECRET]);
    let layer = layer.replay(replay()).handler_remembers().clock(clock()).build().unwrap();
    for (signed, expected) in [
        ("7:100", "It passes"),
        ("100:7", "another order: /amount, /order"),
        ("7|100", "with `|` between them"),
        ("7100", "with nothing between them"),
        ("order\n7\namount\n100\n", "as lines of names and values"),
    ] {
        let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(signed).finalize();
        let signature = hex(&mac.into_bytes());
        let (head, body) = post(&json!({"order": "7", "amount": 100, "signature": signature}));
        let said = first(&layer, &head, body).await;
        assert!(said.contains(expected), "{signed:?}: {said}");
    }
}

/// A wrong token is itself the secret, so what is tried is the token.
#[tokio::test]
async fn a_token_that_was_copied_badly() {
    let keys = PrivateKeys::new().with("acme", [SECRET]).unwrap();
    let layer = shared_secret::layer::<Value>(keys).clock(clock()).build().unwrap();
    for (token, expected) in [
        (SECRET.to_owned(), "It passes"),
        (format!("{SECRET}\n"), "white space, quotes or a byte order mark"),
        (format!("\"{SECRET}\""), "white space, quotes or a byte order mark"),
        (format!("Bearer {SECRET}"), "a word such as `Bearer` before it"),
        (SECRET.to_uppercase(), "nothing is known under this credential"),
        ("another one".to_owned(), "nothing is known under this credential"),
    ] {
        let (head, body) = post(&json!({"token": token}));
        let said = first(&layer, &head, body).await;
        assert!(said.contains(expected), "{token:?}: {said}");
    }
}

#[tokio::test]
async fn a_ticket_that_was_used() {
    let layer = ticket::layer::<Value>(Tickets::new(MemoryTickets::new())).clock(clock()).build().unwrap();
    let said = first(&layer, &get("/?ticket=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "").await;
    assert!(said.contains("it was used up, has ended"), "{said}");
    let said = first(&layer, &get("/?ticket=AAAA"), "").await;
    assert!(said.contains("43 characters"), "{said}");
}

#[tokio::test]
async fn a_message_that_was_signed_for_another_address() {
    let layer = http_signature::layer::<RawBody>(Algorithm::HmacSha256, Origin::new("https://rp.example"));
    let layer = layer.methods([http::Method::DELETE]).optional_body().secrets([SECRET]).replay(replay());
    let layer = layer.clock(clock()).build().unwrap();
    for (origin, expected) in [
        ("https://rp.example", "It passes"),
        ("http://rp.example", "it was signed for http,"),
        ("https://rp.example:8443", "with the port 8443"),
    ] {
        let input = format!("(\"@method\" \"@target-uri\");created={NOW}");
        let base = format!("\"@method\": DELETE\n\"@target-uri\": {origin}/7\n\"@signature-params\": {input}");
        let signer = SigningWebhook::new(SECRET.into()).encoding(Encoding::Base64);
        let request = Request::delete("/7").header("signature-input", format!("a={input}"));
        let request = request.header("signature", format!("a=:{}:", signer.sign(base).signature));
        let (head, ()) = request.body(()).unwrap().into_parts();
        let said = first(&layer, &head, "").await;
        assert!(said.contains(expected), "{origin}: {said}");
    }
}
