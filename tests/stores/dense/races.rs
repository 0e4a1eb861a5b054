//! Threads that claim the same credentials at the same moments.

use std::sync::Barrier;
use std::thread;

use tower_sso::clock::UnixTime;
use tower_sso::replay::{Claimed, DenseReplay, Hold};

use super::{NOW, claim};

/// Two threads take a place for one key now and then, and the one that comes second gives its place back. Without an end,
/// as more happens then between the look at a key and the change of its end.
#[test]
fn who_loses_a_race_gives_its_place_back() {
    const THREADS: usize = 4;
    const KEYS: u64 = 200_000;
    let (store, start) = (DenseReplay::builder().ceiling(8 * KEYS).build(), Barrier::new(THREADS));
    let wins = || {
        (0..KEYS)
            .filter(|number| {
                if number % 16 == 0 {
                    start.wait();
                }
                matches!(claim(&store, *number, NOW, Hold::Until(UnixTime::MAX)), Ok(Claimed::First))
            })
            .count()
    };
    let won: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(wins)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((won as u64, store.entries()), (KEYS, KEYS));
}
