//! HTTP Message Signatures (RFC 9421).

mod rfc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};
use tower_sso::Builder;
use tower_sso::body::RawBody;
use tower_sso::clock::UnixTime;
use tower_sso::http_signature::{self, Algorithm, HttpSignature};
use tower_sso::keys::{PublicKeys, Secret};
use tower_sso::scheme::{Encoding, Origin, PublicKeyAlgorithm, SecretFormat};
use tower_sso::sign::SigningWebhook;

use crate::support::pairs::{ED25519, P256, P384, Pair, RSA};
use crate::support::subject::refused;
use crate::support::{App, NOW, Request_, clock, outcome, reason, replay, secs, seen};

const HELLO: &str = r#"{"hello": "world"}"#;
const SECRET: &str = "a secret that is shared with the sender";

fn call(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Request_ {
    let request = headers
        .iter()
        .fold(Request::builder().method(method).uri(uri), |request, (name, value)| request.header(*name, *value));
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

fn changed(mut request: Request_, name: &'static str, value: &str) -> Request_ {
    request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    request
}

fn layer() -> Builder<HttpSignature<Value>> {
    let layer = http_signature::layer(Algorithm::HmacSha256, Origin::new("https://app.example"));
    layer.secrets([SECRET]).replay(replay()).clock(clock())
}

fn sha256(body: &str) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(body)))
}

/// A call to `https://app.example/hook?a=1` that covers method, URL and digest, with these parameters.
fn signed(parameters: &str, digest: &str, body: &str) -> Request_ {
    signed_by(&SigningWebhook::new(Secret::new(SECRET)), parameters, digest, body)
}

