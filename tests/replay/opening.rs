use std::time::Duration;

use tower_sso::replay::{MemoryReplay, ReplayStore};

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
