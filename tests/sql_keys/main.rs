//! One suite for the key store in a database: both engines, each by its own driver and through sqlx's `Any`.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is test code: a test says what it expects by panicking"
)]

mod at_rest;
mod explained;
#[path = "../support/postgres.rs"]
#[allow(clippy::expect_used, reason = "a test without its server cannot go on")]
mod postgres;
mod races;
#[path = "../support/rotations.rs"]
mod rotations;
mod tables;
mod world;

use std::time::Duration;

use at_rest::*;
use explained::*;
use races::*;
use rotations::{ROTATIONS, Rotations};
use sqlx::AnyPool;
use tables::*;
use tower_sso::clock::UnixTime;
use tower_sso::keys::sql::Rotation::{Created, Repeated, Rotated, Unchanged};
use tower_sso::keys::sql::{SqlKeyError, SqlKeyStore};
use tower_sso::keys::{KeyStore, Keys, Secret, TenantId};
use tower_sso::rejection::StoreFailure;
use world::{Driver, GRACE, NANOSECOND, NOW, World, credential, current, previous, shown};

async fn rotations_leave_what_they_leave_in_every_store<DB: Driver>(world: World<DB>) {
    assert_eq!(GRACE, rotations::GRACE);
    for (number, Rotations { why, made, seen_at, active }) in ROTATIONS.iter().enumerate() {
        // A secret has one owner for ever, so each row has secrets of its own.
        let (tenant, own) = (format!("tenant {number}"), |secret: &str| format!("{secret} of {number}"));
        let at = |seconds: u64| NOW.plus(Duration::from_secs(seconds));
        for (call, (seconds, secret)) in made.iter().enumerate() {
            world.clock.set(at(*seconds));
            world.given(&tenant, &own(secret), &format!("call {number} {call}")).await;
        }
        world.clock.set(at(*seen_at));
        let expected = active.iter().map(|(secret, end)| match end {
            None => current(&own(secret)),
            Some(end) => previous(&own(secret), at(*end)),
        });
        assert_eq!(world.keys(&tenant).await, expected.collect::<Vec<_>>(), "{why}");
    }
    let readable = "SELECT COUNT(*) FROM tower_sso_keys WHERE secret IS NOT NULL";
    let most = i64::try_from(Keys::MAX * ROTATIONS.len()).unwrap();
    assert!(world.count(readable).await <= most, "secrets that are no longer accepted are deleted");
}

async fn the_newest_key_is_current_and_each_older_one_keeps_its_own_end<DB: Driver>(world: World<DB>) {
    assert_eq!(world.keys("acme").await, []);
    assert_eq!(world.rotate("acme", "k1", "1").await, Created);
    assert_eq!(world.keys("acme").await, [current("k1")]);

    assert_eq!(world.rotate("acme", "k2", "2").await, Rotated);
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(world.rotate("acme", "k3", "3").await, Rotated);
    let (first_end, second_end) = (NOW.plus(GRACE), NOW.plus(GRACE).plus(Duration::from_mins(10)));
    let expected = [current("k3"), previous("k2", second_end), previous("k1", first_end)];
    assert_eq!(world.keys("acme").await, expected, "newest first, though the clock stood still in between");
    assert_eq!(world.keys("other").await, [], "another tenant has none of them");
}

async fn the_grace_period_ends_after_its_last_nanosecond<DB: Driver>(world: World<DB>) {
    world.clock.set(NOW.plus(NANOSECOND));
    world.given("acme", "k1", "1").await;
    world.given("acme", "k2", "2").await;
    let end = NOW.plus(NANOSECOND).plus(GRACE);
    world.clock.set(end);
    assert_eq!(world.keys("acme").await, [current("k2"), previous("k1", end)], "inclusive");
    world.clock.advance(NANOSECOND);
    assert_eq!(world.keys("acme").await, [current("k2")]);
}

