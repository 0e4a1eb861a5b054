//! What is special about the sealed payload form.

use std::time::Duration;

use aes::Aes128;
use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockEncryptMut, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, Method, Request};
use http_body_util::Full;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tower_sso::Builder;
use tower_sso::keys::MemoryKeys;
use tower_sso::providers::launches;
use tower_sso::scheme::{Place, TimeFormat};
use tower_sso::sealed::{self, Seal, Sealed};
use tower_sso::tenant::Tenant;

use crate::support::subject::{frame, get, refused};
use crate::support::{App, NOW, Request_, clock, outcome, replay};

const SECRET: &str = "sealing-secret-0123456789";
const HEADER: HeaderName = HeaderName::from_static("x-zoom-app-context");

fn key(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// A value of Zoom's header.
pub(crate) fn framed(secret: &str, json: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(frame(secret.as_bytes(), b"", json))
}

/// The bytes of a Multipass token.
pub(crate) fn multipass(secret: &str, json: &str) -> Vec<u8> {
    let mut blocks = json.as_bytes().to_vec();
    let length = blocks.len();
    blocks.resize(length + 16, 0);
    let encrypted = encryptor(secret).encrypt_padded_mut::<Pkcs7>(&mut blocks, length).unwrap();
    signed(secret, encrypted)
}

const IV: [u8; 16] = [7; 16];

fn encryptor(secret: &str) -> cbc::Encryptor<Aes128> {
    cbc::Encryptor::<Aes128>::new_from_slices(&key(secret)[..16], &IV).unwrap()
}

fn signed(secret: &str, encrypted: &[u8]) -> Vec<u8> {
    let mut bytes = [&IV, encrypted].concat();
    let mac = Hmac::<Sha256>::new_from_slice(&key(secret)[16..]).unwrap().chain_update(&bytes).finalize();
    bytes.extend(mac.into_bytes());
    bytes
}

fn zoom() -> App {
    App::new(launches::zoom_app_context::<Value>().secrets([SECRET]).clock(clock()).build().unwrap())
}

fn shop() -> App {
    let layer = launches::shopify_multipass::<Value>().secrets([SECRET]).replay(replay());
    App::new(layer.clock(clock()).build().unwrap())
}

fn page(context: &str) -> Request_ {
    Request::get("/").header(HEADER, context).body(Full::default()).unwrap()
}

fn page_of(bytes: &[u8]) -> Request_ {
    page(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

fn login(bytes: &[u8]) -> Request_ {
    get(&format!("/account/login/multipass/{}", BASE64_URL_SAFE.encode(bytes)))
}

/// `exp` so many seconds from now.
fn context(seconds: i64) -> String {
    let exp = (i64::try_from(NOW).unwrap() + seconds) * 1000;
    format!(r#"{{"uid":"ada","exp":{exp}}}"#)
}

const CUSTOMER: &str = r#"{"email":"ada@example.com","created_at":"2023-11-14T22:13:20Z"}"#;

#[tokio::test]
async fn a_context_comes_again_until_its_end() {
    let app = zoom();
    let bytes = frame(SECRET.as_bytes(), b"more", &context(60));
    for text in [BASE64_URL_SAFE.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
        assert_eq!(outcome(&app.send(page(&text)).await), "ok", "{text}");
    }
    for (seconds, expected) in [(-59, "ok"), (-61, "expired"), (86_400 + 59, "ok"), (86_400 + 61, "not_yet_valid")] {
        let said = app.send(page(&framed(SECRET, &context(seconds)))).await;
        assert_eq!(outcome(&said), expected, "{seconds}");
    }
    assert_eq!(outcome(&app.send(page(&framed("another secret of ours", &context(60)))).await), "invalid");
}

#[tokio::test]
async fn a_multipass_token_works_once_and_for_five_minutes() {
    let app = shop();
    let bytes = multipass(SECRET, CUSTOMER);
    assert_eq!(outcome(&app.send(login(&bytes)).await), "ok");
    assert_eq!(outcome(&app.send(login(&bytes)).await), "replayed");
    let unpadded = BASE64_URL_SAFE_NO_PAD.encode(&bytes);
    assert_eq!(outcome(&app.send(get(&format!("/other/{unpadded}?x=1"))).await), "replayed", "in another spelling");
    for (time, expected) in [
        ("2023-11-14T22:08:21Z", "ok"),
        ("2023-11-14T17:08:21-05:00", "ok"),
        ("2023-11-14T22:08:19Z", "expired"),
        ("2023-11-14T22:14:30Z", "not_yet_valid"),
        ("2023-11-14 22:13:20", "invalid"),
    ] {
        let json = CUSTOMER.replace("2023-11-14T22:13:20Z", time);
        assert_eq!(outcome(&app.send(login(&multipass(SECRET, &json))).await), expected, "{time}");
    }
    assert_eq!(outcome(&app.send(login(&multipass("another secret of ours", CUSTOMER))).await), "invalid");
}

#[tokio::test]
async fn no_byte_can_be_changed_left_out_or_added() {
    let (zoom, shop) = (zoom(), shop());
    let (context, customer) = (frame(SECRET.as_bytes(), b"more", &context(60)), multipass(SECRET, CUSTOMER));
    for (app, bytes, request) in [(&zoom, &context, page_of as fn(&[u8]) -> Request_), (&shop, &customer, login)] {
        for at in 0..bytes.len() {
            for bit in [0x01, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= bit;
                let said = outcome(&app.send(request(&changed)).await);
                assert!(["invalid", "malformed"].contains(&said), "byte {at}: {said}");
            }
            let said = outcome(&app.send(request(&bytes[..at])).await);
            assert!(["invalid", "malformed"].contains(&said), "{at} bytes: {said}");
            let said = outcome(&app.send(request(&bytes[at + 1..])).await);
            assert!(["invalid", "malformed"].contains(&said), "without the first {}: {said}", at + 1);
        }
        let longer = [bytes, &[0][..]].concat();
        assert_eq!(outcome(&app.send(request(&longer)).await), "malformed", "a byte more");
        assert_eq!(outcome(&app.send(request(bytes)).await), "ok", "nothing was used up");
    }
}

#[tokio::test]
async fn lengths_are_checked_before_a_key_is_looked_up() {
    let whole = frame(SECRET.as_bytes(), b"", &context(60));
    let mut long_iv = vec![16; 17];
    long_iv.extend(&whole[13..]);
    let mut endless = whole.clone();
    endless[15..19].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut additional = whole.clone();
    additional[13..15].copy_from_slice(&u16::MAX.to_le_bytes());
    for (why, bytes) in [
        ("an IV of 16 bytes", long_iv),
        ("more ciphertext than there is", endless),
        ("more additional data than there is", additional),
        ("an IV alone", whole[..13].to_vec()),
        ("nothing but a length", vec![255]),
    ] {
        assert_eq!(outcome(&zoom().send(page_of(&bytes)).await), "malformed", "{why}");
    }
    for (why, bytes) in [
        ("no ciphertext", signed(SECRET, b"")),
        ("half a block", signed(SECRET, &[0; 8])),
        ("a block and a half", signed(SECRET, &[0; 24])),
    ] {
        assert_eq!(outcome(&shop().send(login(&bytes)).await), "malformed", "{why}");
    }
    assert_eq!(outcome(&zoom().send(page(&"A".repeat(16 * 1024 + 4))).await), "malformed", "too long");
    for text in ["not base64url", "AQ=", "+/+/"] {
        assert_eq!(outcome(&zoom().send(page(text)).await), "malformed", "{text}");
    }
    assert_eq!(outcome(&shop().send(get("/account/login/multipass/")).await), "malformed", "no token");
}

/// Signed by who has the secret, so that only the padding is wrong. The client is not told.
#[tokio::test]
async fn wrong_padding_gets_the_answer_of_a_wrong_mac() {
    for last in [0, 17, 255, 2] {
        let mut block = [0; 16];
        block[15] = last;
        let encrypted = encryptor(SECRET).encrypt_padded_mut::<NoPadding>(&mut block, 16).unwrap().to_vec();
        let app = shop();
        let said = app.send(login(&signed(SECRET, &encrypted))).await;
        let forged = app.send(login(&signed("another secret of ours", &encrypted))).await;
        assert_eq!(outcome(&said), "invalid", "{last}");
        assert_eq!((said.status(), said.body()), (forged.status(), forged.body()), "{last}");
    }
}

#[tokio::test]
async fn the_secret_is_that_of_the_tenant() {
    let keys = MemoryKeys::new().with("acme", SECRET).with("other", "another secret of ours");
    let layer = launches::zoom_app_context::<Value>().tenant(Tenant::query("shop")).keys(keys);
    let app = App::new(layer.clock(clock()).build().unwrap());
    let context = framed(SECRET, &context(60));
    for (tenant, expected) in [("acme", "ok"), ("other", "invalid"), ("stranger", "invalid")] {
        let request = Request::get(format!("/?shop={tenant}")).header(HEADER, &context).body(Full::default()).unwrap();
        assert_eq!(outcome(&app.send(request).await), expected, "{tenant}");
    }
}

#[tokio::test]
async fn the_text_is_one_object_with_what_is_required() {
    let layer = || launches::zoom_app_context::<Value>().require_value("aud", "client");
    let app = App::new(layer().secrets([SECRET]).clock(clock()).build().unwrap());
    let exp = (NOW + 60) * 1000;
    for (json, expected) in [
        (format!(r#"{{"aud":"client","exp":{exp}}}"#), "ok"),
        (format!(r#"{{"aud":"client","exp":"{exp}"}}"#), "ok"),
        (format!(r#"{{"aud":"another","exp":{exp}}}"#), "invalid"),
        (format!(r#"{{"exp":{exp}}}"#), "invalid"),
        (format!(r#"{{"aud":["client"],"exp":{exp}}}"#), "invalid"),
        (format!(r#"{{"aud":"client","exp":{exp},"exp":{exp}}}"#), "rejected_claims"),
        (format!(r#"{{"aud":"client","exp":{exp}.5}}"#), "invalid"),
        (r#"{"aud":"client"}"#.to_owned(), "invalid"),
        (r#"{"aud":"client","exp":null}"#.to_owned(), "invalid"),
        ("[]".to_owned(), "rejected_claims"),
        (String::new(), "rejected_claims"),
    ] {
        assert_eq!(outcome(&app.send(page(&framed(SECRET, &json))).await), expected, "{json}");
    }
}

/// As in signed payloads, a name that begins with `/` is a pointer.
#[tokio::test]
async fn members_may_stand_inside_of_others() {
    let layer = sealed::layer::<Value>(Seal::FramedAesGcm, Place::header(HEADER))
        .expires_at("/session/exp", TimeFormat::Seconds, Duration::from_secs(600))
        .require_value("/app~1s/0", "client")
        .reusable();
    let app = App::new(layer.secrets([SECRET]).clock(clock()).build().unwrap());
    let exp = NOW + 60;
    for (json, expected) in [
        (format!(r#"{{"app/s":["client"],"session":{{"exp":{exp}}}}}"#), "ok"),
        (format!(r#"{{"app/s":["another"],"session":{{"exp":{exp}}}}}"#), "invalid"),
        (format!(r#"{{"app/s":["client"],"session":{{"exp":{}}}}}"#, NOW - 600), "expired"),
        (format!(r#"{{"app/s":["client"],"/session/exp":{exp}}}"#), "invalid"),
    ] {
        assert_eq!(outcome(&app.send(page(&framed(SECRET, &json))).await), expected, "{json}");
    }
}

#[tokio::test]
async fn it_may_stand_in_the_query_or_a_form() {
    let layer = |place| {
        let layer = sealed::layer::<Value>(Seal::AesCbcThenHmac, place).issued_at("created_at", TimeFormat::Rfc3339);
        let layer = layer.methods([Method::GET, Method::POST]).secrets([SECRET]).replay(replay());
        App::new(layer.clock(clock()).build().unwrap())
    };
    let token = BASE64_URL_SAFE_NO_PAD.encode(multipass(SECRET, CUSTOMER));
    assert_eq!(outcome(&layer(Place::query("t")).send(get(&format!("/?t={token}"))).await), "ok");
    let form = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(Full::from(format!("t={token}"))).unwrap();
    assert_eq!(outcome(&layer(Place::form("t")).send(form).await), "ok");
}

#[test]
fn unsafe_settings_do_not_build() {
    let plain = || sealed::layer::<Value>(Seal::FramedAesGcm, Place::query("t"));
    let build = |layer: Builder<Sealed<Value>>| layer.secrets([SECRET]).replay(replay()).build().map(drop);
    for (layer, expected) in [
        (plain(), "issued_at"),
        (plain().issued_at("", TimeFormat::Seconds), "issued_at"),
        (plain().expires_at("exp", TimeFormat::Seconds, Duration::from_secs(32 * 24 * 60 * 60)), "expires_at"),
        (sealed::layer(Seal::FramedAesGcm, Place::query("")).issued_at("t", TimeFormat::Seconds), "layer"),
    ] {
        let problem = refused(build(layer));
        assert!(problem.contains(expected), "{expected}: {problem}");
    }
    let reusable = plain().issued_at("t", TimeFormat::Seconds).reusable();
    assert!(build(reusable).is_err(), "a replay store that is not asked");
}
