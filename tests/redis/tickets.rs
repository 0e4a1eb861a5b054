//! Tickets: shared claims, the memory that they may take, each tenant's share of it, and that it is freed.

use std::time::{Duration, Instant};

use futures::future::join_all;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::redis::{ConnectError, RedisStore};
use tower_sso::rejection::StoreFailure;
use tower_sso::store::StoreError;
use tower_sso::ticket::{NewTickets, TicketDigest, TicketStore};

use super::Redis;

const MEBIBYTE: u64 = 1024 * 1024;
const MINUTE: Duration = Duration::from_secs(60);

async fn store(server: &Redis) -> RedisStore {
    RedisStore::builder("test").ticket_bytes(MEBIBYTE).connect(server.url()).await.unwrap()
}

fn digest(number: u64) -> TicketDigest {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    digest.into()
}

fn lasting(tenant: &str, time: Duration) -> NewTickets {
    let now = SystemClock.now();
    NewTickets::new(tenant.into(), now, now.plus(time))
}

fn new(tenant: &str) -> NewTickets {
    lasting(tenant, MINUTE)
}

/// Tickets with these numbers that share this many bytes of claims.
fn page(tenant: &str, shared: usize, numbers: std::ops::Range<u64>) -> NewTickets {
    let mut new = new(tenant);
    new.shared = vec![b'x'; shared];
    new.tickets = numbers.map(|number| (digest(number), number.to_string().into_bytes())).collect();
    new
}

async fn take(store: &RedisStore, number: u64) -> Option<Vec<u8>> {
    store.take(digest(number), SystemClock.now()).await.unwrap()
}

/// The number after this name in the server's INFO.
fn info(server: &Redis, section: &str, name: &str) -> u64 {
    let info = server.command(&format!("INFO {section}"));
    let (_, rest) = info.split_once(name).unwrap_or_default();
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
}

fn memory(server: &Redis) -> u64 {
    info(server, "memory", "\r\nused_memory:")
}

/// Whether nothing is left but the cutoff.
fn is_empty(server: &Redis) -> bool {
    // Unlike DBSIZE, without what has ended and is still to be removed.
    server.command("KEYS *").starts_with("*1\r")
}

fn is_full(put: Result<(), StoreError>) -> bool {
    put.is_err_and(|error| error.failure() == StoreFailure::Full)
}

#[tokio::test]
async fn tickets_of_one_call_share_what_they_have_in_common_and_go_with_the_last() {
    const SHARED: usize = 50_000;
    let server = Redis::start(&[]);
    let store = RedisStore::connect(server.url(), "test").await.unwrap();
    // What the connection and the scripts take is there before.
    store.put(page("acme", 2, 200..202)).await.unwrap();
    for number in 200..202 {
        take(&store, number).await.unwrap();
    }
    assert!(is_empty(&server));
    let (before, calls) = (memory(&server), info(&server, "commandstats", "cmdstat_evalsha:calls="));
    store.put(page("acme", SHARED, 0..100)).await.unwrap();
    let taken = memory(&server) - before;
    let sum = "local sum = 0 for _, key in ipairs(redis.call('KEYS', '*')) do \
               sum = sum + redis.call('MEMORY', 'USAGE', key) end return sum";
    let keys: u64 = server.eval("}memory", sum).trim().trim_start_matches(':').parse().unwrap();
    println!("100 tickets with {SHARED} bytes in common take {keys} bytes, and the server {taken} more than before");
    assert!(keys < 100_000, "{keys}");
    // With what the connection holds since.
    assert!(taken < 150_000, "{taken}");
    assert_eq!(info(&server, "commandstats", "cmdstat_evalsha:calls="), calls + 1, "one round trip");
    for number in (0..100).rev() {
        let expected = [&vec![b'x'; SHARED], number.to_string().as_bytes()].concat();
        assert!(take(&store, number).await == Some(expected), "{number}");
        assert_eq!(take(&store, number).await, None);
        assert_eq!(is_empty(&server), number == 0, "{number}");
    }
    assert_eq!(info(&server, "commandstats", "cmdstat_evalsha:calls="), calls + 201, "one round trip each");
}

