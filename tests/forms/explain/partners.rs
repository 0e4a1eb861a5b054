//! Partners' developers and their first tries. Each signs by hand, as their own code would, and none knows this crate.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};
use tower_sso::VerifyLayer;
use tower_sso::explain;
use tower_sso::form::Form;
use tower_sso::jwt::{self, Algorithm, Jwt};
use tower_sso::keys::MemoryKeys;
use tower_sso::oauth1::{self, OAuth1, Origin};
use tower_sso::scheme::{Encoding, Place, TimeFormat};
use tower_sso::signed_parameters::{self, Join, Order, Recipe, SignedParameters, Text};
use tower_sso::signed_payload::{self, Layout, PayloadEncoding, SignedPayload};

use super::get;
use crate::support::{NOW, clock, replay};

const PRODUCTION: &str = "prod-3vKq9TzLw8";
const STAGING: &str = "stag-77YhNbQe41";

/// What an operator reads first: the cause, or all of it if none was found.
pub(super) async fn first<F: Form, C>(layer: &VerifyLayer<F, C>, uri: &str) -> String {
    let explanation = explain::request(layer, &get(uri), &Bytes::new()).await;
    let text = explanation.to_string();
    for private in [PRODUCTION, STAGING, "ada@", "Ada L"] {
        assert!(!text.contains(private), "{text}");
    }
    explanation.cause().map_or(text, str::to_owned)
}

fn mac(secret: &str, text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// PHP's `urlencode`.
fn urlencode(text: &str) -> String {
    rawurlencode(text).replace("%20", "+")
}

/// PHP's `rawurlencode`.
fn rawurlencode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn parameters(recipe: Recipe) -> VerifyLayer<SignedParameters<Value>> {
    let layer =
        signed_parameters::layer::<Value>(recipe).signature_parameter("sig").issued_at("ts", TimeFormat::Seconds);
    layer.tenant_field("org").keys(keys()).replay(replay()).clock(clock()).build().unwrap()
}

fn keys() -> MemoryKeys {
    MemoryKeys::new().with("acme", PRODUCTION).with("acme-staging", STAGING)
}

/// Signs all parameters, sorted, and sends them.
fn sorted(encode: fn(&str) -> String, secret: &str, pairs: &[(&str, &str)]) -> (String, String) {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    let text = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&");
    let signature = hex(&mac(secret, &text));
    (text, signature)
}

const USER: [(&str, &str); 4] =
    [("email", "ada@x.example"), ("name", "Ada Lovelace"), ("org", "acme"), ("ts", "1700000000")];

#[tokio::test]
async fn a_developer_in_php() {
    let layer = parameters(Recipe::all(Join::pairs('&')).text(Text::Encoded));
    let sent = |(query, signature): (String, String)| format!("/in?{query}&sig={signature}");
    let right = sorted(rawurlencode, PRODUCTION, &USER);
    let at = |time: u64| {
        let time = time.to_string();
        let [email, name, org, _] = USER;
        sorted(rawurlencode, PRODUCTION, &[email, name, org, ("ts", &time)])
    };
    let other_org = |org: &'static str| {
        let [email, name, _, time] = USER;
        sent(sorted(rawurlencode, PRODUCTION, &[email, name, ("org", org), time]))
    };
    for (uri, expected, why) in [
        (sent(right.clone()), "It passes", "as the page says"),
        (sent((right.0.clone(), right.1.to_uppercase())), "It passes", "hexadecimal in capitals is hexadecimal"),
        (sent(sorted(urlencode, PRODUCTION, &USER)), "PHP's `urlencode`", "urlencode in place of rawurlencode"),
        (
            sent(sorted(str::to_owned, PRODUCTION, &USER)).replace("Ada L", "Ada%20L"),
            "names and values decoded",
            "signed before they were encoded",
        ),
        (sent(sorted(rawurlencode, &format!("{PRODUCTION}\n"), &USER)), "ends with a line feed", "file_get_contents"),
        (sent(sorted(rawurlencode, STAGING, &USER)), "the key of tenant \"acme-staging\"", "staging's secret"),
        (
            sent((right.0.clone(), BASE64_STANDARD.encode(mac(PRODUCTION, &right.0)).replace('+', "%2B"))),
            "as base64",
            "hash_hmac(…, true)",
        ),
        (
            sent((right.0.replace("ada%40", "ada%2540"), right.1.clone())),
            "`email` in the query is encoded once more",
            "twice",
        ),
        (
            sent((
                right.0.replace("org=acme", "org=Ada%20Lovelace").replace("name=Ada%20Lovelace", "name=acme"),
                right.1.clone(),
            )),
            "in each other's place",
            "two arguments in the wrong order",
        ),
        (
            sent((right.0.replace("org=", "organisation="), right.1.clone())),
            "`org` is sent under the name `organisation`",
            "another name",
        ),
        (other_org("acme-staging"), "the key of tenant \"acme\"", "the wrong organisation"),
        (other_org("ACME"), "one of the name \"acme\"", "in capitals"),
        (other_org("acmee"), "the key of tenant \"acme\"", "mistyped"),
        (sent(at(NOW * 1_000)), "milliseconds", "microtime(true) * 1000"),
        (sent(at(NOW - 360)), "made 360 s ago", "a clock that is six minutes slow"),
        (sent(at(NOW + 360)), "clock is 360 s ahead", "a clock that is six minutes fast"),
    ] {
        let said = first(&layer, &uri).await;
        assert!(said.contains(expected), "{why}: {said}\n{uri}");
    }
}

