//! The engine's view of a form: [`Form`].
//!
//! A form finds its parts in a request, checks them with one key, and tells when they are valid, what makes them unique
//! and what they claim. The engine does the rest, in one place for all forms: the order of the steps, keys, time and
//! replays. See [`VerifyLayer`](crate::VerifyLayer) for how to mount a form of your own.

mod found;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::ConfigProblem;
use crate::body::Reads;
use crate::clock::{Clock, UnixTime};
use crate::debug::opaque_debug;
use crate::keys::{Keys, Secret};
use crate::rejection::{Facts, Reason};
use crate::replay::{FingerprintHasher, ReplayStore};
use crate::store::{StoreError, StoreFuture};
use crate::window::{Validity, Window};

pub use found::{Extracted, Presence};

/// One way in which a signed identity arrives.
///
/// When a layer is built, it calls [`set_clock`](Self::set_clock), [`rules`](Self::rules), [`check`](Self::check) and
/// [`check_key`](Self::check_key), once each, the last one for each key that is known by then.
///
/// For a request it calls [`screen`](Self::screen), [`extract`](Self::extract), [`look_up`](Self::look_up),
/// [`verify`](Self::verify), [`validity`](Self::validity), [`fingerprint`](Self::fingerprint),
/// [`claims`](Self::claims) and [`redact`](Self::redact), in this order, each only if those before it succeeded. But if
/// `screen` finds nothing, `extract` tells what is missing; and if nobody has a key, `verify` runs with a decoy. Only
/// `verify` decides whether the credential is authentic. Before it, nothing of the credential's content counts but the
/// name of the tenant, which `verify`'s key then proves.
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

    /// [`HeadOnly`](crate::body::HeadOnly), or [`WholeBody`](crate::body::WholeBody) if the form needs the body.
    type Reads: Reads;

    /// The extracted credential: decoded, not verified.
    type Credential: Send + 'static;

    /// The signed content, once it is authentic.
    type Message: Send + 'static;

    /// The application's claims.
    type Claims: Send + Sync + 'static;

    // When a layer is built:

    /// Receives the layer's clock once, when the layer is built: for a form that needs the time elsewhere, such as one
    /// with a [`Throttle`](crate::throttle::Throttle). Default: ignored.
    fn set_clock(&mut self, clock: &Arc<dyn Clock>) {
        let _ = clock;
    }

    /// The form's fixed properties. Read once, when the layer is built.
    fn rules(&self) -> Rules;

    /// Checks the form's own settings when its layer is built. Default: accepts them.
    ///
    /// # Errors
    /// The first unsafe setting.
    fn check(&self) -> Result<(), ConfigProblem> {
        Ok(())
    }

    /// Checks a key that is known when the layer is built. Default: accepts it.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence: "is not …".
    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        let _ = key;
        Ok(())
    }

    // For each request:

    /// Whether the request's head has a credential, and whether the body must be read. It must agree with
    /// [`extract`](Self::extract): see [`Presence`].
    ///
    /// # Errors
    /// Anything that can be refused before the body is read, such as a wrong content type.
    fn screen(&self, head: &Parts) -> Result<Presence, Reason>;

    /// Finds the parts of the form and decodes them. The body is empty unless the form reads it.
    ///
    /// # Errors
    /// Those of [`Code::Malformed`](crate::rejection::Code::Malformed).
    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Self::Credential>, Reason>;

    /// The key for the credential, if the form finds it itself: for a credential that is itself a key. Find it by its
    /// digest, so that it is never stored or logged, and set its owner with
    /// [`Key::owned_by`](crate::keys::Key::owned_by). Set [`looks_keys_up`](Rules::looks_keys_up) too; the layer then
    /// has no key store. Default: `None`, the keys of the tenant.
    fn look_up(&self, credential: &Self::Credential) -> Option<StoreFuture<Result<Keys, StoreError>>> {
        let _ = credential;
        None
    }

    /// Checks the credential with one key. Called once for each active key, or with the decoy if there is none; both
    /// once more if the key store is asked again.
    ///
    /// # Errors
    /// [`Reason::BadSignature`] if another key might still fit; [`Reason::UnusableKey`] if this key cannot be one.
    fn verify(&self, credential: &Self::Credential, key: &Secret) -> Result<Self::Message, Reason>;

    /// When the message is valid.
    ///
    /// # Errors
    /// Why its times are unreadable.
    fn validity(&self, message: &Self::Message) -> Result<Validity, Reason>;

    /// The decoded bytes that make two credentials the same.
    ///
    /// The tenant counts only if the form [signs it](Rules::signs_tenant). So include something that no other key could
    /// have made, such as the MAC. Otherwise two tenants' messages could count as one.
    fn fingerprint(&self, message: &Self::Message, fingerprint: &mut FingerprintHasher);

    /// The message's claims. `now` is the clock reading that decides every time check of this request.
    ///
    /// # Errors
    /// Those of [`Code::RejectedClaims`](crate::rejection::Code::RejectedClaims).
    fn claims(&self, message: Self::Message, now: UnixTime) -> Result<Self::Claims, Reason>;

    /// Says what a credential was compared by, when no key fits: lengths, and names of what is signed. **Never a
    /// secret, an expected MAC, or the credential itself**: the facts go to the log. Default: nothing.
    fn describe(&self, credential: &Self::Credential, facts: &mut Facts) {
        let _ = (credential, facts);
    }

    /// Requests and settings with which the signature would fit if the partner had made a slip, the likeliest first.
    /// [`explain`](crate::explain) tries them, and by itself what is the same for every form. Default: none.
    #[cfg(feature = "explain")]
    fn near_misses(&self, head: &Parts, body: &Bytes) -> Vec<crate::near_miss::NearMiss<Self>>
    where
        Self: Sized,
    {
        let _ = (head, body);
        Vec::new()
    }

    /// A copy that takes any secret, also wrongly copied ones, which its format refuses. Default: `None`, it does so.
    #[cfg(feature = "explain")]
    fn with_any_secret(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// The body without what is not signed: more of a short one can be tried. Default: `None`, all of it may be signed.
    #[cfg(feature = "explain")]
    fn signed_part(&self, body: &Bytes) -> Option<Bytes> {
        let _ = body;
        None
    }

    /// A copy with which [`explain`](crate::explain) may try slips, for a form that counts guesses: it counts none.
    /// Default: `None`, as trying has no effect.
    #[cfg(feature = "explain")]
    fn without_effects(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Removes further parts of the credential from the request that the inner service sees. Default: nothing.
    fn redact(&self, head: &mut Parts) {
        let _ = head;
    }
}

/// A form whose credentials have one timestamp. Its builder gets [`max_age`](crate::Builder::max_age) and
/// [`clock_skew`](crate::Builder::clock_skew), which set the window.
///
/// ```
/// use tower_sso::form::HasWindow;
/// use tower_sso::window::Window;
///
/// // The setters are there for any such form.
/// fn strict<F: HasWindow>(layer: tower_sso::Builder<F>) -> tower_sso::Builder<F> {
///     layer.max_age(std::time::Duration::from_secs(30))
/// }
/// ```
pub trait HasWindow: Form {
    /// The window that is set. [`Form::validity`] uses it, and [`Form::rules`] announces its `max_age` as the
    /// [longest window](Rules::longest_window).
    fn window_mut(&mut self) -> &mut Window;
}

/// A form's fixed properties, independent of requests. Read once, when its layer is built.
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
    /// A key that nobody has. Unknown tenants are checked with it, so that they cost as much as a wrong key.
    pub decoy: Secret,
    /// Whether the same credential may come again. Default: once.
    pub usage: Usage,
    /// Why a credential that was used before is refused. Default: [`Reason::Replayed`].
    pub duplicate: Reason,
    /// The answer to a duplicate of a processed delivery ([`Usage::Idempotent`]). Default: `None`, 200 without a body.
    pub acknowledgement: Option<Response<Bytes>>,
    /// Whether duplicates of processed deliveries reach the inner service, where
    /// [`Identity::is_duplicate`](crate::Identity::is_duplicate) tells them. Default: no.
    pub hands_duplicates_on: bool,
    /// The credential's query parameters, to be removed from the URI. Default: none.
    pub parameters: Vec<Cow<'static, str>>,
    /// Whether the credential signs no request, and its holder sends it with each one. The holder may then send any
    /// body beside it, which reaches the inner service as it came. Default: no, so that a request with a credential in
    /// its head and a body is refused, unless the layer was built with
    /// [`danger_unsigned_body`](crate::Builder::danger_unsigned_body).
    pub bearer: bool,
    /// Whether the form finds its keys itself ([`Form::look_up`]). Its layer then takes no key store. Default: no.
    pub looks_keys_up: bool,
    /// Whether the credential itself names its tenant, and that name is signed. Each credential must then have
    /// [its tenant](Extracted::tenant): one without is an unknown tenant's. Default: no.
    pub signs_tenant: bool,
    /// The signed query parameters that the form reads by its own rules. A layer whose
    /// [`Tenant::query`](crate::tenant::Tenant::query) names one of them does not build, unless the form [signs its
    /// tenant](Self::signs_tenant): read in two ways, one tenant's name could be another's. Default: none.
    pub signed_parameters: Vec<Cow<'static, str>>,
    /// Whether every credential has the time when it was made, or from which it can have been used
    /// ([`Validity::usable_since`]). Default: no.
    ///
    /// A replay store that forgets when the process ends is safe only for such forms: the layer refuses credentials
    /// usable before the store was made. With another form the layer does not build, unless the form [survives a
    /// restart](Self::survives_restart).
    pub has_time: bool,
    /// Whether [`Form::fingerprint`] adds what was signed and not a MAC. Two senders of the same bytes would then share
    /// a fingerprint, so the layer adds the owner of the key or, if it has none, the key itself. It adds nothing if all
    /// keys were given as `secrets`: two such layers on one store need a namespace each. Default: no.
    ///
    /// With an owner, the same bytes have one fingerprint whichever of its keys signed them, as in a rotation.
    pub bound_to_owner: bool,
    /// Whether something other than the replay store recognises duplicates of credentials without a time, even after a
    /// restart. The layer then builds with a store that forgets. Default: no.
    pub survives_restart: bool,
    /// The store in which the form's credentials are claimed, if they wait in a store of its own. The layer then takes
    /// no other replay store. Default: `None`.
    pub replay: Option<Arc<dyn ReplayStore>>,
    /// Whether the form was told how secrets are written, so that one may begin with `whsec_`. Default: no.
    pub knows_secret_format: bool,
    /// The form's own namespace. The layer then takes no other. Default: `None`.
    pub namespace: Option<Cow<'static, str>>,
    /// The [`Validity::window`] of every credential, announced to the replay store before the first one comes
    /// ([`ReplayStore::announce`]), with the `store_timeout` added. Default: zero, so that the store learns it from the
    /// first claim. If the store kept entries for a shorter time until then, it refuses credentials that were usable
    /// before that claim.
    pub longest_window: Duration,
}

