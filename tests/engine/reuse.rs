//! A used credential stays used: at another layer, under another name of its key, and after a restart.

mod signed_times;
mod windows;

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::fernet::{self, Fernet};
use tower_sso::jwt::{self, Algorithm, Jwt};
use tower_sso::keys::{self, Key, Keys, MemoryKeys, Secret, TenantId};
use tower_sso::providers::lcvista;
use tower_sso::replay::{MemoryReplay, ReplayStore};
use tower_sso::sign::{FernetLink, HashedLink, JwtSigner, OAuthLink, SigningWebhook};
use tower_sso::tenant::Tenant;
use tower_sso::{Builder, ConfigError, ConfigProblem};
use tower_sso::{oauth1, timestamp_hash, webhook};

use crate::support::subject::{get, store_since};
use crate::support::{App, NOW, Request_, clock, outcome, reason, replay, secs};

const KEY: &str = "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=";
const SECRET: &str = "a secret of the partner's that is long enough for HS512, to be sure, and then some";

fn by_fernet(keys: MemoryKeys, replay: impl ReplayStore, clock: &ManualClock) -> Builder<Fernet<Value>> {
    fernet::layer().keys(keys).replay(replay).clock(clock.clone())
}

fn by_jwt(replay: impl ReplayStore, clock: &ManualClock) -> Builder<Jwt<Value>> {
    let layer = jwt::layer(Algorithm::HS512).audience("rp").secrets([SECRET]);
    layer.tenant(Tenant::fixed("acme")).replay(replay).clock(clock.clone())
}

fn token(claims: Value) -> String {
    JwtSigner::new(Algorithm::HS512, &SECRET.into()).unwrap().token(&claims).unwrap()
}

/// A layer of each form, with a short and a long window, and a credential for both; how long the short one takes it.
fn short_and_long(replay: &MemoryReplay, clock: &ManualClock) -> Vec<(&'static str, App, App, Request_, u64)> {
    let (now, keys) = (UnixTime::from_secs(NOW), || MemoryKeys::new().with("acme", KEY));
    let of = |store: &MemoryReplay| store.clone();

    let fernet = |age| App::new(by_fernet(keys(), of(replay), clock).max_age(secs(age)).build().unwrap());
    let link = FernetLink::new("/", "acme", &KEY.into()).issued_at(now).uri(&json!({})).unwrap();

    let jwt = |leeway| App::new(by_jwt(of(replay), clock).leeway(secs(leeway)).build().unwrap());
    let claims = json!({"aud": "rp", "iat": NOW, "exp": NOW + 30});

    let hash = |age| {
        let layer = timestamp_hash::layer::<Value>(lcvista::recipe()).tenant(Tenant::fixed("acme")).secrets([SECRET]);
        App::new(layer.max_age(secs(age)).replay(of(replay)).clock(clock.clone()).build().unwrap())
    };
    let hashed =
        HashedLink::new("/", lcvista::recipe(), &SECRET.into()).uri(&[&NOW.to_string(), "a@b.example", "acme"]);

    let oauth = |window| {
        let layer = oauth1::layer::<Value>(oauth1::Origin::new("https://rp.example")).window(secs(window));
        App::new(layer.keys(keys()).replay(of(replay)).clock(clock.clone()).build().unwrap())
    };
    let launch = OAuthLink::new("https://rp.example/", "acme", &KEY.into()).issued_at(now).nonce("1");

    let hook = |age| {
        let layer = webhook::layer::<Value>().secrets([SECRET]).signed("{timestamp}.{body}");
        let layer = layer.timestamp_header(http::HeaderName::from_static("x-time")).max_age(secs(age));
        App::new(layer.replay(of(replay)).clock(clock.clone()).build().unwrap())
    };
    let signature = SigningWebhook::new(SECRET.into()).signature(&[NOW.to_string().as_bytes(), b".", b"{}"]);
    let call = Request::post("/").header("content-type", "application/json").header("x-time", NOW);
    let call = call.header("webhook-signature", signature).body(Full::from("{}")).unwrap();

    let mut all = vec![
        ("fernet", fernet(30), fernet(600), get(&link), 30),
        ("jwt", jwt(0), jwt(60), get(&format!("/?sso_jwt={}", token(claims))), 30),
        ("timestamp_hash", hash(30), hash(300), get(&hashed), 30),
        ("oauth1", oauth(60), oauth(300), get(&launch.uri(&[("user", "ada")]).unwrap()), 60),
        ("webhook", hook(30), hook(600), call, 30),
    ];
    all.extend(signed_times::short_and_long(replay, clock));
    all
}

