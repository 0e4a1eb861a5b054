//! Of a secret nothing stays in memory once the layers that had it are gone. Without a harness, as only the first
//! thread's allocations are all in one region, which is searched.

mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use serde_json::Value;
use support::{App, Request_, Served, clock, replay};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1::Origin;
use tower_sso::providers::lcvista;
use tower_sso::scheme::{Digest, KeyDerivation, Place, SecretFormat, TimeFormat};
use tower_sso::sealed::{self, Seal};
use tower_sso::shared_secret::{self, PrivateKeys};
use tower_sso::signed_parameters::{self, Join, Recipe};
use tower_sso::signed_payload::{self, Layout};
use tower_sso::{jwt, oauth1, signed_json, timestamp_hash, webhook};

/// A form, and a layer with this secret that has refused a request, so that it has prepared the key.
type Case = (&'static str, fn(Secret) -> App, fn() -> Request_);

const CASES: &[Case] = &[
    (
        "jwt",
        |secret| built(jwt::layer::<Value>(jwt::Algorithm::HS256).audience("rp").secrets([secret]).replay(replay())),
        || get(&format!("/?sso_jwt=eyJhbGciOiJIUzI1NiJ9.e30.{}", "A".repeat(43))),
    ),
    (
        "oauth1",
        |secret| {
            let keys = MemoryKeys::new().with("acme", secret);
            built(oauth1::layer::<Value>(Origin::new("https://rp.example")).keys(keys).replay(replay()))
        },
        || {
            let oauth =
                "oauth_consumer_key=acme&oauth_nonce=1&oauth_timestamp=1700000000&oauth_signature_method=HMAC-SHA1";
            get(&format!("/?{oauth}&oauth_signature={}%3D", "A".repeat(27)))
        },
    ),
    (
        "timestamp_hash",
        |secret| built(timestamp_hash::layer::<Value>(lcvista::recipe()).secrets([secret]).replay(replay())),
        || get(&format!("/?timestamp=1700000000&email=a&slug=b&hash={}", "0".repeat(40))),
    ),
    ("webhook", |secret| built(webhook::layer::<Value>().secrets([secret]).handler_remembers().replay(replay())), hook),
    (
        "webhook, in base64",
        |secret| {
            let layer = webhook::layer::<Value>().secret_format(SecretFormat::Base64 { prefix: "" }).secrets([secret]);
            built(layer.handler_remembers().replay(replay()))
        },
        hook,
    ),
    (
        "webhook, the secret first",
        |secret| {
            built(
                webhook::layer::<Value>().danger_secret_first().secrets([secret]).handler_remembers().replay(replay()),
            )
        },
        hook,
    ),
    (
        "signed_parameters",
        |secret| {
            let layer =
                signed_parameters::layer::<Value>(Recipe::all(Join::pairs('&'))).issued_at("ts", TimeFormat::Seconds);
            let layer = layer.key_derivation(KeyDerivation::hmac_keyed_with(Digest::Sha256, "WebAppData"));
            built(layer.secrets([secret]).replay(replay()))
        },
        || get(&format!("/?ts=1700000000&signature={}", "0".repeat(64))),
    ),
    (
        "signed_parameters, a digest",
        |secret| {
            let recipe = Recipe::listed(["id", "ts"], Join::values(':')).danger_digest_with_secret_before(1);
            let layer = signed_parameters::layer::<Value>(recipe).issued_at("ts", TimeFormat::Seconds);
            built(layer.secrets([secret]).replay(replay()))
        },
        || get(&format!("/?id=1&ts=1700000000&signature={}", "0".repeat(64))),
    ),
    (
        "signed_parameters, an MD5",
        |secret| {
            let recipe = Recipe::all(Join::pairs('&')).danger_md5_with_secret_at_the_end();
            let layer = signed_parameters::layer::<Value>(recipe).issued_at("ts", TimeFormat::Seconds);
            built(layer.secrets([secret]).replay(replay()))
        },
        || get(&format!("/?ts=1700000000&signature={}", "0".repeat(32))),
    ),
    (
        "signed_payload",
        |secret| {
            let layout = Layout::payload_first(Place::query("t"), ".");
            let layer = signed_payload::layer::<Value>(layout).issued_at("iat", TimeFormat::Seconds);
            let layer = layer.key_derivation(KeyDerivation::digest_after(Digest::Sha256, "salt"));
            built(layer.secrets([secret]).replay(replay()))
        },
        || get(&format!("/?t=e30.{}", "0".repeat(64))),
    ),
    (
        "sealed",
        |secret| {
            let layer =
                sealed::layer::<Value>(Seal::AesCbcThenHmac, Place::query("t")).issued_at("iat", TimeFormat::Seconds);
            built(layer.secrets([secret]).replay(replay()))
        },
        || get(&format!("/?t={}", "A".repeat(128))),
    ),
    (
        "signed_json",
        |secret| built(signed_json::layer::<Value>(["/id"]).secrets([secret]).handler_remembers().replay(replay())),
        || post(&format!(r#"{{"id":"7","signature":"{}"}}"#, "0".repeat(64))),
    ),
    (
        "shared_secret, by tenant",
        |secret| built(shared_secret::by_tenant::<Value>().secrets([secret])),
        || post(r#"{"token":"another"}"#),
    ),
    (
        "shared_secret, by digest",
        |secret| built(shared_secret::layer::<Value>(PrivateKeys::new().with("acme", [secret]).unwrap())),
        || post(r#"{"token":"another"}"#),
    ),
];

fn built<F>(layer: tower_sso::Builder<F>) -> App
where
    F: Served,
{
    App::new(layer.clock(clock()).build().unwrap())
}

fn get(uri: &str) -> Request_ {
    Request::get(uri).body(Full::default()).unwrap()
}

fn post(body: &str) -> Request_ {
    Request::post("/").header(CONTENT_TYPE, "application/json").body(Full::from(body.to_owned())).unwrap()
}

fn hook() -> Request_ {
    let mut request = post("{}");
    request.headers_mut().insert("webhook-signature", "0".repeat(64).parse().unwrap());
    request
}

/// The secret's characters, which are base64 too. They stand side by side in the layer's memory alone.
fn character(at: usize) -> u8 {
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(at * at * 7 + at * 13 + 5) % 64]
}

/// The characters of a secret that is looked at as hexadecimal, as it begins like a public key.
fn digit(at: usize) -> u8 {
    match at {
        0 => b'3',
        1 => b'0',
        _ => b"0123456789abcdef"[(at * at * at + at * 13 + at / 7) % 16],
    }
}

const LENGTH: usize = 64;
/// The first bytes of an allocation are overwritten when it is freed.
const SKIPPED: usize = 16;

fn is_there(memory: &[u8], byte: impl Fn(usize) -> u8, length: usize) -> bool {
    let count = length - SKIPPED;
    memory.windows(count).any(|window| window.iter().enumerate().all(|(at, found)| *found == byte(at + SKIPPED)))
}

/// The secret's bytes if it is base64, without decoding it as a whole.
fn decoded(at: usize) -> u8 {
    let six = |at: usize| {
        let letter = character(at);
        match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            _ => 63,
        }
    };
    let first = at / 3 * 4 + at % 3;
    let (shift, next) = (2 * (at % 3) as u32 + 2, six(first + 1));
    six(first) << shift | next >> (6 - shift)
}

#[cfg(target_os = "linux")]
fn heap() -> Vec<u8> {
    use std::io::{Read, Seek, SeekFrom};
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let heap = maps.lines().find(|line| line.ends_with("[heap]")).expect("the first thread's allocations");
    let (from, to) = heap.split(' ').next().unwrap().split_once('-').unwrap();
    let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).unwrap());
    // Larger than what is taken from the heap, so it does not read itself.
    let mut memory = vec![0; usize::try_from(to - from).unwrap().max(1 << 26)];
    let mut file = std::fs::File::open("/proc/self/mem").unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    let length = usize::try_from(to - from).unwrap();
    file.read_exact(&mut memory[..length]).unwrap();
    memory.truncate(length);
    memory
}

#[cfg(target_os = "linux")]
fn main() {
    let mut bytes = BASE64_STANDARD.decode((0..LENGTH).map(character).collect::<Vec<_>>()).unwrap();
    assert!(bytes.iter().enumerate().all(|(at, byte)| *byte == decoded(at)));
    std::hint::black_box(&mut bytes).fill(0);
    for (form, app, request) in CASES {
        let secret: Vec<u8> = (0..LENGTH).map(character).collect();
        let app = app(Secret::new(secret));
        let answer = futures::executor::block_on(app.send(request()));
        assert_eq!(support::outcome(&answer), "invalid", "{form}: the key was tried");
        let is_digest = *form == "shared_secret, by digest";
        assert_eq!(is_there(&heap(), character, LENGTH), !is_digest, "{form}: the search finds what is there");
        drop((app, answer));
        let heap = heap();
        assert!(!is_there(&heap, character, LENGTH), "{form}: the secret is in freed memory");
        assert!(!is_there(&heap, decoded, LENGTH / 4 * 3), "{form}: the decoded secret is in freed memory");
    }
    // Twice as long, so that a copy that had to grow would leave its first half behind.
    let secret: Vec<u8> = (0..2 * LENGTH).map(digit).collect();
    let app = built(webhook::layer::<Value>().secrets([secret]).handler_remembers().replay(replay()));
    assert!(is_there(&heap(), digit, LENGTH), "the search finds what is there");
    drop(app);
    assert!(!is_there(&heap(), digit, LENGTH), "a secret in hexadecimal is in freed memory");
    println!("{} layers left nothing of their secrets", CASES.len());
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("not run: only Linux shows a process its own memory as a file");
}
