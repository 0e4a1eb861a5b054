//! Replay stores: ours keep the promises, and each broken promise is named.

mod odd;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use tokio::task::yield_now;
use tower_sso::clock::{Clock, SystemClock, UnixTime};
use tower_sso::replay::{Claim, Claimed, Fingerprint, Group, Hold, LeaseId, MemoryReplay, ReplayStore};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::testing::{self, BrokenPromises, Promise};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    AsksThenWrites,
    OverwritesDeadLeasesTwice,
    Evicts,
    ForgetsAtTheLastInstant,
    ExpiresByItsOwnClock,
    NeverEndsLeases,
    SettlesNothing,
    LeaseExpiryTakesSettled,
    ReleasesNothing,
    ReleasesAnything,
    ReleasesAnyLease,
    ComparesHalfTheKey,
    PanicsForEver,
    LosesConnections,
    /// `SET … GET` without `NX`: answers with what was there, and replaces it.
    LosersOverwriteSpent,
    /// Two leases that end in one second are the same to it.
    TellsLeasesBySecond,
    /// Two leases that end at one instant are the same to it.
    TellsLeasesByEnd,
    /// Ids that are one floating-point number are the same to it.
    RoundsLeaseIds,
    /// Ids that end in the same 32 bits are the same to it.
    HalvesLeaseIds,
    /// Ignores entries of a machine whose clock is ahead.
    MistrustsTheFuture,
    /// A credential that is settled after its lease has ended stays free.
    SettlesLeasesOnly,
    /// As if nobody else had another window.
    IgnoresWindows,
    /// Remembers the longest window, and keeps what is claimed for it, but not what is settled.
    SettlesForItsOwnWindow,
    /// Keeps entries for the longest window, but does not mind when that came.
    ReachesBack,
    /// One window for all groups.
    IgnoresGroups,
}

/// A correct store but for one flaw.
#[derive(Clone)]
struct Map {
    flaw: Flaw,
    entries: Arc<Mutex<HashMap<Fingerprint, Hold>>>,
    order: Arc<Mutex<VecDeque<Fingerprint>>>,
    claimed_at: Arc<Mutex<HashMap<Fingerprint, UnixTime>>>,
    connections: Arc<AtomicUsize>,
    windows: Arc<Mutex<HashMap<Group, Window>>>,
    /// When the leases end that it was ever asked for.
    ends: Arc<Mutex<HashMap<LeaseId, UnixTime>>>,
}

struct Window {
    first: Duration,
    longest: Duration,
    since: UnixTime,
}

