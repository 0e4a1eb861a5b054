use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::ops::compute::{CompResult, Op};
use moka::sync::Cache;

use super::places::Places;
use super::windows::Windows;
use super::{Claim, Claimed, Hold, ReplayKey, ReplayStore};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::store::{StoreError, StoreFuture};

/// A replay store in this process's memory, on moka. Clones share it; one store may serve every layer.
///
/// - **Exactly once** per process: a claim is one atomic operation on moka's map.
/// - **No live entry is evicted.** There is no size limit by which moka could choose to drop one: there is a
///   [`ceiling`](MemoryReplayBuilder::ceiling) of live entries, above which layers answer 503 `unavailable`.
/// - **A restart forgets.** So a layer refuses, as `replayed`, what was made before the store was: the *boot fence*. A
///   partner whose clock runs ahead by some seconds leaves that many seconds before a restart open, as its links seem
///   made after it; [`fence_margin`](MemoryReplayBuilder::fence_margin) closes that gap.
///   Credentials tell their time in whole seconds, so in the second in which the store is made an honest link is refused too.
///   A server that wants to spare its users that listens from the next second on, as below.
/// - **One process only.** A second one does not know what the first has seen.
///
/// - **What has no time is remembered for ever**, as a webhook without a timestamp: an entry that only a restart frees. Such
///   entries may take half of the ceiling, so that they cannot shut out sign-ins; beyond it their own layers answer 503.
///
/// An entry takes some 410 bytes, and a claim 1.5 to 5 µs, beside a thousand live entries as beside a million
/// (`cargo bench --bench replay`, two shared cores). So the default [`ceiling`](MemoryReplayBuilder::ceiling) of a million is
/// 410 MB. An entry stays for a minute longer than its link is good: with links that live for a minute, the ceiling is reached
/// at 8,000 sign-ins a second.
///
/// ```
/// use tower_sso::clock::{Clock, SystemClock};
/// use tower_sso::replay::{MemoryReplay, ReplayStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let replay = MemoryReplay::new();
/// if let Some(since) = replay.remembers_since() {
///     tokio::time::sleep(since.ceil_to_second().since(SystemClock.now())).await;
/// }
/// // Listen from here on.
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryReplay(Arc<Inner>);

struct Inner {
    entries: Cache<ReplayKey, Entry>,
    windows: Windows,
    places: Places,
    /// Entries that nothing but a restart will free.
    forever: AtomicU64,
    ceiling: u64,
    fence: Option<UnixTime>,
}

/// Sets up a [`MemoryReplay`].
///
/// ```
/// use tower_sso::replay::MemoryReplay;
///
/// let replay = MemoryReplay::builder().ceiling(200_000).build();
/// ```
#[derive(Clone)]
pub struct MemoryReplayBuilder {
    ceiling: u64,
    fenced: bool,
    fence_margin: Duration,
    clock: Arc<dyn Clock>,
}

impl MemoryReplay {
    /// A store with the defaults of [`MemoryReplayBuilder`].
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store to be set up.
    pub fn builder() -> MemoryReplayBuilder {
        MemoryReplayBuilder {
            ceiling: 1_000_000,
            fenced: true,
            fence_margin: Duration::ZERO,
            clock: Arc::new(SystemClock),
        }
    }
}

impl Default for MemoryReplay {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryReplayBuilder {
    /// How many live entries it holds at most. Default: 1,000,000, some 410 MB. Above it layers answer `unavailable`.
    ///
    /// Only authentic credentials take an entry, so only partners can fill it.
    #[must_use]
    pub fn ceiling(mut self, entries: u64) -> Self {
        self.ceiling = entries;
        self
    }

    /// By how much a partner's clock may run ahead without a restart opening a gap. Default: zero.
    ///
    /// Honest links are refused for that long after every start.
    #[must_use]
    pub fn fence_margin(mut self, margin: Duration) -> Self {
        self.fence_margin = margin;
        self
    }

    /// Accepts what was made before the store was. **A link that was used before a restart works once more after it**,
    /// for as long as its window lasts.
    #[must_use]
    pub fn danger_no_boot_fence(mut self) -> Self {
        self.fenced = false;
        self
    }

    /// The clock that tells when the store was made. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The store. Its boot fence stands at this moment.
    pub fn build(self) -> MemoryReplay {
        let entries = Cache::builder().expire_after(ReclaimAfterHold).build();
        let fence = self.fenced.then(|| self.clock.now().plus(self.fence_margin));
        let (places, forever) = (Places::new(self.ceiling), AtomicU64::new(0));
        let windows = Windows::default();
        MemoryReplay(Arc::new(Inner { entries, windows, places, forever, ceiling: self.ceiling, fence }))
    }
}

#[derive(Clone, Copy)]
struct Entry {
    hold: Hold,
    reclaim_after: Option<Duration>,
}

impl Entry {
    fn new(hold: Hold, now: UnixTime) -> Self {
        // Whether an entry is live is decided by the layer's clock; moka's own clock only takes away what is dead. It must
        // not be the earlier of the two. `SystemClock` is never slower than it, and the margin is for clocks that stand
        // still for a while, in tests.
        const MARGIN: Duration = Duration::from_secs(60);
        let ends = hold.until() != UnixTime::MAX;
        Self { hold, reclaim_after: ends.then(|| hold.until().since(now).saturating_add(MARGIN)) }
    }

