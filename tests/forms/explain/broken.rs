//! Broken partners of some presets: one row for each, with what an operator has to read first. The slips were collected
//! before anybody looked at what is tried.

mod calls;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http::request::{Builder, Parts};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use tower_sso::clock::UnixTime;
use tower_sso::form::Form;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1::Origin;
use tower_sso::providers::launches::{lti11, shopify, shopify_multipass, telegram_login};
use tower_sso::providers::webhooks::{
    danger_adyen_standard, danger_mailgun, github, netlify, shopify as shopify_webhook, slack, standard_webhooks,
    stripe,
};
use tower_sso::providers::{lcvista, tutorcruncher, waggl};
use tower_sso::sign::{FernetLink, HashedLink};
use tower_sso::ticket::{self, MemoryTickets, Tickets};
use tower_sso::{ConfigError, VerifyLayer, explain, http_signature};

use crate::support::{NOW, clock, replay};

const SECRET: &str = "s3cr3t-0f-Acme-2041";
const FERNET_KEY: &str = "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=";

/// The first line of what is said: the cause, or all of it if there is none.
async fn said<F: Form, C>(layer: Result<VerifyLayer<F, C>, ConfigError>, (head, body): (Parts, Bytes)) -> String {
    let explanation = explain::request(&layer.unwrap(), &head, &body).await;
    let text = explanation.to_string();
    for private in [SECRET, FERNET_KEY, "ada@"] {
        assert!(!text.contains(private), "{text}");
    }
    explanation.cause().map_or(text, str::to_owned)
}

fn sent(request: Builder, body: impl Into<Bytes>) -> (Parts, Bytes) {
    let (head, body) = request.body(body.into()).unwrap().into_parts();
    (head, body)
}

fn got(uri: &str) -> (Parts, Bytes) {
    sent(Request::get(uri), "")
}

/// JSON with one more header.
fn called(name: &str, value: impl AsRef<str>, body: impl Into<Bytes>) -> (Parts, Bytes) {
    sent(Request::post("/hook").header("content-type", "application/json").header(name, value.as_ref()), body)
}