/// The store keeps an entry for the longest window, not for that of the layer that made it.
#[tokio::test]
async fn a_longer_window_elsewhere_does_not_let_a_used_credential_in() {
    let (store, time) = (replay(), clock());
    for (form, short, long, credential, window) in short_and_long(&store, &time) {
        time.set(UnixTime::from_secs(NOW));
        assert_eq!(outcome(&short.send(credential.clone()).await), "ok", "{form}");
        // With the short layer's window alone, the entry would be gone.
        time.advance(secs(window + 4));
        assert_eq!(outcome(&short.send(credential.clone()).await), "expired", "{form}");
        long.send(credential.clone()).await;
        assert_eq!(long.inner.calls(), 0, "{form}");
    }
}

/// The first layer's entries are kept for its own window. Then the app is rebuilt with a longer one.
#[tokio::test]
async fn a_window_that_is_raised_later_does_not_reach_back() {
    let (store, time) = (replay(), clock());
    let layer = |age| {
        App::new(by_fernet(MemoryKeys::new().with("1", KEY), store.clone(), &time).max_age(secs(age)).build().unwrap())
    };
    let link = |made: u64| {
        let link =
            FernetLink::new("/", "1", &KEY.into()).issued_at(UnixTime::from_secs(made)).uri(&json!({"made": made}));
        get(&link.unwrap())
    };
    let (used, used_late) = (link(NOW), link(NOW + 5));
    let before = layer(60);
    assert_eq!(outcome(&before.send(used.clone()).await), "ok");
    time.set(UnixTime::from_secs(NOW + 65));
    assert_eq!(outcome(&before.send(used_late.clone()).await), "ok");

    time.set(UnixTime::from_secs(NOW + 90));
    let after = layer(300);
    assert_eq!(reason(&after.send(used).await), "forgotten", "used and forgotten");
    assert_eq!(outcome(&after.send(used_late).await), "replayed", "used and remembered");
    assert_eq!(outcome(&after.send(link(NOW + 50)).await), "ok", "its entry would not have ended yet");
    assert_eq!(outcome(&after.send(link(NOW + 90)).await), "ok", "made since");
}

#[tokio::test]
async fn a_token_that_does_not_say_when_it_was_made_is_good_once_across_a_restart() {
    // Default settings: it may live for 15 minutes, with a minute of leeway.
    for claims in [json!({"aud": "rp", "exp": NOW + 16 * 60}), json!({"aud": "rp", "exp": NOW + 300, "nbf": NOW + 45})]
    {
        let (time, link) = (clock(), format!("/?sso_jwt={}", token(claims)));
        let first = App::new(by_jwt(store_since(NOW - 3_600), &time).build().unwrap());
        assert_eq!(outcome(&first.send(get(&link)).await), "ok");
        time.advance(secs(30));
        let restarted = App::new(by_jwt(store_since(NOW + 30), &time).build().unwrap());
        assert_eq!(reason(&restarted.send(get(&link)).await), "before_cutoff");
    }
}

/// One key has several names, and the sender of a link chooses among them.
#[tokio::test]
async fn aliases_of_a_key_share_its_logins() {
    let time = clock();
    let link = FernetLink::new("/", "1", &KEY.into()).issued_at(UnixTime::from_secs(NOW)).uri(&json!({})).unwrap();
    let named = |name: &str| get(&link.replace("company_id=1", &format!("company_id={name}")));

    let keys = MemoryKeys::new().with("1", KEY).with("2", KEY);
    let app = App::new(by_fernet(keys, replay(), &time).build().unwrap());
    assert_eq!(outcome(&app.send(named("1")).await), "ok");
    assert_eq!(outcome(&app.send(named("2")).await), "replayed");
    assert_eq!(outcome(&app.send(named("1")).await), "replayed");

    let anyone = keys::from_fn(|_: TenantId| async { Ok::<_, std::io::Error>(Keys::from(Secret::new(KEY))) });
    let layer = fernet::layer::<Value>().keys(anyone).replay(replay()).clock(time.clone());
    let app = App::new(layer.build().unwrap());
    assert_eq!(outcome(&app.send(named("1")).await), "ok");
    assert_eq!(outcome(&app.send(named("anything")).await), "replayed", "a closure that ignores the name");

    // Here the name is fixed by the layer, and each layer has another.
    let (store, token) = (replay(), token(json!({"aud": "rp", "iat": NOW, "exp": NOW + 60})));
    for (tenant, expected) in [("default", "ok"), ("acme", "replayed")] {
        let app = App::new(by_jwt(store.clone(), &time).tenant(Tenant::fixed(tenant)).build().unwrap());
        assert_eq!(outcome(&app.send(get(&format!("/?sso_jwt={token}"))).await), expected, "{tenant}");
    }
}

