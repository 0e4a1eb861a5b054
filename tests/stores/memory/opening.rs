use std::time::Duration;

use tower_sso::clock::ManualClock;
use tower_sso::replay::{MemoryReplay, ReplayStore};

use super::{NOW, later};

/// The timers run on tokio's clock, which does not wait here.
#[tokio::test(start_paused = true)]
async fn a_store_opens_when_its_first_second_is_over() {
    let before = tokio::time::Instant::now();
    let store = MemoryReplay::opened().await;
    let cutoff = store.remembers_since().unwrap();
    let waited = before.elapsed();
    let owed = cutoff.ceil_to_second().since(cutoff);
    assert!(waited <= Duration::from_millis(1_002), "{waited:?}");
    assert!(waited + Duration::from_millis(50) >= owed, "{waited:?} of {owed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_with_settings_of_its_own_opens_in_the_same_way() {
    let half_past = NOW.plus(Duration::from_millis(500));
    let margin = Duration::from_secs(5);
    let start = || MemoryReplay::builder().clock(ManualClock::at(half_past)).cutoff_margin(margin);
    let before = tokio::time::Instant::now();
    assert_eq!(start().opened().await.remembers_since(), Some(half_past.plus(margin)));
    let owed = Duration::from_millis(5_500);
    assert!((owed..owed + Duration::from_millis(2)).contains(&before.elapsed()), "{:?}", before.elapsed());
    let before = tokio::time::Instant::now();
    assert_eq!(start().danger_no_startup_cutoff().opened().await.remembers_since(), None);
    assert!(before.elapsed().is_zero(), "there is nothing to wait for");
}

#[test]
fn the_startup_cutoff_is_when_the_store_is_made() {
    let clock = ManualClock::at(NOW);
    let start = || MemoryReplay::builder().clock(clock.clone());
    assert_eq!(start().build().remembers_since(), Some(NOW));
    assert_eq!(start().cutoff_margin(Duration::from_secs(5)).build().remembers_since(), Some(later(5)));
    assert_eq!(start().danger_no_startup_cutoff().build().remembers_since(), None);
}

#[test]
fn a_clock_that_was_slow_at_the_start_moves_the_cutoff_when_it_is_set_right() {
    let clock = ManualClock::at(NOW.minus(Duration::from_secs(3_600)));
    let store = MemoryReplay::builder().clock(clock.clone()).cutoff_margin(Duration::from_secs(5)).build();
    clock.set(NOW);
    assert_eq!(store.remembers_since(), Some(later(5)), "the store was made at this moment");
    clock.advance(Duration::from_secs(60));
    assert_eq!(store.remembers_since(), Some(later(5)), "time that passes does not move it");
    clock.set(NOW);
    assert_eq!(store.remembers_since(), Some(later(5)), "nor does a clock that is set back");
}
