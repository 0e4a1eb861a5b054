//! The key stores in memory, and the cache in front of a slow one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use tower_sso::clock::UnixTime;
use tower_sso::keys::{self, CachedKeys, FixedKeys, Key, KeyStore, KeyUse, Keys, MemoryKeys, Secret, TenantId};
use tower_sso::store::StoreError;

use crate::rotations::{GRACE, ROTATIONS, Rotations};

fn now(store: &impl KeyStore, tenant: &str) -> Keys {
    store.keys(&tenant.into()).now_or_never().expect("an answer at once").unwrap()
}

fn secrets(keys: &Keys) -> Vec<&str> {
    keys.iter().map(|key| std::str::from_utf8(key.secret().expose()).unwrap()).collect()
}

#[test]
fn fixed_keys_are_every_tenants() {
    let keys = FixedKeys::new(["new", "old"]);
    let found = now(&keys, "anyone");
    assert_eq!(secrets(&found), ["new", "old"]);
    assert_eq!(
        found.iter().map(tower_sso::keys::Key::key_use).collect::<Vec<_>>(),
        [KeyUse::Current, KeyUse::Previous]
    );
    assert!(found.iter().all(|key| key.is_active(UnixTime::MAX)));
}

#[test]
fn keys_in_memory_rotate() {
    for Rotations { why, made, seen_at, active } in ROTATIONS {
        let (store, start) = (MemoryKeys::new(), UnixTime::from_secs(1_700_000_000));
        let at = |seconds| start.plus(Duration::from_secs(seconds));
        for (seconds, secret) in *made {
            store.rotate("acme", *secret, at(*seconds).plus(GRACE));
        }
        let keys = now(&store, "acme");
        let found = keys.iter().filter(|key| key.is_active(at(*seen_at)));
        let found: Vec<_> =
            found.map(|key| (key.secret().expose_str().unwrap(), key.key_use(), key.not_after())).collect();
        let expected = active.iter().map(|(secret, end)| match end {
            None => (*secret, KeyUse::Current, UnixTime::MAX),
            Some(end) => (*secret, KeyUse::Previous, at(*end)),
        });
        assert_eq!(found, expected.collect::<Vec<_>>(), "{why}");
    }
}

#[test]
fn keys_in_memory_are_one_tenants() {
    let keys = MemoryKeys::new().with("acme", "one");
    assert!(now(&keys, "Acme").is_empty(), "names are not folded");
    keys.rotate("new", "one", UnixTime::MAX);
    assert_eq!(secrets(&now(&keys, "new")), ["one"]);
    keys.remove(&"acme".into());
    assert!(now(&keys, "acme").is_empty());
    assert_eq!(secrets(&now(&keys, "new")), ["one"]);
}

#[test]
fn a_rotation_never_lengthens_a_keys_life() {
    let ended = UnixTime::from_secs(100);
    let keys = MemoryKeys::new();
    keys.set("acme", [Key::previous("old".into(), ended).owned_by("Acme Inc.".into())].into_iter().collect());
    keys.rotate("acme", "new", UnixTime::MAX);
    let found = now(&keys, "acme");
    assert_eq!(secrets(&found), ["new", "old"]);
    assert_eq!(found[1].not_after(), ended, "what stood first was not current");
    assert_eq!(found[1].owner(), Some(&"Acme Inc.".into()), "and stays whose it is");
}

#[test]
fn a_tenant_has_few_keys_wherever_they_come_from() {
    let until = |seconds| UnixTime::from_secs(seconds);
    let listed = |keys: Vec<Key>| secrets(&keys.into_iter().collect()).join(" ");
    let previous = |secret: &str, seconds| Key::previous(secret.into(), until(seconds));
    let current = |secret: &str| Key::current(secret.into());
    for (given, expected, why) in [
        (
            vec![current("c"), previous("p1", 9), previous("p2", 8), previous("p3", 7)],
            "c p1 p2 p3",
            "as many as may be",
        ),
        (
            vec![current("c"), previous("p1", 5), previous("p2", 6), previous("p3", 7), previous("p4", 8)],
            "c p2 p3 p4",
            "the first to end goes, and the order stays",
        ),
        (
            vec![previous("p1", 5), previous("p2", 5), previous("p3", 5), previous("p4", 5), current("c")],
            "p1 p2 p3 c",
            "the current key stays wherever it stands; among equals the first listed stay",
        ),
        ((0..4_000).map(|n| previous(&n.to_string(), n)).chain([current("c")]).collect(), "3997 3998 3999 c", "many"),
        ((0..9).map(|n| current(&n.to_string())).collect(), "0 1 2 3", "a store that calls all of them current"),
    ] {
        assert_eq!(listed(given), expected, "{why}");
    }
    assert_eq!(Keys::MAX, 4);
}

/// A store behind a network that counts its queries.
#[derive(Clone)]
struct Slow {
    asked: Arc<AtomicUsize>,
    keys: MemoryKeys,
    down: Arc<AtomicUsize>,
}

impl Slow {
    fn new() -> Self {
        Self { asked: Arc::default(), keys: MemoryKeys::new().with("acme", "one"), down: Arc::default() }
    }