impl Map {
    fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            entries: Arc::default(),
            order: Arc::default(),
            claimed_at: Arc::default(),
            connections: Arc::new(AtomicUsize::new(60)),
            windows: Arc::default(),
            ends: Arc::default(),
        }
    }

    fn key(&self, key: Fingerprint) -> Fingerprint {
        let mut bytes = *key.as_bytes();
        if self.flaw == Flaw::ComparesHalfTheKey {
            bytes[16..].fill(0);
        }
        bytes.into()
    }

    /// How long to keep it, or nothing if it may be forgotten.
    fn kept(&self, claim: &Claim) -> Option<Hold> {
        let terms = claim.terms;
        if self.flaw == Flaw::IgnoresWindows || terms.window.is_zero() {
            return Some(claim.hold);
        }
        let group = if self.flaw == Flaw::IgnoresGroups { Group::default() } else { terms.group };
        let mut windows = self.windows.lock().unwrap();
        let new = Window { first: terms.window, longest: terms.window, since: UnixTime::MIN };
        let window = windows.entry(group).or_insert(new);
        if terms.window > window.longest {
            (window.longest, window.since) = (terms.window, claim.now);
        }
        let is_old =
            terms.usable_since < window.since && terms.until.minus(terms.window).plus(window.first) < claim.now;
        if is_old && self.flaw != Flaw::ReachesBack {
            return None;
        }
        Some(match claim.hold {
            Hold::Until(until) => Hold::Until(until.plus(window.longest - terms.window)),
            lease @ Hold::Lease { .. } => lease,
        })
    }

    /// What a claim finds there.
    fn held(&self, entries: &HashMap<Fingerprint, Hold>, key: Fingerprint, now: UnixTime) -> Option<Claimed> {
        let held = *entries.get(&key)?;
        let live = match (self.flaw, held) {
            (Flaw::ForgetsAtTheLastInstant, Hold::Until(until)) => now < until,
            (Flaw::ExpiresByItsOwnClock, _) => SystemClock.now() <= held.until(),
            (Flaw::NeverEndsLeases, Hold::Lease { .. }) => true,
            (Flaw::MistrustsTheFuture, _) => {
                now <= held.until()
                    && self
                        .claimed_at
                        .lock()
                        .unwrap()
                        .get(&key)
                        .is_none_or(|at| at.minus(Duration::from_millis(500)) <= now)
            }
            _ => now <= held.until(),
        };
        live.then_some(match held {
            Hold::Until(_) => Claimed::Spent,
            Hold::Lease { .. } => Claimed::Leased,
        })
    }

    fn insert(&self, entries: &mut HashMap<Fingerprint, Hold>, key: Fingerprint, hold: Hold) {
        entries.insert(key, hold);
        if self.flaw == Flaw::Evicts {
            let mut order = self.order.lock().unwrap();
            order.push_back(key);
            if order.len() > 1_000 {
                entries.remove(&order.pop_front().unwrap());
            }
        }
    }

    /// A turn at the database, on one of its connections.
    async fn turn(&self) -> Result<(), StoreError> {
        if self.flaw == Flaw::LosesConnections {
            let take = |free: usize| free.checked_sub(1);
            let taken = self.connections.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
            taken.map_err(|_| StoreError::new("no connection is free"))?;
        }
        yield_now().await;
        if self.flaw == Flaw::LosesConnections {
            self.connections.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

impl ReplayStore for Map {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let now = claim.now;
        if let Hold::Lease { until, id } = claim.hold {
            self.ends.lock().unwrap().insert(id, until);
        }
        let Some(hold) = self.kept(claim) else { return StoreFuture::ready(Ok(Claimed::Forgotten)) };
        let (this, key) = (self.clone(), self.key(claim.key));
        assert!(this.flaw != Flaw::PanicsForEver || hold.until() != UnixTime::MAX, "for ever is too long");
        StoreFuture::new(async move {
            this.turn().await?;
            let (held, dead) = {
                let entries = this.entries.lock().unwrap();
                (this.held(&entries, key, now), entries.contains_key(&key))
            };
            if this.flaw == Flaw::AsksThenWrites || this.flaw == Flaw::OverwritesDeadLeasesTwice && dead {
                yield_now().await;
                if let Some(held) = held {
                    return Ok(held);
                }
                this.insert(&mut this.entries.lock().unwrap(), key, hold);
                return Ok(Claimed::First);
            }
            let mut entries = this.entries.lock().unwrap();
            if let Some(held) = this.held(&entries, key, now) {
                if this.flaw == Flaw::LosersOverwriteSpent && held == Claimed::Spent {
                    this.insert(&mut entries, key, hold);
                }
                return Ok(held);
            }
            this.insert(&mut entries, key, hold);
            if this.flaw == Flaw::MistrustsTheFuture {
                this.claimed_at.lock().unwrap().insert(key, now);
            }
            Ok(Claimed::First)
        })
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        let settled = match self.flaw {
            Flaw::SettlesForItsOwnWindow => claim.hold,
            _ => self.kept(claim).unwrap_or(claim.hold),
        };
        let (this, key) = (self.clone(), self.key(claim.key));
        StoreFuture::new(async move {
            this.turn().await?;
            let mut entries = this.entries.lock().unwrap();
            let hold = match (this.flaw, entries.get(&key)) {
                (Flaw::SettlesNothing, _) | (Flaw::SettlesLeasesOnly, None) => return Ok(()),
                (Flaw::LeaseExpiryTakesSettled, Some(held)) => Hold::Until(held.until()),
                _ => settled,
            };
            this.insert(&mut entries, key, hold);
            Ok(())
        })
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        let (this, key) = (self.clone(), self.key(key));
        StoreFuture::new(async move {
            this.turn().await?;
            let mut entries = this.entries.lock().unwrap();
            let end = this.ends.lock().unwrap().get(&lease).copied();
            let second = |end: UnixTime| end.as_nanos() / 1_000_000_000;
            let frees = match (this.flaw, entries.get(&key).copied()) {
                (Flaw::ReleasesNothing, _) => false,
                (Flaw::ReleasesAnything, _) => true,
                (_, None | Some(Hold::Until(_))) => false,
                (Flaw::ReleasesAnyLease, Some(Hold::Lease { .. })) => true,
                (Flaw::TellsLeasesBySecond, Some(Hold::Lease { until, .. })) => end.map(second) == Some(second(until)),
                (Flaw::TellsLeasesByEnd, Some(Hold::Lease { until, .. })) => end == Some(until),
                (Flaw::RoundsLeaseIds, Some(Hold::Lease { id, .. })) => id.as_u64() as f64 == lease.as_u64() as f64,
                (Flaw::HalvesLeaseIds, Some(Hold::Lease { id, .. })) => id.as_u64() as u32 == lease.as_u64() as u32,
                (_, Some(Hold::Lease { id, .. })) => id == lease,
            };
            if frees {
                entries.remove(&key);
            }
            Ok(())
        })
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}

async fn outcome(flaw: Flaw) -> Result<(), BrokenPromises> {
    let store = Map::new(flaw);
    let suite = testing::replay_store(async || store.clone()).entries(2_500).patience(Duration::from_secs(60));
    let suite = suite.race(Duration::ZERO);
    // A lease that ends late must not be waited for as long as by default.
    suite.lease_margin(Duration::from_secs(2)).run().await
}

fn promises(outcome: &Result<(), BrokenPromises>) -> Vec<Promise> {
    outcome.as_ref().err().map_or(Vec::new(), |broken| broken.promises().collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_memory_keeps_its_promises() {
    let shared = MemoryReplay::new();
    testing::replay_store(async || shared.clone()).run().await.unwrap();
}

/// The ceiling is reached, and nothing is evicted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_says_it_is_full_breaks_no_promise() {
    let shared = MemoryReplay::builder().ceiling(3_000).build();
    testing::replay_store(async || shared.clone()).entries(5_000).run().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_flaw_is_found_by_name() {
    use Flaw::*;
    let flaws: Vec<(Flaw, &[Promise])> = vec![
        (None, &[]),
        (AsksThenWrites, &[Promise::OneWinner]),
        (OverwritesDeadLeasesTwice, &[Promise::OneWinner]),
        (Evicts, &[Promise::NoEviction]),
        (ForgetsAtTheLastInstant, &[Promise::Remembers, Promise::SettleSpends]),
        (ExpiresByItsOwnClock, &[Promise::Remembers, Promise::LeaseExcludes]),
        (NeverEndsLeases, &[Promise::LeaseEnds]),
        (SettlesNothing, &[Promise::SettleSpends]),
        // It forgets what it settled when the lease ends, so for a longer window too.
        (LeaseExpiryTakesSettled, &[Promise::LongestWindow, Promise::SettleSpends]),
        (ReleasesAnything, &[Promise::ReleaseSpares]),
        (ReleasesAnyLease, &[Promise::ReleaseSpares]),
        (ComparesHalfTheKey, &[Promise::WholeKey]),
        (PanicsForEver, &[Promise::AnyInstant]),
        (LosersOverwriteSpent, &[Promise::Remembers, Promise::SettleSpends, Promise::ReleaseSpares]),
        (TellsLeasesBySecond, &[Promise::ReleaseSpares]),
        (TellsLeasesByEnd, &[Promise::ReleaseSpares]),
        (RoundsLeaseIds, &[Promise::ReleaseSpares]),
        (HalvesLeaseIds, &[Promise::ReleaseSpares]),
        (MistrustsTheFuture, &[Promise::Remembers, Promise::LeaseExcludes]),
        (SettlesLeasesOnly, &[Promise::SettleSpends]),
        (IgnoresWindows, &[Promise::LongestWindow, Promise::NoReachBack]),
        (SettlesForItsOwnWindow, &[Promise::LongestWindow]),
        (ReachesBack, &[Promise::NoReachBack]),
        (IgnoresGroups, &[Promise::NoReachBack]),
        // Later calls find no connection.
        (LosesConnections, &[Promise::Cancellation, Promise::NoEviction]),
    ];
    let outcomes = join_all(flaws.iter().map(|(flaw, _)| outcome(*flaw))).await;
    for ((flaw, expected), outcome) in flaws.iter().zip(&outcomes) {
        assert_eq!(promises(outcome), *expected, "{flaw:?}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_release_that_does_nothing_is_found_by_name() {
    let store = Map::new(Flaw::ReleasesNothing);
    let suite = testing::replay_store(async || store.clone()).entries(1).patience(Duration::from_secs(2));
    assert_eq!(promises(&suite.run().await), [Promise::ReleaseFrees]);
}

/// A store that has lost its database: what it answers then.
struct Down(fn() -> StoreFuture<Result<Claimed, StoreError>>);

impl ReplayStore for Down {
    fn claim(&self, _: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        (self.0)()
    }

    fn settle(&self, _: &Claim) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Err(StoreError::new("connection refused")))
    }

    fn release(&self, _: Fingerprint, _: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Err(StoreError::new("connection refused")))
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}
