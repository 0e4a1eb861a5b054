//! What a claim costs, and what an entry takes, beside a thousand to ten million live entries.
//!
//! ```sh
//! cargo bench --bench replay
//! ```
//! - `memory`: bytes per entry, as the allocator counts them, and as the operating system does. On standard error.
//! - `claim/moka`, `claim/dense`: a claim through a store in memory, by 1, 2 and 8 threads; for moka's beside the insert that
//!   it is built on, for the dense one beside an insert into sharded maps, which tells what one miss of the caches takes.
//! - `contended`: ten million claims by eight threads, of which one in eight has to win.
//! - `worst`: the slowest claim of ten million, in 25 waves of 400,000 entries that end at once, by 1, 8 and 64 threads, beside
//!   an insert into a `HashMap` behind a `Mutex`; with the processor time of the slowest, which tells what of it was the
//!   machine's. On standard error.
//! - `passed`: what is left of a million entries that have ended.
//! - `claim/redis`: claims through a redis-server that the bench starts, on the loopback: one at a time beside a thousand to a
//!   million live entries, with the bytes per entry, then 1, 64 and 1,024 at once, in claims per second.

#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

#[cfg(unix)]
#[path = "../tests/support/redis.rs"]
mod server;
#[path = "support/worst.rs"]
mod worst;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures::FutureExt;
use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache;
use tower_sso::clock::{Clock, ManualClock, SystemClock, UnixTime};
use tower_sso::replay::{Claim, Claimed, DenseReplay, Fingerprint, Group, Hold, MemoryReplay, ReplayStore, Terms};
use worst::Times;

const HOUR: Duration = Duration::from_secs(3_600);
const SIZES: [u64; 4] = [1_000, 100_000, 1_000_000, 10_000_000];

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A unique key, distributed like a digest.
fn key() -> Fingerprint {
    let mut state = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 27)).to_le_bytes());
    }
    bytes.into()
}

/// Whether the command line's filter selects this. criterion would skip the measurement, but not its preparation.
fn is_asked_for(name: &str) -> bool {
    let mut filters = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    filters.peek().is_none() || filters.any(|filter| name.contains(&filter))
}

/// The memory of this process in bytes; `None` if the system does not report it.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<f64>().ok().map(|kilobytes| kilobytes * 1024.0)
}

type Store = Arc<dyn ReplayStore>;

/// The stores in memory, without a ceiling.
const STORES: [(&str, fn(ManualClock) -> Store); 2] = [
    ("moka", |clock| Arc::new(MemoryReplay::builder().ceiling(u64::MAX).clock(clock).build())),
    ("dense", |clock| Arc::new(DenseReplay::builder().ceiling(u64::MAX).clock(clock).build())),
];

fn claimed(store: &Store, key: Fingerprint, now: UnixTime) -> Option<Claimed> {
    store.claim(&Claim::new(key, now, Hold::Until(now.plus(HOUR)))).now_or_never()?.ok()
}

/// With the system's clock, as a layer would.
fn claim(store: &Store) {
    assert_eq!(claimed(store, key(), SystemClock.now()), Some(Claimed::First));
}

fn filled(new: fn(ManualClock) -> Store, size: u64) -> Store {
    let store = new(ManualClock::at(SystemClock.now()));
    (0..size).for_each(|_| claim(&store));
    store
}

/// Must run first, before the process has freed memory to reuse.
fn memory(_: &mut Criterion) {
    for (name, new) in STORES {
        if !is_asked_for(&format!("memory/{name}")) {
            continue;
        }
        for size in SIZES.into_iter().rev() {
            let (mut store, before) = (None, resident());
            // Both stores work in the thread that asks, which is the one whose allocations are counted.
            let counted = measure(|| store = Some(filled(new, size)));
            let [now, most] = [counted.bytes_current as f64, counted.bytes_max as f64].map(|bytes| bytes / size as f64);
            eprint!("{name}: {now:.1} bytes per entry beside {size}, {most:.1} at most while it grew");
            match before.zip(resident()) {
                Some((before, after)) => eprintln!("; resident {:.1}", (after - before) / size as f64),
                None => eprintln!(),
            }
            // Kept, so that the next one cannot have its place.
            std::mem::forget(store);
        }
    }
}

struct InAnHour;

impl Expiry<Fingerprint, Hold> for InAnHour {
    fn expire_after_create(&self, _: &Fingerprint, _: &Hold, _: Instant) -> Option<Duration> {
        Some(HOUR)
    }
}

