//! A cluster, and a master that is replaced by its replica.
#![cfg(all(feature = "redis-cluster", feature = "redis-sentinel"))]

use std::time::{Duration, Instant};

use futures::future::join_all;
use tower_sso::redis::RedisStore;
use tower_sso::replay::{Claim, Claimed, Hold, ReplayStore};
use tower_sso::ticket::{NewTickets, TicketDigest, TicketStore};

use super::{NOW, Redis, UnixTime, clock, replay_key};

/// Polls another program, which does not notify us.
async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let asked = Instant::now();
    while !ask().await {
        assert!(asked.elapsed() < Duration::from_secs(60), "{what} has not come");
        tokio::task::yield_now().await;
    }
}

/// Servers with these slots each, which know each other.
async fn cluster(slots: &[&str]) -> Vec<Redis> {
    let nodes: Vec<_> = slots.iter().map(|_| Redis::start(&["--cluster-enabled", "yes"])).collect();
    for (node, slots) in nodes.iter().zip(slots) {
        node.command(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
        node.command(&format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].port()));
    }
    let known = format!("cluster_known_nodes:{}", nodes.len());
    until("a complete cluster", async || {
        nodes.iter().all(|node| {
            let info = node.command("CLUSTER INFO");
            info.contains("cluster_state:ok") && info.contains(&known)
        })
    })
    .await;
    nodes
}

#[tokio::test]
async fn a_cluster_keeps_what_belongs_together_on_one_node() {
    let nodes = cluster(&["0 5460", "5461 10922", "10923 16383"]).await;
    // Several namespaces, so that several of the nodes are used.
    for namespace in ["one", "two", "three", "four", "five"] {
        let builder = RedisStore::builder(namespace).clock(clock()).timeout(Duration::from_secs(5));
        let store = builder.connect_cluster(nodes.iter().map(Redis::url)).await.unwrap();
        store.ready().await.unwrap();
        let now = UnixTime::from_secs(NOW);
        let until = now.plus(Duration::from_secs(60));
        for number in 0..20 {
            let claims = (0..8).map(|_| store.claim(&Claim::new(replay_key(number), now, Hold::Until(until))));
            let firsts = join_all(claims).await.into_iter().filter(|claim| matches!(claim, Ok(Claimed::First)));
            assert_eq!(firsts.count(), 1, "{namespace}");
            let digests = [number, number + 100].map(|number| TicketDigest::from([number; 32]));
            let mut new = NewTickets::new("acme".into(), now, until);
            new.shared = vec![7];
            store.put(new.with(digests[0], vec![number]).with(digests[1], vec![number])).await.unwrap();
            for digest in digests {
                assert_eq!(store.take(digest, now).await.unwrap(), Some(vec![7, number]));
                assert_eq!(store.take(digest, now).await.unwrap(), None);
            }
        }
    }
    let used = nodes.iter().filter(|node| !node.command("DBSIZE").starts_with(":0")).count();
    assert!(used > 1, "of {} nodes, {used} were used", nodes.len());
}

