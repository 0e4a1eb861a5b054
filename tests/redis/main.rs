//! The store on Redis, with real servers that are killed, paused, filled and restarted.
#![cfg(unix)]

mod batches;
mod clocks;
mod failures;
mod gate;
mod masters;
mod memory;
#[path = "../support/redis.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;
mod tickets;
mod topologies;
mod transport;
mod windows;

use std::time::Duration;

use ::redis::aio::{ConnectionLike, ConnectionManager};
use serde_json::Value;
use server::Redis;
use support::subject::{FernetSubject, Subject, get};
use support::{App, NOW, clock, outcome};
use tower_sso::clock::{Clock, ManualClock, UnixTime};
use tower_sso::fernet;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::redis::{ConnectError, RedisStore};
use tower_sso::replay::{Claim, Claimed, Fingerprint, Hold, LeaseId, ReplayStore};
use tower_sso::sign::FernetLink;
use tower_sso::testing;
use tower_sso::ticket::{NewTickets, TicketDigest, TicketStore};

const SKEW: Duration = Duration::from_secs(1);

/// A node with its own connection and clock, and a layer.
struct Node<C = ConnectionManager> {
    redis: RedisStore<C>,
    clock: ManualClock,
    app: App,
}

impl Node {
    /// Ready for links of [`NOW`]: the cutoff is that moment.
    async fn new(server: &Redis) -> Self {
        Self::at(server, NOW).await
    }

    async fn at(server: &Redis, seconds: u64) -> Self {
        let (clock, now) = (clock(), UnixTime::from_secs(seconds));
        clock.set(now.minus(SKEW));
        // As short as a busy machine allows: some tests wait for it to pass.
        let builder = RedisStore::builder("test").clock(clock.clone()).timeout(Duration::from_secs(1));
        let redis = builder.connect(server.url()).await.unwrap();
        clock.set(now);
        Self::with(redis, &clock)
    }
}

impl<C> Node<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn with(redis: RedisStore<C>, clock: &ManualClock) -> Self {
        let keys = MemoryKeys::new().with("4321", key());
        let layer = fernet::layer::<Value>().keys(keys).replay(redis.clone()).clock(clock.clone());
        Self { redis, clock: clock.clone(), app: App::new(layer.build().unwrap()) }
    }

    async fn send(&self, link: &str) -> &'static str {
        outcome(&self.app.send(get(link)).await)
    }
}

fn key() -> Secret {
    FernetSubject::key(0)
}

/// A new link at each call, since Fernet tokens are random.
fn link_of(seconds: u64) -> String {
    let link = FernetLink::new("/sso", "4321", &key()).issued_at(UnixTime::from_secs(seconds));
    link.uri(&serde_json::json!({"id": 1})).unwrap()
}

fn link() -> String {
    link_of(NOW)
}

fn replay_key(number: u8) -> Fingerprint {
    Fingerprint::from([number; 32])
}

#[tokio::test]
async fn a_link_signs_in_once_on_all_nodes() {
    let server = Redis::start(&[]);
    let (one, other) = (Node::new(&server).await, Node::new(&server).await);
    for _ in 0..20 {
        let link = link();
        let copies = (0..16).map(|copy| if copy % 2 == 0 { one.send(&link) } else { other.send(&link) });
        let outcomes = futures::future::join_all(copies).await;
        let accepted = outcomes.iter().filter(|outcome| **outcome == "ok").count();
        assert_eq!((accepted, outcomes.iter().filter(|outcome| **outcome == "replayed").count()), (1, 15));
    }
}

#[tokio::test]
async fn nodes_whose_clocks_differ_by_the_skew_have_no_window_between_them() {
    let server = Redis::start(&[]);
    let (behind, ahead) = (Node::new(&server).await, Node::new(&server).await);
    ahead.clock.set(UnixTime::from_secs(NOW + 60).plus(Duration::from_millis(999)));
    let link = link();
    // The last moment of the link's 60 s, by the clock that is ahead.
    assert_eq!(ahead.send(&link).await, "ok");
    // The server forgets it by its own clock. The node behind would still accept it for its skew.
    let kept: i64 = time_to_live(&server);
    let patience = 2_000;
    let passed = 2_000; // how long this test may have taken since
    let skew = 2 * 1_000; // this machine's, and the server's own
    assert!((patience + skew - passed..=patience + skew + 1).contains(&kept), "{kept} ms");
    behind.clock.set(UnixTime::from_secs(NOW + 59).plus(Duration::from_millis(999)));
    assert_eq!(behind.send(&link).await, "replayed");
}

