//! Senders of webhooks and what they get wrong.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderName, Request};
use serde_json::Value;
use tower_sso::explain;
use tower_sso::keys::Secret;
use tower_sso::oauth1::Origin;
use tower_sso::providers::webhooks::{github, slack, standard_webhooks, stripe};
use tower_sso::scheme::{SecretFormat, TimeFormat};
use tower_sso::sign::SigningWebhook;
use tower_sso::webhook::{self, Digest, Encoding, Webhook};
use tower_sso::{Builder, VerifyLayer};

use crate::support::{NOW, clock, replay};

const SECRET: &str = "hook-9sLq27Tz";
const BODY: &str = "{\"event\": \"paid\", \"url\": \"https://x.example/é\", \"sum\": [1, 2]}";

fn built(layer: Builder<Webhook<Value>>) -> VerifyLayer<Webhook<Value>> {
    layer.replay(replay()).handler_remembers().clock(clock()).build().unwrap()
}

/// A call with these headers.
struct Call(&'static str, Vec<(&'static str, String)>, Bytes);

async fn first(layer: &VerifyLayer<Webhook<Value>>, Call(uri, headers, body): Call) -> String {
    let mut request = Request::post(uri).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    let explanation = explain::request(layer, &head, &body).await;
    let text = explanation.to_string();
    assert!(!text.contains(SECRET) && !text.contains("paid"), "{text}");
    explanation.cause().map_or(text, str::to_owned)
}

fn signer() -> SigningWebhook {
    SigningWebhook::new(Secret::new(SECRET))
}

/// A webhook is no link that lies around: most often it is a retry.
#[tokio::test]
async fn a_retry_that_keeps_its_first_time() {
    let layer = built(stripe().secrets([SECRET]));
    let signed = |age: u64| {
        let time = (NOW - age).to_string();
        let signature = signer().signature(&[time.as_bytes(), b".", BODY.as_bytes()]);
        Call("/", vec![("stripe-signature", format!("t={time},v1={signature}"))], BODY.into())
    };
    let said = first(&layer, signed(700)).await;
    assert!(said.contains("a retry kept the time of the first attempt") && !said.contains("link"), "{said}");
    assert!(first(&layer, signed(60)).await.starts_with("passed"));
}

#[tokio::test]
async fn a_body_that_is_serialized_again() {
    let layer = built(webhook::layer().secrets([SECRET]));
    for (signed, expected, why) in [
        (BODY.to_owned(), "It passes", "as it is"),
        (
            "{\"event\":\"paid\",\"url\":\"https://x.example/é\",\"sum\":[1,2]}".into(),
            "without white space",
            "JSON.stringify",
        ),
        (
            "{\n  \"event\": \"paid\",\n  \"url\": \"https://x.example/é\",\n  \"sum\": [\n    1,\n    2\n  ]\n}"
                .into(),
            "indented by two spaces",
            "JSON.stringify(body, null, 2)",
        ),
        (
            "{\"event\": \"paid\", \"url\": \"https://x.example/\\u00e9\", \"sum\": [1, 2]}".into(),
            "non-ASCII characters escaped",
            "json.dumps",
        ),
        (
            "{\"event\":\"paid\",\"url\":\"https:\\/\\/x.example\\/\\u00e9\",\"sum\":[1,2]}".into(),
            "PHP's `json_encode`",
            "json_encode",
        ),
        ("{\"event\":\"paid\",\"sum\":[1,2],\"url\":\"https://x.example/é\"}".into(), "sorted by names", "Go's maps"),
        (format!("{BODY}\n"), "ended with a line feed", "echo"),
        (format!("{BODY}\r\n"), "carriage return and a line feed", "an editor of Windows"),
        (format!("\u{feff}{BODY}"), "byte order mark", "a file of Windows"),
        (String::new(), "signs nothing, as if the body was empty", "before the body was read"),
    ] {
        let signature = signer().signature(&[signed.as_bytes()]);
        let said = first(&layer, Call("/hook", vec![("webhook-signature", signature)], BODY.into())).await;
        assert!(said.contains(expected), "{why}: {said}");
    }
}

