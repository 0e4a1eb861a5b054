//! What is special about the OAuth 1.0a form.

mod bodies;
mod once;
mod origin;
mod quirks;
mod transports;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::Value;
use tower_sso::Builder;
use tower_sso::clock::UnixTime;
use tower_sso::keys::MemoryKeys;
use tower_sso::oauth1::{self, OAuth1, Origin, SignatureMethod, Transport};
use tower_sso::providers::site_builder;
use tower_sso::sign::OAuthLink;

use crate::support::subject::{get, refused};
use crate::support::{App, NOW, Request_, clock, outcome, reason, replay, secs, seen};

const SECRET: &str = "partner secret&/";
const BASE: &str = "https://app.example/widget/";
const JOHN: [(&str, &str); 2] = [("email", "john@example.com"), ("partner_user_id", "1")];

fn keys() -> MemoryKeys {
    let keys = MemoryKeys::new().with("partner-key", SECRET).with("other-key", "other secret");
    keys.with("x".repeat(255), SECRET)
}

fn layer_at(origin: Origin) -> Builder<OAuth1<Value>> {
    oauth1::layer(origin).keys(keys()).replay(replay()).clock(clock())
}

/// As Site Builder does it.
fn layer() -> Builder<OAuth1<Value>> {
    layer_at(Origin::new("https://app.example")).require(["email", "partner_user_id"])
}

fn app() -> App {
    App::new(layer().build().unwrap())
}

fn every_transport() -> App {
    let layer = layer().transports([Transport::Query, Transport::Header, Transport::Form]);
    App::new(layer.methods([Method::GET, Method::POST]).build().unwrap())
}

fn signer() -> OAuthLink {
    signer_for(BASE)
}

fn signer_for(address: &str) -> OAuthLink {
    OAuthLink::new(address, "partner-key", &SECRET.into()).issued_at(UnixTime::from_secs(NOW)).nonce("12345678")
}

fn link() -> String {
    signer().uri(&JOHN).unwrap()
}

