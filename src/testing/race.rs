//! Colliding calls. A call on a memory store takes a microsecond, and tasks spawned one by one do not overlap that
//! closely.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::bench::{Answer, Failure};
use super::promise::{Broken, Promise};

/// The number of threads.
pub(super) const THREADS: usize = 4;

/// The calls per thread and round. The second thread at a key has less to do there, catches up, and meets the first at
/// one of the next keys.
pub(super) const CALLS: usize = 64;

/// Runs rounds for this long, on a thread that may block.
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

/// Lets several threads make the same numbered calls in the same order from the same moment. Returns, for each call,
/// the answers of all threads.
pub(super) fn side_by_side<T: Send>(
    handle: &Handle,
    call: impl AsyncFn(usize, usize) -> Answer<T> + Sync,
) -> Vec<Vec<Answer<T>>> {
    let ready = AtomicUsize::new(0);
    let run = |caller| {
        ready.fetch_add(1, Ordering::SeqCst);
        // A lock would wake them one after the other. With fewer processors, yield.
        while ready.load(Ordering::SeqCst) < THREADS {
            thread::yield_now();
        }
        handle.block_on(async {
            let mut answers = Vec::with_capacity(CALLS);
            for number in 0..CALLS {
                let answer = call(caller, number).await;
                let goes_on = answer.is_ok();
                answers.push(answer);
                // After one missing answer, stop waiting for more.
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
