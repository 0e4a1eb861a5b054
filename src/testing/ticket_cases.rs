//! The cases for ticket stores.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;

use super::bench::{
    Answer, Bench, Case, Failure, LONG, Options, STRAGGLER, Tally, answered, at_once, dropped_after, must, must_fail,
    neighbours, now, numbered,
};
use super::promise::{Broken, Promise};
use super::race::{self, CALLS, THREADS, side_by_side};
use super::ticket_shares as shares;
use crate::clock::UnixTime;
use crate::ticket::{NewTickets, TicketDigest, TicketStore};

pub(super) type Tickets = Bench<dyn TicketStore>;

/// The result of a take, without the payload, which is useless in a report.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    Payload,
    AnotherPayload,
    Nothing,
}

use Taken::{Nothing, Payload};

/// The preconditions of all other cases.
pub(super) fn first(bench: &Arc<Tickets>) -> Vec<Case> {
    vec![
        (Promise::Answers, Box::pin(answers(Arc::clone(bench)))),
        (Promise::Shared, Box::pin(shared(Arc::clone(bench)))),
    ]
}

pub(super) fn all(bench: &Arc<Tickets>) -> Vec<Case> {
    let bench = || Arc::clone(bench);
    vec![
        (Promise::OneTaker, Box::pin(one_taker(bench()))),
        (Promise::OneTaker, Box::pin(one_taker_of_a_race(bench()))),
        (Promise::Payload, Box::pin(payload(bench()))),
        (Promise::TicketHolds, Box::pin(ticket_holds(bench()))),
        (Promise::TicketEnds, Box::pin(ticket_ends(bench()))),
        (Promise::LookLeaves, Box::pin(shares::look_leaves(bench()))),
        (Promise::FirstPut, Box::pin(first_put(bench()))),
        (Promise::Payload, Box::pin(shares::siblings(bench()))),
        (Promise::FirstPut, Box::pin(shares::first_put(bench()))),
        (Promise::AnyInstant, Box::pin(any_instant(bench()))),
        (Promise::WholeKey, Box::pin(whole_key(bench()))),
        (Promise::Cancellation, Box::pin(cancellation(bench()))),
        // Last, as it may leave the store full.
        (Promise::NoEviction, Box::pin(no_eviction(bench()))),
    ]
}

/// A payload that differs from ticket to ticket, for cases in which its content does not matter.
pub(super) fn payload_of(digest: TicketDigest) -> Vec<u8> {
    digest.to_string().into_bytes()
}

fn one(digest: TicketDigest, payload: Vec<u8>, until: UnixTime) -> NewTickets {
    NewTickets::new("tenant".into(), now(), until).with(digest, payload)
}

impl Tickets {
    pub(super) fn digest(&self) -> TicketDigest {
        self.fresh().into()
    }

    pub(super) async fn put(&self, node: usize, digest: TicketDigest, payload: Vec<u8>, until: UnixTime) -> Answer<()> {
        self.within(self.node(node).put(one(digest, payload, until))).await
    }

    pub(super) async fn take(&self, node: usize, digest: TicketDigest, now: UnixTime) -> Answer<Taken> {
        self.take_payload(node, digest, now, &payload_of(digest)).await
    }

    pub(super) async fn look(&self, node: usize, digest: TicketDigest, now: UnixTime) -> Answer<Taken> {
        let seen = self.within(self.node(node).look(digest, now)).await?;
        Ok(seen.map_or(Nothing, |seen| if seen == payload_of(digest) { Payload } else { Taken::AnotherPayload }))
    }

    pub(super) async fn take_payload(
        &self,
        node: usize,
        digest: TicketDigest,
        now: UnixTime,
        payload: &[u8],
    ) -> Answer<Taken> {
        let taken = self.within(self.node(node).take(digest, now)).await?;
        Ok(taken.map_or(Nothing, |taken| if taken == payload { Payload } else { Taken::AnotherPayload }))
    }
}

async fn answers(bench: Arc<Tickets>) -> Result<(), Broken> {
    let digest = bench.digest();
    answered(Promise::Answers, "put", bench.put(0, digest, payload_of(digest), now().plus(LONG)).await)?;
    let seen = bench.take(0, digest, now()).await;
    must(Promise::Answers, "a ticket that was put", &[Payload], seen).map(drop)
}