/// moka's own atomic insert of an entry of the same size.
fn floor(cache: &Cache<Fingerprint, Hold>) {
    let until = Hold::Until(SystemClock.now().plus(HOUR));
    cache.entry(key()).and_compute_with(|held| if held.is_some() { Op::Nop } else { Op::Put(until) });
}

type Floor = Cache<Fingerprint, Hold>;

fn filled_floor(size: u64) -> Floor {
    let cache = Cache::builder().expire_after(InAnHour).build();
    (0..size).for_each(|_| floor(&cache));
    cache
}

/// Times `iterations` calls by several threads at once. Refills the store when it has grown to one and a half times `size`.
fn by_threads<T: Sync>(
    criterion: &mut Criterion,
    (store, name, threads, size): (&str, &str, u64, u64),
    fill: impl Fn(u64) -> T,
    call: impl Fn(&T) + Sync,
) {
    let id = BenchmarkId::new(format!("{name}, {threads} threads"), size);
    if !is_asked_for(&format!("claim/{store}/{name}, {threads} threads/{size}")) {
        return;
    }
    // Fill before criterion starts timing, or it would take the filling for a slow claim.
    let (mut filled, mut added) = (fill(size), 0);
    let mut group = criterion.benchmark_group(format!("claim/{store}"));
    group.sample_size(15).measurement_time(Duration::from_millis(1_500)).warm_up_time(Duration::from_millis(500));
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|calls| {
            let (mut left, mut taken) = (calls.next_multiple_of(threads), Duration::ZERO);
            while left > 0 {
                if added >= size / 2 {
                    (filled, added) = (fill(size), 0);
                }
                let now = left.min((size / 2 - added).next_multiple_of(threads));
                (left, added) = (left - now, added + now);
                let (filled, call, started) = (&filled, &call, Instant::now());
                if threads == 1 {
                    (0..now).for_each(|_| call(filled));
                } else {
                    thread::scope(|scope| {
                        (0..threads).for_each(|_| _ = scope.spawn(|| (0..now / threads).for_each(|_| call(filled))));
                    });
                }
                taken += started.elapsed();
            }
            taken
        });
    });
    group.finish();
}

/// The simplest store that remembers 16 bytes and an end: sharded maps, each behind a lock. It forgets nothing.
type Maps = Vec<Mutex<HashMap<u128, u64>>>;

fn insert(maps: &Maps) {
    let until = SystemClock.now().plus(HOUR).as_secs().cast_unsigned();
    let [key, shard] = *key().as_bytes().as_chunks::<16>().0 else { unreachable!() };
    let map = &maps[u128::from_le_bytes(shard) as usize % maps.len()];
    assert_eq!(map.lock().unwrap().insert(u128::from_le_bytes(key), until), None);
}

fn filled_maps(size: u64) -> Maps {
    let maps = (0..1_024).map(|_| Mutex::default()).collect();
    (0..size).for_each(|_| insert(&maps));
    maps
}

fn claims(criterion: &mut Criterion) {
    for size in SIZES {
        for threads in [1, 2, 8] {
            by_threads(criterion, ("dense", "sharded maps", threads, size), filled_maps, insert);
            // moka alone would fill gigabytes.
            if size <= 1_000_000 {
                by_threads(criterion, ("moka", "its own insert", threads, size), filled_floor, floor);
            }
            for (name, new) in STORES {
                by_threads(criterion, (name, "claim", threads, size), |size| filled(new, size), claim);
            }
        }
    }
    for (name, new) in STORES {
        let id = format!("claim/{name}/replay");
        if is_asked_for(&id) {
            let (store, spent, now) = (filled(new, 100_000), key(), SystemClock.now());
            assert_eq!(claimed(&store, spent, now), Some(Claimed::First));
            criterion.bench_function(&id, |bencher| bencher.iter(|| claimed(&store, spent, now)));
        }
    }
}

/// Ten million concurrent claims, eight for each key: each key must be won once. Not a measurement, but too slow for a test.
fn contended(_: &mut Criterion) {
    const ROUNDS: usize = 125;
    const KEYS: usize = 10_000;
    const THREADS: usize = 8;
    for (name, new) in STORES {
        if !is_asked_for(&format!("claim/{name}/contended")) {
            continue;
        }
        for _ in 0..ROUNDS {
            let store = filled(new, 0);
            let keys: Vec<(Fingerprint, AtomicU64)> = (0..KEYS).map(|_| (key(), AtomicU64::new(0))).collect();
            let (now, start) = (SystemClock.now(), Barrier::new(THREADS));
            let race = || {
                start.wait();
                for (key, winners) in &keys {
                    if claimed(&store, *key, now) == Some(Claimed::First) {
                        winners.fetch_add(1, Ordering::Relaxed);
                    }
                }
            };
            thread::scope(|scope| (0..THREADS).for_each(|_| _ = scope.spawn(race)));
            assert!(keys.iter().all(|(_, winners)| winners.load(Ordering::Relaxed) == 1), "a key without one winner");
        }
        eprintln!("{name}: {} contended claims, one winner for each key", ROUNDS * KEYS * THREADS);
    }
}