#[tokio::test]
async fn a_signature_that_is_written_otherwise() {
    let layer = built(webhook::layer().secrets([SECRET]));
    let body = BODY.as_bytes();
    let with = |signer: SigningWebhook| signer.signature(&[body]);
    for (header, signature, expected, why) in [
        ("webhook-signature", with(signer()).to_uppercase(), "It passes", "capitals"),
        ("webhook-signature", with(signer().encoding(Encoding::Base64)), "signature as base64,", "another alphabet"),
        (
            "webhook-signature",
            with(signer().encoding(Encoding::Base64OfHex)),
            "base64 of the hexadecimal text",
            "both of them",
        ),
        ("webhook-signature", with(signer().digest(Digest::Sha1)), "signs with HMAC-SHA1", "an older digest"),
        ("webhook-signature", with(signer().digest(Digest::Sha512)), "signs with HMAC-SHA512", "a longer one"),
        (
            "webhook-signature",
            with(signer().digest(Digest::Sha1).encoding(Encoding::Base64)),
            "base64 and signs with HMAC-SHA1",
            "both",
        ),
        ("webhook-signature", with(signer().prefix("sha256=")), "writes \"sha256=\" before the signature", "a prefix"),
        ("x-signature", with(signer()), "in the header `x-signature`", "another header"),
        ("x-hub-signature-256", with(signer().prefix("sha256=")), "in the header `x-hub-signature-256`", "GitHub's"),
        ("stripe-signature", "t=1,v1=00".into(), "is not there, but `stripe-signature`", "another sender's"),
        ("x-other", "1".into(), "no header is like a signature", "none"),
    ] {
        let said = first(&layer, Call("/hook", vec![(header, signature)], BODY.into())).await;
        assert!(said.contains(expected), "{why}: {said}");
    }
}

#[tokio::test]
async fn a_secret_that_is_decoded_or_not() {
    let (shown, key) = ("whsec_MDEyMzQ1Njc4OWFiY2RlZg==", "0123456789abcdef");
    let bare = "MDEyMzQ1Njc4OWFiY2RlZg==";
    let body = BODY.as_bytes();
    for (format, given, used, expected) in [
        (SecretFormat::Text, shown, shown, "It passes"),
        (SecretFormat::Text, shown, key, "decodes the secret as base64 after `whsec_`"),
        (SecretFormat::Text, shown, bare, "stands behind `whsec_`"),
        (SecretFormat::Base64 { prefix: "whsec_" }, shown, shown, "takes the secret's text as the key"),
        (SecretFormat::Bytes, bare, key, "decodes the secret as base64, and this layer takes its text"),
        (SecretFormat::Bytes, "30313233343536373839616263646566", key, "decodes the secret as hexadecimal"),
        (
            SecretFormat::Hex,
            "30313233343536373839616263646566",
            "30313233343536373839616263646566",
            "takes the secret's text",
        ),
        (SecretFormat::Bytes, key, bare, "the secret's base64"),
    ] {
        let layer = built(webhook::layer().secret_format(format).secrets([given]));
        let signature = SigningWebhook::new(Secret::verbatim(used)).signature(&[body]);
        let said = first(&layer, Call("/hook", vec![("webhook-signature", signature)], BODY.into())).await;
        assert!(said.contains(expected), "{format:?} {given} {used}: {said}");
        assert!(!said.contains(key), "{said}");
    }
}

#[tokio::test]
async fn what_is_signed_and_when() {
    let time = HeaderName::from_static("x-time");
    let timed = || webhook::layer::<Value>().timestamp_header(time.clone()).secrets([SECRET]);
    let now = NOW.to_string();
    let sign = |parts: &[&str]| signer().signature(&parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>());
    let layer = built(timed().signed("{timestamp}.{body}"));
    for (parts, at, expected, why) in [
        (&[&*now, ".", BODY][..], &*now, "It passes", "as the page says"),
        (&[BODY], &now, "signs `{body}`, and this layer expects `{timestamp}.{body}`", "without the time"),
        (&[&now, BODY], &now, "signs `{timestamp}{body}`", "without the point"),
        (&["v0:", &now, ":", BODY], &now, "signs `v0:{timestamp}:{body}`", "as another sender does"),
        (&["1700000000000.", BODY], "1700000000000", "milliseconds", "Date.now()"),
        (&["1699999640.", BODY], "1699999640", "made 360 s ago", "a slow clock"),
        (&["2023-11-14T22:13:20Z.", BODY], "2023-11-14T22:13:20Z", "the time in RFC 3339", "as text"),
    ] {
        let headers = vec![("webhook-signature", sign(parts)), ("x-time", at.to_owned())];
        let said = first(&layer, Call("/hook", headers, BODY.into())).await;
        assert!(said.contains(expected), "{why}: {said}");
    }
    let body_alone = built(webhook::layer().secrets([SECRET]));
    let headers = vec![("webhook-signature", sign(&[&now, ".", BODY])), ("x-sent-timestamp", now.clone())];
    let said = first(&body_alone, Call("/hook", headers, BODY.into())).await;
    assert!(said.contains("signs `{timestamp}.{body}`"), "{said}");
    let glued = built(timed().timestamp_format(TimeFormat::Seconds).signed("{timestamp}{body}"));
    let headers = vec![("webhook-signature", sign(&["1700000000000", BODY])), ("x-time", "1700000000000".to_owned())];
    let said = first(&glued, Call("/hook", headers, BODY.into())).await;
    assert!(said.contains("the time in milliseconds"), "{said}");
}

