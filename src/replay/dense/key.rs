//! An entry's key and its end.

use std::hash::{BuildHasher, RandomState};

use crate::clock::UnixTime;
use crate::replay::Fingerprint;

/// Random for each store, so that nobody can choose credentials that crowd together in its tables.
#[derive(Default)]
pub(super) struct TableSecret(RandomState);

/// A hash of a fingerprint under the store's secret, which decides where an entry belongs, and then the fingerprint's
/// first eight bytes. Two fingerprints with one key would count as one credential: among a billion entries the odds are
/// below one in 10^20. A sender can make fingerprints that begin alike, and still meets the secret half.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(Debug))]
// Not two `u64`: an entry would take 24 bytes, not 20.
pub(super) struct Key([u32; 4]);

impl Key {
    pub(super) const LEAST: Self = Self([0; 4]);

    pub(super) fn new(fingerprint: Fingerprint, secret: &TableSecret) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *fingerprint.as_bytes();
        Self::of(secret.0.hash_one(fingerprint.as_bytes()), u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    pub(super) fn of(hash: u64, rest: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = hash.to_be_bytes();
        let [i, j, k, l, m, n, o, p] = rest.to_be_bytes();
        Self([[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_be_bytes))
    }

    /// The first half. Keys are in its order.
    pub(super) fn hash(self) -> u64 {
        let [high, low, ..] = self.0;
        u64::from(high) << 32 | u64::from(low)
    }
}

/// The last second of an entry, since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct End(u32);

impl End {
    /// Of no entry.
    pub(super) const NONE: Self = Self(0);

    /// It never ends. Neither does what ends after the year 2106.
    pub(super) const NEVER: Self = Self(u32::MAX);

    /// Rounded up to a whole second. What ended before 1970 ends in its first second.
    pub(super) fn at(until: UnixTime) -> Self {
        Self(u32::try_from(until.ceil_to_second().as_secs().max(1)).unwrap_or(u32::MAX))
    }

    #[cfg(test)]
    pub(super) fn of(second: u32) -> Self {
        Self(second)
    }

    pub(super) fn is_before(self, now: UnixTime) -> bool {
        self != Self::NEVER && UnixTime::from_secs(self.0.into()) < now
    }
}
