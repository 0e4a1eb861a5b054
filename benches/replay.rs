//! What a claim costs, and what an entry takes, beside a thousand and beside a million live entries.
//!
//! ```sh
//! cargo bench --bench replay
//! ```
//! - `claim/moka`: a claim through the store in memory, next to the insert of moka's that it is built on.
//! - `claim/redis`: one round trip to a redis-server that the bench starts, on the loopback.
//! - On standard error: bytes per entry, as the operating system (moka) and the server (`used_memory`) tell them.

#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

#[cfg(unix)]
#[path = "../tests/support/redis.rs"]
mod server;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures::FutureExt;
use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::replay::{Claimed, Hold, MemoryReplay, ReplayKey, ReplayStore};

const HOUR: Duration = Duration::from_secs(3_600);
const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A key that no other call gets, and that is spread as digests are.
fn key() -> ReplayKey {
    let mut state = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 27)).to_le_bytes());
    }
    bytes.into()
}

/// The memory of this process, in bytes; `None` where the system does not tell.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<f64>().ok().map(|kilobytes| kilobytes * 1024.0)
}

fn claim(store: &MemoryReplay) -> Option<Claimed> {
    let now = SystemClock.now();
    store.claim(key(), now, Hold::Until(now.plus(HOUR))).now_or_never()?.ok()
}

fn filled(size: u64) -> MemoryReplay {
    let store = MemoryReplay::builder().ceiling(u64::MAX).build();
    let before = resident();
    (0..size).for_each(|_| assert_eq!(claim(&store), Some(Claimed::First)));
    if let (Some(before), Some(after), true) = (before, resident(), size >= 1_000_000) {
        eprintln!("moka: {:.0} bytes per entry beside {size}", (after - before) / size as f64);
    }
    store
}

struct InAnHour;

impl Expiry<ReplayKey, Hold> for InAnHour {
    fn expire_after_create(&self, _: &ReplayKey, _: &Hold, _: Instant) -> Option<Duration> {
        Some(HOUR)
    }
}

/// moka's own atomic insert of as much.
fn floor(cache: &Cache<ReplayKey, Hold>) {
    let until = Hold::Until(SystemClock.now().plus(HOUR));
    cache.entry(key()).and_compute_with(|held| if held.is_some() { Op::Nop } else { Op::Put(until) });
}

fn moka(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("claim/moka");
    for size in SIZES {
        let cache = Cache::builder().expire_after(InAnHour).build();
        (0..size).for_each(|_| floor(&cache));
        group.bench_function(BenchmarkId::new("its own insert", size), |bencher| bencher.iter(|| floor(&cache)));
        drop(cache);
        let store = filled(size);
        group.bench_function(BenchmarkId::new("claim", size), |bencher| bencher.iter(|| claim(&store)));
        let spent = key();
        let now = SystemClock.now();
        let again = || store.claim(spent, now, Hold::Until(now.plus(HOUR))).now_or_never();
        assert!(matches!(again(), Some(Ok(Claimed::First))));
        group.bench_function(BenchmarkId::new("replay", size), |bencher| bencher.iter(again));
    }
    for threads in [2, 8] {
        let store = filled(100_000);
        group.bench_function(BenchmarkId::new("claim by threads", threads), |bencher| {
            bencher.iter_custom(|claims| {
                let started = Instant::now();
                thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| (0..claims / threads).for_each(|_| _ = claim(&store)));
                    }
                });
                started.elapsed()
            });
        });
    }
    group.finish();
}

#[cfg(unix)]
fn redis(criterion: &mut Criterion) {
    use tower_sso::redis::RedisStore;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = server::Redis::start(&["--maxmemory-policy", "noeviction"]);
    let store = runtime.block_on(RedisStore::connect(server.url())).unwrap();
    let used = || -> f64 {
        let info = server.command("INFO memory");
        info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().trim().parse().unwrap()
    };
    let claim = || {
        let now = SystemClock.now();
        store.claim(key(), now, Hold::Until(now.plus(HOUR)))
    };
    let mut group = criterion.benchmark_group("claim/redis");
    let empty = used();
    let mut filled = 0;
    for size in SIZES {
        while filled < size {
            let claims = (0..500).map(|_| claim());
            runtime.block_on(futures::future::try_join_all(claims)).unwrap();
            filled += 500;
        }
        eprintln!("redis: {:.0} bytes per entry beside {size}", (used() - empty) / size as f64);
        group.bench_function(BenchmarkId::new("claim", size), |bencher| {
            bencher.iter(|| runtime.block_on(claim()).unwrap());
        });
    }
    group.bench_function("64 claims at once", |bencher| {
        bencher.iter(|| runtime.block_on(futures::future::join_all((0..64).map(|_| claim()))));
    });
    group.finish();
}

#[cfg(not(unix))]
fn redis(_: &mut Criterion) {}

criterion_group!(benches, moka, redis);
criterion_main!(benches);
