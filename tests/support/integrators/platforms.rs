//! Platforms that sign users in.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use unicode_normalization::UnicodeNormalization;

use super::{OTHER, Row, SECRET, Sent, base64, encoded, hex, sha1, sha256};

/// `%2f` for `%2F`.
fn lower(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| format!("{text}%{}{}", piece[..2].to_lowercase(), &piece[2..]))
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

/// The way back from a forum: its payload in base64, as Discourse writes it, and signed by code of the partner's own.
pub(super) fn forums() -> Vec<Row> {
    let payload =
        base64("nonce=cb68251eefb5211e&external_id=7&email=ada%40shop.example&name=Zo%C3%AB+S%C3%B6hne&admin=true");
    let lines = |length: usize| -> String {
        payload.as_bytes().chunks(length).map(|line| format!("{}\n", std::str::from_utf8(line).unwrap())).collect()
    };
    let decoded = BASE64_STANDARD.decode(&payload).unwrap();
    let row = |why, signature: String, expected| {
        let target = format!("/in/forum?sso={}&sig={signature}", encoded(&payload));
        let request = Sent { method: "GET", target, headers: Vec::new(), body: String::new() };
        Row { why, preset: "launches::discourse", request, expected }
    };
    let signed = |text: &str| hex(sha256(SECRET, text));
    vec![
        row("as Discourse does", signed(&payload), "It passes"),
        row("Node: encodeURIComponent before the HMAC", signed(&encoded(&payload)), "after it was percent-encoded"),
        row("Ruby: encode64 signed, and sent without line feeds", signed(&lines(60)), "in lines of 60 characters"),
        row("Python: encodebytes signed, and sent without line feeds", signed(&lines(76)), "in lines of 76 characters"),
        row("PHP: the payload signed before base64_encode", hex(sha256(SECRET, decoded)), "signs the decoded payload"),
        row("PHP: hash_hmac with its arguments swapped", hex(sha256(&payload, SECRET)), "arguments are swapped"),
        row("C#: Convert.ToBase64String", encoded(&base64(sha256(SECRET, &payload))), "as base64"),
    ]
}

pub(super) fn rows(now: u64) -> Vec<Row> {
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
        lti(
            "PHP: the fields signed, and not the address's query",
            Sent { target: "/in/lti?course=7".to_owned(), ..launch(&name).sent(encoded) },
            "does not sign the parameters of the address's query",
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
