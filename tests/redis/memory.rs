//! A server that has lost some or all of its data.

use std::time::Duration;

use tower_sso::clock::{Clock, UnixTime};
use tower_sso::redis::{RedisStore, RedisStoreBuilder};
use tower_sso::replay::{Claim, Hold, ReplayStore};
use tower_sso::ticket::{NewTickets, TicketDigest, TicketStore};

use super::failures::until_it_is_ready;
use super::{NOW, Node, Redis, SKEW, clock, link, link_of, replay_key};

/// What a server keeps is no use: the last claims before a crash may be missing from it.
#[tokio::test]
async fn whatever_a_server_keeps_a_restart_lets_nothing_in_twice() {
    for (persistence, snapshot) in [
        (&[][..], false),
        (&["--save", "3600 1"], true),
        (&["--appendonly", "yes", "--appendfsync", "no"], false),
        (&["--appendonly", "yes", "--appendfsync", "always"], false),
    ] {
        let mut server = Redis::start(persistence);
        let (one, other) = (Node::new(&server).await, Node::new(&server).await);
        let (early, late) = (link(), link());
        assert_eq!(one.send(&early).await, "ok");
        if snapshot {
            server.command("SAVE");
        }
        assert_eq!(one.send(&late).await, "ok");
        server.kill();
        server.start_again();

        // The other node did not see it happen. The first request of each may find its connection broken.
        for node in [&other, &one] {
            let mut answers = Vec::new();
            for used in [&early, &late, &early, &late] {
                answers.push(node.send(used).await);
            }
            assert!(answers.iter().all(|answer| matches!(*answer, "replayed" | "unavailable")), "{answers:?}");
            assert!(answers.contains(&"replayed"), "{persistence:?}: {answers:?}");
        }
        for node in [&one, &other] {
            node.clock.advance(Duration::from_secs(2));
            assert_eq!(node.send(&link_of(NOW + 2)).await, "ok", "{persistence:?}: what is made after it");
        }
    }
}

/// They use the same scripts, so the first one to come back teaches them to the server for both.
#[tokio::test]
async fn each_of_two_applications_on_a_server_notices_its_restart() {
    let mut server = Redis::start(&["--save", "3600 1"]);
    let clock = clock();
    let connect = async |server: &Redis, prefix: &str| {
        RedisStore::builder(prefix).clock(clock.clone()).connect(server.url()).await.unwrap()
    };
    let (one, other) = (connect(&server, "one").await, connect(&server, "other").await);
    let before = other.remembers_since();
    server.command("SAVE");
    server.kill();
    server.start_again();
    clock.advance(Duration::from_secs(5));
    until_it_is_ready(&one).await;
    until_it_is_ready(&other).await;
    assert!(one.remembers_since() > before && other.remembers_since() > before);
}

#[tokio::test]
async fn data_that_were_deleted_by_hand_let_nothing_in_twice() {
    for command in ["FLUSHALL", "SCRIPT FLUSH"] {
        let server = Redis::start(&[]);
        let node = Node::new(&server).await;
        let used = link();
        assert_eq!(node.send(&used).await, "ok");
        server.command(command);
        assert_eq!(node.send(&used).await, "replayed", "{command}");
        node.clock.advance(Duration::from_secs(2));
        assert_eq!(node.send(&link_of(NOW + 2)).await, "ok", "{command}");
    }
}

/// The layer takes links that are up to 60 s from the future.
#[tokio::test]
async fn a_partner_whose_clock_is_ahead_is_within_the_margin() {
    let server = Redis::start(&[]);
    let clock = clock();
    let cutoff = async |builder: RedisStoreBuilder| {
        server.command("FLUSHALL");
        let store = builder.clock(clock.clone()).connect(server.url()).await.unwrap();
        store.remembers_since().unwrap().since(clock.now())
    };
    assert_eq!(cutoff(RedisStore::builder("test")).await, SKEW);
    let margin = Duration::from_secs(60);
    assert_eq!(cutoff(RedisStore::builder("test").cutoff_margin(margin)).await, SKEW + margin);
}

