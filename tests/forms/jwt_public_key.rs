//! JWTs that are signed with the partner's private key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::jwt::{self, Algorithm, Jwt};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::sign::JwtSigner;
use tower_sso::tenant::Tenant;

use crate::support::subject::{get, refused};
use crate::support::{App, NOW, clock, outcome, reason, replay};

const P256: &str = include_str!("../vectors/p256-public.pem");
const P384: &str = include_str!("../vectors/keys/p384-public.pem");
const ED25519: &str = include_str!("../vectors/keys/ed25519-public.pem");
const RSA_1024: &str = include_str!("../vectors/keys/rsa-1024-public.pem");
const RSA_2048: &str = include_str!("../vectors/keys/rsa-2048-public.pem");
const RSA_4096: &str = include_str!("../vectors/keys/rsa-4096-public.pem");
const RSA_8192: &str = include_str!("../vectors/keys/rsa-8192-public.pem");
const RSA_EXPONENT_3: &str = include_str!("../vectors/keys/rsa-exponent-3-public.pem");

/// Read when a test runs, as private keys are not in the published package.
fn private(name: &str) -> Secret {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")).into()
}

fn layer(algorithm: Algorithm) -> Builder<Jwt<Value>> {
    jwt::layer(algorithm).audience("rp.example").replay(replay()).clock(clock())
}

fn claims() -> Value {
    json!({"iat": NOW, "exp": NOW + 300, "aud": "rp.example"})
}

#[tokio::test]
async fn a_signature_that_was_written_anew_is_no_new_credential() {
    let app = App::new(layer(Algorithm::ES256).secrets([P256]).build().unwrap());
    let signer = JwtSigner::new(Algorithm::ES256, &private("p256-private.pem")).unwrap();
    let token = signer.token(&claims()).unwrap();
    assert_eq!(outcome(&app.send(get(&format!("/?sso_jwt={token}"))).await), "ok");
    let again = malleate(&token);
    assert_ne!(token, again);
    assert_eq!(outcome(&app.send(get(&format!("/?sso_jwt={again}"))).await), "replayed");
    // The classic attack: the public key as an HMAC secret.
    let forged = JwtSigner::new(Algorithm::HS256, &P256.into()).unwrap().token(&claims()).unwrap();
    let answer = app.send(get(&format!("/?sso_jwt={forged}"))).await;
    assert_eq!(reason(&answer), "alg_not_allowed");
    assert_eq!(outcome(&answer), "invalid");
}

/// The other of the two ECDSA signatures for the same content: s becomes n - s.
fn malleate(token: &str) -> String {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(order) - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *byte = difference.rem_euclid(256) as u8;
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn every_rsa_algorithm_signs_in() {
    for algorithm in
        [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512]
    {
        let app = App::new(layer(algorithm).secrets([RSA_4096, RSA_2048]).build().unwrap());
        let signer = JwtSigner::new(algorithm, &private("keys/rsa-2048-private.pem")).unwrap();
        let token = signer.token(&claims()).unwrap();
        assert_eq!(reason(&app.send(get(&format!("/?sso_jwt={token}"))).await), "ok", "{algorithm:?}");
        let other = signer.token(&json!({"aud": "rp.example"})).unwrap();
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        let answer = app.send(get(&format!("/?sso_jwt={signed}.{signature}"))).await;
        assert_eq!(reason(&answer), "bad_signature", "{algorithm:?}");
    }
}

/// Refused before any key lookup: otherwise the time would tell which tenants have keys that fit.
#[tokio::test]
async fn a_signature_of_an_impossible_length_is_malformed() {
    for (algorithm, key, good, bad) in [
        (Algorithm::RS256, RSA_2048, &[256, 257, 384, 512][..], &[0, 1, 64, 255, 513, 1_024][..]),
        (Algorithm::PS512, RSA_2048, &[256, 512], &[0, 64, 255, 513]),
        (Algorithm::ES256, P256, &[64], &[0, 63, 65, 70, 96]),
        (Algorithm::ES384, P384, &[96], &[0, 64, 95, 97]),
        (Algorithm::EdDSA, ED25519, &[64], &[0, 63, 65]),
    ] {
        let app = App::new(layer(algorithm).secrets([key]).build().unwrap());
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm:?}"}}"#));
        for (lengths, expected) in [(good, "bad_signature"), (bad, "malformed")] {
            for length in lengths {
                let signature = URL_SAFE_NO_PAD.encode(vec![1; *length]);
                let answer = app.send(get(&format!("/?sso_jwt={header}.e30.{signature}"))).await;
                assert_eq!(reason(&answer), expected, "{algorithm:?}, {length} bytes");
            }
        }
    }
}