/// The rule of the store in memory: a tenant may have as much as is still free.
#[tokio::test]
async fn one_tenant_cannot_fill_the_server_for_all() {
    let server = Redis::start(&[]);
    let store = store(&server).await;
    let mut next = 0;
    let mut fill = async |tenant: &str| {
        let mut count = 0;
        loop {
            next += 1;
            match store.put(new(tenant).with(digest(next), vec![b'x'; 9_600])).await {
                Ok(()) => count += 1,
                Err(error) if error.failure() == StoreFailure::Full => return count,
                Err(error) => panic!("{error}"),
            }
        }
    };
    // Each takes some 10,000 bytes as it is counted.
    let busy = fill("busy").await;
    assert!((50..=52).contains(&busy), "half for a tenant alone: {busy}");
    assert_eq!(fill("busy").await, 0);
    let another = fill("another").await;
    assert!((busy / 2 - 1..=busy / 2 + 1).contains(&another), "half of the rest: {another}");
    assert!(fill("a third").await > 10);

    assert!(take(&store, 1).await.is_some());
    assert!(is_full(store.put(new("another").with(digest(1), vec![b'x'; 9_600])).await), "nobody else's is enough");
    for number in 2..=busy {
        assert!(take(&store, number).await.is_some(), "{number}: what is live was not evicted");
    }
    assert!(fill("another").await > 10, "a redeemed ticket gives up its place");
}

#[tokio::test]
async fn what_is_larger_than_the_ceiling_is_refused_at_once() {
    let server = Redis::start(&[]);
    let store = store(&server).await;
    assert!(is_full(store.put(page("acme", MEBIBYTE as usize, 0..2)).await));
    store.put(new("acme").with(digest(1), vec![0; 600_000])).await.unwrap();
    assert!(is_full(store.put(new("another").with(digest(2), vec![0; 600_000])).await), "more than what is free");

    let most = RedisStore::builder("most").ticket_bytes(1 << 40).connect(server.url()).await.unwrap();
    let error = most.put(page("acme", 9_000_000, 0..2)).await.unwrap_err();
    assert!(error.to_string().contains("8 MiB"), "{error}: one call holds up the server for everybody");
    most.put(page("acme", 4_000_000, 0..2)).await.unwrap();
    most.put(page("acme", 0, 2..10_002)).await.unwrap();
    assert_eq!(take(&most, 10_001).await.as_deref(), Some(&b"10001"[..]));
}

#[tokio::test]
async fn room_comes_back_when_tickets_have_ended() {
    let server = Redis::start(&[]);
    let builder = RedisStore::builder("test").ticket_bytes(MEBIBYTE).clock_skew(Duration::ZERO);
    let store = builder.connect(server.url()).await.unwrap();
    let put = async |number: u64, time| {
        let mut new = lasting("acme", time);
        new.shared = vec![b'x'; 110_000];
        store.put(new.with(digest(number), "a").with(digest(number + 1_000), "b")).await
    };
    let start = Instant::now();
    let mut ended = 0;
    let mut refused = 0;
    // Three times over what it holds, however many seconds that takes.
    while ended < 15 {
        match put(ended, Duration::from_millis(50)).await {
            Ok(()) => ended += 1,
            Err(error) => {
                assert_eq!(error.failure(), StoreFailure::Full);
                refused += 1;
            }
        }
        assert!(start.elapsed() < MINUTE, "{ended} were put");
        tokio::task::yield_now().await;
    }
    assert!(refused > 0, "it was full in between");
    // What was counted for them is gone: there is as much room as at first.
    let holds = async |from: u64| {
        let mut count = 0;
        while put(from + count, MINUTE).await.is_ok() {
            count += 1;
        }
        count
    };
    while take(&store, 14).await.is_some() {}
    let mut most = 0;
    while most < 5 {
        most += holds(100 + most).await;
        assert!(start.elapsed() < 2 * MINUTE, "{most} of 5");
        tokio::task::yield_now().await;
    }
    assert_eq!((most, holds(300).await), (5, 0));
    for number in 100..105 {
        assert!(take(&store, number).await.is_some() && take(&store, number + 1_000).await.is_some());
    }
    assert!(is_empty(&server), "{}", server.command("KEYS *"));
}

