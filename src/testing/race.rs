//! Calls that meet. A call on a store in memory takes a microsecond, and tasks that are spawned one by one do not come
//! that close to each other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::bench::{Answer, Failure};
use super::promise::{Broken, Promise};

/// How many threads go side by side.
pub(super) const THREADS: usize = 4;

/// How many calls each makes in a row. Who comes second to a key has less to do there, catches up, and meets the first
/// at one of the next.
pub(super) const CALLS: usize = 64;

/// Runs rounds for so long, on a thread that may block.
pub(super) async fn race(
    promise: Promise,
    time: Duration,
    round: impl Fn(&Handle, usize) -> Result<(), Broken> + Send + 'static,
) -> Result<(), Broken> {
    let handle = Handle::current();
    let rounds = move || {
        let started = Instant::now();
        (0..).take_while(|n| *n == 0 || started.elapsed() < time).try_for_each(|n| round(&handle, n))
    };
    let outcome = tokio::task::spawn_blocking(rounds).await;
    outcome.unwrap_or_else(|_| Err(Broken::new(promise, "no panic", Failure::Panicked)))
}

/// What several threads are answered that make the same calls, numbered, in the same order and from the same moment:
/// for each call, the answers of all.
pub(super) fn side_by_side<T: Send>(
    handle: &Handle,
    call: impl AsyncFn(usize, usize) -> Answer<T> + Sync,
) -> Vec<Vec<Answer<T>>> {
    let ready = AtomicUsize::new(0);
    let run = |caller| {
        ready.fetch_add(1, Ordering::SeqCst);
        // A lock would wake them one after the other. Where there are fewer processors, the turn is given away.
        while ready.load(Ordering::SeqCst) < THREADS {
            thread::yield_now();
        }
        handle.block_on(async {
            let mut answers = Vec::with_capacity(CALLS);
            for number in 0..CALLS {
                let answer = call(caller, number).await;
                let goes_on = answer.is_ok();
                answers.push(answer);
                // What does not answer is not waited for again and again.
                if !goes_on {
                    break;
                }
            }
            answers
        })
    };
    let run = &run;
    let columns: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|caller| scope.spawn(move || run(caller))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| vec![Err(Failure::Panicked)])).collect()
    });
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    (0..CALLS).map(|_| columns.iter_mut().filter_map(Iterator::next).collect()).collect()
}
