//! What a form is to the engine: [`Form`].
//!
//! A form says where its parts stand in a request, how one key checks them, when they are stale, what makes them unique
//! and what they say. It does not order those steps, does not look for keys, does not keep time and does not remember:
//! the engine does that, in one place, for every form. See [`VerifyLayer`](crate::VerifyLayer) for how to mount a form
//! of your own.

use bytes::Bytes;
use http::request::Parts;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::ConfigError;
use crate::clock::{Clock, UnixTime};
use crate::keys::{Keys, Secret, TenantId};
use crate::rejection::Reason;
use crate::replay::{FingerprintHasher, ReplayStore};
use crate::store::{StoreError, StoreFuture};
use crate::window::Validity;

/// One way in which a signed identity arrives.
///
/// The methods are called in the order in which they stand here, and each only if those before it succeeded. Only
/// [`verify`](Self::verify) decides whether the credential is authentic; nothing before it may read the credential's
/// content as data.
///
/// ```
/// use bytes::Bytes;
/// use http::request::Parts;
/// use tower_sso::body::HeadOnly;
/// use tower_sso::clock::UnixTime;
/// use tower_sso::form::{Extracted, Form, Presence, Rules, Usage};
/// use tower_sso::keys::Secret;
/// use tower_sso::query::Query;
/// use tower_sso::rejection::Reason;
/// use tower_sso::replay::FingerprintHasher;
/// use tower_sso::window::Validity;
///
/// /// `?pass=` holds the tenant's secret itself. A demonstration: real forms sign something, with a time.
/// struct Password;
///
/// impl Form for Password {
///     const NAME: &'static str = "password";
///     type Reads = HeadOnly;
///     type Credential = String;
///     type Message = String;
///     type Claims = ();
///
///     fn rules(&self) -> Rules {
///         let mut rules = Rules::new(Secret::new("a key that nobody has"));
///         // A password has no time in it: a store that forgets would let it in again after a restart.
///         rules.usage = Usage::Reusable;
///         rules.parameters = vec!["pass".into()];
///         rules
///     }
///     fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
///         Ok(if Query::of(&head.uri).raw_value("pass")?.is_some() { Presence::InHead } else { Presence::Absent })
///     }
///     fn extract(&self, head: &Parts, _: &Bytes) -> Result<Extracted<String>, Reason> {
///         Ok(Query::of(&head.uri).required("pass")?.into_owned().into())
///     }
///     fn verify(&self, given: &String, key: &Secret) -> Result<String, Reason> {
///         if Secret::new(given.as_str()) == *key { Ok(given.clone()) } else { Err(Reason::BadSignature) }
///     }
///     fn validity(&self, _: &String) -> Result<Validity, Reason> {
///         Ok(Validity::unlimited())
///     }
///     fn fingerprint(&self, message: &String, fingerprint: &mut FingerprintHasher) {
///         fingerprint.part(message.as_bytes());
///     }
///     fn claims(&self, _: String, _: UnixTime) -> Result<(), Reason> {
///         Ok(())
///     }
/// }
/// ```
pub trait Form: Send + Sync + 'static {
    /// The form's name, in logs, metrics and replay keys.
    const NAME: &'static str;

    /// [`HeadOnly`](crate::body::HeadOnly), or [`WholeBody`](crate::body::WholeBody) where the form needs the body.
    type Reads;

    /// What was extracted, decoded, not checked.
    type Credential: Send + 'static;

    /// What was signed, and is authentic.
    type Message: Send + 'static;

    /// What the application gets.
    type Claims: Send + Sync + 'static;

    /// What is the same for every request. Read once, when the layer is built.
    fn rules(&self) -> Rules;

    /// Whether the request's head has what the form needs, and whether the body is to be read.
    ///
    /// # Errors
    /// What can be refused before the body is read, such as the wrong content type.
    fn screen(&self, head: &Parts) -> Result<Presence, Reason>;

    /// Finds the parts of the form and decodes them. The body is empty unless the form reads it.
    ///
    /// # Errors
    /// Those of [`Code::Malformed`](crate::rejection::Code::Malformed).
    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Self::Credential>, Reason>;

    /// What the credential is checked with, where the form finds that itself: for a credential that is itself a key
    /// that was handed out. Find it by its digest, so that it is never stored or logged, and say whose it is with
    /// [`Key::owned_by`](crate::keys::Key::owned_by). The form then [looks its keys up](Rules::looks_keys_up), and its
    /// layer has no key store. Default: `None`, the keys of the tenant.
    fn look_up(&self, credential: &Self::Credential) -> Option<StoreFuture<Result<Keys, StoreError>>> {
        let _ = credential;
        None
    }

    /// Checks the credential with one key. Called once for each active key, or once with the decoy.
    ///
    /// # Errors
    /// [`Reason::BadSignature`] for whatever another key might still verify; [`Reason::UnusableKey`] if it cannot be a
    /// key.
    fn verify(&self, credential: &Self::Credential, key: &Secret) -> Result<Self::Message, Reason>;

    /// When the message is valid.
    ///
    /// # Errors
    /// What makes its times unreadable.
    fn validity(&self, message: &Self::Message) -> Result<Validity, Reason>;

    /// What makes two credentials the same, in decoded bytes.
    ///
    /// The tenant counts only if the form [signs it](Rules::signs_tenant). So add what no other key could have made,
    /// such as the MAC; two tenants' messages without it could be taken for one.
    fn fingerprint(&self, message: &Self::Message, fingerprint: &mut FingerprintHasher);

    /// What the message says. `now` is the one reading of the clock for this request.
    ///
    /// # Errors
    /// Those of [`Code::RejectedClaims`](crate::rejection::Code::RejectedClaims).
    fn claims(&self, message: Self::Message, now: UnixTime) -> Result<Self::Claims, Reason>;

    /// Takes what else is the credential's out of the request that the inner service sees. Default: nothing.
    fn redact(&self, head: &mut Parts) {
        let _ = head;
    }

    /// Takes the layer's clock, once, when the layer is built: for a form that needs the time where it is not given,
    /// such as one with a [`Throttle`](crate::throttle::Throttle). Default: not needed.
    fn set_clock(&mut self, clock: &Arc<dyn Clock>) {
        let _ = clock;
    }

    /// Checks the form's own settings when its layer is built. Default: they are fine.
    ///
    /// # Errors
    /// The first setting that is not safe.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// Checks a key that is known when the layer is built. Default: it is fine.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence: "is not …".
    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        let _ = key;
        Ok(())
    }
}

