//! The dense store in memory: what it has in common with moka's is in the public suite; here is what could go wrong in it
//! alone.

mod races;
mod soak;
mod steps;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use allocation_counter::measure;
use futures::FutureExt;
use tower_sso::clock::{Clock, ManualClock, UnixTime};
use tower_sso::replay::{Claim, Claimed, DenseReplay, Fingerprint, Group, Hold, LeaseId, ReplayStore};
use tower_sso::store::StoreError;
use tower_sso::testing;

use crate::support::random::Random;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

fn key(number: u64) -> Fingerprint {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    digest.into()
}

fn later(seconds: u64) -> UnixTime {
    NOW.plus(Duration::from_secs(seconds))
}

fn claim(store: &DenseReplay, number: u64, now: UnixTime, hold: Hold) -> Result<Claimed, StoreError> {
    store.claim(&Claim::new(key(number), now, hold)).now_or_never().expect("it answers at once")
}

fn settle(store: &DenseReplay, number: u64, now: UnixTime, until: UnixTime) {
    let claim = Claim::new(key(number), now, Hold::Until(until));
    store.settle(&claim).now_or_never().expect("it answers at once").unwrap();
}

fn release(store: &DenseReplay, number: u64, lease: LeaseId) {
    store.release(key(number), lease).now_or_never().expect("it answers at once").unwrap();
}

fn first(store: &DenseReplay, numbers: std::ops::Range<u64>, now: UnixTime, hold: Hold) {
    for number in numbers {
        assert_eq!(claim(store, number, now, hold).unwrap(), Claimed::First, "{number}");
    }
}