fn post(uri: &str, content_type: &str, body: &str) -> Request_ {
    let request = Request::post(uri).header("content-type", content_type);
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";

async fn said(app: &App, request: Request_) -> (&'static str, &'static str) {
    let answer = app.send(request).await;
    (outcome(&answer), reason(&answer))
}

/// A link whose query is `query`, signed by hand: what is signed is what it says once it is decoded.
fn by_hand(query: &str, decoded: &[(&str, &str)]) -> String {
    let signed = signer().uri(decoded).unwrap();
    let (_, protocol) = signed.split_once("oauth_consumer_key=").unwrap();
    format!("{BASE}?{query}&oauth_consumer_key={protocol}")
}

/// The vendor's sample: the Python package `oauth` 1.0.1, with this nonce and time.
#[tokio::test]
async fn the_samples_own_link() {
    let link = "https://app.example/widget/?oauth_consumer_key=partner-key&oauth_timestamp=1700000000&oauth_nonce=12345678\
                &oauth_version=1.0&partner_user_id=1234567890&email=john%2Btest%40example.com&first_name=Mary%20Ann\
                &last_name=a~b%2Ac%21d%28e%29%E6%9D%8E&partner_site_ids=12345%2C23145&oauth_signature_method=HMAC-SHA1\
                &oauth_signature=SExCJfB4zDojvCkeJsOrvtWr9xQ%3D";
    let layer = site_builder::sso(Origin::new("https://app.example"), keys()).replay(replay()).clock(clock());
    let answer = App::new(
        layer
            .map_claims(|user| {
                assert_eq!(user.email, "john+test@example.com");
                assert_eq!(
                    (user.first_name.as_deref(), user.last_name.as_deref()),
                    (Some("Mary Ann"), Some("a~b*c!d(e)李"))
                );
                assert_eq!(user.site_ids().collect::<Vec<_>>(), ["12345", "23145"]);
                Ok(user)
            })
            .build()
            .unwrap(),
    );
    let answer = answer.send(get(link)).await;
    assert_eq!(outcome(&answer), "ok");
    assert_eq!(seen(&answer).tenant.as_deref(), Some("partner-key"));
    assert!(!seen(&answer).uri.to_string().contains("oauth"), "{}", seen(&answer).uri);
}

#[tokio::test]
async fn what_a_site_builder_link_must_say() {
    let layer = || site_builder::sso(Origin::new("https://app.example"), keys()).replay(replay()).clock(clock());
    let [email, id] = JOHN;
    for (parameters, expected, why) in [
        (&[email, id][..], ("ok", "ok"), "what is required"),
        (&[email, id, ("last_name", ""), ("lang", "en")], ("ok", "ok"), "empty names, and what is not known"),
        (&[email, id, ("lang", "en"), ("lang", "de")], ("rejected_claims", "bad_payload"), "also what is not a claim"),
        (&[email], ("rejected_claims", "missing_field"), "no user"),
        (&[id], ("rejected_claims", "missing_field"), "no email"),
        (&[("email", ""), id], ("rejected_claims", "missing_field"), "an empty email"),
        (&[email, email, id], ("rejected_claims", "bad_payload"), "a claim twice"),
        (&[email, id, ("last_name", "a"), ("last_name", "b")], ("rejected_claims", "bad_payload"), "another one twice"),
    ] {
        let app = App::new(layer().build().unwrap());
        assert_eq!(said(&app, get(&signer().uri(parameters).unwrap())).await, expected, "{why}");
    }
}

#[tokio::test]
async fn nothing_comes_twice_in_the_protocol() {
    let good = link();
    for name in ["consumer_key", "nonce", "timestamp", "signature_method", "signature", "version"] {
        let (_, value) = good.split_once(&format!("oauth_{name}=")).unwrap();
        let value = value.split('&').next().unwrap();
        for spelling in ["oauth_", "%6fauth%5F"] {
            let twice = format!("{good}&{spelling}{name}={value}");
            assert_eq!(said(&app(), get(&twice)).await, ("malformed", "duplicate_parameter"), "{twice}");
        }
    }
    let unknown = signer().uri(&[JOHN[0], JOHN[1], ("oauth_x", "1"), ("oauth_x", "2")]).unwrap();
    assert_eq!(reason(&app().send(get(&unknown)).await), "duplicate_parameter", "RFC 5849, 3.1");
}

#[tokio::test]
async fn every_part_is_required_and_has_one_spelling() {
    let good = link();
    for name in ["consumer_key", "nonce", "timestamp", "signature_method", "signature"] {
        let (before, rest) = good.split_once(&format!("oauth_{name}=")).unwrap();
        let after = rest.split_once('&').map_or("", |(_, after)| after);
        assert_eq!(outcome(&app().send(get(&format!("{before}{after}"))).await), "malformed", "no {name}");
        let expected = if name == "signature_method" { "invalid" } else { "malformed" };
        let empty = format!("{before}oauth_{name}=&{after}");
        assert_eq!(outcome(&app().send(get(&empty)).await), expected, "an empty {name}");
    }
    let with = |name, value| signer().uri(&[JOHN[0], JOHN[1], (name, value)]).unwrap();
    let long = "x".repeat(256);
    for (name, value, expected, why) in [
        ("oauth_version", "1.0", "ok", "the version"),
        ("oauth_version", "2.0", "malformed", "another version"),
        ("oauth_version", "1.0a", "malformed", "another version"),
        ("oauth_version", "1.1", "malformed", "another version"),
        ("oauth_version", "", "malformed", "no version"),
        ("oauth_signature_method", "HMAC-SHA1", "ok", "as is"),
        ("oauth_signature_method", "hmac-sha1", "invalid", "case counts"),
        ("oauth_signature_method", "HMAC-SHA256", "invalid", "not switched on"),
        ("oauth_signature_method", "PLAINTEXT", "invalid", "no signature at all"),
        ("oauth_signature_method", "RSA-SHA1", "invalid", "no shared secret"),
        ("oauth_token", "", "ok", "signed, and empty"),
        ("oauth_token", "x", "malformed", "no token was given out"),
        ("oauth_callback", "about:blank", "ok", "signed, and ignored"),
        ("oauth_body_hash", "x", "malformed", "not a digest"),
        ("oauth_body_hash", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "ok", "there is no body, and this is the hash of nothing"),
        ("oauth_body_hash", "ojqpu26ifunWUH6EEu4dCU1Baj4=", "invalid", "there is no body"),
        ("oauth_anything", "x", "ok", "signed, and ignored"),
        ("oauth_timestamp", "01700000000", "malformed", "a leading zero"),
        ("oauth_timestamp", "+1700000000", "malformed", "a sign"),
        ("oauth_timestamp", "1700000000.0", "malformed", "a fraction"),
        ("oauth_timestamp", "1.7e9", "malformed", "an exponent"),
        ("oauth_timestamp", " 1700000000", "malformed", "a space"),
        ("oauth_timestamp", "99999999999999999999", "malformed", "out of range"),
        ("oauth_timestamp", "-1", "malformed", "a sign"),
        ("oauth_timestamp", "١٧", "malformed", "digits of another script"),
        ("oauth_timestamp", "18446744073709551615", "not_yet_valid", "no overflow"),
        ("oauth_timestamp", "0", "expired", "no underflow"),
        ("oauth_nonce", "", "malformed", "empty"),
        ("oauth_nonce", &long, "malformed", "too long"),
        ("oauth_nonce", &long[1..], "ok", "as long as it may be"),
        ("oauth_nonce", "ä /&=", "ok", "any text"),
        ("oauth_consumer_key", &long, "malformed", "too long"),
        ("oauth_consumer_key", &long[1..], "ok", "as long as it may be"),
        ("oauth_consumer_key", "other-key", "invalid", "another consumer, without its secret"),
        ("oauth_consumer_key", "nobody", "invalid", "not known"),
    ] {
        assert_eq!(outcome(&app().send(get(&with(name, value))).await), expected, "{name}={value}: {why}");
    }
    assert_eq!(said(&app(), get(&with("oauth_signature_method", "PLAINTEXT"))).await.1, "alg_not_allowed");
    let plain = good.split_once("oauth_signature=").unwrap().0.replace("HMAC-SHA1", "PLAINTEXT");
    let plain = format!("{plain}oauth_signature=partner%2520secret%2526%252F%26");
    assert_eq!(said(&app(), get(&plain)).await, ("invalid", "alg_not_allowed"), "the secret itself is no signature");
    let layer = layer().map_claims(|claims| {
        assert!(claims.get("email").is_some() && claims.get("oauth_anything").is_none(), "{claims}");
        Ok(claims)
    });
    let answer = App::new(layer.build().unwrap()).send(get(&with("oauth_anything", "x"))).await;
    assert!(!seen(&answer).uri.to_string().contains("oauth_nonce"));
}

#[tokio::test]
async fn signatures_are_canonical_base64_of_20_bytes() {
    let good = link();
    let (before, signature) = good.split_once("oauth_signature=").unwrap();
    let unpadded = signature.trim_end_matches("%3D");
    for (signature, why) in [
        (unpadded.to_owned(), "no padding"),
        (format!("{unpadded}%3D%3D"), "too much of it"),
        (format!("{signature}%20"), "a space"),
        (format!("{signature}AAAA"), "more than 20 bytes"),
        ("AAAA".into(), "fewer"),
        (unpadded.replacen(|c: char| c.is_ascii_alphanumeric(), "-", 1) + "%3D", "another alphabet"),
        ("aa".repeat(20), "hexadecimal"),
    ] {
        assert_eq!(
            outcome(&app().send(get(&format!("{before}oauth_signature={signature}"))).await),
            "malformed",
            "{why}"
        );
    }
}

#[tokio::test]
async fn every_spelling_of_the_query_is_one_signature() {
    let [email, id] = JOHN;
    let name = |value| [email, id, ("name", value)];
    let q = "email=john@example.com&partner_user_id=1";
    for (query, decoded, why) in [
        (format!("{q}&name=Mary%20Ann"), name("Mary Ann"), "%20"),
        (format!("{q}&name=Mary+Ann"), name("Mary Ann"), "+"),
        (format!("{q}&name=a%2bb"), name("a+b"), "lower-case escapes"),
        (format!("{q}&name=a%2Bb"), name("a+b"), "upper-case escapes"),
        (format!("{q}&name=zo%c3%ab"), name("zoë"), "lower-case escapes of UTF-8"),
        (format!("{q}&name=~*!'()"), name("~*!'()"), "raw"),
        (format!("{q}&name=%7E%2A%21%27%28%29"), name("~*!'()"), "escaped"),
        (format!("{q}&name=a/b:c@d,e;f?g=h"), name("a/b:c@d,e;f?g=h"), "reserved characters, raw"),
        (format!("{q}&name=%250A"), name("%0A"), "an escape of an escape"),
        (format!("{q}&name="), name(""), "empty"),
        (format!("{q}&name"), name(""), "without its equals sign"),
        (format!("{q}&&name=x&"), name("x"), "with empty pairs"),
        (format!("{q}&name=\u{e9}"), name("\u{e9}"), "UTF-8, raw"),
        (format!("name=x&{q}"), name("x"), "in another order"),
        ("partner%5fuser%5Fid=1&name=x&%65mail=john%40example.com".into(), name("x"), "names too"),
    ] {
        assert_eq!(outcome(&app().send(get(&by_hand(&query, &decoded))).await), "ok", "{why}: {query}");
        let app = app();
        assert_eq!(outcome(&app.send(get(&signer().uri(&decoded).unwrap())).await), "ok", "{why}");
        assert_eq!(outcome(&app.send(get(&by_hand(&query, &decoded))).await), "replayed", "{why}: one login");
    }
}

#[tokio::test]
async fn the_whole_query_is_signed() {
    let good = link();
    for (uri, expected, why) in [
        (good.clone(), "ok", "as signed"),
        (good.replace("john", "root"), "invalid", "another user"),
        (format!("{good}&admin=1"), "invalid", "a parameter more"),
        (format!("{good}&email=root%40example.com"), "invalid", "a claim twice"),
        (good.replace("&partner_user_id=1", ""), "invalid", "a parameter less"),
        (good.replace("/widget/", "/widget"), "invalid", "another path"),
        (good.replace("/widget/", "/Widget/"), "invalid", "case counts in a path"),
        (format!("{good}&a=%zz"), "malformed", "a bad escape, though nobody asks for it"),
        (format!("{good}&%zz=a"), "malformed", "a bad escape in a name"),
        (format!("{good}&a=%4"), "malformed", "cut short"),
        (format!("{good}&a=%00"), "malformed", "NUL"),
        (format!("{good}&a=%FF"), "malformed", "no UTF-8"),
    ] {
        assert_eq!(outcome(&app().send(get(&uri)).await), expected, "{why}");
    }
    // A link is valid for one method only.
    assert_eq!(outcome(&every_transport().send(post(&good, "text/plain", "")).await), "invalid");
    let other_secret = OAuthLink::new(BASE, "partner-key", &"other secret".into()).issued_at(UnixTime::from_secs(NOW));
    assert_eq!(said(&app(), get(&other_secret.uri(&JOHN).unwrap())).await, ("invalid", "bad_signature"));
}

/// What is signed is sorted by name and value (RFC 5849, 3.4.1.3.2), so anybody can reorder equal names.
#[tokio::test]
async fn no_name_comes_twice_whose_order_nobody_signed() {
    let [email, id] = JOHN;
    for (roles, why) in [(["admin", "learner"], "as sent"), (["learner", "admin"], "swapped"), (["admin"; 2], "equal")]
    {
        let link = signer().uri(&[email, id, ("role", roles[0]), ("role", roles[1])]).unwrap();
        assert_eq!(said(&app(), get(&link)).await, ("rejected_claims", "bad_payload"), "{why}");
        let forged = link.replace("role=", "rôle=");
        assert_eq!(said(&app(), get(&forged)).await, ("invalid", "bad_signature"), "its content is looked at last");
    }
    // Once in the query and once in the form is refused too.
    let form = signer_for(&format!("{BASE}?role=admin")).form(&[email, id, ("role", "learner")]).unwrap();
    let request = post(&format!("{BASE}?role=admin"), FORM, &form);
    assert_eq!(said(&every_transport(), request).await, ("rejected_claims", "bad_payload"));
}

#[tokio::test]
async fn what_is_wrong_is_said_so_that_it_can_be_mended() {
    let raw_plus = |link: String| {
        let (before, _) = link.split_once("oauth_signature=").unwrap();
        format!("{before}oauth_signature=aaaaaaaaaa+aaaaaaaaaaaaaaaa=")
    };
    let wrong_method = signer().uri(&[JOHN[0], JOHN[1], ("oauth_signature_method", "PLAINTEXT")]).unwrap();
    let forwarded = |name, value| {
        let mut request = get(&link());
        for (name, value) in [("x-forwarded-proto", "https"), ("x-forwarded-host", "app.example"), (name, value)] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    };
    let trusting = layer_at(Origin::danger_trust_forwarded()).build().unwrap();
    let by_host = layer_at(Origin::danger_from_host_header(true)).build().unwrap();
    let (trusting, by_host) = (App::new(trusting), App::new(by_host));
    for (app, request, expected) in [
        (&app(), get(&raw_plus(link())), "in a query or a form, a `+` is written `%2B`"),
        (&app(), get(&wrong_method), "the signature is made in a way that this layer does not take"),
        (&trusting, forwarded("x-forwarded-host", "a b"), "`x-forwarded-host` is not a host name"),
        (&trusting, forwarded("x-forwarded-proto", "ftp"), "`x-forwarded-proto` is not http or https"),
        (&trusting, forwarded("x-forwarded-port", "x"), "`x-forwarded-port` is not a port"),
        (&by_host, forwarded("host", "a b"), "`host` is not a host name"),
    ] {
        let mut request = request;
        let uri: http::Uri = request.uri().path_and_query().unwrap().as_str().parse().unwrap();
        *request.uri_mut() = uri;
        let answer = app.send(request).await;
        let said = answer.extensions().get::<tower_sso::rejection::Rejection>().unwrap().reason().to_string();
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
        assert!(!said.contains("token"), "{said}");
    }
}

#[tokio::test]
async fn sha_256_where_it_is_switched_on() {
    let link = signer().signature_method(SignatureMethod::HmacSha256).uri(&JOHN).unwrap();
    let app = App::new(layer().signature_methods([SignatureMethod::HmacSha256]).build().unwrap());
    assert_eq!(outcome(&app.send(get(&link)).await), "ok");
    assert_eq!(said(&app, get(&self::link())).await, ("invalid", "alg_not_allowed"), "and the other one is off");
    let both = layer().signature_methods([SignatureMethod::HmacSha1, SignatureMethod::HmacSha256]);
    let both = App::new(both.build().unwrap());
    assert_eq!(outcome(&both.send(get(&link)).await), "ok");
    assert_eq!(outcome(&both.send(get(&self::link())).await), "replayed", "one nonce, whatever it was signed with");
}

#[test]
fn unsafe_settings_do_not_build() {
    let origin = |url: &str| layer_at(Origin::new(url)).build();
    for (built, expected) in [
        (origin("app.example"), "origin"),
        (origin("ftp://app.example"), "origin"),
        (origin("https://app.example/?a"), "origin"),
        (origin("https://user@app.example"), "origin"),
        (layer().transports([]).build(), "transports"),
        (layer().signature_methods([]).build(), "signature_methods"),
        (layer().require(["user_id", "oauth_nonce"]).build(), "`require`"),
        (layer().methods([Method::HEAD]).build(), "HEAD"),
        (layer().keys(MemoryKeys::new().with("partner-key", " ")).build(), "is blank"),
    ] {
        let said = refused(built);
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
    }
    assert!(OAuthLink::new("/widget/", "a", &"b".into()).uri(&[]).is_err(), "no address to sign");
}