#[tokio::test]
async fn a_put_that_is_refused_leaves_nothing_behind() {
    let server = Redis::start(&["--maxmemory-policy", "noeviction"]);
    let store = store(&server).await;
    store.put(page("acme", 100, 5..6)).await.unwrap();
    let contents = || {
        let all = "local all = redis.call('KEYS', '*') table.sort(all) \
                   for i, key in ipairs(all) do \
                       all[i] = redis.sha1hex(redis.call('DUMP', key)) end return table.concat(all)";
        server.eval("}memory", all)
    };
    let before = contents();
    assert!(store.put(page("acme", 1_000, 0..10)).await.is_err(), "the sixth of them is there already");
    assert!(store.put(new("acme").with(digest(1), "a").with(digest(1), "b")).await.is_err(), "one digest twice");
    assert!(is_full(store.put(page("acme", 1_046_000, 0..5)).await));
    assert!(store.put(page("acme", 1, 0..0)).await.is_ok(), "none");
    server.command("CONFIG SET maxmemory 1");
    assert!(is_full(store.put(page("acme", 1_000, 0..5)).await));
    server.command("CONFIG SET maxmemory 0");
    assert_eq!(contents(), before);
    for number in (0..10).filter(|number| *number != 5) {
        assert_eq!(take(&store, number).await, None);
    }
    assert!(take(&store, 5).await.is_some(), "the first one keeps its meaning");
    assert!(is_empty(&server));
}

/// What they share goes with the last of them, and not before, whoever that is.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_takers_at_once_one_gets_each_of_them_whole() {
    let server = Redis::start(&[]);
    let nodes = [store(&server).await, store(&server).await, store(&server).await];
    for round in 0..20 {
        let numbers = round * 20..round * 20 + 20;
        nodes[0].put(page("acme", 1_000, numbers.clone())).await.unwrap();
        let takes = numbers.clone().flat_map(|number| nodes.iter().map(move |node| (number, node.clone())));
        let takes: Vec<_> =
            takes.map(|(number, node)| tokio::spawn(async move { take(&node, number).await })).collect();
        let taken = join_all(takes).await.into_iter().filter_map(Result::unwrap);
        let mut taken: Vec<_> = taken.collect();
        taken.sort();
        let mut expected: Vec<_> =
            numbers.map(|number| [&[b'x'; 1_000], number.to_string().as_bytes()].concat()).collect();
        expected.sort();
        assert!(taken == expected, "round {round}: {} of 20", taken.len());
        assert!(is_empty(&server), "round {round}");
    }
}

/// Whatever is put, taken and refused: the sums are those of what is there.
#[tokio::test]
async fn the_count_does_not_drift() {
    let server = Redis::start(&[]);
    let store = store(&server).await;
    let mut state = 1_u64;
    let mut random = |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let mut waiting = Vec::new();
    let mut full = 0;
    for round in 0..600 {
        let numbers = round * 10..round * 10 + 1 + random(8);
        let mut new = page(["a", "b", "c"][random(3) as usize], random(20_000) as usize, numbers.clone());
        new.until = new.now.plus(Duration::from_secs(60 + random(100)));
        match store.put(new).await {
            Ok(()) => waiting.extend(numbers),
            Err(error) => {
                assert_eq!(error.failure(), StoreFailure::Full);
                full += 1;
                for _ in 0..waiting.len() / 2 {
                    let number = waiting.swap_remove(random(waiting.len() as u64) as usize);
                    assert!(take(&store, number).await.is_some(), "{number}");
                }
            }
        }
        let sums = "local all, total, tenants, ends = redis.call('HGETALL', key), 0, 0, 0 \
                    for i = 1, #all, 2 do \
                        if all[i] == 'total' then total = tonumber(all[i + 1]) \
                        elseif string.find(all[i], ' ') then ends = ends + all[i + 1] \
                        else tenants = tenants + all[i + 1] end end \
                    return {total == tenants and total == ends and 1 or 0, redis.call('DBSIZE')}";
        let answer = server.eval("}held", sums);
        assert!(waiting.is_empty() || answer.contains(":1\r\n:"), "round {round}: {answer}");
    }
    assert!(full > 5, "{full}");
    for number in waiting {
        assert!(take(&store, number).await.is_some());
    }
    assert!(is_empty(&server), "{}", server.command("KEYS *"));
}