    fn store(&self) -> impl KeyStore + use<> {
        let this = self.clone();
        keys::from_fn(move |tenant: TenantId| {
            let this = this.clone();
            async move {
                tokio::task::yield_now().await;
                this.asked.fetch_add(1, Ordering::SeqCst);
                if this.down.load(Ordering::SeqCst) > 0 {
                    return Err(StoreError::new("connection refused"));
                }
                this.keys.keys(&tenant).await
            }
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_known_tenant_is_asked_for_once() {
    let slow = Slow::new();
    let cached = CachedKeys::new(slow.store());
    assert_eq!(secrets(&cached.keys(&"acme".into()).await.unwrap()), ["one"]);
    for _ in 0..10 {
        assert_eq!(secrets(&now(&cached, "acme")), ["one"], "from memory, at once");
    }
    assert_eq!(slow.asked(), 1);

    slow.keys.rotate("acme", "two", UnixTime::MAX);
    assert_eq!(secrets(&now(&cached, "acme")), ["one"], "not seen before its time");
    cached.forget(&"acme".into()).await;
    assert_eq!(secrets(&cached.keys(&"acme".into()).await.unwrap()), ["two", "one"]);
}

#[tokio::test]
async fn an_unknown_tenant_is_remembered_too_until_it_is_known() {
    let slow = Slow::new();
    let cached = CachedKeys::new(slow.store());
    for _ in 0..10 {
        assert!(cached.keys(&"nobody".into()).await.unwrap().is_empty());
    }
    assert_eq!(slow.asked(), 1);
    slow.keys.set("nobody", Secret::new("x").into());
    cached.forget(&"nobody".into()).await;
    assert_eq!(secrets(&cached.keys(&"nobody".into()).await.unwrap()), ["x"]);
}

#[tokio::test]
async fn a_flood_of_unknown_tenants_does_not_push_out_a_known_one() {
    let slow = Slow::new();
    let cached = CachedKeys::builder(slow.store()).capacity(10).build();
    cached.keys(&"acme".into()).await.unwrap();
    for number in 0..1_000 {
        cached.keys(&format!("made-up-{number}").into()).await.unwrap();
    }
    let asked = slow.asked();
    cached.keys(&"acme".into()).await.unwrap();
    assert_eq!(slow.asked(), asked);
}

#[tokio::test]
async fn lookups_at_the_same_time_are_one() {
    let slow = Slow::new();
    let cached = CachedKeys::new(slow.store());
    let tenant = TenantId::from("acme");
    let found = join_all((0..50).map(|_| cached.keys(&tenant))).await;
    assert!(found.into_iter().all(|keys| secrets(&keys.unwrap()) == ["one"]));
    assert_eq!(slow.asked(), 1);
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let slow = Slow::new();
    let cached = CachedKeys::new(slow.store());
    slow.down.store(1, Ordering::SeqCst);
    let error = cached.keys(&"acme".into()).await.unwrap_err();
    assert!(error.to_string().contains("connection refused"));
    slow.down.store(0, Ordering::SeqCst);
    assert_eq!(secrets(&cached.keys(&"acme".into()).await.unwrap()), ["one"]);

    // Cached keys are still served while the store is down.
    slow.down.store(1, Ordering::SeqCst);
    assert_eq!(secrets(&now(&cached, "acme")), ["one"]);
}

#[tokio::test]
async fn times_to_live_can_be_zero() {
    let slow = Slow::new();
    let zero = Duration::ZERO;
    let cached = CachedKeys::builder(slow.store()).time_to_live(zero).unknown_time_to_live(zero).build();
    for _ in 0..3 {
        cached.keys(&"acme".into()).await.unwrap();
        cached.keys(&"nobody".into()).await.unwrap();
    }
    assert_eq!(slow.asked(), 6);
}

#[tokio::test]
async fn a_name_that_is_too_long_is_unknown_without_being_kept_or_looked_up() {
    let slow = Slow::new();
    let cached = CachedKeys::new(slow.store());
    for (length, asked) in [(255, 1), (256, 1), (300_000, 1)] {
        let name = TenantId::from("x".repeat(length));
        assert!(cached.keys(&name).await.unwrap().is_empty());
        assert!(cached.keys_again(&name, &Keys::unknown_tenant()).is_none());
        assert_eq!(slow.asked(), asked, "{length}");
    }
}

#[tokio::test]
async fn any_time_to_live_builds() {
    let slow = Slow::new();
    let ever = Duration::MAX;
    let cached = CachedKeys::builder(slow.store()).time_to_live(ever).unknown_time_to_live(ever).ask_again_after(ever);
    let cached = cached.build();
    for _ in 0..3 {
        cached.keys(&"acme".into()).await.unwrap();
        cached.keys(&"nobody".into()).await.unwrap();
    }
    assert_eq!(slow.asked(), 2);
}

#[test]
fn secrets_do_not_show() {
    let secret = Secret::new("hunter2");
    let keys = MemoryKeys::new().with("acme", secret.clone());
    let shown = format!("{secret:?} {keys:?} {:?} {:?}", now(&keys, "acme"), FixedKeys::new([secret.clone()]));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("acme"));
}