fn store_with(clock: &ManualClock) -> DenseReplay {
    DenseReplay::builder().clock(clock.clone()).build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_the_promises_of_a_replay_store() {
    let shared = DenseReplay::new();
    testing::replay_store(async || shared.clone()).run().await.unwrap();
    let small = DenseReplay::builder().ceiling(3_000).build();
    testing::replay_store(async || small.clone()).entries(5_000).run().await.unwrap();
}

#[test]
fn ends_are_rounded_up_to_whole_seconds() {
    let (clock, half) = (ManualClock::at(NOW), Duration::from_millis(500));
    let store = store_with(&clock);
    first(&store, 0..1, NOW, Hold::Until(NOW.plus(half)));
    for (now, expected) in [
        (NOW.plus(half), Claimed::Spent),
        (later(1), Claimed::Spent),
        (later(1).plus(Duration::from_nanos(1)), Claimed::First),
    ] {
        assert_eq!(claim(&store, 0, now, Hold::Until(now.plus(half))).unwrap(), expected, "{now:?}");
    }
    let lease = Hold::lease(NOW.plus(half));
    first(&store, 1..2, NOW, lease);
    let just_after = NOW.plus(half).plus(Duration::from_nanos(1));
    assert_eq!(claim(&store, 1, just_after, lease).unwrap(), Claimed::First, "a lease ends when it ends");
}

#[test]
fn a_settled_call_keeps_the_later_end() {
    let store = store_with(&ManualClock::at(NOW));
    first(&store, 0..1, NOW, Hold::lease(later(30)));
    settle(&store, 0, NOW, later(600));
    settle(&store, 0, NOW, later(60));
    assert_eq!(claim(&store, 0, later(600), Hold::Until(later(700))).unwrap(), Claimed::Spent);
    assert_eq!(store.entries(), 1);
}

#[test]
fn what_has_no_end_has_a_share_and_stays() {
    let clock = ManualClock::at(NOW);
    let store = DenseReplay::builder().ceiling(8).clock(clock.clone()).build();
    first(&store, 0..2, NOW, Hold::Until(UnixTime::MAX));
    assert!(claim(&store, 2, NOW, Hold::Until(UnixTime::MAX)).unwrap_err().to_string().contains("no end"));
    let mut other = Claim::new(key(3), NOW, Hold::Until(UnixTime::MAX));
    other.terms.group = Group::new("webhook", "");
    assert_eq!(
        store.claim(&other).now_or_never().unwrap().unwrap(),
        Claimed::First,
        "another group has a share of its own"
    );
    settle(&store, 0, NOW, UnixTime::MAX);
    first(&store, 10..15, NOW, Hold::Until(later(60)));
    clock.advance(100_000 * HOUR);
    first(&store, 20..25, clock.now(), Hold::Until(clock.now().plus(HOUR)));
    for number in [0, 1, 3] {
        assert_eq!(claim(&store, number, clock.now(), Hold::Until(UnixTime::MAX)).unwrap(), Claimed::Spent, "{number}");
    }
}

#[test]
fn what_ends_in_a_hundred_years_ends_then() {
    let (clock, end) = (ManualClock::at(NOW), NOW.plus(876_000 * HOUR));
    let store = DenseReplay::builder().ceiling(4).clock(clock.clone()).build();
    first(&store, 0..4, NOW, Hold::Until(end));
    assert!(claim(&store, 4, NOW, Hold::Until(end)).unwrap_err().to_string().contains("full"), "it has no share");
    clock.set(end);
    assert_eq!(claim(&store, 0, end, Hold::Until(end)).unwrap(), Claimed::Spent);
    first(&store, 0..1, end.plus(SECOND), Hold::Until(end.plus(SECOND)));
}

/// Calls without a time that are in progress, in a store of 100 places.
#[test]
fn calls_in_progress_have_their_share_before_they_are_settled() {
    let clock = ManualClock::at(NOW);
    let store = DenseReplay::builder().ceiling(100).clock(clock.clone()).build();
    let begin = |number, now: UnixTime| {
        let mut claim = Claim::new(key(number), now, Hold::lease(now.plus(30 * SECOND)));
        claim.terms.until = UnixTime::MAX;
        store.claim(&claim).now_or_never().unwrap().ok()
    };
    let begun = |numbers: std::ops::Range<u64>, now| {
        numbers.filter(|number| begin(*number, now) == Some(Claimed::First)).count()
    };
    assert_eq!(begun(0..100, NOW), 25, "half of the half that is for all of them");
    assert_eq!(begun(0..1, later(31)), 1, "a retry has the share of its dead lease");
    assert_eq!(begun(25..26, later(31)), 0);
    (0..20).for_each(|number| settle(&store, number, NOW, UnixTime::MAX));
    (0..20).for_each(|number| settle(&store, number, NOW, UnixTime::MAX));
    first(&store, 200..275, NOW, Hold::Until(later(60)));
    // A day later the other five leases have ended, and others have their shares.
    clock.advance(24 * HOUR);
    for link in 1_000..2_100 {
        first(&store, link..link + 1, clock.now(), Hold::Until(clock.now()));
        clock.advance(120 * SECOND);
    }
    assert_eq!(begun(5_000..5_100, clock.now()), 5);
}

#[test]
fn the_ceiling_refuses_and_never_evicts_and_the_dead_make_room() {
    let clock = ManualClock::at(NOW);
    let store = DenseReplay::builder().ceiling(20_000).clock(clock.clone()).build();
    first(&store, 0..20_000, NOW, Hold::Until(later(60)));
    assert!(claim(&store, 20_000, NOW, Hold::Until(later(60))).is_err());
    for number in 0..20_000 {
        assert_eq!(claim(&store, number, NOW, Hold::Until(later(60))).unwrap(), Claimed::Spent, "{number}");
    }
    clock.advance(HOUR);
    first(&store, 20_000..40_000, later(3_600), Hold::Until(later(7_200)));
    assert_eq!(store.entries(), 20_000, "the dead are gone");
}

/// One shard is swept by each claim, so that all are after 1,024, and no claim removes much.
#[test]
fn one_claim_sweeps_one_shard_and_all_are_swept_in_time() {
    const DEAD: u64 = 200_000;
    const SHARDS: u64 = 1_024;
    let clock = ManualClock::at(NOW);
    let store = store_with(&clock);
    first(&store, 0..DEAD, NOW, Hold::Until(later(60)));
    clock.advance(HOUR);
    for number in 0..SHARDS {
        let before = store.entries();
        first(&store, DEAD + number..DEAD + number + 1, clock.now(), Hold::Until(clock.now().plus(HOUR)));
        let removed = before + 1 - store.entries();
        assert!(removed < 2 * DEAD / SHARDS, "claim {number} removed {removed}");
    }
    assert_eq!(store.entries(), SHARDS, "only the live ones are left");
    // A minute later all are due again, and each only once.
    clock.advance(60 * SECOND);
    first(&store, 0..1, clock.now(), Hold::Until(clock.now().plus(HOUR)));
}

#[test]
fn a_sign_in_takes_48_bytes_and_a_wave_gives_them_back() {
    const WAVE: u64 = 1_000_000;
    let clock = ManualClock::at(NOW);
    let mut store = None;
    let filled = measure(|| {
        let store = store.insert(store_with(&clock));
        first(store, 0..WAVE, NOW, Hold::Until(later(60)));
    });
    let store = store.unwrap();
    assert!(filled.bytes_max <= 48 * WAVE, "{} bytes at most", filled.bytes_max);
    let given_back = measure(|| {
        clock.advance(HOUR);
        first(&store, WAVE..WAVE + 2_000, clock.now(), Hold::Until(clock.now().plus(HOUR)));
    });
    let left = i64::try_from(filled.bytes_current as u64).unwrap() + given_back.bytes_current as i64;
    assert!(left < 1_000_000, "{left} bytes are left of {}", filled.bytes_current);
}

/// A clock that was slow when the first credentials came does not keep all later ones for too long.
#[test]
fn a_clock_that_was_set_right_is_forgotten_when_its_entries_are() {
    let clock = ManualClock::at(NOW.minus(1_000 * HOUR));
    let store = store_with(&clock);
    first(&store, 0..10, clock.now(), Hold::Until(clock.now().plus(HOUR)));
    clock.set(NOW);
    for round in 1..=10 {
        first(&store, 1_000 * round..1_000 * round + 10, clock.now(), Hold::Until(clock.now().plus(HOUR)));
        clock.advance(2 * HOUR);
        for minute in 0..3 {
            let base = 1_000_000 * round + 10_000 * minute;
            clock.advance(60 * SECOND);
            first(&store, base..base + 1_100, clock.now(), Hold::Until(clock.now().plus(SECOND)));
        }
    }
    assert!(store.entries() < 3 * 3 * 1_100, "{} entries", store.entries());
}

/// The time, and the steady time.
type Instants = (UnixTime, Duration);

/// What a schedule knows of a key.
#[derive(Clone, Copy, Debug)]
struct Known {
    lease: Option<LeaseId>,
    /// It is held until the first of these instants, and not after the second one.
    until: [UnixTime; 2],
    /// When the first one is over by the steady clock. The store may have removed it after that.
    over: Duration,
}

impl Known {
    fn new(hold: Hold, over: Duration) -> Self {
        let until = hold.until();
        match hold {
            Hold::Lease { id, .. } => Self { lease: Some(id), until: [until; 2], over },
            Hold::Until(_) => Self { lease: None, until: [until, until.ceil_to_second()], over },
        }
    }

    fn is_live(&self, (now, steady): Instants) -> bool {
        now <= self.until[0] && steady <= self.over
    }

    /// What a claim may be told.
    fn allowed(&self, at: Instants) -> Vec<Claimed> {
        let held = if self.lease.is_some() { Claimed::Leased } else { Claimed::Spent };
        match (self.is_live(at), at.0 > self.until[1]) {
            (true, _) => vec![held],
            (_, true) => vec![Claimed::First],
            _ => vec![held, Claimed::First],
        }
    }

    /// What is settled keeps the later end.
    fn settled(self, earlier: Option<Self>, at: Instants) -> Self {
        let Some(earlier) = earlier.filter(|earlier| earlier.lease.is_none()) else { return self };
        let most = self.until[1].max(earlier.until[1]);
        match earlier.is_live(at) && earlier.until[0] > self.until[0] {
            true => Self { until: [earlier.until[0], most], ..earlier },
            false => Self { until: [self.until[0], most], ..self },
        }
    }
}

/// Claims, settlings and releases of a few keys under a clock that stands still, runs and jumps.
fn schedule(seed: u64, steps: u64) {
    const DAY: u64 = 86_400_000;
    let mut random = Random(seed);
    let clock = ManualClock::at(NOW);
    let store = store_with(&clock);
    let mut known: HashMap<u64, Known> = HashMap::new();
    for step in 0..steps {
        match random.below(12) {
            0 => clock.set(clock.now().plus(Duration::from_millis(random.below(DAY)))),
            1 => clock.set(clock.now().minus(Duration::from_millis(random.below(DAY)))),
            2..4 => clock.advance(Duration::from_millis(random.below(90_000))),
            4 => clock.advance(Duration::from_millis(random.below(DAY))),
            _ => {}
        }
        let number = random.below(40);
        let length = Duration::from_millis(random.below(*[1_000, 60_000, 7_200_000].get(step as usize % 3).unwrap()));
        let at = (clock.now(), clock.steady());
        let (now, over) = (at.0, at.1 + length);
        let before = known.get(&number).copied();
        match random.below(8) {
            0 => {
                settle(&store, number, now, now.plus(length));
                let new = Known::new(Hold::Until(now.plus(length)), over).settled(before, at);
                known.insert(number, new);
            }
            1 => {
                if let Some(lease) = before.and_then(|before| before.lease) {
                    release(&store, number, lease);
                    known.remove(&number);
                }
            }
            chosen => {
                let hold = if chosen < 4 { Hold::lease(now.plus(length)) } else { Hold::Until(now.plus(length)) };
                let claimed = claim(&store, number, now, hold).unwrap();
                let allowed = before.map_or(vec![Claimed::First], |before| before.allowed(at));
                assert!(
                    allowed.contains(&claimed),
                    "seed {seed}, step {step}: {claimed:?}, not {allowed:?}: {before:?}"
                );
                if claimed == Claimed::First {
                    known.insert(number, Known::new(hold, over));
                }
            }
        }
    }
}

/// More of them: `SCHEDULES=100000 cargo test --release --all-features --test stores schedules`.
#[test]
fn schedules_with_clocks_that_stand_still_and_jump() {
    let schedules = std::env::var("SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    (0..schedules).for_each(|seed| schedule(seed, 2_000));
}

/// Threads lease and release a few keys, and spend others, while the clock jumps and shards are swept: nobody has a key that
/// another one has. More of it: `CLAIMS=100000000`.
#[test]
fn of_8_threads_one_has_a_key_whatever_the_clock_does() {
    let claims: u64 = std::env::var("CLAIMS").ok().and_then(|text| text.parse().ok()).unwrap_or(400_000);
    const THREADS: u64 = 8;
    let clock = ManualClock::at(NOW);
    let store = store_with(&clock);
    let holders: Vec<AtomicBool> = (0..64).map(|_| AtomicBool::new(false)).collect();
    let spent: Vec<AtomicU64> = (0..claims / 8).map(|_| AtomicU64::new(0)).collect();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Random(1);
            while !is_over.load(Ordering::Relaxed) {
                clock.advance(Duration::from_millis(random.below(500)));
                let jump = Duration::from_secs(random.below(86_400));
                clock.set(NOW.plus(jump));
                thread::yield_now();
            }
        });
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (clock, store, holders, spent) = (&clock, &store, &holders, &spent);
                scope.spawn(move || {
                    let mut random = Random(thread);
                    for _ in 0..claims / THREADS {
                        let number = random.below(64);
                        // It outlives all jumps.
                        let hold = Hold::lease(NOW.plus(500_000 * HOUR));
                        if claim(store, number, clock.now(), hold).unwrap() == Claimed::First {
                            let Hold::Lease { id, .. } = hold else { unreachable!() };
                            assert!(!holders[number as usize].swap(true, Ordering::SeqCst), "two have key {number}");
                            holders[number as usize].store(false, Ordering::SeqCst);
                            release(store, number, id);
                        }
                        let number = random.below(spent.len() as u64);
                        let hold = Hold::Until(NOW.plus(500_000 * HOUR));
                        if claim(store, 1_000 + number, clock.now(), hold).unwrap() == Claimed::First {
                            spent[number as usize].fetch_add(1, Ordering::SeqCst);
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(spent.iter().all(|winners| winners.load(Ordering::SeqCst) <= 1), "a credential passed twice");
    assert_eq!(store.entries(), spent.iter().map(|winners| winners.load(Ordering::SeqCst)).sum::<u64>());
}
