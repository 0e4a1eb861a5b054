//! What `explain` finds out with the keys in a database.

use bytes::Bytes;
use serde_json::Value;
use tower_sso::keys::sql::{MasterKeys, Rotation, SqlKeyStore};
use tower_sso::keys::{CachedKeys, Key, KeyStore, TenantId};
use tower_sso::replay::MemoryReplay;
use tower_sso::sign::SigningWebhook;
use tower_sso::tenant::Tenant;
use tower_sso::{explain, webhook};

use crate::at_rest::ONE;
use crate::world::{Driver, GRACE, NANOSECOND, World, credential};

pub async fn stored_keys_explain_a_refusal<DB: Driver>(world: World<DB>) {
    explains(&world, world.keys.clone()).await;
}

pub async fn encrypted_keys_explain_a_refusal<DB: Driver>(world: World<DB>) {
    let keys = world.keys.clone().master_keys(MasterKeys::parse(ONE).unwrap());
    keys.migrate().await.unwrap();
    explains(&world, keys).await;
    assert_eq!(names(&world.keys, None, 10).await, [""; 0], "unreadable ones are left out");
}

async fn explains<DB: Driver>(world: &World<DB>, keys: SqlKeyStore<DB>) {
    for (tenant, secret) in [("acme", "first-secret"), ("acme", "second-secret"), ("globex", "secret-of-globex")] {
        assert_ne!(keys.rotate(&tenant.into(), &secret.into(), credential(secret)).await.unwrap(), Rotation::Repeated);
    }
    world.clock.advance(GRACE + NANOSECOND);
    // The cache asks the store behind it.
    let layer = webhook::layer::<Value>().tenant(Tenant::path_segment(0)).keys(CachedKeys::new(keys.clone()));
    let layer = layer.replay(MemoryReplay::new()).handler_remembers().clock(world.clock.clone()).build().unwrap();
    for (path, secret, cause) in [
        ("/acme", "first-secret", "a key that has ended"),
        ("/acme", "second-secret\n", "ends with a line feed"),
        ("/acme", "secret-of-globex", "the key of tenant \"globex\""),
        ("/initech", "secret-of-globex", "(by Tenant::path_segment(0)); it was made with the key of tenant \"globex\""),
        ("/ACME", "second-secret", "one of the name \"acme\""),
    ] {
        let (head, body) = SigningWebhook::new(secret.into()).sign("{}").request(path).into_parts();
        let explanation = explain::request(&layer, &head, &Bytes::from(body)).await;
        let said = explanation.cause().unwrap_or_default().to_lowercase();
        assert!(said.contains(&cause.to_lowercase()), "{path}: {cause}\n{explanation}");
        assert!(!explanation.to_string().contains("-secret"), "{explanation}");
    }

    assert_eq!(names(&keys, None, 10).await, ["acme", "acme", "globex"], "ended ones too");
    assert_eq!(names(&keys, None, 2).await, ["acme", "acme"], "no more than asked for");
    assert_eq!(names(&keys, Some("globex"), 10).await, ["globex"]);
    for unknown in ["initech", "acme\0", ""] {
        assert_eq!(names(&keys, Some(unknown), 10).await, [""; 0], "{unknown:?}");
    }
    let other = SqlKeyStore::new(world.pool.clone(), "another partner");
    assert_eq!(names(&other, None, 10).await, [""; 0]);
}

async fn names<DB: Driver>(keys: &SqlKeyStore<DB>, tenant: Option<&str>, most: usize) -> Vec<String> {
    let stored = keys.stored_keys(tenant.map(TenantId::from).as_ref(), most).await.unwrap();
    stored.iter().filter_map(Key::owner).map(ToString::to_string).collect()
}
