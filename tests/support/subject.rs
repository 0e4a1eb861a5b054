//! The forms as the contract sees them: each tells how to make its requests, good and bad.
//!
//! A form that is new to the crate gets a `Subject` here, and a line in [`for_every_form`]. `contract.rs` compares that list
//! with the crate's folders, so it cannot be forgotten.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::config::{Builder, ConfigError};
use tower_sso::keys::{Key, Keys, MemoryKeys, Secret};
use tower_sso::providers::lcvista;
use tower_sso::replay::{MemoryReplay, ReplayStore};
use tower_sso::sign::{FernetLink, HashedLink, JwtSigner, OAuthLink, SigningWebhook};
use tower_sso::tenant::Tenant;
use tower_sso::{fernet, jwt, oauth1, timestamp_hash, webhook};

use super::{App, NOW, Request_, secs};

/// What a request is to be like.
#[derive(Clone)]
pub struct Wish {
    pub tenant: &'static str,
    pub key: usize,
    pub issued_at: UnixTime,
    pub subject: String,
}

impl Default for Wish {
    fn default() -> Self {
        Self { tenant: "acme", key: 0, issued_at: UnixTime::from_secs(NOW), subject: "ada".into() }
    }
}

/// How a good request can be spoilt, in a way that fits the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// One bit of what is signed.
    Content,
    /// One bit of the signature.
    Signature,
    /// The credential's parameter or header comes twice, the same.
    Twice,
    /// The credential is not there.
    Absent,
    /// It is not of its encoding's alphabet.
    Alphabet,
    /// It is cut short.
    Short,
    /// It is larger than the form allows.
    Oversize,
    /// Another spelling of the same bytes that must not be another login, if the form has one that it accepts.
    Respelled,
}

/// A form under test.
pub trait Subject {
    const NAME: &'static str;
    /// `None` where the form's credentials have no time.
    const WINDOW: Option<(u64, u64)>;
    /// When a store is made that takes what was made at `NOW` and nothing older.
    const FENCE_AT: u64 = NOW;
    /// Whether a copy is acknowledged rather than refused.
    const IDEMPOTENT: bool;
    /// Whether the key itself is what arrives: it may come again, and says whose it is.
    const BEARER: bool = false;

