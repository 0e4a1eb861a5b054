use std::fmt;
use std::time::Duration;

use super::{Fingerprint, FingerprintHasher, Hold};
use crate::clock::UnixTime;

/// A layer's request to a [`ReplayStore`](super::ReplayStore): to claim a credential, or to settle one, which spends it
/// for good.
///
/// ```
/// use std::time::Duration;
/// use tower_sso::clock::UnixTime;
/// use tower_sso::replay::{Claim, Hold, Fingerprint};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let claim = Claim::new(Fingerprint::from([7; 32]), now, Hold::Until(now.plus(Duration::from_secs(60))));
/// assert_eq!(claim.terms.until, now.plus(Duration::from_secs(60)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The credential.
    pub key: Fingerprint,
    /// Of a claim: the time at which the layer checked the credential. Of a settlement: the time at which it settles.
    pub now: UnixTime,
    /// How long to hold it.
    pub hold: Hold,
    /// The settings under which it was accepted.
    pub terms: Terms,
}

/// The settings under which a layer accepts a credential: see [how long an entry is
/// kept](super::ReplayStore#how-long-an-entry-is-kept).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The layers that share their credentials.
    pub group: Group,
    /// How long after its own time the layer's settings let the credential be used: its
    /// [`Validity::window`](crate::window::Validity::window) and the layer's `store_timeout`. Included in
    /// [`until`](Self::until). Zero for a credential without an end.
    pub window: Duration,
    /// The first instant at which the credential can have been used; [`UnixTime::MIN`] if unknown.
    pub usable_since: UnixTime,
    /// The instant until which this layer wants the spent credential remembered, inclusive.
    pub until: UnixTime,
}

impl Claim {
    /// A claim of a credential that is usable from now on, without a window: for tests of a store.
    pub fn new(key: Fingerprint, now: UnixTime, hold: Hold) -> Self {
        let terms = Terms { group: Group::default(), window: Duration::ZERO, usable_since: now, until: hold.until() };
        Self { key, now, hold, terms }
    }
}

/// The layers that share their credentials: those of one form with one [namespace](crate::Builder::namespace).
///
/// ```
/// use tower_sso::replay::Group;
///
/// assert_eq!(Group::new("fernet", ""), Group::new("fernet", ""));
/// assert_ne!(Group::new("webhook", "billing"), Group::new("webhook", "sign-up"));
/// assert_eq!(Group::new("fernet", "").to_string().len(), 16);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Group(u64);

impl Group {
    /// The group of a form's layers with this namespace.
    pub fn new(form: &str, namespace: &str) -> Self {
        let mut fingerprint = FingerprintHasher::new(form);
        fingerprint.part(namespace.as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *fingerprint.finish().as_bytes();
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// In lower-case hexadecimal: a name for the group in a database.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
