//! A sample credential of each form as its vendor's partners make it, with its layer and its MAC. Used by the benches, their
//! peers and the test that counts allocations.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "each program uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "a measurement")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use tower_sso::VerifyLayer;
use tower_sso::body::ReadBody;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::form::Form;
use tower_sso::keys::{FixedKeys, KeyStore, MemoryKeys, Secret};
use tower_sso::providers::{lcvista, seatmap, site_builder, tutorcruncher, waggl};
use tower_sso::replay::ReplayStore;
use tower_sso::shared_secret::PrivateKeys;
use tower_sso::sign::{FernetLink, HashedLink, JwtSigner, OAuthLink, SigningWebhook};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::ticket::{NewTickets, TicketDigest, TicketStore, Tickets};
use tower_sso::{clock::UnixTime, fernet, jwt, oauth1, shared_secret, ticket, timestamp_hash, webhook};

#[path = "samples/bodies.rs"]
mod bodies;

pub use bodies::{LargeWebhook, SharedSecret, Ticket, WEBHOOK_SECRET, Webhook};

pub type Sent = Request<Full<Bytes>>;

/// Long enough that no credential expires during a measurement.
const AN_HOUR: Duration = Duration::from_secs(3_600);

pub trait Sample {
    type Form: Form<Reads: ReadBody<Full<Bytes>>>;
    const NAME: &'static str;

    fn layer(replay: impl ReplayStore) -> VerifyLayer<Self::Form>;
    fn key() -> Secret;
    /// The layer's key store.
    fn keys() -> Arc<dyn KeyStore>;
    /// A request that is longer by this many bytes, if the form has a field of variable length.
    fn request(longer: usize) -> Sent;
    /// The MAC alone, over the bytes that this request signs. Keyed beforehand if the key stays the same.
    fn raw_mac(request: &Sent) -> Box<dyn Fn() -> usize>;
    /// A request for another tenant, if requests name one.
    fn of_tenant(request: &Sent, tenant: &str) -> Option<Sent>;
    /// The request with its credential tampered with, or replaced.
    fn with(request: &Sent, credential: &str) -> Sent;
    fn credential(request: &Sent) -> String;
}

pub fn get(uri: &str) -> Sent {
    Request::get(uri).body(Full::default()).unwrap()
}

pub fn body(request: &Sent) -> Bytes {
    use http_body_util::BodyExt;
    request.body().clone().collect().now_or_never().unwrap().unwrap().to_bytes()
}

/// The raw value of `name` in the query.
pub fn parameter(request: &Sent, name: &str) -> String {
    let query = request.uri().query().unwrap();
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap().to_owned()
}

/// Changes a character near the end, where the signature is, outside of percent escapes.
pub fn forged(credential: &str) -> String {
    let bytes = credential.as_bytes();
    let is_plain = |at: &usize| bytes[*at].is_ascii_alphanumeric() && !bytes[at - 2..*at].contains(&b'%');
    let at = (2..bytes.len() - 8).rev().find(is_plain).unwrap();
    let other = if bytes[at] == b'1' { "2" } else { "1" };
    [&credential[..at], other, &credential[at + 1..]].concat()
}

fn with_parameter(request: &Sent, name: &str, value: &str) -> Sent {
    let old = format!("{name}={}", parameter(request, name));
    get(&request.uri().to_string().replace(&old, &format!("{name}={value}")))
}

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).unwrap()
}

fn prekeyed<M: Mac + KeyInit + Clone + 'static>(key: &[u8], message: Vec<u8>) -> Box<dyn Fn() -> usize> {
    let keyed = <M as KeyInit>::new_from_slice(key).unwrap();
    Box::new(move || {
        let mut mac = keyed.clone();
        mac.update(&message);
        std::hint::black_box(mac.finalize().into_bytes()).len()
    })
}

/// TutorCruncher: a Fernet token of 504 characters.
pub struct Fernet;

pub const FERNET_KEY: &str = "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=";

impl Sample for Fernet {
    type Form = fernet::Fernet<tutorcruncher::TutorUser>;
    const NAME: &'static str = "fernet";

    fn layer(replay: impl ReplayStore) -> VerifyLayer<Self::Form> {
        tutorcruncher::sso(Self::keys()).max_age(AN_HOUR).replay(replay).build().unwrap()
    }