/// A content delivery network sorts the query, so that its cache is hit more often.
#[tokio::test]
async fn behind_a_cdn() {
    let layer = parameters(Recipe::all(Join::pairs('&')).text(Text::Raw).order(Order::Sent));
    let sent = "ts=1700000000&org=acme&email=ada%40x.example&name=Ada";
    let signature = hex(&mac(PRODUCTION, sent));
    let said = first(&layer, &format!("/in?{sent}&sig={signature}")).await;
    assert!(said.contains("It passes"), "{said}");
    let said =
        first(&layer, &format!("/in?email=ada%40x.example&name=Ada&org=acme&sig={signature}&ts=1700000000")).await;
    assert!(said.contains("something sorts them on the way"), "{said}");
}

fn payload() -> VerifyLayer<SignedPayload<Value>> {
    let layer = signed_payload::layer::<Value>(Layout::apart(Place::query("sso"), Place::query("sig")));
    let layer = layer.payload_encoding(PayloadEncoding::Base64).encoding(Encoding::Hex);
    layer.issued_at("iat", TimeFormat::Seconds).secrets([PRODUCTION]).replay(replay()).clock(clock()).build().unwrap()
}

/// A payload in base64, whose `+` and `/` have to be escaped in a query.
#[tokio::test]
async fn a_developer_who_glues_urls_together() {
    let layer = payload();
    let json = json!({"note": "~~>>??", "iat": NOW}).to_string();
    let base64 = BASE64_STANDARD.encode(&json);
    let base64url = BASE64_URL_SAFE_NO_PAD.encode(&json);
    assert!(base64.contains('+') || base64.contains('/'), "{base64}");
    let sent = |payload: &str, signed: &str| format!("/in?sso={payload}&sig={}", hex(&mac(PRODUCTION, signed)));
    let json = json!({"note": "~~~>>>", "iat": NOW}).to_string();
    let plus = BASE64_STANDARD.encode(json);
    assert!(plus.contains('+'), "{plus}");
    for (uri, expected, why) in [
        (sent(&rawurlencode(&base64), &base64), "It passes", "as the page says"),
        (sent(&plus, &plus), "a plus is written `%2B`", "a raw plus is a space"),
        (sent(&base64url, &base64url), "as base64url", "the other alphabet"),
        (sent(&rawurlencode(&base64), "{}"), "Nothing that was tried", "something else"),
    ] {
        let said = first(&layer, &uri).await;
        assert!(said.contains(expected), "{why}: {said}\n{uri}");
    }
}

fn tokens() -> VerifyLayer<Jwt<Value>> {
    let layer = jwt::layer::<Value>(Algorithm::HS256).audience("https://rp.example").issuer("acme-idp");
    layer.tenant_header("kid").keys(keys()).replay(replay()).clock(clock()).build().unwrap()
}

