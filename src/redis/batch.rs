//! Claims that share round trips.
//!
//! Each script begins by reading the server's state, which takes longer than a claim itself. So claims that come while
//! others are under way wait for the next call, and one call makes them all.
//!
//! - A claim is sent at once while fewer than [`CALLS`] calls are under way. There is no timer.
//! - A call is a task of its own: it goes on if the request that started it is dropped. Each claim gets its own answer.
//!   If the call fails as a whole, or its task dies, each of its claims gets an error.
//! - A claim that is dropped before it is sent is not sent.
//! - A release waits for the calls that claim its key, in a task of its own, so that it cannot overtake its claim.
//! - A claim that waits longer than the store's timeout fails, and so does one that finds [`WAITING`] others waiting.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use ::redis::aio::ConnectionLike;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use super::RedisStore;
use crate::replay::{Claim, Claimed, Fingerprint};
use crate::store::StoreError;

/// How many claims a call makes at most. It keeps the server busy for about a millisecond.
const CLAIMS: usize = 128;

/// How many calls are under way at most.
const CALLS: usize = 2;

/// How many claims wait at most.
const WAITING: usize = 65_536;

/// The claims of a store that wait or are under way.
#[derive(Default)]
pub(super) struct Batches(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// How many [`Driver`]s there are.
    drivers: usize,
    /// The calls under way. Their drivers own them, so those that are over cannot be upgraded.
    calls: Vec<Weak<Call>>,
}

struct Waiting {
    claim: Claim,
    since: Instant,
    answer: oneshot::Sender<Result<Claimed, StoreError>>,
}

struct Call {
    keys: Vec<Fingerprint>,
    /// Closes when the call is over, however it ends.
    over: watch::Sender<()>,
}

impl Batches {
    /// For each call that makes a claim of this key, a channel that closes when it is over.
    fn calls_of(&self, key: &Fingerprint) -> Vec<watch::Receiver<()>> {
        let calls = self.lock().calls.clone();
        let with_it = calls.iter().filter_map(Weak::upgrade).filter(|call| call.keys.contains(key));
        with_it.map(|call| call.over.subscribe()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    /// Makes a claim, together with others if some are under way.
    pub(super) async fn claim_with_others(&self, claim: Claim) -> Result<Claimed, StoreError> {
        let runtime = Handle::try_current().map_err(StoreError::new)?;
        let (answer, answered) = oneshot::channel();
        {
            let mut state = self.0.batches.lock();
            if state.waiting.len() >= WAITING {
                return Err(StoreError::new("too many claims wait for the Redis server"));
            }
            state.waiting.push_back(Waiting { claim, since: Instant::now(), answer });
            if state.drivers < CALLS {
                state.drivers += 1;
                runtime.spawn(Driver { store: self.clone(), ended: false }.run());
            }
        }
        answered.await.unwrap_or_else(|_| Err(StoreError::new("the task that made this claim ended early")))
    }

    /// Runs `then` after the claims of `key` that are under way, even if the caller gives up first.
    pub(super) async fn after_claims_of<F>(&self, key: &Fingerprint, then: F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let under_way = self.0.batches.calls_of(key);
        if under_way.is_empty() {
            return then.await;
        }
        let runtime = Handle::try_current().map_err(StoreError::new)?;
        let task = runtime.spawn(async move {
            for mut call in under_way {
                // Nothing is ever sent: this returns when the channel closes.
                _ = call.changed().await;
            }
            then.await
        });
        task.await.map_err(StoreError::new)?
    }
}

/// Makes calls until no claim waits.
struct Driver<C> {
    store: RedisStore<C>,
    ended: bool,
}

impl<C> Driver<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    async fn run(mut self) {
        while let Some((call, waiting)) = self.next() {
            let (claims, answers): (Vec<_>, Vec<_>) = waiting.into_iter().map(|one| (one.claim, one.answer)).unzip();
            // A failure to send means that nobody waits for the answer any more.
            match self.store.claim_all(&claims).await {
                Ok(made) => answers.into_iter().zip(made).for_each(|(answer, made)| _ = answer.send(made)),
                Err(error) => answers.into_iter().for_each(|answer| _ = answer.send(Err(StoreError::shared(&error)))),
            }
            // Only now, when the server has answered, may releases of these claims go out.
            drop(call);
        }
    }

    /// Takes the claims for the next call. If none waits, the driver ends.
    fn next(&mut self) -> Option<(Arc<Call>, Vec<Waiting>)> {
        let (mut taken, mut late) = (Vec::new(), Vec::new());
        let mut state = self.store.0.batches.lock();
        while taken.len() < CLAIMS
            && let Some(next) = state.waiting.pop_front()
        {
            if next.since.elapsed() > self.store.0.timeout {
                late.push(next.answer);
            } else if !next.answer.is_closed() {
                taken.push(next);
            }
        }
        state.calls.retain(|call| call.strong_count() > 0);
        let call = if taken.is_empty() {
            state.drivers -= 1;
            self.ended = true;
            None
        } else {
            let keys = taken.iter().map(|next| next.claim.key).collect();
            let call = Arc::new(Call { keys, over: watch::Sender::new(()) });
            state.calls.push(Arc::downgrade(&call));
            Some(call)
        };
        drop(state);
        late.into_iter().for_each(|answer| _ = answer.send(Err(StoreError::timed_out())));
        call.map(|call| (call, taken))
    }
}

impl<C> Drop for Driver<C> {
    /// If the task panics or its runtime shuts down, no driver may be left to serve the claims that wait.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut state = self.store.0.batches.lock();
        state.drivers -= 1;
        let waiting = mem::take(&mut state.waiting);
        // Dropping their senders fails the claims. Not under the lock, as that wakes tasks.
        drop(state);
        drop(waiting);
    }
}