/// A slot moves key by key. A script with a key on either side is told to try again.
#[tokio::test]
async fn a_slot_that_moves_lets_nothing_in_twice_and_is_found_again() {
    let nodes = cluster(&["0 8191", "8192 16383"]).await;
    let builder = RedisStore::builder("moving").clock(clock()).timeout(Duration::from_secs(1));
    let store = builder.connect_cluster(nodes.iter().map(Redis::url)).await.unwrap();
    let now = UnixTime::from_secs(NOW);
    let claim = |number| Claim::new(replay_key(number), now, Hold::Until(now.plus(Duration::from_secs(60))));
    assert_eq!(store.claim(&claim(1)).await.unwrap(), Claimed::First);

    let word = |node: &Redis, command: &str| node.command(command).lines().last().unwrap_or_default().to_owned();
    let slot_of = |namespace: &str| {
        let slot = word(&nodes[0], &format!("CLUSTER KEYSLOT {{{namespace}}}"));
        slot.trim_start_matches(':').parse::<u16>().unwrap()
    };
    let slot = slot_of("moving");
    let is_on_first = |slot: u16| slot < 8_192;
    let (from, to) = if is_on_first(slot) { (0, 1) } else { (1, 0) };
    let (from, to) = (&nodes[from], &nodes[to]);
    // Another application there, whose scripts are the same: that they are known says nothing of the memory.
    let names = (0..).map(|number| format!("other-{number}"));
    let other = names.into_iter().find(|name| is_on_first(slot_of(name)) != is_on_first(slot)).unwrap();
    RedisStore::builder(&other).clock(clock()).connect_cluster(nodes.iter().map(Redis::url)).await.unwrap();
    let ids = [from, to].map(|node| word(node, "CLUSTER MYID"));
    to.command(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", ids[0]));
    from.command(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", ids[1]));
    let migrate = |key: &str| from.command(&format!("MIGRATE 127.0.0.1 {} {key} 0 5000", to.port()));
    assert!(migrate("{moving}memory").starts_with("+OK"));

    let asked = Instant::now();
    for number in [1, 2] {
        assert!(store.claim(&claim(number)).await.is_err(), "its keys are on either side");
    }
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());

    let before = store.remembers_since();
    let keys = from.command(&format!("CLUSTER GETKEYSINSLOT {slot} 100"));
    for key in keys.lines().filter(|line| line.starts_with("{moving}")) {
        assert!(migrate(key).starts_with("+OK"));
    }
    for node in [to, from] {
        assert!(node.command(&format!("CLUSTER SETSLOT {slot} NODE {}", ids[1])).starts_with("+OK"));
    }
    until("the slot", async || store.claim(&claim(1)).await.is_ok_and(|claimed| claimed == Claimed::Spent)).await;
    assert!(store.remembers_since() > before, "another server is another memory");
    assert_eq!(store.claim(&claim(3)).await.unwrap(), Claimed::First);
}

#[tokio::test]
async fn a_replica_that_takes_over_lets_nothing_in_twice() {
    let mut master = Redis::start(&[]);
    let replica = Redis::start(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    until("the replica", async || replica.command("INFO replication").contains("master_link_status:up")).await;
    let sentinel = Redis::sentinel("mymaster", master.port());
    until("the sentinel's knowledge", async || {
        sentinel.command("SENTINEL MASTER mymaster").contains("\r\nnum-slaves\r\n$1\r\n1")
    })
    .await;

    let builder = RedisStore::builder("test").clock(clock()).timeout(Duration::from_millis(500));
    let store = builder.connect_sentinel([sentinel.url()], "mymaster").await.unwrap();
    let now = UnixTime::from_secs(NOW);
    let hold = Hold::Until(now.plus(Duration::from_secs(60)));
    let cutoff = store.remembers_since().unwrap();
    assert_eq!(store.claim(&Claim::new(replay_key(1), now, hold)).await.unwrap(), Claimed::First);

    // The replica is cut off when the last claim is made, and the master is gone before it hears of it.
    until("the first claim on the replica", async || !replica.command("KEYS *}r:*").starts_with("*0")).await;
    replica.command("REPLICAOF 127.0.0.1 1");
    assert_eq!(store.claim(&Claim::new(replay_key(2), now, hold)).await.unwrap(), Claimed::First);
    master.kill();
    assert!(store.claim(&Claim::new(replay_key(3), now, hold)).await.is_err());

    let mut claimed = None;
    until("another master", async || {
        claimed = store.claim(&Claim::new(replay_key(2), now, hold)).await.ok();
        claimed.is_some()
    })
    .await;
    assert_eq!(claimed, Some(Claimed::First), "the replica has not heard of it");
    assert!(store.remembers_since().unwrap() > cutoff, "but layers learn with the answer that it is in doubt");
    assert_eq!(store.claim(&Claim::new(replay_key(1), now, hold)).await.unwrap(), Claimed::Spent);
    assert_eq!(replica.command("ROLE").lines().nth(2), Some("master"));
}

#[tokio::test]
async fn sentinels_that_know_no_master_are_an_error() {
    let master = Redis::start(&[]);
    let sentinel = Redis::sentinel("mymaster", master.port());
    let connect = async |name| RedisStore::builder("test").connect_sentinel([sentinel.url()], name).await;
    assert!(connect("mymaster").await.is_ok());
    let error = connect("another").await.unwrap_err().to_string();
    assert!(error.contains("cannot be used"), "{error}");
}

#[tokio::test]
async fn a_master_behind_sentinels_may_have_users_and_databases() {
    let master = Redis::start(&[]);
    master.command("ACL SETUSER app on >hush ~* +@all");
    master.command("ACL SETUSER default -eval -evalsha");
    let sentinel = Redis::sentinel("mymaster", master.port());
    let connect = async |like: Option<&str>| {
        let builder = RedisStore::builder("test");
        let builder = like.map_or(builder.clone(), |url| builder.master_like(url));
        builder.connect_sentinel([sentinel.url()], "mymaster").await.map_err(|error| error.to_string())
    };
    let store = connect(Some("redis://app:hush@anywhere:1/3")).await.unwrap();
    let hold = Hold::Until(UnixTime::from_secs(NOW + 60));
    let claim = Claim::new(replay_key(1), UnixTime::from_secs(NOW), hold);
    assert_eq!(store.claim(&claim).await.unwrap(), Claimed::First);
    assert!(master.command("INFO keyspace").contains("db3:"), "the URL's database");
    for (like, expected) in [
        (None, "cannot be used"),
        (Some("redis://app:wrong@anywhere/"), "cannot be used"),
        (Some("not a URL"), "not usable"),
    ] {
        let error = connect(like).await.unwrap_err();
        assert!(error.contains(expected), "{like:?}: {error}");
    }
}

/// The connection to the old master stays open in both cases.
#[tokio::test]
async fn sentinels_are_asked_again_when_the_master_is_none_any_more_or_stands_still() {
    for still in [false, true] {
        let (master, other) = (Redis::start(&[]), Redis::start(&[]));
        let sentinel = Redis::sentinel("mymaster", master.port());
        let builder = RedisStore::builder("test").clock(clock()).timeout(Duration::from_millis(500));
        let store = builder.connect_sentinel([sentinel.url()], "mymaster").await.unwrap();
        sentinel.command("SENTINEL REMOVE mymaster");
        sentinel.command(&format!("SENTINEL MONITOR mymaster 127.0.0.1 {} 1", other.port()));
        if still {
            master.pause();
        } else {
            master.command(&format!("REPLICAOF 127.0.0.1 {}", other.port()));
        }
        let now = UnixTime::from_secs(NOW);
        let hold = Hold::Until(now.plus(Duration::from_secs(60)));
        assert!(store.claim(&Claim::new(replay_key(1), now, hold)).await.is_err());
        until("the other master", async || store.claim(&Claim::new(replay_key(1), now, hold)).await.is_ok()).await;
        assert!(other.command("KEYS *}r:*").contains("}r:"));
    }
}

#[tokio::test]
async fn sentinels_that_stand_still_are_an_error_in_time() {
    let mut master = Redis::start(&[]);
    let sentinel = Redis::sentinel("mymaster", master.port());
    let builder = RedisStore::builder("test").timeout(Duration::from_millis(300));
    let store = builder.connect_sentinel([sentinel.url()], "mymaster").await.unwrap();
    sentinel.pause();
    master.kill();
    for _ in 0..3 {
        let answer = tokio::time::timeout(Duration::from_secs(20), store.ready()).await;
        assert!(answer.expect("an answer in time").is_err());
    }
}

/// Also for a store that has no time to wait for it.
#[tokio::test]
async fn a_sentinel_that_stands_still_does_not_hide_the_others() {
    let (master, other) = (Redis::start(&[]), Redis::start(&[]));
    let [still, good] = [(); 2].map(|()| Redis::sentinel("mymaster", master.port()));
    let builder = RedisStore::builder("test").timeout(Duration::from_millis(300));
    let store = builder.connect_sentinel([still.url(), good.url()], "mymaster").await.unwrap();
    still.pause();
    good.command("SENTINEL REMOVE mymaster");
    good.command(&format!("SENTINEL MONITOR mymaster 127.0.0.1 {} 1", other.port()));
    master.command(&format!("REPLICAOF 127.0.0.1 {}", other.port()));
    until("the other master", async || store.ready().await.is_ok()).await;
}

/// The connection to it stays open, and nothing comes.
#[tokio::test]
async fn a_master_of_a_cluster_that_stands_still_is_left_for_its_replica() {
    let settings = &["--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--repl-diskless-sync-delay", "0"];
    let slots = ["0 5460", "5461 10922", "10923 16383"];
    let masters = slots.map(|_| Redis::start(settings));
    let replica = Redis::start(settings);
    for (master, slots) in masters.iter().zip(slots) {
        master.command(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
        master.command(&format!("CLUSTER MEET 127.0.0.1 {}", replica.port()));
    }
    until("a complete cluster", async || {
        masters.iter().chain([&replica]).all(|node| {
            let info = node.command("CLUSTER INFO");
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:4")
        })
    })
    .await;
    let builder = RedisStore::builder("test").clock(clock()).timeout(Duration::from_millis(300));
    let store = builder.connect_cluster(masters.iter().map(Redis::url)).await.unwrap();
    let used = masters.iter().find(|master| master.command("KEYS *").contains("{test}memory")).unwrap();
    let id = used.command("CLUSTER MYID");
    replica.command(&format!("CLUSTER REPLICATE {}", id.lines().last().unwrap()));
    until("the replica", async || replica.command("INFO replication").contains("master_link_status:up")).await;

    used.pause();
    until("another master", async || replica.command("ROLE").contains("master")).await;
    until("an answer of the other master", async || store.ready().await.is_ok()).await;
}

/// Exactly those that the documentation names.
#[tokio::test]
async fn a_user_with_few_permissions_is_enough_for_a_cluster() {
    let nodes = cluster(&["0 16383"]).await;
    let commands = "+eval +evalsha +script|load +multi +exec +get +set +del +hget +hmget +hset +time +info \
                    +cluster|slots +ping";
    nodes[0].command(&format!("ACL SETUSER few on >hush ~{{test}}* -@all {commands}"));
    let url = nodes[0].url().replace("redis://", "redis://few:hush@");
    let store = RedisStore::builder("test").clock(clock()).connect_cluster([url]).await.unwrap();
    store.ready().await.unwrap();
    let now = UnixTime::from_secs(NOW);
    assert_eq!(store.claim(&Claim::new(replay_key(1), now, Hold::Until(now))).await.unwrap(), Claimed::First);
}
