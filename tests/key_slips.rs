//! Secrets that cannot be meant: whoever builds a layer with one is told.
#![cfg(all(
    feature = "fernet",
    feature = "jwt",
    feature = "oauth1",
    feature = "timestamp-hash",
    feature = "webhook",
    feature = "moka",
    feature = "sign"
))]

mod support;

use http::HeaderName;
use serde_json::Value;
use support::subject::{JwtSubject, OAuth1Subject, Subject, TimestampHashSubject, WebhookSubject, Wish, refused};
use support::{App, clock, outcome, reason, replay};
use tower_sso::config::ConfigError;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1::Origin;
use tower_sso::timestamp_hash::Recipe;
use tower_sso::webhook::Digest;
use tower_sso::{jwt, oauth1, timestamp_hash, webhook};

/// Whether a layer of each form that checks a MAC builds with this secret.
fn built(secret: &str) -> [(&'static str, Result<(), ConfigError>); 4] {
    let keys = || MemoryKeys::new().with("acme", secret);
    let origin = Origin::new("https://rp.example");
    let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|");
    let webhook = webhook::layer::<Value>().signature_header(HeaderName::from_static("signature")).secrets([secret]);
    [
        (
            "jwt",
            jwt::layer::<Value>(jwt::Algorithm::HS256)
                .audience("a")
                .secrets([secret])
                .replay(replay())
                .build()
                .map(drop),
        ),
        ("oauth1", oauth1::layer::<Value>(origin).keys(keys()).replay(replay()).build().map(drop)),
        ("timestamp_hash", timestamp_hash::layer::<Value>(recipe).secrets([secret]).replay(replay()).build().map(drop)),
        ("webhook", webhook.handler_remembers().replay(replay()).build().map(drop)),
    ]
}

#[test]
fn a_key_of_a_pair_is_no_shared_secret() {
    for (secret, why) in [
        (include_str!("vectors/p256-public.pem"), "everybody knows a public key (CVE-2022-29217)"),
        (include_str!("vectors/keys/rsa-2048-public.pem"), "of another kind"),
        ("Bag Attributes\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "behind other text"),
        ("ssh-rsa AAAAB3NzaC1yc2E= partner", "as OpenSSH writes it"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 partner", "as OpenSSH writes it"),
        ("ecdsa-sha2-nistp256 AAAAE2VjZHNh partner", "as OpenSSH writes it"),
    ] {
        for (form, built) in built(secret) {
            let said = refused(built);
            assert!(said.contains("public key is known to everybody"), "{form}, {why}: {said}");
        }
    }
    for (form, built) in built(r#"{"kty":"RSA","e":"AQAB","n":"sXch"}"#) {
        let said = refused(built);
        assert!(said.contains("is a JWK"), "{form}, a public key as a JWK: {said}");
    }
    for (form, built) in built("a secret that mentions ssh-rsa and -----BEG") {
        assert!(built.is_ok(), "{form}");
    }
}

/// The keys of a store are learnt at run time, when no layer is built.
#[tokio::test]
async fn a_public_key_that_is_learnt_later_lets_nobody_in() {
    async fn refused<S: Subject>() {
        let keys = MemoryKeys::new();
        let app: App = S::app_with(keys.clone(), replay(), clock());
        let request = S::request(&Wish { tenant: "other", key: 2, ..Wish::default() });
        keys.set("other", S::key(2).into());
        keys.set("acme", Secret::new(include_str!("vectors/p256-public.pem")).into());
        assert_eq!(outcome(&app.send(request).await), "ok", "{}", S::NAME);
        let answer = app.send(S::request(&Wish { tenant: "acme", key: 0, ..Wish::default() })).await;
        assert_eq!(reason(&answer), "unusable_key", "{}", S::NAME);
    }
    refused::<JwtSubject>().await;
    refused::<OAuth1Subject>().await;
    refused::<TimestampHashSubject>().await;
    refused::<WebhookSubject>().await;
}

#[test]
fn what_cannot_be_seen_is_blank() {
    for secret in ["\u{a0}", "\u{3000}\u{3000}", "\u{feff}", "\u{200b}", "\u{b}", "\u{2060}\u{200d}", "\u{ad}"] {
        for (form, built) in built(secret) {
            let said = refused(built);
            assert!(said.contains("is blank"), "{form}, {secret:?}: {said}");
        }
    }
}