/// The slowest of ten million claims. In each wave, the previous wave's 400,000 entries expire at once. The baseline is a
/// `HashMap` behind a `Mutex`, new in each wave because it never removes entries.
fn worst(_: &mut Criterion) {
    for threads in [1, 8, 64] {
        if !is_asked_for(&format!("worst/{threads} threads")) {
            continue;
        }
        eprintln!("worst, {threads} threads; load {}", worst::load());
        let mut floor = Times::default();
        for _ in 0..worst::WAVES {
            let map = Mutex::new(HashMap::new());
            let until = Hold::Until(SystemClock.now().plus(HOUR));
            floor.wave(threads, || _ = map.lock().unwrap().insert(key(), until));
        }
        let floor = floor.summary();
        eprintln!("  HashMap and Mutex: {floor}");
        for (name, new) in STORES {
            let clock = ManualClock::at(SystemClock.now());
            let store = new(clock.clone());
            let mut claims = Times::default();
            for _ in 0..worst::WAVES {
                let now = clock.now();
                claims.wave(threads, || assert_eq!(claimed(&store, key(), now), Some(Claimed::First)));
                clock.advance(10 * HOUR);
            }
            let claims = claims.summary();
            eprintln!("  {name}: {claims}");
            eprintln!("  {name} / HashMap and Mutex: {}", claims.over(&floor));
        }
    }
}

/// A wave of a million that has passed: how many claims it takes until its entries are gone, and the memory given back.
fn passed(_: &mut Criterion) {
    const FLOOD: u64 = 1_000_000;
    for (name, new) in STORES {
        if !is_asked_for(&format!("passed/{name}")) {
            continue;
        }
        let clock = ManualClock::at(SystemClock.now());
        let mut store = None;
        let counted = measure(|| {
            let store = store.insert(new(clock.clone()));
            let now = clock.now();
            (0..FLOOD).for_each(|_| assert_eq!(claimed(store, key(), now), Some(Claimed::First)));
            clock.advance(10 * HOUR);
            let now = clock.now();
            (0..40_000).for_each(|_| assert_eq!(claimed(store, key(), now), Some(Claimed::First)));
        });
        eprintln!(
            "{name}: after a flood of {FLOOD} and 40,000 claims later, {:.1} MB of {:.1} MB",
            counted.bytes_current as f64 / 1e6,
            counted.bytes_max as f64 / 1e6
        );
    }
}

#[cfg(unix)]
fn redis(criterion: &mut Criterion) {
    use tower_sso::redis::RedisStore;

    if !is_asked_for("claim/redis") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = server::Redis::start(&["--maxmemory-policy", "noeviction"]);
    let store = runtime.block_on(RedisStore::connect(server.url(), "test")).unwrap();
    let used = || -> f64 {
        let info = server.command("INFO memory");
        info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().trim().parse().unwrap()
    };
    // As of a layer: under a window, for a credential that has just been made.
    let claim = || {
        let now = SystemClock.now();
        let until = now.plus(HOUR);
        let terms = Terms { group: Group::new("bench", ""), window: HOUR, usable_since: now, until };
        store.claim(&Claim { key: key(), now, hold: Hold::Until(until), terms })
    };
    let mut group = criterion.benchmark_group("claim/redis");
    let empty = used();
    let mut filled = 0;
    for size in [1_000, 100_000, 1_000_000] {
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
    for (at_once, rounds) in [(1, 500), (64, 50), (1_024, 10)] {
        group.throughput(criterion::Throughput::Elements(at_once * rounds));
        group.bench_function(BenchmarkId::new("claims at once", at_once), |bencher| {
            // Each of them claims, then claims again: requests do not come in step.
            let one = || async {
                for _ in 0..rounds {
                    claim().await.unwrap();
                }
            };
            bencher.iter(|| runtime.block_on(futures::future::join_all((0..at_once).map(|_| one()))));
        });
    }
    group.finish();
}

#[cfg(not(unix))]
fn redis(_: &mut Criterion) {}

criterion_group!(benches, memory, claims, contended, worst, passed, redis);
criterion_main!(benches);
