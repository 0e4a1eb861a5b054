//! An entry's key and its end.

use std::hash::{BuildHasher, RandomState};

use crate::clock::UnixTime;
use crate::replay::Fingerprint;

/// Random for each store, so that nobody can choose credentials that crowd together in its tables.
#[derive(Default)]
pub(super) struct TableSecret(RandomState);

/// A hash of a fingerprint under the store's secret, which decides where an entry belongs, and 29 bits of the
/// fingerprint itself. Two fingerprints with one key would count as one credential, and the later one be refused: among
/// a billion entries the odds are one in 10^10. A sender can make fingerprints that begin alike, and still meets the
/// secret hash, which is of all 32 bytes.
///
/// Neither half is ever 0, as 0 is what a free slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Debug, PartialOrd, Ord))]
pub(super) struct Key {
    pub(super) hash: u64,
    pub(super) rest: u32,
}

impl Key {
    pub(super) fn new(fingerprint: Fingerprint, secret: &TableSecret) -> Self {
        let [a, b, c, d, ..] = *fingerprint.as_bytes();
        Self::of(secret.0.hash_one(fingerprint.as_bytes()), u32::from_be_bytes([a, b, c, d]) >> 3)
    }

    /// `rest` has 29 bits.
    pub(super) fn of(hash: u64, rest: u32) -> Self {
        Self { hash: hash.max(1), rest: rest.max(1) }
    }
}

/// What a slot says of its key: the last second of an entry, since 1970, or one of the values below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct End(pub(super) u64);

impl End {
    /// How many bits it has: seconds until the year 2514, further than any [`UnixTime`].
    pub(super) const BITS: u32 = 34;

    /// The key is not held.
    pub(super) const NONE: Self = Self(0);

    /// It is under a lease, whose end stands among the shard's leases.
    pub(super) const LEASED: Self = Self(1);

    /// It never ends.
    pub(super) const NEVER: Self = Self((1 << Self::BITS) - 1);

    /// Rounded up to a whole second. What ended before 1970 ends in its first seconds.
    pub(super) fn at(until: UnixTime) -> Self {
        if until == UnixTime::MAX {
            return Self::NEVER;
        }
        Self(u64::try_from(until.ceil_to_second().as_secs()).unwrap_or(0).max(2))
    }

    /// Whether it is the end of a spent credential, and past.
    pub(super) fn is_before(self, now: UnixTime) -> bool {
        self > Self::LEASED && self < Self::NEVER && UnixTime::from_secs(self.0) < now
    }
}
