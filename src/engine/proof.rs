//! Verify, time, claims and replay as types. Each is made only from the one before it, so none of them can be skipped.
//!
//! [`Verified`] → [`Fresh`] → [`Accepted`] → [`Identity`]. The last step also takes an [`Admission`]: the replay store
//! says that the claim was the first, or the form allows duplicates.

use std::hint::black_box;
use std::sync::Arc;

use super::check::{Passed, Stop};
use super::lease::LeaseGuard;
use super::{Engine, Presented};
use crate::clock::UnixTime;
use crate::form::Form;
use crate::identity::{Admission, Identity, Proved};
use crate::keys::{Key, Keys, TenantId};
use crate::observe;
use crate::rejection::{Facts, Reason};
use crate::replay::{Fingerprint, FingerprintHasher};
use crate::window::Validity;

/// A credential signed with one of the tenant's active keys.
pub(super) struct Verified<'e, F: Form, C> {
    engine: &'e Engine<F, C>,
    now: UnixTime,
    message: F::Message,
    /// The name in the request.
    named: Option<&'e TenantId>,
    key: &'e Key,
}

/// A verified credential inside its window.
pub(super) struct Fresh<'e, F: Form, C> {
    verified: Verified<'e, F, C>,
    validity: Validity,
}

/// A fresh credential whose claims the form and the application accept.
pub(super) struct Accepted<C> {
    proved: Arc<Proved<C>>,
}

impl<'e, F: Form, C> Verified<'e, F, C> {
    /// Tries all active keys. If no key is active, tries the decoy, so that an unknown tenant costs as much as a wrong
    /// key.
    #[inline]
    pub(super) fn by_one_of(
        keys: &'e Keys,
        presented: &'e Presented<F>,
        now: UnixTime,
        engine: &'e Engine<F, C>,
    ) -> Result<Self, Reason> {
        let named = presented.tenant.as_ref();
        let logged = || named.cloned().unwrap_or_else(|| "".into());
        // The refusal if no key fits: there is no active key, all are unusable, or no usable one made this signature.
        let mut refused = Reason::UnknownKey;
        for key in keys.iter().filter(|key| key.is_active(now)) {
            let checked = match key.secret().weakness() {
                Some(weakness) => Err(Reason::UnusableKey(weakness)),
                None => engine.form.verify(&presented.credential, key.secret()),
            };
            match checked {
                Ok(message) => return Ok(Self { engine, now, message, named, key }),
                Err(Reason::BadSignature) => {
                    refused = Reason::BadSignature;
                    if let Some(slip) = engine.rules.slip(key.secret()).or_else(|| key.secret().shortness()) {
                        observe::doubtful_key(F::NAME, &logged(), slip);
                    }
                }
                // One broken key must not shut out whoever holds the other.
                Err(Reason::UnusableKey(what)) => {
                    observe::unusable_key(F::NAME, &logged(), what);
                    if refused == Reason::UnknownKey {
                        refused = Reason::UnusableKey(what);
                    }
                }
                Err(other) => return Err(other),
            }
        }
        Err(if refused == Reason::UnknownKey { engine.try_decoy(presented) } else { refused })
    }

    /// Whose credential it is: the owner of the key, or the tenant that the request names.
    fn tenant(&self) -> Option<&'e TenantId> {
        self.key.owner().or(self.named)
    }

    #[inline]
    pub(super) fn fresh(self) -> Result<Fresh<'e, F, C>, Stop> {
        let validity = match self.engine.form.validity(&self.message) {
            Ok(validity) => validity,
            Err(reason) => return Err(Stop::Refused(reason, self.tenant().cloned(), Facts::new())),
        };
        match validity.check(self.now) {
            Ok(()) => Ok(Fresh { verified: self, validity }),
            Err(reason) => {
                let (facts, age) = (validity.compared_with(self.now), validity.age(self.now));
                Err(Stop::Untimely(reason, self.tenant().cloned(), facts, age))
            }
        }
    }
}

impl<'e, F: Form, C> Fresh<'e, F, C> {
    /// Also returns the key: a check records its use, a rehearsal does not.
    #[inline]
    pub(super) fn with_claims(self) -> Result<(Accepted<C>, &'e Key), Stop> {
        let tenant = self.verified.tenant();
        let Self { verified: Verified { engine, now, message, named, key }, validity } = self;
        let fingerprint = engine.fingerprint(&message, named, key);
        let claims = match engine.form.claims(message, now).and_then(&engine.map_claims) {
            Ok(claims) => claims,
            Err(reason) => return Err(Stop::Refused(reason, tenant.cloned(), Facts::new())),
        };
        let tenant = tenant.map_or_else(|| "".into(), TenantId::clone);
        let (form, key_use) = (F::NAME, key.key_use());
        let proved = Proved { claims, form, tenant, key_use, fingerprint, validity, checked_at: now };
        Ok((Accepted { proved: Arc::new(proved) }, key))
    }
}

impl<C> Accepted<C> {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.proved.fingerprint
    }

    pub(super) fn validity(&self) -> &Validity {
        &self.proved.validity
    }

    pub(super) fn tenant(&self) -> &TenantId {
        &self.proved.tenant
    }

    pub(super) fn checked_at(&self) -> UnixTime {
        self.proved.checked_at
    }

    /// A refusal of what is authentic.
    pub(super) fn refuse(&self, reason: Reason) -> Stop {
        Stop::Refused(reason, Some(self.proved.tenant.clone()), Facts::new())
    }

    pub(super) fn passed(&self, admission: Admission, lease: Option<LeaseGuard>, ended: UnixTime) -> Passed<C> {
        Passed { identity: Identity::new(Arc::clone(&self.proved), admission), lease, ended }
    }
}

impl<C> Clone for Accepted<C> {
    fn clone(&self) -> Self {
        Self { proved: Arc::clone(&self.proved) }
    }
}

impl<F: Form, C> Engine<F, C> {
    /// The refusal of a tenant without an active key. The decoy's result does not count, as nobody has this key, but
    /// for a throttle's refusal: that must not depend on the tenant.
    fn try_decoy(&self, presented: &Presented<F>) -> Reason {
        if !self.rules.looks_keys_up {
            observe::unknown_tenant(F::NAME, presented.tenant.as_ref());
        }
        match black_box(self.form.verify(&presented.credential, &self.rules.decoy)) {
            Err(reason @ Reason::TooManyGuesses(_)) => reason,
            _ => Reason::UnknownKey,
        }
    }

    /// Whether all keys are one sender's.
    fn has_one_owner(&self) -> bool {
        self.settings.keys.as_ref().is_some_and(|keys| keys.ignores_tenant())
    }

    /// What makes two credentials the same: what was signed, never a name that the sender chooses.
    fn fingerprint(&self, message: &F::Message, named: Option<&TenantId>, key: &Key) -> Fingerprint {
        let mut fingerprint = FingerprintHasher::new(F::NAME);
        if self.rules.signs_tenant {
            // The name that was signed, whoever owns the key.
            fingerprint.signed_tenant(named.map_or("", TenantId::as_str));
        }
        fingerprint.namespace(&self.settings.namespace);
        if self.rules.bound_to_owner && !self.has_one_owner() {
            match key.owner() {
                Some(owner) => fingerprint.part(b"owner").part(owner.as_str().as_bytes()),
                None => fingerprint.part(b"key").part(key.secret().expose()),
            };
        }
        self.form.fingerprint(message, &mut fingerprint);
        fingerprint.finish()
    }
}
