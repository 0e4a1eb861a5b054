//! Failovers: what a replica has not received is lost when it becomes the master.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tower_sso::redis::{ConnectError, RedisStore};
use tower_sso::replay::ReplayStore;

use super::failures::until_it_is_ready;
use super::{NOW, Node, Redis, clock, link, link_of};

/// Makes a server sync its replicas at once.
const PROMPT: &[&str] = &["--repl-diskless-sync-delay", "0"];

const LATER: u64 = NOW + 10;

impl Redis {
    async fn follow(&self, master: &Self) {
        self.command(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
        let asked = Instant::now();
        while !self.command("INFO replication").contains("master_link_status:up") {
            assert!(asked.elapsed() < Duration::from_secs(60), "the replica does not follow");
            tokio::task::yield_now().await;
        }
    }

    /// The server's first replica is news to the nodes: it changes the mark. What is made later is not refused for
    /// that.
    async fn have_replica(&self, replica: &Self, node: &Node) {
        replica.follow(self).await;
        node.redis.ready().await.unwrap();
        node.clock.advance(Duration::from_secs(LATER - NOW));
    }

    fn lead(&self) {
        assert!(self.command("REPLICAOF NO ONE").starts_with("+OK"));
    }
}

/// It never stopped, so it knows the scripts from its first time. Its data are those of the master in between.
#[tokio::test]
async fn a_server_that_is_the_master_again_lets_nothing_in_twice() {
    let (first, second) = (Redis::start(PROMPT), Redis::start(PROMPT));
    let node = Node::new(&first).await;
    first.have_replica(&second, &node).await;
    second.lead();
    let used = link_of(LATER);
    assert_eq!(node.send(&used).await, "ok", "only the first server knows of it");
    first.follow(&second).await;
    assert_eq!(node.send(&used).await, "unavailable", "a replica is no judge");
    first.lead();
    assert_eq!(node.send(&used).await, "replayed");
}

/// A node that finds a replica at its address must not teach it the scripts without a cutoff.
#[tokio::test]
async fn a_replica_that_was_asked_before_its_time_lets_nothing_in_twice() {
    let (mut first, second) = (Redis::start(PROMPT), Redis::start(PROMPT));
    let node = Node::new(&first).await;
    first.have_replica(&second, &node).await;
    assert!(RedisStore::connect(second.url(), "test").await.is_err());
    second.command("REPLICAOF 127.0.0.1 1");
    let used = link_of(LATER);
    assert_eq!(node.send(&used).await, "ok", "the replica has not heard of it");
    first.kill();
    second.lead();
    assert_eq!(Node::at(&second, LATER + 1).await.send(&used).await, "replayed");
}

/// Writes to it are lost when it syncs with its master.
#[tokio::test]
async fn a_replica_that_may_be_written_to_is_no_store() {
    let (master, replica) = (Redis::start(PROMPT), Redis::start(&["--replica-read-only", "no"]));
    let node = Node::new(&replica).await;
    replica.follow(&master).await;
    assert_eq!(node.send(&link()).await, "unavailable");
    assert!(node.redis.ready().await.is_err());
    let error = RedisStore::connect(replica.url(), "test").await.unwrap_err();
    assert!(matches!(&error, ConnectError::Server(_)) && error.to_string().contains("master"), "{error}");
}

/// Then the scripts alone tell, which a server that takes no writes must not learn.
#[tokio::test]
async fn a_user_that_may_not_ask_who_the_server_is_teaches_a_replica_nothing() {
    let (mut first, second) = (Redis::start(PROMPT), Redis::start(PROMPT));
    for server in [&first, &second] {
        server.command("ACL SETUSER blind on >hush ~* +@all -info");
    }
    let connect = async |server: &Redis| {
        let url = server.url().replace("redis://", "redis://blind:hush@");
        RedisStore::builder("test").danger_unchecked_eviction().clock(clock()).connect(url).await
    };
    let before = connect(&first).await.unwrap().remembers_since();
    second.follow(&first).await;
    assert!(connect(&second).await.is_err());
    first.kill();
    second.lead();
    assert!(connect(&second).await.unwrap().remembers_since() > before);
}

/// As a name or an address that moves to the new master does, which leaves open connections where they are. Returns the
/// address, and the port that new connections go to.
async fn address_of(server: &Redis) -> (String, Arc<AtomicU16>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap());
    let target = Arc::new(AtomicU16::new(server.port()));
    let port = Arc::clone(&target);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let port = port.load(Ordering::Relaxed);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
                copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    (url, target)
}

#[tokio::test]
async fn a_master_that_becomes_a_replica_is_left_for_the_one_that_has_its_address() {
    let (first, second) = (Redis::start(PROMPT), Redis::start(PROMPT));
    for server in [&first, &second] {
        let commands = "+eval +evalsha +script|load +multi +exec +hmget +hset +time +info";
        server.command(&format!("ACL SETUSER few on >hush ~* -@all {commands}"));
    }
    let (url, address) = address_of(&first).await;
    let redis = RedisStore::connect(url.replace("redis://", "redis://few:hush@"), "test").await.unwrap();
    second.follow(&first).await;
    redis.ready().await.unwrap();
    second.lead();
    address.store(second.port(), Ordering::Relaxed);
    first.follow(&second).await;
    until_it_is_ready(&redis).await;
}

#[tokio::test]
async fn a_server_that_stands_still_is_left_for_the_one_that_has_its_address() {
    let (first, second) = (Redis::start(&[]), Redis::start(&[]));
    let (url, address) = address_of(&first).await;
    let builder = RedisStore::builder("test").timeout(Duration::from_millis(200));
    let redis = builder.connect(url).await.unwrap();
    first.pause();
    address.store(second.port(), Ordering::Relaxed);
    until_it_is_ready(&redis).await;
}
