//! A server that is down, paused or full.

use std::time::{Duration, Instant};

use tower_sso::redis::RedisStore;
use tower_sso::rejection::{Reason, Rejection, StoreFailure};
use tower_sso::replay::{Claim, Claimed, Hold, LeaseId, ReplayStore};
use tower_sso::ticket::{NewTickets, TicketDigest, TicketStore};

use super::{NOW, Node, Redis, UnixTime, link, link_of, replay_key};

/// The node's timeout is 300 ms; a busy machine gets ten times that.
const IN_TIME: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_comes_back_by_itself() {
    let mut server = Redis::start(&[]);
    let node = Node::new(&server).await;
    let used = link();
    assert_eq!(node.send(&used).await, "ok");

    server.kill();
    let unused = link();
    for _ in 0..5 {
        let asked = Instant::now();
        assert_eq!(node.send(&unused).await, "unavailable");
        assert!(asked.elapsed() < IN_TIME, "{:?}", asked.elapsed());
    }
    assert!(node.redis.ready().await.is_err());

    server.start_again();
    node.clock.advance(Duration::from_secs(5));
    until_it_is_ready(&node.redis).await;
    // The server has forgotten everything; what was made before it is known to is refused.
    assert_eq!(node.send(&used).await, "replayed");
    assert_eq!(node.send(&unused).await, "replayed");
    node.clock.advance(Duration::from_secs(2));
    let made_since = link_of(NOW + 7);
    assert_eq!(node.send(&made_since).await, "ok");
    assert_eq!(node.send(&made_since).await, "replayed");
}

/// As when its password is changed in two places, one after the other, or when it has too many clients for a while.
#[tokio::test]
async fn a_server_that_refuses_a_new_connection_is_asked_again() {
    let server = Redis::start(&[]);
    server.command("ACL SETUSER app on >hush ~* +@all");
    let url = server.url().replace("redis://", "redis://app:hush@");
    let redis = RedisStore::connect(url, "test").await.unwrap();
    server.command("ACL SETUSER app resetpass >changed");
    server.command("CLIENT KILL TYPE normal");
    let asked = Instant::now();
    while !redis.ready().await.is_err_and(|error| error.to_string().contains("uthentication")) {
        assert!(asked.elapsed() < Duration::from_secs(30), "the server refuses nobody");
        tokio::task::yield_now().await;
    }
    server.command("ACL SETUSER app resetpass >hush");
    until_it_is_ready(&redis).await;
}