/// Two tenants may send the same message; neither uses the other's up.
#[tokio::test]
async fn the_same_words_of_two_tenants_are_two_credentials() {
    let time = clock();
    let keys = MemoryKeys::new().with("a", "the secret of a").with("b", "the secret of b");
    let layer = oauth1::layer::<Value>(oauth1::Origin::new("https://rp.example"));
    let app = App::new(layer.keys(keys).replay(replay()).clock(time).build().unwrap());
    for tenant in ["a", "b"] {
        let link = OAuthLink::new("https://rp.example/", tenant, &Secret::new(format!("the secret of {tenant}")));
        let link = link.issued_at(UnixTime::from_secs(NOW)).nonce("12345678").uri(&[("user", "ada")]).unwrap();
        assert_eq!(outcome(&app.send(get(&link)).await), "ok", "{tenant}");
    }
}

/// What is accepted for ever is remembered for ever, and fills the store.
#[test]
fn windows_have_a_bound() {
    let (time, month) = (clock(), secs(31 * 86_400));
    let fernet = |age| by_fernet(MemoryKeys::new().with("1", KEY), replay(), &time).max_age(age).build().map(drop);
    let skewed = |skew| by_fernet(MemoryKeys::new().with("1", KEY), replay(), &time).clock_skew(skew).build().map(drop);
    let hash = |age| {
        let layer = timestamp_hash::layer::<Value>(lcvista::recipe()).tenant(Tenant::fixed("acme")).secrets([SECRET]);
        layer.max_age(age).replay(replay()).build().map(drop)
    };
    let oauth = |window| {
        let layer = oauth1::layer::<Value>(oauth1::Origin::new("https://rp.example")).secrets([SECRET]);
        layer.window(window).replay(replay()).build().map(drop)
    };
    let hook = |age| {
        webhook::layer::<Value>().secrets([SECRET]).handler_remembers().max_age(age).replay(replay()).build().map(drop)
    };
    let all: [(&str, &dyn Fn(std::time::Duration) -> Result<(), ConfigError>); 5] =
        [("fernet", &fernet), ("skew", &skewed), ("timestamp_hash", &hash), ("oauth1", &oauth), ("webhook", &hook)];
    for (form, build) in all {
        assert_eq!(build(month), Ok(()), "{form}");
        assert!(build(month + secs(1)).unwrap_err().to_string().contains("31 days"), "{form}");
    }
    for ((form, built), (_, refused)) in
        signed_times::bounded(month).into_iter().zip(signed_times::bounded(month + secs(1)))
    {
        assert_eq!(built, Ok(()), "{form}");
        assert!(refused.unwrap_err().to_string().contains("31 days"), "{form}");
    }
}

/// An ECDSA signature has several spellings, so the content counts, together with the key's owner.
#[tokio::test]
async fn the_same_words_under_two_public_keys_are_two_credentials() {
    let pair = || rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let (a, b) = (pair(), pair());
    let keys = MemoryKeys::new().with("a", a.public_key_pem()).with("b", b.public_key_pem());
    let layer = jwt::layer::<Value>(Algorithm::ES256).audience("rp").tenant(Tenant::query("t")).keys(keys);
    let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
    let claims = json!({"aud": "rp", "iat": NOW, "exp": NOW + 60, "sub": "ada"});
    let signed = |pair: &rcgen::KeyPair| {
        JwtSigner::new(Algorithm::ES256, &pair.serialize_pem().into()).unwrap().token(&claims).unwrap()
    };
    for (tenant, pair) in [("a", &a), ("b", &b)] {
        let link = || format!("/?t={tenant}&sso_jwt={}", signed(pair));
        assert_eq!(outcome(&app.send(get(&link())).await), "ok", "{tenant}");
        assert_eq!(outcome(&app.send(get(&link())).await), "replayed", "signed again: {tenant}");
    }
}

/// `danger_remember_for` is about how long, not about restarts.
#[test]
fn a_bound_on_memory_does_not_allow_to_forget() {
    let layer = || webhook::layer::<Value>().secrets(["a webhook's secret"]).replay(replay());
    assert_eq!(layer().danger_remember_for(secs(60)).build().unwrap_err().problem(), &ConfigProblem::ForgetsOnRestart);
    assert!(layer().danger_remember_for(secs(60)).danger_forgets_on_restart().build().is_ok());
    assert!(layer().handler_remembers().build().is_ok());
}
