//! A long run by many threads, under a clock that stands still, runs, steps back and jumps. The answers are compared with
//! what a plain model allows.
//!
//! Five seconds by default. Three minutes, with the figures:
//! `SOAK_SECONDS=180 cargo test --release --all-features --test stores soak -- --nocapture`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tower_sso::clock::{Clock, ManualClock, UnixTime};
use tower_sso::replay::{Claimed, DenseReplay, Hold, LeaseId};

use super::{HOUR, Instants, Known, NOW, Random, SECOND, claim, first, later, release, settle};

/// Low enough that the store is full now and then.
const CEILING: u64 = 8_000;
/// Threads with keys of their own.
const OWNERS: u64 = 4;
/// The keys of one owner.
const OWNED: u64 = 4_000;
/// Threads that all want the same keys.
const RACERS: usize = 4;
/// The keys that they want.
const WANTED: usize = 64;
/// The first of them.
const BASE: u64 = 1 << 40;
/// How many of an owner's keys are settled.
const SETTLED: u64 = 250;
/// Above the ceiling: what is settled although the store no longer knows it, and claims that are being turned away.
const OVERSHOOT: u64 = OWNERS * SETTLED + WANTED as u64 + 64;

/// What all threads share.
struct Run {
    clock: ManualClock,
    store: DenseReplay,
    ends: Instant,
    /// Whoever has it moves the clock.
    hand: Mutex<Random>,
    /// Keys that nobody claimed yet.
    fresh: AtomicU64,
    claims: AtomicU64,
    moves: AtomicU64,
    full: AtomicU64,
    fullest: AtomicU64,
    failed: AtomicBool,
}

/// Tells the other threads if this one fails, so that they end too.
struct Alarm<'r>(&'r Run);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.failed.store(true, Ordering::SeqCst);
        }
    }
}

/// Where the racers wait for each other.
#[derive(Default)]
struct Line {
    /// How many wait, and how often all have met.
    state: Mutex<(usize, u64)>,
    moved: Condvar,
}

impl Line {
    /// Whether this thread is the last to come. `None` if another one has failed.
    fn wait(&self, run: &Run) -> Option<bool> {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        if state.0 == RACERS {
            *state = (0, state.1 + 1);
            self.moved.notify_all();
            return Some(true);
        }
        let met = state.1;
        while state.1 == met {
            if run.failed.load(Ordering::SeqCst) {
                return None;
            }
            state = self.moved.wait_timeout(state, Duration::from_millis(100)).unwrap().0;
        }
        Some(false)
    }
}

impl Run {
    fn at(&self) -> Instants {
        // Time that passes between the two readings makes an entry end earlier, by the model.
        let steady = self.clock.steady();
        (self.clock.now(), steady)
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.ends || self.failed.load(Ordering::SeqCst)
    }

    fn move_the_clock(&self) {
        let Ok(mut random) = self.hand.try_lock() else { return };
        // By the steady clock, so that the steps do not add up.
        let true_time = NOW.plus(self.clock.steady());
        // A step of a day keeps dead entries for a day, so it is rare.
        let most = if random.below(4_096) == 0 { 86_400_000 } else { 120_000 };
        let step = Duration::from_millis(random.below(most));
        match random.below(64) {
            0 => self.clock.advance(Duration::from_millis(random.below(3 * 3_600_000))),
            1..4 => self.clock.set(true_time.minus(step)),
            4..7 => self.clock.set(true_time.plus(step)),
            7..10 => self.clock.set(true_time),
            10..24 => self.clock.advance(Duration::from_millis(random.below(30_000))),
            24..44 => self.clock.advance(Duration::from_millis(random.below(500))),
            _ => {} // it stands still
        }
        self.moves.fetch_add(1, Ordering::Relaxed);
        let entries = self.store.entries();
        self.fullest.fetch_max(entries, Ordering::Relaxed);
        assert!(entries <= CEILING + OVERSHOOT, "{entries} entries");
    }

    /// `None` if the store is full.
    fn claim(&self, number: u64, at: Instants, hold: Hold) -> Option<Claimed> {
        self.claims.fetch_add(1, Ordering::Relaxed);
        match claim(&self.store, number, at.0, hold) {
            Ok(claimed) => Some(claimed),
            Err(error) => {
                assert!(error.to_string().contains("full"), "{error}");
                // A claim that finds no room looks for it in all shards. Time passes, so that the store is not full all the time.
                if self.full.fetch_add(1, Ordering::Relaxed).is_multiple_of(16)
                    && let Ok(_hand) = self.hand.try_lock()
                {
                    self.clock.advance(HOUR);
                }
                None
            }
        }
    }
}

/// A second, a minute, or two hours at most.
fn length(random: &mut Random) -> Duration {
    let most = [1_000, 60_000, 7_200_000][random.below(3) as usize];
    Duration::from_millis(random.below(most))
}