#[tokio::test]
async fn an_address_that_is_signed() {
    let layer = || webhook::layer::<Value>().origin(Origin::new("https://rp.example")).secrets([SECRET]);
    let layer = built(layer().danger_signed("{url}{body}"));
    for (url, expected) in [
        ("https://rp.example/hook?a=1&b=2", "It passes"),
        ("http://rp.example/hook?a=1&b=2", "signed for http,"),
        ("https://rp.example:443/hook?a=1&b=2", "with the port 443"),
        ("https://rp.example:8443/hook?a=1&b=2", "with the port 8443"),
        ("https://www.rp.example/hook?a=1&b=2", "`www.`"),
        ("https://rp.example/hook/?a=1&b=2", "a slash at the path's end"),
        ("https://rp.example/hook?b=2&a=1", "something sorts them on the way"),
    ] {
        let signature = signer().signature(&[url.as_bytes(), BODY.as_bytes()]);
        let said = first(&layer, Call("/hook?a=1&b=2", vec![("webhook-signature", signature)], BODY.into())).await;
        assert!(said.contains(expected), "{url}: {said}");
    }
}

/// Presets are declarations of the same form, so they take part.
#[tokio::test]
async fn presets() {
    let body = r#"{"id":"evt_1","type":"paid"}"#;
    let now = NOW.to_string();
    let with = |secret: &str, parts: &[&str]| {
        let parts = parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>();
        SigningWebhook::new(Secret::verbatim(secret)).signature(&parts)
    };
    let github = built(github().secrets([SECRET]));
    let said = first(
        &github,
        Call(
            "/",
            vec![("x-hub-signature-256", format!("sha256={}", with(&format!("{SECRET}\n"), &[body])))],
            body.into(),
        ),
    );
    assert!(said.await.contains("ends with a line feed"));
    let decoded = BASE64_STANDARD.decode("MDEyMzQ1Njc4OWFiY2RlZg==").unwrap();
    let decoded = SigningWebhook::new(Secret::verbatim(decoded)).signature(&[format!("{now}.{body}").as_bytes()]);
    let stripe = built(stripe().secrets(["whsec_MDEyMzQ1Njc4OWFiY2RlZg=="]));
    let said = first(&stripe, Call("/", vec![("stripe-signature", format!("t={now},v1={decoded}"))], body.into()));
    assert!(said.await.contains("after `whsec_`"));
    let slack = built(slack().secrets([SECRET]).content_type("application/json"));
    let signature = format!("v0={}", with(SECRET, &[&now, ".", body]));
    let headers = vec![("x-slack-signature", signature), ("x-slack-request-timestamp", now.clone())];
    let said = first(&slack, Call("/", headers, body.into())).await;
    assert!(said.contains("signs `{timestamp}.{body}`"), "{said}");
    let svix = built(standard_webhooks().secrets(["whsec_MDEyMzQ1Njc4OWFiY2RlZg=="]));
    let signer = SigningWebhook::new(Secret::new("0123456789abcdef")).encoding(Encoding::Base64).prefix("v1,");
    let signature = signer.signature(&[format!("msg_1.{now}.{body}").as_bytes()]);
    let headers = vec![("svix-signature", signature), ("svix-id", "msg_1".into()), ("svix-timestamp", now.clone())];
    let said = first(&svix, Call("/", headers, body.into())).await;
    assert!(said.contains("headers begin with `svix-`"), "{said}");
}

/// Its secrets are visible ASCII. What the partner made of one need not be.
#[tokio::test]
async fn a_secret_of_text_that_was_copied_wrongly() {
    let secret = "whsec_0123456789abcdef0123456789abcdef";
    let body = "{\"id\": \"evt_1\"}";
    let layer = built(stripe().secrets([secret]));
    for (copied, expected) in [
        (format!("{secret}\n"), "ends with a line feed"),
        (format!("{secret}\r\n"), "a carriage return and a line feed"),
        (format!(" {secret}"), "begins with a space"),
        (format!("\u{feff}{secret}"), "a byte order mark"),
    ] {
        let signer = SigningWebhook::new(Secret::verbatim(copied));
        let mac = signer.signature(&[format!("{NOW}.{body}").as_bytes()]);
        let header = vec![("stripe-signature", format!("t={NOW},v1={mac}"))];
        let cause = first(&layer, Call("/hook", header, body.into())).await;
        assert!(cause.contains(expected), "{expected}: {cause}");
    }
}