opaque_debug!(Rules { usage, parameters });

impl Rules {
    /// The likely mistake in a secret, if any.
    pub(crate) fn slip(&self, secret: &Secret) -> Option<&'static str> {
        let has_a_prefix = || secret.has_a_prefix() && !self.knows_secret_format;
        secret.slip().or_else(|| {
            has_a_prefix().then_some(
                "begins with `whsec_`: say by `secret_format` whether it is decoded (`Base64 { prefix: \"whsec_\" }`) or the \
                 key as it is (`Text`), or call `Secret::verbatim`",
            )
        })
    }

    /// The defaults, with this decoy.
    pub fn new(decoy: Secret) -> Self {
        Self {
            decoy,
            usage: Usage::Once,
            duplicate: Reason::Replayed,
            acknowledgement: None,
            hands_duplicates_on: false,
            parameters: Vec::new(),
            bearer: false,
            looks_keys_up: false,
            signs_tenant: false,
            signed_parameters: Vec::new(),
            has_time: false,
            bound_to_owner: false,
            survives_restart: false,
            replay: None,
            knows_secret_format: false,
            namespace: None,
            longest_window: Duration::ZERO,
        }
    }
}

/// Whether the same credential may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Usage {
    /// It signs in once. A duplicate is `replayed`.
    Once,
    /// It is a delivery that is processed once: a duplicate gets 200 and does not reach the inner service. If the inner
    /// service fails, the delivery was not processed and may be retried.
    Idempotent {
        /// How long the inner service may take. After that and the [`store_timeout`](crate::Builder::store_timeout), a
        /// duplicate is let through, as the process that had the delivery may be gone.
        lease: Duration,
        /// How long a credential without an end is remembered; `None` is for ever.
        remember: Option<Duration>,
    },
    /// It may come again at any time.
    Reusable,
}
