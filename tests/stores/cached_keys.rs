//! A layer with cached keys: rotations by other processes, forgeries, tenants that do not exist.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower_sso::clock::UnixTime;
use tower_sso::keys::{self, CachedKeys, CachedKeysBuilder, KeyStore, MemoryKeys, TenantId};
use tower_sso::store::StoreError;

use crate::support::subject::{FernetSubject, JwtSubject, Subject, Wish, get};
use crate::support::{App, Request_, clock, outcome, reason, replay};

/// A database that counts its queries. The application changes `keys`.
#[derive(Clone, Default)]
struct Database {
    keys: MemoryKeys,
    asked: Arc<AtomicUsize>,
    is_down: Arc<AtomicUsize>,
}

impl Database {
    fn cached(&self) -> CachedKeysBuilder {
        let this = self.clone();
        CachedKeys::builder(keys::from_fn(move |tenant: TenantId| {
            let this = this.clone();
            async move {
                tokio::task::yield_now().await;
                this.asked.fetch_add(1, Ordering::SeqCst);
                if this.is_down.load(Ordering::SeqCst) > 0 {
                    return Err(StoreError::new("connection refused"));
                }
                this.keys.keys(&tenant).await
            }
        }))
    }

    /// How many queries there were since the last call.
    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

fn app(cached: CachedKeysBuilder) -> App {
    App::new(FernetSubject::layer(MemoryKeys::new(), replay(), clock()).keys(cached.build()).build().unwrap())
}

fn link(tenant: &'static str, key: usize) -> Request_ {
    FernetSubject::request(&Wish { tenant, key, ..Wish::default() })
}

/// Every forgery may cause a query. The tests need this, as they cannot set the clock of the cache.
const AT_ONCE: Duration = Duration::ZERO;
const NEVER: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_key_that_another_process_rotated_works_at_once() {
    let database = Database::default();
    let app = app(database.cached().ask_again_after(AT_ONCE));
    database.keys.set("acme", FernetSubject::key(0).into());
    assert_eq!(outcome(&app.send(link("acme", 0)).await), "ok");
    assert_eq!(database.asked(), 1);

    database.keys.rotate("acme", FernetSubject::key(1), UnixTime::MAX);
    assert_eq!(outcome(&app.send(link("acme", 1)).await), "ok", "no cached key fitted, so the database was asked");
    assert_eq!(database.asked(), 1);
    assert_eq!(outcome(&app.send(link("acme", 1)).await), "ok");
    assert_eq!(outcome(&app.send(link("acme", 0)).await), "ok", "the previous one is known too");
    assert_eq!(database.asked(), 0, "what was learnt is kept");
}

#[tokio::test]
async fn nothing_is_remembered_for_longer_than_its_time_to_live() {
    for known in [true, false] {
        let database = Database::default();
        let cached = database.cached().ask_again_after(NEVER);
        let app = app(if known { cached.time_to_live(AT_ONCE) } else { cached.unknown_time_to_live(AT_ONCE) });
        if known {
            database.keys.set("acme", FernetSubject::key(0).into());
        }
        for _ in 0..2 {
            assert_eq!(outcome(&app.send(link("acme", 0)).await), if known { "ok" } else { "invalid" });
            assert!(database.asked() > 0, "known: {known}");
        }
    }
}

#[tokio::test]
async fn a_tenant_that_has_just_signed_up_works_at_once() {
    let database = Database::default();
    let app = app(database.cached().ask_again_after(AT_ONCE));
    assert_eq!(reason(&app.send(link("acme", 0)).await), "unknown_key");
    database.keys.set("acme", FernetSubject::key(0).into());
    database.asked();
    assert_eq!(outcome(&app.send(link("acme", 0)).await), "ok");
    assert_eq!(database.asked(), 1);
}

#[tokio::test]
async fn a_tenant_that_was_removed_is_forgotten_when_the_database_says_so() {
    let database = Database::default();
    let app = app(database.cached().ask_again_after(AT_ONCE));
    database.keys.set("acme", FernetSubject::key(0).into());
    assert_eq!(outcome(&app.send(link("acme", 0)).await), "ok");
    database.keys.remove(&"acme".into());
    assert_eq!(reason(&app.send(link("acme", 1)).await), "unknown_key");
    assert_eq!(reason(&app.send(link("acme", 0)).await), "unknown_key");
}

#[tokio::test]
async fn forgeries_ask_the_database_no_more_often_than_they_may() {
    let database = Database::default();
    database.keys.set("acme", FernetSubject::key(0).into());
    let app = app(database.cached().ask_again_after(NEVER));
    for tenant in ["acme", "nobody"] {
        for _ in 0..100 {
            assert_eq!(outcome(&app.send(link(tenant, 3)).await), "invalid");
        }
        assert_eq!(database.asked(), 1, "{tenant}");
    }
}

#[tokio::test]
async fn by_the_database_a_forger_cannot_tell_who_exists() {
    let database = Database::default();
    database.keys.set("acme", FernetSubject::key(0).into());
    let fernet = app(database.cached().ask_again_after(AT_ONCE));
    let asked = async |requests: [crate::support::Request_; 3], app: &App| {
        let mut asked = Vec::new();
        for request in requests {
            assert_eq!(outcome(&app.send(request).await), "invalid");
            asked.push(database.asked());
        }
        asked
    };
    let known = asked([link("acme", 3), link("acme", 3), link("acme", 2)], &fernet).await;
    assert_eq!(asked([link("nobody", 3), link("nobody", 3), link("nobody", 2)], &fernet).await, known);
    assert_eq!(known, [2, 1, 1], "with a bound on how soon it is asked again, the first would be 1");

    // For a tenant that exists, a token of another algorithm is refused before its signature is checked.
    let cached = database.cached().ask_again_after(AT_ONCE).build();
    let jwt = App::new(JwtSubject::layer(MemoryKeys::new(), replay(), clock()).keys(cached).build().unwrap());
    let token = |tenant| get(&format!("/page?tenant={tenant}&sso_jwt=eyJhbGciOiJIUzI1NiJ9.e30.{}", "A".repeat(86)));
    let known = asked(["acme"; 3].map(token), &jwt).await;
    assert_eq!(asked(["nobody"; 3].map(token), &jwt).await, known);
}

#[tokio::test]
async fn a_database_that_is_down_leaves_the_cached_keys_at_work() {
    let database = Database::default();
    database.keys.set("acme", FernetSubject::key(0).into());
    let app = app(database.cached().ask_again_after(AT_ONCE));
    assert_eq!(outcome(&app.send(link("acme", 0)).await), "ok");
    assert_eq!(outcome(&app.send(link("nobody", 0)).await), "invalid");
    database.is_down.store(1, Ordering::SeqCst);
    assert_eq!(outcome(&app.send(link("acme", 0)).await), "ok");
    for tenant in ["acme", "nobody"] {
        assert_eq!(outcome(&app.send(link(tenant, 3)).await), "unavailable", "a newer key may fit: {tenant}");
    }
}
