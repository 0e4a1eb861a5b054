//! The cases with one caller at a time, and the list of all.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;

use super::bench::{
    Answer, Bench, Case, LONG, Options, POLL_EVERY, STRAGGLER, answered, must, must_fail, neighbours, now,
};
use super::promise::{Broken, Promise};
use super::replay_crowd as crowd;
use super::replay_windows as windows;
use crate::clock::UnixTime;
use crate::replay::Claimed::{self, First, Leased, Spent};
use crate::replay::{Claim, Fingerprint, Hold, LeaseId, ReplayStore};

pub(super) type Replay = Bench<dyn ReplayStore>;

/// A hold that ends during a case.
pub(super) const SHORT: Duration = Duration::from_millis(200);

/// How far another machine's clock is behind.
const BEHIND: Duration = Duration::from_secs(1);

/// A new lease, and its id.
pub(super) fn new_lease(until: UnixTime) -> (Hold, LeaseId) {
    let id = LeaseId::draw();
    (Hold::Lease { until, id }, id)
}

/// The preconditions of all other cases.
pub(super) fn first(bench: &Arc<Replay>) -> Vec<Case> {
    vec![
        (Promise::Answers, Box::pin(answers(Arc::clone(bench)))),
        (Promise::Shared, Box::pin(shared(Arc::clone(bench)))),
    ]
}

pub(super) fn all(bench: &Arc<Replay>) -> Vec<Case> {
    let bench = || Arc::clone(bench);
    vec![
        (Promise::OneWinner, Box::pin(crowd::one_winner(bench()))),
        (Promise::OneWinner, Box::pin(crowd::one_heir_of_a_released_lease(bench()))),
        (Promise::OneWinner, Box::pin(crowd::one_heir_of_a_dead_lease(bench()))),
        (Promise::OneWinner, Box::pin(crowd::one_winner_of_a_race(bench()))),
        (Promise::Remembers, Box::pin(remembers(bench()))),
        (Promise::LongestWindow, Box::pin(windows::longest_window(bench()))),
        (Promise::NoReachBack, Box::pin(windows::no_reach_back(bench()))),
        (Promise::LeaseExcludes, Box::pin(lease_excludes(bench()))),
        (Promise::LeaseEnds, Box::pin(lease_ends(bench()))),
        (Promise::SettleSpends, Box::pin(settle_spends(bench()))),
        (Promise::ReleaseFrees, Box::pin(release_frees(bench()))),
        (Promise::ReleaseSpares, Box::pin(release_spares(bench()))),
        (Promise::AnyInstant, Box::pin(any_instant(bench()))),
        (Promise::WholeKey, Box::pin(whole_key(bench()))),
        (Promise::Cancellation, Box::pin(crowd::cancellation(bench()))),
        // Last, as it may leave the store full.
        (Promise::NoEviction, Box::pin(crowd::no_eviction(bench()))),
    ]
}

impl Replay {
    pub(super) fn key(&self) -> Fingerprint {
        self.fresh().into()
    }

    pub(super) async fn claim(&self, node: usize, key: Fingerprint, now: UnixTime, hold: Hold) -> Answer<Claimed> {
        self.within(self.node(node).claim(&Claim::new(key, now, hold))).await
    }

    pub(super) async fn settle(&self, node: usize, key: Fingerprint, now: UnixTime, until: UnixTime) -> Answer<()> {
        self.within(self.node(node).settle(&Claim::new(key, now, Hold::Until(until)))).await
    }

    pub(super) async fn release(&self, node: usize, key: Fingerprint, lease: LeaseId) -> Answer<()> {
        self.within(self.node(node).release(key, lease)).await
    }

    /// Asks until `until` has passed, and a little longer with `until` as `now`, like a request that read its clock in
    /// time and then was slow.
    async fn stays(
        &self,
        promise: Promise,
        when: &str,
        key: Fingerprint,
        until: UnixTime,
        expected: Claimed,
    ) -> Result<(), Broken> {
        let end = until.plus(STRAGGLER);
        for node in 0.. {
            let seen = self.claim(node, key, now().min(until), Hold::Until(now().plus(LONG))).await;
            // A later answer shows a slow machine, not a broken store.
            if now() > end {
                break;
            }
            must(promise, when, &[expected], seen)?;
            yield_now().await;
        }
        Ok(())
    }

