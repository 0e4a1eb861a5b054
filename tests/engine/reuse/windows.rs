//! Every setting that keeps a credential good for longer keeps it remembered for as long, at every layer.

use super::*;

fn send(app: &App, uri: &str) -> impl Future<Output = (&'static str, &'static str)> {
    let answer = app.send(get(uri));
    async move {
        let answer = answer.await;
        (outcome(&answer), reason(&answer))
    }
}

/// The maximum age of a token, and how long one without an end is remembered, are settings like the leeway.
#[tokio::test]
async fn a_tokens_age_is_a_window_too() {
    type Change = fn(Builder<Jwt<Value>>) -> Builder<Jwt<Value>>;
    let aged = json!({"aud": "rp", "iat": NOW});
    for (claims, short, long, later, why) in [
        (
            aged.clone(),
            (|layer| layer.max_age(secs(30))) as Change,
            (|layer| layer.max_age(secs(600))) as Change,
            100,
            "age",
        ),
        (
            json!({"aud": "rp", "iat": NOW, "exp": NOW + 600}),
            |layer| layer.max_age(secs(30)),
            |layer| layer,
            100,
            "exp",
        ),
        (
            json!({"aud": "rp"}),
            |layer| layer.danger_without_expiry(secs(60)),
            |layer| layer.danger_without_expiry(secs(86_400)),
            300,
            "no time at all",
        ),
    ] {
        let (store, time) = (MemoryReplay::builder().clock(clock()).danger_no_startup_cutoff().build(), clock());
        let app = |change: Change| App::new(change(by_jwt(store.clone(), &time)).build().unwrap());
        let (short, long) = (app(short), app(long));
        let link = format!("/?sso_jwt={}", token(claims));
        assert_eq!(send(&short, &link).await.0, "ok", "{why}");
        time.advance(secs(later));
        assert_ne!(send(&long, &link).await.0, "ok", "{why}");
    }
}

/// A store hears of all windows when the layers are built, not from the first credential under each.
#[tokio::test]
async fn an_old_link_under_a_long_window_is_honest_though_a_short_one_was_used_before() {
    let (store, time) = (replay(), clock());
    let keys = || MemoryKeys::new().with("1", KEY);
    let login = App::new(by_fernet(keys(), store.clone(), &time).build().unwrap());
    let mail = App::new(by_fernet(keys(), store, &time).max_age(secs(86_400)).build().unwrap());
    let link = |made: u64| {
        FernetLink::new("/", "1", &KEY.into()).issued_at(UnixTime::from_secs(made)).uri(&json!({"made": made})).unwrap()
    };
    assert_eq!(send(&login, &link(NOW)).await.0, "ok");
    time.advance(secs(3_600));
    assert_eq!(send(&mail, &link(NOW + 600)).await.0, "ok", "fifty minutes old, and never used");
}

/// If a clock is ahead, a link may be used before it was made.
#[tokio::test]
async fn a_window_that_is_raised_later_does_not_reach_back_by_the_skew() {
    let (store, time) = (replay(), clock());
    let app = |age| {
        App::new(by_fernet(MemoryKeys::new().with("1", KEY), store.clone(), &time).max_age(secs(age)).build().unwrap())
    };
    let ahead =
        FernetLink::new("/", "1", &KEY.into()).issued_at(UnixTime::from_secs(NOW + 50)).uri(&json!({})).unwrap();
    let short = app(10);
    assert_eq!(send(&short, &ahead).await.0, "ok");
    time.advance(secs(40));
    let long = app(600);
    time.advance(secs(60));
    assert_eq!(send(&long, &ahead).await.1, "forgotten");
}

/// A clock need not move between a use and a new layer.
#[tokio::test]
async fn a_window_that_is_raised_at_the_instant_of_a_use_does_not_reach_back_to_it() {
    let (store, time) = (replay(), clock());
    let app = |age| {
        let layer = by_fernet(MemoryKeys::new().with("1", KEY), store.clone(), &time).clock_skew(secs(0));
        App::new(layer.max_age(secs(age)).build().unwrap())
    };
    let link = FernetLink::new("/", "1", &KEY.into()).issued_at(UnixTime::from_secs(NOW)).uri(&json!({})).unwrap();
    let short = app(10);
    assert_eq!(send(&short, &link).await.0, "ok");
    let long = app(600);
    time.advance(secs(100));
    assert_eq!(send(&long, &link).await.1, "forgotten");
}

/// The application says whom a key belongs to; what was signed is the consumer's own name.
#[tokio::test]
async fn an_owner_is_no_part_of_what_was_signed() {
    let (store, time, keys) = (replay(), clock(), MemoryKeys::new().with("c1", "secret 1").with("c2", "secret 2"));
    let layer = oauth1::layer::<Value>(oauth1::Origin::new("https://rp.example"));
    let app = App::new(layer.keys(keys.clone()).replay(store).clock(time).build().unwrap());
    let link = |consumer: &str, secret: &str| {
        let link = OAuthLink::new("https://rp.example/", consumer, &secret.into()).issued_at(UnixTime::from_secs(NOW));
        link.nonce("12345678").uri(&[("user", "ada")]).unwrap()
    };
    assert_eq!(send(&app, &link("c1", "secret 1")).await.0, "ok");
    for (consumer, secret) in [("c1", "secret 1"), ("c2", "secret 2")] {
        keys.set(consumer, [Key::current(secret.into()).owned_by("org".into())].into_iter().collect());
    }
    assert_eq!(
        send(&app, &link("c1", "secret 1")).await.0,
        "replayed",
        "the same link, though its key has an owner now"
    );
    assert_eq!(send(&app, &link("c2", "secret 2")).await.0, "ok", "another consumer of the same owner");
}

/// A key stays the same key, however its text is written.
#[tokio::test]
async fn a_public_key_is_one_key_however_it_is_written() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let pem = pair.public_key_pem();
    let keys = MemoryKeys::new().with("a", pem.clone()).with("b", pem.trim_end()).with("c", pem.replace('\n', "\r\n"));
    let layer = jwt::layer::<Value>(Algorithm::ES256).audience("rp").tenant(Tenant::query("t")).keys(keys);
    let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
    let claims = json!({"aud": "rp", "iat": NOW, "exp": NOW + 60});
    let token = JwtSigner::new(Algorithm::ES256, &pair.serialize_pem().into()).unwrap().token(&claims).unwrap();
    for (tenant, expected) in [("a", "ok"), ("b", "replayed"), ("c", "replayed")] {
        assert_eq!(send(&app, &format!("/?t={tenant}&sso_jwt={token}")).await.0, expected, "{tenant}");
    }
}

#[test]
fn a_rotated_key_keeps_its_owner() {
    let keys = MemoryKeys::new();
    keys.set("www.acme.example", [Key::current("one".into()).owned_by("acme".into())].into_iter().collect());
    keys.rotate("www.acme.example", "two", UnixTime::from_secs(NOW));
    let known = tower_sso::keys::KeyStore::known_keys(&keys).unwrap();
    assert!(known.iter().all(|key| key.owner() == Some(&"acme".into())), "{known:?}");
}
