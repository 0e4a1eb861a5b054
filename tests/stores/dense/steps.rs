//! The clock is set ahead and back.

use tower_sso::clock::{Clock, ManualClock, UnixTime};
use tower_sso::replay::{Claimed, Hold};

use super::{HOUR, NOW, SECOND, claim, first, later, store_with};

/// A day ahead, and back. Only two minutes pass, so nothing is removed.
#[test]
fn a_step_of_the_clock_removes_nothing() {
    const LIVE: u64 = 5_000;
    let (clock, day) = (ManualClock::at(NOW), 24 * HOUR);
    let store = store_with(&clock);
    first(&store, 0..LIVE, NOW, Hold::Until(later(60)));
    for (stepped_to, others) in [(NOW.plus(day), LIVE..2 * LIVE), (NOW, 2 * LIVE..3 * LIVE)] {
        clock.set(stepped_to);
        // A minute, so that all shards are swept.
        clock.advance(59 * SECOND);
        first(&store, others, clock.now(), Hold::Until(clock.now().plus(day)));
    }
    for number in 0..LIVE {
        assert_eq!(claim(&store, number, later(59), Hold::Until(later(60))).unwrap(), Claimed::Spent, "{number}");
    }
    assert_eq!(store.entries(), 3 * LIVE);
}

/// The claim that sweeps is the first one after the step. By the clock that was set back, all entries are live.
#[test]
fn a_claim_after_a_step_back_removes_nothing_that_is_live_again() {
    const LIVE: u64 = 50_000;
    for (until, why) in [(later(60), "with an end"), (UnixTime::MAX, "without an end")] {
        let clock = ManualClock::at(NOW);
        let store = store_with(&clock);
        first(&store, 0..LIVE, NOW, Hold::Until(later(60)));
        clock.set(NOW.minus(HOUR));
        clock.advance(HOUR);
        first(&store, LIVE..LIVE + 1, clock.now(), Hold::Until(until));
        assert_eq!(store.entries(), LIVE + 1, "a claim of a credential {why}");
    }
}
