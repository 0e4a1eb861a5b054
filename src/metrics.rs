//! The metrics that layers record, for whichever [`metrics`](https://docs.rs/metrics) recorder the program installs.
//!
//! Every metric but the last has the labels `form` and `namespace`, those of the layer. Checks are timed by its clock.
//!
//! | name | kind | label | what it is |
//! |---|---|---|---|
//! | `tower_sso_requests_total` | counter | `outcome` | checked requests |
//! | `tower_sso_key_use_total` | counter | `use` | accepted requests by key: `current`, `previous` |
//! | `tower_sso_check_seconds` | histogram | | a check, with the body and the stores, without the inner service |
//! | `tower_sso_store_seconds` | histogram | `store` | the answer of a store: `keys`, `replay`; 0 from memory |
//! | `tower_sso_credential_age_seconds` | histogram | `outcome` | age of credentials; negative: their clock is ahead |
//! | `tower_sso_replay_entries` | gauge | | what the replay store holds, once a second; not of Redis |
//! | `tower_sso_replay_ceiling` | gauge | | what it may hold. Layers that share a store say the same |
//! | `tower_sso_unsettled_total` | counter | `form` alone | processed deliveries that could not be settled in time |
//!
//! Ages are recorded once the signature is right, so nobody else can forge them: of requests that are `accepted`,
//! `expired` or `not_yet_valid`. An age over a day is left out: it is an old link or another unit, not a clock.
//!
//! An outcome is `accepted`, `acknowledged` or the word of a [`Reason`](crate::rejection::Reason::as_str). A request
//! without a credential that an [optional](crate::Builder::optional) layer lets through is not counted. No label is
//! chosen by a client. With [`tenant_labels`](crate::Builder::tenant_labels), the requests, key uses and ages have a
//! label `tenant`, up to a bound.
//!
//! Feature `metrics`.
//!
//! ```
//! // After installing the recorder, so that it knows the units and texts:
//! tower_sso::metrics::describe();
//! ```

use metrics::Unit;

/// The names of all metrics.
///
/// ```
/// assert_eq!(tower_sso::metrics::names::REQUESTS, "tower_sso_requests_total");
/// ```
pub mod names {
    /// Checked requests by outcome.
    pub const REQUESTS: &str = "tower_sso_requests_total";
    /// Accepted requests by the use of the key that made them.
    pub const KEY_USE: &str = "tower_sso_key_use_total";
    /// How long checks take, in seconds.
    pub const CHECK: &str = "tower_sso_check_seconds";
    /// How long stores take to answer, in seconds.
    pub const STORE: &str = "tower_sso_store_seconds";
    /// How old authentic credentials were, in seconds.
    pub const AGE: &str = "tower_sso_credential_age_seconds";
    /// What the replay store holds.
    pub const ENTRIES: &str = "tower_sso_replay_entries";
    /// What the replay store may hold.
    pub const CEILING: &str = "tower_sso_replay_ceiling";
    /// Processed deliveries whose store could not be told in time.
    pub const UNSETTLED: &str = "tower_sso_unsettled_total";

    /// All of them.
    pub const ALL: [&str; 8] = [REQUESTS, KEY_USE, CHECK, STORE, AGE, ENTRIES, CEILING, UNSETTLED];
}

/// Tells the installed recorder what the metrics are, and their units. Call it once, after installing the recorder.
pub fn describe() {
    metrics::describe_counter!(names::REQUESTS, Unit::Count, "Checked requests by form, namespace and outcome");
    metrics::describe_counter!(names::KEY_USE, Unit::Count, "Accepted requests by the use of their key");
    metrics::describe_histogram!(names::CHECK, Unit::Seconds, "How long a check took, without the inner service");
    metrics::describe_histogram!(names::STORE, Unit::Seconds, "How long a store took to answer");
    metrics::describe_histogram!(names::AGE, Unit::Seconds, "How old authentic credentials were");
    metrics::describe_gauge!(names::ENTRIES, Unit::Count, "Entries in the replay store");
    metrics::describe_gauge!(names::CEILING, Unit::Count, "Entries that the replay store may hold");
    metrics::describe_counter!(names::UNSETTLED, Unit::Count, "Processed deliveries that could not be settled in time");
}
