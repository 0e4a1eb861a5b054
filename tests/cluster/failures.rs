//! A Redis, a Postgres and a node that fail.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::clock::{Clock, ManualClock, SystemClock};
use tower_sso::fernet;
use tower_sso::keys::CachedKeys;
use tower_sso::keys::sql::{Rotation, SqlKeyStore};
use tower_sso::replay::{FingerprintHasher, MemoryReplay};
use tower_sso::sign::{FernetLink, generate_fernet_key};

use crate::postgres::{Postgres, shared};
use crate::running::{Company, browser, refusal};
use crate::{Cluster, health, status, until};

const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// The portal's Redis timeout is 1 s, the layer's 2 s; a busy machine gets some more.
const IN_TIME: Duration = Duration::from_secs(6);

async fn refused_in_time(company: &Company) {
    let asked = Instant::now();
    let answer = browser().get(company.link()).send().await.unwrap();
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(refusal(answer).await, (503, "unavailable".to_owned()));
    assert!(asked.elapsed() < IN_TIME, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn without_its_redis_nobody_is_let_in_and_it_comes_back_by_itself() {
    let mut cluster = Cluster::start(shared());
    let company = cluster.one.company(&cluster.home, 4321).await;
    let browser = browser();
    let used = company.link();
    assert_eq!(status(&browser, &used).await, StatusCode::SEE_OTHER);
    assert_eq!(health(&cluster.one).await, StatusCode::OK);

    cluster.redis.pause();
    refused_in_time(&company).await;
    assert_eq!(health(&cluster.one).await, UNAVAILABLE);
    cluster.redis.resume();
    until(StatusCode::OK, async || health(&cluster.one).await).await;
    assert_eq!(status(&browser, &company.link()).await, StatusCode::SEE_OTHER, "it has forgotten nothing");
    assert_eq!(status(&browser, &used).await, StatusCode::UNAUTHORIZED);

    cluster.redis.kill();
    let call = cluster.home.announcement(5, &generate_fernet_key(), "Five");
    for _ in 0..3 {
        refused_in_time(&company).await;
        assert_eq!(cluster.one.announce(call.clone()).await.status(), UNAVAILABLE);
    }
    // Its last answer may be cached for a moment.
    until(UNAVAILABLE, async || health(&cluster.one).await).await;
    assert_eq!(health(&cluster.other).await, UNAVAILABLE);
    cluster.redis.start_again();
    until(StatusCode::OK, async || health(&cluster.one).await).await;
    until(StatusCode::OK, async || health(&cluster.other).await).await;
    let at_other = used.replace(&cluster.one.url, &cluster.other.url);
    assert_eq!(status(&browser, &used).await, StatusCode::UNAUTHORIZED, "the server has forgotten, and it shows");
    assert_eq!(status(&browser, &at_other).await, StatusCode::UNAUTHORIZED);
    // Until the cutoff has passed, honest links are refused too.
    until(StatusCode::SEE_OTHER, async || status(&browser, &company.link()).await).await;
    assert_eq!(cluster.one.announce(call).await.status(), StatusCode::OK, "the retry");
}

#[tokio::test]
async fn a_full_redis_refuses_what_is_new() {
    let cluster = Cluster::start(shared());
    let company = cluster.one.company(&cluster.home, 4321).await;
    let browser = browser();
    let used = company.link();
    assert_eq!(status(&browser, &used).await, StatusCode::SEE_OTHER);
    cluster.redis.command("CONFIG SET maxmemory 1");
    refused_in_time(&company).await;
    assert_eq!(status(&browser, &used).await, StatusCode::UNAUTHORIZED);
    cluster.redis.command("CONFIG SET maxmemory 0");
    assert_eq!(status(&browser, &company.link()).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn without_its_postgres_a_call_is_not_lost() {
    let mut postgres = Postgres::start();
    let cluster = Cluster::start(&postgres);
    let company = cluster.one.company(&cluster.home, 4321).await;
    postgres.end();
    let call = cluster.home.announcement(5, &generate_fernet_key(), "Five");
    assert_eq!(cluster.one.announce(call.clone()).await.status(), UNAVAILABLE);
    assert_eq!(health(&cluster.one).await, UNAVAILABLE);
    postgres.start_again();
    until(StatusCode::OK, async || health(&cluster.one).await).await;
    until(StatusCode::OK, async || health(&cluster.other).await).await;
    assert_eq!(cluster.other.announce(call).await.status(), StatusCode::OK, "the retry, at another node");
    until(StatusCode::SEE_OTHER, async || status(&browser(), &company.link()).await).await;
}

#[tokio::test]
async fn of_a_node_that_is_killed_at_work_a_link_is_spent_and_a_call_comes_again() {
    let postgres = shared();
    let mut cluster = Cluster::start(postgres);
    let company = cluster.one.company(&cluster.home, 4321).await;
    let link = company.link();
    let at_other = link.replace(&cluster.one.url, &cluster.other.url);
    let call = cluster.home.announcement(5, &generate_fernet_key(), "Five");

    // Both requests get as far as the database, which does not answer.
    let sessions = postgres.lock(&cluster.database, "portal_sessions");
    let companies = postgres.lock(&cluster.database, "portal_companies");
    let before = claims(&cluster);
    let (browser, address) = (browser(), link.clone());
    let signing_in = tokio::spawn(async move { browser.get(address).send().await.is_ok() });
    let announcing = {
        let request = cluster.one.announcement_request(&call);
        tokio::spawn(async move { request.send().await.is_ok() })
    };
    until(true, async || claims(&cluster) == before + 2).await;
    cluster.one.kill();
    assert!(!signing_in.await.unwrap() && !announcing.await.unwrap(), "nobody was answered");
    drop((sessions, companies));

    assert_eq!(status(&crate::running::browser(), &at_other).await, StatusCode::UNAUTHORIZED, "spent");
    // For its lease of two seconds the call belongs to the node that is gone. The sender tries again.
    until(StatusCode::OK, async || cluster.other.announce(call.clone()).await.status()).await;
    let company = crate::running::Company { base: cluster.other.at("/tutorcruncher/sso"), ..company };
    assert_eq!(status(&crate::running::browser(), &company.link()).await, StatusCode::SEE_OTHER);
    // A node that restarts finds everything that was used before.
    let again = cluster.home.start_with(&cluster.configuration);
    let at_again = at_other.replace(&cluster.other.url, &again.url);
    assert_eq!(status(&crate::running::browser(), &at_again).await, StatusCode::UNAUTHORIZED);
}

/// How many credentials Redis remembers.
fn claims(cluster: &Cluster) -> usize {
    cluster.redis.command("KEYS *}r:*").matches("}r:").count()
}

/// The layer alone: the portal also keeps its sessions in that database.
#[tokio::test]
async fn without_its_postgres_keys_that_were_read_go_on_serving() {
    let mut postgres = Postgres::start();
    let options = PgPoolOptions::new().acquire_timeout(Duration::from_secs(1));
    let store = SqlKeyStore::new(options.connect(&postgres.fresh_database()).await.unwrap(), "tutorcruncher");
    store.migrate().await.unwrap();
    let keys = [4321, 5].map(|number| (number, generate_fernet_key()));
    for (number, key) in &keys {
        let call = FingerprintHasher::new(&format!("test {number}")).finish();
        assert_eq!(store.rotate(&number.to_string().into(), key, call).await.unwrap(), Rotation::Created);
    }
    let layer = fernet::layer::<Value>()
        .keys(CachedKeys::builder(store).time_to_live(Duration::from_secs(3_600)).build())
        .replay(
            MemoryReplay::builder().clock(ManualClock::at(SystemClock.now().minus(Duration::from_secs(60)))).build(),
        )
        .build()
        .unwrap();
    let send = async |number: usize| {
        let (tenant, key) = &keys[number];
        let link = FernetLink::new("/sso", tenant.to_string(), key).uri(&json!({"id": 1})).unwrap();
        let inner =
            service_fn(async |_: Request<Full<Bytes>>| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())));
        let request = Request::get(link).body(Full::<Bytes>::default()).unwrap();
        layer.layer(inner).oneshot(request).await.unwrap().status()
    };
    assert_eq!(send(0).await, StatusCode::OK);
    postgres.end();
    assert_eq!(send(0).await, StatusCode::OK, "its key was read before");
    let asked = Instant::now();
    assert_eq!(send(1).await, UNAVAILABLE, "this one's was not");
    assert!(asked.elapsed() < IN_TIME, "{:?}", asked.elapsed());
    postgres.start_again();
    until(StatusCode::OK, async || send(1).await).await;
}
