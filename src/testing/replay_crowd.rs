//! The cases with many concurrent calls or many entries.

use std::sync::Arc;

use super::bench::{Answer, LONG, Tally, answered, at_once, dropped_after, must, now, numbered};
use super::promise::{Broken, Promise};
use super::race::{self, CALLS, side_by_side};
use super::replay_cases::{Replay, SHORT, new_lease};
use crate::replay::Claimed::{self, First, Leased, Spent};
use crate::replay::{Claim, Fingerprint, Hold};

/// Exactly one `First`, and for everyone else `others`.
fn one_first(when: &str, answers: &[Answer<Claimed>], others: Claimed) -> Result<(), Broken> {
    let tally = Tally::of(answers);
    let losers = tally.count(&format!("{others:?}"));
    if tally.count("First") == 1 && losers + 1 == answers.len() {
        return Ok(());
    }
    let expected = format_args!("1 × First, {} × {others:?} for {when}", answers.len() - 1).to_string();
    Err(Broken::new(Promise::OneWinner, expected, tally))
}

/// Another case tests that a lease ends.
fn nobody_inherits(answers: &[Answer<Claimed>]) -> bool {
    answers.iter().all(|answer| matches!(answer, Ok(Leased)))
}

pub(super) async fn one_winner(bench: Arc<Replay>) -> Result<(), Broken> {
    for round in 0..bench.options.rounds {
        let (key, now) = (bench.key(), now());
        let (hold, others) = match round % 2 {
            0 => (Hold::Until(now.plus(LONG)), Spent),
            _ => (Hold::lease(now.plus(LONG)), Leased),
        };
        let answers = at_once((0..bench.crowd()).map(|caller| {
            let bench = Arc::clone(&bench);
            async move { bench.claim(round + caller, key, now, hold).await }
        }));
        one_first(&format!("callers with one key at once, {hold:?}"), &answers.await, others)?;
    }
    Ok(())
}

pub(super) async fn one_heir_of_a_released_lease(bench: Arc<Replay>) -> Result<(), Broken> {
    for round in 0..bench.options.rounds.div_ceil(10) {
        let (key, (hold, lease)) = (bench.key(), new_lease(now().plus(LONG)));
        let seen = bench.claim(round, key, now(), hold).await;
        must(Promise::OneWinner, "a lease on a new key", &[First], seen)?;
        let limit = now().plus(bench.options.patience);
        let heirs = (0..bench.crowd()).map(|caller| {
            let bench = Arc::clone(&bench);
            async move {
                // One of them frees the key on the way.
                if caller == 1 {
                    bench.release(round + 1, key, lease).await?;
                }
                bench.wait_and_claim(round + caller, key, limit).await
            }
        });
        let answers = at_once(heirs).await;
        if nobody_inherits(&answers) {
            break;
        }
        one_first("callers that wait for a lease which is released", &answers, Spent)?;
    }
    Ok(())
}

pub(super) async fn one_heir_of_a_dead_lease(bench: Arc<Replay>) -> Result<(), Broken> {
    let keys: Vec<_> = (0..bench.options.rounds.div_ceil(10)).map(|_| bench.key()).collect();
    let end = now().plus(SHORT);
    for (number, key) in keys.iter().enumerate() {
        let seen = bench.claim(number, *key, now().min(end), Hold::lease(end)).await;
        must(Promise::OneWinner, "a lease on a new key", &[First], seen)?;
    }
    let limit = end.plus(bench.options.lease_margin);
    for key in keys {
        let heirs = (0..bench.crowd()).map(|caller| {
            let bench = Arc::clone(&bench);
            async move { bench.wait_and_claim(caller, key, limit).await }
        });
        let answers = at_once(heirs).await;
        if nobody_inherits(&answers) {
            break;
        }
        one_first("callers that wait for a lease to run out", &answers, Spent)?;
    }
    Ok(())
}

/// Threads that race through the same keys: new ones, and some whose lease has run out.
pub(super) async fn one_winner_of_a_race(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::OneWinner;
    race::race(PROMISE, bench.options.race, move |handle, round| {
        let keys: Vec<_> = (0..CALLS).map(|_| bench.key()).collect();
        let start = now();
        // Long ago, as a store may keep a lease for longer than asked.
        let (then, dead) = (start.minus(2 * LONG), Hold::lease(start.minus(LONG)));
        for key in keys.iter().step_by(4) {
            answered(PROMISE, "a lease on a new key", handle.block_on(bench.claim(round, *key, then, dead)))?;
        }
        // Few lasting entries, as there may be a ceiling. Leases can be released.
        let (leased, lease) = new_lease(start.plus(LONG));
        let (hold, others) = match round {
            0..4 => (Hold::Until(start.plus(LONG)), Spent),
            _ => (leased, Leased),
        };
        let claim = async |caller: usize, number: usize| match keys.get(number) {
            Some(key) => bench.claim(caller, *key, start, hold).await,
            None => Ok(others),
        };
        let answers = side_by_side(handle, claim);
        answers.iter().enumerate().try_for_each(|(number, answers)| match number % 4 {
            0 if nobody_inherits(answers) => Ok(()),
            _ => one_first("threads that claim one key at once", answers, others),
        })?;
        let mut keys = keys.iter().enumerate();
        keys.try_for_each(|(node, key)| answered(PROMISE, "release", handle.block_on(bench.release(node, *key, lease))))
    })
    .await
}

