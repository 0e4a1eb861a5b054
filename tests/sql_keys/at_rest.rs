//! Encrypted secrets, the audit, and the last use.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::body::LayerBody;
use tower_sso::clock::UnixTime;
use tower_sso::keys::sql::Rotation::{Created, Rotated};
use tower_sso::keys::sql::{MasterKeys, SqlKeyError, SqlKeyStore};
use tower_sso::keys::{KeyStore, TenantId};
use tower_sso::rejection::StoreFailure;
use tower_sso::replay::MemoryReplay;
use tower_sso::sign::SigningWebhook;
use tower_sso::tenant::Tenant;
use tower_sso::webhook;

use crate::world::{Driver, GRACE, NOW, PATIENCE, World, credential, current, previous, shown};

pub const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8=";

fn under<DB: Driver>(world: &World<DB>, keys: &str) -> SqlKeyStore<DB> {
    world.keys.clone().master_keys(MasterKeys::parse(keys).unwrap())
}

/// How many secrets are stored readable, wherever in the tables they are.
async fn readable<DB: Driver>(world: &World<DB>, secret: &str) -> usize {
    let mut found = 0;
    for stored in world.stored().await {
        found += usize::from(stored.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
    found
}

fn master_key(started: Result<(), SqlKeyError>) -> String {
    match started.unwrap_err() {
        SqlKeyError::MasterKey(what) => what.to_owned(),
        other => panic!("{other:?}"),
    }
}

pub async fn encrypted_secrets_are_keys_like_others<DB: Driver>(world: World<DB>) {
    let keys = under(&world, ONE);
    keys.migrate().await.unwrap();
    assert_eq!(keys.rotate(&"acme".into(), &"first-secret".into(), credential("1")).await.unwrap(), Created);
    assert_eq!(keys.rotate(&"acme".into(), &"second-secret".into(), credential("2")).await.unwrap(), Rotated);
    assert_eq!(shown(&keys, "acme").await, [current("second-secret"), previous("first-secret", NOW.plus(GRACE))]);
    assert_eq!(readable(&world, "-secret").await, 0);
    let again = keys.rotate(&"acme".into(), &"first-secret".into(), credential("3")).await.unwrap();
    assert_eq!(again, Rotated, "a previous key may become current again");
    assert_eq!(shown(&keys, "acme").await[0], current("first-secret"));
    let error = keys.rotate(&"evil".into(), &"first-secret".into(), credential("4")).await.unwrap_err();
    assert!(matches!(error, SqlKeyError::OwnedByAnotherTenant), "{error:?}");
    let listed = keys.keys_of(&"acme".into()).await.unwrap();
    assert!(listed.iter().all(|key| key.is_encrypted) && listed.len() == 2, "{listed:?}");
    keys.end_previous(&"acme".into()).await.unwrap();
    assert_eq!(shown(&keys, "acme").await, [current("first-secret")]);
    keys.remove(&"acme".into()).await.unwrap();
    assert_eq!(shown(&keys, "acme").await, []);
}

pub async fn an_old_database_is_encrypted_when_it_is_opened<DB: Driver>(world: World<DB>) {
    world.given("acme", "first-secret", "1").await;
    world.given("acme", "second-secret", "2").await;
    world.given("other", "third-secret", "3").await;
    let waggl = SqlKeyStore::new(world.pool.clone(), "waggl").clock(world.clock.clone());
    assert_eq!(waggl.rotate(&"acme".into(), &"waggls-secret".into(), credential("9")).await.unwrap(), Created);
    let before = (world.keys("acme").await, world.keys("other").await);
    assert_eq!(readable(&world, "-secret").await, 4);

    let keys = under(&world, ONE);
    let error = keys.keys(&"acme".into()).await.unwrap_err();
    assert_eq!(error.failure(), StoreFailure::Failed, "not before `migrate`: 503, never an unknown tenant");
    keys.migrate().await.unwrap();
    assert_eq!((shown(&keys, "acme").await, shown(&keys, "other").await), before);
    assert_eq!(readable(&world, "-secret").await, 1, "another partner's store has no master keys");
    assert_eq!(shown(&waggl, "acme").await, [current("waggls-secret")]);

    // A process that has no master key yet.
    assert_eq!(world.rotate("more", "fourth-secret", "4").await, Created);
    assert_eq!(readable(&world, "-secret").await, 2);
    let (one, other) = (under(&world, ONE), under(&world, ONE));
    let (one, other) = tokio::join!(one.migrate(), other.migrate());
    one.and(other).unwrap();
    assert_eq!(readable(&world, "-secret").await, 1);
    assert_eq!(shown(&keys, "more").await, [current("fourth-secret")]);
    let encrypted = keys.changes(None, 100).await.unwrap().into_iter().filter(|change| change.what == "encrypted");
    assert_eq!(encrypted.count(), 4, "each key once, however many processes start");
}

pub async fn an_interrupted_encryption_goes_on<DB: Driver>(world: World<DB>) {
    for number in 0..20 {
        world.given(&format!("tenant {number}"), &format!("{number}-secret"), &number.to_string()).await;
    }
    let keys = under(&world, ONE);
    let mut left = Vec::new();
    for steps in 0..20 {
        let stop = async {
            for _ in 0..steps * steps {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { done = keys.migrate() => done.unwrap(), () = stop => {} }
        left.push(readable(&world, "-secret").await);
    }
    assert!(left.is_sorted_by(|before, after| before >= after), "{left:?}");
    keys.migrate().await.unwrap();
    assert_eq!(readable(&world, "-secret").await, 0);
    for number in 0..20 {
        assert_eq!(shown(&keys, &format!("tenant {number}")).await, [current(&format!("{number}-secret"))]);
    }
}

pub async fn a_missing_master_key_is_an_error_at_the_start<DB: Driver>(world: World<DB>) {
    world.given("plain", "first-secret", "1").await;
    let keys = under(&world, ONE);
    keys.migrate().await.unwrap();
    assert_eq!(world.rotate("later", "second-secret", "2").await, Created);
    let stored = world.stored().await;

    let why = master_key(world.keys.migrate().await);
    assert!(why.contains("no master key") && why.contains("give the one"), "{why}");
    let wrong = under(&world, TWO);
    let why = master_key(wrong.migrate().await);
    assert!(why.contains("not among") && why.contains("add it"), "{why}");
    assert_eq!(world.stored().await, stored, "nothing was encrypted under the wrong key");
    for store in [&world.keys, &wrong] {
        let error = store.keys(&"plain".into()).await.unwrap_err();
        assert_eq!(error.failure(), StoreFailure::Failed, "503, never 401");
    }
    assert_eq!(shown(&world.keys, "later").await, [current("second-secret")]);
}

pub async fn a_new_master_key_takes_over<DB: Driver>(world: World<DB>) {
    let old = under(&world, ONE);
    for number in 0..3 {
        let (tenant, secret) = (format!("tenant {number}"), format!("secret {number}"));
        let created = old.rotate(&tenant.into(), &secret.into(), credential(&number.to_string())).await.unwrap();
        assert_eq!(created, Created);
    }
    let both = under(&world, &format!("{ONE}\n{TWO}"));
    both.migrate().await.unwrap();
    assert_eq!(shown(&old, "tenant 0").await, [current("secret 0")], "the first still encrypts");

    let new_first = under(&world, &format!("{TWO}\n{ONE}"));
    let rotated = new_first.rotate(&"tenant 0".into(), &"secret 9".into(), credential("9")).await.unwrap();
    assert_eq!(rotated, Rotated);
    assert_eq!(shown(&both, "tenant 0").await[0], current("secret 9"), "a process of the deployment before");
    assert!(master_key(under(&world, TWO).migrate().await).contains("not among"), "too early");
    new_first.migrate().await.unwrap();
    let new = under(&world, TWO);
    new.migrate().await.unwrap();
    for (tenant, secret) in [("tenant 0", "secret 9"), ("tenant 1", "secret 1"), ("tenant 2", "secret 2")] {
        assert_eq!(shown(&new, tenant).await[0], current(secret));
        assert!(old.keys(&tenant.into()).await.is_err());
    }
}

pub async fn an_encrypted_secret_is_worthless_in_another_row<DB: Driver>(world: World<DB>) {
    let keys = under(&world, ONE);
    assert_eq!(keys.rotate(&"acme".into(), &"acmes".into(), credential("1")).await.unwrap(), Created);
    assert_eq!(keys.rotate(&"evil".into(), &"evils".into(), credential("2")).await.unwrap(), Created);
    world
        .look(
            "UPDATE tower_sso_keys SET secret = (SELECT secret FROM tower_sso_keys WHERE tenant = 'evil') \
             WHERE tenant = 'acme'",
        )
        .await;
    let error = keys.keys(&"acme".into()).await.unwrap_err();
    assert_eq!(error.failure(), StoreFailure::Failed);
    assert!(error.to_string().contains("moved here from another row"), "{error}");
    // Nor does a readable one count.
    let readable = match world.url.starts_with("sqlite:") {
        true => "UPDATE tower_sso_keys SET secret = X'6576696c73' WHERE tenant = 'acme'",
        false => r"UPDATE tower_sso_keys SET secret = '\x6576696c73' WHERE tenant = 'acme'",
    };
    world.look(readable).await;
    assert!(keys.keys(&"acme".into()).await.unwrap_err().to_string().contains("call `migrate`"));
    assert_eq!(shown(&keys, "evil").await, [current("evils")]);
}

pub async fn a_spoilt_secret_shuts_out_no_other_tenant<DB: Driver>(world: World<DB>) {
    let old = under(&world, ONE);
    for (tenant, secret) in [("acme", "acmes"), ("spoilt", "spoilts")] {
        assert_eq!(old.rotate(&tenant.into(), &secret.into(), credential(tenant)).await.unwrap(), Created);
    }
    world
        .look(
            "UPDATE tower_sso_keys SET secret = (SELECT secret FROM tower_sso_keys WHERE tenant = 'acme') \
             WHERE tenant = 'spoilt'",
        )
        .await;
    let keys = under(&world, &format!("{TWO} {ONE}"));
    keys.migrate().await.unwrap();
    assert_eq!(shown(&under(&world, TWO), "acme").await, [current("acmes")]);
    assert_eq!(keys.keys(&"spoilt".into()).await.unwrap_err().failure(), StoreFailure::Failed);
    keys.remove(&"spoilt".into()).await.unwrap();
    under(&world, TWO).migrate().await.unwrap();
}

pub async fn changes_are_recorded_with_who_made_them<DB: Driver>(world: World<DB>) {
    world.given("acme", "k1-secret", "1").await;
    let ada = world.keys.clone().acting_as("ada\0@\nops");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(ada.rotate(&"acme".into(), &"k2-secret".into(), credential("2")).await.unwrap(), Rotated);
    world.refused("evil", "k1-secret", "3").await;
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(1));
        ada.end_previous(&"acme".into()).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(1));
    ada.remove(&"acme".into()).await.unwrap();
    ada.remove(&"nobody".into()).await.unwrap();
    world.given("other", "k9-secret", "9").await;

    let changes = world.keys.changes(Some(&"acme".into()), 10).await.unwrap();
    let told: Vec<_> = changes.iter().map(|change| (&*change.who, &*change.what, change.key.is_some())).collect();
    let expected = [
        ("ada@ops", "removed", false),
        ("ada@ops", "previous ended", false),
        ("ada@ops", "rotated", true),
        ("application", "created", true),
    ];
    assert_eq!(told, expected, "the newest first; what changed nothing is not there");
    assert_eq!(changes[3].at, NOW);
    assert_eq!(world.keys.changes(None, 10).await.unwrap().len(), 5);
    assert_eq!(world.keys.changes(None, 2).await.unwrap().len(), 2);
    assert!(!format!("{changes:?}").contains("-secret"));
}

pub async fn tenants_are_listed_by_pages<DB: Driver>(world: World<DB>) {
    for (number, tenant) in ["", "a", "b", "c"].into_iter().enumerate() {
        world.given(tenant, &format!("k{number}"), &number.to_string()).await;
    }
    world.given("a", "more", "more").await;
    world.keys.remove(&"c".into()).await.unwrap();
    let (mut found, mut last) = (Vec::new(), None);
    loop {
        let page = world.keys.tenants(last.as_ref(), 2).await.unwrap();
        let Some(tenant) = page.last() else { break };
        last = Some(tenant.clone());
        found.extend(page);
    }
    assert_eq!(found.iter().map(TenantId::as_str).collect::<Vec<_>>(), ["", "a", "b"]);
}

pub async fn the_last_use_is_noted_to_the_minute<DB: Driver>(world: World<DB>) {
    let keys = world.keys.clone().note_last_use(DB::connect(&world.url).await);
    world.given("acme", "k1", "1").await;
    world.given("acme", "k2", "2").await;
    let send = async |secret: &str, seconds: u64| {
        let at = NOW.plus(Duration::from_secs(seconds));
        world.clock.set(at);
        (answer(&world, &keys, secret).await, Some(at))
    };

    assert_eq!(send("another", 1).await.0, 401);
    let (status, first) = send("k1", 5).await;
    assert_eq!(status, 200);
    until(&world, [None, first]).await;
    assert_eq!(send("k1", 64).await.0, 200, "within a minute");
    let (_, second) = send("k2", 64).await;
    until(&world, [second, first]).await;
    let (_, third) = send("k1", 65).await;
    until(&world, [second, third]).await;
}

pub async fn a_database_that_is_gone_does_not_keep_a_request_from_its_key<DB: Driver>(world: World<DB>) {
    let notes = DB::connect(&world.url).await;
    let keys = world.keys.clone().note_last_use(notes.clone());
    world.given("acme", "k1", "1").await;
    notes.close().await;
    assert_eq!(answer(&world, &keys, "k1").await, 200);
}

/// A layer's answer to a webhook that is signed with this secret.
async fn answer<DB: Driver>(world: &World<DB>, keys: &SqlKeyStore<DB>, secret: &str) -> u16 {
    let layer = webhook::layer::<Value>().tenant(Tenant::fixed("acme")).keys(keys.clone());
    let layer = layer.replay(MemoryReplay::new()).handler_remembers().clock(world.clock.clone()).build().unwrap();
    let inner = service_fn(|_: Request<LayerBody<Full<Bytes>>>| async { Ok::<_, Infallible>(Response::new(())) });
    let call = SigningWebhook::new(secret.into()).sign("{}");
    let request = call.request("/hook").map(|body| Full::new(Bytes::from(body)));
    layer.layer(inner).oneshot(request).await.unwrap().status().as_u16()
}

async fn last_uses<DB: Driver>(world: &World<DB>) -> Vec<Option<UnixTime>> {
    world.keys.keys_of(&"acme".into()).await.unwrap().into_iter().map(|key| key.last_used).collect()
}

/// A task writes it, a second later.
async fn until<DB: Driver>(world: &World<DB>, expected: [Option<UnixTime>; 2]) {
    let asked = Instant::now();
    while last_uses(world).await != expected {
        assert!(asked.elapsed() < PATIENCE, "{:?}", last_uses(world).await);
        tokio::task::yield_now().await;
    }
}