async fn shared(bench: Arc<Tickets>) -> Result<(), Broken> {
    for node in 0..bench.options.nodes {
        let digest = bench.digest();
        let put = bench.put(node, digest, payload_of(digest), now().plus(LONG)).await;
        answered(Promise::Shared, "put", put)?;
        let seen = bench.take(node + 1, digest, now()).await;
        must(Promise::Shared, "a ticket that another handle has put", &[Payload], seen)?;
    }
    Ok(())
}

async fn one_taker(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::OneTaker;
    for round in 0..bench.options.rounds {
        let digest = bench.digest();
        answered(PROMISE, "put", bench.put(round, digest, payload_of(digest), now().plus(LONG)).await)?;
        let answers = at_once((0..bench.crowd()).map(|caller| {
            let bench = Arc::clone(&bench);
            async move { bench.take(round + caller, digest, now()).await }
        }));
        let tally = Tally::of(&answers.await);
        let others = bench.crowd() - 1;
        if tally.count("Payload") != 1 || tally.count("Nothing") != others {
            let expected = format!("1 × Payload, {others} × Nothing for callers with one ticket at once");
            return Err(Broken::new(PROMISE, expected, tally));
        }
    }
    Ok(())
}

/// Threads that race through the same tickets.
async fn one_taker_of_a_race(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::OneTaker;
    race::race(PROMISE, bench.options.race, move |handle, round| {
        let digests: Vec<_> = (0..CALLS).map(|_| bench.digest()).collect();
        for digest in &digests {
            let put = bench.put(round, *digest, payload_of(*digest), now().plus(LONG));
            answered(PROMISE, "put", handle.block_on(put))?;
        }
        let start = now();
        let take = async |caller: usize, number: usize| match digests.get(number) {
            Some(digest) => bench.take(caller, *digest, start).await,
            None => Ok(Nothing),
        };
        let answers = side_by_side(handle, take);
        answers.iter().try_for_each(|answers| {
            let (tally, others) = (Tally::of(answers), THREADS - 1);
            if tally.count("Payload") == 1 && tally.count("Nothing") == others {
                return Ok(());
            }
            let expected = format!("1 × Payload, {others} × Nothing for threads that take one ticket at once");
            Err(Broken::new(PROMISE, expected, tally))
        })
    })
    .await
}

async fn payload(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::Payload;
    must(PROMISE, "what was never put", &[Nothing], bench.take(0, bench.digest(), now()).await)?;
    // Each digest is 32 random bytes.
    let random: Vec<u8> = (0..2_048).flat_map(|_| bench.fresh()).collect();
    for (bytes, what) in [
        (Vec::new(), "an empty payload"),
        (vec![0], "one byte of zero"),
        ((0..=u8::MAX).collect(), "all bytes there are"),
        (b"'; \"\\\r\n\t%s$1\xff\xfe".to_vec(), "quotes, escapes, line ends, and bytes that are no UTF-8"),
        (random, "64 KiB of random bytes"),
    ] {
        let digest = bench.digest();
        answered(PROMISE, what, bench.put(0, digest, bytes.clone(), now().plus(LONG)).await)?;
        must(PROMISE, what, &[Payload], bench.take_payload(1, digest, now(), &bytes).await)?;
        let seen = bench.take_payload(2, digest, now(), &bytes).await;
        must(PROMISE, "what was taken before", &[Nothing], seen)?;
    }
    // Several at once, with shared claims.
    let mut new = NewTickets::new("tenant".into(), now(), now().plus(LONG));
    new.shared = b"shared\0".to_vec();
    new.tickets = (0..5).map(|n| (bench.digest(), vec![b'x'; n])).collect();
    answered(PROMISE, "a put of five tickets", bench.within(bench.node(0).put(new.clone())).await)?;
    for (node, (digest, payload)) in new.payloads().enumerate() {
        let seen = bench.take_payload(node, digest, now(), &payload).await;
        must(PROMISE, "one of five tickets that begin alike", &[Payload], seen)?;
        let seen = bench.take_payload(node, digest, now(), &payload).await;
        must(PROMISE, "the same once more", &[Nothing], seen)?;
    }
    Ok(())
}

