use std::error::Error;
use std::fmt;

/// A promise that a store must keep. Its [`Display`](fmt::Display) is one sentence.
///
/// ```
/// use tower_sso::testing::Promise;
///
/// assert_eq!(Promise::OneWinner.to_string(), "Of any number of claims of one key at once, exactly one is First.");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// Not the store's: the suite needs a runtime with several threads, or nothing runs concurrently.
    SetUp,
    /// A store that is up answers.
    Answers,
    /// All handles see each other's changes.
    Shared,
    /// Of any number of concurrent claims of one key, exactly one is `First`.
    OneWinner,
    /// Every entry is kept for the longest window of its group.
    LongestWindow,
    /// A longer window does not reach back to entries that may be forgotten.
    NoReachBack,
    /// A spent credential is remembered up to its last instant.
    Remembers,
    /// A lease keeps others out up to its last instant.
    LeaseExcludes,
    /// An unsettled lease ends.
    LeaseEnds,
    /// A settled credential is spent.
    SettleSpends,
    /// A released credential is free.
    ReleaseFrees,
    /// A release frees only the lease that it names.
    ReleaseSpares,
    /// Every instant may be the end of a hold.
    AnyInstant,
    /// Every bit of a key counts.
    WholeKey,
    /// A live entry is never evicted.
    NoEviction,
    /// A call that is dropped halfway leaves the store whole.
    Cancellation,
    /// A store that cannot answer fails, and fails soon.
    FailsClosed,
    /// Of any number of concurrent takes of one ticket, exactly one gets the payload.
    OneTaker,
    /// The payload comes back unchanged, and once.
    Payload,
    /// A ticket can be taken up to its last instant.
    TicketHolds,
    /// A ticket cannot be taken after its end.
    TicketEnds,
    /// A look shows a live ticket's payload, and leaves the ticket.
    LookLeaves,
    /// A second put does not replace the first.
    FirstPut,
    /// A tenant that fills its share of the store leaves room for others.
    TenantsApart,
}

