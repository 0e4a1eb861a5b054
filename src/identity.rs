//! The result of a successful check: [`Identity`].

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use http::Extensions;

use crate::clock::UnixTime;
use crate::form::{Rules, Usage};
use crate::keys::{KeyUse, TenantId};
use crate::replay::{Claimed, Fingerprint};
use crate::window::Validity;

/// A verified identity: claims of type `C`, and how they were proved.
///
/// It is in the request's extensions, and only a layer can make one. It derefs to the claims, and is cheap to clone.
/// With the feature `axum` it is an extractor.
///
/// ```
/// use http::Request;
/// use tower_sso::Identity;
///
/// struct User {
///     name: String,
/// }
///
/// fn greeting<B>(request: &Request<B>) -> String {
///     match Identity::<User>::of(request.extensions()) {
///         Some(user) => format!("Hello {} of {}", user.name, user.tenant()),
///         None => "Hello stranger".to_owned(),
///     }
/// }
/// ```
///
/// A handler cannot make one up:
///
/// ```compile_fail,E0423
/// fn forge() -> tower_sso::Identity<u8> {
///     tower_sso::Identity(std::sync::Arc::new(7))
/// }
/// ```
pub struct Identity<C> {
    proved: Arc<Proved<C>>,
    is_duplicate: bool,
}

/// What an identity holds.
pub(crate) struct Proved<C> {
    pub(crate) claims: C,
    pub(crate) form: &'static str,
    pub(crate) tenant: TenantId,
    pub(crate) key_use: KeyUse,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) validity: Validity,
    /// The reading of the clock that decided every time check.
    pub(crate) checked_at: UnixTime,
}

/// Permission to make an identity: for a first claim, or where the form lets a credential come again. Nothing else
/// gives it.
pub(crate) struct Admission {
    is_duplicate: bool,
}

impl Admission {
    /// For a credential that the replay store had not seen.
    pub(crate) fn first(claimed: Claimed) -> Result<Self, Claimed> {
        if claimed == Claimed::First { Ok(Self { is_duplicate: false }) } else { Err(claimed) }
    }

    /// For a form whose credentials may come again at any time.
    pub(crate) fn reusable(usage: Usage) -> Option<Self> {
        (usage == Usage::Reusable).then_some(Self { is_duplicate: false })
    }

    /// For a duplicate, if the form hands duplicates on.
    pub(crate) fn duplicate(rules: &Rules) -> Option<Self> {
        rules.hands_duplicates_on.then_some(Self { is_duplicate: true })
    }
}

impl<C> Identity<C> {
    pub(crate) fn new(proved: Arc<Proved<C>>, admission: Admission) -> Self {
        Self { proved, is_duplicate: admission.is_duplicate }
    }

    /// An identity that nothing has proved, for tests of a handler: current key, no time, a fingerprint of zeros. Only
    /// with feature `testing`, **which does not belong in a program that serves**.
    ///
    /// ```
    /// use tower_sso::Identity;
    ///
    /// let ada = Identity::unproved("fernet", "4321", "ada");
    /// assert_eq!((ada.tenant().as_str(), *ada.claims()), ("4321", "ada"));
    /// ```
    #[cfg(feature = "testing")]
    #[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
    pub fn unproved(form: &'static str, tenant: impl Into<TenantId>, claims: C) -> Self {
        let proved = Proved {
            claims,
            form,
            tenant: tenant.into(),
            key_use: KeyUse::Current,
            fingerprint: [0; 32].into(),
            validity: Validity::unlimited(),
            checked_at: UnixTime::MIN,
        };
        Self { proved: Arc::new(proved), is_duplicate: false }
    }

    /// The partner's claims about the user.
    pub fn claims(&self) -> &C {
        &self.proved.claims
    }

    /// The form of the credential, such as `"fernet"`.
    pub fn form(&self) -> &'static str {
        self.proved.form
    }

    /// The tenant whose key signed it.
    pub fn tenant(&self) -> &TenantId {
        &self.proved.tenant
    }

    /// Which of the tenant's keys signed it. [`KeyUse::Previous`] should fall to zero before a rotation ends.
    pub fn key_use(&self) -> KeyUse {
        self.proved.key_use
    }

    /// The time written in the credential, if it has one.
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.proved.validity.issued_at()
    }

    /// The credential's age in seconds when it was checked; negative if it is from the future.
    pub(crate) fn age(&self) -> Option<f64> {
        self.proved.validity.age(self.proved.checked_at)
    }

    /// The last instant at which the credential would have been accepted; [`UnixTime::MAX`] if it has no time.
    pub fn expires_at(&self) -> UnixTime {
        self.proved.validity.not_after()
    }

    /// Identifies this credential: duplicates have the same fingerprint. Safe to store and to log.
    ///
    /// A handler that must do its work once for ever, not once per window, stores it in its database, in the same
    /// transaction.
    pub fn fingerprint(&self) -> Fingerprint {
        self.proved.fingerprint
    }

    /// Whether the layer knows this as a duplicate of a delivery that was processed. Always `false`, unless the layer
    /// hands duplicates on.
    pub fn is_duplicate(&self) -> bool {
        self.is_duplicate
    }
}

impl<C: Send + Sync + 'static> Identity<C> {
    /// The identity in a request's extensions, if a layer for these claims has put one there.
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }
}

impl<C> Deref for Identity<C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.claims()
    }
}

impl<C> Clone for Identity<C> {
    fn clone(&self) -> Self {
        Self { proved: Arc::clone(&self.proved), is_duplicate: self.is_duplicate }
    }
}

/// Leaves out the claims, which are personal data.
impl<C> fmt::Debug for Identity<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("form", &self.form())
            .field("tenant", self.tenant())
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}