    fn key() -> Secret {
        FERNET_KEY.into()
    }

    fn keys() -> Arc<dyn KeyStore> {
        Arc::new(MemoryKeys::new().with("4321", Self::key()))
    }

    fn request(longer: usize) -> Sent {
        let (now, filler) = (SystemClock.now().as_secs(), "x".repeat(longer * 3 / 4));
        let content = format!(
            r#"{{"rt": "Contractor", "nm": "Samuel Colvin{filler}", "id": 123, "role_id": 6543, "ts": {now}, "tz": "Europe/London", "br_id": 3492, "br_nm": "Example Branch", "e": "samuel@example.com", "apt_id": 987654, "apt_nm": "Mathematics, first lesson of the year", "apt_st": {now}, "apt_fn": {now}, "x": "some field more"}}"#
        );
        let link = FernetLink::new("/sso", "4321", &Self::key());
        get(&format!("/sso?company_id=4321&token={}", link.token(content.as_bytes()).unwrap()))
    }

    fn raw_mac(request: &Sent) -> Box<dyn Fn() -> usize> {
        let token = decode(&parameter(request, "token"));
        prekeyed::<Hmac<Sha256>>(&decode(FERNET_KEY)[..16], token[..token.len() - 32].to_vec())
    }

    fn of_tenant(request: &Sent, tenant: &str) -> Option<Sent> {
        Some(with_parameter(request, "company_id", tenant))
    }

    fn with(request: &Sent, credential: &str) -> Sent {
        with_parameter(request, "token", credential)
    }

    fn credential(request: &Sent) -> String {
        parameter(request, "token")
    }
}

/// Waggl: a JWT with HS512 of about 370 characters.
pub struct Jwt;

pub const JWT_SECRET: &str = "a secret that is shared with the partner, of sixty-four letters.";

impl Sample for Jwt {
    type Form = jwt::Jwt<waggl::WagglUser>;
    const NAME: &'static str = "jwt";

    fn layer(replay: impl ReplayStore) -> VerifyLayer<Self::Form> {
        waggl::sso([Self::key()]).audience("app.waggl.com").replay(replay).build().unwrap()
    }

    fn key() -> Secret {
        JWT_SECRET.into()
    }

    fn keys() -> Arc<dyn KeyStore> {
        Arc::new(FixedKeys::new([Self::key()]))
    }

    fn request(longer: usize) -> Sent {
        let (now, filler) = (SystemClock.now().as_secs(), "x".repeat(longer * 3 / 4));
        let payload = format!(
            r#"{{"aud":"app.waggl.com","iat":{now},"exp":{},"data":{{"email":"bob@yourcompany.com","tags":{{"Department":"Sales","Location":"San Francisco{filler}"}}}}}}"#,
            now + 800
        );
        let signer = JwtSigner::new(jwt::Algorithm::HS512, &Self::key()).unwrap();
        get(&format!(
            "/i/9745804b?sso_jwt={}",
            signer.sign(br#"{"typ":"JWT","alg":"HS512"}"#, payload.as_bytes()).unwrap()
        ))
    }

    fn raw_mac(request: &Sent) -> Box<dyn Fn() -> usize> {
        let token = parameter(request, "sso_jwt");
        let (signed, _) = token.rsplit_once('.').unwrap();
        prekeyed::<Hmac<Sha512>>(JWT_SECRET.as_bytes(), signed.into())
    }

    fn of_tenant(_: &Sent, _: &str) -> Option<Sent> {
        None
    }

    fn with(request: &Sent, credential: &str) -> Sent {
        with_parameter(request, "sso_jwt", credential)
    }

    fn credential(request: &Sent) -> String {
        parameter(request, "sso_jwt")
    }
}

/// LCvista: HMAC-SHA1 of the empty message, with the fields as the key.
pub struct TimestampHash;

pub const LCVISTA_TOKEN: &str = "5d1c7b1f9a3e4c60";

impl Sample for TimestampHash {
    type Form = timestamp_hash::TimestampHash<lcvista::LcvistaUser>;
    const NAME: &'static str = "timestamp_hash";

    fn layer(replay: impl ReplayStore) -> VerifyLayer<Self::Form> {
        lcvista::sso(Self::keys()).max_age(AN_HOUR).replay(replay).build().unwrap()
    }

