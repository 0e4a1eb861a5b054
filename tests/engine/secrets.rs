//! Secrets that were almost certainly copied wrongly, and secrets that two tenants share.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http_body_util::Full;
use serde_json::Value;
use sha2::Digest as _;
use tower_sso::jwt;
use tower_sso::keys::{self, Key, Keys, MemoryKeys, Secret, TenantId};
use tower_sso::scheme::{Digest, KeyDerivation, Place, SecretFormat};
use tower_sso::shared_secret::{self, PrivateKeys};
use tower_sso::sign::SigningWebhook;
use tower_sso::signed_payload;
use tower_sso::tenant::Tenant;
use tower_sso::webhook::{self, challenge::Challenge};
use tower_sso::{Builder, ConfigError, ConfigProblem};

use crate::support::log::Log;
use crate::support::pairs::P256;
use crate::support::subject::{
    FernetSubject, JwtSubject, OAuth1Subject, SealedSubject, SignedJsonSubject, SignedParametersSubject,
    SignedPayloadSubject, Subject, TimestampHashSubject, WebhookSubject, Wish, get,
};
use crate::support::{App, clock, outcome, reason, replay, seen};

/// Builds a layer of each form with these keys.
fn build_each(keys: &MemoryKeys) -> Vec<(&'static str, Option<ConfigError>)> {
    vec![
        ("fernet", FernetSubject::layer(keys.clone(), replay(), clock()).build().err()),
        ("jwt", JwtSubject::layer(keys.clone(), replay(), clock()).build().err()),
        ("oauth1", OAuth1Subject::layer(keys.clone(), replay(), clock()).build().err()),
        ("timestamp_hash", TimestampHashSubject::layer(keys.clone(), replay(), clock()).build().err()),
        ("webhook", WebhookSubject::layer(keys.clone(), replay(), clock()).build().err()),
        ("signed_parameters", SignedParametersSubject::layer(keys.clone(), replay(), clock()).build().err()),
        ("signed_payload", SignedPayloadSubject::layer(keys.clone(), replay(), clock()).build().err()),
        ("sealed", SealedSubject::layer(keys.clone(), replay(), clock()).build().err()),
        ("signed_json", SignedJsonSubject::layer(keys.clone(), replay(), clock()).build().err()),
        ("shared_secret", shared_secret::by_tenant::<Value>().keys(keys.clone()).build().err()),
    ]
}

#[test]
fn a_secret_that_is_almost_surely_a_slip_does_not_build() {
    let good = "bw4gLXgL8T9Lr3_2cUFjKJ7DkkY8M1zqB7x0Wn9vXcA=";
    for (secret, place) in [
        (format!("{good}\n"), "ends with a line feed"),
        (format!("{good}\r\n"), "ends with a line feed"),
        (format!("{good} "), "ends with white space"),
        (format!("{good}\u{a0}"), "ends with white space"),
        (format!("{good}\u{200b}"), "holds an invisible character"),
        (format!(" {good}"), "begins with white space"),
        (format!("\n{good}"), "begins with white space"),
        (format!("\u{feff}{good}"), "begins with a byte order mark"),
        (format!("\"{good}\""), "stands in quotation marks"),
        (format!("'{good}'"), "stands in quotation marks"),
        (format!("“{good}”"), "stands in quotation marks"),
        ("\u{a0}\u{3000}\u{feff}\u{200b}\u{b}".into(), "is blank"),
    ] {
        for (form, error) in build_each(&MemoryKeys::new().with("acme", secret.as_str())) {
            let error = error.unwrap_or_else(|| panic!("{form}: {secret:?} builds")).to_string();
            let expected = format!("the {form} layer does not build: the key of tenant \"acme\" {place}");
            assert!(error.starts_with(&expected), "{form}: {secret:?}: {error}");
            assert!(!error.contains(good), "{form}: {error}");
        }
        let error = PrivateKeys::new().with("acme", [secret.as_str()]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the key of tenant \"acme\" {place}")), "{secret:?}: {error}");
        for challenge in [
            Challenge::hmac("crc_token", secret.as_str(), "response_token", "sha256="),
            Challenge::echo_if("token", secret.as_str(), "challenge"),
        ] {
            let error = challenge.unwrap_err().to_string();
            assert!(error.starts_with(&format!("a key {place}")), "{secret:?}: {error}");
        }
    }
    for (form, error) in build_each(&MemoryKeys::new().with("acme", good)) {
        assert_eq!(error, None, "{form}");
    }
}

/// Each sentence has one instruction: the problem's own, or the general one.
#[test]
fn a_key_that_does_not_build_says_whose_it_is_and_what_to_do() {
    let built = |keys: MemoryKeys| FernetSubject::layer(keys, replay(), clock()).build().unwrap_err().to_string();
    let good = FernetSubject::key(0);
    assert_eq!(
        built(MemoryKeys::new().with("a", good).with("b", "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=\n")),
        "the fernet layer does not build: the key of tenant \"b\" ends with a line feed: take it out, or call \
         `Secret::verbatim`"
    );
    assert_eq!(
        built(MemoryKeys::new().with("b", "")),
        "the fernet layer does not build: the key of tenant \"b\" is empty: give the secret exactly as the partner's \
         settings page shows it"
    );
    let fixed = webhook::layer::<Value>().secrets([" x"]).replay(replay()).handler_remembers().build();
    assert_eq!(
        fixed.unwrap_err().to_string(),
        "the webhook layer does not build: a key begins with white space: take it out, or call `Secret::verbatim`"
    );
}

