//! Entries without an end, and the leases that become such entries.

use super::*;

/// Calls without a time that are in progress, of one layer, in a store of 100 places.
#[test]
fn calls_in_progress_have_their_share_before_they_are_settled() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplay::builder().ceiling(100).clock(clock.clone()).build();
    let call = |number, now: UnixTime| {
        let mut claim = Claim::new(key(number), now, Hold::lease(now.plus(Duration::from_secs(30))));
        claim.terms.until = UnixTime::MAX;
        claim
    };
    let begin = |number, now| store.claim(&call(number, now)).now_or_never().unwrap().ok();
    let begun = (0..100).filter(|number| begin(*number, NOW) == Some(Claimed::First)).count();
    assert_eq!(begun, 25, "half of the half that is for all of them");
    assert_eq!(begin(0, later(31)), Some(Claimed::First), "a retry has the share of its dead lease");
    assert_eq!(begin(25, later(31)), None);
    (0..20).for_each(|number| settle(&store, number, UnixTime::MAX));
    for link in 200..275 {
        assert_eq!(claim(&store, link, NOW, Hold::Until(later(60))), Ok(Claimed::First), "{link}");
    }
    // A day later the other five leases have ended, and others have their shares.
    clock.advance(Duration::from_secs(86_400));
    for link in 1_000..1_500 {
        _ = claim(&store, link, clock.now(), Hold::Until(clock.now()));
        clock.advance(Duration::from_secs(120));
    }
    assert_eq!((2_000..2_100).filter(|number| begin(*number, clock.now()) == Some(Claimed::First)).count(), 5);
}
