//! Wrong clocks: a node's and the server's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisFuture, Value};
use tower_sso::clock::{Clock, ManualClock, SystemClock, UnixTime};
use tower_sso::redis::RedisStore;
use tower_sso::replay::{Claim, Hold, ReplayStore};

use super::{Node, Redis, SKEW, link_of, replay_key};

const HOUR: Duration = Duration::from_secs(3_600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

async fn connect(server: &Redis, clock: &ManualClock) -> Result<RedisStore, String> {
    let store = RedisStore::builder("test").clock(clock.clone()).connect(server.url()).await;
    store.map_err(|error| error.to_string())
}

/// The server's clock is the machine's, so these nodes have its time too.
async fn honest_node(server: &Redis) -> Node {
    Node::at(server, now()).await
}

fn now() -> u64 {
    SystemClock.now().as_secs().unsigned_abs()
}

/// After its links would have been refused as made before the cutoff.
async fn lets_in(node: &Node) {
    node.redis.ready().await.unwrap();
    let later = now() + 4;
    node.clock.set(UnixTime::from_secs(later));
    assert_eq!(node.send(&link_of(later)).await, "ok");
}

#[tokio::test]
async fn a_node_whose_clock_is_ahead_does_not_shut_the_others_out() {
    for ahead in [Duration::from_secs(10), YEAR] {
        let server = Redis::start(&[]);
        let honest = honest_node(&server).await;
        server.command("FLUSHALL");
        let fast = ManualClock::at(SystemClock.now().plus(ahead));
        let refused = connect(&server, &fast).await.unwrap_err();
        assert!(refused.contains("clock is ahead") && refused.contains("NTP"), "{refused}");
        lets_in(&honest).await;

        fast.set(SystemClock.now());
        let right = connect(&server, &fast).await.unwrap();
        right.ready().await.unwrap();
        // One that goes wrong only now is refused itself, and the others go on.
        fast.set(SystemClock.now().plus(ahead));
        server.command("FLUSHALL");
        let claim = Claim::new(replay_key(1), fast.now(), Hold::Until(fast.now()));
        assert!(right.claim(&claim).await.unwrap_err().to_string().contains("clock is ahead"));
        lets_in(&honest_node(&server).await).await;
    }
}

/// Whoever may not ask who the server is goes by the scripts alone: it must not find them on a server without a cutoff.
#[tokio::test]
async fn a_node_whose_clock_is_ahead_teaches_a_server_nothing() {
    let mut server = Redis::start(&["--save", "3600 1"]);
    let blind = async |server: &Redis, clock: &ManualClock| {
        server.command("ACL SETUSER blind on >hush ~* +@all -info");
        let url = server.url().replace("redis://", "redis://blind:hush@");
        RedisStore::builder("test").danger_unchecked_eviction().clock(clock.clone()).connect(url).await
    };
    let clock = ManualClock::at(SystemClock.now());
    let before = blind(&server, &clock).await.unwrap().remembers_since();
    server.command("SAVE");
    server.kill();
    server.start_again();
    clock.advance(Duration::from_secs(1));
    assert!(blind(&server, &ManualClock::at(SystemClock.now().plus(YEAR))).await.is_err());
    assert!(blind(&server, &clock).await.unwrap().remembers_since() > before);
}

/// As a clock that was set back leaves it, or an earlier version's.
#[tokio::test]
async fn a_cutoff_far_ahead_is_told_and_can_be_taken_away() {
    let server = Redis::start(&[]);
    let node = honest_node(&server).await;
    let far = SystemClock.now().plus(YEAR);
    let (cutoff, raised) = (far.as_nanos() / 1_000_000, SystemClock.now().as_nanos() / 1_000 + 1);
    server.eval("}memory", &format!("return redis.call('HSET', key, 'cutoff', '{cutoff}', 'raised', '{raised}')"));
    assert_eq!(node.send(&link_of(now())).await, "replayed");
    let error = node.redis.ready().await.unwrap_err().to_string();
    assert!(error.contains("{test}memory") && error.contains("ahead"), "{error}");
    server.command("DEL {test}memory");
    lets_in(&node).await;
}

#[tokio::test]
async fn a_node_whose_clock_is_behind_lets_nothing_in_twice_elsewhere() {
    let server = Redis::start(&[]);
    let now = now();
    let honest = Node::at(&server, now - 5).await;
    honest.clock.set(UnixTime::from_secs(now));
    let used = link_of(now - 3);
    assert_eq!(honest.send(&used).await, "ok");

    server.command("FLUSHALL");
    let slow = connect(&server, &ManualClock::at(SystemClock.now().minus(HOUR))).await.unwrap();
    assert!(slow.remembers_since() < Some(UnixTime::from_secs(now - 5)), "it knows no better");
    assert_eq!(honest.send(&used).await, "replayed");
    assert_eq!(Node::at(&server, now).await.send(&used).await, "replayed");
}

/// A connection to a server whose clock is ahead: its scripts answer with later times.
#[derive(Clone)]
struct SetForward {
    connection: MultiplexedConnection,
    by: Arc<AtomicI64>,
}

impl SetForward {
    fn change(&self, answer: &mut Value) {
        let Value::Array(parts) = answer else { return };
        if let [_, _, _, time, _] = &mut parts[..] {
            let told: i64 = redis::from_redis_value(time.clone()).unwrap();
            *time = Value::Int(told + self.by.load(Ordering::Relaxed) * 1_000_000);
        } else {
            parts.iter_mut().for_each(|part| self.change(part));
        }
    }
}

impl ConnectionLike for SetForward {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut answer = self.connection.req_packed_command(cmd).await?;
            self.change(&mut answer);
            Ok(answer)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut answers = self.connection.req_packed_commands(pipeline, offset, count).await?;
            answers.iter_mut().for_each(|answer| self.change(answer));
            Ok(answers)
        })
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