/// A request may have read its clock before it had to wait, or have one of its own.
#[tokio::test]
async fn the_cutoff_is_no_earlier_than_any_clock_that_is_known() {
    let server = Redis::start(&[]);
    let node = Node::new(&server).await;
    for (request, expected) in [(NOW, NOW), (NOW + 20, NOW + 20), (NOW, NOW + 40)] {
        node.clock.set(UnixTime::from_secs(expected.max(NOW)).minus(Duration::from_secs((request > NOW).into())));
        server.command("FLUSHALL");
        let now = UnixTime::from_secs(request);
        node.redis.claim(&Claim::new(replay_key(1), now, Hold::Until(now))).await.unwrap();
        assert_eq!(node.redis.remembers_since(), Some(UnixTime::from_secs(expected).plus(SKEW)));
    }
    let highest = node.redis.remembers_since();
    node.clock.set(UnixTime::from_secs(NOW));
    server.command("FLUSHALL");
    node.redis.ready().await.unwrap();
    assert_eq!(node.redis.remembers_since(), highest, "nor does it move back when a clock does");
}

/// A machine has just been asleep, and its clock shows the old time for a moment.
#[tokio::test]
async fn the_cutoff_is_no_earlier_than_the_exact_time() {
    struct Awoken;
    impl Clock for Awoken {
        fn now(&self) -> UnixTime {
            UnixTime::from_secs(NOW)
        }
        fn exact(&self) -> UnixTime {
            UnixTime::from_secs(NOW + 3_600)
        }
    }
    let server = Redis::start(&[]);
    let store = RedisStore::builder("test").clock(Awoken).connect(server.url()).await.unwrap();
    assert_eq!(store.remembers_since(), Some(Awoken.exact().plus(SKEW)));
}

/// A snapshot holds a ticket that was redeemed after it was taken.
#[tokio::test]
async fn a_restart_brings_no_ticket_back() {
    let mut server = Redis::start(&["--save", "3600 1"]);
    let node = Node::new(&server).await;
    let now = node.clock.now();
    let until = now.plus(Duration::from_secs(600));
    let [redeemed, waiting] = [1, 2].map(|byte| TicketDigest::from([byte; 32]));
    for digest in [redeemed, waiting] {
        node.redis.put(NewTickets::new("acme".into(), now, until).with(digest, b"ada".to_vec())).await.unwrap();
    }
    server.command("SAVE");
    assert_eq!(node.redis.take(redeemed, now).await.unwrap().as_deref(), Some(&b"ada"[..]));
    server.kill();
    server.start_again();
    assert!(server.command("DBSIZE").starts_with(":5"), "the cutoff, both tickets and the count of them are back");

    let again = Node::new(&server).await;
    for digest in [redeemed, waiting] {
        assert_eq!(again.redis.take(digest, now).await.unwrap(), None);
    }
    again.redis.put(NewTickets::new("acme".into(), now, until).with(waiting, b"bob".to_vec())).await.unwrap();
    assert_eq!(again.redis.take(waiting, now).await.unwrap().as_deref(), Some(&b"bob"[..]));
}

/// While one node sets the cutoff, the other must not find a server that knows the scripts and no cutoff.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_nodes_notice_at_once() {
    let server = Redis::start(&[]);
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(Node::new(&server).await);
    }
    for round in 0..20 {
        let used = link_of(NOW + round * 3);
        assert_eq!(nodes[0].send(&used).await, "ok", "round {round}");
        server.command("FLUSHALL");
        server.command("SCRIPT FLUSH");
        let copies = nodes.iter().flat_map(|node| (0..8).map(|_| node.send(&used)));
        for outcome in futures::future::join_all(copies).await {
            assert_eq!(outcome, "replayed", "round {round}");
        }
        // A clock that is set by hand jumps: a node that hears of the last cutoff only then would reckon it from there.
        for node in &nodes {
            node.redis.ready().await.unwrap();
            node.clock.advance(Duration::from_secs(3));
        }
    }
}
