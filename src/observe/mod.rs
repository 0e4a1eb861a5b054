//! What an operator sees of a check: log events and (feature `metrics`) counters. No secret, no credential.

#[cfg(feature = "metrics")]
mod meters;
#[cfg(not(feature = "metrics"))]
#[path = "no_meters.rs"]
mod meters;
#[cfg(feature = "metrics")]
mod tenants;
mod watch;

use std::collections::BTreeSet;
use std::fmt::{self, Display, Write};
use std::sync::{Mutex, PoisonError};

use crate::clock::{Clock, SystemClock};
use crate::keys::{KeyUse, TenantId};
use crate::rejection::{Code, Reason, Rejection, Step};
use crate::store::StoreError;

pub(crate) use meters::{Meters, Store};
pub(crate) use watch::Watch;

/// Its credential passed every check.
fn accepted(form: &'static str, namespace: &str, tenant: &TenantId, key_use: KeyUse) {
    let tenant = OneLine(tenant);
    tracing::debug!(
        target: "tower_sso", form, namespace, %tenant, ?key_use, outcome = "accepted", "credential accepted"
    );
}

/// It is a duplicate of a processed delivery.
fn acknowledged(form: &'static str, namespace: &str, tenant: &TenantId) {
    let (tenant, outcome) = (OneLine(tenant), "acknowledged");
    if SIGNED.take_line() {
        tracing::info!(target: "tower_sso", form, namespace, %tenant, outcome, "duplicate acknowledged");
    } else {
        tracing::debug!(target: "tower_sso", form, namespace, %tenant, outcome, "duplicate acknowledged");
    }
}

fn refused(rejection: &Rejection) {
    let (form, reason) = (rejection.form(), rejection.reason());
    // A level is a constant of each call.
    macro_rules! log {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                target: "tower_sso",
                form,
                namespace = rejection.namespace(),
                tenant = rejection.tenant().map(|tenant| tracing::field::display(OneLine(tenant))),
                reason = reason.as_str(),
                detail = %OneLine(rejection.detail()),
                facts = Some(rejection.facts()).filter(|facts| !facts.is_empty()).map(|facts| tracing::field::display(OneLine(facts))),
                $message
            )
        };
    }
    match (rejection.code() == Code::Unavailable, quota_of(reason).take_line()) {
        (true, true) => log!(warn, "credential not checked"),
        (true, false) => log!(debug, "credential not checked"),
        (false, true) => log!(info, "credential refused"),
        (false, false) => log!(debug, "credential refused"),
    }
}

/// A store's own words for its failure: they may name hosts, so they go to the log and nowhere else.
pub(crate) fn store_failed(form: &'static str, error: &StoreError) {
    if TROUBLES.take_line() {
        tracing::warn!(target: "tower_sso", form, detail = %OneLine(error), "store failed");
    }
}

/// A delivery was processed, but the store could not be told before its lease ended: a duplicate would be processed
/// again.
pub(crate) fn not_settled(form: &'static str) {
    tracing::error!(target: "tower_sso", form, "a processed delivery could not be settled");
    meters::not_settled(form);
}

/// An unusable key. The tenant's other keys still work, but an operator should look at it.
pub(crate) fn unusable_key(form: &'static str, tenant: &TenantId, what: &'static str) {
    if TROUBLES.take_line() {
        tracing::warn!(target: "tower_sso", form, ?tenant, what, "unusable key");
    }
}

