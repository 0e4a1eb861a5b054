//! What rotations leave, whichever store makes them.

use std::time::Duration;

/// How long a replaced key is accepted.
pub(crate) const GRACE: Duration = Duration::from_hours(1);

/// One tenant's rotations, and the keys that are active afterwards.
pub(crate) struct Rotations {
    pub(crate) why: &'static str,
    /// Seconds after the start, and the new secret.
    pub(crate) made: &'static [(u64, &'static str)],
    /// Seconds after the start.
    pub(crate) seen_at: u64,
    /// Newest first, with the end in seconds after the start; the current key has none.
    pub(crate) active: &'static [(&'static str, Option<u64>)],
}

pub(crate) const ROTATIONS: &[Rotations] = &[
    Rotations {
        why: "each previous key keeps its own end",
        made: &[(0, "a"), (600, "b"), (1_200, "c")],
        seen_at: 1_200,
        active: &[("c", None), ("b", Some(4_800)), ("a", Some(4_200))],
    },
    Rotations {
        why: "a key that has ended stays ended",
        made: &[(0, "a"), (0, "b"), (7_200, "c")],
        seen_at: 7_200,
        active: &[("c", None), ("b", Some(10_800))],
    },
    Rotations {
        why: "the current secret again, as a webhook's copy brings it, changes nothing",
        made: &[(0, "a"), (0, "b"), (60, "b")],
        seen_at: 60,
        active: &[("b", None), ("a", Some(3_600))],
    },
    Rotations {
        why: "a previous key becomes current again, once",
        made: &[(0, "a"), (0, "b"), (60, "a")],
        seen_at: 60,
        active: &[("a", None), ("b", Some(3_660))],
    },
    Rotations {
        why: "the newest three previous keys stay: each one more is one more check of every forgery",
        made: &[(0, "a"), (1, "b"), (2, "c"), (3, "d"), (4, "e"), (5, "f")],
        seen_at: 5,
        active: &[("f", None), ("e", Some(3_605)), ("d", Some(3_604)), ("c", Some(3_603))],
    },
    Rotations {
        why: "also where all of them come in one instant",
        made: &[(0, "a"), (0, "b"), (0, "c"), (0, "d"), (0, "e"), (0, "f")],
        seen_at: 0,
        active: &[("f", None), ("e", Some(3_600)), ("d", Some(3_600)), ("c", Some(3_600))],
    },
];