async fn a_grace_period_may_be_none_or_for_ever<DB: Driver>(world: World<DB>) {
    let none = world.keys.clone().grace(Duration::ZERO);
    let for_ever = world.keys.clone().grace(Duration::MAX);
    world.given("acme", "k1", "1").await;
    assert_eq!(for_ever.rotate(&"acme".into(), &"k2".into(), credential("2")).await.unwrap(), Rotated);
    assert_eq!(none.rotate(&"acme".into(), &"k3".into(), credential("3")).await.unwrap(), Rotated);
    world.clock.advance(NANOSECOND);
    let expected = [current("k3"), previous("k1", UnixTime::MAX)];
    assert_eq!(world.keys("acme").await, expected, "a previous key without an end is not taken for the current one");
}

async fn a_call_is_applied_once_for_ever<DB: Driver>(world: World<DB>) {
    assert_eq!(world.rotate("acme", "k1", "1").await, Created);
    assert_eq!(world.rotate("acme", "k1", "1").await, Repeated, "at once");
    assert_eq!(world.rotate("acme", "k2", "2").await, Rotated);
    let before = world.keys("acme").await;
    assert_eq!(world.rotate("acme", "k1", "1").await, Repeated);
    assert_eq!(world.keys("acme").await, before, "an old call does not roll a newer key back");
    world.clock.advance(Duration::from_hours(30 * 365 * 24));
    assert_eq!(world.rotate("acme", "k1", "1").await, Repeated, "thirty years later");
    assert_eq!(world.keys("acme").await, [current("k2")]);
    assert_eq!(world.rotate("other", "k9", "1").await, Repeated, "a call is one call, whatever is read from it");
}

async fn the_same_key_in_a_new_call_changes_nothing<DB: Driver>(world: World<DB>) {
    world.given("acme", "k1", "1").await;
    world.given("acme", "k2", "2").await;
    let before = world.keys("acme").await;
    world.clock.advance(NANOSECOND);
    assert_eq!(world.rotate("acme", "k2", "3").await, Unchanged);
    assert_eq!(world.keys("acme").await, before, "nor does the previous key's end move");
    assert_eq!(world.rotate("acme", "k2", "3").await, Repeated, "the call itself was recorded");
}

async fn a_previous_key_may_become_current_again<DB: Driver>(world: World<DB>) {
    world.given("acme", "k1", "1").await;
    world.given("acme", "k2", "2").await;
    assert_eq!(world.rotate("acme", "k1", "3").await, Rotated);
    let end = NOW.plus(GRACE);
    assert_eq!(world.keys("acme").await, [current("k1"), previous("k2", end)]);

    world.clock.set(end.plus(NANOSECOND));
    assert_eq!(world.rotate("acme", "k3", "4").await, Rotated);
    assert_eq!(world.rotate("acme", "k2", "5").await, Rotated, "one whose end has passed, too");
    let end = end.plus(NANOSECOND).plus(GRACE);
    assert_eq!(world.keys("acme").await, [current("k2"), previous("k3", end), previous("k1", end)]);
}

async fn a_public_key_is_one_however_it_is_spelled<DB: Driver>(world: World<DB>) {
    let pem = include_str!("../vectors/keys/ed25519-one-public.pem");
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    world.given("acme", pem, "1").await;
    world.refused("evil", &der, "2").await;
    world.refused("evil", &pem.replace('\n', "\r\n"), "3").await;
    assert_eq!(world.rotate("acme", &der, "4").await, Unchanged);
    world.given("evil", include_str!("../vectors/keys/ed25519-two-public.pem"), "5").await;
}

async fn a_key_has_one_owner_for_ever<DB: Driver>(world: World<DB>) {
    world.given("acme", "k1", "1").await;
    world.refused("evil", "k1", "x").await;
    world.given("acme", "k2", "2").await;
    world.refused("evil", "k1", "x").await;
    world.clock.advance(GRACE + NANOSECOND);
    world.given("acme", "k3", "3").await;
    world.refused("evil", "k1", "x").await;
    world.keys.remove(&"acme".into()).await.unwrap();
    world.refused("evil", "k1", "x").await;
    assert_eq!(world.rows().await, (3, 3, 0), "nothing of the refused calls was recorded");
    assert_eq!(world.rotate("evil", "k9", "x").await, Created, "not even that they came");
    world.refused("evil", "k1", "y").await;
    assert_eq!(world.keys("evil").await, [current("k9")], "a refusal does not touch the keys that are there");
}