    fn key() -> Secret {
        LCVISTA_TOKEN.into()
    }

    fn keys() -> Arc<dyn KeyStore> {
        Arc::new(MemoryKeys::new().with("rainier", Self::key()))
    }

    fn request(_: usize) -> Sent {
        let timestamp = format!("{}.123456", SystemClock.now().as_secs());
        let link = HashedLink::new("/sso/oauth/", lcvista::recipe(), &Self::key());
        get(&link.uri(&[&timestamp, "admin@lcvista.com", "rainier"]))
    }

    fn raw_mac(request: &Sent) -> Box<dyn Fn() -> usize> {
        let timestamp = parameter(request, "timestamp");
        let key = format!("timestamp={timestamp}&email=admin%40lcvista.com&slug=rainier&token={LCVISTA_TOKEN}");
        Box::new(move || {
            let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
            std::hint::black_box(mac.finalize().into_bytes()).len()
        })
    }

    fn of_tenant(request: &Sent, tenant: &str) -> Option<Sent> {
        Some(with_parameter(request, "slug", tenant))
    }

    fn with(request: &Sent, credential: &str) -> Sent {
        with_parameter(request, "hash", credential)
    }

    fn credential(request: &Sent) -> String {
        parameter(request, "hash")
    }
}

/// Site Builder: a signed query of twelve parameters.
pub struct OAuth1;

pub const CONSUMER_SECRET: &str = "kd94hf93k423kf44";

impl OAuth1 {
    pub const PARAMETERS: [(&'static str, &'static str); 6] = [
        ("email", "john@example.com"),
        ("partner_user_id", "8675309"),
        ("first_name", "John"),
        ("last_name", "O'Doe"),
        ("partner_site_ids", "12345,23145"),
        ("lang", "en"),
    ];

    /// The base string (RFC 5849, 3.4.1) for a query of [`request`](Sample::request).
    pub fn base_string(request: &Sent) -> String {
        let mut pairs: Vec<&str> = request.uri().query().unwrap().split('&').collect();
        pairs.retain(|pair| !pair.starts_with("oauth_signature="));
        pairs.sort_unstable();
        let pairs = pairs.join("&").replace('%', "%25").replace('=', "%3D").replace('&', "%26");
        format!("GET&https%3A%2F%2Fapp.example%2Fwidget%2F&{pairs}")
    }
}

impl Sample for OAuth1 {
    type Form = oauth1::OAuth1<site_builder::SiteBuilderUser>;
    const NAME: &'static str = "oauth1";

    fn layer(replay: impl ReplayStore) -> VerifyLayer<Self::Form> {
        site_builder::sso(oauth1::Origin::new("https://app.example"), Self::keys())
            .window(AN_HOUR)
            .replay(replay)
            .build()
            .unwrap()
    }

    fn key() -> Secret {
        CONSUMER_SECRET.into()
    }

    fn keys() -> Arc<dyn KeyStore> {
        Arc::new(MemoryKeys::new().with("dpf43f3p2l4k3l03", Self::key()))
    }

    fn request(longer: usize) -> Sent {
        let link = OAuthLink::new("https://app.example/widget/", "dpf43f3p2l4k3l03", &Self::key()).nonce("12345678");
        let filler = "x".repeat(longer);
        let filler = (longer > 0).then_some(("filler", filler.as_str()));
        let uri = link.uri(&Self::PARAMETERS.into_iter().chain(filler).collect::<Vec<_>>()).unwrap();
        get(uri.strip_prefix("https://app.example").unwrap())
    }

    fn raw_mac(request: &Sent) -> Box<dyn Fn() -> usize> {
        prekeyed::<Hmac<Sha1>>(format!("{CONSUMER_SECRET}&").as_bytes(), Self::base_string(request).into())
    }

    fn of_tenant(request: &Sent, tenant: &str) -> Option<Sent> {
        Some(with_parameter(request, "oauth_consumer_key", tenant))
    }

    fn with(request: &Sent, credential: &str) -> Sent {
        with_parameter(request, "oauth_signature", credential)
    }

    fn credential(request: &Sent) -> String {
        parameter(request, "oauth_signature")
    }
}