/// Claims, settles and releases keys that nobody else touches, so that each answer is known. In between, floods of keys that are
/// new must pass, unless the store is full.
fn own(run: &Run, owner: u64) -> Vec<Option<Known>> {
    let mut random = Random(owner);
    let mut known: Vec<Option<Known>> = vec![None; OWNED as usize];
    let mut step = 0_u64;
    while !step.is_multiple_of(64) || !run.is_over() {
        step += 1;
        if random.below(256) == 0 {
            run.move_the_clock();
        }
        let place = random.below(OWNED) as usize;
        let (number, before) = (owner * OWNED + place as u64, known[place]);
        let (at, length) = (run.at(), length(&mut random));
        let (until, over) = (at.0.plus(length), at.1 + length);
        match random.below(10) {
            0 if place < SETTLED as usize => {
                settle(&run.store, number, at.0, until);
                known[place] = Some(Known::new(Hold::Until(until), over).settled(before, (at.0, run.clock.steady())));
            }
            1 => {
                if let Some(lease) = before.and_then(|before| before.lease) {
                    // Another lease of this key leaves it alone.
                    release(&run.store, number, LeaseId::from(lease.as_u64() ^ 1));
                    if random.below(2) == 0 {
                        release(&run.store, number, lease);
                        known[place] = None;
                    }
                }
            }
            2 => {
                let number = run.fresh.fetch_add(1, Ordering::Relaxed);
                let claimed = run.claim(number, at, Hold::Until(until));
                assert!(matches!(claimed, None | Some(Claimed::First)), "{number} is new: {claimed:?}");
            }
            chosen => {
                let hold = if chosen < 6 { Hold::lease(until) } else { Hold::Until(until) };
                let Some(claimed) = run.claim(number, at, hold) else { continue };
                let allowed = before.map_or(vec![Claimed::First], |before| before.allowed((at.0, run.clock.steady())));
                assert!(
                    allowed.contains(&claimed),
                    "owner {owner}, step {step}: {claimed:?}, not {allowed:?}: {before:?} at {at:?}"
                );
                if claimed == Claimed::First {
                    known[place] = Some(Known::new(hold, over));
                }
            }
        }
    }
    known
}

/// A round of the racers: what each of them is to claim, and what became of it.
struct Round {
    at: Instants,
    holds: Vec<(Duration, bool)>,
    answers: Vec<Vec<(Option<Claimed>, Hold)>>,
    known: Vec<Option<Known>>,
    random: Random,
    number: u64,
}

impl Round {
    fn begin(&mut self, run: &Run) {
        // Also here: at the ceiling, the owners are slow to let time pass.
        run.move_the_clock();
        self.at = run.at();
        self.number += 1;
        self.holds = (0..WANTED).map(|_| (length(&mut self.random), self.random.below(2) == 0)).collect();
        self.answers.clear();
    }

    /// However many claimed a key at once: at most one got it, none of them while it was held, and one if it was free.
    fn compare(&mut self, run: &Run) {
        let (now, steady) = self.at;
        let end = (now, run.clock.steady());
        for place in 0..WANTED {
            let claims: Vec<_> = self.answers.iter().map(|answers| answers[place]).collect();
            let answered = claims.iter().filter_map(|(claimed, _)| *claimed);
            let winners: Vec<Hold> =
                claims.iter().filter(|(claimed, _)| *claimed == Some(Claimed::First)).map(|(_, hold)| *hold).collect();
            let (before, (length, _)) = (self.known[place], self.holds[place]);
            let allowed = before.map_or(vec![Claimed::First], |before| before.allowed(end));
            let told = || format!("round {}, key {place}: {claims:?}, {before:?}, {end:?}", self.number);
            // If time passed meanwhile, the first winner's hold may be over already.
            let most = if end.1 <= steady + length { 1 } else { RACERS };
            assert!(winners.len() <= most, "{} winners: {}", winners.len(), told());
            if !allowed.contains(&Claimed::First) {
                assert!(winners.is_empty() && answered.clone().all(|answer| allowed.contains(&answer)), "{}", told());
            }
            if allowed == [Claimed::First] && answered.count() == RACERS {
                assert!(!winners.is_empty(), "{}", told());
            }
            if let Some(hold) = winners.last() {
                self.known[place] = Some(Known::new(*hold, steady + length));
            }
            // It is not known whose lease is the last.
            if let [_, _, ..] = *winners
                && let Hold::Lease { .. } = winners[0]
            {
                let leases =
                    winners.iter().filter_map(|hold| if let Hold::Lease { id, .. } = hold { Some(*id) } else { None });
                leases.for_each(|id| release(&run.store, BASE + place as u64, id));
                self.known[place] = None;
            }
        }
    }
}