async fn namespaces_know_nothing_of_each_other<DB: Driver>(world: World<DB>) {
    let waggl = SqlKeyStore::new(world.pool.clone(), "waggl").grace(GRACE).clock(world.clock.clone());
    world.given("acme", "k1", "1").await;
    assert_eq!(shown(&waggl, "acme").await, []);
    assert_eq!(waggl.rotate(&"other".into(), &"k1".into(), credential("1")).await.unwrap(), Created);
    assert_eq!(waggl.rotate(&"acme".into(), &"k2".into(), credential("2")).await.unwrap(), Created);
    assert_eq!(world.keys("acme").await, [current("k1")]);
    waggl.remove(&"acme".into()).await.unwrap();
    assert_eq!(world.keys("acme").await, [current("k1")]);
    assert_eq!(shown(&waggl, "acme").await, []);
}

async fn removal_takes_all_keys_at_once<DB: Driver>(world: World<DB>) {
    world.given("acme", "k1", "1").await;
    world.given("acme", "k2", "2").await;
    world.given("other", "k9", "9").await;
    world.keys.remove(&"acme".into()).await.unwrap();
    assert_eq!(world.keys("acme").await, [], "without a grace period");
    assert_eq!(world.keys("other").await, [current("k9")]);
    let secrets = "SELECT COUNT(*) FROM tower_sso_keys WHERE secret IS NOT NULL";
    assert_eq!(world.count(secrets).await, 1, "the secrets are gone from the table, too");
    world.keys.remove(&"acme".into()).await.unwrap();
    world.keys.remove(&"nobody".into()).await.unwrap();

    assert_eq!(world.rotate("acme", "k2", "2").await, Repeated, "a copy does not bring a key back");
    assert_eq!(world.keys("acme").await, []);
    assert_eq!(world.rotate("acme", "k2", "3").await, Created, "a new call by the partner does");
    assert_eq!(world.keys("acme").await, [current("k2")], "and only that key");
}

async fn a_key_that_has_ended_is_deleted_at_the_next_rotation<DB: Driver>(world: World<DB>) {
    world.given("acme", "k1", "1").await;
    world.given("acme", "k2", "2").await;
    world.given("other", "k9", "9").await;
    world.given("other", "k8", "8").await;
    world.clock.advance(GRACE);
    world.given("acme", "k3", "3").await;
    let secrets = "SELECT COUNT(*) FROM tower_sso_keys WHERE tenant = 'acme' AND secret IS NOT NULL";
    assert_eq!(world.count(secrets).await, 3, "none has ended yet");
    world.clock.advance(NANOSECOND);
    world.given("acme", "k4", "4").await;
    assert_eq!(world.count(secrets).await, 3, "k1 is gone, k4 has come");
    let others = "SELECT COUNT(*) FROM tower_sso_keys WHERE tenant = 'other' AND secret IS NOT NULL";
    assert_eq!(world.count(others).await, 2, "other tenants are left alone");
}

async fn a_name_that_no_database_takes_is_an_unknown_tenant<DB: Driver>(world: World<DB>) {
    let longest = "x".repeat(512);
    assert_eq!(world.rotate(&longest, "k1", "1").await, Created);
    assert_eq!(world.keys(&longest).await, [current("k1")]);
    for (who, why) in [
        ("ac\0me", "Postgres refuses NUL in a text"),
        (&format!("{longest}x"), "longer than any tenant may be"),
        (&"x".repeat(1 << 20), "and far longer, which no index takes"),
    ] {
        assert_eq!(world.keys(who).await, [], "{why}");
        world.keys.remove(&who.into()).await.unwrap();
        let error = world.keys.rotate(&who.into(), &"k2".into(), credential("2")).await.unwrap_err();
        assert!(matches!(error, SqlKeyError::UnusableTenant(_)), "{why}: {error:?}");
    }
    for (number, who) in ["", "'; DROP TABLE tower_sso_keys; --", "%", "Größe 😀", "\u{fffe}"].into_iter().enumerate()
    {
        let secret = format!("s{number}");
        assert_eq!(world.keys(who).await, [], "{who:?} is a name like another");
        assert_eq!(world.rotate(who, &secret, &format!("c{number}")).await, Created, "{who:?}");
        assert_eq!(world.keys(who).await, [current(&secret)], "{who:?}");
    }
}