/// A secret that did not verify and looks wrongly copied. Logged once per tenant, as any forgery leads here.
pub(crate) fn doubtful_key(form: &'static str, tenant: &TenantId, what: &'static str) {
    static SAID: Mutex<BTreeSet<(&'static str, TenantId)>> = Mutex::new(BTreeSet::new());
    const MOST: usize = 1_000;
    // A panic under the lock cannot have left the set half changed.
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let is_new = said.len() < MOST && said.insert((form, tenant.clone()));
    // Released before logging: a log may be slow.
    drop(said);
    if is_new {
        tracing::warn!(target: "tower_sso", form, ?tenant, "a secret of this tenant {what}");
    }
}

/// The name that the request gave. Anybody can write anything there.
pub(crate) fn unknown_tenant(form: &'static str, tenant: Option<&TenantId>) {
    match tenant {
        Some(tenant) => tracing::debug!(target: "tower_sso", form, tenant = %OneLine(tenant), "no key of this tenant"),
        None => tracing::debug!(target: "tower_sso", form, "the request names no tenant"),
    }
}

/// Wrong guesses of a request without a source are not counted. Logged once for each throttle.
pub(crate) fn no_source() {
    tracing::warn!(
        target: "tower_sso",
        "wrong secrets are not counted: the function of `Throttle::by` found no source. Under axum, serve with \
         `into_make_service_with_connect_info::<SocketAddr>()` and read `ConnectInfo<SocketAddr>` from the extensions"
    );
}

/// RFC 7518, 3.2 for a JWT. Real partners give out shorter secrets, so this is not an error.
pub(crate) fn short_secret(form: &'static str, digest: &str, least: usize) {
    tracing::warn!(
        target: "tower_sso", form, "a secret for {digest} has less than {least} bytes: ask the partner for a longer one"
    );
}

/// The layer's tenant is fixed, but the key store knows only others.
pub(crate) fn no_key_yet(form: &'static str, tenant: &str) {
    tracing::warn!(
        target: "tower_sso", form, tenant,
        "every request is checked with the keys of this tenant, and it has none yet: add them, or say with `tenant(…)` where a \
         request names its own"
    );
}

/// A user of one tenant can sign in to the other, unless both names are the same organisation's.
pub(crate) fn shared_secret(form: &'static str, one: &TenantId, other: &TenantId, more: usize) {
    tracing::warn!(
        target: "tower_sso", form, ?one, ?other, more,
        "two tenants have one secret, so users of each can sign in to the other: give each a secret of its own, or say with \
         `Key::owned_by` that both are names of one organisation"
    );
}

/// Refusals before the signature is verified. Anybody can cause tens of thousands a second.
static UNSIGNED: Quota = Quota::new();
/// Refusals after it, and acknowledged duplicates. Anybody with one captured credential can cause as many.
static SIGNED: Quota = Quota::new();
/// Failures of stores, and unusable keys.
static TROUBLES: Quota = Quota::new();

fn quota_of(reason: &Reason) -> &'static Quota {
    match (reason.code(), reason.step()) {
        (Code::Unavailable, _) => &TROUBLES,
        (_, step) if step > Step::Verify => &SIGNED,
        _ => &UNSIGNED,
    }
}

/// At most so many lines a second. One line counts the rest, and the counters have all.
struct Quota(Mutex<Spent>);

struct Spent {
    second: u64,
    lines: u64,
}

impl Quota {
    const LINES: u64 = 100;

    const fn new() -> Self {
        Self(Mutex::new(Spent { second: 0, lines: 0 }))
    }

    /// Whether one more line may be logged. It then counts as logged.
    fn take_line(&self) -> bool {
        let (has_room, left_out) = self.spend(SystemClock.steady().as_secs());
        if left_out > 0 {
            tracing::info!(target: "tower_sso", left_out, "there was more of this in the last busy second: see DEBUG");
        }
        has_room
    }

    /// Whether this second has room, and how many lines the last overfull second dropped.
    fn spend(&self, second: u64) -> (bool, u64) {
        // A panic under the lock cannot have left the numbers half changed.
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left_out = 0;
        if second != spent.second {
            left_out = spent.lines.saturating_sub(Self::LINES);
            *spent = Spent { second, lines: 0 };
        }
        spent.lines += 1;
        (spent.lines <= Self::LINES, left_out)
    }
}

/// Text that may repeat received data. It stays on its line: anything that a log or terminal could interpret is
/// escaped, and long text is cut.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T> OneLine<T> {
    /// In bytes, escapes included.
    const LONGEST: usize = 512;
}

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaped { line: f, room: Some(Self::LONGEST) }, "{}", self.0)
    }
}

/// A line in progress, and how many bytes it may still take. `None`: it was cut.
struct Escaped<'a, 'f> {
    line: &'a mut fmt::Formatter<'f>,
    room: Option<usize>,
}

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            let Some(room) = self.room else { return Ok(()) };
            // Quotes delimit nothing here, and most of these texts have some.
            let escaped = (!matches!(c, '"' | '\'')).then(|| c.escape_debug());
            let length = escaped.as_ref().map_or(1, |escaped| escaped.clone().map(char::len_utf8).sum());
            self.room = room.checked_sub(length);
            match (self.room, escaped) {
                (None, _) => self.line.write_char('…')?,
                (_, None) => self.line.write_char(c)?,
                (_, Some(escaped)) => write!(self.line, "{escaped}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_takes_so_many_lines_a_second_and_one_that_counts_the_rest() {
        let quota = Quota::new();
        for line in 1..=Quota::LINES + 7 {
            assert_eq!(quota.spend(5), (line <= Quota::LINES, 0), "{line}");
        }
        assert_eq!(quota.spend(6), (true, 7), "the next second says how many there were");
        assert_eq!(quota.spend(9), (true, 0), "once");
    }
}
