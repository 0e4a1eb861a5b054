use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use tokio::task::yield_now;
use tower_sso::clock::{Clock, SystemClock, UnixTime};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::testing::{self, BrokenPromises, Promise};
use tower_sso::ticket::{MemoryTickets, NewTickets, TicketDigest, TicketStore};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    ReadsThenDeletes,
    KeepsWhatIsTaken,
    Evicts,
    EndsBeforeTheLastInstant,
    ExpiresByItsOwnClock,
    NeverEnds,
    ReplacesTheFirst,
    StoresText,
    ComparesHalfTheDigest,
    HasOneCeilingForAll,
    TakesWhatIsLookedAt,
    ShowsWhatHasEnded,
}

/// A correct store but for one flaw.
#[derive(Clone)]
struct Map(Flaw, Arc<Mutex<HashMap<TicketDigest, (Vec<u8>, UnixTime)>>>);

impl Map {
    fn digest(&self, digest: TicketDigest) -> TicketDigest {
        let mut bytes = *digest.as_bytes();
        if self.0 == Flaw::ComparesHalfTheDigest {
            bytes[..16].fill(0);
        }
        bytes.into()
    }
}

impl TicketStore for Map {
    fn put(&self, tickets: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        let this = self.clone();
        StoreFuture::new(async move {
            yield_now().await;
            let mut map = this.1.lock().unwrap();
            if this.0 == Flaw::Evicts && map.len() >= 500 {
                map.clear();
            }
            if this.0 == Flaw::HasOneCeilingForAll && map.len() >= 500 {
                return Err(StoreError::full());
            }
            for (digest, mut payload) in tickets.payloads() {
                if this.0 == Flaw::StoresText {
                    payload = String::from_utf8_lossy(&payload).into_owned().into_bytes();
                }
                let new = (payload, tickets.until);
                match map.entry(this.digest(digest)) {
                    Entry::Occupied(mut held) if this.0 == Flaw::ReplacesTheFirst => _ = held.insert(new),
                    Entry::Occupied(_) => return Err(StoreError::new("it is there already")),
                    Entry::Vacant(free) => _ = free.insert(new),
                }
            }
            Ok(())
        })
    }

    fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        let (this, digest) = (self.clone(), self.digest(digest));
        StoreFuture::new(async move {
            yield_now().await;
            let mut map = this.1.lock().unwrap();
            let held = match this.0 {
                Flaw::TakesWhatIsLookedAt => map.remove(&digest),
                _ => map.get(&digest).cloned(),
            };
            let shown = held.filter(|(_, until)| now <= *until || this.0 == Flaw::ShowsWhatHasEnded);
            Ok(shown.map(|(payload, _)| payload))
        })
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        let (this, digest) = (self.clone(), self.digest(digest));
        StoreFuture::new(async move {
            yield_now().await;
            let taken = match this.0 {
                Flaw::ReadsThenDeletes | Flaw::KeepsWhatIsTaken => {
                    let read = this.1.lock().unwrap().get(&digest).cloned();
                    yield_now().await;
                    if this.0 == Flaw::ReadsThenDeletes {
                        this.1.lock().unwrap().remove(&digest);
                    }
                    read
                }
                _ => this.1.lock().unwrap().remove(&digest),
            };
            let live = |until: UnixTime| match this.0 {
                Flaw::EndsBeforeTheLastInstant => now < until,
                Flaw::ExpiresByItsOwnClock => now <= until && SystemClock.now() <= until,
                Flaw::NeverEnds => true,
                _ => now <= until,
            };
            Ok(taken.filter(|(_, until)| live(*until)).map(|(payload, _)| payload))
        })
    }
}

fn promises(outcome: &Result<(), BrokenPromises>) -> Vec<Promise> {
    outcome.as_ref().err().map_or(Vec::new(), |broken| broken.promises().collect())
}

async fn outcome(flaw: Flaw) -> Result<(), BrokenPromises> {
    let store = Map(flaw, Arc::default());
    let suite = testing::ticket_store(async || store.clone()).entries(2_500).patience(Duration::from_secs(60));
    suite.race(Duration::ZERO).run().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_memory_keeps_its_promises() {
    let shared = MemoryTickets::new();
    testing::ticket_store(async || shared.clone()).run().await.unwrap();
}

/// The ceiling is reached, and nothing is evicted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_says_it_is_full_breaks_no_promise() {
    let shared = MemoryTickets::builder().ceiling(1_000).build();
    testing::ticket_store(async || shared.clone()).entries(5_000).run().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_flaw_is_found_by_name() {
    use Flaw::*;
    let flaws: Vec<(Flaw, &[Promise])> = vec![
        (None, &[]),
        (ReadsThenDeletes, &[Promise::OneTaker]),
        (Evicts, &[Promise::NoEviction]),
        (EndsBeforeTheLastInstant, &[Promise::TicketHolds]),
        (ExpiresByItsOwnClock, &[Promise::TicketHolds]),
        (NeverEnds, &[Promise::TicketEnds]),
        (ReplacesTheFirst, &[Promise::FirstPut]),
        (StoresText, &[Promise::Payload]),
        (ComparesHalfTheDigest, &[Promise::WholeKey]),
        (HasOneCeilingForAll, &[Promise::TenantsApart]),
        (TakesWhatIsLookedAt, &[Promise::LookLeaves]),
        (ShowsWhatHasEnded, &[Promise::LookLeaves]),
    ];
    let outcomes = join_all(flaws.iter().map(|(flaw, _)| outcome(*flaw))).await;
    for ((flaw, expected), outcome) in flaws.iter().zip(&outcomes) {
        assert_eq!(promises(outcome), *expected, "{flaw:?}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_keeps_what_is_taken_breaks_several() {
    let broken = promises(&outcome(Flaw::KeepsWhatIsTaken).await);
    for promise in [Promise::OneTaker, Promise::Payload] {
        assert!(broken.contains(&promise), "{promise}: {broken:?}");
    }
}

/// A store that has lost its database and answers that there is no ticket.
struct Open;

impl TicketStore for Open {
    fn put(&self, _: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Err(StoreError::new("connection refused")))
    }

    fn look(&self, _: TicketDigest, _: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        StoreFuture::ready(Ok(None))
    }

    fn take(&self, _: TicketDigest, _: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        StoreFuture::ready(Ok(None))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_its_database_must_say_so() {
    let shared = MemoryTickets::new();
    let outcome = testing::ticket_store(async || shared.clone()).entries(1).unreachable(Open).run().await;
    assert_eq!(promises(&outcome), [Promise::FailsClosed], "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_on_several_stores_are_noticed() {
    let outcome = testing::ticket_store(async || MemoryTickets::new()).run().await;
    assert_eq!(promises(&outcome), [Promise::Shared]);
}