async fn ticket_holds(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::TicketHolds;
    let start = now();
    let until = start.plus(LONG);
    for (now, when) in [
        (start, "a ticket that was just put"),
        (until.minus(Duration::from_nanos(1)), "a ticket, a nanosecond before its end"),
        (until, "a ticket, at its last instant"),
    ] {
        let digest = bench.digest();
        answered(PROMISE, "put", bench.put(0, digest, payload_of(digest), until).await)?;
        must(PROMISE, when, &[Payload], bench.take(1, digest, now).await)?;
    }
    // In real time too, and a little after the end with the end as `now`, like a request that was slow.
    let until = now().plus(Duration::from_millis(300));
    let mut digests = Vec::new();
    for node in 0..20 {
        let digest = bench.digest();
        answered(PROMISE, "put", bench.put(node, digest, payload_of(digest), until).await)?;
        digests.push(digest);
    }
    let mut turn = now();
    for (node, digest) in digests.into_iter().enumerate() {
        // Half of them before the time is over, the others right after.
        while now() < turn.min(until) {
            yield_now().await;
        }
        turn = turn.plus(Duration::from_millis(30));
        let seen = bench.take(node, digest, now().min(until)).await;
        // A later answer shows a slow machine, not a broken store.
        if now() > until.plus(STRAGGLER) {
            break;
        }
        must(PROMISE, "a ticket for 300 ms, up to its end and with that end as `now`", &[Payload], seen)?;
    }
    Ok(())
}

async fn ticket_ends(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::TicketEnds;
    let until = now().plus(LONG);
    for (late, when) in [
        // A store may count in milliseconds, rounded up.
        (Duration::from_millis(2), "a ticket that ended 2 ms before"),
        (Duration::from_secs(1), "a ticket that ended a second before"),
        (LONG, "a ticket that ended long before"),
    ] {
        let digest = bench.digest();
        answered(PROMISE, "put", bench.put(0, digest, payload_of(digest), until).await)?;
        must(PROMISE, when, &[Nothing], bench.take(1, digest, until.plus(late)).await)?;
    }
    Ok(())
}

async fn first_put(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::FirstPut;
    let digest = bench.digest();
    answered(PROMISE, "put", bench.put(0, digest, payload_of(digest), now().plus(LONG)).await)?;
    // For another identity, and for longer. The store may fail or ignore it.
    let second = bench.put(1, digest, b"another".to_vec(), now().plus(2 * LONG)).await;
    if let Err(failure @ (Failure::Silent(_) | Failure::Panicked)) = second {
        return Err(Broken::new(PROMISE, "an answer to a second put of one digest", failure));
    }
    let when = "a ticket whose digest was put a second time, with another payload";
    must(PROMISE, when, &[Payload], bench.take(2, digest, now()).await)?;
    must(PROMISE, "the same once more", &[Nothing], bench.take(0, digest, now()).await).map(drop)
}

async fn any_instant(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::AnyInstant;
    let year = Duration::from_secs(365 * 86_400);
    for past in [now().minus(Duration::from_millis(2)), now().minus(year), UnixTime::from_secs(0), UnixTime::MIN] {
        let digest = bench.digest();
        let when = format!("a ticket with an end in the past, {past:?}");
        answered(PROMISE, &when, bench.put(0, digest, payload_of(digest), past).await)?;
        // Another case tests that tickets end.
        must(PROMISE, &when, &[Nothing, Payload], bench.take(1, digest, now()).await)?;
    }
    for end in [now().plus(100 * year), UnixTime::MAX.minus(Duration::from_nanos(1)), UnixTime::MAX] {
        let digest = bench.digest();
        let when = format!("a ticket until {end:?}");
        answered(PROMISE, &when, bench.put(0, digest, payload_of(digest), end).await)?;
        must(PROMISE, &when, &[Payload], bench.take(1, digest, now().plus(99 * year)).await)?;
    }
    Ok(())
}