/// Entries end by the server's clock.
#[tokio::test]
async fn a_server_whose_clock_is_set_forward_lets_nothing_in_twice() {
    let server = Redis::start(&[]);
    let client = redis::Client::open(server.url()).unwrap();
    let by = Arc::new(AtomicI64::new(0));
    let connection =
        SetForward { connection: client.get_multiplexed_async_connection().await.unwrap(), by: Arc::clone(&by) };
    let clock = ManualClock::at(UnixTime::from_secs(super::NOW).minus(SKEW));
    let store = RedisStore::builder("test").clock(clock.clone()).over(connection).await.unwrap();
    let node = Node::with(store, &clock);
    clock.set(UnixTime::from_secs(super::NOW));
    let used = super::link();
    assert_eq!(node.send(&used).await, "ok");
    assert_eq!(node.send(&super::link()).await, "ok", "time goes on");
    by.store(400, Ordering::Relaxed);
    server.eval("}r:", "for _, entry in ipairs(redis.call('KEYS', '*}r:*')) do redis.call('DEL', entry) end return 1");
    assert_eq!(node.send(&used).await, "replayed");
    assert_eq!(node.send(&used).await, "replayed");
    clock.advance(Duration::from_secs(2));
    assert_eq!(node.send(&link_of(super::NOW + 2)).await, "ok", "what is made since");
    by.store(0, Ordering::Relaxed);
    assert_eq!(node.send(&link_of(super::NOW + 2)).await, "ok", "set back, it forgets later");
}

/// Each node notices the change by itself. One that may not raise the cutoff must not make the others raise it for ever.
#[tokio::test]
async fn a_server_whose_clock_is_set_forward_serves_all_nodes_again_even_one_whose_clock_is_ahead() {
    let server = Redis::start(&[]);
    let client = redis::Client::open(server.url()).unwrap();
    let by = Arc::new(AtomicI64::new(0));
    let node = async || {
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let (clock, by) = (ManualClock::at(SystemClock.now()), Arc::clone(&by));
        let builder = RedisStore::builder("test").clock(clock.clone());
        (builder.over(SetForward { connection, by }).await.unwrap(), clock)
    };
    let ((honest, clock), (fast, fast_clock)) = (node().await, node().await);
    let before = honest.remembers_since();
    clock.advance(Duration::from_millis(100));
    fast_clock.advance(Duration::from_secs(10));
    by.store(2, Ordering::Relaxed);
    assert!(fast.ready().await.unwrap_err().to_string().contains("clock is ahead"));
    assert!(fast.remembers_since() > before, "an answer that was under way may lack what was lost");
    honest.ready().await.unwrap();
    let raised = honest.remembers_since();
    assert!(raised > before, "the others must not take for complete what was lost");

    clock.advance(Duration::from_millis(100));
    fast.ready().await.unwrap();
    assert!(fast.remembers_since() >= raised, "it knows that too");
    honest.ready().await.unwrap();
    assert_eq!(honest.remembers_since(), raised, "nothing was lost since");
}
