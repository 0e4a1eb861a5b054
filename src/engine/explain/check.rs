//! A check without its end: what [`explain`](crate::explain) says of a request.

use bytes::Bytes;
use http::request::Parts;

use super::Explanation;
use super::keys::other_keys;
use super::requests::other_requests;
use crate::engine::VerifyLayer;
use crate::engine::check::{Found, Stop};
use crate::engine::proof::Verified;
use crate::form::{Extracted, Form, Presence};
use crate::keys::{Key, Keys};
use crate::rejection::{Facts, Reason, Rejection, Step};
use crate::store::Within;

/// How many requests and settings are tried with each key. A MAC takes about a microsecond.
const MOST_TRIES: usize = 400;

/// How many keys of other tenants are tried.
const MOST_KEYS: usize = 1_000;

/// Of a longer body, no variants are made.
const LONGEST_BODY: usize = 64 * 1024;

impl<F: Form, C> VerifyLayer<F, C> {
    pub(crate) async fn explain(&self, head: &Parts, body: &Bytes) -> Explanation {
        let mut explanation = Explanation::default();
        if let Err(stop) = self.check(head, body, &mut explanation).await {
            let Stop::Refused(reason, found) = stop else { return explanation };
            let Found { tenant, facts } = found.unwrap_or_default();
            let namespace = self.engine().settings.namespace.clone();
            explanation.refused = Some(Rejection::new(F::NAME, reason).found(namespace, tenant, facts));
        }
        explanation
    }

    /// The steps of a check up to the replay store.
    async fn check(&self, head: &Parts, body: &Bytes, explanation: &mut Explanation) -> Result<(), Stop> {
        let engine = self.engine();
        let presence = engine.screen(head)?;
        let presented = engine.extract(head, body)?;
        let place = if presence == Presence::InBody { "with the body" } else { "in the head" };
        explanation.pass(Step::Extract, format!("a credential {place}"));
        let keys = Within::new(engine.settings.store_timeout, engine.look_up(&presented)).await;
        let keys = keys.map_err(|error| engine.stop(Reason::KeyStore(error.failure()), &presented))?;
        let now = engine.settings.clock.now();
        let tenant =
            presented.tenant.as_ref().map_or_else(|| "no tenant".into(), |tenant| format!("tenant {tenant:?}"));
        let active = keys.iter().filter(|key| key.is_active(now)).count();
        if active > 0 {
            explanation
                .pass(Step::Keys, format!("{tenant} has {active} active and {} ended keys", keys.len() - active));
        }
        let verified = Verified::by_one_of(&keys, &presented, engine).map_err(|reason| {
            explanation.cause = match reason {
                Reason::BadSignature => self.wrong_signature(&keys, &presented, head, body),
                Reason::UnknownKey => self.unknown_tenant(&keys, &presented, head),
                _ => None,
            };
            engine.stop(reason, &presented)
        })?;
        explanation.pass(Step::Verify, "an active key made the signature");
        let stop = |(reason, facts)| Stop::Refused(reason, Some(Found { tenant: presented.tenant.clone(), facts }));
        let fresh = verified.fresh().map_err(|(reason, facts)| {
            explanation.cause = wrong_time(&reason, &facts).or_else(|| Some(reason.to_string()));
            stop((reason, facts))
        })?;
        explanation.pass(Step::Time, "inside its window");
        fresh.with_claims().map_err(|(reason, facts)| {
            explanation.cause = Some(reason.to_string());
            stop((reason, facts))
        })?;
        explanation.pass(Step::Claims, "the claims have the required shape");
        Ok(())
    }

