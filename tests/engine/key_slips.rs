//! Mistakes in secrets that are reported when a layer is built.

use http::{HeaderName, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::ConfigError;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1::Origin;
use tower_sso::scheme::SecretFormat;
use tower_sso::scheme::{Place, TimeFormat};
use tower_sso::sealed::{self, Seal};
use tower_sso::shared_secret::{self, PrivateKeys};
use tower_sso::signed_parameters::{self, Join};
use tower_sso::tenant::Tenant;
use tower_sso::timestamp_hash::Recipe;
use tower_sso::webhook::Digest;
use tower_sso::webhook::challenge::Challenge;
use tower_sso::{jwt, oauth1, signed_json, signed_payload, timestamp_hash, webhook};

use crate::support::log::Log;
use crate::support::subject::{
    JwtSubject, OAuth1Subject, SealedSubject, SignedJsonSubject, SignedParametersSubject, SignedPayloadSubject,
    Subject, TimestampHashSubject, WebhookSubject, Wish, refused,
};
use crate::support::{App, clock, outcome, reason, replay};

/// Whether a layer of each form that checks a MAC builds with this secret.
fn built(secret: &str) -> Vec<(&'static str, Result<(), ConfigError>)> {
    let keys = || MemoryKeys::new().with("acme", secret);
    let origin = Origin::new("https://rp.example");
    let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|");
    let webhook = webhook::layer::<Value>().signature_header(HeaderName::from_static("signature")).secrets([secret]);
    let parameters = signed_parameters::layer::<Value>(signed_parameters::Recipe::all(Join::pairs('&')));
    let parameters = parameters.issued_at("ts", TimeFormat::Seconds).secrets([secret]);
    let layout = signed_payload::Layout::payload_first(Place::query("t"), ".");
    let payload = signed_payload::layer::<Value>(layout).issued_at("iat", TimeFormat::Seconds).secrets([secret]);
    let sealed = sealed::layer::<Value>(Seal::FramedAesGcm, Place::query("t")).issued_at("iat", TimeFormat::Seconds);
    let json = signed_json::layer::<Value>(["/a"]).secrets([secret]).handler_remembers();
    vec![
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
        ("signed_parameters", parameters.replay(replay()).build().map(drop)),
        ("signed_payload", payload.replay(replay()).build().map(drop)),
        ("sealed", sealed.secrets([secret]).replay(replay()).build().map(drop)),
        ("signed_json", json.replay(replay()).build().map(drop)),
        ("shared_secret", shared_secret::by_tenant::<Value>().secrets([secret]).build().map(drop)),
        ("a challenge's key", Challenge::hmac("crc_token", secret, "response_token", "sha256=").map(drop)),
        ("a challenge's token", Challenge::echo_if("token", secret, "challenge").map(drop)),
    ]
}

#[test]
fn a_key_of_a_pair_is_no_shared_secret() {
    for (secret, why) in [
        (include_str!("../vectors/p256-public.pem"), "everybody knows a public key (CVE-2022-29217)"),
        (include_str!("../vectors/keys/rsa-2048-public.pem"), "of another kind"),
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

/// A store's keys are only known at run time, after the layer was built.
#[tokio::test]
async fn a_public_key_that_is_learnt_later_lets_nobody_in() {
    async fn refused<S: Subject>() {
        let pem = include_str!("../vectors/p256-public.pem");
        for public in [pem.to_owned(), body(pem)] {
            let keys = MemoryKeys::new();
            let app: App = S::app_with(keys.clone(), replay(), clock());
            let request = S::request(&Wish { tenant: "other", key: 2, ..Wish::default() });
            keys.set("other", S::key(2).into());
            keys.set("acme", Secret::new(public).into());
            assert_eq!(outcome(&app.send(request).await), "ok", "{}", S::NAME);
            let answer = app.send(S::request(&Wish { tenant: "acme", key: 0, ..Wish::default() })).await;
            assert_eq!(reason(&answer), "unusable_key", "{}", S::NAME);
        }
    }
    refused::<JwtSubject>().await;
    refused::<OAuth1Subject>().await;
    refused::<TimestampHashSubject>().await;
    refused::<WebhookSubject>().await;
    refused::<SignedParametersSubject>().await;
    refused::<SignedPayloadSubject>().await;
    refused::<SealedSubject>().await;
    refused::<SignedJsonSubject>().await;
}

/// Where the secret itself is sent, everybody could send a public key.
#[tokio::test]
async fn a_public_key_that_is_learnt_later_is_nobodys_bearer_secret() {
    let public = body(include_str!("../vectors/p256-public.pem"));
    let keys = MemoryKeys::new();
    let layer = shared_secret::by_tenant::<Value>().tenant(Tenant::query("t")).keys(keys.clone());
    let app = App::new(layer.build().unwrap());
    for (secret, expected) in [("a true secret", "ok"), (&*public, "unusable_key")] {
        keys.set("acme", Secret::new(secret).into());
        let call = json!({"token": secret}).to_string();
        let request = Request::post("/?t=acme").header("content-type", "application/json");
        assert_eq!(reason(&app.send(request.body(Full::from(call)).unwrap()).await), expected);
    }
}

/// A self-signed certificate: `openssl req -x509 -newkey ed25519`.
const CERTIFICATE: &str = "\
    MIIBLDCB36ADAgECAhQie2YjcHBU/YD0PCcfHXJewxGWXjAFBgMrZXAwDDEKMAgGA1UEAwwBYTAeFw0yNjExMjYwODQ1MjVaFw0y\
    NjExMjcwODQ1MjVaMAwxCjAIBgNVBAMMAWEwKjAFBgMrZXADIQAIooDGMyiAnCgTdq8KfbUYa3Jar4h/c0frXdlnQSkb76NTMFEw\
    HQYDVR0OBBYEFGiocyh/CqDduA0XlottTenehheAMB8GA1UdIwQYMBaAFGiocyh/CqDduA0XlottTenehheAMA8GA1UdEwEB/wQF\
    MAMBAf8wBQYDK2VwA0EAGpIUARwjSnFcoeWvo6eZ0CKem0Y91AQi/X6Pj6lJOwLLPMJjCB3r+PCX+s4oOzD1VYfGyTMUhXE0pN/M\
    BFjtBw==";

/// The key of `rsa-2048-public.pem`: `openssl rsa -pubin -RSAPublicKey_out`.
const PKCS1: &str = "\
    MIIBCgKCAQEAvXZdrUuEQbQdrLpEbQJk6EZk3mdP6AaisTCtAGzl2wCGhN1ybr3IcA5t/ryGWGiMThS8jUL2gNPX92OoeeyRAptl\
    Yk6G4UGgOSpV7eRKxBY1Z3iKdShV4BqJqGBvm+jVErJ69l94Oq/GJnQmQKGR/1DZ5efeO2BSqsN3pfinydks5EyRKdM4Obh8vm5N\
    XMdiuFXGKAIDIP8v2RsDBrvxOR1OcIhl/e3mrkDs75GWh+BMjSK2/7gUSk8j9RvjWDw4jn45kfbFpQOr4/+LxeVkj6SICT7Ef5Rj\
    x3qur0ELipMnibmjwC2XhMiJnisALzYf7RVjiPxpVStT0QHWEjNsqwIDAQAB";

/// The base64 between a PEM's lines, in one line.
fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

/// An Ed25519 key of sevens, byte by byte.
fn hex(between: &str) -> String {
    let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    head.into_iter().chain([7; 32]).map(|byte: u8| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}

#[test]
fn a_public_key_without_its_pem_lines_is_no_shared_secret() {
    let rsa = include_str!("../vectors/keys/rsa-2048-public.pem");
    let lines = rsa.lines().filter(|line| !line.starts_with("-----")).collect::<Vec<_>>();
    let ed25519 = body(include_str!("../vectors/keys/ed25519-public.pem"));
    for (secret, why) in [
        (body(rsa), "the body of an RSA key, in one line"),
        (lines.join("\n"), "in its lines"),
        (lines.join("\r\n"), "in lines of Windows"),
        (lines.join(" "), "as a form field makes of lines"),
        (body(rsa).replace('+', "-").replace('/', "_").replace('=', ""), "in base64url"),
        (body(include_str!("../vectors/keys/rsa-4096-public.pem")), "a longer one"),
        (body(include_str!("../vectors/p256-public.pem")), "an EC key"),
        (body(include_str!("../vectors/keys/p384-public.pem")), "of another curve"),
        (ed25519.clone(), "the shortest there is"),
        (ed25519.replace('=', ""), "without padding"),
        (CERTIFICATE.into(), "a certificate, as a JWK has it in `x5c`"),
        (PKCS1.into(), "the older kind of RSA key, which has no algorithm in it"),
        ("AAAAC3NzaC1lZDI1NTE5AAAAIKv8kR0oqPZ6pE1mEw4wcW8Jd2ZbSg8Zzv1m3e9wQx1b".into(), "OpenSSH's, without its kind"),
        (hex(""), "in hexadecimal"),
        (hex("").to_uppercase(), "in capitals"),
        (hex(":"), "with colons"),
        (hex("\n"), "in lines"),
        (format!("0x{}", hex("")), "as programs write it"),
        (hex("").split_at(71).0.into(), "in hexadecimal, cut off"),
        (body(rsa).split_at(255).0.into(), "cut off, as by a column of 255 characters"),
        (body(rsa).split_at(33).0.into(), "cut off in the middle of a group"),
        (PKCS1.split_at(64).0.into(), "the older kind, cut off"),
        (CERTIFICATE.split_at(255).0.into(), "a certificate, cut off"),
        ("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…".into(), "cut off, and said so"),
    ] {
        for (form, built) in built(&secret) {
            let said = refused(built);
            assert!(said.contains("is a public key without its PEM lines"), "{form}, {why}: {said}");
        }
        let verbatim = webhook::layer::<Value>()
            .signature_header(HeaderName::from_static("signature"))
            .secrets([Secret::verbatim(secret.as_str())]);
        let said = refused(verbatim.handler_remembers().replay(replay()).build().map(drop));
        assert!(said.contains("is a public key without its PEM lines"), "verbatim, {why}: {said}");
    }
    for (secret, why) in [
        ("MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH", "a private key: whoever has it may sign"),
        ("302e020100300506032b657004220420070707070707070707070707", "that in hexadecimal, cut off"),
        ("30ab302a30052b6570030321", "hexadecimal of other bytes"),
        ("MIIBIjANBgkq", "too little to tell"),
        ("M0UzRDI5NkQtQ0I3OC00QzRDLTlBMDctNkVFRjE4QTU0RjYxM0UzRDI5NkQtQ0I3OC00Qz", "base64 of other bytes"),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "base64 of zeros"),
    ] {
        for (form, built) in built(secret) {
            assert!(built.is_ok(), "{form}: {why}: {built:?}");
        }
    }
}

/// An organisation's private key is checked like any secret.
#[test]
fn a_public_key_is_no_private_key_of_an_organisation() {
    let pem = include_str!("../vectors/p256-public.pem");
    for secret in [pem.trim_end().to_owned(), body(pem)] {
        let said = refused(PrivateKeys::new().with("acme", [secret.as_str()]).map(drop));
        assert!(said.contains("public key is known to everybody"), "{said}");
    }
}

#[test]
fn what_cannot_be_seen_is_blank() {
    for secret in [
        "\u{a0}",
        "\u{3000}\u{3000}",
        "\u{feff}",
        "\u{200b}",
        "\u{b}",
        "\u{2060}\u{200d}",
        "\u{ad}",
        "\u{180e}",
        "\u{fe0f}",
        "\u{115f}",
        "\u{3164}",
        "\u{2800}",
        "\u{202e}\u{2066}",
        "\u{e0041}",
        "\u{34f} \u{61c}",
    ] {
        for (form, built) in built(secret) {
            let said = refused(built);
            assert!(said.contains("is blank"), "{form}, {secret:?}: {said}");
        }
    }
}

#[test]
fn a_secret_with_an_invisible_character_does_not_build() {
    for (secret, why) in [
        ("s3cret\u{200b}", "a zero-width space at the end, as chat clients put it behind a link"),
        ("\u{2060}s3cret", "a word joiner at the beginning"),
        ("s3c\u{ad}ret", "a soft hyphen, at which a page may break a long word"),
        ("s3c\u{180e}ret", "a Mongolian vowel separator"),
        ("s3c\u{feff}ret", "a byte order mark where two files were joined"),
        ("s3cret\u{fe0f}", "a variation selector"),
        ("s3c\u{200e}ret\u{202c}", "marks of direction"),
        ("s3c\u{2062}ret", "an invisible operator"),
        ("s3cret\u{e0001}", "a tag"),
        ("s3cret\u{2800}", "a braille blank, which fonts show as nothing"),
        ("s3cret\u{fff9}", "a format character that is not on the list of what may be ignored"),
        ("пароль\u{200b}", "at an end it counts beside any writing"),
    ] {
        for (form, built) in built(secret) {
            let said = refused(built);
            assert!(said.contains("invisible character"), "{form}, {why}: {said}");
        }
        let said = refused(PrivateKeys::new().with("acme", [secret]).map(drop));
        assert!(said.contains("invisible character"), "{why}: {said}");
        let built = webhook::layer::<Value>()
            .signature_header(HeaderName::from_static("signature"))
            .secrets([Secret::verbatim(secret)])
            .handler_remembers()
            .replay(replay())
            .build();
        assert!(built.is_ok(), "verbatim: {why}");
    }
    for (secret, why) in [
        ("می\u{200c}خواهم", "Persian is not spelled right without a non-joiner"),
        ("family 👩\u{200d}👧 ❤\u{fe0f}!", "nor an emoji without joiners"),
        ("two words", "a blank inside is seen"),
        ("пароль и ключ", "letters that are not ASCII"),
    ] {
        for (form, built) in built(secret) {
            assert!(built.is_ok(), "{form}: {why}: {built:?}");
        }
    }
}

/// What cannot be a secret, for each form that checks a MAC and for a partner's private key.
#[test]
fn an_address_or_a_word_is_no_secret() {
    for (secret, expected) in [
        ("https://partner.example/hooks/1", "is a URL"),
        ("http://partner.example/hooks/1", "is a URL"),
        ("7 bytes", "has fewer than eight bytes"),
    ] {
        for (form, built) in built(secret) {
            let said = refused(built);
            assert!(said.contains(expected) && !said.contains(secret), "{form}: {said}");
        }
        let said = refused(PrivateKeys::new().with("acme", [secret]).map(drop));
        assert!(said.contains(expected), "{said}");
    }
    for (form, built) in built("8 bytes!") {
        assert!(built.is_ok(), "{form}: {built:?}");
    }
    let start = || webhook::layer::<Value>().signature_header(HeaderName::from_static("signature"));
    let verbatim = start().secrets([Secret::verbatim("short")]).handler_remembers().replay(replay()).build();
    assert!(verbatim.is_ok(), "{verbatim:?}");
}

/// Some senders decode what stands behind this word, and others take it all: the layer must have been told which.
#[test]
fn a_prefix_that_nobody_has_explained_does_not_build() {
    const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZg==";
    // A challenge has no format of secrets: its key is the text.
    for (form, built) in built(SECRET).into_iter().filter(|(form, _)| !form.starts_with("a challenge")) {
        let said = refused(built);
        assert!(said.contains("begins with `whsec_`") && said.contains("secret_format"), "{form}: {said}");
    }
    let build = |secret: Secret, format: Option<SecretFormat>| {
        let layer = webhook::layer::<Value>().secrets([secret]).handler_remembers().replay(replay());
        match format {
            Some(format) => layer.secret_format(format).build().map(drop),
            None => layer.build().map(drop),
        }
    };
    assert!(build(SECRET.into(), Some(SecretFormat::Text)).is_ok());
    assert!(build(SECRET.into(), Some(SecretFormat::Base64 { prefix: "whsec_" })).is_ok());
    assert!(build(Secret::verbatim(SECRET), None).is_ok());
}

/// A store's keys are known with the first request that they do not fit.
#[tokio::test]
async fn doubtful_keys_of_a_store_are_logged_once_for_each_tenant() {
    let keys = MemoryKeys::new();
    let app = WebhookSubject::app_with(keys.clone(), replay(), clock());
    let log = Log::start();
    for (tenant, secret) in [("acme", "short"), ("other", "whsec_MDEyMzQ1Njc4OWFiY2RlZg==")] {
        keys.set(tenant, Secret::new(secret).into());
        for _ in 0..3 {
            let answer = app.send(WebhookSubject::request(&Wish { tenant, key: 3, ..Wish::default() })).await;
            assert_eq!(reason(&answer), "bad_signature");
        }
    }
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("fewer than eight bytes") && warnings[1].contains("whsec_`"), "{warnings:?}");
    assert!(!warnings.concat().contains("MDEy"), "{warnings:?}");
}
