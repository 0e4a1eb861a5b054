//! Concurrent calls from two processes.

use std::collections::HashMap;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use sqlx::Postgres;
use sqlx::postgres::PgPoolOptions;
use tower_sso::keys::sql::Rotation::{Created, Repeated, Rotated, Unchanged};
use tower_sso::keys::sql::{Rotation, SqlKeyError, SqlKeyStore};
use tower_sso::keys::{KeyUse, Keys, Secret, TenantId};

use crate::world::{Driver, GRACE, NOW, PATIENCE, World, credential, current, postgres, previous, shown};

const TASKS: usize = 32;

/// Runs the tasks at once and counts their outcomes.
async fn race<T: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
    name: fn(T) -> &'static str,
) -> HashMap<&'static str, usize> {
    let tasks: Vec<_> = tasks.map(tokio::spawn).collect();
    let mut outcomes = HashMap::new();
    for outcome in join_all(tasks).await {
        *outcomes.entry(name(outcome.unwrap())).or_default() += 1;
    }
    outcomes
}

fn name(outcome: Result<Rotation, SqlKeyError>) -> &'static str {
    match outcome {
        Ok(Created) => "created",
        Ok(Rotated) => "rotated",
        Ok(Unchanged) => "unchanged",
        Ok(Repeated) => "repeated",
        Err(SqlKeyError::OwnedByAnotherTenant) => "owned",
        Err(error) => panic!("{error:?}"),
    }
}

/// A rotation as a task of either of two processes, in a transaction of its own or in a caller's.
async fn rotation<DB: Driver>(
    stores: [SqlKeyStore<DB>; 2],
    task: usize,
    who: String,
    secret: String,
    call: String,
) -> Result<Rotation, SqlKeyError> {
    let [here, there] = stores;
    let keys = if task.is_multiple_of(2) { here } else { there };
    let (tenant, secret) = (TenantId::from(who), Secret::from(secret));
    if task % 4 < 2 {
        return keys.rotate(&tenant, &secret, credential(&call)).await;
    }
    let mut transaction = keys.begin().await?;
    // Without the write lock from the start, SQLite would refuse to write after this.
    DB::look_around(&mut transaction).await;
    let rotation = keys.rotate_in(&mut transaction, &tenant, &secret, credential(&call)).await?;
    transaction.commit().await?;
    Ok(rotation)
}

pub async fn of_many_copies_of_a_call_one_is_applied<DB: Driver>(world: World<DB>) {
    let stores = [world.keys.clone(), world.other_process().await];
    let copies = (0..TASKS).map(|task| rotation(stores.clone(), task, "acme".into(), "k1".into(), "1".into()));
    assert_eq!(race(copies, name).await, HashMap::from([("created", 1), ("repeated", TASKS - 1)]));
    let copies = (0..TASKS).map(|task| rotation(stores.clone(), task, "acme".into(), "k2".into(), "2".into()));
    assert_eq!(race(copies, name).await, HashMap::from([("rotated", 1), ("repeated", TASKS - 1)]));
    assert_eq!(world.keys("acme").await, [current("k2"), previous("k1", NOW.plus(GRACE))]);
    assert_eq!(world.rows().await, (2, 2, 0));
}

pub async fn many_calls_at_once_leave_one_current_key<DB: Driver>(world: World<DB>) {
    let stores = [world.keys.clone(), world.other_process().await];
    let reader = world.keys.clone();
    let reading = tokio::spawn(async move {
        let mut seen = 0;
        while seen < Keys::MAX {
            let keys = shown(&reader, "acme").await;
            let currents = keys.iter().filter(|(_, key_use, _)| *key_use == KeyUse::Current).count();
            assert_eq!(currents, keys.len().min(1), "at any time: {keys:?}");
            assert!(keys.len() >= seen, "none is lost");
            seen = keys.len();
        }
    });
    let calls = (0..TASKS)
        .map(|task| rotation(stores.clone(), task, "acme".into(), format!("k{task}"), format!("call {task}")));
    assert_eq!(race(calls, name).await, HashMap::from([("created", 1), ("rotated", TASKS - 1)]));
    reading.await.unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM tower_sso_keys WHERE not_after IS NULL").await, 1);
    let generations = "SELECT COUNT(DISTINCT generation) FROM tower_sso_keys";
    assert_eq!(world.count(generations).await, i64::try_from(TASKS).unwrap(), "each came after another");

    let calls =
        (0..TASKS).map(|task| rotation(stores.clone(), task, "acme".into(), "new".into(), format!("new {task}")));
    assert_eq!(race(calls, name).await, HashMap::from([("rotated", 1), ("unchanged", TASKS - 1)]));
}

pub async fn of_many_tenants_with_one_key_one_gets_it<DB: Driver>(world: World<DB>) {
    let stores = [world.keys.clone(), world.other_process().await];
    let calls = (0..TASKS)
        .map(|task| rotation(stores.clone(), task, format!("tenant {task}"), "k1".into(), format!("call {task}")));
    assert_eq!(race(calls, name).await, HashMap::from([("created", 1), ("owned", TASKS - 1)]));
    assert_eq!(world.rows().await, (1, 1, 0));
}