    fn is_live(&self, now: UnixTime) -> bool {
        now <= self.hold.until()
    }

    fn claimed(&self) -> Claimed {
        match self.hold {
            Hold::Until(_) => Claimed::Spent,
            Hold::Lease(_) => Claimed::Leased,
        }
    }
}

struct ReclaimAfterHold;

impl Expiry<ReplayKey, Entry> for ReclaimAfterHold {
    fn expire_after_create(&self, _: &ReplayKey, entry: &Entry, _: Instant) -> Option<Duration> {
        entry.reclaim_after
    }

    fn expire_after_update(&self, _: &ReplayKey, entry: &Entry, _: Instant, _: Option<Duration>) -> Option<Duration> {
        entry.reclaim_after
    }
}

impl Inner {
    /// Every change goes through this one call: moka makes these atomic with each other, but not with `or_insert_with`
    /// or `invalidate`.
    fn change(&self, key: ReplayKey, op: impl FnOnce(Option<Entry>) -> Op<Entry>) -> CompResult<ReplayKey, Entry> {
        self.entries.entry_by_ref(&key).and_compute_with(|held| op(held.map(moka::Entry::into_value)))
    }

    /// Takes a place under the ceiling, to be filled or given back.
    fn reserve(&self) -> bool {
        // moka takes dead entries away now and then: let it, before saying that there is no room.
        self.places.take() || {
            self.places.count(|| {
                self.entries.run_pending_tasks();
                self.entries.entry_count()
            });
            self.places.take()
        }
    }

    fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let Some(hold) = self.windows.hold(claim) else { return Ok(Claimed::Forgotten) };
        let (key, now) = (claim.key, claim.now);
        let reserved = self.has_room_for(hold) && self.reserve();
        let mut claimed = Err(StoreError::full());
        let result = self.change(key, |held| match held {
            Some(entry) if entry.is_live(now) => {
                claimed = Ok(entry.claimed());
                Op::Nop
            }
            // A dead entry of the same key gives up its place, so none is needed.
            dead if reserved || dead.is_some() => {
                claimed = Ok(Claimed::First);
                Op::Put(Entry::new(hold, now))
            }
            _ => Op::Nop,
        });
        if hold == Hold::Until(UnixTime::MAX) && matches!(claimed, Ok(Claimed::First)) {
            self.forever.fetch_add(1, Ordering::Relaxed);
        }
        match (reserved, matches!(result, CompResult::Inserted(_))) {
            (true, true) => self.places.fill(),
            (true, false) => self.places.give_back(),
            // A dead entry was there, and moka took it away meanwhile.
            (false, true) => self.places.overfill(),
            (false, false) => {}
        }
        claimed
    }

    fn settle(&self, claim: &Claim) {
        let (key, now) = (claim.key, claim.now);
        let until = self.windows.hold(claim).unwrap_or(claim.hold).until();
        let mut was_forever = false;
        let result = self.change(key, |held| {
            was_forever = held.is_some_and(|entry| entry.reclaim_after.is_none());
            Op::Put(Entry::new(Hold::Until(until), now))
        });
        // The credential has the place of its lease, or had until a moment ago: this may not fail for want of room.
        if matches!(result, CompResult::Inserted(_)) {
            self.places.overfill();
        }
        if until == UnixTime::MAX && !was_forever {
            let forever = self.forever.fetch_add(1, Ordering::Relaxed) + 1;
            if forever == self.forever_ceiling() {
                tracing::warn!(
                    forever,
                    "calls without a time fill their half of the replay store: they get 503 from now on"
                );
            }
        }
    }

    fn forever_ceiling(&self) -> u64 {
        self.ceiling.div_ceil(2)
    }

    /// A lease may become an entry for ever, and those may take half of the store.
    fn has_room_for(&self, hold: Hold) -> bool {
        let may_stay = matches!(hold, Hold::Lease(_)) || hold.until() == UnixTime::MAX;
        !may_stay || self.forever.load(Ordering::Relaxed) < self.forever_ceiling()
    }

    fn release(&self, key: ReplayKey, lease: Hold) {
        self.change(key, |held| match held {
            Some(entry) if entry.hold == lease && matches!(lease, Hold::Lease(_)) => Op::Remove,
            _ => Op::Nop,
        });
    }
}

impl ReplayStore for MemoryReplay {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        StoreFuture::ready(self.0.claim(claim))
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        self.0.settle(claim);
        StoreFuture::ready(Ok(()))
    }

    fn release(&self, key: ReplayKey, lease: Hold) -> StoreFuture<Result<(), StoreError>> {
        self.0.release(key, lease);
        StoreFuture::ready(Ok(()))
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        self.0.fence
    }
}

impl fmt::Debug for MemoryReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplay").field("ceiling", &self.0.ceiling).finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryReplayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayBuilder").field("ceiling", &self.ceiling).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_entries_are_reclaimed_later_than_they_die_and_not_never() {
        let now = UnixTime::from_secs(1_000);
        let entry = |until| Entry::new(Hold::Until(until), now).reclaim_after;
        let minute = entry(now.plus(Duration::from_secs(60)));
        assert!(minute.is_some_and(|after| (60..=180).contains(&after.as_secs())), "{minute:?}");
        assert!(entry(now).is_some(), "it may be dead the next moment");
        assert_eq!(entry(UnixTime::MAX), None, "what has no end");
    }
}
