//! The replay store in memory: one winner, no eviction, a ceiling.

mod forever;
mod opening;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use futures::FutureExt;
use tower_sso::clock::{Clock, ManualClock, UnixTime};
use tower_sso::rejection::StoreFailure;
use tower_sso::replay::{Claim, Claimed, Fingerprint, Group, Hold, LeaseId, MemoryReplay, ReplayStore};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// The most dead entries that one claim removes.
const BITE: u64 = 32;

fn key(number: u64) -> Fingerprint {
    // Spread as digests are.
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    key.into()
}

fn later(seconds: u64) -> UnixTime {
    NOW.plus(Duration::from_secs(seconds))
}

fn claim(store: &MemoryReplay, number: u64, now: UnixTime, hold: Hold) -> Result<Claimed, StoreFailure> {
    let answer = store.claim(&Claim::new(key(number), now, hold)).now_or_never().expect("memory answers at once");
    answer.map_err(|error| error.failure())
}

fn settle(store: &MemoryReplay, number: u64, until: UnixTime) {
    store.settle(&Claim::new(key(number), NOW, Hold::Until(until))).now_or_never().unwrap().unwrap();
}

/// A lease with this id.
fn lease(id: u64, until: UnixTime) -> Hold {
    Hold::Lease { until, id: LeaseId::from(id) }
}

fn release(store: &MemoryReplay, number: u64, lease: u64) {
    store.release(key(number), LeaseId::from(lease)).now_or_never().unwrap().unwrap();
}

/// The results of 16,000 numbered calls by 16 threads that start at once.
fn by_16_threads<T: Send>(call: impl Fn(u64) -> Option<T> + Sync) -> Vec<T> {
    let (call, start) = (&call, &Barrier::new(16));
    std::thread::scope(|threads| {
        let work = |thread: u64| {
            move || {
                start.wait();
                (thread * 1_000..(thread + 1) * 1_000).filter_map(call).collect::<Vec<_>>()
            }
        };
        let handles: Vec<_> = (0..16).map(|thread| threads.spawn(work(thread))).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
    })
}

#[test]
fn a_claim_holds_to_its_last_instant() {
    let store = MemoryReplay::new();
    let hold = Hold::Until(later(60));
    for (now, expected) in [
        (NOW, Claimed::First),
        (NOW, Claimed::Spent),
        (later(60), Claimed::Spent),
        (later(60).plus(Duration::from_nanos(1)), Claimed::First),
    ] {
        assert_eq!(claim(&store, 1, now, hold), Ok(expected), "at {now:?}");
    }
}

#[test]
fn a_lease_can_be_settled_released_or_run_out() {
    let store = MemoryReplay::new();
    let leased = lease(1, later(30));
    assert_eq!(claim(&store, 1, NOW, leased), Ok(Claimed::First));
    assert_eq!(claim(&store, 1, later(30), leased), Ok(Claimed::Leased));
    settle(&store, 1, UnixTime::MAX);
    release(&store, 1, 1);
    assert_eq!(claim(&store, 1, later(1 << 32), leased), Ok(Claimed::Spent), "what is spent stays spent");

    assert_eq!(claim(&store, 2, NOW, leased), Ok(Claimed::First));
    release(&store, 2, 1);
    assert_eq!(claim(&store, 2, NOW, leased), Ok(Claimed::First));

    assert_eq!(claim(&store, 3, NOW, leased), Ok(Claimed::First));
    assert_eq!(claim(&store, 3, later(31), lease(2, later(61))), Ok(Claimed::First), "its owner is gone");
    release(&store, 3, 1);
    assert_eq!(claim(&store, 3, later(32), leased), Ok(Claimed::Leased), "the owner, late, frees no lease but its own");

    assert_eq!(claim(&store, 4, NOW, leased), Ok(Claimed::First));
    release(&store, 4, 2);
    assert_eq!(claim(&store, 4, NOW, lease(2, later(30))), Ok(Claimed::Leased), "nor one that ends when its own does");
}

#[test]
fn the_ceiling_refuses_and_never_evicts() {
    const CEILING: u64 = 1_000;
    let store = MemoryReplay::builder().ceiling(CEILING).build();
    let hold = Hold::Until(later(3_600));
    for number in 0..CEILING {
        assert_eq!(claim(&store, number, NOW, hold), Ok(Claimed::First), "{number}");
    }
    // A flood of ten times as many.
    for number in CEILING..11 * CEILING {
        assert_eq!(claim(&store, number, NOW, hold), Err(StoreFailure::Full), "{number}");
    }
    for number in 0..CEILING {
        assert_eq!(claim(&store, number, NOW, hold), Ok(Claimed::Spent), "{number} was live, and is");
    }
}

