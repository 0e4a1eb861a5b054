//! Claims that are made at once, and share round trips.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ::redis::aio::ConnectionLike;
use futures::FutureExt;
use futures::future::join_all;
use tower_sso::redis::RedisStore;
use tower_sso::rejection::StoreFailure;
use tower_sso::replay::{Claim, Claimed, Fingerprint, Group, Hold, LeaseId, ReplayStore, Terms};
use tower_sso::store::StoreError;

use super::failures::until_it_is_ready;
use super::gate::Gate;
use super::{NOW, Node, Redis, UnixTime, clock, link, link_of};

type Answer = Result<Claimed, StoreError>;

fn now() -> UnixTime {
    UnixTime::from_secs(NOW)
}

fn claim(number: u32) -> Claim {
    let mut key = [7; 32];
    key[..4].copy_from_slice(&number.to_be_bytes());
    Claim::new(Fingerprint::from(key), now(), Hold::Until(now().plus(Duration::from_secs(600))))
}

fn lease(id: u64) -> Claim {
    let (until, id) = (now().plus(Duration::from_secs(500)), LeaseId::from(id));
    Claim { hold: Hold::Lease { until, id }, ..claim(1) }
}

async fn at_once<C>(store: &RedisStore<C>, claims: &[Claim]) -> Vec<Answer>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    join_all(claims.iter().map(|claim| store.claim(claim))).await
}