/// What a form is like, whatever the request: read once, when its layer is built.
///
/// ```
/// use tower_sso::form::{Rules, Usage};
/// use tower_sso::keys::Secret;
///
/// let mut rules = Rules::new(Secret::new("a key that nobody has"));
/// assert_eq!(rules.usage, Usage::Once);
/// rules.has_time = true;
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Rules {
    /// A key that nobody has. It is checked for tenants that are not known, so that they cost what a wrong key costs.
    pub decoy: Secret,
    /// Whether the same credential may come again. Default: once.
    pub usage: Usage,
    /// The query parameters that are the credential's, to be taken out of the URI. Default: none.
    pub parameters: Vec<Cow<'static, str>>,
    /// Whether the form finds its keys itself ([`Form::look_up`]). Its layer then takes no key store. Default: no.
    pub looks_keys_up: bool,
    /// Whether the credential itself names its tenant, and that name is signed. Default: no.
    pub signs_tenant: bool,
    /// The query parameters that are signed and read by the form's own rules. A layer whose
    /// [`Tenant::query`](crate::tenant::Tenant::query) names one of them does not build, unless the form
    /// [signs its tenant](Self::signs_tenant): read in two ways, one tenant's name could be another's. Default: none.
    pub signed_parameters: Vec<Cow<'static, str>>,
    /// Whether every credential says when it was made, or since when it can have been used
    /// ([`Validity::usable_since`]). Default: no.
    ///
    /// A replay store that forgets when the process ends is safe for such forms alone: the layer refuses what was
    /// usable before the store was. With another form it does not build, unless that
    /// [survives a restart](Self::survives_restart).
    pub has_time: bool,
    /// Whether something other than the replay store recognises a credential that has no time, for ever: the store in
    /// memory does not, after a restart. Default: no.
    pub survives_restart: bool,
    /// Where the form's credentials are claimed, if they wait in a store of its own to be taken out. Its layer then
    /// takes no other replay store. Default: `None`.
    pub replay: Option<Arc<dyn ReplayStore>>,
    /// The namespace, if the form has one itself. Its layer then takes no other. Default: `None`.
    pub namespace: Option<Cow<'static, str>>,
    /// The [`Validity::window`] of every credential, so that a replay store hears of it before the first one comes
    /// ([`ReplayStore::expect`]). Default: zero; the store then hears of it with
    /// the first claim, and refuses what was usable before that if it had kept entries for a shorter time.
    pub longest_window: Duration,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("usage", &self.usage)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

impl Rules {
    /// The defaults, with this decoy.
    pub fn new(decoy: Secret) -> Self {
        Self {
            decoy,
            usage: Usage::Once,
            parameters: Vec::new(),
            looks_keys_up: false,
            signs_tenant: false,
            signed_parameters: Vec::new(),
            has_time: false,
            survives_restart: false,
            replay: None,
            namespace: None,
            longest_window: Duration::ZERO,
        }
    }
}

/// Whether a request has a credential of the form, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has none.
    Absent,
    /// All of it is in the head.
    InHead,
    /// The body is part of it.
    InBody,
}

/// What a form found in a request.
///
/// ```
/// use tower_sso::form::Extracted;
///
/// // The layer's `Tenant` says whose it is …
/// let extracted = Extracted::from("credential");
/// // … unless the credential itself does.
/// let extracted = Extracted { credential: "credential", tenant: Some("consumer-key".into()) };
/// ```
#[derive(Debug)]
pub struct Extracted<C> {
    /// The credential.
    pub credential: C,
    /// The tenant, where the credential names it. `None`: ask the layer's [`Tenant`](crate::tenant::Tenant).
    pub tenant: Option<TenantId>,
}

impl<C> From<C> for Extracted<C> {
    fn from(credential: C) -> Self {
        Self { credential, tenant: None }
    }
}

/// Whether the same credential may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// It signs in once. A copy is `replayed`.
    Once,
    /// It is a call that is carried out once and acknowledged as often as it comes: a copy gets 200 and does not reach
    /// the inner service. If the inner service fails, the call was not carried out, and may come again.
    Idempotent {
        /// How long the inner service may take. After that, and what the replay store may take to answer
        /// ([`store_timeout`](crate::Builder::store_timeout)), a copy is let through, as the process that had it may be
        /// gone.
        lease: Duration,
        /// How long it is remembered where the credential has no end; `None` is for ever.
        remember: Option<Duration>,
    },
    /// It may come again at any time.
    Reusable,
}

impl Usage {
    /// Whether it is a call, which may come again and is processed once.
    pub(crate) fn is_idempotent(self) -> bool {
        matches!(self, Self::Idempotent { .. })
    }
}
