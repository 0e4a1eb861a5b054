//! A payload that is encrypted and signed with one secret: Zoom's app context, Shopify's Multipass.
//!
//! [`providers::launches`](crate::providers::launches) has both. Encryption alone proves nothing. Anyone with one
//! ciphertext of AES-CBC without a MAC can change the first block of its text through the IV; and an answer that
//! distinguishes wrong padding from wrong text reveals the text. This form therefore has no seal of that kind. Ecwid's
//! launch payload is one, so it has no preset: take the identity from Ecwid's API, not from the payload.
//!
//! Feature `sealed`.
//!
//! ```
//! # #[cfg(feature = "moka")] {
//! use tower_sso::replay::MemoryReplay;
//! use tower_sso::scheme::{Place, TimeFormat};
//! use tower_sso::sealed::{self, Seal};
//!
//! let layer = sealed::layer::<serde_json::Value>(Seal::AesCbcThenHmac, Place::query("token"))
//!     .issued_at("created_at", TimeFormat::Rfc3339)
//!     .secrets(["0123456789abcdef"])
//!     .replay(MemoryReplay::new())
//!     .build()?;
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The value appears once and is canonical base64url, with or without padding, at most 16 KiB long. Its lengths fit:
//!    no byte is missing or left over. Otherwise: `malformed`.
//! 2. Nothing in it is read before its MAC or tag is verified. A wrong tag, wrong padding and an unknown tenant get the
//!    same answer.
//! 3. The decoded bytes are the replay key: another spelling is the same login.
//! 4. The payload is a JSON object without duplicate names. Its time is a member: a layer for which none was chosen
//!    does not build.
//! 5. Nothing else of the request is signed: neither other parameters nor path, headers or body. A body beside a value
//!    in the head is `malformed`, unless the layer has
//!    [`danger_unsigned_body`](crate::Builder::danger_unsigned_body), or is [`reusable`](crate::Builder::reusable): the
//!    holder then sends the value with each request, and may send any body beside it. Beside a value in a form or a
//!    JSON object, other fields are let through: trust nothing in them.

mod builder;
#[cfg(feature = "explain")]
mod near;
mod seal;
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
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules, Usage};
use crate::keys::{self, Secret};
use crate::mac;
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::received;
use crate::rejection::{Facts, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::{Place, SignedTime, check_fixed};
use crate::text::base64::{decode_base64url_onto, without_padding};
use crate::text::json::{self, Object};
use crate::window::{Validity, Window};

pub use builder::{in_last_segment, layer};
pub use seal::Seal;

/// The longest value, encoded.
const LONGEST: usize = 16 * 1024;

/// The sealed payload form, with claims of type `C`. Made by [`layer`] and [`in_last_segment`].
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::sealed::Sealed;
///
/// struct State {
///     sso: VerifyLayer<Sealed<serde_json::Value>>,
/// }
/// ```
pub struct Sealed<C> {
    seal: Seal,
    at: At,
    time: SignedTime,
    window: Window,
    usage: Usage,
    fixed: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// What a partner may take for the key, while that is tried.
    #[cfg(feature = "explain")]
    misread: Option<near::Misread>,
    claims: PhantomData<fn() -> C>,
}

/// Where the value is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Place(Place),
    LastSegment,
}

/// A sealed payload, whose lengths fit.
#[doc(hidden)]
pub struct Credential(Arc<[u8]>);

/// An authentic payload.
#[doc(hidden)]
pub struct Message {
    sealed: Arc<[u8]>,
    payload: Vec<u8>,
}

impl<C> Form for Sealed<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    const NAME: &'static str = "sealed";
    type Reads = WholeBody;
    type Credential = Credential;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = Rules::new(mac::decoy());
        rules.usage = self.usage;
        rules.bearer = self.usage == Usage::Reusable;
        rules.parameters = match &self.at {
            At::Place(place) => place.parameter().into_iter().collect(),
            At::LastSegment => Vec::new(),
        };
        rules.has_time = self.time.is_always_there();
        rules.longest_window = self.time.longest_window(&self.window);
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        match &self.at {
            At::Place(place) => place.presence(head),
            At::LastSegment => Ok(if last_segment(head).is_empty() { Presence::Absent } else { Presence::InHead }),
        }
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Credential>, Reason> {
        let (text, name) = match &self.at {
            At::Place(place) => (place.required(head, body)?, place.name()),
            At::LastSegment => match last_segment(head) {
                "" => return Err(Reason::MissingParameter("path".into())),
                segment => (segment.into(), "path".into()),
            },
        };
        let malformed = |what| Reason::Malformed(name.clone(), what);
        if text.len() > LONGEST {
            return Err(malformed("is too long"));
        }
        let mut sealed = Vec::with_capacity(text.len());
        let decoded = without_padding(&text).and_then(|bare| decode_base64url_onto(bare.as_bytes(), &mut sealed));
        decoded.ok_or(malformed("is not canonical base64url: it has another alphabet, or its end was cut off"))?;
        self.seal.check(&sealed).map_err(malformed)?;
        Ok(Credential(sealed.into()).into())
    }

    fn verify(&self, Credential(sealed): &Credential, key: &Secret) -> Result<Message, Reason> {
        keys::check_shared(key).map_err(Reason::UnusableKey)?;
        #[cfg(feature = "explain")]
        if let Some(misread) = self.misread {
            let key = misread.key(key.expose()).ok_or(Reason::BadSignature)?;
            let payload = self.seal.open_with(sealed, &key).ok_or(Reason::BadSignature)?;
            return Ok(Message { sealed: Arc::clone(sealed), payload });
        }
        let payload = self.seal.open(sealed, key.expose()).ok_or(Reason::BadSignature)?;
        Ok(Message { sealed: Arc::clone(sealed), payload })
    }

    fn validity(&self, message: &Message) -> Result<Validity, Reason> {
        let object = Object::read(&message.payload)?;
        self.time.validity(&self.window, None, |name| object.text_or_number(name))
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        fingerprint.part(&message.sealed);
    }

    fn claims(&self, message: Message, _: UnixTime) -> Result<C, Reason> {
        let object = Object::read(&message.payload)?;
        check_fixed(&self.fixed, |name| object.text_or_number(name))?;
        json::parse(&message.payload)
    }

    fn describe(&self, Credential(sealed): &Credential, facts: &mut Facts) {
        facts.add("sealed", format_args!("{} bytes", sealed.len()));
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, _: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near())
    }

    fn redact(&self, head: &mut Parts) {
        if let At::Place(place) = &self.at {
            place.redact(head);
        }
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        mac::check_key(Self::NAME, key)
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

fn last_segment(head: &Parts) -> &str {
    received::uri(head).path().rsplit('/').next().unwrap_or_default()
}

opaque_debug!(Sealed<C> { seal, at, time });
opaque_debug!(Credential);
opaque_debug!(Message);