/// If somebody deletes one of the keys, tickets still work, and the count is right again when they have ended.
#[tokio::test]
async fn a_count_that_was_deleted_comes_back() {
    for key in ["{test}held", "{test}ends"] {
        let server = Redis::start(&[]);
        let store = store(&server).await;
        store.put(page("acme", 400_000, 0..2)).await.unwrap();
        assert!(is_full(store.put(page("acme", 400_000, 2..4)).await));
        assert!(server.command(&format!("DEL {key}")).starts_with(":1"));
        store.put(page("acme", 400_000, 2..4)).await.unwrap();
        for number in 0..4 {
            assert!(take(&store, number).await.is_some(), "{key} {number}");
        }
        store.put(page("acme", 400_000, 4..6)).await.unwrap();
        assert!(take(&store, 4).await.is_some() && take(&store, 5).await.is_some());
        assert!(is_empty(&server), "{}", server.command("KEYS *"));
    }
}

/// Otherwise a partner could fill a small server with tickets, and nobody could sign in.
#[tokio::test]
async fn tickets_take_at_most_half_of_the_server() {
    let server = Redis::start(&["--maxmemory", "16mb", "--maxmemory-policy", "noeviction"]);
    let store = RedisStore::connect(server.url(), "test").await.unwrap();
    let mut count = 0;
    for tenant in ["a", "b", "c", "d", "e", "f"] {
        while store.put(new(tenant).with(digest(count), vec![0; 100_000])).await.is_ok() {
            count += 1;
        }
    }
    assert!((70..84).contains(&count), "{count}");
    store.ready().await.expect("there is room for claims");
}

#[tokio::test]
async fn a_ceiling_that_cannot_be_is_refused() {
    let server = Redis::start(&[]);
    for bytes in [0, MEBIBYTE - 1, (1 << 50) + 1, u64::MAX] {
        let error = RedisStore::builder("test").ticket_bytes(bytes).connect(server.url()).await.unwrap_err();
        assert!(matches!(error, ConnectError::TicketBytes(given) if given == bytes), "{error:?}");
        assert!(error.to_string().contains("1 MiB"), "{error}");
    }
    for bytes in [MEBIBYTE, 1 << 50] {
        let store = RedisStore::builder("test").ticket_bytes(bytes).connect(server.url()).await.unwrap();
        store.put(new("acme").with(digest(bytes), "a")).await.unwrap();
        assert!(take(&store, bytes).await.is_some());
    }
}

/// They end all the same, and one that has no end is counted until it is redeemed.
#[tokio::test]
async fn a_ticket_for_ever_is_counted_until_it_is_redeemed() {
    let server = Redis::start(&[]);
    let store = store(&server).await;
    let mut new = page("acme", 400_000, 0..2);
    new.until = tower_sso::clock::UnixTime::MAX;
    store.put(new).await.unwrap();
    assert!(is_full(store.put(page("acme", 300_000, 2..4)).await));
    assert!(take(&store, 0).await.is_some() && take(&store, 1).await.is_some());
    assert!(is_empty(&server));
}
