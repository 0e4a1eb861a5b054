//! Senders of webhooks.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::{OTHER, Row, SECRET, Sent, WHSEC_KEY, base64, hex, sha1, sha256};

const JSON: (&str, &str) = ("content-type", "application/json");
const BODY: &str = r#"{"id":"evt_7","url":"https://shop.example/7","Note":"Zoë & Söhne"}"#;

fn call(target: &str, headers: impl IntoIterator<Item = (&'static str, String)>, body: impl Into<String>) -> Sent {
    let headers = [(JSON.0, JSON.1.to_owned())].into_iter().chain(headers).collect();
    Sent { method: "POST", target: target.to_owned(), headers, body: body.into() }
}

fn github(signature: impl Into<String>, body: &str) -> Sent {
    call("/in/github", [("x-hub-signature-256", format!("sha256={}", signature.into()))], body)
}

fn stripe(now: u64, signature: impl Into<String>) -> Sent {
    call("/in/stripe", [("stripe-signature", format!("t={now},v1={}", signature.into()))], BODY)
}

fn shopify(signature: impl Into<String>, body: &str) -> Sent {
    call("/in/shopify", [("x-shopify-hmac-sha256", signature.into())], body)
}

fn standard(time: impl ToString, signature: String) -> Sent {
    let headers = [
        ("webhook-id", "msg_7".to_owned()),
        ("webhook-timestamp", time.to_string()),
        ("webhook-signature", format!("v1,{signature}")),
    ];
    call("/in/standard", headers, BODY)
}

/// A link that lost the end of its signature.
fn cut(mut sent: Sent, characters: usize) -> Sent {
    for (_, value) in &mut sent.headers {
        if value.contains("sha256=") || value.contains("v1=") {
            value.truncate(value.len() - characters);
        }
    }
    sent
}

pub(super) fn rows(now: u64) -> Vec<Row> {
    let row = |preset: &'static str, why, request, expected| Row { why, preset, request, expected };
    let hub = |why, request, expected| row("webhooks::github", why, request, expected);
    let php = r#"{"id":"evt_7","url":"https:\/\/shop.example\/7","Note":"Zo\u00eb & S\u00f6hne"}"#;
    let pretty = "{\n  \"id\": \"evt_7\",\n  \"url\": \"https://shop.example/7\",\n  \"Note\": \"Zoë & Söhne\"\n}";
    let sorted = r#"{"Note": "Zo\u00eb & S\u00f6hne", "id": "evt_7", "url": "https://shop.example/7"}"#;
    let hyphens = sha256(SECRET, BODY).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join("-");
    let bom = format!("\u{feff}{BODY}");
    let decomposed: String = BODY.nfd().collect();
    let in_file = format!("{SECRET}\n");
    let key = (0..SECRET.len()).step_by(2).map(|at| u8::from_str_radix(&SECRET[at..at + 2], 16).unwrap());
    let key: Vec<u8> = key.collect();
    let stripe_text = format!("{now}.{BODY}");
    let standard_text = format!("msg_7.{now}.{BODY}");
    let millis = now * 1_000;
    vec![
        hub(
            "PHP: json_encode with its defaults signed, JSON without escapes sent",
            github(hex(sha256(SECRET, php)), BODY),
            "slashes escaped, as PHP's `json_encode`",
        ),
        hub(
            "Node: the pretty-printed body signed",
            github(hex(sha256(SECRET, pretty)), BODY),
            "indented by two spaces",
        ),
        hub("Python: json.dumps(sort_keys=True) signed", github(hex(sha256(SECRET, sorted)), BODY), "sorted by names"),
        hub("C#: BitConverter.ToString", github(hyphens, BODY), "`BitConverter.ToString`"),
        hub("hexadecimal in upper case", github(hex(sha256(SECRET, BODY)).to_uppercase(), BODY), "It passes"),
        hub("SHA-1 under the name of SHA-256", github(hex(sha1(SECRET, BODY)), BODY), "signs with HMAC-SHA1"),
        hub(
            "the hexadecimal secret decoded",
            github(hex(sha256(&key, BODY)), BODY),
            "decodes the secret as hexadecimal",
        ),
        hub(
            "a byte order mark sent and not signed",
            github(hex(sha256(SECRET, BODY)), &bom),
            "begins with a byte order mark",
        ),
        hub(
            "Swift: accents apart from their letters sent, and joined signed",
            github(hex(sha256(SECRET, BODY)), &decomposed),
            "another Unicode normal form",
        ),
        hub("a signature that a log cut", cut(github(hex(sha256(SECRET, BODY)), BODY), 9), "its end was cut off"),
        hub(
            "base64 of the digest where hexadecimal is asked for",
            github(base64(sha256(SECRET, BODY)), BODY),
            "writes the signature as base64",
        ),
        row(
            "webhooks::stripe",
            "the secret out of a file with a line feed",
            stripe(now, hex(sha256(&in_file, &stripe_text))),
            "ends with a line feed",
        ),
        row("webhooks::stripe", "the body alone signed", stripe(now, hex(sha256(SECRET, BODY))), "signs `{body}`"),
        row(
            "webhooks::stripe",
            "Date.now() without a division",
            stripe(millis, hex(sha256(SECRET, format!("{millis}.{BODY}")))),
            "milliseconds",
        ),
        row(
            "webhooks::stripe",
            "local time, two hours ahead of UTC",
            stripe(now + 7_200, hex(sha256(SECRET, format!("{}.{BODY}", now + 7_200)))),
            "local time, where UTC is meant",
        ),
        row(
            "webhooks::stripe",
            "the key of the test environment",
            stripe(now, hex(sha256(OTHER, &stripe_text))),
            "another environment's",
        ),
        row(
            "webhooks::stripe",
            "a signature that a log cut",
            cut(stripe(now, hex(sha256(SECRET, &stripe_text))), 20),
            "its end was cut off",
        ),
        row(
            "webhooks::shopify",
            "PHP: base64_encode twice",
            shopify(base64(base64(sha256(SECRET, BODY))), BODY),
            "in base64 once more",
        ),
        row(
            "webhooks::shopify",
            "the digest in quotes",
            shopify(format!("\"{}\"", base64(sha256(SECRET, BODY))), BODY),
            "in quotes",
        ),
        row(
            "webhooks::standard_webhooks",
            "Ruby: the decoded secret unpacked as hexadecimal",
            standard(now, base64(sha256(hex(WHSEC_KEY), &standard_text))),
            "writes the decoded secret as hexadecimal",
        ),
        row(
            "webhooks::standard_webhooks",
            "the timestamp in milliseconds",
            standard(millis, base64(sha256(WHSEC_KEY, format!("msg_7.{millis}.{BODY}")))),
            "milliseconds",
        ),
        row(
            "webhooks::standard_webhooks",
            "signature in hexadecimal",
            standard(now, hex(sha256(WHSEC_KEY, &standard_text))),
            "as hexadecimal",
        ),
    ]
}

/// A token with the body's digest, and a signature inside of JSON.
pub(super) fn in_bodies(now: u64) -> Vec<Row> {
    let token = |key: &str, claims: Value| {
        let parts = [json!({"alg": "HS256", "typ": "JWT"}), claims];
        let text = parts.map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(sha256(key, &text));
        call("/in/netlify", [("x-webhook-signature", format!("{text}.{signature}"))], BODY)
    };
    let digest = |body: &str| Sha256::digest(body);
    let mailgun = |text: String| {
        let signature = json!({"timestamp": now.to_string(), "token": "f00d", "signature": hex(sha256(SECRET, text))});
        call("/in/mailgun", [], json!({"signature": signature, "event-data": {"event": "opened"}}).to_string())
    };
    let of_netlify = |why, request, expected| Row { why, preset: "webhooks::netlify", request, expected };
    let of_mailgun = |why, request, expected| Row { why, preset: "webhooks::danger_mailgun", request, expected };
    let claims = |sha256: String| json!({"iss": "netlify", "sha256": sha256});
    vec![
        of_netlify("as the page says", token(SECRET, claims(hex(digest(BODY)))), "It passes"),
        of_netlify(
            "Go: base64 of the digest",
            token(SECRET, claims(base64(digest(BODY)))),
            "the body's digest in base64",
        ),
        of_netlify(
            "the secret out of a file with a line feed",
            token(&format!("{SECRET}\n"), claims(hex(digest(BODY)))),
            "ends with a line feed",
        ),
        of_netlify(
            "Node: the digest of the pretty-printed body",
            token(SECRET, claims(hex(digest(&BODY.replace(":\"", ": \"").replace("\",\"", "\", \""))))),
            "with a space behind colons and commas",
        ),
        of_mailgun("as the page says", mailgun(format!("{now}f00d")), "It passes"),
        of_mailgun(
            "token and timestamp the other way round",
            mailgun(format!("f00d{now}")),
            "another order: /token, /timestamp",
        ),
        of_mailgun("a point between them", mailgun(format!("{now}.f00d")), "with a point between them"),
    ]
}