/// Of the only entry there is, in milliseconds.
fn time_to_live(server: &Redis) -> i64 {
    let answer = server.eval("}r:", "return redis.call('PTTL', key)");
    answer.rsplit_once(':').and_then(|(_, number)| number.trim().parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn entries_are_kept_by_relative_time() {
    let server = Redis::start(&[]);
    let node = Node::new(&server).await;
    let now = UnixTime::from_secs(NOW); // years ago: the server has no use for it
    for (number, hold, expected) in [
        (1, Hold::Until(now.plus(Duration::from_secs(60))), 62_000),
        (2, Hold::Until(now), 2_000),
        (3, Hold::Until(now.minus(Duration::from_secs(60))), 2_000),
        (4, Hold::lease(now.plus(Duration::from_secs(30))), 32_000),
        (5, Hold::Until(UnixTime::MAX), -1),
    ] {
        assert_eq!(node.redis.claim(&Claim::new(replay_key(number), now, hold)).await.unwrap(), Claimed::First);
        let left = time_to_live(&server);
        assert!((expected - 900..=expected).contains(&left), "{hold:?}: {left} ms");
        server.eval("}r:", "return redis.call('DEL', key)");
    }
}

#[tokio::test]
async fn what_connects_says_what_to_do() {
    let server = Redis::start(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let error = RedisStore::connect(server.url(), "test").await.unwrap_err();
    assert!(matches!(&error, ConnectError::Evicts(policy) if policy == "allkeys-lru"), "{error:?}");
    assert!(error.to_string().contains("maxmemory-policy noeviction"), "{error}");
    let unchecked = RedisStore::builder("test").danger_unchecked_eviction();
    assert!(unchecked.connect(server.url()).await.is_ok());
    server.command("CONFIG SET maxmemory-policy noeviction");
    let store = RedisStore::connect(server.url(), "test").await.unwrap();
    store.ready().await.unwrap();
    server.command("CONFIG SET maxmemory-policy volatile-ttl");
    assert!(store.ready().await.unwrap_err().to_string().contains("volatile-ttl"), "it may change any time");

    server.command("CONFIG SET maxmemory-policy noeviction");
    server.command("ACL SETUSER blind on >hush ~* +@all -info");
    let blind = format!("redis://blind:hush@127.0.0.1:{}/", server.port());
    let error = RedisStore::connect(blind.as_str(), "test").await.unwrap_err();
    assert!(matches!(error, ConnectError::UnknownPolicy(_)), "{error:?}");
    assert!(RedisStore::builder("test").danger_unchecked_eviction().connect(blind.as_str()).await.is_ok());

    for (url, named) in [
        ("http://127.0.0.1/", "redis://host/"),
        ("nonsense", "redis://host/"),
        ("redis://127.0.0.1:1/", "cannot be used"),
        (&blind.replace("hush", "wrong-hush"), "cannot be used"),
    ] {
        let error = RedisStore::connect(url, "test").await.unwrap_err().to_string();
        assert!(error.contains(named), "{url}: {error}");
        assert!(!error.contains("hush"), "{error}");
    }
    for namespace in ["", "a{b", "a}b", "a b", "a\nb", &"a".repeat(257)] {
        let error = RedisStore::connect(server.url(), namespace).await.unwrap_err();
        assert!(matches!(error, ConnectError::Namespace), "{namespace:?}");
    }
}

/// Exactly those that the documentation names.
#[tokio::test]
async fn a_user_with_few_permissions_is_enough() {
    let server = Redis::start(&[]);
    let commands = "+eval +evalsha +script|load +multi +exec +get +getdel +set +del +exists +hget +hmget +hset +time \
                    +info +hdel +pexpire +zadd +zrange +zrem";
    server.command(&format!("ACL SETUSER few on >hush ~{{test}}* -@all {commands}"));
    let url = format!("redis://few:hush@127.0.0.1:{}/?protocol=resp3", server.port());
    let store = RedisStore::connect(url.as_str(), "test").await.unwrap();
    store.ready().await.unwrap();
    let now = UnixTime::from_secs(NOW);
    let id = LeaseId::from(u64::MAX);
    let lease = Hold::Lease { until: now.plus(Duration::from_secs(60)), id };
    for _ in 0..2 {
        assert_eq!(store.claim(&Claim::new(replay_key(1), now, lease)).await.unwrap(), Claimed::First);
        store.release(replay_key(1), id).await.unwrap();
    }
    store.settle(&Claim::new(replay_key(1), now, Hold::Until(now))).await.unwrap();
    let mut new = NewTickets::new("acme".into(), now, lease.until());
    new.shared = vec![0];
    store.put(new.with([1; 32].into(), vec![1]).with([2; 32].into(), vec![2])).await.unwrap();
    for number in [1, 2] {
        assert_eq!(store.take([number; 32].into(), now).await.unwrap(), Some(vec![0, number]));
    }
}

#[tokio::test]
async fn any_setting_that_can_be_made_works() {
    let server = Redis::start(&[]);
    let now = UnixTime::from_secs(NOW);
    let hold = Hold::Until(now);
    let most =
        RedisStore::builder("test").clock_skew(Duration::MAX).cutoff_margin(Duration::MAX).timeout(Duration::MAX);
    let store = most.connect(server.url()).await.unwrap();
    assert_eq!(store.claim(&Claim::new(replay_key(1), now, hold)).await.unwrap(), Claimed::First);
    assert_eq!(store.claim(&Claim::new(replay_key(1), now, hold)).await.unwrap(), Claimed::Spent);
    let least = RedisStore::builder("-").clock_skew(Duration::ZERO);
    let store = least.connect(server.url()).await.unwrap();
    assert_eq!(store.claim(&Claim::new(replay_key(1), now, hold)).await.unwrap(), Claimed::First);
}

#[tokio::test]
async fn deployments_know_nothing_of_each_other() {
    let server = Redis::start(&[]);
    let store = async |namespace: &str| RedisStore::connect(server.url(), namespace).await.unwrap();
    let (one, same, other) = (store("production").await, store("production").await, store("staging").await);
    let now = UnixTime::from_secs(NOW);
    let hold = Hold::Until(now.plus(Duration::from_secs(60)));
    let claim = async |store: &RedisStore| store.claim(&Claim::new(replay_key(1), now, hold)).await.unwrap();
    assert_eq!(claim(&one).await, Claimed::First);
    assert_eq!(claim(&other).await, Claimed::First);
    assert_eq!(claim(&same).await, Claimed::Spent);

    let (ticket, until) = (TicketDigest::from([1; 32]), hold.until());
    other.put(NewTickets::new("acme".into(), now, until).with(ticket, b"ada".to_vec())).await.unwrap();
    assert_eq!(one.take(ticket, now).await.unwrap(), None, "staging's ticket at production");
    assert_eq!(other.take(ticket, now).await.unwrap().as_deref(), Some(&b"ada"[..]));
}

/// No value of an entry means that nobody has it.
#[tokio::test]
async fn what_another_program_wrote_admits_nobody() {
    let server = Redis::start(&[]);
    let node = Node::new(&server).await;
    let now = UnixTime::from_secs(NOW);
    let hold = Hold::Until(now.plus(Duration::from_secs(60)));
    let claim = Claim::new(replay_key(1), now, hold);
    node.redis.claim(&claim).await.unwrap();
    for value in ["", "x", "S", "s ", "l", "lease", "l-1", "0"] {
        server.eval("}r:", &format!("return redis.call('SET', key, '{value}')"));
        let error = node.redis.claim(&claim).await.unwrap_err().to_string();
        assert!(error.contains("namespace") && error.contains("{test}r:"), "{value:?}: {error}");
    }
    let ticket = TicketDigest::from([1; 32]);
    for value in ["", "x", ":x", "s:x"] {
        node.redis.put(NewTickets::new("acme".into(), now, hold.until()).with(ticket, vec![1])).await.unwrap();
        server.eval("}t:", &format!("return redis.call('SET', key, '{value}')"));
        assert!(node.redis.take(ticket, now).await.is_err(), "{value:?}");
    }

    let used = link();
    assert_eq!(node.send(&used).await, "ok");
    server.eval("}r:", "for _, entry in ipairs(redis.call('KEYS', '*}r:*')) do redis.call('DEL', entry) end return 1");
    for (field, value) in [("cutoff", "9223372036854775808"), ("cutoff", "-1e300"), ("raised", "9007199254740994")] {
        server.eval("}memory", &format!("return redis.call('HSET', key, '{field}', '{value}')"));
        let error = node.redis.claim(&claim).await.unwrap_err().to_string();
        assert!(error.contains("namespace") && error.contains("{test}memory"), "{field} {value}: {error}");
        assert!(node.redis.ready().await.is_err());
        server.command("DEL {test}memory");
        node.redis.ready().await.unwrap();
        assert_eq!(node.send(&used).await, "replayed");
    }
}

/// A server that is changed while it runs. Of what it drops, nothing passes again.
#[tokio::test]
async fn an_eviction_policy_that_comes_later_lets_nothing_in_twice() {
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let server = Redis::start(&["--maxmemory", "8mb", "--maxmemory-policy", "noeviction"]);
        let node = Node::new(&server).await;
        let mut used = Vec::new();
        for _ in 0..200 {
            used.push(link());
        }
        for link in &used {
            assert_eq!(node.send(link).await, "ok");
        }
        server.command(&format!("CONFIG SET maxmemory-policy {policy}"));
        let error = node.redis.claim(&Claim::new(replay_key(1), node.clock.now(), Hold::lease(node.clock.now()))).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(policy) && error.contains("set maxmemory-policy noeviction"), "{error}");
        // As another application does.
        server.command("SET filler x");
        let fill =
            "for i = 1, 60000 do redis.call('SET', 'filler:' .. i, string.rep('x', 100), 'EX', 100) end return 1";
        server.eval("filler", fill);
        let evicted = server.command("INFO stats");
        assert!(!evicted.contains("evicted_keys:0"), "the test fills the server");
        for link in &used {
            assert_eq!(node.send(link).await, "unavailable", "{policy}");
        }
        server.command("CONFIG SET maxmemory-policy noeviction");
        server.command("CONFIG SET maxmemory 0");
        for link in &used {
            assert_eq!(node.send(link).await, "replayed", "{policy}");
        }
        node.clock.advance(Duration::from_secs(2));
        assert_eq!(node.send(&link_of(NOW + 2)).await, "ok", "what is made since");
    }
}

/// Not once for each of the scripts, and not the bare words of the server.
#[tokio::test]
async fn a_permission_that_lacks_is_told_once_and_where_to_look() {
    let server = Redis::start(&[]);
    for lacking in ["script", "time", "hset", "info", "evalsha"] {
        server.command(&format!("ACL SETUSER few reset on >hush ~* +@all -{lacking}"));
        let url = format!("redis://few:hush@127.0.0.1:{}/", server.port());
        let error = RedisStore::builder("test").danger_unchecked_eviction().connect(url).await;
        let Err(error) = error.map_err(|error| error.to_string()) else {
            assert_eq!(lacking, "info");
            continue;
        };
        assert!(error.contains("lacks a permission: it needs EVAL, EVALSHA, SCRIPT LOAD,"), "{lacking}: {error}");
        for once in ["EVALSHA", "The server says", "@user_script"] {
            assert!(error.matches(once).count() <= 1, "{lacking}: {error}");
        }
        assert!(error.len() < 450, "{lacking}: {error}");
    }
}

/// What every store promises, by the suite that others use for theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_a_stores_promises() {
    let server = Redis::start(&[]);
    let gone = {
        let server = Redis::start(&[]);
        RedisStore::builder("test").timeout(Duration::from_secs(1)).connect(server.url()).await.unwrap()
    };
    // The promises are about what it keeps. A busy machine may take its time for the thousands of entries that are put
    // at once.
    let patient = || RedisStore::builder("test").timeout(Duration::from_secs(4));
    let connect = async || patient().connect(server.url()).await.unwrap();
    testing::replay_store(connect).unreachable(gone.clone()).run().await.unwrap();
    testing::ticket_store(connect).unreachable(gone).run().await.unwrap();
}
