//! Webhooks that are signed with the sender's private key.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tower_sso::keys::MemoryKeys;
use tower_sso::webhook::{PublicKeyAlgorithm, SecretFormat};

use super::*;
use crate::support::pairs::{ED25519, P256, P384, Pair, RSA};

const ALGORITHMS: [(PublicKeyAlgorithm, [Pair; 2]); 6] = [
    (PublicKeyAlgorithm::Ed25519, ED25519),
    (PublicKeyAlgorithm::EcdsaP256, P256),
    (PublicKeyAlgorithm::EcdsaP256Der, P256),
    (PublicKeyAlgorithm::EcdsaP384, P384),
    (PublicKeyAlgorithm::RsaSha256, RSA),
    (PublicKeyAlgorithm::RsaPssSha512, RSA),
];

fn layer(algorithm: PublicKeyAlgorithm) -> Builder<Webhook<Value>> {
    webhook::layer().public_key(algorithm).replay(replay()).handler_remembers().clock(clock())
}

fn signer(algorithm: PublicKeyAlgorithm, pair: Pair) -> SigningWebhook {
    SigningWebhook::private_key(algorithm, &pair.private()).unwrap()
}

fn base64(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

#[tokio::test]
async fn signatures_of_every_algorithm_and_encoding() {
    for (algorithm, [pair, other]) in ALGORITHMS {
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64Url] {
            let layer = layer(algorithm).encoding(encoding).prefix("k1=").secrets([pair.public]).build().unwrap();
            let app = App::new(layer);
            let sign = |pair, body: &str| signer(algorithm, pair).encoding(encoding).prefix("k1=").sign(body);
            let good = sign(pair, JSON);
            let changed = SignedCall { body: JSON.replace('a', "b"), ..good.clone() };
            for (call, expected, why) in [
                (sign(other, JSON), "bad_signature", "another key"),
                (changed, "bad_signature", "another body"),
                (good.clone(), "ok", "as it is"),
            ] {
                assert_eq!(reason(&app.send(request(call)).await), expected, "{algorithm:?} {encoding:?}: {why}");
            }
            assert_eq!(app.inner.calls(), 1);
            let again = app.send(request(good)).await;
            assert_eq!((again.status(), app.inner.calls()), (StatusCode::OK, 1), "{algorithm:?}: a duplicate");
        }
    }
}

#[tokio::test]
async fn keys_as_senders_pages_show_them() {
    let spki = |pair: Pair| base64(pair.public);
    let point = |pair: Pair| BASE64_STANDARD.decode(base64(pair.public)).unwrap()[12..].to_vec();
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let [ed, p256, rsa] = [ED25519[0], P256[0], RSA[0]];
    for (algorithm, pair, key, why) in [
        (PublicKeyAlgorithm::Ed25519, ed, spki(ed), "SPKI in base64"),
        (PublicKeyAlgorithm::Ed25519, ed, hex(point(ed)), "the point in hexadecimal"),
        (PublicKeyAlgorithm::Ed25519, ed, hex(point(ed)).to_uppercase(), "in upper case"),
        (PublicKeyAlgorithm::Ed25519, ed, BASE64_STANDARD.encode(point(ed)), "in base64"),
        (PublicKeyAlgorithm::Ed25519, ed, format!("whpk_{}", BASE64_STANDARD.encode(point(ed))), "after its prefix"),
        (PublicKeyAlgorithm::EcdsaP256, p256, spki(p256), "SPKI in base64"),
        (PublicKeyAlgorithm::EcdsaP256Der, p256, hex(BASE64_STANDARD.decode(spki(p256)).unwrap()), "in hexadecimal"),
        (PublicKeyAlgorithm::RsaSha256, rsa, spki(rsa), "SPKI in base64"),
    ] {
        let layer = layer(algorithm).secrets([key]).build();
        let app = App::new(layer.unwrap_or_else(|error| panic!("{algorithm:?}, {why}: {error}")));
        assert_eq!(outcome(&app.send(request(signer(algorithm, pair).sign(JSON))).await), "ok", "{algorithm:?}, {why}");
    }
}

/// A copy with the other of the two ECDSA signatures, and one of the two in another order, are the same delivery.
#[tokio::test]
async fn a_signature_that_was_rewritten_makes_no_new_delivery() {
    let app = App::new(layer(PublicKeyAlgorithm::EcdsaP256).secrets([P256[0].public]).build().unwrap());
    let call = signer(PublicKeyAlgorithm::EcdsaP256, P256[0]).sign(JSON);
    let rewritten = SignedCall { signature: other_spelling(&call.signature), ..call.clone() };
    assert_ne!(rewritten, call);
    assert_eq!(outcome(&app.send(request(call)).await), "ok");
    let again = app.send(request(rewritten)).await;
    assert_eq!((again.status(), app.inner.calls()), (StatusCode::OK, 1));
}