    /// What the partner may have signed, or signed with, instead.
    fn wrong_signature(
        &self,
        keys: &Keys,
        presented: &Extracted<F::Credential>,
        head: &Parts,
        body: &Bytes,
    ) -> Option<String> {
        if !self.engine().form.has_near_misses() || body.len() > LONGEST_BODY {
            return None;
        }
        let (form, now) = (&self.engine().form, self.engine().settings.clock.now());
        let is_made = |form: &F, credential: &F::Credential, key: &crate::Secret| form.verify(credential, key).is_ok();
        if keys.iter().any(|key| !key.is_active(now) && is_made(form, &presented.credential, key.secret())) {
            return Some("it was made with a key that has ended: the partner still signs with the old secret".into());
        }
        for key in keys.iter() {
            let mut others = other_keys(key.secret()).into_iter();
            if let Some((cause, _)) = others.find(|(_, other)| is_made(form, &presented.credential, other)) {
                return Some(cause.into());
            }
        }
        let active: Vec<&Key> = keys.iter().filter(|key| key.is_active(now)).collect();
        let near = other_requests(head, body).into_iter().chain(form.near_misses(head, body)).take(MOST_TRIES);
        for near in near {
            let form = near.form.as_ref().unwrap_or(form);
            let Ok(extracted) = form.extract(&near.head, &near.body) else { continue };
            if active.iter().any(|key| is_made(form, &extracted.credential, key.secret())) {
                return Some(near.cause);
            }
        }
        // The keys of other tenants, if they are all known: the other environment's, or another customer's.
        let known = self.engine().settings.keys.as_ref().and_then(|keys| keys.known_keys()).unwrap_or_default();
        let other = known.iter().take(MOST_KEYS).find(|key| is_made(form, &presented.credential, key.secret()))?;
        Some(match other.owner() {
            Some(owner) => format!("it was made with the key of tenant {owner:?}: the request names another one"),
            None => "it was made with another tenant's key: the request names the wrong one".into(),
        })
    }

    fn unknown_tenant(&self, keys: &Keys, presented: &Extracted<F::Credential>, head: &Parts) -> Option<String> {
        let engine = self.engine();
        if engine.rules.looks_keys_up {
            return None;
        }
        let Some(tenant) = &presented.tenant else {
            return Some(format!("the request names no tenant: it is looked for by {:?}", engine.settings.tenant));
        };
        if !keys.is_empty() {
            return Some(format!("all keys of tenant {tenant:?} have ended: give it a new one"));
        }
        let known = engine.settings.keys.as_ref().and_then(|keys| keys.known_keys()).unwrap_or_default();
        let is_near = |other: &str| other.trim().eq_ignore_ascii_case(tenant.as_str().trim());
        let near = known.iter().filter_map(Key::owner).find(|owner| is_near(owner.as_str()));
        let of =
            if engine.rules.signs_tenant { "its signed name".into() } else { format!("{:?}", engine.settings.tenant) };
        let _ = head;
        Some(match near {
            Some(near) => {
                format!("there is no tenant {tenant:?}, but one of the name {near:?}: case or white space differ")
            }
            None => {
                format!("there is no tenant {tenant:?} (by {of}): it was not set up, or the partner names another one")
            }
        })
    }
}

/// In words.
fn wrong_time(reason: &Reason, facts: &Facts) -> Option<String> {
    let fact = |name| facts.get(name).unwrap_or("?");
    if let Some(hint) = facts.get("hint") {
        return Some(hint.into());
    }
    match (reason, facts.get("age")) {
        (Reason::NotYetValid, Some(age)) => Some(format!(
            "the partner's clock is {} ahead of this one, and {} are allowed",
            age.trim_start_matches('-'),
            fact("ahead_at_most")
        )),
        (Reason::NotYetValid, None) => Some(format!("it is valid only in {}: compare the clocks", fact("until_start"))),
        (Reason::Expired, Some(age)) => Some(format!(
            "it was made {age} ago, and may be {} old: the link lay around, or the partner's clock is behind",
            fact("oldest")
        )),
        (Reason::Expired, None) => {
            Some(format!("it ended {} ago: the link lay around, or clocks differ", fact("since_end")))
        }
        _ => None,
    }
}