/// How many scripts the server has run.
fn scripts_run(server: &Redis) -> usize {
    let stats = server.command("INFO commandstats");
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")).unwrap();
    line.split(',').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_each_has_one_winner_and_they_share_round_trips() {
    const KEYS: u32 = 500;
    let server = Redis::start(&[]);
    let (one, other) = (Node::new(&server).await.redis, Node::new(&server).await.redis);
    let before = scripts_run(&server);
    let copies: Vec<_> = (0..4 * KEYS).map(|copy| claim(copy % KEYS)).collect();
    let (left, right) = copies.split_at(copies.len() / 2);
    let halves = [(one, left.to_vec()), (other, right.to_vec())];
    let tasks = halves.map(|(store, claims)| tokio::spawn(async move { at_once(&store, &claims).await }));
    let mut winners = BTreeMap::<_, usize>::new();
    for (copy, answer) in join_all(tasks).await.into_iter().flat_map(Result::unwrap).enumerate() {
        let winners = winners.entry(copies[copy].key.to_string()).or_default();
        match answer.unwrap() {
            Claimed::First => *winners += 1,
            answer => assert_eq!(answer, Claimed::Spent),
        }
    }
    assert!(winners.len() == 500 && winners.values().all(|winners| *winners == 1), "{winners:?}");
    let scripts = scripts_run(&server) - before;
    assert!(scripts <= 200, "{scripts} round trips for {} claims", copies.len());
}

#[tokio::test]
async fn one_alone_takes_one_round_trip() {
    let server = Redis::start(&[]);
    let store = Node::new(&server).await.redis;
    for number in 0..3 {
        let before = scripts_run(&server);
        assert_eq!(store.claim(&claim(number)).await.unwrap(), Claimed::First);
        assert_eq!(scripts_run(&server) - before, 1);
    }
}

#[tokio::test]
async fn a_server_that_has_forgotten_lets_none_in_twice() {
    let mut server = Redis::start(&[]);
    let node = Node::new(&server).await;
    let used: Vec<_> = (0..50).map(|_| link()).collect();
    let used_since: Vec<_> = (0..50).map(|_| link_of(NOW + 2)).collect();
    let send = async |links: &[String]| join_all(links.iter().map(|link| node.send(link))).await;
    assert_eq!(send(&used).await, ["ok"; 50]);
    server.command("FLUSHALL");
    assert_eq!(send(&used).await, ["replayed"; 50]);
    node.clock.advance(Duration::from_secs(2));
    assert_eq!(send(&used_since).await, ["ok"; 50], "what is made since");
    server.kill();
    assert_eq!(send(&used_since).await, ["unavailable"; 50]);
    server.start_again();
    until_it_is_ready(&node.redis).await;
    assert_eq!(send(&used_since).await, ["replayed"; 50]);
}

#[tokio::test]
async fn a_server_that_evicts_or_is_full_refuses_each() {
    let server = Redis::start(&["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]);
    let store = Node::new(&server).await.redis;
    let claims: Vec<_> = (0..50).map(claim).collect();
    server.command("CONFIG SET maxmemory-policy volatile-ttl");
    for answer in at_once(&store, &claims).await {
        let error = answer.unwrap_err().to_string();
        assert!(error.contains("volatile-ttl") && error.contains("set maxmemory-policy noeviction"), "{error}");
    }
    server.command("CONFIG SET maxmemory-policy noeviction");
    let (known, new) = claims.split_at(20);
    assert!(at_once(&store, known).await.into_iter().all(|answer| answer.unwrap() == Claimed::First));
    server.command("CONFIG SET maxmemory 1");
    for (answer, is_known) in at_once(&store, &claims).await.into_iter().zip((0..).map(|place| place < known.len())) {
        match answer {
            Ok(answer) => assert!(is_known && answer == Claimed::Spent, "{answer:?}"),
            Err(error) => assert!(!is_known && error.failure() == StoreFailure::Full, "{error}"),
        }
    }
    server.command("CONFIG SET maxmemory 0");
    assert!(at_once(&store, new).await.into_iter().all(|answer| answer.unwrap() == Claimed::First));
}

#[tokio::test]
async fn what_another_program_wrote_is_an_error_of_its_key_alone() {
    let server = Redis::start(&[]);
    let store = Node::new(&server).await.redis;
    let claims: Vec<_> = (0..50).map(claim).collect();
    for overwrite in ["redis.call('SET', key, 'x')", "redis.call('DEL', key) redis.call('RPUSH', key, 's')"] {
        store.claim(&claims[30]).await.unwrap();
        server.eval("}r:", &format!("{overwrite} return 1"));
        for (number, answer) in at_once(&store, &claims).await.into_iter().enumerate() {
            match answer {
                Ok(answer) => assert!(number != 30 && answer == Claimed::First, "{number}: {answer:?}"),
                Err(error) => assert_eq!(number, 30, "{error}"),
            }
        }
        server.eval("}r:", "for _, key in ipairs(redis.call('KEYS', '*}r:*')) do redis.call('DEL', key) end return 1");
    }
}

/// Two groups, of which one has windows that change in the middle, and one that another program overwrote.
fn mixed() -> Vec<Claim> {
    let after = |seconds| now().plus(Duration::from_secs(seconds));
    let week = 7 * 24 * 3_600;
    let rows = [
        ("a", 300, 0),
        ("a", 600, 1),
        ("b", 900, 1),
        ("none", 0, 1),
        ("a", 300, 2),
        ("foreign", 300, 2),
        ("a", 1_200, 3),
        ("b", 300, 3),
        ("b", 300, week + 2_000),
        ("a", 300, week + 4_000),
    ];
    let claims = rows.into_iter().zip(0..).map(|((form, window, at), number)| {
        let (window, made) = (Duration::from_secs(window), after(at));
        let terms = Terms { group: Group::new(form, ""), window, usable_since: made, until: made.plus(window) };
        Claim { now: made, hold: Hold::Until(made.plus(window)), terms, ..claim(number) }
    });
    let mut claims: Vec<_> = claims.collect();
    let made = now().minus(Duration::from_secs(700));
    // It was made before the longer windows came, and may have been used and forgotten.
    let terms = Terms { usable_since: made, until: made.plus(Duration::from_secs(1_200)), ..claims[6].terms };
    claims.push(Claim { now: after(10), terms, ..claim(100) });
    claims.push(Claim { hold: lease(1).hold, ..claims[2] });
    claims.push(Claim { hold: lease(1).hold, ..claim(101) });
    claims.extend([claim(101), claim(102), claims[0]]);
    claims
}

#[tokio::test]
async fn groups_and_windows_in_one_batch_are_as_one_after_the_other() {
    let server = Redis::start(&[]);
    let mut seen = Vec::new();
    for (namespace, alone) in [("apple", true), ("pear", false)] {
        let start = clock();
        start.set(now().minus(Duration::from_secs(1)));
        let store = RedisStore::builder(namespace).clock(start).connect(server.url()).await.unwrap();
        let foreign = Group::new("foreign", "");
        server.command(&format!("HSET {{{namespace}}}memory {foreign} x"));
        let before = scripts_run(&server);
        let answers = if alone {
            let mut answers = Vec::new();
            for claim in mixed() {
                answers.push(store.claim(&claim).await);
            }
            answers
        } else {
            at_once(&store, &mixed()).await
        };
        assert_eq!(scripts_run(&server) - before, if alone { mixed().len() } else { 1 });
        let answers: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.map_err(|error| error.to_string().replace(namespace, "namespace")))
            .collect();
        for expected in [Claimed::First, Claimed::Forgotten, Claimed::Spent, Claimed::Leased] {
            assert!(answers.contains(&Ok(expected)), "{expected:?}: {answers:?}");
        }
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1, "{answers:?}");
        let script = format!(
            "local lines, fields = {{}}, redis.call('HGETALL', key)
            for at = 1, #fields, 2 do
                if #fields[at] == 16 then table.insert(lines, fields[at] .. ' ' .. fields[at + 1]) end
            end
            for _, entry in ipairs(redis.call('KEYS', '{{{namespace}}}r:*')) do
                local left = math.ceil(redis.call('PTTL', entry) / 100000)
                table.insert(lines, string.match(entry, '}}(.*)') .. ' ' .. redis.call('GET', entry) .. ' ' .. left)
            end
            table.sort(lines)
            return table.concat(lines, ',')"
        );
        let stored = server.eval(&format!("{{{namespace}}}memory"), &script);
        assert!(stored.contains("r:") && stored.contains(&Group::new("b", "").to_string()), "{stored}");
        seen.push((answers, stored));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_claim_that_is_dropped_before_it_is_sent_is_not_sent() {
    let server = Redis::start(&[]);
    let gate = Gate::new(&server).await;
    let store = gate.store().await;
    gate.hold.store(2, Ordering::Relaxed);
    let under_way = [1, 2].map(|number| store.claim(&claim(number)));
    let [mut one, mut two] = under_way;
    assert!((&mut one).now_or_never().is_none());
    gate.holds(1).await;
    assert!((&mut two).now_or_never().is_none());
    gate.holds(2).await;
    let mut waiting = store.claim(&claim(3));
    let mut dropped = store.claim(&claim(4));
    assert!((&mut waiting).now_or_never().is_none() && (&mut dropped).now_or_never().is_none());
    drop((dropped, one));
    gate.open.add_permits(2);
    assert_eq!(two.await.unwrap(), Claimed::First);
    assert_eq!(waiting.await.unwrap(), Claimed::First);
    let answers = at_once(&store, &[1, 2, 3, 4].map(claim)).await.into_iter().map(Result::unwrap);
    let expected = [Claimed::Spent, Claimed::Spent, Claimed::Spent, Claimed::First];
    assert_eq!(answers.collect::<Vec<_>>(), expected, "the first was under way, the fourth was not");
}

/// Otherwise the lease would stay until its end.
#[tokio::test]
async fn a_release_does_not_overtake_its_claim() {
    for gives_up in [false, true] {
        let server = Redis::start(&[]);
        let gate = Gate::new(&server).await;
        let store = gate.store().await;
        gate.hold.store(1, Ordering::Relaxed);
        let lease = lease(1);
        let mut claimed = store.claim(&lease);
        assert!((&mut claimed).now_or_never().is_none());
        gate.holds(1).await;
        drop(claimed);
        let mut release = store.release(lease.key, LeaseId::from(1));
        assert!((&mut release).now_or_never().is_none(), "its claim is under way");
        assert_eq!(store.claim(&claim(2)).await.unwrap(), Claimed::First, "others do not wait");
        if gives_up {
            drop(release);
            gate.open.add_permits(1);
            let asked = Instant::now();
            while store.claim(&lease).await.unwrap() != Claimed::First {
                assert!(asked.elapsed() < Duration::from_secs(30), "it is still leased");
            }
        } else {
            gate.open.add_permits(1);
            release.await.unwrap();
            assert_eq!(store.claim(&lease).await.unwrap(), Claimed::First);
        }
    }
}

/// Nor does it wait for another call with its key alone. Here two requests for one key give up.
#[tokio::test]
async fn a_release_waits_for_every_call_with_its_key() {
    let server = Redis::start(&[]);
    let gate = Gate::new(&server).await;
    let store = gate.store().await;
    gate.hold.store(2, Ordering::Relaxed);
    let mut claims = [1, 2].map(|id| store.claim(&lease(id)));
    for (claim, number) in claims.iter_mut().zip(1..) {
        assert!(claim.now_or_never().is_none());
        gate.holds(number).await;
    }
    drop(claims);
    let mut releases = [1, 2].map(|id| store.release(lease(id).key, LeaseId::from(id)));
    assert!(releases.iter_mut().all(|release| release.now_or_never().is_none()));
    gate.open.add_permits(1);
    // Meanwhile, what waited for the first call alone goes on.
    assert!(at_once(&store, &[2, 3].map(claim)).await.into_iter().all(|answer| answer.unwrap() == Claimed::First));
    gate.open.add_permits(1);
    assert!(join_all(releases).await.into_iter().all(|release| release.is_ok()));
    assert_eq!(store.claim(&claim(1)).await.unwrap(), Claimed::First);
}

/// The tasks end with the runtime of the claim that started them.
#[test]
fn if_the_tasks_end_early_every_claim_fails_and_the_next_one_works() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (lasting, ending) = (runtime(), runtime());
    let server = Redis::start(&[]);
    lasting.block_on(async {
        let gate = Gate::new(&server).await;
        let store = gate.store().await;
        gate.hold.store(2, Ordering::Relaxed);
        let mut claims = [1, 2, 3].map(|number| store.claim(&claim(number)));
        for (place, mut claim) in claims.iter_mut().enumerate() {
            {
                let _entered = ending.enter();
                assert!((&mut claim).now_or_never().is_none());
            }
            gate.holds(2.min(place + 1)).await;
        }
        ending.shutdown_background();
        for answer in join_all(claims).await {
            let error = answer.unwrap_err().to_string();
            assert!(error.contains("ended early"), "{error}");
        }
        assert_eq!(store.claim(&claim(3)).await.unwrap(), Claimed::First);
    });
}

#[tokio::test]
async fn only_so_many_wait_and_none_is_sent_too_late() {
    let server = Redis::start(&[]);
    let gate = Gate::new(&server).await;
    let store = gate.store().await;
    let mut claims: Vec<_> = (0..=65_536).map(|number| store.claim(&claim(number))).collect();
    let mut last = pin!(claims.pop().unwrap());
    assert!(claims.iter_mut().all(|claim| claim.now_or_never().is_none()));
    let error = (&mut last).now_or_never().unwrap().unwrap_err().to_string();
    assert!(error.contains("too many claims wait"), "{error}");
    claims.truncate(300);
    assert!(join_all(claims).await.into_iter().all(|answer| answer.unwrap() == Claimed::First));

    let impatient = RedisStore::builder("test").timeout(Duration::ZERO).over(gate).await.unwrap();
    assert_eq!(impatient.claim(&claim(1_000)).await.unwrap_err().failure(), StoreFailure::TimedOut);
    assert_eq!(store.claim(&claim(1_000)).await.unwrap(), Claimed::First);
}
