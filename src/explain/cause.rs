//! In words: the steps that a request passed, and the causes that need no search.

use bytes::Bytes;
use http::request::Parts;

use super::Passed;
use super::normal_forms::composed;
use super::requests::is_like_a_signature;
use super::work::{Share, Work};
use crate::VerifyLayer;
use crate::engine::Rehearsal;
use crate::form::{Extracted, Form, Presence, Usage};
use crate::keys::Key;
use crate::rejection::{Facts, Reason, Rejection, Step};

pub(super) fn passed<Credential>(rehearsal: &Rehearsal<Credential>) -> Vec<Passed> {
    let mut passed = Vec::new();
    if rehearsal.presence == Some(Presence::Absent) {
        return passed;
    }
    let end = rehearsal.refused.as_ref().map_or(Step::Replay, |refused| refused.reason().step());
    let mut pass = |step, seen: String| {
        if step < end {
            passed.push(Passed { step, seen });
        }
    };
    if let Some(presented) = &rehearsal.presented {
        let place = if rehearsal.presence == Some(Presence::InBody) { "with the body" } else { "in the head" };
        pass(Step::Extract, format!("a credential {place}"));
        let tenant = presented.tenant.as_ref().map_or_else(|| "no tenant".into(), |name| format!("tenant {name:?}"));
        let keys = rehearsal.keys.as_deref().unwrap_or_default();
        let active = keys.iter().filter(|key| key.is_active(rehearsal.now)).count();
        pass(Step::Keys, format!("{tenant} has {active} active and {} ended keys", keys.len() - active));
    }
    pass(Step::Verify, "an active key made the signature".into());
    pass(Step::Time, "inside its window".into());
    pass(Step::Claims, "the claims have the required shape".into());
    passed
}

/// A request that was refused, and what is known besides.
pub(super) struct Refused<'r, F: Form, C> {
    pub(super) layer: &'r VerifyLayer<F, C>,
    pub(super) form: &'r F,
    pub(super) rejection: &'r Rejection,
    pub(super) head: &'r Parts,
    pub(super) body: &'r Bytes,
}

impl<F: Form, C> Refused<'_, F, C> {
    /// What is certain: the times say it, a key that has ended fits, or a tenant is written in another case.
    pub(super) fn before_the_search(&self, rehearsal: &Rehearsal<F::Credential>, work: &Work) -> Option<String> {
        let reason = self.rejection.reason();
        if reason.step() == Step::Time {
            return wrong_time(reason, self.rejection.facts(), self.old()).or_else(|| Some(reason.to_string()));
        }
        let (presented, keys) = (rehearsal.presented.as_ref()?, rehearsal.keys.as_ref()?);
        let is_ended = |key: &&Key| !key.is_active(rehearsal.now);
        if self.made_with(presented, keys.iter().filter(is_ended), work).is_some() {
            return Some("it was made with a key that has ended: the partner still signs with the old secret".into());
        }
        match (reason, &presented.tenant) {
            (Reason::UnknownKey, Some(tenant)) if !keys.is_empty() && !self.layer.rules().looks_keys_up => {
                Some(format!("all keys of tenant {tenant:?} have ended: give it a new one"))
            }
            (Reason::UnknownKey, Some(tenant)) => {
                let difference = |other: &str| difference(tenant.as_str().trim(), other.trim());
                let owners = rehearsal.known.iter().filter_map(Key::owner);
                let (near, what) = owners.filter_map(|owner| Some((owner, difference(owner.as_str())?))).next()?;
                Some(format!("there is no tenant {tenant:?}, but one of the name {near:?}: {what}"))
            }
            _ => None,
        }
    }

    /// What is left if no slip fits.
    pub(super) fn after_the_search(&self, rehearsal: &Rehearsal<F::Credential>, work: &Work) -> Option<String> {
        let presented = rehearsal.presented.as_ref();
        match self.rejection.reason() {
            Reason::UnknownKey | Reason::BadSignature if self.layer.rules().looks_keys_up => Some(
                "nothing is known under this credential: it was used up, has ended, was revoked, or is from elsewhere"
                    .into(),
            ),
            Reason::BadSignature => self.key_of_another(&rehearsal.known, presented?, work),
            Reason::UnknownKey => {
                let unknown = unknown_tenant(self.layer, presented?);
                Some(match self.key_of_another(&rehearsal.known, presented?, work) {
                    Some(cause) => format!("{unknown}; {cause}"),
                    None => format!("{unknown}: it was not set up, or the partner names another one"),
                })
            }
            Reason::MissingSignature => Some(missing_signature(self.head)),
            reason => Some(reason.to_string()),
        }
    }

    /// How an honest request grows old.
    fn old(&self) -> &'static str {
        match self.layer.rules().usage {
            Usage::Idempotent { .. } => "a retry kept the time of the first attempt",
            _ => "the link lay around",
        }
    }

    fn made_with<'k>(
        &self,
        presented: &Extracted<F::Credential>,
        mut keys: impl Iterator<Item = &'k Key>,
        work: &Work,
    ) -> Option<&'k Key> {
        keys.find(|key| {
            work.may_check(self.head, self.body, Share::Others)
                && self.form.verify(&presented.credential, key.secret()).is_ok()
        })
    }

    /// The keys of other tenants, as far as they are known: another customer's, or the other environment's.
    fn key_of_another(&self, known: &[Key], presented: &Extracted<F::Credential>, work: &Work) -> Option<String> {
        Some(match self.made_with(presented, known.iter(), work)?.owner() {
            Some(owner) => format!("it was made with the key of tenant {owner:?}: the request names another one"),
            None => "it was made with another tenant's key: the request names the wrong one".into(),
        })
    }
}

