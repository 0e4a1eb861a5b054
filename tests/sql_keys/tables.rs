//! How the tables come to be.

use futures::future::{join_all, try_join_all};
use sha2::{Digest, Sha256};
use tower_sso::keys::KeyStore;
use tower_sso::keys::sql::Rotation::{Created, Rotated, Unchanged};
use tower_sso::keys::sql::{MasterKeys, POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS, SqlKeyStore};

use crate::at_rest::ONE;
use crate::world::{Driver, World, current, shown};

pub async fn tables_may_be_made_again_and_by_many_at_once<DB: Driver>(world: World<DB>) {
    assert!(world.keys.keys(&"acme".into()).await.is_err(), "no table yet: a failure, not an unknown tenant");
    let processes = join_all((0..4).map(|_| world.other_process())).await;
    try_join_all(processes.iter().map(SqlKeyStore::migrate)).await.unwrap();
    assert_eq!(world.rotate("acme", "k1", "1").await, Created);
    try_join_all(processes.iter().map(SqlKeyStore::migrate)).await.unwrap();
    assert_eq!(world.keys("acme").await, [current("k1")], "what is stored stays");
    let versions = i64::try_from(SQLITE_MIGRATIONS.len()).unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM tower_sso_keys_schema").await, versions);
    let theirs = sqlx::query("SELECT * FROM _sqlx_migrations").fetch_all(&world.eyes).await;
    assert!(theirs.is_err(), "sqlx's own table is the application's");
}

/// Eight processes start at once on an empty database, twenty times: each connects, and each wants the tables.
pub async fn eight_start_at_once_on_an_empty_database<DB: Driver>(world: World<DB>) {
    let mut worlds = vec![world];
    for _ in 1..20 {
        worlds.push(worlds[0].another().await);
    }
    for world in worlds {
        let start = || async { world.other_process().await.migrate().await };
        try_join_all((0..8).map(|_| start())).await.unwrap();
        assert_eq!(world.rotate("acme", "k1", "1").await, Created);
    }
}

/// As the release before encryption left it.
pub async fn a_database_of_an_older_schema_opens_and_is_encrypted<DB: Driver>(world: World<DB>) {
    let texts = if world.url.starts_with("sqlite:") { SQLITE_MIGRATIONS } else { POSTGRES_MIGRATIONS };
    for text in &texts[..2] {
        world.look(text).await;
    }
    let row = "INSERT INTO tower_sso_keys (digest, namespace, tenant, secret, generation) \
        VALUES ($1, 'tutorcruncher', 'acme', $2, 1)";
    sqlx::query(row).bind(&[7; 32][..]).bind(&b"old-secret"[..]).execute(&world.eyes).await.unwrap();
    let keys = world.keys.clone().master_keys(MasterKeys::parse(ONE).unwrap());
    keys.migrate().await.unwrap();
    assert_eq!(shown(&keys, "acme").await, [current("old-secret")]);
    assert!(!world.stored().await.concat().windows(10).any(|part| part == b"old-secret"));
}

/// As the release before public keys were one in every spelling left it.
pub async fn a_public_key_that_was_stored_before_keeps_its_owner<DB: Driver>(world: World<DB>) {
    let pem = include_str!("../vectors/p256-public.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let digest = [b"tutorcruncher", pem.as_bytes()]
        .into_iter()
        .fold(Sha256::new(), |digest, part| digest.chain_update((part.len() as u64).to_be_bytes()).chain_update(part));
    let row = "INSERT INTO tower_sso_keys (digest, namespace, tenant, secret, generation) \
        VALUES ($1, 'tutorcruncher', 'acme', $2, 1)";
    sqlx::query(row).bind(&digest.finalize()[..]).bind(pem.as_bytes()).execute(&world.eyes).await.unwrap();
    world.refused("evil", pem, "1").await;
    assert_eq!(world.rotate("acme", pem, "2").await, Unchanged);

    let row = "INSERT INTO tower_sso_keys (digest, namespace, tenant, secret, generation) \
        VALUES ($1, 'tutorcruncher', 'other', $2, 1)";
    let theirs = include_str!("../vectors/keys/ed25519-one-public.pem");
    sqlx::query(row).bind(&[7; 32][..]).bind(theirs.as_bytes()).execute(&world.eyes).await.unwrap();
    for again in 0..2 {
        world.keys.migrate().await.unwrap();
        world.refused("evil", &base64, &format!("3 {again}")).await;
        world.refused("evil", theirs.trim(), &format!("4 {again}")).await;
    }
    assert_eq!(world.keys("acme").await, [current(pem)], "as before");
    assert_eq!(world.keys("other").await, [current(theirs)]);
    assert_eq!(world.rotate("acme", &base64, "5").await, Rotated, "its owner may spell it otherwise");
    let master = world.keys.clone().master_keys(MasterKeys::parse(ONE).unwrap());
    master.migrate().await.unwrap();
    world.refused("evil", pem, "6").await;
}

pub async fn tables_may_be_made_by_the_applications_own_migrations<DB: Driver>(world: World<DB>) {
    let texts = if world.url.starts_with("sqlite:") { SQLITE_MIGRATIONS } else { POSTGRES_MIGRATIONS };
    for text in texts {
        world.look(text).await;
    }
    assert_eq!(world.rotate("acme", "k1", "1").await, Created, "without a call of migrate");
    world.keys.migrate().await.unwrap();
    // The next release was here: it has a version that this one does not know.
    world.look("INSERT INTO tower_sso_keys_schema (version) VALUES (1000)").await;
    world.keys.migrate().await.unwrap();
    assert_eq!(world.keys("acme").await, [current("k1")]);
}
