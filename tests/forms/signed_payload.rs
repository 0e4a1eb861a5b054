//! What is special about the signed payload form.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use http::{HeaderName, Request};
use http_body_util::Full;
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha256;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::keys::Secret;
use tower_sso::providers::launches;
use tower_sso::scheme::{Digest, Encoding, KeyDerivation, Place, TimeFormat};
use tower_sso::signed_payload::{self, Layout, PayloadEncoding, SignedPayload, Stamp};
use tower_sso::{Builder, ConfigError};

use crate::support::subject::{get, refused};
use crate::support::{App, NOW, Request_, clock, outcome, reason, replay};

const SECRET: &str = "payload-secret-0123456789";

fn mac(text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn plain() -> Builder<SignedPayload<Value>> {
    signed_payload::layer(Layout::payload_first(Place::query("t"), "."))
}

fn app(layer: Builder<SignedPayload<Value>>) -> App {
    App::new(layer.secrets([SECRET]).replay(replay()).clock(clock()).build().unwrap())
}

/// `/?t=payload.mac` with this JSON.
fn link(json: &str) -> String {
    let payload = BASE64_URL_SAFE_NO_PAD.encode(json);
    format!("/?t={payload}.{}", hex(&mac(&payload)))
}

async fn send(app: &App, uri: &str) -> &'static str {
    outcome(&app.send(get(uri)).await)
}

#[tokio::test]
async fn every_way_of_writing_it() {
    let json = format!(r#"{{"iat":{NOW},"sub":"ada"}}"#);
    let (url, padded) = (BASE64_URL_SAFE_NO_PAD.encode(&json), BASE64_STANDARD.encode(&json));
    let of = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(mac(text));
    let header = || Place::header(HeaderName::from_static("x-user"));
    let form = |body: String| {
        Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Full::from(body)).unwrap()
    };
    let text = |body: String| Request::post("/").header(CONTENT_TYPE, "text/plain").body(Full::from(body)).unwrap();
    let headed = |value: String| Request::get("/").header("x-user", value).body(Full::default()).unwrap();
    let cookie =
        |value: String| Request::get("/").header("cookie", format!("u={value}")).body(Full::default()).unwrap();
    let layer = |layout| signed_payload::layer::<Value>(layout).issued_at("iat", TimeFormat::Seconds);
    let cases: Vec<(&str, Builder<SignedPayload<Value>>, Request_)> = vec![
        (
            "signature first, in a header",
            layer(Layout::signature_first(header(), ".")).encoding(Encoding::Base64Url),
            headed(format!("{}.{url}", of(&url))),
        ),
        (
            "in a cookie",
            layer(Layout::payload_first(Place::cookie("u"), "--")),
            cookie(format!("{url}--{}", hex(&mac(&url)))),
        ),
        (
            "the whole body",
            layer(Layout::signature_first(Place::body("text/plain"), ".")).methods([http::Method::POST]),
            text(format!("{}.{url}", hex(&mac(&url)))),
        ),
        (
            "the whole body, with its signature in a header",
            layer(Layout::apart(Place::body("text/plain"), header())).methods([http::Method::POST]),
            {
                let mut request = text(url.clone());
                request.headers_mut().insert("x-user", hex(&mac(&url)).parse().unwrap());
                request
            },
        ),
        (
            "in a form",
            layer(Layout::payload_first(Place::form("u"), ".")).methods([http::Method::POST]),
            form(format!("u={url}.{}&x=1", hex(&mac(&url)))),
        ),
        (
            "apart, in a form and a header",
            layer(Layout::apart(Place::form("u"), header())).methods([http::Method::POST]),
            {
                let mut request = form(format!("u={url}"));
                request.headers_mut().insert("x-user", hex(&mac(&url)).parse().unwrap());
                request
            },
        ),
        (
            "apart, in a header and a form",
            layer(Layout::apart(header(), Place::form("sig"))).methods([http::Method::POST]),
            {
                let mut request = form(format!("sig={}", hex(&mac(&url))));
                request.headers_mut().insert("x-user", url.parse().unwrap());
                request
            },
        ),
        (
            "the decoded bytes are signed, in hexadecimal inside base64",
            layer(Layout::payload_first(Place::query("t"), "."))
                .payload_encoding(PayloadEncoding::Base64)
                .signs_decoded()
                .encoding(Encoding::Base64OfHex),
            get(&format!("/?t={}.{}", padded.replace('+', "%2B"), BASE64_STANDARD.encode(hex(&mac(&json))))),
        ),
    ];
    for (why, layer, request) in cases {
        let app = app(layer);
        let answer = app.send(request.clone()).await;
        assert_eq!(outcome(&answer), "ok", "{why}");
        assert_eq!(outcome(&app.send(request).await), "replayed", "{why}");
    }
}