/// Anybody may send a forged token to one algorithm's layer. That must not spoil the key for the other's.
#[tokio::test]
async fn what_one_algorithm_makes_of_a_key_is_not_handed_to_another() {
    let keys = MemoryKeys::new();
    let app = |algorithm| App::new(layer(algorithm).tenant(Tenant::query("t")).keys(keys.clone()).build().unwrap());
    let others = [(Algorithm::RS256, 256), (Algorithm::ES384, 96), (Algorithm::EdDSA, 64)];
    let (others, es256) =
        (others.map(|(algorithm, length)| (app(algorithm), algorithm, length)), app(Algorithm::ES256));
    // Only known at run time, so no layer has checked it.
    keys.set("acme", Secret::new(P256).into());
    for (app, algorithm, length) in others {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm:?}"}}"#));
        let signature = URL_SAFE_NO_PAD.encode(vec![1; length]);
        let answer = app.send(get(&format!("/?t=acme&sso_jwt={header}.e30.{signature}"))).await;
        assert_eq!(reason(&answer), "unusable_key", "{algorithm:?}");
    }
    let signer = JwtSigner::new(Algorithm::ES256, &private("p256-private.pem")).unwrap();
    let token = signer.token(&claims()).unwrap();
    assert_eq!(reason(&es256.send(get(&format!("/?t=acme&sso_jwt={token}"))).await), "ok");
}

#[test]
fn keys_that_can_never_verify_do_not_build() {
    let p256 = String::from_utf8(private("p256-private.pem").expose().to_vec()).unwrap();
    let rsa = String::from_utf8(private("keys/rsa-2048-private.pem").expose().to_vec()).unwrap();
    let short = "-----BEGIN PUBLIC KEY-----\nMBEwBQYDK2VwAwgAAQIDBAUGBw==\n-----END PUBLIC KEY-----\n";
    let weak = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n";
    for (algorithm, key, expected, why) in [
        (Algorithm::ES256, P256, "", "its own"),
        (Algorithm::ES384, P384, "", "its own"),
        (Algorithm::EdDSA, ED25519, "", "its own"),
        (Algorithm::RS256, RSA_2048, "", "its own"),
        (Algorithm::PS512, RSA_4096, "", "its own"),
        (Algorithm::ES256, P384, "curve P-256", "another curve"),
        (Algorithm::ES384, P256, "curve P-384", "another curve"),
        (Algorithm::ES256, RSA_2048, "curve P-256", "another kind"),
        (Algorithm::RS256, P256, "not an RSA key", "another kind"),
        (Algorithm::EdDSA, P256, "not an Ed25519 key", "another kind"),
        (Algorithm::EdDSA, weak, "small order", "signatures under it fit any message"),
        (Algorithm::EdDSA, short, "not an Ed25519 key", "cut short"),
        (Algorithm::RS256, RSA_8192, "more than 4096 bits", "larger than the library takes"),
        (Algorithm::RS256, RSA_1024, "less than 2048 bits", "RFC 7518, 3.3"),
        (Algorithm::RS256, RSA_EXPONENT_3, "exponent", "its checks would take another time"),
        (Algorithm::RS256, &rsa, "is a private key", "the wrong half"),
        (Algorithm::ES256, &p256, "is a private key", "the wrong half"),
        (Algorithm::EdDSA, &p256, "is a private key", "the wrong half, and another kind"),
        (Algorithm::RS256, "a shared secret", "not a public key in PEM", "no key"),
        (Algorithm::RS256, "-----BEGIN PUBLIC KEY-----\n", "not an RSA key", "cut short"),
    ] {
        let built = layer(algorithm).secrets([key]).build();
        match expected {
            "" => assert!(built.is_ok(), "{algorithm:?}, {why}: {:?}", built.err()),
            _ => {
                let said = refused(built);
                assert!(said.contains(expected), "{algorithm:?}, {why}: {said:?} should say {expected:?}");
            }
        }
    }
}