    /// Claims until the lease that is on the key is gone; `Leased` if it is still there at `limit`.
    pub(super) async fn wait_and_claim(&self, node: usize, key: Fingerprint, limit: UnixTime) -> Answer<Claimed> {
        loop {
            let now = now();
            let claimed = self.claim(node, key, now, Hold::Until(now.plus(LONG))).await?;
            if claimed != Leased || now > limit {
                return Ok(claimed);
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}

async fn answers(bench: Arc<Replay>) -> Result<(), Broken> {
    let (key, now) = (bench.key(), now());
    let seen = bench.claim(0, key, now, Hold::Until(now.plus(LONG))).await;
    must(Promise::Answers, "a claim of a new key", &[First], seen)?;
    let seen = bench.settle(0, key, now, now.plus(LONG)).await;
    answered(Promise::Answers, "settle", seen)?;
    let seen = bench.release(0, bench.key(), LeaseId::draw()).await;
    answered(Promise::Answers, "a release of an unknown key", seen)
}

async fn shared(bench: Arc<Replay>) -> Result<(), Broken> {
    for node in 0..bench.options.nodes {
        let (key, now) = (bench.key(), now());
        let seen = bench.claim(node, key, now, Hold::Until(now.plus(LONG))).await;
        must(Promise::Shared, "a new key", &[First], seen)?;
        let seen = bench.claim(node + 1, key, now, Hold::Until(now.plus(LONG))).await;
        must(Promise::Shared, "what another handle has claimed before", &[Spent], seen)?;
    }
    Ok(())
}

async fn remembers(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::Remembers;
    let (key, start) = (bench.key(), now());
    let until = start.plus(LONG);
    must(PROMISE, "a new key", &[First], bench.claim(0, key, start, Hold::Until(until)).await)?;
    let late = Hold::Until(until.plus(LONG));
    for (now, when) in [
        (start.minus(BEHIND), "what a clock that is a second ahead has claimed"),
        (start, "what was claimed a moment ago"),
        (start.plus(LONG / 2), "what is claimed again halfway through its hold"),
        (until.minus(Duration::from_nanos(1)), "what is claimed again a nanosecond before the end of its hold"),
        (until, "what is claimed again at the last instant of its hold"),
    ] {
        must(PROMISE, when, &[Spent], bench.claim(1, key, now, late).await)?;
    }
    let key = bench.key();
    must(PROMISE, "a new key", &[First], bench.claim(0, key, start, Hold::Until(until)).await)?;
    for hold in [Hold::Until(start), Hold::lease(start), Hold::Until(until)] {
        let (when, now) = ("what was claimed again with a shorter hold", hold.until());
        must(PROMISE, when, &[Spent], bench.claim(1, key, now, hold).await)?;
    }
    let (key, start) = (bench.key(), now());
    let until = start.plus(SHORT);
    must(PROMISE, "a new key", &[First], bench.claim(0, key, start, Hold::Until(until)).await)?;
    bench.stays(PROMISE, "a hold of 200 ms, up to its end and with that end as `now`", key, until, Spent).await
}

async fn lease_excludes(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::LeaseExcludes;
    let (key, start) = (bench.key(), now());
    let end = start.plus(LONG);
    let lease = Hold::lease(end);
    must(PROMISE, "a lease on a new key", &[First], bench.claim(0, key, start, lease).await)?;
    for hold in [lease, Hold::lease(end), Hold::lease(end.plus(LONG)), Hold::Until(end.plus(LONG))] {
        for now in [start.minus(BEHIND), start, end] {
            let seen = bench.claim(1, key, now, hold).await;
            must(
                PROMISE,
                "what another request has leased, before, at its first and at its last instant",
                &[Leased],
                seen,
            )?;
        }
    }
    let (key, start) = (bench.key(), now());
    let end = start.plus(SHORT);
    must(PROMISE, "a lease on a new key", &[First], bench.claim(0, key, start, Hold::lease(end)).await)?;
    bench.stays(PROMISE, "a lease of 200 ms, up to its end and with that end as `now`", key, end, Leased).await
}

async fn lease_ends(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::LeaseEnds;
    let (key, start) = (bench.key(), now());
    let end = start.plus(SHORT);
    let (hold, lease) = new_lease(end);
    must(PROMISE, "a lease on a new key", &[First], bench.claim(0, key, start, hold).await)?;
    let seen = bench.wait_and_claim(1, key, end.plus(bench.options.lease_margin)).await;
    let when = format!("a lease that ended {:?} ago (`lease_margin`)", bench.options.lease_margin);
    must(PROMISE, &when, &[First], seen)?;
    // The owner comes back late: the lease is no longer its own.
    answered(Promise::ReleaseSpares, "a late release", bench.release(0, key, lease).await)?;
    let seen = bench.claim(2, key, now(), Hold::Until(now().plus(LONG))).await;
    must(Promise::ReleaseSpares, "what was taken over from a lease, and then released by it", &[Spent], seen).map(drop)
}

async fn settle_spends(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::SettleSpends;
    let start = now();
    let (lease_end, until) = (start.plus(LONG), start.plus(2 * LONG));
    for (leased, ends, when) in [
        (true, vec![until], "a lease that was settled"),
        (true, vec![until, until.plus(LONG)], "a lease that was settled twice, the second time for longer"),
        (true, vec![until, until], "a lease that was settled twice"),
        (true, vec![UnixTime::MAX], "a lease that was settled for ever"),
        (false, vec![until], "an unknown key that was settled"),
    ] {
        let key = bench.key();
        if leased {
            let seen = bench.claim(0, key, start, Hold::lease(lease_end)).await;
            must(PROMISE, "a lease on a new key", &[First], seen)?;
        }
        let mut last = start;
        for until in ends {
            answered(PROMISE, when, bench.settle(1, key, start, until).await)?;
            last = until;
        }
        let after_the_lease = lease_end.plus(Duration::from_nanos(1));
        for now in [start, lease_end, after_the_lease, last.min(start.plus(1_000 * LONG))] {
            must(PROMISE, when, &[Spent], bench.claim(2, key, now, Hold::Until(until)).await)?;
        }
    }
    // In real time too: a database's expiry that was set for the lease must not take the entry away.
    let (key, start) = (bench.key(), now());
    let end = start.plus(SHORT);
    must(PROMISE, "a lease on a new key", &[First], bench.claim(0, key, start, Hold::lease(end)).await)?;
    answered(PROMISE, "settle", bench.settle(1, key, now(), start.plus(LONG)).await)?;
    let end = end.plus(STRAGGLER);
    bench.stays(PROMISE, "a lease of 200 ms that was settled for longer, after those", key, end, Spent).await
}

async fn release_frees(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::ReleaseFrees;
    let key = bench.key();
    // Any 64 bits may be an id.
    let ids = [LeaseId::draw(), LeaseId::draw(), 0.into(), (u64::MAX / 2 + 1).into(), u64::MAX.into()];
    for (node, lease) in ids.into_iter().enumerate() {
        let start = now();
        let hold = Hold::Lease { until: start.plus(LONG), id: lease };
        let seen = bench.claim(node, key, start, hold).await;
        must(PROMISE, "a key that is new, or was released", &[First], seen)?;
        answered(PROMISE, "release", bench.release(node + 1, key, lease).await)?;
        answered(PROMISE, "a second release", bench.release(node, key, lease).await)?;
    }
    let seen = bench.claim(0, key, now(), Hold::Until(now().plus(LONG))).await;
    must(PROMISE, "a key that was released", &[First], seen).map(drop)
}

async fn release_spares(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::ReleaseSpares;
    let start = now();
    let (end, later) = (start.plus(LONG), start.plus(2 * LONG));
    let (second, instant) = (Duration::from_secs(1), Duration::from_millis(1));
    let claimed = Hold::Until(end);
    let leased = Hold::lease(end);
    let numbered = |number: u64| Hold::Lease { until: end, id: number.into() };
    let cases = [
        (claimed, false, Hold::lease(end), Spent, "what is spent, after a release of a lease with the same end"),
        (claimed, false, Hold::lease(later), Spent, "what is spent, after a release of a lease with another end"),
        (leased, true, leased, Spent, "what was leased and settled, after a release of the lease"),
        (leased, true, Hold::lease(later), Spent, "what was settled, after a release of a lease with its end"),
        (leased, false, Hold::lease(end), Leased, "a lease, after a release of another one with the same end"),
        (leased, false, Hold::lease(end.minus(second)), Leased, "a lease, after a release of one that ends 1 s before"),
        (leased, false, Hold::lease(end.plus(second)), Leased, "a lease, after a release of one that ends 1 s later"),
        (
            leased,
            false,
            Hold::lease(end.minus(instant)),
            Leased,
            "a lease, after a release of one that ends 1 ms before",
        ),
        (leased, false, Hold::lease(end.plus(instant)), Leased, "a lease, after a release of one that ends 1 ms later"),
        (
            numbered(u64::MAX),
            false,
            numbered(u64::MAX - 1),
            Leased,
            "a lease, after a release of one with the id before",
        ),
        (numbered(1), false, numbered(1 << 32 | 1), Leased, "a lease, after a release of one whose id ends in its own"),
    ];
    // A refused duplicate releases its own lease, and so does one whose claim never arrived.
    for (case, asks) in cases.into_iter().flat_map(|case| [(case, false), (case, true)]) {
        let (held, settled, released, expected, when) = case;
        let Hold::Lease { id: lease, .. } = released else { continue };
        let key = bench.key();
        must(PROMISE, "a new key", &[First], bench.claim(0, key, start, held).await)?;
        if settled {
            answered(PROMISE, "settle", bench.settle(1, key, start, later).await)?;
            // Another case tests that it is spent now.
            if !matches!(bench.claim(0, key, start, leased).await, Ok(Spent)) {
                continue;
            }
        }
        if asks {
            // Its answer is another promise, with its own case.
            answered(PROMISE, "a claim of what is taken", bench.claim(1, key, start, released).await)?;
        }
        answered(PROMISE, "release", bench.release(2, key, lease).await)?;
        must(PROMISE, when, &[expected], bench.claim(0, key, start, Hold::Until(later)).await)?;
    }
    Ok(())
}

async fn any_instant(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::AnyInstant;
    let start = now();
    let year = Duration::from_secs(365 * 86_400);
    for past in [start.minus(Duration::from_nanos(1)), start.minus(year), UnixTime::from_secs(0), UnixTime::MIN] {
        let key = bench.key();
        // The store may remember it or not, but it must answer.
        let (lease, id) = new_lease(past);
        for hold in [Hold::Until(past), lease] {
            let what = format!("a claim with an end in the past, {hold:?},");
            answered(PROMISE, &what, bench.claim(0, key, start, hold).await)?;
        }
        answered(PROMISE, "a release of a past lease", bench.release(0, key, id).await)?;
        answered(PROMISE, "settle with an end in the past", bench.settle(0, key, start, past).await)?;
    }
    for end in [start.plus(100 * year), UnixTime::MAX.minus(Duration::from_nanos(1)), UnixTime::MAX] {
        let (claimed, settled, leased) = (bench.key(), bench.key(), bench.key());
        let when = format!("a hold until {end:?}");
        must(PROMISE, &when, &[First], bench.claim(0, claimed, start, Hold::Until(end)).await)?;
        for now in [now(), start.plus(99 * year)] {
            must(PROMISE, &when, &[Spent], bench.claim(1, claimed, now, Hold::Until(end)).await)?;
        }
        must(PROMISE, &when, &[First], bench.claim(0, settled, start, Hold::lease(start.plus(LONG))).await)?;
        answered(PROMISE, &when, bench.settle(0, settled, start, end).await)?;
        // Other cases test that settle, and release, do something.
        must(PROMISE, &when, &[Spent, Leased], bench.claim(1, settled, now(), Hold::Until(end)).await)?;
        let (hold, lease) = new_lease(end);
        must(PROMISE, &when, &[First], bench.claim(0, leased, start, hold).await)?;
        must(PROMISE, &when, &[Leased], bench.claim(1, leased, now(), Hold::lease(end)).await)?;
        answered(PROMISE, &when, bench.release(0, leased, lease).await)?;
    }
    Ok(())
}

async fn whole_key(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::WholeKey;
    let digest = bench.fresh();
    let hold = Hold::Until(now().plus(LONG));
    let neighbours = neighbours(digest);
    must(PROMISE, "a new key", &[First], bench.claim(0, digest.into(), now(), hold).await)?;
    for (expected, when) in [
        (First, "a new key that differs in one bit from one that is spent"),
        (Spent, "a key that was claimed, among others that differ in one bit"),
    ] {
        for (node, key) in neighbours.iter().enumerate() {
            must(PROMISE, when, &[expected], bench.claim(node, (*key).into(), now(), hold).await)?;
        }
    }
    Ok(())
}

/// The calls to a store whose database is gone.
pub(super) fn unreachable(store: Arc<dyn ReplayStore>, options: Options) -> Vec<Case> {
    vec![(Promise::FailsClosed, Box::pin(fails_closed(store, options)))]
}

async fn fails_closed(store: Arc<dyn ReplayStore>, options: Options) -> Result<(), Broken> {
    let bench = Replay::new(vec![store], options)?;
    let start = now();
    let end = start.plus(LONG);
    for hold in [Hold::Until(end), Hold::lease(end)] {
        must_fail("claim", bench.claim(0, bench.key(), start, hold).await)?;
    }
    must_fail("settle", bench.settle(0, bench.key(), start, end).await)?;
    must_fail("release", bench.release(0, bench.key(), LeaseId::draw()).await)
}