fn signed_by(signer: &SigningWebhook, parameters: &str, digest: &str, body: &str) -> Request_ {
    let input = format!(r#"("@method" "@target-uri" "content-digest"){parameters}"#);
    let base = format!(
        "\"@method\": POST\n\"@target-uri\": https://app.example/hook?a=1\n\"content-digest\": {digest}\n\
         \"@signature-params\": {input}"
    );
    let signature = signer.clone().encoding(Encoding::Base64).sign(base).signature;
    let headers = [
        ("content-type", "application/json"),
        ("content-digest", digest),
        ("signature-input", &format!("sig1={input}")),
        ("signature", &format!("sig1=:{signature}:")),
    ];
    call("POST", "/hook?a=1", &headers, body)
}

fn now() -> String {
    format!(";created={NOW}")
}

#[tokio::test]
async fn the_body_is_the_one_whose_digest_was_signed() {
    let sha512 = format!("sha-512=:{}:", BASE64_STANDARD.encode(Sha512::digest(HELLO)));
    let both = format!("{}, {sha512}", sha256(HELLO));
    let mixed = format!("{}, {sha512}", sha256("{}"));
    for (digest, expected, why) in [
        (&*sha256(HELLO), "ok", "SHA-256"),
        (&sha512, "ok", "SHA-512"),
        (&both, "ok", "both"),
        (&format!("md5=:AA==:, {}", sha256(HELLO)), "ok", "an old one beside it"),
        (&sha256("{}"), "body_hash", "of another body"),
        (&mixed, "body_hash", "one of two is of another body"),
        ("md5=:AA==:", "body_hash", "an old one alone"),
        ("", "body_hash", "none"),
        (&sha256(HELLO).replace("=:", "="), "malformed", "not a byte sequence"),
        (&sha256(HELLO).replace('=', ""), "malformed", "no dictionary"),
    ] {
        let app = App::new(layer().build().unwrap());
        assert_eq!(reason(&app.send(signed(&now(), digest, HELLO)).await), expected, "{why}");
    }
}

#[tokio::test]
async fn times_and_other_parameters() {
    let at = |seconds: u64| format!(";created={seconds}");
    for (parameters, expected, why) in [
        (at(NOW), "ok", "now"),
        (at(NOW - 300), "ok", "as old as allowed"),
        (at(NOW - 301), "expired", "older"),
        (at(NOW + 60), "ok", "ahead"),
        (at(NOW + 61), "not_yet_valid", "further ahead"),
        (String::new(), "missing_parameter", "no time"),
        (format!("{};expires={NOW}", at(NOW - 100)), "ok", "ends now"),
        (format!("{};expires={}", at(NOW - 100), NOW - 1), "expired", "has ended"),
        (format!("{};expires={}", at(NOW - 301), NOW + 100), "expired", "older than allowed"),
        (format!("{};nonce=\"n\";keyid=\"k\";tag=\"t\"", now()), "ok", "others"),
        (format!("{};alg=\"hmac-sha256\"", now()), "ok", "its own algorithm"),
        (format!("{};alg=\"ed25519\"", now()), "alg_not_allowed", "another"),
        (format!("{};x=1", now()), "ok", "an unknown parameter"),
        (format!("{}; x=1", now()), "malformed", "another spelling"),
        (";created=99999999999999999999".into(), "malformed", "too long"),
    ] {
        let app = App::new(layer().build().unwrap());
        assert_eq!(reason(&app.send(signed(&parameters, &sha256(HELLO), HELLO)).await), expected, "{why}");
    }
    for (parameters, expected) in [(";tag=\"app\"", "ok"), (";tag=\"other\"", "bad_claim"), ("", "bad_claim")] {
        let app = App::new(layer().tag("app").build().unwrap());
        let call = signed(&format!("{}{parameters}", now()), &sha256(HELLO), HELLO);
        assert_eq!(reason(&app.send(call).await), expected, "{parameters}");
    }
}

#[tokio::test]
async fn one_signature_counts() {
    let good = || signed(&now(), &sha256(HELLO), HELLO);
    let header = |name: &str| good().headers()[name].to_str().unwrap().to_owned();
    let (input, signature) = (header("signature-input"), header("signature"));
    let with = |name: &'static str, value: &str| changed(good(), name, value);
    let two = || {
        let request = with("signature-input", &format!("other=();created=1, {input}"));
        changed(request, "signature", &format!("{signature}, other=:AA==:"))
    };
    let mut none = good();
    none.headers_mut().remove("signature");
    let mut lines = good();
    lines.headers_mut().append("signature", HeaderValue::from_static("other=:AA==:"));
    for (request, labelled, expected, why) in [
        (good(), false, "ok", "one"),
        (two(), false, "malformed", "two"),
        (two(), true, "ok", "the layer's of two"),
        (lines, false, "ok", "a signature of nothing"),
        (none, false, "missing_signature", "none"),
        (with("signature-input", &input.replace("sig1", "sig2")), false, "missing_signature", "another label"),
        (with("signature-input", &input.replace("sig1", "sig2")), true, "missing_signature", "another label"),
        (with("signature", &signature.replace("=:", "=")), false, "malformed", "no byte sequence"),
        (with("signature", "sig1=:AAAA:"), false, "malformed", "too short"),
        (with("signature", &format!("{signature}, {signature}")), false, "malformed", "twice"),
        (with("signature", &format!("sig1=:{}:", "A".repeat(8_200))), false, "malformed", "too long"),
        (with("signature-input", &input.replace("@method", "@status")), false, "malformed", "of a response"),
        (with("signature-input", &input.replace("\"@method\" ", "")), false, "malformed", "the method is not covered"),
        (with("signature-input", &input.replace(" \"content-digest\"", "")), false, "malformed", "nor the body"),
        (with("content-encoding", "gzip"), false, "content_encoding", "compressed"),
    ] {
        let app = App::new(if labelled { layer().label("sig1") } else { layer() }.build().unwrap());
        assert_eq!(reason(&app.send(request).await), expected, "{why}");
        assert_eq!(app.inner.calls(), usize::from(expected == "ok"), "{why}");
    }
}

/// A copy under another label, or beside another signature, is no new call.
#[tokio::test]
async fn a_call_is_processed_once_until_it_is_too_old() {
    let time = clock();
    let app = App::new(layer().clock(time.clone()).build().unwrap());
    let good = || signed(&now(), &sha256(HELLO), HELLO);
    let renamed =
        changed(good(), "signature-input", &good().headers()["signature-input"].to_str().unwrap().replace("sig1", "x"));
    let signature = good().headers()["signature"].to_str().unwrap().replace("sig1", "x");
    let renamed = changed(renamed, "signature", &signature);
    for (after, request, expected) in
        [(0, good(), "ok"), (0, renamed, "ok"), (299, good(), "ok"), (300, good(), "ok"), (301, good(), "expired")]
    {
        time.set(UnixTime::from_secs(NOW).plus(secs(after)));
        assert_eq!((outcome(&app.send(request).await), app.inner.calls()), (expected, 1), "{after}");
    }
    let again = signed(&format!(";created={}", NOW + 301), &sha256(HELLO), HELLO);
    assert_eq!((outcome(&app.send(again).await), app.inner.calls()), ("ok", 2), "signed anew");
}

#[tokio::test]
async fn every_algorithm_with_a_key_that_the_call_names() {
    let public: [(_, _, [Pair; 2]); 5] = [
        (Algorithm::Ed25519, PublicKeyAlgorithm::Ed25519, ED25519),
        (Algorithm::EcdsaP256Sha256, PublicKeyAlgorithm::EcdsaP256, P256),
        (Algorithm::EcdsaP384Sha384, PublicKeyAlgorithm::EcdsaP384, P384),
        (Algorithm::RsaPssSha512, PublicKeyAlgorithm::RsaPssSha512, RSA),
        (Algorithm::RsaV15Sha256, PublicKeyAlgorithm::RsaSha256, RSA),
    ];
    for (algorithm, key, [one, other]) in public {
        let keys = PublicKeys::new("sender");
        keys.set([("one", one.public), ("other", other.public)]).unwrap();
        let layer = http_signature::layer::<Value>(algorithm, Origin::new("https://app.example"));
        let layer = layer.tenant_keyid().keys(keys).replay(replay()).clock(clock());
        let app = App::new(layer.build().unwrap());
        let signer = SigningWebhook::private_key(key, &one.private()).unwrap();
        let call = |keyid: &str| signed_by(&signer, &format!("{}{keyid}", now()), &sha256(HELLO), HELLO);
        for (keyid, expected) in [
            (r#";keyid="one""#, "ok"),
            (r#";keyid="other""#, "bad_signature"),
            (r#";keyid="nobody""#, "unknown_key"),
            ("", "unknown_key"),
        ] {
            let answer = app.send(call(keyid)).await;
            assert_eq!(reason(&answer), expected, "{algorithm:?} {keyid}");
            if expected == "ok" {
                assert_eq!(seen(&answer).tenant.as_deref(), Some("sender"));
            }
        }
    }
}

/// A sender's set may have keys for other purposes. Naming one of them is no reason for an alarm.
#[tokio::test]
async fn a_key_of_another_kind_is_nobodys() {
    let keys = PublicKeys::new("sender");
    let set = format!(r#"{{"keys": [{}]}}"#, rfc::B_RSA.replace('{', r#"{"kid":"rsa","#));
    assert_eq!(keys.set_jwks(set.as_bytes()).unwrap(), 1);
    for (algorithm, key, [one, _]) in [
        (Algorithm::Ed25519, PublicKeyAlgorithm::Ed25519, ED25519),
        (Algorithm::EcdsaP256Sha256, PublicKeyAlgorithm::EcdsaP256, P256),
    ] {
        let layer = http_signature::layer::<Value>(algorithm, Origin::new("https://app.example"));
        let layer = layer.tenant_keyid().keys(keys.clone()).replay(replay()).clock(clock());
        let app = App::new(layer.build().unwrap());
        let signer = SigningWebhook::private_key(key, &one.private()).unwrap();
        let call = signed_by(&signer, &format!("{};keyid=\"rsa\"", now()), &sha256(HELLO), HELLO);
        assert_eq!(reason(&app.send(call).await), "bad_signature", "{algorithm:?}");
    }
}

/// The parts of a URL cover the whole of it.
#[tokio::test]
async fn a_url_is_covered_by_its_parts() {
    let input = format!(r#"("@method" "@scheme" "@authority" "@path" "@query");created={NOW}"#);
    let base = format!(
        "\"@method\": GET\n\"@scheme\": https\n\"@authority\": app.example:8443\n\"@path\": /in/hook\n\"@query\": ?\n\
         \"@signature-params\": {input}"
    );
    let signer = SigningWebhook::new(Secret::new(SECRET)).encoding(Encoding::Base64);
    let (input, signature) = (format!("a={input}"), format!("a=:{}:", signer.sign(base).signature));
    let layer = http_signature::layer::<RawBody>(Algorithm::HmacSha256, Origin::new("https://App.example:8443/in"));
    let layer = layer.secrets([SECRET]).methods([Method::GET]).optional_body().replay(replay()).clock(clock());
    let app = App::new(layer.build().unwrap());
    for (uri, expected) in [("/hook?a", "bad_signature"), ("/hooks", "bad_signature"), ("/hook", "ok")] {
        let request = call("GET", uri, &[("signature-input", &input), ("signature", &signature)], "");
        assert_eq!(reason(&app.send(request).await), expected, "{uri}");
    }
}

#[test]
fn settings_that_cannot_work_do_not_build() {
    for (layer, expected) in [
        (layer().required_components(["@query-param"]), "required_components"),
        (layer().required_components(["Content-Type"]), "required_components"),
        (layer().required_components([""]), "required_components"),
        (layer().label(""), "label"),
        (layer().label("Sig1"), "label"),
        (layer().label("sig 1"), "label"),
        (layer().tag(""), "tag"),
        (layer().tag("é"), "tag"),
        (layer().lease(secs(0)), "lease"),
        (layer().max_age(secs(32 * 86_400)), "max_age"),
        (layer().secret_format(SecretFormat::Hex), "hexadecimal"),
    ] {
        let said = refused(layer.build());
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
    let at = |algorithm, origin| {
        let layer = http_signature::layer::<Value>(algorithm, Origin::new(origin)).secrets([SECRET]).replay(replay());
        refused(layer.clock(clock()).build())
    };
    assert!(at(Algorithm::HmacSha256, "app.example").contains("is not an address"));
    assert!(at(Algorithm::HmacSha256, "https://u:p@app.example").contains("has a user"));
    assert!(at(Algorithm::Ed25519, "https://app.example").contains("public key"));
    assert!(layer().required_components([""; 0]).build().is_ok());
}