async fn a_secret_is_any_bytes_but_not_blank<DB: Driver>(world: World<DB>) {
    let bytes: Vec<u8> = (0..=255).collect();
    let created = world.keys.rotate(&"acme".into(), &bytes.clone().into(), credential("1")).await.unwrap();
    assert_eq!(created, Created);
    let keys = world.keys.keys(&"acme".into()).await.unwrap();
    assert!(keys.iter().map(|key| key.secret().expose()).eq([&*bytes]));
    for secret in ["", " \n", "\0"] {
        let error = world.keys.rotate(&"acme".into(), &secret.into(), credential("2")).await.unwrap_err();
        assert!(matches!(error, SqlKeyError::UnusableSecret(_)), "{secret:?}: {error:?}");
    }
    assert_eq!(world.rows().await, (1, 1, 0));
}

async fn the_callers_data_is_stored_with_the_key_or_neither_is<DB: Driver>(world: World<DB>) {
    let (acme, k1) = (TenantId::from("acme"), Secret::from("k1"));
    let mut transaction = world.keys.begin().await.unwrap();
    DB::add_company(&mut transaction).await;
    assert_eq!(world.keys.rotate_in(&mut transaction, &acme, &k1, credential("1")).await.unwrap(), Created);
    transaction.rollback().await.unwrap();
    assert_eq!(world.rows().await, (0, 0, 0), "rolled back by the caller");

    let mut transaction = world.keys.begin().await.unwrap();
    assert_eq!(world.keys.rotate_in(&mut transaction, &acme, &k1, credential("1")).await.unwrap(), Created);
    drop(transaction);
    assert_eq!(world.rows().await, (0, 0, 0), "dropped by the caller");

    let mut transaction = world.keys.begin().await.unwrap();
    assert_eq!(world.keys.rotate_in(&mut transaction, &acme, &k1, credential("1")).await.unwrap(), Created);
    DB::add_company(&mut transaction).await;
    transaction.commit().await.unwrap();
    assert_eq!(world.rows().await, (1, 1, 1));
    assert_eq!(world.keys("acme").await, [current("k1")]);

    // A transaction which the application began on its own does as well.
    let mut transaction = world.pool.begin().await.unwrap();
    let k2 = Secret::from("k2");
    assert_eq!(world.keys.rotate_in(&mut transaction, &acme, &k2, credential("2")).await.unwrap(), Rotated);
    transaction.commit().await.unwrap();
    assert_eq!(world.keys("acme").await, [current("k2"), previous("k1", NOW.plus(GRACE))]);
}

async fn an_error_leaves_the_callers_transaction_as_it_was<DB: Driver>(world: World<DB>) {
    world.given("acme", "k1", "1").await;
    let mut transaction = world.keys.begin().await.unwrap();
    DB::add_company(&mut transaction).await;
    let (evil, k1) = (TenantId::from("evil"), Secret::from("k1"));
    let error = world.keys.rotate_in(&mut transaction, &evil, &k1, credential("2")).await.unwrap_err();
    assert!(matches!(error, SqlKeyError::OwnedByAnotherTenant), "{error:?}");
    DB::add_company(&mut transaction).await;
    let k2 = Secret::from("k2");
    assert_eq!(world.keys.rotate_in(&mut transaction, &evil, &k2, credential("3")).await.unwrap(), Created);
    assert_eq!(world.keys.rotate_in(&mut transaction, &evil, &k2, credential("3")).await.unwrap(), Repeated);
    transaction.commit().await.unwrap();
    assert_eq!(world.rows().await, (2, 2, 2), "all but the refused call");
}