/// More than a pool has connections, so that losing one each time shows.
pub(super) async fn cancellation(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::Cancellation;
    for round in 0..bench.options.rounds {
        let (key, start) = (bench.key(), now());
        let hold = Hold::Until(start.plus(LONG));
        let dropped = dropped_after(round % 5, bench.node(round).claim(&Claim::new(key, start, hold))).await;
        let legal: &[Claimed] = if matches!(dropped, Some(Ok(First))) { &[Spent] } else { &[First, Spent] };
        must(
            PROMISE,
            "a key whose first claim was dropped halfway",
            legal,
            bench.claim(round, key, now(), hold).await,
        )?;
        let seen = bench.claim(round + 1, key, now(), hold).await;
        must(PROMISE, "a key that was claimed after a claim of it was dropped", &[Spent], seen)?;

        let (key, (leased, lease)) = (bench.key(), new_lease(start.plus(LONG)));
        must(PROMISE, "a lease on a new key", &[First], bench.claim(round, key, now(), leased).await)?;
        drop(
            dropped_after(round % 5, bench.node(round).settle(&Claim::new(key, now(), Hold::Until(start.plus(LONG)))))
                .await,
        );
        let seen = bench.claim(round, key, now(), hold).await;
        must(PROMISE, "a lease whose settling was dropped halfway", &[Leased, Spent], seen)?;
        drop(dropped_after(round % 5, bench.node(round).release(key, lease)).await);
        let seen = bench.claim(round, key, now(), hold).await;
        must(PROMISE, "a lease whose release was dropped halfway", &[First, Leased, Spent], seen)?;
    }
    Ok(())
}

pub(super) async fn no_eviction(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::NoEviction;
    let (start, crowd, entries) = (now(), bench.crowd(), bench.options.entries);
    let seed = bench.fresh();
    // Includes leases, which must not be evicted either.
    let hold_of = move |number: usize| match number % 8 {
        0 => Hold::lease(start.plus(LONG)),
        _ => Hold::Until(start.plus(LONG)),
    };
    let fill = at_once((0..crowd).map(|caller| {
        let bench = Arc::clone(&bench);
        async move {
            let mut kept = Vec::new();
            for number in (caller..entries).step_by(crowd) {
                let key = numbered(seed, number).into();
                match bench.claim(caller, key, start, hold_of(number)).await {
                    Ok(First) => kept.push((number, key)),
                    Err(failure) if failure.is_full() => {}
                    other => {
                        return Ok(
                            must(PROMISE, "a new key, or an error that says full", &[First], other).map(|_| kept)
                        );
                    }
                }
            }
            Ok(Ok(kept))
        }
    }));
    let mut kept: Vec<(usize, Fingerprint)> = Vec::new();
    for part in fill.await {
        kept.extend(answered(PROMISE, "filling the store", part)??);
    }
    let kept = Arc::new(kept);
    let lost = at_once((0..crowd).map(|caller| {
        let (bench, kept) = (Arc::clone(&bench), Arc::clone(&kept));
        async move {
            let mut lost = 0;
            for (number, key) in kept.iter().skip(caller).step_by(crowd) {
                let hold = hold_of(*number);
                let held = if matches!(hold, Hold::Lease { .. }) { Leased } else { Spent };
                lost += usize::from(bench.claim(caller, *key, start, hold).await? != held);
            }
            Ok(lost)
        }
    }));
    let mut count = 0;
    for part in lost.await {
        count += answered(PROMISE, "claiming again what the store holds", part)?;
    }
    let expected = format!("all {} entries that the store took are there", kept.len());
    match (count, kept.len()) {
        (_, 0) => Err(Broken::new(PROMISE, format_args!("room for some of {entries} entries"), "it was full at once")),
        (0, _) => Ok(()),
        (lost, _) => Err(Broken::new(PROMISE, expected, format_args!("{lost} of them are gone"))),
    }
}
