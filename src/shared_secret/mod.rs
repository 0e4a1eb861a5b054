//! A shared secret in a JSON body: `POST {"login", "firstName", "lastName", "token"}`, where `token` is the secret
//! itself.
//!
//! seatmap.pro's ticketing platforms sign their users in this way: see
//! [`providers::seatmap`](crate::providers::seatmap).
//!
//! Feature `shared-secret`; for this example `axum` too.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! # use axum::{Router, routing::post};
//! use tower_sso::{Identity, shared_secret::{self, PrivateKeys}};
//!
//! #[derive(serde::Deserialize)]
//! struct Login { login: String }
//! async fn sign_in(user: Identity<Login>) -> String { format!("{} of {}", user.login, user.tenant()) }
//!
//! let keys = PrivateKeys::new().with("default", ["k-9f86d081884c7d659a2f"])?;
//! let sso = shared_secret::layer::<Login>(keys).require(["login"]).build()?;
//! let app: Router = Router::new().route("/api/auth/autologin", post(sign_in).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The content type is `application/json` with any parameters, and the only content encoding is `identity`.
//!    Otherwise: `unsupported_media_type`. A body over the limit is `payload_too_large`.
//! 2. The body is one JSON object without duplicate names at any depth, and the token is a string of 1 to 1,024 bytes.
//!    Otherwise: `malformed`, since nothing is authentic yet.
//! 3. The token itself is never looked up, stored or logged. Its SHA-256 digest finds the key, and the two digests are
//!    compared in constant time.
//! 4. **The same body may come again at any time.** The token's holder may send anything, so a duplicate is worth no
//!    more than the token. There is no replay check and no replay store. A credential that the answer gives to a
//!    browser must be single-use: see [`ticket`](crate#forms-and-partners).
//! 5. Wrong tokens are counted per source if a [`Throttle`] is set.
//! 6. The claims are the object without the token. A missing field is `rejected_claims`.
//! 7. The inner service gets the body as received, **including the token**: use [`Identity`](crate::Identity), which
//!    lacks it, and neither read nor log the body. The body is not rewritten because `Content-Length`, and any digest
//!    or signature that a service behind checks, cover these bytes. `Authorization` is ignored.

mod builder;
mod keys;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::ConfigProblem;
use crate::body::WholeBody;
use crate::clock::{Clock, UnixTime};
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules, Usage};
use crate::keys::{Keys, Secret};
use crate::rejection::Reason;
use crate::replay::FingerprintHasher;
use crate::store::{StoreError, StoreFuture};
use crate::text::headers::check_content;
use crate::text::json::{self, Object};
use crate::throttle::{Attempt, Throttle};
use crate::window::Validity;

pub use builder::layer;
pub use keys::{PrivateKeyStore, PrivateKeys, TokenDigest};

const LONGEST_TOKEN: usize = 1_024;

/// The shared secret form, with claims of type `C`. Made by [`layer`].
///
/// Its credentials are [reusable](Usage::Reusable) by nature: there is no replay check.
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::shared_secret::SharedSecret;
///
/// struct State {
///     sso: VerifyLayer<SharedSecret<serde_json::Value>>,
/// }
/// ```
pub struct SharedSecret<C> {
    keys: Arc<dyn PrivateKeyStore>,
    token_field: Cow<'static, str>,
    required: Vec<Cow<'static, str>>,
    throttle: Option<Throttle>,
    claims: PhantomData<fn() -> C>,
}

/// A body with a token, not verified yet.
#[doc(hidden)]
pub struct Call {
    digest: TokenDigest,
    attempt: Attempt,
    body: Bytes,
}

/// A body whose token is a known key.
#[doc(hidden)]
pub struct Message {
    body: Bytes,
}

impl<C> Form for SharedSecret<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    const NAME: &'static str = "shared_secret";
    type Reads = WholeBody;
    type Credential = Call;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = Rules::new(TokenDigest::nobodys().secret());
        rules.usage = Usage::Reusable;
        rules.looks_keys_up = true;
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        if !head.headers.contains_key(CONTENT_TYPE) {
            return Ok(Presence::Absent);
        }
        check_content(&head.headers, Some("application/json"))?;
        // Throttle before reading the body.
        self.throttle.as_ref().map_or(Ok(()), |throttle| throttle.check(head))?;
        Ok(Presence::InBody)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Call>, Reason> {
        check_content(&head.headers, Some("application/json"))?;
        let malformed = |name: &Cow<'static, str>, what| Reason::Malformed(name.clone(), what);
        let object = Object::read(body)
            .map_err(|_| malformed(&"body".into(), "is not one JSON object without duplicate names"))?;
        let token = match object.get(&self.token_field) {
            Some(Value::String(token)) => Zeroizing::new(token),
            None => return Err(Reason::MissingParameter(self.token_field.clone())),
            Some(_) => return Err(malformed(&self.token_field, "is not a string")),
        };
        if !(1..=LONGEST_TOKEN).contains(&token.len()) {
            return Err(malformed(&self.token_field, "is empty or too long"));
        }
        let attempt = match &self.throttle {
            Some(throttle) => throttle.attempt(head)?,
            None => Attempt::uncounted(),
        };
        Ok(Call { digest: TokenDigest::of_text(&token), attempt, body: body.clone() }.into())
    }

    fn look_up(&self, call: &Call) -> Option<StoreFuture<Result<Keys, StoreError>>> {
        Some(self.keys.find(&call.digest).map(|found| match found? {
            // Whoever holds it would be everybody's tenant.
            Some(key) if key.owner().is_none() => {
                Err(StoreError::new("a private key has no owner: name its organisation with `Key::owned_by`"))
            }
            key => Ok(key.into_iter().collect()),
        }))
    }

    fn verify(&self, call: &Call, key: &Secret) -> Result<Message, Reason> {
        call.attempt.check()?;
        if call.digest.is(key) {
            call.attempt.right();
            return Ok(Message { body: call.body.clone() });
        }
        call.attempt.wrong();
        Err(Reason::BadSignature)
    }

    fn validity(&self, _: &Message) -> Result<Validity, Reason> {
        Ok(Validity::unlimited())
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        fingerprint.part(&message.body);
    }

    fn claims(&self, message: Message, _: UnixTime) -> Result<C, Reason> {
        // `extract` has already refused duplicate names.
        let mut fields: Map<String, Value> = json::parse(&message.body)?;
        let is_missing = |name: &&Cow<'static, str>| fields.get(name.as_ref()).is_none_or(Value::is_null);
        if let Some(missing) = self.required.iter().find(is_missing) {
            return Err(Reason::MissingField(missing.clone()));
        }
        if let Some(Value::String(token)) = fields.remove(self.token_field.as_ref()) {
            drop(Secret::new(token));
        }
        C::deserialize(Value::Object(fields))
            .map_err(|_| Reason::BadPayload("does not have the shape that the claims require".into()))
    }

    fn set_clock(&mut self, clock: &Arc<dyn Clock>) {
        self.throttle = self.throttle.take().map(|throttle| throttle.default_clock(Arc::clone(clock)));
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

opaque_debug!(SharedSecret<C> { token_field, throttle });
opaque_debug!(Call);
opaque_debug!(Message);
