//! Broken partners of some presets, as integrators in five languages make them: what they send, and what an operator
//! has to read first.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;

/// The secret of all presets but Standard Webhooks'. It is hexadecimal, as many platforms show theirs.
pub const SECRET: &str = "9f86d081884c7d659a2feaa0c55ad015";
pub const WHSEC: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM=";
const WHSEC_KEY: &[u8] = b"0123456789abcdef0123";
/// Another tenant's.
pub const OTHER: &str = "3c363836cf4e16666669a25da280a186";

/// The public address of the app.
pub const ORIGIN: &str = "https://portal.example";

/// The presets, where each takes its requests, and its secrets by tenant. `None`: it has one for all.
pub const PRESETS: [(&str, &str, &[(Option<&str>, &str)]); 6] = [
    ("webhooks::github", "/in/github", &[(None, SECRET)]),
    ("webhooks::stripe", "/in/stripe", &[(None, SECRET)]),
    ("webhooks::shopify", "/in/shopify", &[(None, SECRET)]),
    ("webhooks::standard_webhooks", "/in/standard", &[(None, WHSEC)]),
    ("launches::lti11", "/in/lti", &[(Some("acme"), SECRET), (Some("other"), OTHER)]),
    ("launches::shopify", "/in/shop", &[(None, SECRET)]),
];

/// What a partner sends, why it is wrong, and what is said first.
pub struct Row {
    pub why: &'static str,
    pub preset: &'static str,
    pub request: Sent,
    pub expected: &'static str,
}

