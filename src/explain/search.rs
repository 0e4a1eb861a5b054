//! Tries the slips of a partner until one fits.

use bytes::Bytes;
use http::request::Parts;

use super::NearMiss;
use super::keys::other_keys;
use super::requests::{Names, as_received, other_requests};
use super::work::{Share, Work};
use crate::VerifyLayer;
use crate::clock::UnixTime;
use crate::engine::Rehearsal;
use crate::form::{Extracted, Form};
use crate::keys::{Key, Keys, Secret, TenantId};
use crate::rejection::{Code, Reason, Step};

/// Of a longer body, no variants are made.
const LONGEST_BODY: usize = 64 * 1024;

/// How many tenants are tried in the named one's place.
const MOST_TENANTS: usize = 20;

/// How often the key store is asked for other tenants that may be meant.
const MOST_LOOK_UPS: usize = 16;

/// Whether a slip in what was signed, or in how it was written, could explain it.
pub(super) fn is_worthwhile(reason: &Reason) -> bool {
    match reason.step() {
        Step::Extract => {
            reason.code() == Code::Malformed && !matches!(reason, Reason::IncompleteBody(_) | Reason::UnsignedBody)
        }
        Step::Keys => *reason == Reason::UnknownKey,
        Step::Verify => true,
        Step::Claims => !matches!(reason, Reason::RefusedByApplication(_)),
        Step::Time | Step::Replay => false,
    }
}

/// Whether another key could explain it.
pub(super) fn is_about_keys(reason: &Reason) -> bool {
    *reason == Reason::UnknownKey || reason.step() == Step::Verify
}

/// A tenant, named or not, and its keys.
struct Known {
    tenant: Option<TenantId>,
    keys: Keys,
}

/// The first tenants of these keys.
fn tenants(known: &[Key]) -> Vec<Known> {
    let mut tenants: Vec<(TenantId, Vec<Key>)> = Vec::new();
    for key in known {
        let Some(owner) = key.owner() else { continue };
        let has_room = tenants.len() < MOST_TENANTS;
        match tenants.iter_mut().find(|(tenant, _)| tenant == owner) {
            Some((_, keys)) => keys.push(key.clone()),
            None if has_room => tenants.push((owner.clone(), vec![key.clone()])),
            None => break,
        }
    }
    let known = |(tenant, keys): (_, Vec<Key>)| Known { tenant: Some(tenant), keys: keys.into_iter().collect() };
    tenants.into_iter().map(known).collect()
}

pub(super) struct Search<'r, F: Form, C> {
    layer: &'r VerifyLayer<F, C>,
    form: &'r F,
    /// The one that the request names.
    own: Option<Known>,
    /// Others, as far as they are known or were asked for.
    others: Vec<Known>,
    now: UnixTime,
    reason: &'r Reason,
    look_ups: usize,
    work: &'r mut Work,
}

impl<'r, F: Form, C> Search<'r, F, C> {
    pub(super) fn new(
        layer: &'r VerifyLayer<F, C>,
        form: &'r F,
        rehearsal: &Rehearsal<F::Credential>,
        reason: &'r Reason,
        work: &'r mut Work,
    ) -> Self {
        let tenant = rehearsal.presented.as_ref().map(|presented| presented.tenant.clone());
        let own = tenant.zip(rehearsal.keys.clone()).map(|(tenant, keys)| Known { tenant, keys });
        Self { layer, form, own, others: tenants(&rehearsal.known), now: rehearsal.now, reason, look_ups: 0, work }
    }

    /// The form's own suspects come first: what they say is more precise than that another key fits.
    pub(super) async fn run(mut self, head: &Parts, body: &Bytes) -> Option<String> {
        if body.len() > LONGEST_BODY {
            return None;
        }
        let signed = self.form.signed_part(body);
        let body = signed.as_ref().unwrap_or(body);
        let near = self.form.near_misses(head, body).into_iter();
        if let Some(cause) = self.first_that_fits(near, head, body, Share::Settings).await {
            return Some(cause);
        }
        if let Some(cause) = self.other_key(head, body) {
            return Some(cause);
        }
        let (received, names) = (as_received(head), self.names());
        let near = other_requests(&received, body, &names);
        self.first_that_fits(near, head, body, Share::Requests).await
    }

