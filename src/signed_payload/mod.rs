//! A payload with its signature: `payload.signature`, `signature.payload`, or two parameters.
//!
//! Facebook, Wix, BigCommerce, Salesforce and Discourse sign users in this way, and so do frameworks: Rails's
//! `MessageVerifier`, Django's `signing` and itsdangerous. [`providers::launches`](crate::providers::launches) has the
//! platforms; [below](#frameworks) is a recipe for each framework.
//!
//! Feature `signed-payload`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, routing::get};
//! use tower_sso::scheme::{Place, TimeFormat};
//! use tower_sso::signed_payload::{self, Layout};
//! use tower_sso::{Identity, replay::MemoryReplay};
//!
//! #[derive(serde::Deserialize)]
//! struct User { email: String }
//! async fn land(user: Identity<User>) -> String { format!("Hello {}", user.email) }
//!
//! // ?token=base64url({"email": …, "iat": 1700000000}).hex(HMAC-SHA256(secret, what stands before the point))
//! let sso = signed_payload::layer::<User>(Layout::payload_first(Place::query("token"), "."))
//!     .issued_at("iat", TimeFormat::Seconds)
//!     .secrets(["0123456789abcdef"])
//!     .replay(MemoryReplay::new())
//!     .build()?;
//! let app: Router = Router::new().route("/sso", get(land).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. Payload and signature appear once and are canonical, but for padding. A payload has at most 64 KiB, encoded.
//!    Otherwise: `malformed`.
//! 2. The MAC covers the payload as it is encoded or, where [configured](crate::Builder::signs_decoded), the decoded
//!    bytes. Nothing else is signed: neither other parameters nor path, headers or body. A body beside a payload and
//!    signature in the head is `malformed`, unless the layer has
//!    [`danger_unsigned_body`](crate::Builder::danger_unsigned_body), or is [`reusable`](crate::Builder::reusable): the
//!    holder then sends the payload with each request, and may send any body beside it. If the payload is in the head
//!    and its signature in the body, a body with more than the signature is refused too. Beside a payload in a form,
//!    other fields are let through: trust nothing in them.
//! 3. The decoded MAC is the replay key: another spelling of a payload's signature is the same login.
//! 4. The time is a member of the payload, or a [stamp](crate::Builder::stamped) after it. A layer with
//!    neither does not build.
//! 5. Claims come only from the payload: a JSON object without duplicate names or, where
//!    [configured](crate::Builder::pairs), form-encoded pairs or one [text](crate::Builder::text).
//! 6. With a [`tenant_member`](crate::Builder::tenant_member), the payload is read before it is verified, for that one
//!    member alone: it selects the key, and the signature then proves it.
//! 7. A payload that answers a request of ours brings a [nonce](crate::challenge) back. A layer with a
//!    [`nonce_member`](crate::Builder::nonce_member) does not build until it knows whose nonces.
//!
//! # Frameworks
//!
//! ```
//! use std::time::Duration;
//! use tower_sso::scheme::{Digest, Encoding, KeyDerivation, Place, TimeFormat};
//! use tower_sso::signed_payload::{self, Layout, PayloadEncoding, Stamp};
//! # type Claims = serde_json::Value;
//!
//! // Rails 7.1 and later: `ActiveSupport::MessageVerifier` with the serializer `:json` and `expires_at`. The claims
//! // are in `_rails.data`. With `url_safe: true`, the payload is base64url.
//! let rails = signed_payload::layer::<Claims>(Layout::payload_first(Place::query("token"), "--"))
//!     .payload_encoding(PayloadEncoding::Base64)
//!     .expires_at("/_rails/exp", TimeFormat::Rfc3339, Duration::from_secs(600))
//!     .digest(Digest::Sha1); // or as the application configures it
//!
//! // Django: `signing.dumps`.
//! let django = signed_payload::layer::<Claims>(Layout::payload_first(Place::query("token"), ":"))
//!     .stamped(Stamp::Base62)
//!     .encoding(Encoding::Base64Url)
//!     .key_derivation(KeyDerivation::digest_after(Digest::Sha256, "django.core.signingsigner"));
//!
//! // itsdangerous: `URLSafeTimedSerializer`.
//! let itsdangerous = signed_payload::layer::<Claims>(Layout::payload_first(Place::query("token"), "."))
//!     .stamped(Stamp::Base64Bytes)
//!     .digest(Digest::Sha1)
//!     .encoding(Encoding::Base64Url)
//!     .key_derivation(KeyDerivation::digest_after(Digest::Sha1, "itsdangeroussigner"));
//! ```
//!
//! The literal in the key is the signer's salt, followed by `signer`. The salt is the partner's own, or the function's
//! default:
//!
//! | signed by | salt |
//! |---|---|
//! | Django, `signing.dumps` | `django.core.signing` |
//! | Django, `TimestampSigner` | `django.core.signing.TimestampSigner` |
//! | Django, `Signer` | `django.core.signing.Signer` |
//! | itsdangerous, `URLSafeTimedSerializer` | `itsdangerous` |
//! | itsdangerous, `TimestampSigner`, `Signer` | `itsdangerous.Signer` |
//!
//! A signer that signs text takes [`text`](crate::Builder::text) and [`PayloadEncoding::Text`]; without a timestamp, a
//! signed text works at any time. Compressed payloads are `malformed`: have the partner not compress. Django and
//! itsdangerous make the key as shown unless told otherwise; Rails applications usually derive it, so ask for the key
//! itself. Before Rails 7.1, the message is in `_rails.message`, as base64 that the handler has to decode.