/// s becomes n - s.
fn other_spelling(signature: &str) -> String {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (r, s) = signature.split_at(64);
    let digits = |at: usize| u8::from_str_radix(&s[at * 2..at * 2 + 2], 16).unwrap();
    let (mut other, mut borrow) = ([0; 32], 0);
    for at in (0..32).rev() {
        let difference = i16::from(ORDER[at]) - i16::from(digits(at)) - borrow;
        borrow = i16::from(difference < 0);
        other[at] = difference.rem_euclid(256) as u8;
    }
    other.iter().fold(r.to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

#[tokio::test]
async fn a_list_holds_few_signatures_of_which_one_is_right() {
    for (algorithm, [one, other]) in ALGORITHMS {
        let app = App::new(layer(algorithm).separator(' ').secrets([one.public]).build().unwrap());
        let (right, wrong) = (signer(algorithm, one).sign(JSON), signer(algorithm, other).sign(JSON).signature);
        let list = |elements: &[&str]| SignedCall { signature: elements.join(" "), ..right.clone() };
        let (right, wrong) = (right.signature.as_str(), wrong.as_str());
        for (elements, expected, calls) in [
            (&[wrong][..], 401, 0),
            (&[wrong, wrong, wrong, right], 200, 1),
            (&[right, wrong], 200, 1),
            (&["v2,unknown", right], 200, 1),
            (&[right, right, right, right, right], 400, 1),
        ] {
            let answer = app.send(request(list(elements))).await;
            assert_eq!((answer.status().as_u16(), app.inner.calls()), (expected, calls), "{algorithm:?} {elements:?}");
        }
    }
}

/// Before any key is looked up: the time of the check would tell whose keys could have made it.
#[tokio::test]
async fn what_no_key_could_have_made_is_malformed() {
    for (algorithm, [pair, _]) in ALGORITHMS {
        let app = App::new(layer(algorithm).secrets([pair.public]).build().unwrap());
        let good = signer(algorithm, pair).sign(JSON);
        for signature in ["", "00", &good.signature[2..], &format!("{}00", good.signature), &"0".repeat(1_024), "x"] {
            let is_rsa = matches!(algorithm, PublicKeyAlgorithm::RsaSha256 | PublicKeyAlgorithm::RsaPssSha512);
            if is_rsa && signature.len() > good.signature.len() {
                continue; // of a larger key
            }
            let call = SignedCall { signature: signature.to_owned(), ..good.clone() };
            assert_eq!(reason(&app.send(request(call)).await), "malformed", "{algorithm:?} {signature}");
        }
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_told_what_a_wrong_key_is_told() {
    for (algorithm, [a, b]) in ALGORITHMS {
        let keys = MemoryKeys::new().with("a", a.public).with("b", b.public);
        let layer = layer(algorithm).tenant(Tenant::query("t")).keys(keys).build().unwrap();
        let app = App::new(layer);
        let send = |tenant: &str, pair| {
            let call = signer(algorithm, pair).sign(JSON);
            let request = call.request(&format!("/hook?t={tenant}")).map(|body| Full::new(Bytes::from(body)));
            app.send(request)
        };
        for (tenant, pair, expected) in [("a", b, "invalid"), ("nobody", a, "invalid"), ("a", a, "ok"), ("b", b, "ok")]
        {
            assert_eq!(outcome(&send(tenant, pair).await), expected, "{algorithm:?} {tenant}");
        }
        assert_eq!(app.inner.calls(), 2, "the same bytes of two senders are two deliveries");
    }
}

#[test]
fn contradictions_do_not_build() {
    let whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let [ed, p256, rsa] = [ED25519[0].public, P256[0].public, RSA[0].public];
    let public = |algorithm, key: &str| layer(algorithm).secrets([key]);
    for (layer, expected, why) in [
        (public(PublicKeyAlgorithm::Ed25519, "whsec-shared"), "not a public key", "an HMAC's secret"),
        (public(PublicKeyAlgorithm::Ed25519, whsec), "is a shared secret", "the other key of Standard Webhooks"),
        (public(PublicKeyAlgorithm::RsaSha256, whsec), "is a shared secret", "the same"),
        (public(PublicKeyAlgorithm::Ed25519, p256), "not an Ed25519 key", "another family"),
        (public(PublicKeyAlgorithm::EcdsaP256Der, rsa), "curve P-256", "another family"),
        (public(PublicKeyAlgorithm::RsaSha256, ed), "not an RSA key", "another family"),
        (public(PublicKeyAlgorithm::Ed25519, &"01".repeat(31)), "not a public key", "31 bytes"),
        (public(PublicKeyAlgorithm::Ed25519, ed).digest(Digest::Sha256), "take one out", "a digest of an HMAC"),
        (public(PublicKeyAlgorithm::Ed25519, ed).secret_format(SecretFormat::Hex), "one out", "a format of secrets"),
        (super::layer().secrets([ed]), "public key", "a public key for an HMAC"),
        (super::layer().secrets(["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="]), "public key", "the same"),
    ] {
        let said = refused(layer.build());
        assert!(said.contains(expected), "{why}: {said}");
    }
    let error = SigningWebhook::private_key(PublicKeyAlgorithm::RsaSha256, &ED25519[0].private());
    assert!(error.is_err(), "a private key of another family");
}
