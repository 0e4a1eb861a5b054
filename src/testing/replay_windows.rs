//! The cases for layers of one group with different settings.

use std::sync::Arc;
use std::time::Duration;

use super::bench::{Answer, answered, must, now};
use super::promise::{Broken, Promise};
use super::replay_cases::Replay;
use crate::clock::UnixTime;
use crate::replay::Claimed::{self, First, Forgotten, Spent};
use crate::replay::{Claim, Fingerprint, Group, Hold, Terms};

const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(600);

/// Layers that share their credentials.
#[derive(Clone, Copy)]
struct Layers(Group);

impl Layers {
    fn new(bench: &Replay) -> Self {
        Self(Group::new("testing", &bench.key().to_string()))
    }

    /// A claim at `now` of a credential made at `made`, by a layer with this window.
    fn claim(self, key: Fingerprint, now: UnixTime, made: UnixTime, window: Duration) -> Claim {
        let until = made.plus(window);
        let terms = Terms { group: self.0, window, usable_since: made, until };
        Claim { key, now, hold: Hold::Until(until), terms }
    }
}

impl Replay {
    async fn ask(&self, node: usize, claim: &Claim) -> Answer<Claimed> {
        self.within(self.node(node).claim(claim)).await
    }
}

pub(super) async fn longest_window(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::LongestWindow;
    let (layers, start) = (Layers::new(&bench), now());
    let long = layers.claim(bench.key(), start, start, LONG);
    must(PROMISE, "a new key, by a layer with a window of 600 s", &[First], bench.ask(0, &long).await)?;
    let (claimed, settled) = (bench.key(), bench.key());
    let short = layers.claim(claimed, start, start, SHORT);
    must(PROMISE, "a new key, by a layer with a window of 60 s", &[First], bench.ask(1, &short).await)?;
    let mut lease = layers.claim(settled, start, start, SHORT);
    lease.hold = Hold::lease(start.plus(SHORT));
    must(PROMISE, "a lease by that layer", &[First], bench.ask(2, &lease).await)?;
    let settle = Claim { hold: Hold::Until(lease.terms.until), ..lease };
    answered(PROMISE, "settle", bench.within(bench.node(0).settle(&settle)).await)?;
    for (key, when) in [(claimed, "what it claimed"), (settled, "what it settled")] {
        // Another case tests that it is spent at all.
        if !matches!(bench.ask(0, &layers.claim(key, start, start, SHORT)).await, Ok(Spent)) {
            continue;
        }
        for later in [SHORT + Duration::from_secs(1), LONG - Duration::from_secs(1)] {
            let again = layers.claim(key, start.plus(later), start, LONG);
            let when = format!("{when}, {later:?} later and by the layer with the window of 600 s");
            must(PROMISE, &when, &[Spent], bench.ask(1, &again).await)?;
        }
    }
    Ok(())
}

pub(super) async fn no_reach_back(bench: Arc<Replay>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::NoReachBack;
    let (layers, start) = (Layers::new(&bench), now());
    // Used under the short window, and forgotten since: the suite cannot wait for that.
    let old = start.minus(Duration::from_secs(100));
    let first = layers.claim(bench.key(), start, start, SHORT);
    must(PROMISE, "a new key, by a layer with a window of 60 s", &[First], bench.ask(0, &first).await)?;
    for (node, when) in [(1, "the first"), (2, "the second")] {
        let claim = layers.claim(bench.key(), start, old, LONG);
        let when = format!("{when} claim by a layer with a window of 600 s, of what was made 100 s ago");
        must(PROMISE, &when, &[Forgotten], bench.ask(node, &claim).await)?;
    }
    let recent = start.minus(Duration::from_secs(30));
    let (now, when) = (start.plus(Duration::from_secs(1)), "what the window of 60 s would still hold");
    let claim = layers.claim(bench.key(), now, recent, LONG);
    must(PROMISE, when, &[First], bench.ask(0, &claim).await)?;
    let (made, when) = (now, "what was made after the window of 600 s came");
    let claim = layers.claim(bench.key(), now, made, LONG);
    must(PROMISE, when, &[First], bench.ask(1, &claim).await)?;
    let claim = Layers::new(&bench).claim(bench.key(), now, old, LONG);
    must(PROMISE, "the same by layers with another group", &[First], bench.ask(2, &claim).await).map(drop)
}