#[test]
fn a_place_that_becomes_free_is_used_again() {
    let store = MemoryReplay::builder().ceiling(1).build();
    for round in 0..100 {
        assert_eq!(claim(&store, round, NOW, lease(round, later(30))), Ok(Claimed::First), "{round}");
        assert_eq!(claim(&store, round + 1, NOW, Hold::lease(later(30))), Err(StoreFailure::Full));
        release(&store, round, round);
    }
    // Overwriting a dead entry takes no second slot.
    for hour in 0..100 {
        let now = later(hour * 3_600);
        assert_eq!(claim(&store, 7, now, Hold::Until(now)), Ok(Claimed::First));
    }
    settle(&store, 7, UnixTime::MAX);
    assert_eq!(claim(&store, 8, NOW, Hold::Until(later(1))), Err(StoreFailure::Full));
}

#[test]
fn the_ceiling_holds_under_contention() {
    const CEILING: u64 = 100;
    let store = MemoryReplay::builder().ceiling(CEILING).build();
    let won = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for thread in 0..8 {
            let (store, won) = (&store, &won);
            threads.spawn(move || {
                for number in 0..1_000 {
                    if claim(store, thread * 1_000 + number, NOW, Hold::Until(later(60))) == Ok(Claimed::First) {
                        won.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(won.into_inner() as u64, CEILING);
}

#[test]
fn of_8_threads_with_one_key_one_wins_every_time() {
    const ROUNDS: u64 = 20_000;
    let store = MemoryReplay::new();
    let (won, barrier) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(8)));
    std::thread::scope(|threads| {
        for _ in 0..8 {
            let (store, won, barrier) = (&store, won.clone(), barrier.clone());
            threads.spawn(move || {
                for round in 0..ROUNDS {
                    if round % 1_000 == 0 {
                        barrier.wait();
                    }
                    if claim(store, round, NOW, Hold::Until(later(60))) == Ok(Claimed::First) {
                        won.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(won.load(Ordering::SeqCst) as u64, ROUNDS);
}

#[test]
fn of_8_threads_that_find_a_dead_entry_one_wins() {
    const ROUNDS: u64 = 5_000;
    let store = MemoryReplay::new();
    let (won, barrier) = (AtomicUsize::new(0), Barrier::new(8));
    assert_eq!(claim(&store, 1, NOW, Hold::lease(NOW)), Ok(Claimed::First));
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for round in 1..=ROUNDS {
                    barrier.wait();
                    if claim(&store, 1, later(round), Hold::lease(later(round))) == Ok(Claimed::First) {
                        won.fetch_add(1, Ordering::SeqCst);
                    }
                    barrier.wait();
                }
            });
        }
    });
    assert_eq!(won.into_inner() as u64, ROUNDS);
}

/// A lease on a call that will be remembered until `until`, by a layer of this group.
fn lease_in(store: &MemoryReplay, group: &str, number: u64, until: UnixTime) -> Result<Claimed, StoreFailure> {
    let mut claim = Claim::new(key(number), NOW, Hold::lease(later(30)));
    (claim.terms.group, claim.terms.until) = (Group::new("webhook", group), until);
    let claimed = store.claim(&claim).now_or_never().unwrap().map_err(|error| error.failure());
    if claimed == Ok(Claimed::First) {
        claim.hold = Hold::Until(until);
        store.settle(&claim).now_or_never().unwrap().unwrap();
        store.settle(&claim).now_or_never().unwrap().unwrap();
    }
    claimed
}

#[test]
fn what_stays_for_ever_leaves_room_for_sign_ins_and_for_other_layers() {
    let store = MemoryReplay::builder().ceiling(1_000).build();
    let forever = |group, numbers: std::ops::Range<u64>| {
        numbers.filter(|number| lease_in(&store, group, *number, UnixTime::MAX) == Ok(Claimed::First)).count()
    };
    assert_eq!(forever("one", 0..600), 250, "half of the half that is for all of them");
    assert_eq!(lease_in(&store, "one", 600, UnixTime::MAX), Err(StoreFailure::Full));
    assert_eq!(lease_in(&store, "one", 0, UnixTime::MAX), Ok(Claimed::Spent), "and nothing is forgotten");
    assert_eq!(lease_in(&store, "one", 601, later(300)), Ok(Claimed::First), "its calls with a time are not concerned");
    assert_eq!(lease_in(&store, "another", 700, later(300)), Ok(Claimed::First), "nor are other layers'");
    assert_eq!(forever("another", 1_000..2_000), 125, "who have a share of their own");
    assert_eq!(forever("one", 600..700), 0);
    for link in 3_000..3_600 {
        assert_eq!(claim(&store, link, NOW, Hold::Until(later(60))), Ok(Claimed::First), "{link}");
    }
}

/// Claims a minute later, when all entries have ended.
#[test]
fn one_claim_removes_a_few_dead_entries_and_all_go_in_time() {
    const DEAD: u64 = 20_000;
    let clock = ManualClock::at(NOW);
    let store = MemoryReplay::builder().clock(clock.clone()).build();
    for number in 0..DEAD {
        assert_eq!(claim(&store, number, NOW, Hold::Until(later(60))), Ok(Claimed::First));
    }
    assert_eq!(store.entries(), DEAD);
    clock.advance(Duration::from_secs(3_600));
    let (mut before, mut claims) = (DEAD, 0);
    while store.entries() > claims && claims < DEAD {
        claim(&store, DEAD + claims, later(3_600), Hold::Until(later(7_200))).unwrap();
        claims += 1;
        let removed = before + 1 - store.entries();
        assert!(removed <= BITE, "claim {claims} removed {removed}");
        before = store.entries();
    }
    assert_eq!(store.entries(), claims, "no dead one is left");
    assert!(claims < DEAD / 10, "{claims} claims were needed");
}

#[test]
fn dead_entries_give_up_their_places_to_any_key() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplay::builder().ceiling(100).clock(clock.clone()).build();
    for wave in 0..50 {
        let now = clock.now();
        for number in 0..100 {
            let claimed = claim(&store, wave * 1_000 + number, now, Hold::Until(now.plus(Duration::from_secs(60))));
            assert_eq!(claimed, Ok(Claimed::First), "{number} of wave {wave}");
        }
        assert_eq!(claim(&store, wave * 1_000 + 100, now, Hold::Until(now)), Err(StoreFailure::Full));
        clock.advance(Duration::from_secs(300));
    }
}

/// At the ceiling, a claim makes room by removing a few dead entries.
#[test]
fn a_claim_at_the_ceiling_removes_a_few_dead_entries_too() {
    const CEILING: u64 = 20_000;
    let clock = ManualClock::at(NOW);
    let store = MemoryReplay::builder().ceiling(CEILING).clock(clock.clone()).build();
    for number in 0..CEILING {
        assert_eq!(claim(&store, number, NOW, Hold::Until(later(60))), Ok(Claimed::First));
    }
    clock.advance(Duration::from_secs(3_600));
    for number in CEILING..2 * CEILING {
        let before = store.entries();
        assert_eq!(claim(&store, number, later(3_600), Hold::Until(later(7_200))), Ok(Claimed::First), "{number}");
        let removed = before + 1 - store.entries();
        assert!(removed <= BITE, "claim {number} removed {removed}");
    }
    assert_eq!(store.entries(), CEILING, "the dead are gone, and the store is full of live ones");
    assert_eq!(claim(&store, 2 * CEILING, later(3_600), Hold::Until(later(7_200))), Err(StoreFailure::Full));
}

/// The store has shards; the ceiling counts the entries of all.
#[test]
fn of_16_threads_exactly_as_many_claims_win_as_the_ceiling_allows() {
    const CEILING: usize = 5_000;
    let store = MemoryReplay::builder().ceiling(CEILING as u64).build();
    let hold = Hold::Until(later(60));
    let won = by_16_threads(|number| (claim(&store, number, NOW, hold) == Ok(Claimed::First)).then_some(number));
    assert_eq!((won.len(), store.entries()), (CEILING, CEILING as u64));
    for number in won {
        assert_eq!(claim(&store, number, NOW, hold), Ok(Claimed::Spent), "{number} was evicted");
    }
}

/// Leases come and go in all shards. Whoever has one counts how many others do.
#[test]
fn at_no_time_do_16_threads_hold_more_than_the_ceiling() {
    const CEILING: usize = 2;
    let store = MemoryReplay::builder().ceiling(CEILING as u64).build();
    let (held, leased) = (AtomicUsize::new(0), lease(7, later(30)));
    let too_many = by_16_threads(|number| {
        let round = |round: u64| {
            let number = number + 16_000 * round;
            let is_first = claim(&store, number, NOW, leased) == Ok(Claimed::First);
            let at_once = if is_first { held.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
            held.fetch_sub(usize::from(is_first), Ordering::SeqCst);
            release(&store, number, 7);
            at_once
        };
        (0..10).map(round).find(|at_once| *at_once > CEILING)
    });
    assert_eq!((too_many, store.entries()), (vec![], 0));
}

/// Room in a share is looked for before an entry takes it, so each of the other 15 threads may be one too far.
#[test]
fn a_share_is_of_the_whole_store_for_16_threads_as_well() {
    let store = MemoryReplay::builder().ceiling(4_000).build();
    let forever = |number| {
        let mut claim = Claim::new(key(number), NOW, Hold::Until(UnixTime::MAX));
        claim.terms.group = Group::new("webhook", "one");
        let claimed = store.claim(&claim).now_or_never().unwrap();
        matches!(claimed, Ok(Claimed::First)).then_some(number)
    };
    let won = by_16_threads(forever);
    assert!((1_000..=1_015).contains(&won.len()), "a quarter of the store, not {}", won.len());
    assert_eq!(store.entries(), won.len() as u64);
    for number in 100_000..103_000 - 15 {
        assert_eq!(
            claim(&store, number, NOW, Hold::Until(later(60))),
            Ok(Claimed::First),
            "{number}: the rest is free"
        );
    }
}

/// Neither ahead nor back: an entry goes when time has passed, and its end too.
#[test]
fn a_step_of_the_clock_removes_nothing() {
    const LIVE: u64 = 2_000;
    let clock = ManualClock::at(NOW);
    let store = MemoryReplay::builder().clock(clock.clone()).build();
    let hold = Hold::Until(later(60));
    for number in 0..LIVE {
        assert_eq!(claim(&store, number, NOW, hold), Ok(Claimed::First));
    }
    let day = Duration::from_secs(86_400);
    for (stepped_to, others, why) in [(NOW.plus(day), LIVE..2 * LIVE, "ahead"), (NOW, 2 * LIVE..3 * LIVE, "back")] {
        clock.set(stepped_to);
        for number in others {
            assert_eq!(claim(&store, number, stepped_to, Hold::Until(stepped_to.plus(day))), Ok(Claimed::First));
        }
        for number in 0..LIVE {
            assert_eq!(claim(&store, number, NOW, hold), Ok(Claimed::Spent), "{number}, stepped {why}");
        }
    }
    assert_eq!(store.entries(), 3 * LIVE);
    clock.advance(2 * day + Duration::from_nanos(1));
    (0..LIVE).for_each(|n| _ = claim(&store, 4 * LIVE + n, clock.now(), Hold::Until(NOW.plus(3 * day))));
    assert_eq!(store.entries(), LIVE, "when the last end has passed, they go");
}

/// By the clock that was set back, all entries are live.
#[test]
fn a_claim_after_a_step_back_removes_nothing_that_is_live_again() {
    const LIVE: u64 = 2_000;
    let hour = Duration::from_secs(3_600);
    let clock = ManualClock::at(NOW);
    let store = MemoryReplay::builder().clock(clock.clone()).build();
    for number in 0..LIVE {
        assert_eq!(claim(&store, number, NOW, Hold::Until(later(60))), Ok(Claimed::First));
    }
    clock.set(NOW.minus(hour));
    clock.advance(hour);
    for number in 0..LIVE {
        assert_eq!(claim(&store, number, clock.now(), Hold::Until(later(60))), Ok(Claimed::Spent), "{number}");
    }
}

/// Duplicates of a delivery that keeps failing leave nothing behind.
#[test]
fn what_is_released_is_gone() {
    let store = MemoryReplay::new();
    for _ in 0..1_000 {
        assert_eq!(claim(&store, 1, NOW, lease(7, later(30))), Ok(Claimed::First));
        release(&store, 1, 7);
    }
    assert_eq!(store.entries(), 0);
}