    fn app_with(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App;
    fn optional_app(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App;
    fn request(wish: &Wish) -> Request_;
    /// `None` where the form has no such way to be spoilt.
    fn spoil(request: Request_, how: Spoil) -> Option<Request_>;
    fn key(number: usize) -> Secret;
}

/// A layer over the keys of two tenants: `acme` with keys 0 (current) and 1 (previous, until an hour after `NOW`), and
/// `other` with key 2. Key 3 is nobody's.
pub fn keys<S: Subject>() -> MemoryKeys {
    let keys = MemoryKeys::new().with("other", S::key(2));
    let until = UnixTime::from_secs(NOW + 3_600);
    let acme: Keys = [Key::current(S::key(0)), Key::previous(S::key(1), until)].into_iter().collect();
    keys.set("acme", acme);
    keys
}

/// Runs each case for each form, as a test of its own. Time stands still but for timers.
#[macro_export]
macro_rules! for_every_form {
    ($($(#[$meta:meta])* async fn $case:ident<$s:ident: Subject>() $body:block)*) => {
        $(async fn $case<$s: $crate::support::subject::Subject>() $body)*
        $crate::for_every_form!(@form fernet $crate::support::subject::FernetSubject; $($(#[$meta])* $case)*);
        $crate::for_every_form!(@form jwt $crate::support::subject::JwtSubject; $($(#[$meta])* $case)*);
        $crate::for_every_form!(@form oauth1 $crate::support::subject::OAuth1Subject; $($(#[$meta])* $case)*);
        $crate::for_every_form!(
            @form shared_secret $crate::support::subject::SharedSecretSubject; $($(#[$meta])* $case)*
        );
        $crate::for_every_form!(
            @form timestamp_hash $crate::support::subject::TimestampHashSubject; $($(#[$meta])* $case)*
        );
        $crate::for_every_form!(@form webhook $crate::support::subject::WebhookSubject; $($(#[$meta])* $case)*);
    };
    (@form $name:ident $subject:ty; $($(#[$meta:meta])* $case:ident)*) => {
        mod $name {
            $($(#[$meta])* #[tokio::test(start_paused = true)] async fn $case() { super::$case::<$subject>().await })*
        }
    };
}

pub struct FernetSubject;

impl FernetSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<fernet::Fernet<Value>> {
        fernet::layer().tenant(Tenant::query("tenant")).keys(keys).replay(replay).clock(clock)
    }

    pub fn token(wish: &Wish) -> String {
        let content = json!({"id": wish.subject}).to_string();
        let link = FernetLink::new("/sso", wish.tenant, &Self::key(wish.key)).issued_at(wish.issued_at);
        link.token(content.as_bytes()).unwrap()
    }
}

impl Subject for FernetSubject {
    const NAME: &'static str = "fernet";
    const WINDOW: Option<(u64, u64)> = Some((60, 60));
    const IDEMPOTENT: bool = false;

    fn app_with(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).build().unwrap())
    }

    fn optional_app(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).optional().build().unwrap())
    }

    fn request(wish: &Wish) -> Request_ {
        let token = Self::token(wish);
        get(&format!("/sso?a=%zz&tenant={}&token={token}&b=1", wish.tenant))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, token) = uri.split_once("token=").unwrap();
        let (token, after) = token.split_once('&').unwrap();
        let at = |position: usize| {
            let mut token = token.to_owned();
            let other = if token.as_bytes()[position] == b'A' { "B" } else { "A" };
            token.replace_range(position..=position, other);
            token
        };
        let token = match how {
            // The 40th character is in the ciphertext, the 80th from the end too; the 20th from the end in the MAC.
            Spoil::Content => at(40),
            Spoil::Signature => at(token.len() - 20),
            Spoil::Twice => format!("{token}&token={token}"),
            Spoil::Absent => return Some(get(&format!("{before}{after}"))),
            Spoil::Alphabet => token.replace("gAAAA", "g%20AA"),
            Spoil::Short => token[..token.len() - 24].to_owned(),
            Spoil::Oversize => format!("{token}{}", "A".repeat(8 * 1024)),
            Spoil::Respelled => token.trim_end_matches('=').replace('A', "%41"),
        };
        Some(get(&format!("{before}token={token}&{after}")))
    }

    fn key(number: usize) -> Secret {
        const KEYS: [&str; 4] = [
            "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=",
            "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "_-_9_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA=",
        ];
        KEYS[number].into()
    }
}

pub struct JwtSubject;

impl JwtSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<jwt::Jwt<Value>> {
        let layer = jwt::layer(jwt::Algorithm::HS512).audience("rp.example").tenant(Tenant::query("tenant"));
        layer.leeway(secs(0)).keys(keys).replay(replay).clock(clock)
    }
}

impl Subject for JwtSubject {
    const NAME: &'static str = "jwt";
    /// Its `nbf` is the earliest time that the token tells of itself.
    const FENCE_AT: u64 = NOW - 60;
    /// What the tokens below say of themselves, with no leeway.
    const WINDOW: Option<(u64, u64)> = Some((60, 60));
    const IDEMPOTENT: bool = false;

    fn app_with(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).build().unwrap())
    }

    fn optional_app(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).optional().build().unwrap())
    }

    fn request(wish: &Wish) -> Request_ {
        let at = wish.issued_at.as_secs();
        // Not `iat`, which would be the start of the window: the skew is what `nbf` allows.
        let claims = json!({"sub": wish.subject, "made": at, "nbf": at - 60, "exp": at + 60, "aud": "rp.example"});
        let token = JwtSigner::new(jwt::Algorithm::HS512, &Self::key(wish.key)).unwrap().token(&claims).unwrap();
        get(&format!("/page?a=%zz&tenant={}&sso_jwt={token}&b=1", wish.tenant))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, token) = uri.split_once("sso_jwt=").unwrap();
        let (token, after) = token.split_once('&').unwrap();
        let at = |position: usize| {
            let mut token = token.to_owned();
            let other = if token.as_bytes()[position] == b'A' { "B" } else { "A" };
            token.replace_range(position..=position, other);
            token
        };
        let token = match how {
            Spoil::Content => at(token.find('.').unwrap() + 8),
            Spoil::Signature => at(token.len() - 20),
            Spoil::Twice => format!("{token}&sso_jwt={token}"),
            Spoil::Absent => return Some(get(&format!("{before}{after}"))),
            Spoil::Alphabet => token.replacen("eyJ", "e%20J", 1),
            Spoil::Short => token[..token.len() - 24].to_owned(),
            Spoil::Oversize => format!("{token}{}", "A".repeat(8 * 1024)),
            Spoil::Respelled => token.replace('A', "%41"),
        };
        Some(get(&format!("{before}sso_jwt={token}&{after}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("a secret of the partner's, number {number}, that is long enough for HS512"))
    }
}

pub struct OAuth1Subject;

impl OAuth1Subject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<oauth1::OAuth1<Value>> {
        oauth1::layer(oauth1::Origin::new("https://rp.example")).keys(keys).replay(replay).clock(clock)
    }
}

impl Subject for OAuth1Subject {
    const NAME: &'static str = "oauth1";
    const WINDOW: Option<(u64, u64)> = Some((300, 300));
    const IDEMPOTENT: bool = false;

    fn app_with(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).build().unwrap())
    }

    fn optional_app(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).optional().build().unwrap())
    }

    fn request(wish: &Wish) -> Request_ {
        let link = OAuthLink::new("https://rp.example/launch", wish.tenant, &Self::key(wish.key));
        let link = link.issued_at(wish.issued_at).nonce(format!("nonce of {}", wish.subject));
        get(&link.uri(&[("user", &wish.subject), ("b", "1")]).unwrap())
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, signature) = uri.split_once("oauth_signature=").unwrap();
        let first = if signature.starts_with('%') { 3 } else { 1 };
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let signature = match how {
            Spoil::Content => return Some(get(&uri.replace("user=", "user=x"))),
            Spoil::Signature => format!("{other}{}", &signature[first..]),
            Spoil::Twice => format!("{signature}&oauth_signature={signature}"),
            Spoil::Absent => return Some(get(before.split_once("&oauth_").unwrap().0)),
            Spoil::Alphabet => format!("%20{}", &signature[first..]),
            Spoil::Short => signature[..first + 10].to_owned(),
            Spoil::Oversize => format!("{signature}{signature}"),
            Spoil::Respelled => return Some(get(&uri.replace("oauth_nonce=n", "oauth%5fnonce=%6E"))),
        };
        Some(get(&format!("{before}oauth_signature={signature}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("consumer secret&/{number}"))
    }
}

#[cfg(feature = "shared-secret")]
pub struct SharedSecretSubject;

#[cfg(feature = "shared-secret")]
mod bearer {
    use futures::FutureExt;
    use http_body_util::BodyExt;
    use tower_sso::keys::{KeyStore, TenantId};
    use tower_sso::shared_secret::{self, SharedSecret, TokenDigest};
    use tower_sso::store::{StoreError, StoreFuture};

    use super::*;

    /// Keys that are digests, found by themselves.
    struct ByDigest(MemoryKeys);

    impl KeyStore for ByDigest {
        fn keys(&self, digest: &TenantId) -> StoreFuture<Result<Keys, StoreError>> {
            let wanted = TokenDigest::parse(digest.as_str()).unwrap().secret();
            let found = ["acme", "other"].map(TenantId::from).into_iter().flat_map(|tenant| {
                let keys = self.0.keys(&tenant).now_or_never().unwrap().unwrap();
                let own = keys.iter().filter(|key| *key.secret() == wanted).cloned();
                own.map(|key| key.owned_by(tenant.clone())).collect::<Vec<_>>()
            });
            StoreFuture::ready(Ok(found.collect()))
        }
    }

    fn layer(keys: MemoryKeys, clock: ManualClock) -> Builder<SharedSecret<Value>> {
        shared_secret::layer().keys(ByDigest(keys)).clock(clock)
    }

    fn token(number: usize) -> String {
        format!("private key {number}")
    }

    impl Subject for SharedSecretSubject {
        const NAME: &'static str = "shared_secret";
        const WINDOW: Option<(u64, u64)> = None;
        const IDEMPOTENT: bool = false;
        const BEARER: bool = true;

        fn app_with(keys: MemoryKeys, _: impl ReplayStore, clock: ManualClock) -> App {
            App::new(layer(keys, clock).build().unwrap())
        }

        fn optional_app(keys: MemoryKeys, _: impl ReplayStore, clock: ManualClock) -> App {
            App::new(layer(keys, clock).optional().build().unwrap())
        }

        fn request(wish: &Wish) -> Request_ {
            let token = if wish.tenant == "nobody" { "nobody's".to_owned() } else { token(wish.key) };
            let body = json!({"login": wish.subject, "token": token}).to_string();
            let request = Request::post("/autologin?b=1").header("content-type", "application/json");
            request.body(Full::new(body.into())).unwrap()
        }

        fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
            let (mut head, body) = request.into_parts();
            let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
            let mut body = String::from_utf8(body.into()).unwrap();
            let token = body.split_once("\"token\":").unwrap().1.trim_end_matches('}').to_owned();
            match how {
                // Nothing is signed.
                Spoil::Content => return None,
                Spoil::Signature => body = body.replace("private", "privatf"),
                Spoil::Twice => body = body.replace(&token, &format!("{token},\"token\":{token}")),
                Spoil::Absent => _ = head.headers.remove("content-type"),
                Spoil::Alphabet => body = body.replace(&token, "7"),
                Spoil::Short => body = body.replace("private key", "private"),
                Spoil::Oversize => body = body.replace(&token, &format!("\"{}\"", "x".repeat(64 * 1024))),
                Spoil::Respelled => body = body.replace("\"token\"", "\"t\\u006fken\""),
            }
            Some(Request::from_parts(head, Full::new(body.into())))
        }

        fn key(number: usize) -> Secret {
            TokenDigest::of(&token(number).into()).secret()
        }
    }
}

pub struct TimestampHashSubject;

impl Subject for TimestampHashSubject {
    const NAME: &'static str = "timestamp_hash";
    const WINDOW: Option<(u64, u64)> = Some((30, 5));
    const IDEMPOTENT: bool = false;

    fn app_with(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).build().unwrap())
    }

    fn optional_app(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).optional().build().unwrap())
    }

    fn request(wish: &Wish) -> Request_ {
        let link = HashedLink::new("/sso", lcvista::recipe(), &Self::key(wish.key));
        let (timestamp, email) = (wish.issued_at.as_secs().to_string(), format!("{}@example.com", wish.subject));
        get(&format!("{}&a=%zz&b=1", link.uri(&[&timestamp, &email, wish.tenant])))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, hash) = uri.split_once("hash=").unwrap();
        let (hash, after) = hash.split_at(40);
        let first = if hash.starts_with('0') { "1" } else { "0" };
        let hash = match how {
            Spoil::Content => return Some(get(&uri.replace("email=", "email=x"))),
            Spoil::Signature => format!("{first}{}", &hash[1..]),
            Spoil::Twice => format!("{hash}&hash={hash}"),
            Spoil::Absent => return Some(get(&format!("{before}{}", &after[1..]))),
            Spoil::Alphabet => format!("g{}", &hash[1..]),
            Spoil::Short => hash[..20].to_owned(),
            Spoil::Oversize => format!("{hash}{hash}"),
            Spoil::Respelled => hash.to_uppercase(),
        };
        Some(get(&format!("{before}hash={hash}{after}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("lcv secret&/{number}"))
    }
}

impl TimestampHashSubject {
    pub fn layer(
        keys: MemoryKeys,
        replay: impl ReplayStore,
        clock: ManualClock,
    ) -> Builder<timestamp_hash::TimestampHash<Value>> {
        let layer = timestamp_hash::layer(lcvista::recipe()).tenant(Tenant::query("slug"));
        layer.keys(keys).replay(replay).clock(clock)
    }
}

pub struct WebhookSubject;

impl WebhookSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<webhook::Webhook<Value>> {
        let tenant = Tenant::from_fn(|head| head.headers.get("x-tenant")?.to_str().ok().map(Into::into));
        webhook::layer().tenant(tenant).keys(keys).replay(replay).clock(clock).handler_remembers()
    }
}

impl Subject for WebhookSubject {
    const NAME: &'static str = "webhook";
    const WINDOW: Option<(u64, u64)> = None;
    const IDEMPOTENT: bool = true;

    fn app_with(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).build().unwrap())
    }

    fn optional_app(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> App {
        App::new(Self::layer(keys, replay, clock).optional().build().unwrap())
    }

    fn request(wish: &Wish) -> Request_ {
        let body = json!({"id": wish.subject, "at": wish.issued_at.as_secs()}).to_string();
        let call = SigningWebhook::new(Self::key(wish.key)).sign(body);
        let mut request = call.request("/hook?b=1").map(|body| Full::new(Bytes::from(body)));
        request.headers_mut().insert("x-tenant", HeaderValue::from_static(wish.tenant));
        request
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        const HEADER: HeaderName = HeaderName::from_static("webhook-signature");
        let (mut head, mut body) = request.into_parts();
        let signature = head.headers[HEADER].to_str().unwrap().to_owned();
        let mut set = |signature: &str| _ = head.headers.insert(HEADER, signature.parse().unwrap());
        match how {
            Spoil::Content => body = Full::new(Bytes::from_static(b"{\"id\":\"eve\"}")),
            Spoil::Signature => {
                let other = if signature.starts_with('0') { "1" } else { "0" };
                set(&format!("{other}{}", &signature[1..]));
            }
            Spoil::Twice => _ = head.headers.append(HEADER, signature.parse().unwrap()),
            Spoil::Absent => _ = head.headers.remove(HEADER),
            Spoil::Alphabet => set(&format!("g{}", &signature[1..])),
            Spoil::Short => set(&signature[..32]),
            Spoil::Oversize => body = Full::new(Bytes::from(vec![b' '; 64 * 1024 + 1])),
            Spoil::Respelled => set(&signature.to_uppercase()),
        }
        Some(Request::from_parts(head, body))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("webhook secret {number}"))
    }
}

pub fn get(uri: &str) -> Request_ {
    Request::get(uri).body(Full::default()).unwrap()
}

/// A build that must fail.
pub fn refused<T: std::fmt::Debug>(built: Result<T, ConfigError>) -> String {
    built.unwrap_err().to_string()
}

pub fn fenced_at(seconds: u64) -> MemoryReplay {
    MemoryReplay::builder().clock(ManualClock::at(UnixTime::from_secs(seconds))).build()
}