/// All claim the same keys at once, then one settles or releases each lease while the others try to release it under another
/// name.
fn race(run: &Run, racer: usize, line: &Line, round: &Mutex<Round>) -> Option<()> {
    let _alarm = Alarm(run);
    let mut random = Random(1_000 + racer as u64);
    loop {
        // Decided by one of them, so that all leave together.
        if line.wait(run)? {
            let mut round = round.lock().unwrap();
            round.begin(run);
            if run.is_over() {
                round.holds.clear();
            }
        }
        line.wait(run)?;
        let (at, holds) = {
            let round = round.lock().unwrap();
            (round.at, round.holds.clone())
        };
        if holds.is_empty() {
            return None;
        }
        let first = random.below(WANTED as u64) as usize;
        let mut answers = vec![(None, Hold::Until(NOW)); WANTED];
        for place in (0..WANTED).map(|place| (first + place) % WANTED) {
            let (length, is_lease) = holds[place];
            let until = at.0.plus(length);
            let hold = if is_lease { Hold::lease(until) } else { Hold::Until(until) };
            answers[place] = (run.claim(BASE + place as u64, at, hold), hold);
        }
        round.lock().unwrap().answers.push(answers);
        if line.wait(run)? {
            round.lock().unwrap().compare(run);
        }
        line.wait(run)?;
        let known = round.lock().unwrap().known.clone();
        for (place, known) in known.iter().enumerate() {
            let number = BASE + place as u64;
            let Some((known, lease)) = known.and_then(|known| Some((known, known.lease?))) else { continue };
            if place % RACERS != racer {
                release(&run.store, number, LeaseId::from(lease.as_u64() ^ 1));
                continue;
            }
            let new = match random.below(3) {
                0 => continue,
                1 => {
                    release(&run.store, number, lease);
                    None
                }
                _ => {
                    let (at, length) = (run.at(), length(&mut random));
                    settle(&run.store, number, at.0, at.0.plus(length));
                    let new = Known::new(Hold::Until(at.0.plus(length)), at.1 + length);
                    Some(new.settled(Some(known), (at.0, run.clock.steady())))
                }
            };
            round.lock().unwrap().known[place] = new;
        }
    }
}

#[test]
fn soak() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let clock = ManualClock::at(NOW);
    let run = Run {
        store: DenseReplay::builder().ceiling(CEILING).clock(clock.clone()).build(),
        clock,
        ends: Instant::now() + Duration::from_secs(seconds),
        hand: Mutex::new(Random(7)),
        fresh: AtomicU64::new(1 << 50),
        claims: AtomicU64::new(0),
        moves: AtomicU64::new(0),
        full: AtomicU64::new(0),
        fullest: AtomicU64::new(0),
        failed: AtomicBool::new(false),
    };
    // What has no end stays, whatever happens.
    let endless = 1 << 60..(1 << 60) + 1_000;
    first(&run.store, endless.clone(), NOW, Hold::Until(UnixTime::MAX));
    let round = Round {
        at: run.at(),
        holds: Vec::new(),
        answers: Vec::new(),
        known: vec![None; WANTED],
        random: Random(8),
        number: 0,
    };
    let (line, round) = (Line::default(), Mutex::new(round));
    thread::scope(|scope| {
        for racer in 0..RACERS {
            let (run, line, round) = (&run, &line, &round);
            scope.spawn(move || race(run, racer, line, round));
        }
        for owner in 0..OWNERS {
            let run = &run;
            scope.spawn(move || {
                let _alarm = Alarm(run);
                // Once more, when all is quiet.
                for (place, known) in own(run, owner).into_iter().enumerate() {
                    let (Some(known), at) = (known, run.at()) else { continue };
                    let claimed = run.claim(owner * OWNED + place as u64, at, Hold::Until(at.0));
                    let allowed = known.allowed((at.0, run.clock.steady()));
                    assert!(
                        claimed.is_none_or(|claimed| allowed.contains(&claimed)),
                        "{claimed:?}: {known:?} at {at:?}"
                    );
                }
            });
        }
    });
    let counted = [&run.claims, &run.moves, &run.full, &run.fullest].map(|count| count.load(Ordering::Relaxed));
    let [claims, moves, full, fullest] = counted;
    let rounds = round.lock().unwrap().number;
    println!(
        "{seconds} s: {claims} claims, {rounds} rounds of {RACERS} threads over {WANTED} keys, {moves} moves of the clock, \
         {full} claims refused as full, {fullest} entries at most"
    );
    assert!(claims > 10_000 && rounds > 10 && moves > 100, "it did next to nothing");

    // Everything that ends is dead and swept, and nothing else.
    run.clock.set(NOW.plus(run.clock.steady()));
    for _ in 0..3 {
        run.clock.advance(10 * 24 * HOUR);
        let now = run.clock.now();
        let numbers = run.fresh.fetch_add(3_000, Ordering::Relaxed);
        first(&run.store, numbers..numbers + 3_000, now, Hold::Until(now.plus(SECOND)));
    }
    run.clock.advance(HOUR);
    let now = run.clock.now();
    first(&run.store, 1 << 61..(1 << 61) + 1_024, now, Hold::Until(now.plus(HOUR)));
    assert_eq!(run.store.entries(), 1_000 + 1_024);
    for number in endless {
        assert_eq!(claim(&run.store, number, later(0), Hold::Until(now)).unwrap(), Claimed::Spent, "{number}");
    }
}