#[test]
fn short_secrets_are_logged_once_the_layer_is_complete() {
    let start = |secret: &'static str| webhook::layer::<Value>().secrets([secret]).handler_remembers();
    let warned = |secret: &'static str| {
        let log = Log::start();
        assert!(start(secret).build().is_err(), "there is no replay store");
        assert_eq!(log.warnings(), [""; 0], "what is missing comes first");
        start(secret).replay(replay()).build().unwrap();
        log.warnings()
    };
    let warnings = warned("15 bytes, short");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains(r#"form="webhook""#) && warnings[0].contains("less than 16 bytes"), "{warnings:?}");
    assert!(!warnings[0].contains("15 bytes"), "{warnings:?}");
    assert_eq!(warned("16 bytes, not it"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_true_secret_may_end_in_a_blank() {
    let secret = Secret::verbatim("ends in a blank ");
    let layer = webhook::layer::<Value>().secrets([secret.clone()]).replay(replay()).clock(clock());
    let app = App::new(layer.handler_remembers().build().unwrap());
    let sign = |secret: Secret| SigningWebhook::new(secret).sign("{}").request("/").map(Full::from);
    assert_eq!(outcome(&app.send(sign(secret)).await), "ok");
    assert_eq!(outcome(&app.send(sign("ends in a blank".into())).await), "invalid", "it is never trimmed");
}

#[test]
fn more_fixed_secrets_than_a_tenant_may_have_do_not_build() {
    let layer = |secrets: usize| {
        let secrets = (0..secrets).map(|number| format!("secret {number}"));
        webhook::layer::<Value>().secrets(secrets).replay(replay()).handler_remembers().build()
    };
    assert!(layer(Keys::MAX).is_ok());
    assert_eq!(layer(Keys::MAX + 1).unwrap_err().problem(), &ConfigProblem::TooManyKeys);
}

#[tokio::test(start_paused = true)]
async fn a_stores_doubtful_secret_is_named_once_for_each_tenant() {
    let log = Log::start();
    let store = keys::from_fn(|tenant: TenantId| async move {
        let blank = Secret::new(format!("s3cret for {tenant}\n"));
        Ok::<_, std::io::Error>(if tenant.as_str() == "true" { Secret::verbatim("s ").into() } else { blank.into() })
    });
    let tenant = Tenant::from_fn(|head| head.headers.get("x-tenant")?.to_str().ok().map(Into::into));
    let layer = webhook::layer::<Value>().tenant(tenant).keys(store).replay(replay()).clock(clock());
    let app = App::new(layer.handler_remembers().build().unwrap());
    let call = |tenant: &'static str, secret: &str| {
        let mut request = SigningWebhook::new(secret.into()).sign("{}").request("/").map(Full::from);
        request.headers_mut().insert("x-tenant", tenant.parse().unwrap());
        request
    };
    // A secret that verifies is not suspicious.
    assert_eq!(reason(&app.send(call("doubtful a", "s3cret for doubtful a\n")).await), "ok");
    assert_eq!(log.warnings(), [""; 0]);
    for _ in 0..3 {
        for tenant in ["doubtful a", "doubtful b", "true"] {
            assert_eq!(reason(&app.send(call(tenant, &format!("s3cret for {tenant}"))).await), "bad_signature");
        }
    }
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    for (warning, tenant) in warnings.iter().zip(["doubtful a", "doubtful b"]) {
        assert!(warning.contains("ends with a line feed") && warning.contains(tenant), "{warning}");
        assert!(!warning.contains("s3cret"), "{warning}");
    }
}

#[test]
fn two_tenants_with_one_secret_are_named_when_a_layer_is_built() {
    let key = FernetSubject::key(0);
    let build = |keys: &MemoryKeys| {
        let log = Log::start();
        FernetSubject::layer(keys.clone(), replay(), clock()).build().unwrap();
        OAuth1Subject::layer(keys.clone(), replay(), clock()).build().unwrap();
        log.warnings()
    };
    let keys = MemoryKeys::new().with("company one", key.clone()).with("other", FernetSubject::key(1));
    assert_eq!(build(&keys), [""; 0]);

    keys.set("company two", [Key::current(FernetSubject::key(2)), Key::current(key.clone())].into_iter().collect());
    let warnings = build(&keys);
    assert_eq!(warnings.len(), 1, "OAuth's consumer is signed, so there it does no harm: {warnings:#?}");
    assert!(warnings[0].contains("company one") && warnings[0].contains("company two"), "{warnings:?}");
    let secret = key.expose_str().unwrap();
    assert!(!warnings[0].contains(secret), "{warnings:?}");

    // Two names of one organisation, declared as such.
    let acme = |secret: Secret| [Key::current(secret).owned_by("company one".into())].into_iter().collect();
    keys.set("company two", acme(key));
    assert_eq!(build(&keys), [""; 0]);
}

/// Two spellings of one public key are one key, whichever tenants have them.
#[test]
fn two_tenants_with_one_public_key_are_named_in_every_spelling() {
    let [one, two] = P256.map(|pair| pair.public);
    let der = |pem: &str| -> String { pem.lines().filter(|line| !line.starts_with('-')).collect() };
    let bytes = BASE64_STANDARD.decode(der(one)).unwrap();
    let (x, y) = bytes[bytes.len() - 64..].split_at(32);
    let [x, y] = [x, y].map(|number| BASE64_URL_SAFE_NO_PAD.encode(number));
    let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
    for (first, second, is_one, why) in [
        (one.to_owned(), two.to_owned(), false, "two keys"),
        (one.to_owned(), one.replace('\n', "\r\n"), true, "other line ends"),
        (one.to_owned(), der(one), true, "PEM and DER"),
        (one.to_owned(), jwk.clone(), true, "PEM and JWK"),
        (jwk, der(one), true, "JWK and DER"),
    ] {
        let log = Log::start();
        let keys = MemoryKeys::new().with("company one", first).with("company two", second);
        let layer = jwt::layer::<Value>(jwt::Algorithm::ES256).danger_any_audience().tenant(Tenant::host());
        layer.keys(keys).replay(replay()).clock(clock()).build().unwrap();
        let warnings = log.warnings();
        assert_eq!(warnings.len(), usize::from(is_one), "{why}: {warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains("company one") && warning.contains("company two")));
    }
}

#[tokio::test(start_paused = true)]
async fn an_alias_signs_in_to_the_organisation_it_names() {
    let key = FernetSubject::key(0);
    let keys = MemoryKeys::new().with("acme", key.clone());
    keys.set("other", [Key::current(key).owned_by("acme".into())].into_iter().collect());
    let app = App::new(FernetSubject::layer(keys, replay(), clock()).build().unwrap());
    let link = FernetSubject::request(&Wish { tenant: "other", ..Wish::default() }).uri().to_string();
    let answer = app.send(get(&link)).await;
    assert_eq!(seen(&answer).tenant.as_deref(), Some("acme"));
    let copy = app.send(get(&link.replace("tenant=other", "tenant=acme"))).await;
    assert_eq!(outcome(&copy), "replayed");
}

/// What one layer makes of a secret is not handed to another that reads it in another way, or signs in another.
#[tokio::test]
async fn one_secret_serves_layers_that_read_it_differently() {
    let text = "c2VjcmV0IG9mIHR3byBsYXllcnM=";
    let shared = Secret::new(text);
    let mac = |key: &[u8], digest: Digest, signed: &str| {
        SigningWebhook::new(Secret::new(key)).digest(digest).signature(&[signed.as_bytes()])
    };
    let hook = |layer: Builder<webhook::Webhook<Value>>, signature: String| {
        let layer = layer.secrets([shared.clone()]).handler_remembers().replay(replay()).clock(clock());
        let mut request = SigningWebhook::new("unused".into()).sign("{}").request("/").map(Full::from);
        request.headers_mut().insert("webhook-signature", signature.parse().unwrap());
        (App::new(layer.build().unwrap()), request)
    };
    let payload = |derivation: KeyDerivation, key: &[u8]| {
        let layout = signed_payload::Layout::payload_first(Place::query("t"), ".");
        let layer = signed_payload::layer::<Value>(layout).key_derivation(derivation).danger_without_time();
        let layer = layer.danger_forgets_on_restart().secrets([shared.clone()]).replay(replay()).clock(clock());
        (App::new(layer.build().unwrap()), get(&format!("/?t=e30.{}", mac(key, Digest::Sha256, "e30"))))
    };
    let digest = sha2::Sha256::digest(text);
    let first = sha2::Sha256::digest(format!("{text}{{}}")).iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = SecretFormat::Base64 { prefix: "" };
    let layers = [
        ("its bytes", hook(webhook::layer(), mac(text.as_bytes(), Digest::Sha256, "{}"))),
        (
            "its base64",
            hook(webhook::layer().secret_format(base64), mac(b"secret of two layers", Digest::Sha256, "{}")),
        ),
        ("SHA-512", hook(webhook::layer().digest(Digest::Sha512), mac(text.as_bytes(), Digest::Sha512, "{}"))),
        ("no HMAC", hook(webhook::layer().danger_secret_first(), first)),
        ("a payload", payload(KeyDerivation::default(), text.as_bytes())),
        ("its digest", payload(KeyDerivation::digest(Digest::Sha256), &digest)),
    ];
    for (why, (app, request)) in layers.iter().chain(layers.iter().rev()) {
        let said = reason(&app.send(request.clone()).await);
        assert!(matches!(said, "ok" | "replayed"), "{why}: {said}");
    }
}