impl Promise {
    fn words(self) -> &'static str {
        match self {
            Self::SetUp => "The suite runs on a tokio runtime with several threads.",
            Self::Answers => "A store that is up answers.",
            Self::Shared => "What one handle has done, all other handles see.",
            Self::OneWinner => "Of any number of claims of one key at once, exactly one is First.",
            Self::Remembers => "A spent credential is remembered up to its last instant, inclusive.",
            Self::LongestWindow => "Every entry is kept for the longest window that its group was asked for.",
            Self::NoReachBack => "What may have been used and forgotten before a longer window came is Forgotten.",
            Self::LeaseExcludes => "A lease keeps others out up to its last instant, inclusive.",
            Self::LeaseEnds => "A lease that nobody settles ends.",
            Self::SettleSpends => "A settled credential is spent until its new end, inclusive.",
            Self::ReleaseFrees => "A released credential is free.",
            Self::ReleaseSpares => "A release frees nothing but the very lease that it names.",
            Self::AnyInstant => "Every instant may be an end: long past, just past, centuries away, for ever.",
            Self::WholeKey => "Every bit of a key counts.",
            Self::NoEviction => "What is live is never evicted.",
            Self::Cancellation => "A call that is dropped halfway leaves the store whole.",
            Self::FailsClosed => "A store that cannot tell says so, and soon.",
            Self::OneTaker => "Of any number of takes of one ticket at once, exactly one gets the payload.",
            Self::Payload => "A payload comes back once, byte for byte; what was never put is not there.",
            Self::TicketHolds => "A ticket can be taken up to its last instant, inclusive.",
            Self::TicketEnds => "A ticket cannot be taken after its end.",
            Self::LookLeaves => "A look tells what a live ticket stands for, and leaves it where it is.",
            Self::FirstPut => "A second put of a digest does not replace what the first one put.",
            Self::TenantsApart => "A tenant that is told that the store is full does not shut others out.",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::SetUp => "mark the test with #[tokio::test(flavor = \"multi_thread\")]",
            Self::Answers => "start the database, and see the store's error; everything else was not tried",
            Self::Shared => {
                "let every handle that the suite makes open one database (a store in memory: clone one), and read from \
                 where it is written, not from a replica; everything else was not tried"
            }
            Self::OneWinner => {
                "make the claim one atomic operation in the database (INSERT … ON CONFLICT, SET … NX, a script), not a \
                 question and then a write; where an entry is dead, replacing it must be part of that operation"
            }
            Self::Remembers => {
                "compare `now <= until` with the `now` of the call; where the database expires by its own clock, let it \
                 keep entries longer than asked: a call may arrive after the instant that it names"
            }
            Self::LongestWindow => {
                "remember the longest `window` of each group, and hold and settle until `until` plus what the window is \
                 short of it"
            }
            Self::NoReachBack => {
                "remember the first `window` of each group, the longest, and since when it is that; answer Forgotten if \
                 `usable_since` is before that and `until - window + first` is before `now`"
            }
            Self::LeaseExcludes => {
                "treat an entry that is leased as live while `now <= until`, and answer Leased; where the database \
                 expires by its own clock, let it keep leases a little longer than asked"
            }
            Self::LeaseEnds => {
                "let a claim take over a lease whose end has passed, or what a crashed process held is lost for ever; if \
                 the store keeps leases longer on purpose, tell the suite by `lease_margin`"
            }
            Self::SettleSpends => {
                "let settle write the new state and the new end whatever was there, a lease or nothing; the lease's own \
                 expiry must not take the entry away"
            }
            Self::ReleaseFrees => "let release delete the entry if it is the lease that is given, from any handle",
            Self::ReleaseSpares => {
                "delete only where the entry is a lease and all 64 bits of its id are those given, in one atomic operation; \
                 two leases may have the same end"
            }
            Self::AnyInstant => {
                "convert instants without overflow and without panics, rounding an end up; a database's expiry in the \
                 past deletes, and UnixTime::MAX means no expiry at all"
            }
            Self::WholeKey => "store and compare all 32 bytes of the key as bytes",
            Self::NoEviction => {
                "turn eviction off (Redis: maxmemory-policy noeviction; moka: no max_capacity) and answer \
                 StoreError::full() when there is no room"
            }
            Self::Cancellation => {
                "make each call one operation of the database, or a transaction that rolls back, and hold no lock or \
                 connection that a dropped future cannot give back"
            }
            Self::FailsClosed => {
                "return every error of the database as an Err, never as an answer, and give connecting and asking a \
                 time limit below the suite's `patience`"
            }
            Self::OneTaker => {
                "make take one atomic operation that deletes and returns (DELETE … RETURNING, GETDEL), not a read and \
                 then a delete"
            }
            Self::Payload => {
                "store the payload as bytes (BYTEA, BLOB), of any length and not as text, and answer None for what is not \
                 there"
            }
            Self::TicketHolds => {
                "compare `now <= until` with the `now` of the call; where the database expires by its own clock, let it \
                 keep tickets longer than asked, and check `until` when a ticket is taken"
            }
            Self::LookLeaves => {
                "read without deleting (SELECT, GET), and answer None for what was taken and for what ended before `now`"
            }
            Self::TicketEnds => {
                "keep `until` beside the payload, and answer None if it is before the `now` of the call: a database's \
                 expiry alone is late"
            }
            Self::FirstPut => {
                "insert only where nothing is (INSERT without upsert, SET … NX), and return an error otherwise"
            }
            Self::TenantsApart => {
                "give each tenant a share, such as as much as is still free: what it has, what comes and what all have \
                 together stay below the ceiling"
            }
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// One broken promise.
#[derive(Clone)]
pub(super) struct Broken {
    promise: Promise,
    expected: String,
    seen: String,
}

impl Broken {
    pub(super) fn new(promise: Promise, expected: impl fmt::Display, seen: impl fmt::Display) -> Self {
        Self { promise, expected: expected.to_string(), seen: seen.to_string() }
    }
}

/// All broken promises of a store: what was expected, what was seen, and what to do.
///
/// `Debug` writes what `Display` does, so that `unwrap` is readable.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{replay::MemoryReplay, testing::{self, Promise}};
///
/// // Each handle is a store of its own here, as if each process had one.
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let broken = testing::replay_store(async || MemoryReplay::new()).run().await.unwrap_err();
/// assert_eq!(broken.promises().collect::<Vec<_>>(), [Promise::Shared]);
/// println!("{broken}");
/// # });
/// # }
/// ```
pub struct BrokenPromises(Vec<Broken>);

impl BrokenPromises {
    /// The suite's result: `Ok` if nothing is broken. Of several reports of one promise, the first is kept.
    pub(super) fn check(mut broken: Vec<Broken>) -> Result<(), Self> {
        let mut known = Vec::new();
        broken.retain(|one| {
            let new = !known.contains(&one.promise);
            known.push(one.promise);
            new
        });
        if broken.is_empty() { Ok(()) } else { Err(Self(broken)) }
    }

    /// The broken promises, each once.
    pub fn promises(&self) -> impl Iterator<Item = Promise> + '_ {
        self.0.iter().map(|broken| broken.promise)
    }
}

impl fmt::Display for BrokenPromises {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "promise" } else { "promises" };
        write!(f, "the store breaks {} {plural}", self.0.len())?;
        self.0.iter().try_for_each(|broken| {
            let Broken { promise, expected, seen } = broken;
            let advice = promise.advice();
            write!(f, "\n\n- {promise} ({promise:?})\n  expected: {expected}\n  seen: {seen}\n  what to do: {advice}")
        })
    }
}

impl fmt::Debug for BrokenPromises {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for BrokenPromises {}
