//! Tries the slips of a partner until one fits.

use bytes::Bytes;
use http::request::Parts;

use super::NearMiss;
use super::keys::other_keys;
use super::requests::{Names, other_requests};
use crate::VerifyLayer;
use crate::clock::UnixTime;
use crate::engine::Rehearsal;
use crate::form::{Extracted, Form};
use crate::keys::{Key, Keys, Secret, TenantId};
use crate::rejection::{Code, Reason, Step};

/// How many requests and settings are tried. A MAC of a short request takes about a microsecond.
const MOST_TRIES: usize = 600;

/// How many bytes are signed for it, so that a large body takes milliseconds.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What a request without a body and a query counts as.
const LEAST_BYTES: usize = 1024;

/// Of a longer body, no variants are made.
const LONGEST_BODY: usize = 64 * 1024;

/// How many tenants are tried in the named one's place.
const MOST_TENANTS: usize = 20;

/// How often the key store is asked for other tenants that may be meant.
const MOST_LOOK_UPS: usize = 16;

/// Whether a slip in what was signed, or in how it was written, could explain it.
pub(super) fn is_worthwhile(reason: &Reason) -> bool {
    match reason.step() {
        Step::Extract => reason.code() == Code::Malformed && !matches!(reason, Reason::IncompleteBody(_)),
        Step::Keys => *reason == Reason::UnknownKey,
        Step::Verify => true,
        Step::Claims => !matches!(reason, Reason::RefusedByApplication(_)),
        Step::Time | Step::Replay => false,
    }
}

/// A tenant, named or not, and its keys.
struct Known {
    tenant: Option<TenantId>,
    keys: Keys,
}

/// Tenants that the key store names.
fn tenants_of(known: &[Key]) -> Vec<Known> {
    let mut tenants: Vec<(&TenantId, Vec<Key>)> = Vec::new();
    for key in known {
        let Some(owner) = key.owner() else { continue };
        let has_room = tenants.len() < MOST_TENANTS;
        match tenants.iter_mut().find(|(tenant, _)| *tenant == owner) {
            Some((_, keys)) => keys.push(key.clone()),
            None if has_room => tenants.push((owner, vec![key.clone()])),
            None => {}
        }
    }
    let known = |(tenant, keys): (&TenantId, Vec<Key>)| Known {
        tenant: Some(tenant.clone()),
        keys: keys.into_iter().collect(),
    };
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
}

/// What may still be tried.
struct Left {
    tries: usize,
    bytes: usize,
}

impl Left {
    /// Whether this may be tried too.
    fn take<F>(&mut self, near: &NearMiss<F>) -> bool {
        let query = near.head.uri.query().map_or(0, str::len);
        match (self.tries.checked_sub(1), self.bytes.checked_sub(LEAST_BYTES + query + near.body.len())) {
            (Some(tries), Some(bytes)) => {
                *self = Self { tries, bytes };
                true
            }
            _ => false,
        }
    }
}

impl<'r, F: Form, C> Search<'r, F, C> {
    pub(super) fn new(
        layer: &'r VerifyLayer<F, C>,
        form: &'r F,
        rehearsal: &Rehearsal<F::Credential>,
        reason: &'r Reason,
    ) -> Self {
        let tenant = rehearsal.presented.as_ref().map(|presented| presented.tenant.clone());
        let own = tenant.zip(rehearsal.keys.clone()).map(|(tenant, keys)| Known { tenant, keys });
        Self { layer, form, own, others: tenants_of(&rehearsal.known), now: rehearsal.now, reason, look_ups: 0 }
    }

    /// The form's own suspects come first: what they say is more precise than that another key fits.
    pub(super) async fn run(mut self, head: &Parts, body: &Bytes) -> Option<String> {
        if body.len() > LONGEST_BODY {
            return None;
        }
        let mut left = Left { tries: MOST_TRIES, bytes: MOST_BYTES };
        for near in self.form.near_misses(head, body) {
            if left.take(&near) && self.fits(&near).await {
                return Some(near.cause);
            }
        }
        if let Some(cause) = self.other_key(head, body) {
            return Some(cause);
        }
        for near in other_requests(head, body, &self.names()) {
            if left.take(&near) && self.fits(&near).await {
                return Some(near.cause);
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

    async fn fits(&mut self, near: &NearMiss<F>) -> bool {
        let form = near.form.as_ref().unwrap_or(self.form);
        let Some(presented) = self.layer.read_by(form, &near.head, &near.body) else { return false };
        let known = self.own.iter().chain(&self.others).find(|known| known.tenant == presented.tenant);
        let keys = match known.filter(|_| !self.layer.rules().looks_keys_up) {
            Some(known) => known.keys.clone(),
            None if self.look_ups == MOST_LOOK_UPS => return false,
            None => {
                self.look_ups += 1;
                let Ok(keys) = self.layer.keys_by(form, &presented).await else { return false };
                self.others.push(Known { tenant: presented.tenant.clone(), keys: keys.clone() });
                keys
            }
        };
        keys.iter().filter(|key| key.is_active(self.now)).any(|key| self.is_right(form, &presented, key.secret()))
    }

    /// Whether this key verifies it, and, if its claims failed, they pass.
    fn is_right(&self, form: &F, presented: &Extracted<F::Credential>, key: &Secret) -> bool {
        match form.verify(&presented.credential, key) {
            Ok(message) => self.reason.step() != Step::Claims || form.claims(message, self.now).is_ok(),
            Err(_) => false,
        }
    }

    /// Another spelling of a secret.
    fn other_key(&self, head: &Parts, body: &Bytes) -> Option<String> {
        let any_secret = self.form.with_any_secret();
        let form = any_secret.as_ref().unwrap_or(self.form);
        let presented = self.layer.read_by(form, head, body)?;
        let keys = &self.own.as_ref()?.keys;
        keys.iter()
            .map(Key::secret)
            .flat_map(other_keys)
            .find_map(|(cause, other)| self.is_right(form, &presented, &other).then(|| cause.to_owned()))
    }
}