mod builder;
mod layout;
#[cfg(feature = "explain")]
mod near;
mod payload;
#[cfg(feature = "sign")]
mod signing;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::ConfigProblem;
use crate::body::WholeBody;
use crate::challenge::{Binding, ReturnedNonce};
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules, Usage};
use crate::keys::{Secret, TenantId, check_length};
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::rejection::{Facts, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::{Given, Signature, SignedTime, check_fixed};
use crate::window::{Validity, Window};

pub use crate::scheme::{Digest, Encoding, KeyDerivation, SecretFormat, Stamp, TimeFormat};
pub use builder::layer;
pub use layout::Layout;
use payload::Content;
pub use payload::PayloadEncoding;

/// The longest payload, encoded.
const LONGEST: usize = 64 * 1024;

/// The signed payload form, with claims of type `C`. Made by [`layer`].
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::signed_payload::SignedPayload;
///
/// struct State {
///     sso: VerifyLayer<SignedPayload<serde_json::Value>>,
/// }
/// ```
pub struct SignedPayload<C> {
    layout: Layout,
    encoding: PayloadEncoding,
    content: Content,
    signature: Signature,
    signs_decoded: bool,
    /// A slip of a partner, while it is tried.
    #[cfg(feature = "explain")]
    slip: Option<near::Slip>,
    time: SignedTime,
    window: Window,
    usage: Usage,
    forgetting_is_fine: bool,
    nonce: ReturnedNonce,
    tenant: Option<Cow<'static, str>>,
    required: Vec<Cow<'static, str>>,
    fixed: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    claims: PhantomData<fn() -> C>,
}

/// A payload, decoded and not verified.
#[doc(hidden)]
pub struct Credential(Arc<Signed>);

/// An authentic payload.
#[doc(hidden)]
pub struct Message(Arc<Signed>);

struct Signed {
    /// What stands beside the signature.
    text: Box<str>,
    /// Where the stamp begins in it.
    stamp_at: Option<usize>,
    payload: Vec<u8>,
    tag: Given,
    /// The cookie's bits, by which a nonce of this browser is known.
    binding: Option<Binding>,
}

impl<C> Form for SignedPayload<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    const NAME: &'static str = "signed_payload";
    type Reads = WholeBody;
    type Credential = Credential;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = self.signature.rules();
        rules.usage = self.usage;
        rules.bearer = self.usage == Usage::Reusable;
        rules.parameters = self.layout.places().filter_map(crate::scheme::Place::parameter).collect();
        rules.signed_parameters = rules.parameters.clone();
        rules.signs_tenant = self.tenant.is_some();
        rules.has_time = self.time.is_always_there() || self.nonce.checked().is_some();
        rules.survives_restart = self.forgetting_is_fine;
        rules.longest_window = self.nonce.lifetime().unwrap_or_else(|| self.time.longest_window(&self.window));
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        self.layout.presence(head)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Credential>, Reason> {
        let (text, signature) = self.layout.find(head, body)?;
        let malformed = |what| Reason::Malformed(self.layout.main_place().name(), what);
        let tag = self.signature.decode(&signature);
        let tag = tag.map_err(|what| Reason::Malformed(self.layout.signature_name(), what))?;
        if text.len() > LONGEST {
            return Err(malformed("is too long"));
        }
        let (payload, stamp_at) = match (&self.time, self.layout.separator_after_payload()) {
            (SignedTime::Stamped(_), Some(separator)) => {
                let (payload, stamp) = text.rsplit_once(separator).ok_or(malformed("has no timestamp"))?;
                (payload, Some(text.len() - stamp.len()))
            }
            _ => (&*text, None),
        };
        let payload = self.encoding.decode(payload).map_err(malformed)?;
        let tenant = self.tenant.as_ref().map(|name| self.tenant_in(name, &payload)).transpose()?;
        let binding = self.nonce.binding(head)?;
        let signed = Signed { text: text.into(), stamp_at, payload, tag, binding };
        let in_head = self.layout.signs_no_more_of(body);
        Ok(Extracted { tenant, in_head, credential: Credential(Arc::new(signed)) })
    }

    fn verify(&self, Credential(signed): &Credential, key: &Secret) -> Result<Message, Reason> {
        #[cfg(feature = "explain")]
        if let Some(slip) = self.slip {
            self.signature.verify(key, [slip.covered(&signed.text).as_bytes()], &signed.tag)?;
            return Ok(Message(Arc::clone(signed)));
        }
        let covered = if self.signs_decoded { &signed.payload } else { signed.text.as_bytes() };
        self.signature.verify(key, [covered], &signed.tag)?;
        Ok(Message(Arc::clone(signed)))
    }

    fn validity(&self, Message(signed): &Message) -> Result<Validity, Reason> {
        let stamp = signed.stamp_at.and_then(|at| signed.text.get(at..));
        let member = |name: &str| self.content.member(&signed.payload, name);
        let validity = self.time.validity(&self.window, stamp, member)?;
        let tenant = match (&self.tenant, self.nonce.checked()) {
            (Some(name), Some(_)) => member(name)?,
            _ => None,
        };
        self.nonce.narrow(validity, self.window.clock_skew, signed.binding.as_ref(), tenant.as_deref(), member)
    }

    fn fingerprint(&self, Message(signed): &Message, fingerprint: &mut FingerprintHasher) {
        let nonce = self.nonce.checked().and_then(|name| self.content.member(&signed.payload, name).ok().flatten());
        match nonce {
            Some(nonce) => ReturnedNonce::fingerprint(&nonce, fingerprint),
            None => _ = fingerprint.part(&signed.tag),
        };
    }

    fn claims(&self, Message(signed): Message, _: UnixTime) -> Result<C, Reason> {
        check_fixed(&self.fixed, |name| self.content.member(&signed.payload, name))?;
        self.content.claims(&signed.payload, &self.required)
    }

    fn describe(&self, Credential(signed): &Credential, facts: &mut Facts) {
        facts.add("payload", format_args!("{} bytes", signed.payload.len()));
        facts.add("signed", if self.signs_decoded { "the decoded payload" } else { "the encoded payload" });
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, _: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near())
    }

    #[cfg(feature = "explain")]
    fn with_any_secret(&self) -> Option<Self> {
        let mut copy = self.copy();
        copy.signature.secret_format = self.signature.secret_format.as_it_is()?;
        Some(copy)
    }

    fn redact(&self, head: &mut Parts) {
        self.layout.places().for_each(|place| place.redact(head));
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        self.signature.check_key(Self::NAME, key)
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

impl<C> SignedPayload<C> {
    /// The tenant that the payload names. Its key then proves the same bytes.
    fn tenant_in(&self, name: &str, payload: &[u8]) -> Result<TenantId, Reason> {
        let malformed = |what| Reason::Malformed(name.to_owned().into(), what);
        let member = self.content.member(payload, name).map_err(|_| malformed("cannot be read from the payload"))?;
        let tenant = member.ok_or_else(|| Reason::MissingParameter(name.to_owned().into()))?;
        check_length(&tenant).map_err(malformed)?;
        Ok(tenant.as_str().into())
    }
}

opaque_debug!(SignedPayload<C> { layout, signature, time });
opaque_debug!(Credential);
opaque_debug!(Message);