fn mac(key: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn mac_sha1(key: &str, text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As RFC 3986 says.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Sign-in links.
#[tokio::test]
async fn platforms() {
    macro_rules! layer {
        ($builder:expr) => {
            $builder.secrets([SECRET]).replay(replay()).clock(clock()).build()
        };
    }
    let shop = format!("shop=acme.myshopify.com&timestamp={NOW}");
    let user = format!("auth_date={NOW}&first_name=Ada&id=7");
    let lines = user.replace('&', "\n");
    let telegram = |signature: Vec<u8>| got(&format!("/in?{user}&hash={}", hex(signature)));
    let oauth = |key: &str, text: &dyn Fn(&str, &str) -> String| {
        let pairs = format!(
            "lti_message_type=basic-lti-launch-request&lti_version=LTI-1p0&oauth_consumer_key=acme&oauth_nonce=n1\
             &oauth_signature_method=HMAC-SHA1&oauth_timestamp={NOW}&user_id=7"
        );
        let signature = BASE64_STANDARD.encode(mac_sha1(key, &text("https://rp.example/launch", &pairs)));
        let request = Request::post("/launch").header("content-type", "application/x-www-form-urlencoded");
        sent(request, format!("{pairs}&oauth_signature={}", encoded(&signature)))
    };
    let lti = || {
        let layer = lti11::<Value>(Origin::new("https://rp.example")).keys(MemoryKeys::new().with("acme", SECRET));
        layer.replay(replay()).clock(clock()).build()
    };
    let right = |uri: &str, pairs: &str| format!("POST&{}&{}", encoded(uri), encoded(pairs));
    let multipass = |key: [u8; 32], halves: [std::ops::Range<usize>; 2]| {
        let text = json!({"email": "ada@x.example", "created_at": "2023-11-14T22:13:20Z"}).to_string();
        got(&format!(
            "/account/login/multipass/{}",
            cbc_then_hmac(&key[halves[0].clone()], &key[halves[1].clone()], &text)
        ))
    };
    let key: [u8; 32] = Sha256::digest(SECRET).into();
    let long: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";
    for (why, said, expected) in [
        (
            "a parameter for an ad that the mail program added",
            said(layer!(shopify::<Value>()), got(&format!("/in?fbclid=IwAR0&{shop}&hmac={}", hex(mac(SECRET, &shop)))))
                .await,
            "`fbclid` in the query was not signed",
        ),
        (
            "the other one of Telegram's two schemes",
            said(layer!(telegram_login::<Value>()), telegram(mac(mac("WebAppData", SECRET), &lines))).await,
            "see `key_derivation`",
        ),
        (
            "the token itself as the key",
            said(layer!(telegram_login::<Value>()), telegram(mac(SECRET, &lines))).await,
            "signs with the secret itself",
        ),
        ("no ampersand behind the secret", said(lti(), oauth(SECRET, &right)).await, "the secret alone"),
        (
            "parameters encoded once",
            said(lti(), oauth(&format!("{SECRET}&"), &|uri, pairs| format!("POST&{}&{pairs}", encoded(uri)))).await,
            "does not encode the parameters once more",
        ),
        (
            "the method in lower case",
            said(lti(), oauth(&format!("{SECRET}&"), &|uri, pairs| right(uri, pairs).replace("POST&", "post&"))).await,
            "the method in lower case",
        ),
        (
            "a GET in the base string of a form post",
            said(lti(), oauth(&format!("{SECRET}&"), &|uri, pairs| right(uri, pairs).replace("POST&", "GET&"))).await,
            "signed as a GET request",
        ),
        (
            "as the page says",
            said(layer!(shopify_multipass::<Value>()), multipass(key, [0..16, 16..32])).await,
            "It passes",
        ),
        (
            "the keys for signing and encryption mixed up",
            said(layer!(shopify_multipass::<Value>()), multipass(key, [16..32, 0..16])).await,
            "each other's place",
        ),
        (
            "the secret itself as the keys",
            said(
                shopify_multipass::<Value>()
                    .secrets([Secret::from("0123456789abcdef0123456789ABCDEF")])
                    .replay(replay())
                    .clock(clock())
                    .build(),
                multipass(long, [0..16, 16..32]),
            )
            .await,
            "takes the secret itself as the key",
        ),
    ] {
        assert!(said.contains(expected), "{why}: {said}");
    }
}

fn cbc_then_hmac(encrypts: &[u8], signs: &[u8], text: &str) -> String {
    use cbc::cipher::block_padding::Pkcs7;
    use cbc::cipher::{BlockEncryptMut, KeyIvInit};
    let (iv, mut blocks) = ([7; 16], [text.as_bytes(), &[0; 16]].concat());
    let cipher = cbc::Encryptor::<aes::Aes128>::new_from_slices(encrypts, &iv).unwrap();
    let sealed = [&iv[..], cipher.encrypt_padded_mut::<Pkcs7>(&mut blocks, text.len()).unwrap()].concat();
    BASE64_URL_SAFE.encode([&sealed[..], &mac(signs, &sealed)].concat())
}

/// The vendors of the portal.
#[tokio::test]
async fn vendors() {
    let keys = || MemoryKeys::new().with("4321", FERNET_KEY);
    let company = || tutorcruncher::sso(keys()).replay(replay()).clock(clock()).build();
    let user = json!({"id": 7, "nm": "Ada", "rt": "Admin", "e": "ada@x.example"});
    let fernet = |key: &str| {
        FernetLink::new("/sso", "4321", &Secret::from(key)).issued_at(UnixTime::from_secs(NOW)).uri(&user).unwrap()
    };
    let first_letters = BASE64_URL_SAFE.encode(&FERNET_KEY.as_bytes()[..32]);
    let bytes = BASE64_URL_SAFE.decode(FERNET_KEY).unwrap();
    let swapped = BASE64_URL_SAFE.encode([&bytes[16..], &bytes[..16]].concat());
    let hashed = BASE64_URL_SAFE.encode(Sha256::digest(FERNET_KEY));
    let token = fernet(FERNET_KEY).split_once("token=").unwrap().1.to_owned();
    let twice = format!("/sso?company_id=4321&token={}", BASE64_URL_SAFE.encode(token.replace("%3D", "=")));
    let survey = |algorithm: &str, claims: Value| {
        let parts = [json!({"alg": algorithm, "typ": "JWT"}), claims]
            .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(mac(SECRET, parts.join(".")));
        got(&format!("/i/9?sso_jwt={}.{signature}", parts.join(".")))
    };
    let waggl = || waggl::sso([SECRET]).audience("app.waggl.com").replay(replay()).clock(clock()).build();
    let hash = || lcvista::sso(MemoryKeys::new().with("rainier", SECRET)).replay(replay()).clock(clock()).build();
    let link = |time: &str| {
        let link = HashedLink::new("/sso/oauth/", lcvista::recipe(), &Secret::from(SECRET));
        got(&link.uri(&[time, "ada@x.example", "rainier"]))
    };
    for (why, said, expected) in [
        ("the key cut after 32 letters", said(company(), got(&fernet(&first_letters))).await, "first 32 letters"),
        ("the halves of the key swapped", said(company(), got(&fernet(&swapped))).await, "halves of the key"),
        ("the key hashed", said(company(), got(&fernet(&hashed))).await, "hashes the key first"),
        ("the token in base64", said(company(), got(&twice)).await, "in base64 once more"),
        (
            "a link at the end of a sentence",
            said(company(), got(&format!("{}.", fernet(FERNET_KEY)))).await,
            "punctuation",
        ),
        (
            "a link out of a mail's source",
            said(company(), got(&fernet(FERNET_KEY).replace("token=", "token=3D"))).await,
            "begins with `3D`",
        ),
        (
            "HS256 where HS512 is agreed",
            said(
                waggl(),
                survey("HS256", json!({"aud": "app.waggl.com", "exp": NOW + 60, "data": {"email": "ada@x.example"}})),
            )
            .await,
            "signs with HS256, and this layer expects HS512",
        ),
        ("Date.now()", said(hash(), link(&(NOW * 1_000).to_string())).await, "milliseconds"),
        (
            "the server's local time",
            said(hash(), link(&(NOW + 3_600).to_string())).await,
            "local time, where UTC is meant",
        ),
    ] {
        assert!(said.contains(expected), "{why}: {said}");
    }
}

/// One-time tickets, on their way through mails and pages.
#[tokio::test]
async fn tickets() {
    let tickets = Tickets::new(MemoryTickets::new()).clock(clock());
    let ticket = tickets.issue(&"acme".into(), &json!({"id": 7})).await.unwrap();
    let layer = || ticket::layer::<Value>(tickets.clone()).clock(clock()).build();
    for (why, uri, expected) in [
        ("as it was issued", format!("/in?ticket={ticket}"), "It passes"),
        ("a link at the end of a sentence", format!("/in?ticket={ticket}."), "punctuation"),
        ("a link in brackets", format!("/in?ticket={ticket})"), "punctuation"),
        ("a link out of a mail's source", format!("/in?ticket=3D{ticket}"), "begins with `3D`"),
        ("a space behind it", format!("/in?ticket={ticket}%20"), "without the white space around it"),
        ("another name", format!("/in?token={ticket}"), "the ticket is in the parameter `token`"),
        ("in base64", format!("/in?ticket={}", BASE64_URL_SAFE_NO_PAD.encode(&ticket)), "in base64 once more"),
    ] {
        let explanation = explain::request(&layer().unwrap(), &got(&uri).0, &Bytes::new()).await;
        let said = explanation.to_string();
        assert!(said.contains(expected) && !said.contains(&ticket), "{why}: {said}");
    }
}

/// The form of a timestamp hash, which is the key of an HMAC over nothing.
#[tokio::test]
async fn forms_as_keys() {
    let fields = format!("timestamp={NOW}&email=ada%2Bcpe%40x.example&slug=rainier");
    let all = format!("{fields}&token={SECRET}");
    let said = |hash: Vec<u8>| {
        let layer = lcvista::sso(MemoryKeys::new().with("rainier", SECRET)).replay(replay()).clock(clock()).build();
        said(layer, got(&format!("/sso/oauth/?{fields}&hash={}", hex(hash))))
    };
    let twice = || {
        let layer = lcvista::sso(MemoryKeys::new().with("rainier", SECRET)).replay(replay()).clock(clock()).build();
        let hash = hex(mac_sha1(&all, ""));
        self::said(layer, got(&format!("/sso/oauth/?{}&hash={hash}", fields.replace('%', "%25"))))
    };
    for (why, said, expected) in [
        ("the link encoded once more", twice().await, "is encoded once more"),
        ("as the vendor says", said(mac_sha1(&all, "")).await, "It passes"),
        ("hash_hmac('sha1', fields, secret)", said(mac_sha1(SECRET, &fields)).await, "with the secret as the key"),
        ("the same over the whole form", said(mac_sha1(SECRET, &all)).await, "fields and secret with the secret"),
        ("no key, and the form as the message", said(mac_sha1("", &all)).await, "with an empty key"),
        ("sha1() of the form", said(Sha1::digest(&all).to_vec()).await, "a plain digest"),
        (
            "concatenated without urlencode",
            said(mac_sha1(&all.replace("%2B", "+").replace("%40", "@"), "")).await,
            "does not encode the values",
        ),
        ("HttpUtility.UrlEncode", said(mac_sha1(&all.replace("%2B", "%2b"), "")).await, "in lower case"),
    ] {
        assert!(said.contains(expected), "{why}: {said}");
    }
}