pub async fn a_call_waits_for_another_that_is_not_committed_yet<DB: Driver>(world: World<DB>) {
    let other = world.other_process().await;
    for (call, commits, outcome) in [("1", false, Created), ("2", true, Repeated)] {
        let (acme, secret) = (TenantId::from("acme"), Secret::from(call));
        let mut transaction = world.keys.begin().await.unwrap();
        let first = world.keys.rotate_in(&mut transaction, &acme, &secret, credential(call)).await.unwrap();
        assert_ne!(first, Repeated);
        let (there, secret) = (other.clone(), secret.clone());
        let waiting = tokio::spawn(async move { there.rotate(&"acme".into(), &secret, credential(call)).await });
        // Looking is what gives the other task its time; it must not get anywhere.
        for _ in 0..20 {
            world.keys("nobody").await;
            assert!(!waiting.is_finished(), "the first one may still be rolled back");
        }
        match commits {
            true => transaction.commit().await.unwrap(),
            false => transaction.rollback().await.unwrap(),
        }
        assert_eq!(waiting.await.unwrap().unwrap(), outcome, "after the first one's end; it committed: {commits}");
    }
    assert_eq!(world.keys("acme").await, [current("2"), previous("1", NOW.plus(GRACE))]);
}

pub async fn removal_and_rotation_at_once_leave_a_state_of_either_order<DB: Driver>(world: World<DB>) {
    world.given("acme", "old", "old").await;
    let stores = [world.keys.clone(), world.other_process().await];
    let removals = (0..TASKS).map(|_| {
        let keys = world.keys.clone();
        async move { keys.remove(&"acme".into()).await.map(|()| Unchanged) }.boxed()
    });
    let calls = (0..TASKS)
        .map(|task| rotation(stores.clone(), task, "acme".into(), format!("k{task}"), format!("call {task}")).boxed());
    let outcomes = race(removals.zip(calls).flat_map(|(removal, call)| [removal, call]), name).await;
    assert_eq!(outcomes["created"] + outcomes.get("rotated").unwrap_or(&0), TASKS, "{outcomes:?}");
    let keys = world.keys("acme").await;
    assert!(keys.first().is_none_or(|(_, key_use, _)| *key_use == KeyUse::Current), "{keys:?}");
    world.keys.remove(&"acme".into()).await.unwrap();
    assert_eq!(world.keys("acme").await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_lock_gives_its_connection_back() {
    let world = World::<Postgres>::new(postgres).await;
    let mut transaction = world.keys.begin().await.unwrap();
    let created = world.keys.rotate_in(&mut transaction, &"acme".into(), &"k1".into(), credential("1")).await;
    assert_eq!(created.unwrap(), Created);

    // As many as there are connections in a pool.
    let other = world.other_process().await.lock_timeout(Duration::from_millis(100));
    let (acme, k2) = (TenantId::from("acme"), Secret::from("k2"));
    let rotate = || other.rotate(&acme, &k2, credential("2"));
    let waiting = tokio::time::timeout(PATIENCE / 4, join_all((0..4).map(|_| rotate()))).await;
    for outcome in waiting.expect("they give up") {
        assert!(matches!(outcome, Err(SqlKeyError::Database(_))), "503, and the sender tries again: {outcome:?}");
    }
    assert_eq!(shown(&other, "acme").await, [], "others are served");
    transaction.commit().await.unwrap();
    assert_eq!(rotate().await.unwrap(), Rotated, "nothing was recorded of those that gave up");

    // What the connection says itself holds.
    let limit = "SELECT CAST(setting AS BIGINT) FROM pg_settings WHERE name = 'lock_timeout'";
    let mut transaction = world.keys.begin().await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(limit).fetch_one(&mut *transaction).await.unwrap(), 5_000);
    transaction.rollback().await.unwrap();
    world
        .look("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET lock_timeout = 777', current_database()); END $$")
        .await;
    let mut transaction = world.other_process().await.begin().await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(limit).fetch_one(&mut *transaction).await.unwrap(), 777);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_serializable_by_default_makes_no_errors() {
    let bare = World::<Postgres>::bare(postgres).await;
    bare.look("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$").await;
    // The setting holds for new connections.
    let keys = [bare.other_process().await, bare.other_process().await];
    keys[0].migrate().await.unwrap();
    let calls = (0..TASKS)
        .map(|task| rotation(keys.clone(), task, "acme".into(), format!("k{task}"), format!("call {}", task / 2)));
    let outcomes = race(calls, name).await;
    assert_eq!(outcomes, HashMap::from([("created", 1), ("rotated", TASKS / 2 - 1), ("repeated", TASKS / 2)]));
}

/// What another request wrote there would never be committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_cancelled_leaves_no_connection_in_a_transaction() {
    const LEFT: &str = "SELECT COUNT(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND state = 'idle in transaction'";
    let world = World::<Postgres>::new(postgres).await;
    let pool = PgPoolOptions::new().max_connections(1).connect(&world.url).await.unwrap();
    let keys = SqlKeyStore::new(pool.clone(), "tutorcruncher");
    for steps in 0..100 {
        let client = async {
            for _ in 0..steps * steps {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { _ = keys.begin() => {}, () = client => {} }
        // Waits until it is back.
        let _the_only_one = pool.acquire().await.unwrap();
        assert_eq!(world.count(LEFT).await, 0, "cancelled after {steps}² steps");
    }
}