/// In what two names differ that people read as one.
fn difference(one: &str, other: &str) -> Option<&'static str> {
    let folded = |name: &str| composed(name).to_lowercase();
    if one.eq_ignore_ascii_case(other) {
        return Some("case or white space differ");
    }
    if one.is_ascii() || other.is_ascii() || folded(one) != folded(other) {
        return None;
    }
    Some(match composed(one) == composed(other) {
        true => "they look the same, and are in different Unicode normal forms (NFC, NFD)",
        false => "case or white space differ",
    })
}

fn unknown_tenant<F: Form, C>(layer: &VerifyLayer<F, C>, presented: &Extracted<F::Credential>) -> String {
    let (rules, settings) = (layer.rules(), layer.settings());
    let Some(tenant) = &presented.tenant else {
        return format!("the request names no tenant (by {:?})", settings.tenant);
    };
    let by = if rules.signs_tenant { "its signed name".into() } else { format!("{:?}", settings.tenant) };
    format!("there is no tenant {tenant:?} (by {by})")
}

fn missing_signature(head: &Parts) -> String {
    let others = head.headers.keys().filter(|name| is_like_a_signature(name));
    let others: Vec<&str> = others.map(http::HeaderName::as_str).take(4).collect();
    if others.is_empty() {
        return "no header is like a signature: the sender does not sign, or a proxy takes the header away".into();
    }
    format!("the signature's header is not there, but `{}`: another sender's, or another setting", others.join("`, `"))
}

/// In words.
fn wrong_time(reason: &Reason, facts: &Facts, old: &str) -> Option<String> {
    let fact = |name| facts.get(name).unwrap_or("?");
    if let Some(hint) = facts.get("hint") {
        return Some(hint.into());
    }
    let age = facts.get("age");
    let zone = if age.is_some_and(is_time_zone) { "; or it writes its local time, where UTC is meant" } else { "" };
    match (reason, age) {
        (Reason::NotYetValid, Some(age)) => Some(format!(
            "the partner's clock is {} ahead of this one, and {} are allowed{zone}",
            age.trim_start_matches('-'),
            fact("ahead_at_most")
        )),
        (Reason::NotYetValid, None) => Some(format!("it is valid only in {}: compare the clocks", fact("until_start"))),
        (Reason::Expired, Some(_)) if fact("oldest").starts_with('-') => {
            Some("it ends before it was made: the partner computes its lifetime wrong".into())
        }
        (Reason::Expired, Some(age)) => Some(format!(
            "it was made {age} ago, and may be {} old: {old}, or the partner's clock is behind{zone}",
            fact("oldest")
        )),
        (Reason::Expired, None) => Some(format!("it ended {} ago: {old}, or clocks differ", fact("since_end"))),
        _ => None,
    }
}

/// Whether an age is a time zone's distance from UTC, but for a minute: half an hour or more, in quarters.
fn is_time_zone(age: &str) -> bool {
    const QUARTER: u64 = 15 * 60;
    let digits: String = age.trim_start_matches('-').chars().take_while(char::is_ascii_digit).collect();
    let seconds = digits.parse::<u64>().unwrap_or_default();
    let quarters = (seconds + 60) / QUARTER;
    (2..=14 * 4).contains(&quarters) && seconds.abs_diff(quarters * QUARTER) <= 60
}