/// Nobody signed what stands beside a signature in a body.
#[tokio::test]
async fn a_signature_in_a_body_brings_nothing_else_along() {
    let payload = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"iat":{NOW}}}"#));
    let signature = hex(&mac(&payload));
    let request = |content_type: &str, body: String| {
        let request = Request::post("/").header(CONTENT_TYPE, content_type).header("x-user", &payload);
        request.body(Full::from(body)).unwrap()
    };
    let (form, json) = ("application/x-www-form-urlencoded", "application/json");
    let header = || Place::header(HeaderName::from_static("x-user"));
    for (place, content_type, alone, more) in [
        (Place::form("sig"), form, format!("sig={signature}"), format!("role=admin&sig={signature}")),
        (
            Place::json("sig"),
            json,
            format!(r#"{{"sig":"{signature}"}}"#),
            format!(r#"{{"sig":"{signature}","role":"admin"}}"#),
        ),
    ] {
        let layer = || {
            let layer = signed_payload::layer::<Value>(Layout::apart(header(), place.clone()));
            layer.issued_at("iat", TimeFormat::Seconds).methods([http::Method::POST])
        };
        let (strict, lax) = (app(layer()), app(layer().danger_unsigned_body()));
        let refused = strict.send(request(content_type, more.clone())).await;
        assert_eq!((outcome(&refused), reason(&refused)), ("malformed", "unsigned_body"), "{content_type}");
        assert_eq!(outcome(&strict.send(request(content_type, alone)).await), "ok", "{content_type}: not used up");
        assert_eq!(outcome(&lax.send(request(content_type, more)).await), "ok", "{content_type}");
    }
}

#[tokio::test]
async fn times_are_members_in_any_format() {
    let issued = |format| plain().issued_at("iat", format);
    let expires = || plain().expires_at("exp", TimeFormat::Seconds, Duration::from_secs(600));
    for (layer, json, expected, why) in [
        (issued(TimeFormat::Seconds), r#"{"iat":1700000000}"#, "ok", "a number"),
        (issued(TimeFormat::Seconds), r#"{"iat":"1700000000"}"#, "ok", "text"),
        (issued(TimeFormat::Seconds), r#"{"iat":1700000000000}"#, "not_yet_valid", "milliseconds fail closed"),
        (issued(TimeFormat::Milliseconds), r#"{"iat":1700000000000}"#, "ok", "milliseconds"),
        (issued(TimeFormat::Milliseconds), r#"{"iat":1700000000}"#, "expired", "seconds fail closed"),
        (issued(TimeFormat::FractionalSeconds), r#"{"iat":1699999999.657962}"#, "ok", "a fraction"),
        (issued(TimeFormat::FractionalSeconds), r#"{"iat":1699999699.9}"#, "expired", "to the fraction"),
        (issued(TimeFormat::Rfc3339), r#"{"iat":"2023-11-14T22:13:20.000Z"}"#, "ok", "RFC 3339"),
        (issued(TimeFormat::Seconds), r#"{"iat":null}"#, "invalid", "null"),
        (issued(TimeFormat::Seconds), r#"{"a":1}"#, "invalid", "no time"),
        (issued(TimeFormat::Seconds), r#"{"iat":[]}"#, "invalid", "no text"),
        (plain().issued_at("/in/iat", TimeFormat::Seconds), r#"{"in":{"iat":1700000000}}"#, "ok", "a pointer"),
        (expires(), r#"{"exp":1700000600}"#, "ok", "the farthest end"),
        (expires(), r#"{"exp":1700000661}"#, "not_yet_valid", "too far"),
        (expires(), r#"{"exp":1699999940}"#, "ok", "the skew is added"),
        (expires(), r#"{"exp":1699999939}"#, "expired", "over"),
    ] {
        assert_eq!(send(&app(layer), &link(json)).await, expected, "{why}");
    }
}

#[tokio::test]
async fn a_payload_may_come_again_only_where_that_is_set() {
    let json = format!(r#"{{"iat":{NOW}}}"#);
    let layer = plain().issued_at("iat", TimeFormat::Seconds).reusable().secrets([SECRET]);
    let app = App::new(layer.clock(clock()).build().unwrap());
    for _ in 0..2 {
        assert_eq!(send(&app, &link(&json)).await, "ok");
    }
    // Padded, it is the same bytes, but another text was not signed.
    let padded = BASE64_URL_SAFE_NO_PAD.encode(&json) + "=";
    assert_ne!(send(&app, &link(&json).replace(&BASE64_URL_SAFE_NO_PAD.encode(&json), &padded)).await, "ok");
}

#[tokio::test]
async fn the_members_that_are_required() {
    let layer = || plain().danger_without_time().danger_forgets_on_restart();
    for (layer, json, expected) in [
        (layer().require(["sub"]), r#"{"sub":"ada"}"#, "ok"),
        (layer().require(["sub"]), r#"{"sub":null}"#, "rejected_claims"),
        (layer().require_value("app", "mine"), r#"{"app":"mine"}"#, "ok"),
        (layer().require_value("app", "mine"), r#"{"app":"another"}"#, "invalid"),
        (layer().require_value("app", "mine"), "{}", "invalid"),
        (layer(), "[]", "rejected_claims"),
        (layer(), r#"{"a":1,"a":2}"#, "rejected_claims"),
    ] {
        assert_eq!(send(&app(layer), &link(json)).await, expected, "{json}");
    }
}

#[tokio::test]
async fn the_tenant_is_what_the_payload_says() {
    let json = format!(r#"{{"iat":{NOW},"org":"acme"}}"#);
    let keys = || tower_sso::MemoryKeys::new().with("acme", SECRET).with("other", "other-secret-0123456789");
    let layer = || plain().issued_at("iat", TimeFormat::Seconds).tenant_member("org").keys(keys());
    let app = App::new(layer().replay(replay()).clock(clock()).build().unwrap());
    assert_eq!(send(&app, &link(&json.replace("acme", "other"))).await, "invalid", "acme's key, other's name");
    assert_eq!(send(&app, &link(&json.replace("acme", "nobody"))).await, "invalid");
    assert_eq!(send(&app, &link(r#"{"iat":1}"#)).await, "malformed", "no name");
    assert_eq!(send(&app, &link("no JSON")).await, "malformed");
    assert_eq!(send(&app, &link(&json)).await, "ok");
}

/// Made by Django 5.2.19 and itsdangerous 2.2.0, at 1700000000, of `{"sub": "ada"}`.
#[tokio::test]
async fn frameworks_sign_like_this() {
    let django = |salted| {
        signed_payload::layer::<Value>(Layout::payload_first(Place::query("t"), ":"))
            .encoding(Encoding::Base64Url)
            .key_derivation(KeyDerivation::digest_after(Digest::Sha256, salted))
            .stamped(Stamp::Base62)
            .secrets(["django-secret-0123456789"])
    };
    let its = |salted| {
        signed_payload::layer::<Value>(Layout::payload_first(Place::query("t"), "."))
            .digest(Digest::Sha1)
            .encoding(Encoding::Base64Url)
            .key_derivation(KeyDerivation::digest_after(Digest::Sha1, salted))
            .stamped(Stamp::Base64Bytes)
            .secrets(["its-secret-0123456789"])
    };
    let app = |layer: Builder<SignedPayload<Value>>, at| {
        App::new(layer.replay(replay()).clock(ManualClock::at(UnixTime::from_secs(at))).build().unwrap())
    };
    let (dumped, salted) = ("eyJzdWIiOiJhZGEifQ:1r31eq:0nuD9ZtylIO31sN-QHTV4mPZj5XeaOoTSyEB-o8sZ8w", "sso");
    let with_salt = "eyJzdWIiOiJhZGEifQ:1r31eq:RdRbAptwVAVj4fkwWedUokiCMkSaL2CPamixPMog5Ms";
    let compressed = ".eJyrViouTVKyUkpMSRxySKkWAKjsR-0:1r31eq:9isX4opy6GeRFz3Zkrk-zqxjuaI1XZb6uWf2ChhMs0g";
    let (itsdangerous, its_salted) = (
        "eyJzdWIiOiJhZGEifQ.ZVPxAA.gHDffTjFBa8K6Cgm60seb_shnEs",
        "eyJzdWIiOiJhZGEifQ.ZVPxAA.ZNrLvWj0AmAHMBk0wIb5jEOMxXU",
    );
    for (layer, token, expected, why) in [
        (django("django.core.signingsigner"), dumped, "ok", "signing.dumps"),
        (django("ssosigner"), with_salt, "ok", salted),
        (django("ssosigner"), dumped, "invalid", "another salt"),
        (django("django.core.signingsigner"), compressed, "malformed", "compressed"),
        (its("itsdangeroussigner"), itsdangerous, "ok", "URLSafeTimedSerializer"),
        (its("ssosigner"), its_salted, "ok", salted),
        (its("ssosigner"), itsdangerous, "invalid", "another salt"),
    ] {
        assert_eq!(send(&app(layer, NOW + 300), &format!("/?t={token}")).await, expected, "{why}");
    }
    let late = app(its("itsdangeroussigner"), NOW + 301);
    assert_eq!(send(&late, &format!("/?t={itsdangerous}")).await, "expired");
}

/// As `ActiveSupport::MessageVerifier` with the JSON serializer and `expires_at`.
#[tokio::test]
async fn rails_signs_like_this() {
    let json = r#"{"_rails":{"data":{"sub":"ada"},"exp":"2023-11-14T22:14:20.000Z"}}"#;
    let payload = BASE64_STANDARD.encode(json);
    let mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(&payload).finalize().into_bytes();
    let layer = signed_payload::layer::<Value>(Layout::payload_first(Place::query("t"), "--"))
        .payload_encoding(PayloadEncoding::Base64)
        .digest(Digest::Sha1)
        .expires_at("/_rails/exp", TimeFormat::Rfc3339, Duration::from_secs(300));
    let app = app(layer);
    assert_eq!(send(&app, &format!("/?t={}--{}", payload.replace('+', "%2B"), hex(&mac))).await, "ok");
}

/// Published with Facebook's PHP SDK, DiscourseConnect's description and BigCommerce's Python client.
#[tokio::test]
async fn platforms_sign_like_this() {
    let facebook = "signed_request=vlXgu64BQGFSQrY0ZcJBZASMvYvTHu9GQ0YM9rjPSso.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsIjAiOiJwYXlsb2FkIn0";
    let post = |body: &str| {
        let body = Full::from(body.to_owned());
        Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body).unwrap()
    };
    let layer =
        launches::facebook_signed_request::<Value>().secrets([Secret::verbatim("secret")]).danger_forgets_on_restart();
    let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
    assert_eq!(outcome(&app.send(post(facebook)).await), "ok");
    assert_eq!(outcome(&app.send(post(&format!("{facebook}&x=1"))).await), "replayed");

    let layer = launches::discourse_provider::<Value>().secrets(["d836444a9e4084d5b224a60c208dce14"]);
    let app = App::new(layer.clock(clock()).build().unwrap());
    let uri = "/?sso=bm9uY2U9Y2I2ODI1MWVlZmI1MjExZTU4YzAwZmYxMzk1ZjBjMGI%3D%0A&sig=2828aa29899722b35a2f191d34ef9b3ce695e0e6eeec47deb46d588d70c7cb56";
    assert_eq!(send(&app, uri).await, "ok");
    assert_eq!(send(&app, &uri.replace("%0A", "")).await, "invalid", "the line feed is signed");
    assert_eq!(send(&app, &format!("{uri}&sso=")).await, "malformed");

    let layer = launches::bigcommerce_signed_payload::<Value>().secrets(["ntb1kcxa1do55wf0h25ps7h94fnsoi6"]);
    let layer = layer.replay(replay()).clock(ManualClock::at(UnixTime::from_secs(1_389_050_327)));
    let app = App::new(layer.danger_forgets_on_restart().build().unwrap());
    let uri = "/?signed_payload=eyJ1c2VyIjp7ImlkIjo3MiwiZW1haWwiOiJ1c2VyQGV4YW1wbGUuY29tIn0sInN0b3JlX2hhc2giOiJsY3R2aDV3bSIsInRpbWVzdGFtcCI6MTM4OTA1MDMyNy42NTc5NjI2fQ%3D%3D.MzViNWM4N2MwNjA4ODEwMWM0MjI5MjFiNGFlOGI1YmIwMjNmZTE1MTk1YWFhZjNmNDE4MzQ4Njc5NGM2OWE4MQ%3D%3D";
    let answer = app.send(get(uri)).await;
    assert!(matches!(outcome(&answer), "ok" | "replayed"), "it is older than the test's store");
}

/// The separator may be in a text too: the last ones count.
#[tokio::test]
async fn a_text_is_signed_as_it_is() {
    let layer = |stamp: Option<Stamp>| {
        let layer = signed_payload::layer::<String>(Layout::payload_first(Place::query("t"), ":")).text();
        let layer = layer.payload_encoding(PayloadEncoding::Text).secrets([SECRET]).replay(replay()).clock(clock());
        let layer = match stamp {
            Some(stamp) => layer.stamped(stamp),
            None => layer.danger_without_time().danger_forgets_on_restart(),
        };
        let layer = layer.map_claims(|text| {
            assert_eq!(text, "ada:lovelace & co");
            Ok(text)
        });
        App::new(layer.build().unwrap())
    };
    let signed = |text: &str| format!("/?t={}:{}", text.replace(' ', "%20").replace('&', "%26"), hex(&mac(text)));
    let (timed, bare) = (signed("ada:lovelace & co:1r31eq"), signed("ada:lovelace & co"));
    for (stamp, uri, expected, why) in [
        (Some(Stamp::Base62), timed.clone(), "ok", "stamped"),
        (Some(Stamp::Base62), timed.replace("ada", "bob"), "invalid", "another text"),
        (Some(Stamp::Base62), timed.replace("eq", "er"), "invalid", "another time"),
        (Some(Stamp::Base62), signed("ada"), "malformed", "no time"),
        (Some(Stamp::Base62), bare.clone(), "invalid", "a part of the text in the time's place"),
        (None, bare.clone(), "ok", "bare"),
        (None, bare.replace("lovelace", "byron"), "invalid", "another text"),
    ] {
        assert_eq!(send(&layer(stamp), &uri).await, expected, "{why}");
    }
    let app = layer(None);
    assert_eq!([send(&app, &bare).await, send(&app, &bare).await], ["ok", "replayed"]);
}

#[test]
fn settings_that_do_not_build() {
    let build = |layer: Builder<SignedPayload<Value>>| -> Result<(), ConfigError> {
        layer.secrets([SECRET]).replay(replay()).build().map(drop)
    };
    let issued = |layout| signed_payload::layer::<Value>(layout).issued_at("iat", TimeFormat::Seconds);
    let (first, apart) = (
        |separator: &'static str| Layout::payload_first(Place::query("t"), separator),
        || Layout::apart(Place::query("a"), Place::query("b")),
    );
    for (layer, part) in [
        (plain(), "`issued_at` is not called"),
        (issued(first("")), "cut in two ways"),
        (issued(first("f")), "cut in two ways"),
        (issued(first("-")).encoding(Encoding::Base64Url), "cut in two ways"),
        (issued(first("--")).encoding(Encoding::Base64Url), "cut in two ways"),
        (issued(Layout::apart(Place::query("a"), Place::query("a"))), "in one place"),
        (issued(Layout::apart(Place::query(""), Place::query("a"))), "no request can have"),
        (issued(Layout::apart(Place::json("a"), Place::form("b"))), "two kinds of body"),
        (signed_payload::layer(apart()).stamped(Stamp::Base62), "`stamped` needs a separator"),
        (plain().stamped(Stamp::Base62).signs_decoded(), "`signs_decoded`"),
        (issued(first("-")).stamped(Stamp::Base64Bytes), "`stamped` has a separator"),
        (issued(first("z")).stamped(Stamp::Base62), "`stamped` has a separator"),
        (plain().issued_at_if_given("iat", TimeFormat::Seconds).reusable(), "`reusable`"),
        (plain().issued_at("", TimeFormat::Seconds), "has no name"),
        (plain().issued_at("iat", TimeFormat::Seconds).tenant_member(""), "`tenant_member`"),
        (plain().expires_at("exp", TimeFormat::Seconds, Duration::from_secs(32 * 86_400)), "31 days"),
        (plain().text().issued_at("iat", TimeFormat::Seconds), "`text` has no members"),
        (plain().text().stamped(Stamp::Base62).tenant_member("t"), "`text` has no members"),
        (plain().text().stamped(Stamp::Base62).require(["t"]), "`text` has no members"),
        (plain().text().stamped(Stamp::Base62).require_value("t", "1"), "`text` has no members"),
        (plain().text().nonce_member("n").danger_any_nonce(), "`text` has no members"),
        (plain().danger_without_time(), "forgets when the process ends"),
        (plain().issued_at_if_given("iat", TimeFormat::Seconds), "forgets when the process ends"),
        (launches::salesforce_canvas(), "`issued_at` is not called"),
    ] {
        let problem = refused(build(layer));
        assert!(problem.contains(part), "{part}: {problem}");
    }
}
