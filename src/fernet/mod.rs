//! A Fernet token: in the query, as in `GET …?company_id={tenant}&token={fernet}`, a header, cookie, form or JSON body.
//!
//! A [Fernet token](https://github.com/fernet/spec/blob/master/Spec.md) is encrypted and signed with a key that the
//! partner and the tenant share. TutorCruncher signs users in this way: see
//! [`providers::tutorcruncher`](crate::providers::tutorcruncher) for its claims.
//!
//! Feature `fernet`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, routing::get};
//! use tower_sso::{fernet, Identity, keys::MemoryKeys, replay::MemoryReplay};
//!
//! #[derive(serde::Deserialize)]
//! struct User { nm: String }
//! async fn land(user: Identity<User>) -> String { format!("Hello {}", user.nm) }
//!
//! let keys = MemoryKeys::new().with("4321", "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=");
//! let sso = fernet::layer::<User>().keys(keys).replay(MemoryReplay::new()).build()?;
//! let app: Router = Router::new().route("/sso", get(land).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The tenant is the parameter `company_id`. It is not signed; it only selects the key.
//! 2. The token is canonical base64url, with or without padding (raw or as `%3D`), at most 8 KiB long. Its structure is
//!    checked before its MAC. Otherwise: `malformed`.
//! 3. The MAC is checked, then the token is decrypted. A broken padding block gets the same answer as a wrong MAC.
//! 4. The token's own time may be [`max_age`](crate::Builder::max_age) old and
//!    [`clock_skew`](crate::Builder::clock_skew) ahead, in whole seconds, as in every Fernet library. Whatever its
//!    eight bytes say, nothing overflows.
//! 5. The content is a JSON object without duplicate names. If it has a `ts`, that is a number inside the same window.
//! 6. The replay key is the MAC.
//! 7. Nothing else of the request is signed: neither other parameters nor path, headers or body. A body beside a token
//!    in the head is `malformed`, unless the layer has
//!    [`danger_unsigned_body`](crate::Builder::danger_unsigned_body).
//!
//! The crate `fernet`, which decrypts, does not wipe its copies of a key: they may stay in freed memory. All other
//! copies are wiped.

mod builder;
#[cfg(feature = "explain")]
mod near;
#[cfg(feature = "sign")]
mod signing;
mod token;

use std::borrow::Cow;
use std::marker::PhantomData;

use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ConfigProblem;
use crate::body::{HeadOnly, Reads};
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules};
use crate::keys::Secret;
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::rejection::{Facts, Reason};
use crate::replay::FingerprintHasher;
use crate::scheme::Places;
use crate::text::json::Object;
use crate::window::{Validity, Window};

pub use builder::{body_layer, layer};
#[cfg(feature = "webhook")]
pub(crate) use token::check_key;
use token::{Message, Token};

/// The Fernet form, with claims of type `C`. Made by [`layer`], or by [`body_layer`] if it reads bodies.
///
/// ```
/// use tower_sso::fernet::Fernet;
/// use tower_sso::VerifyLayer;
///
/// struct State {
///     sso: VerifyLayer<Fernet<serde_json::Value>>,
/// }
/// ```
pub struct Fernet<C, R = HeadOnly> {
    places: Places,
    window: Window,
    longest: usize,
    required: Vec<Cow<'static, str>>,
    timestamp_claim: Option<Cow<'static, str>>,
    /// What a partner may take for the key, while that is tried.
    #[cfg(feature = "explain")]
    misread: Option<near::Misread>,
    claims: PhantomData<fn() -> (C, R)>,
}

impl<C, R> Form for Fernet<C, R>
where
    C: DeserializeOwned + Send + Sync + 'static,
    R: Reads + 'static,
{
    const NAME: &'static str = "fernet";
    type Reads = R;
    type Credential = Token;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = Rules::new(Secret::new(fernet::Fernet::generate_key()));
        rules.parameters = self.places.parameters();
        rules.has_time = true;
        rules.longest_window = self.window.max_age;
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        self.places.presence(head)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Token>, Reason> {
        let (place, text) = self.places.required(head, body)?;
        let malformed = |what| Reason::Malformed(place.name(), what);
        let token = Token::parse(text, self.longest).map_err(malformed)?;
        Ok(Extracted { in_head: !place.is_in_body(), ..token.into() })
    }

    fn verify(&self, token: &Token, key: &Secret) -> Result<Message, Reason> {
        #[cfg(feature = "explain")]
        if let Some(misread) = self.misread {
            return token.decrypt(&misread.of(key).ok_or(Reason::BadSignature)?);
        }
        token.decrypt(key)
    }

    fn validity(&self, message: &Message) -> Result<Validity, Reason> {
        Ok(Validity::around_second(message.issued_at, &self.window))
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        fingerprint.part(&message.mac);
    }

    fn claims(&self, message: Message, now: UnixTime) -> Result<C, Reason> {
        let object = Object::read(&message.content)?;
        object.require(&self.required)?;
        let claims = object.parse()?;
        let timestamp = self.timestamp_claim.as_deref();
        if let Some((name, value)) = timestamp.and_then(|name| Some((name, object.get(name)?))) {
            self.check_timestamp_claim(name, &value, now)?;
        }
        Ok(claims)
    }

    fn describe(&self, token: &Token, facts: &mut Facts) {
        facts.add("length", format_args!("{} bytes", token.length()));
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, _: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near())
    }

    fn redact(&self, head: &mut Parts) {
        self.places.redact(head);
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        token::check_key(key)
    }
}

impl<C, R> Fernet<C, R> {
    /// A `ts` inside the token repeats the token's own time, so it must lie in the same window.
    fn check_timestamp_claim(&self, name: &str, value: &Value, now: UnixTime) -> Result<(), Reason> {
        let issued_at = value.as_f64().and_then(UnixTime::from_secs_f64);
        let issued_at = issued_at.ok_or_else(|| Reason::BadPayload(format!("`{name}` is not a number").into()))?;
        Validity::around_second(issued_at, &self.window).check(now)
    }
}

opaque_debug!(Fernet<C, R> { places, window });