pub struct Sent {
    pub method: &'static str,
    pub target: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Sent {
    /// A line for curl.
    pub fn curl(&self) -> String {
        let mut words = vec!["curl".to_owned(), "-X".to_owned(), self.method.to_owned()];
        for (name, value) in &self.headers {
            words.extend(["-H".to_owned(), format!("{name}: {value}")]);
        }
        if !self.body.is_empty() {
            words.extend(["--data-raw".to_owned(), self.body.clone()]);
        }
        words.push(format!("{ORIGIN}{}", self.target));
        let quoted = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''")));
        quoted.collect::<Vec<_>>().join(" ")
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const BODY: &str = r#"{"id":"evt_7","url":"https://shop.example/7","Note":"Zoë & Söhne"}"#;

fn sha256(key: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn sha1(key: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    let mac = Hmac::<Sha1>::new_from_slice(key.as_ref()).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// As RFC 3986 says.
fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// `%2f` for `%2F`.
fn lower(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| format!("{text}%{}{}", piece[..2].to_lowercase(), &piece[2..]))
}

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

/// A launch whose base string is made of the method, the address and the pairs by the partner's own code.
struct Launch {
    address: &'static str,
    key: String,
    pairs: Vec<(&'static str, String)>,
}

impl Launch {
    fn new(now: u64, more: &[(&'static str, &str)]) -> Self {
        let pairs = [
            ("lti_message_type", "basic-lti-launch-request"),
            ("lti_version", "LTI-1p0"),
            ("oauth_consumer_key", "acme"),
            ("oauth_nonce", "n-7f3a"),
            ("oauth_signature_method", "HMAC-SHA1"),
        ];
        let mut pairs: Vec<_> = pairs.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect();
        pairs.push(("oauth_timestamp", now.to_string()));
        pairs.sort();
        Self { address: "https://portal.example/in/lti", key: format!("{SECRET}&"), pairs }
    }

    /// Signed by this base string, or by the RFC's; sent with the pairs as they are.
    fn sent(self, escape: fn(&str) -> String) -> Sent {
        let signed: Vec<_> =
            self.pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        let text = format!("POST&{}&{}", escape(self.address), escape(&signed.join("&")));
        let signature = base64(sha1(&self.key, text));
        self.with(&signature)
    }

    fn with(&self, signature: &str) -> Sent {
        let mut pairs: Vec<_> = self.pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        pairs.push(format!("oauth_signature={}", encoded(signature)));
        Sent {
            method: "POST",
            target: "/in/lti".to_owned(),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: pairs.join("&"),
        }
    }
}

/// An admin who opens a Shopify app, with what is signed and what is sent.
fn shop(signed: &str, query: &str) -> Sent {
    let target = format!("/in/shop?hmac={}&{query}", hex(sha256(SECRET, signed)));
    Sent { method: "GET", target, headers: Vec::new(), body: String::new() }
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

/// All rows, at this time.
pub fn rows(now: u64) -> Vec<Row> {
    senders(now).into_iter().chain(platforms(now)).collect()
}

fn senders(now: u64) -> Vec<Row> {
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

fn platforms(now: u64) -> Vec<Row> {
    let lti = |why, request, expected| Row { why, preset: "launches::lti11", request, expected };
    let shopify = |why, request, expected| Row { why, preset: "launches::shopify", request, expected };
    let name = [("lis_person_name_full", "Zoë O'Neil & Söhne!")];
    let launch = |more: &[(&'static str, &str)]| Launch::new(now, more);
    let at = |address| Launch { address, ..launch(&name) };
    let with_key = |key: &str| Launch { key: format!("{key}&"), ..launch(&name) };
    let mut caseless = launch(&[("custom_Zone", "1"), ("custom_area", "2")]);
    caseless.pairs.sort_by_key(|(name, _)| name.to_lowercase());
    let composed = launch(&name).sent(encoded);
    let decomposed = composed
        .body
        .replace(&encoded("Zoë O'Neil & Söhne!"), &encoded(&"Zoë O'Neil & Söhne!".nfd().collect::<String>()));
    let marks: fn(&str) -> String = |text| {
        let marks = [("%21", "!"), ("%27", "'"), ("%28", "("), ("%29", ")"), ("%2A", "*")];
        marks.iter().fold(encoded(text), |text, (escape, mark)| text.replace(escape, mark))
    };
    let signed = format!("locale=de&shop=acme.myshopify.com&timestamp={now}");
    let spaced = format!("locale=de&q=a%20b%2Bc&shop=acme.myshopify.com&timestamp={now}");
    let unsorted = format!("timestamp={now}&shop=acme.myshopify.com&locale=de");
    let caps = format!("host=YWRt&Locale=de&shop=acme.myshopify.com&timestamp={now}");
    let millis = format!("shop=acme.myshopify.com&timestamp={}", now * 1_000);
    let mut short = shop(&signed, &signed);
    short.target = format!("/in/shop?{signed}&hmac={}", &hex(sha256(SECRET, &signed))[..41]);
    vec![
        lti("as the RFC says", launch(&name).sent(encoded), "It passes"),
        lti(
            "C#: HttpUtility.UrlEncode escapes in lower case",
            launch(&name).sent(|text| lower(&encoded(text))),
            "in lower case in the base string",
        ),
        lti(
            "PHP: urlencode",
            launch(&name).sent(|text| encoded(&text.replace('%', "\0")).replace("%20", "+").replace("%00", "%25")),
            "writes a space as a plus",
        ),
        lti("Node: encodeURIComponent", launch(&name).sent(marks), "`encodeURIComponent`"),
        lti("Python: sorted(key=str.lower)", caseless.sent(encoded), "without regard to case"),
        lti(
            "a slash at the end of the configured address",
            at("https://portal.example/in/lti/").sent(encoded),
            "a slash at the path's end",
        ),
        lti("the host with www.", at("https://www.portal.example/in/lti").sent(encoded), "`www.`"),
        lti("http behind a proxy that ends TLS", at("http://portal.example/in/lti").sent(encoded), "signed for http,"),
        lti("the key of another customer", with_key(OTHER).sent(encoded), "the key of tenant \"other\""),
        lti(
            "the secret in quotes, out of a .env file",
            with_key(&encoded(&format!("\"{SECRET}\""))).sent(encoded),
            "in double quotes",
        ),
        lti("a name with accents apart", Sent { body: decomposed, ..composed }, "another Unicode normal form"),
        shopify("as the page says", shop(&signed, &signed), "It passes"),
        shopify(
            "signed before it was URL-encoded",
            shop(&spaced.replace("%20", " ").replace("%2B", "+"), &spaced),
            "signs names and values decoded",
        ),
        shopify("a plus signed for a space", shop(&spaced.replace("%20", "+"), &spaced), "a space as a plus"),
        shopify("not sorted", shop(&unsorted, &unsorted), "as they were sent"),
        shopify(
            "sorted without regard to case",
            shop(&caps, &format!("shop=acme.myshopify.com&timestamp={now}&host=YWRt&Locale=de")),
            "without regard to case",
        ),
        shopify("a link that a mail program cut", short, "its end was cut off"),
        shopify("Date.now()", shop(&millis, &millis), "milliseconds"),
        shopify(
            "SHA-1",
            Sent { target: format!("/in/shop?{signed}&hmac={}", hex(sha1(SECRET, &signed))), ..shop("", "") },
            "signs with HMAC-SHA1",
        ),
    ]
}
