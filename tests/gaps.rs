//! The suites find a gap between two locks within their default time. In a program of its own, as threads only meet in
//! the gap if nothing else keeps the processors busy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tower_sso::clock::UnixTime;
use tower_sso::replay::{Claim, Claimed, Fingerprint, Hold, LeaseId, ReplayStore};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::testing::{self, BrokenPromises, Promise};
use tower_sso::ticket::{NewTickets, TicketDigest, TicketStore};

/// A common mistake in memory stores: each call is correct by itself, but takes two locks in turn.
#[derive(Clone, Default)]
struct Replays(Arc<Mutex<HashMap<Fingerprint, Hold>>>);

impl ReplayStore for Replays {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let held = self.0.lock().unwrap().get(&claim.key).copied().filter(|held| claim.now <= held.until());
        StoreFuture::ready(Ok(match held {
            Some(Hold::Until(_)) => Claimed::Spent,
            Some(Hold::Lease { .. }) => Claimed::Leased,
            None => {
                self.0.lock().unwrap().insert(claim.key, claim.hold);
                Claimed::First
            }
        }))
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        self.0.lock().unwrap().insert(claim.key, claim.hold);
        StoreFuture::ready(Ok(()))
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        let mut map = self.0.lock().unwrap();
        if matches!(map.get(&key), Some(Hold::Lease { id, .. }) if *id == lease) {
            map.remove(&key);
        }
        StoreFuture::ready(Ok(()))
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        None
    }
}

/// Looks and removes under separate locks.
#[derive(Clone, Default)]
struct Tickets(Arc<Mutex<HashMap<TicketDigest, (Vec<u8>, UnixTime)>>>);

impl TicketStore for Tickets {
    fn put(&self, tickets: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        let mut map = self.0.lock().unwrap();
        for (digest, payload) in tickets.payloads() {
            map.entry(digest).or_insert((payload, tickets.until));
        }
        StoreFuture::ready(Ok(()))
    }

    fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        let held = self.0.lock().unwrap().get(&digest).cloned();
        StoreFuture::ready(Ok(held.filter(|(_, until)| now <= *until).map(|(payload, _)| payload)))
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        let held = self.0.lock().unwrap().get(&digest).cloned();
        self.0.lock().unwrap().remove(&digest);
        StoreFuture::ready(Ok(held.filter(|(_, until)| now <= *until).map(|(payload, _)| payload)))
    }
}

fn breaks(outcome: &Result<(), BrokenPromises>, promise: Promise) -> bool {
    outcome.as_ref().is_err_and(|broken| broken.promises().any(|broken| broken == promise))
}

/// One after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_gap_between_two_locks_is_found() {
    for run in 0..5 {
        let store = Replays::default();
        let outcome = testing::replay_store(async || store.clone()).entries(1).run().await;
        assert!(breaks(&outcome, Promise::OneWinner), "run {run}: {outcome:?}");
        let store = Tickets::default();
        let outcome = testing::ticket_store(async || store.clone()).entries(1).run().await;
        assert!(breaks(&outcome, Promise::OneTaker), "run {run}: {outcome:?}");
    }
}
