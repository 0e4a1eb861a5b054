//! The steps of a check as types: each is made only from the one before it, so a skipped check does not compile.
//!
//! [`Verified`] → [`Fresh`] → [`Accepted`] → [`Unique`], and [`Identity`](crate::identity::Identity) is made only from
//! the last.

use std::sync::Arc;

use crate::clock::UnixTime;
use crate::form::Form;
use crate::keys::{KeyUse, Keys, Secret, TenantId};
use crate::observe;
use crate::rejection::Reason;
use crate::replay::{Fingerprint, ReplayKey};
use crate::window::Validity;

/// One of the tenant's active keys made the signature.
pub(crate) struct Verified<F: Form> {
    message: F::Message,
    key_use: KeyUse,
    fingerprint: ReplayKey,
    tenant: TenantId,
}

/// It is inside its window.
pub(crate) struct Fresh<F: Form> {
    verified: Verified<F>,
    validity: Validity,
}

/// It says what the form requires. What is to become an identity stays where it is from now on.
pub(crate) struct Accepted<F: Form>(Arc<Proved<F::Claims>>);

/// It was not used before.
pub(crate) struct Unique<F: Form>(Accepted<F>);

/// What an identity holds.
pub(crate) struct Proved<C> {
    pub(crate) claims: C,
    pub(crate) form: &'static str,
    pub(crate) tenant: TenantId,
    pub(crate) proof: Proof,
}

/// What is known of an accepted credential, apart from its claims.
#[derive(Clone, Copy)]
pub(crate) struct Proof {
    pub(crate) key_use: KeyUse,
    pub(crate) fingerprint: ReplayKey,
    pub(crate) validity: Validity,
}

impl<F: Form> Verified<F> {
    /// Tries all active keys. Without any, the decoy is tried, so that an unknown tenant costs what a wrong key costs.
    #[inline]
    pub(crate) fn check(
        form: &F,
        credential: &F::Credential,
        tenant: &TenantId,
        keys: &Keys,
        decoy: &Secret,
        scope: &str,
        now: UnixTime,
    ) -> Result<Self, Reason> {
        // The worst that is known of the tenant's keys: there are none, they are unusable, they made no such signature.
        let mut refused = Reason::UnknownKey;
        for key in keys.iter().filter(|key| key.is_active(now)) {
            let checked = match key.secret().weakness() {
                Some(weakness) => Err(Reason::UnusableKey(weakness)),
                None => form.verify(credential, key.secret()),
            };
            match checked {
                Ok(message) => {
                    let mut fingerprint = Fingerprint::new(F::NAME);
                    if form.signs_tenant() {
                        // The name that was signed, whoever the key is said to belong to.
                        fingerprint.signed_tenant(tenant);
                    }
                    fingerprint.scope(scope);
                    form.fingerprint(&message, &mut fingerprint);
                    let tenant = key.owner().unwrap_or(tenant).clone();
                    return Ok(Self { message, key_use: key.key_use(), fingerprint: fingerprint.finish(), tenant });
                }
                Err(Reason::BadSignature) => {
                    refused = Reason::BadSignature;
                    if let Some(slip) = key.secret().slip() {
                        observe::doubtful_key(F::NAME, tenant, slip);
                    }
                }
                // One broken key must not shut out those that have the other.
                Err(Reason::UnusableKey(what)) => {
                    observe::unusable_key(F::NAME, tenant, what);
                    if refused == Reason::UnknownKey {
                        refused = Reason::UnusableKey(what);
                    }
                }
                Err(other) => return Err(other),
            }
        }
        if refused == Reason::UnknownKey {
            // Whatever it says, nobody is known who could have signed this.
            _ = std::hint::black_box(form.verify(credential, decoy));
        }
        Err(refused)
    }

    #[inline]
    pub(crate) fn check_time(self, form: &F, now: UnixTime) -> Result<Fresh<F>, Reason> {
        let validity = form.validity(&self.message)?;
        validity.check(now)?;
        Ok(Fresh { verified: self, validity })
    }
}

impl<F: Form> Fresh<F> {
    #[inline]
    pub(crate) fn check_claims(self, form: &F, now: UnixTime) -> Result<Accepted<F>, Reason> {
        let Self { verified: Verified { message, key_use, fingerprint, tenant }, validity } = self;
        let claims = form.claims(message, now)?;
        let proof = Proof { key_use, fingerprint, validity };
        Ok(Accepted(Arc::new(Proved { claims, form: F::NAME, tenant, proof })))
    }
}

impl<F: Form> Accepted<F> {
    pub(crate) fn proof(&self) -> &Proof {
        &self.0.proof
    }

    /// The replay store said that this is the first of its copies.
    #[inline]
    pub(crate) fn first_of_its_copies(self, claim: &FirstClaim) -> Unique<F> {
        let FirstClaim(()) = claim;
        Unique(self)
    }

    /// The form's credentials may come again, so there are no copies to tell apart.
    pub(crate) fn reusable(self, _: &ReusableForm) -> Unique<F> {
        Unique(self)
    }
}

impl<F: Form> Unique<F> {
    pub(crate) fn into_proved(self) -> Arc<Proved<F::Claims>> {
        self.0.0
    }
}

/// A replay store's word that a claim was the first.
pub(crate) struct FirstClaim(());

impl FirstClaim {
    pub(crate) fn of(claimed: crate::replay::Claimed) -> Result<Self, crate::replay::Claimed> {
        match claimed {
            crate::replay::Claimed::First => Ok(Self(())),
            other => Err(other),
        }
    }
}

/// A form's word that its credentials may come again.
pub(crate) struct ReusableForm(());

impl ReusableForm {
    pub(crate) fn of(form: &impl Form) -> Option<Self> {
        (form.usage() == crate::form::Usage::Reusable).then_some(Self(()))
    }
}