async fn a_request_that_is_cancelled_stores_nothing<DB: Driver>(world: World<DB>) {
    for steps in 0..20 {
        let request = async {
            let mut transaction = world.keys.begin().await.unwrap();
            DB::add_company(&mut transaction).await;
            let created = world.keys.rotate_in(&mut transaction, &"acme".into(), &"k1".into(), credential("1")).await;
            assert_eq!(created.unwrap(), Created);
            std::future::pending::<()>().await;
        };
        let client = async {
            for _ in 0..steps * steps {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { () = request => {}, () = client => {} }
    }
    assert_eq!(world.rows().await, (0, 0, 0), "wherever it was cancelled");
    assert_eq!(world.rotate("acme", "k1", "1").await, Created, "and no lock was left behind");
}

async fn a_database_that_is_gone_is_a_failure<DB: Driver>(world: World<DB>) {
    world.given("acme", "k1", "1").await;
    world.pool.close().await;
    let error = world.keys.keys(&"acme".into()).await.unwrap_err();
    assert_eq!(error.failure(), StoreFailure::Failed, "503, never an unknown tenant");
    let error = world.keys.rotate(&"acme".into(), &"k2-secret".into(), credential("2")).await.unwrap_err();
    assert!(matches!(error, SqlKeyError::Database(_)), "{error:?}");
    let debug = format!("{:?} {error:?} {error}", world.keys);
    assert!(!debug.contains("k2-secret") && !debug.contains("postgres://"), "{debug}");
}

macro_rules! suite {
    ($($world:ident: $($case:ident)*;)*) => {
        suite! { @engine sqlite_file Sqlite sqlite $($world: $($case)*;)* }
        suite! { @engine sqlite_through_any Any sqlite $($world: $($case)*;)* }
        suite! { @engine postgres_driver Postgres postgres $($world: $($case)*;)* }
        suite! { @engine postgres_through_any Any postgres $($world: $($case)*;)* }
    };
    (@engine $module:ident $database:ident $url:ident $($world:ident: $($case:ident)*;)*) => {
        mod $module {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(super::World::<sqlx::$database>::$world(super::world::$url).await).await;
                }
            )*)*
        }
    };
}

suite! {
    new:
        rotations_leave_what_they_leave_in_every_store
        the_newest_key_is_current_and_each_older_one_keeps_its_own_end
        the_grace_period_ends_after_its_last_nanosecond
        a_grace_period_may_be_none_or_for_ever
        a_call_is_applied_once_for_ever
        the_same_key_in_a_new_call_changes_nothing
        a_previous_key_may_become_current_again
        a_public_key_is_one_however_it_is_spelled
        a_public_key_that_was_stored_before_keeps_its_owner
        a_key_has_one_owner_for_ever
        namespaces_know_nothing_of_each_other
        removal_takes_all_keys_at_once
        a_key_that_has_ended_is_deleted_at_the_next_rotation
        a_name_that_no_database_takes_is_an_unknown_tenant
        a_secret_is_any_bytes_but_not_blank
        the_callers_data_is_stored_with_the_key_or_neither_is
        an_error_leaves_the_callers_transaction_as_it_was
        a_request_that_is_cancelled_stores_nothing
        of_many_copies_of_a_call_one_is_applied
        many_calls_at_once_leave_one_current_key
        of_many_tenants_with_one_key_one_gets_it
        a_call_waits_for_another_that_is_not_committed_yet
        removal_and_rotation_at_once_leave_a_state_of_either_order
        a_database_that_is_gone_is_a_failure
        encrypted_secrets_are_keys_like_others
        stored_keys_explain_a_refusal
        encrypted_keys_explain_a_refusal
        an_old_database_is_encrypted_when_it_is_opened
        an_interrupted_encryption_goes_on
        a_missing_master_key_is_an_error_at_the_start
        a_new_master_key_takes_over
        an_encrypted_secret_is_worthless_in_another_row
        a_spoilt_secret_shuts_out_no_other_tenant
        changes_are_recorded_with_who_made_them
        tenants_are_listed_by_pages
        the_last_use_is_noted_to_the_minute
        a_database_that_is_gone_does_not_keep_a_request_from_its_key;
    bare:
        a_database_of_an_older_schema_opens_and_is_encrypted
        tables_may_be_made_again_and_by_many_at_once
        eight_start_at_once_on_an_empty_database
        tables_may_be_made_by_the_applications_own_migrations;
}

#[tokio::test]
async fn another_engine_is_an_error_of_the_configuration() {
    let pool = AnyPool::connect_lazy("mysql://localhost/app").unwrap();
    let error = SqlKeyStore::new(pool, "tutorcruncher").migrate().await.unwrap_err();
    assert!(matches!(error, SqlKeyError::Database(sqlx::Error::Configuration(_))), "{error:?}");
}