/// A token without a library.
fn token(algorithm: &str, kid: &str, secret: &str, claims: &Value) -> String {
    let header = json!({"alg": algorithm, "typ": "JWT", "kid": kid}).to_string();
    let signed = [header, claims.to_string()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
    let signature = match algorithm {
        "HS512" => {
            let mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap();
            mac.chain_update(&signed).finalize().into_bytes().to_vec()
        }
        _ => mac(secret, &signed),
    };
    format!("/in?sso_jwt={signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_developer_with_a_library_for_tokens() {
    let claims = |audience: &str, issuer: &str, end: u64| json!({"sub": "Ada L", "aud": audience, "iss": issuer, "iat": NOW.min(end - 60), "exp": end});
    let good = || claims("https://rp.example", "acme-idp", NOW + 60);
    for (uri, expected, why) in [
        (token("HS256", "acme", PRODUCTION, &good()), "It passes", "as the page says"),
        (
            token("HS512", "acme", PRODUCTION, &good()),
            "signs with HS512, and this layer expects HS256",
            "a longer digest",
        ),
        (token("HS256", "acme", STAGING, &good()), "the key of tenant \"acme-staging\"", "staging's secret"),
        (
            token("HS256", "acme-2024", PRODUCTION, &good()),
            "the key of tenant \"acme\"",
            "the id of a key that is gone",
        ),
        (token("HS256", "acme-staging", PRODUCTION, &good()), "the key of tenant \"acme\"", "the id of another key"),
        (
            token("HS256", "acme", PRODUCTION, &claims("https://rp.example/", "acme-idp", NOW + 60)),
            "`aud` differs from this layer's audience in a slash at its end",
            "a slash",
        ),
        (
            token("HS256", "acme", PRODUCTION, &claims("http://rp.example", "acme-idp", NOW + 60)),
            "audience in its scheme",
            "http",
        ),
        (
            token("HS256", "acme", PRODUCTION, &claims("https://rp.example", "Acme-IdP", NOW + 60)),
            "`iss`",
            "another case",
        ),
        (
            token("HS256", "acme", PRODUCTION, &claims("somebody-else", "acme-idp", NOW + 60)),
            "another audience",
            "another app's token",
        ),
        (
            token("HS256", "acme", PRODUCTION, &claims("https://rp.example", "acme-idp", NOW - 360)),
            "made 420 s ago",
            "a slow clock",
        ),
        (
            token("HS256", "acme", PRODUCTION, &claims("https://rp.example", "acme-idp", NOW * 1_000)),
            "milliseconds",
            "Date.now()",
        ),
    ] {
        let said = first(&tokens(), &uri).await;
        assert!(said.contains(expected), "{why}: {said}");
    }
}

/// A proxy ends TLS, and the partner's code rebuilds the URL from what it sees.
#[tokio::test]
async fn a_developer_behind_a_proxy() {
    let signed_for = |base: &str| {
        let pairs =
            "oauth_consumer_key=acme&oauth_nonce=n1&oauth_signature_method=HMAC-SHA256&oauth_timestamp=1700000000";
        let text = format!("GET&{}&{}", rawurlencode(base), rawurlencode(pairs));
        let signature = BASE64_STANDARD.encode(mac(&format!("{PRODUCTION}&"), &text));
        format!("/launch?{pairs}&oauth_signature={}", rawurlencode(&signature))
    };
    let layer: VerifyLayer<OAuth1<Value>> = oauth1::layer::<Value>(Origin::new("https://rp.example"))
        .signature_methods([oauth1::SignatureMethod::HmacSha256])
        .keys(keys())
        .replay(replay())
        .clock(clock())
        .build()
        .unwrap();
    for (base, expected) in [
        ("https://rp.example/launch", "It passes"),
        ("http://rp.example/launch", "signed for http,"),
        ("http://rp.example:8080/launch", "signed for http with the port 8080"),
        ("https://rp.example:443/launch", "with the port 443"),
        ("https://www.rp.example/launch", "`www.`"),
        ("https://rp.example//launch", "a second slash"),
        ("https://rp.example/launch/", "a slash at the path's end"),
        ("https://rp.example/Launch", "Nothing that was tried"),
    ] {
        let said = first(&layer, &signed_for(base)).await;
        assert!(said.contains(expected), "{base}: {said}");
    }
}