async fn whole_key(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::WholeKey;
    let digest = bench.fresh();
    let put = bench.put(0, digest.into(), payload_of(digest.into()), now().plus(LONG)).await;
    answered(PROMISE, "put", put)?;
    for (node, neighbour) in neighbours(digest).into_iter().enumerate() {
        let seen = bench.take(node, neighbour.into(), now()).await;
        must(PROMISE, "a digest that differs in one bit from one that was put", &[Nothing], seen)?;
    }
    must(PROMISE, "the ticket that was put", &[Payload], bench.take(0, digest.into(), now()).await).map(drop)
}

/// More than a pool has connections, so that losing one each time shows.
async fn cancellation(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::Cancellation;
    for round in 0..bench.options.rounds {
        let digest = bench.digest();
        let until = now().plus(LONG);
        let put = bench.node(round).put(one(digest, payload_of(digest), until));
        let done = matches!(dropped_after(round % 5, put).await, Some(Ok(())));
        let legal: &[Taken] = if done { &[Payload] } else { &[Payload, Nothing] };
        let seen = bench.take(round + 1, digest, now()).await;
        must(PROMISE, "a ticket whose put was dropped halfway", legal, seen)?;

        let digest = bench.digest();
        answered(PROMISE, "put", bench.put(round, digest, payload_of(digest), until).await)?;
        let taken = dropped_after(round % 5, bench.node(round).take(digest, now())).await;
        let legal: &[Taken] = if matches!(taken, Some(Ok(Some(_)))) { &[Nothing] } else { &[Payload, Nothing] };
        let seen = bench.take(round + 1, digest, now()).await;
        must(PROMISE, "a ticket whose take was dropped halfway", legal, seen)?;
        must(PROMISE, "the same once more", &[Nothing], bench.take(round, digest, now()).await)?;
    }
    Ok(())
}

async fn no_eviction(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::NoEviction;
    let (start, crowd, entries) = (now(), bench.crowd(), bench.options.entries);
    let seed = bench.fresh();
    let fill = at_once((0..crowd).map(|caller| {
        let bench = Arc::clone(&bench);
        async move {
            let (mut kept, mut full) = (Vec::new(), false);
            for number in (caller..entries).step_by(crowd) {
                let digest = numbered(seed, number).into();
                match bench.put(caller, digest, payload_of(digest), start.plus(LONG)).await {
                    Ok(()) => kept.push(digest),
                    Err(failure) if failure.is_full() => full = true,
                    Err(failure) => return Err(failure),
                }
            }
            Ok((kept, full))
        }
    }));
    let mut kept: Vec<TicketDigest> = Vec::new();
    let mut full = false;
    for part in fill.await {
        let (some, refused) = answered(PROMISE, "put, or an error that says full: it", part)?;
        kept.extend(some);
        full |= refused;
    }
    if full {
        shares::room_for_another(&bench).await?;
    }
    let kept = Arc::new(kept);
    let lost = at_once((0..crowd).map(|caller| {
        let (bench, kept) = (Arc::clone(&bench), Arc::clone(&kept));
        async move {
            let mut lost = 0;
            for digest in kept.iter().skip(caller).step_by(crowd) {
                lost += usize::from(bench.take(caller + 1, *digest, start).await? != Payload);
            }
            Ok(lost)
        }
    }));
    let mut count = 0;
    for part in lost.await {
        count += answered(PROMISE, "taking what the store holds", part)?;
    }
    let expected = format!("all {} tickets that the store took are there", kept.len());
    match (count, kept.len()) {
        (_, 0) => Err(Broken::new(PROMISE, format_args!("room for some of {entries} tickets"), "it was full at once")),
        (0, _) => Ok(()),
        (lost, _) => Err(Broken::new(PROMISE, expected, format_args!("{lost} of them are gone"))),
    }
}

/// The calls to a store whose database is gone.
pub(super) fn unreachable(store: Arc<dyn TicketStore>, options: Options) -> Vec<Case> {
    vec![(Promise::FailsClosed, Box::pin(fails_closed(store, options)))]
}

async fn fails_closed(store: Arc<dyn TicketStore>, options: Options) -> Result<(), Broken> {
    let bench = Tickets::new(vec![store], options)?;
    let digest = bench.digest();
    must_fail("put", bench.put(0, digest, payload_of(digest), now().plus(LONG)).await)?;
    must_fail("look", bench.look(0, digest, now()).await)?;
    must_fail("take", bench.take(0, digest, now()).await)
}