/// Bounded by the test's own end: it asks again until it is.
pub(crate) async fn until_it_is_ready(redis: &RedisStore) {
    let asked = Instant::now();
    while let Err(error) = redis.ready().await {
        assert!(asked.elapsed() < Duration::from_secs(30), "{error}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_stands_still_is_unavailable_in_time_and_lets_nothing_in_twice() {
    let server = Redis::start(&[]);
    let node = Node::new(&server).await;
    let (used, in_between) = (link(), link());
    assert_eq!(node.send(&used).await, "ok");

    server.pause();
    let asked = Instant::now();
    assert_eq!(node.send(&in_between).await, "unavailable");
    assert!(asked.elapsed() < IN_TIME, "{:?}", asked.elapsed());
    assert!(node.redis.ready().await.is_err());
    server.resume();

    until_it_is_ready(&node.redis).await;
    assert_eq!(node.send(&used).await, "replayed");
    // The claim that nobody waited for was carried out, or it was not. Either way nobody was let in before.
    let first = node.send(&in_between).await;
    assert!(matches!(first, "ok" | "replayed"), "{first}");
    assert_eq!(node.send(&in_between).await, "replayed");
    assert_eq!(node.send(&link()).await, "ok", "it did not forget, so there is no cutoff");
}

#[tokio::test]
async fn a_lease_whose_claim_was_given_up_is_given_back() {
    let server = Redis::start(&[]);
    let node = Node::new(&server).await;
    let now = UnixTime::from_secs(NOW);
    let id = LeaseId::from(7);
    let lease = Hold::Lease { until: now.plus(Duration::from_secs(30)), id };
    server.pause();
    // As a layer does: the claim takes too long, and what it may have taken is given back, over the same connection.
    assert!(node.redis.claim(&Claim::new(replay_key(1), now, lease)).await.is_err());
    let release = tokio::spawn(node.redis.release(replay_key(1), id));
    tokio::task::yield_now().await;
    server.resume();
    _ = release.await.unwrap();
    until_it_is_ready(&node.redis).await;
    assert_eq!(node.redis.claim(&Claim::new(replay_key(1), now, lease)).await.unwrap(), Claimed::First);
}

#[tokio::test]
async fn a_full_server_refuses_what_is_new_and_knows_what_is_old() {
    let server = Redis::start(&["--maxmemory-policy", "noeviction"]);
    let node = Node::new(&server).await;
    let used = link();
    assert_eq!(node.send(&used).await, "ok");
    server.command("CONFIG SET maxmemory 1");
    assert_eq!(node.send(&used).await, "replayed");
    let unused = link();
    let answer = node.app.send(super::get(&unused)).await;
    let reason = answer.extensions().get::<Rejection>().map(Rejection::reason);
    assert_eq!(reason, Some(&Reason::ReplayStore(StoreFailure::Full)));
    assert_eq!(node.redis.ready().await.unwrap_err().failure(), StoreFailure::Full, "nobody new gets in");
    let now = UnixTime::from_secs(NOW);
    let put = node
        .redis
        .put(
            NewTickets::new("acme".into(), now, now.plus(Duration::from_secs(60)))
                .with(TicketDigest::from([1; 32]), vec![1]),
        )
        .await;
    assert_eq!(put.unwrap_err().failure(), StoreFailure::Full);

    server.command("CONFIG SET maxmemory 0");
    node.redis.ready().await.unwrap();
    assert_eq!(node.send(&unused).await, "ok");
}

/// Otherwise the delivery would be processed again once its lease has ended.
#[tokio::test]
async fn what_was_carried_out_is_settled_on_a_full_server() {
    let server = Redis::start(&["--maxmemory-policy", "noeviction"]);
    let node = Node::new(&server).await;
    let now = UnixTime::from_secs(NOW);
    let lease = Hold::lease(now.plus(Duration::from_secs(30)));
    assert_eq!(node.redis.claim(&Claim::new(replay_key(1), now, lease)).await.unwrap(), Claimed::First);
    server.command("CONFIG SET maxmemory 1");
    node.redis.settle(&Claim::new(replay_key(1), now, Hold::Until(UnixTime::MAX))).await.unwrap();
    assert_eq!(node.redis.claim(&Claim::new(replay_key(1), now, lease)).await.unwrap(), Claimed::Spent);
}

/// It has its data from before, and no room to say that they may lack something.
#[tokio::test]
async fn a_server_that_is_full_when_it_starts_again_says_so_and_recovers() {
    let mut server = Redis::start(&["--save", "3600 1"]);
    let node = Node::new(&server).await;
    let (used, lost) = (link(), link());
    assert_eq!(node.send(&used).await, "ok");
    server.command("SAVE");
    assert_eq!(node.send(&lost).await, "ok");
    server.kill();
    server.start_again();
    server.command("CONFIG SET maxmemory 1");
    while let Err(error) = node.redis.ready().await {
        if error.failure() == StoreFailure::Full {
            break;
        }
        let text = error.to_string().to_lowercase();
        assert!(["broken pipe", "reset", "terminated"].iter().any(|lost| text.contains(lost)), "{error}");
    }
    for link in [&used, &lost] {
        assert!(matches!(node.send(link).await, "replayed" | "unavailable"));
    }
    server.command("CONFIG SET maxmemory 0");
    node.redis.ready().await.unwrap();
    for link in [&used, &lost] {
        assert_eq!(node.send(link).await, "replayed");
    }
}