    async fn first_that_fits(
        &mut self,
        near: impl Iterator<Item = NearMiss<F>>,
        head: &Parts,
        body: &Bytes,
        share: Share,
    ) -> Option<String> {
        for NearMiss { cause, form, request } in near {
            let is_written = request.as_ref().is_some_and(|(_, other)| other.as_ptr() != body.as_ptr());
            let (head, body) = request.as_ref().map_or((head, body), |(head, body)| (head, body));
            if !self.work.may_try(head, body, is_written, share) {
                return None;
            }
            if self.fits(form.as_ref().unwrap_or(self.form), head, body, share).await {
                return Some(cause);
            }
        }
        None
    }

    fn names(&self) -> Names {
        let name = |known: &Known| known.tenant.as_ref().map(ToString::to_string);
        Names {
            missing: match self.reason {
                Reason::MissingParameter(name) => Some(name.to_string()),
                _ => None,
            },
            tenant: self.own.as_ref().and_then(name),
            other_tenants: self.others.iter().filter_map(name).collect(),
        }
    }

    async fn fits(&mut self, form: &F, head: &Parts, body: &Bytes, share: Share) -> bool {
        let Some(presented) = self.layer.read_by(form, head, body) else { return false };
        let known = self.own.iter().chain(&self.others).position(|known| known.tenant == presented.tenant);
        let known = match known.filter(|_| !self.layer.rules().looks_keys_up) {
            Some(known) => known,
            None if self.look_ups == MOST_LOOK_UPS => return false,
            None => {
                self.look_ups += 1;
                let (Ok(keys), _) = self.layer.keys_by(form, &presented).await else { return false };
                self.others.push(Known { tenant: presented.tenant.clone(), keys });
                usize::from(self.own.is_some()) + self.others.len() - 1
            }
        };
        let Some(known) = self.own.iter().chain(&self.others).nth(known) else { return false };
        let mut keys = known.keys.iter().filter(|key| key.is_active(self.now)).map(Key::secret);
        let is_right = |key: &Secret| self.is_right(form, &presented, key);
        let further = |key: &Secret| self.work.may_check(head, body, share) && is_right(key);
        keys.next().is_some_and(is_right) || keys.any(further)
    }

    /// Whether this key verifies it, and, if its claims failed, they pass.
    fn is_right(&self, form: &F, presented: &Extracted<F::Credential>, key: &Secret) -> bool {
        match form.verify(&presented.credential, key) {
            Ok(message) if self.reason.step() == Step::Claims => {
                form.validity(&message).is_ok() && form.claims(message, self.now).is_ok()
            }
            Ok(_) => true,
            Err(_) => false,
        }
    }

    /// Another spelling of a secret.
    fn other_key(&self, head: &Parts, body: &Bytes) -> Option<String> {
        let any_secret = self.form.with_any_secret();
        let form = any_secret.as_ref().unwrap_or(self.form);
        let presented = self.layer.read_by(form, head, body)?;
        let keys = &self.own.as_ref()?.keys;
        // The likeliest of all secrets, then the next of all.
        let others = keys.iter().map(|key| other_keys(key.secret()).into_iter());
        for (cause, other) in in_turns(others.collect()) {
            if !self.work.may_check(head, body, Share::Secrets) {
                return None;
            }
            if self.is_right(form, &presented, &other) {
                return Some(cause.to_owned());
            }
        }
        None
    }
}

/// One of each, then one of each again.
fn in_turns<T>(mut all: Vec<impl Iterator<Item = T>>) -> impl Iterator<Item = T> {
    let mut turn = 0;
    std::iter::from_fn(move || {
        while !all.is_empty() {
            turn %= all.len();
            match all.get_mut(turn).and_then(Iterator::next) {
                Some(next) => {
                    turn += 1;
                    return Some(next);
                }
                None => drop(all.remove(turn)),
            }
        }
        None
    })
}
