//! The secret itself in a request: `POST {"login", "firstName", "lastName", "token"}`, where `token` is the secret, or
//! a header such as `X-Gitlab-Token`.
//!
//! seatmap.pro's ticketing platforms sign their users in this way: see
//! [`providers::seatmap`](crate::providers::seatmap). So do senders of webhooks that sign nothing: see
//! [`providers::webhooks`](crate::providers::webhooks#senders-of-a-secret).
//!
//! [`layer`] finds the owner of a token by its digest, in [`PrivateKeys`]. [`by_tenant`] compares it with the tenant's
//! secrets, as other forms do.
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
//! ```
//! # #[cfg(feature = "axum")] {
//! # use axum::{Router, routing::post};
//! use tower_sso::{Identity, body::RawBody, scheme::Place, shared_secret};
//!
//! async fn log_lines(call: Identity<RawBody>) -> String { format!("{} bytes", call.0.len()) }
//!
//! let verify = shared_secret::by_tenant::<RawBody>()
//!     .token_in(Place::bearer())
//!     .secrets(["k-9f86d081884c7d659a2f"])
//!     .build()?;
//! let app: Router = Router::new().route("/logs", post(log_lines).layer(verify));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. If the token is in the body, the content type is `application/json`, or that of a form, with any parameters.
//!    Otherwise any content type is allowed, or none. The only content encoding of a body that is read is `identity`.
//!    Otherwise: `unsupported_media_type`. A body over the limit is `payload_too_large`.
//! 2. The token appears once, and has 1 to 1,024 bytes. A JSON body that holds it is one object without duplicate names
//!    at any depth. Otherwise: `malformed`, since nothing is authentic yet.
//! 3. The token itself is never stored or logged. Its SHA-256 digest finds the key, or is compared with the digests of
//!    the tenant's secrets, in constant time.
//! 4. **The same request may come again at any time, with any content.** The token's holder may send anything, so a
//!    duplicate is worth no more than the token. There is no replay check and no replay store: if the sender repeats
//!    calls, the handler recognises them by the sender's event id. A credential that the answer gives to a
//!    browser must be single-use: see [`ticket`](crate#forms-and-partners). For the same reason, a body beside a token
//!    in a header or the query passes as it came.
//! 5. Wrong tokens are counted per source if a [`Throttle`] is set.
//! 6. The claims are those of [`FromCall`]: by default the JSON object without the token. A missing field is
//!    `rejected_claims`.
//! 7. A token in a header or the query is taken out of the request that the inner service gets. **A token in the body
//!    is not**: use [`Identity`](crate::Identity), which lacks it, and neither read nor log the body. The body is not
//!    rewritten because `Content-Length`, and any digest or signature that a later service checks, cover these bytes.

mod builder;
mod claims;
#[cfg(feature = "explain")]
mod near;
mod private_keys;
#[cfg(feature = "sign")]
mod signing;
mod token;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use serde_json::{Map, Value};

use crate::ConfigProblem;
use crate::body::WholeBody;
use crate::clock::{Clock, UnixTime};
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules, Usage};
use crate::keys::{self, Secret};
#[cfg(feature = "explain")]
use crate::near_miss::NearMiss;
use crate::rejection::Reason;
use crate::replay::FingerprintHasher;
use crate::scheme::Place;
use crate::store::{StoreError, StoreFuture};
use crate::text::headers::check_content;
use crate::text::json;
use crate::throttle::{Attempt, Throttle};
use crate::window::Validity;

pub use builder::{by_tenant, layer};
pub use claims::{FromCall, NoClaims, Rest, UserName};
pub use private_keys::{PrivateKeyStore, PrivateKeys, TokenDigest};
use token::{Token, Written};

/// The shared secret form, with claims of type `C`. Made by [`layer`] and [`by_tenant`].
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
    /// `None`: the layer's key store has the tenant's secrets.
    keys: Option<Arc<dyn PrivateKeyStore>>,
    place: Place,
    written: Written,
    may_be_in_query: bool,
    required: Vec<Cow<'static, str>>,
    throttle: Option<Throttle>,
    claims: PhantomData<fn() -> C>,
}

/// A request with a token, not verified yet.
#[doc(hidden)]
pub struct Call {
    digest: TokenDigest,
    attempt: Attempt,
    message: Message,
}

/// A request whose token is a known key.
#[doc(hidden)]
#[derive(Clone)]
pub struct Message {
    user: Option<String>,
    body: Bytes,
}

impl<C> Form for SharedSecret<C>
where
    C: FromCall + Send + Sync + 'static,
{
    const NAME: &'static str = "shared_secret";
    type Reads = WholeBody;
    type Credential = Call;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        let mut rules = Rules::new(TokenDigest::nobodys().secret());
        rules.usage = Usage::Reusable;
        rules.bearer = true;
        rules.looks_keys_up = self.keys.is_some();
        rules.parameters = self.place.parameter().into_iter().collect();
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        if self.place.presence(head)? == Presence::Absent {
            return Ok(Presence::Absent);
        }
        let reads_body = self.place.is_in_body() || C::READS_BODY;
        if reads_body {
            check_content(&head.headers, None)?;
        }
        // Throttle before reading the body.
        self.throttle.as_ref().map_or(Ok(()), |throttle| throttle.check(head))?;
        Ok(if reads_body { Presence::InBody } else { Presence::InHead })
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Call>, Reason> {
        let found = self.place.required(head, body)?;
        let token = Token::read(self.written, &found).map_err(|what| Reason::Malformed(self.place.name(), what))?;
        if let Cow::Owned(decoded) = found {
            drop(Secret::new(decoded));
        }
        let attempt = match &self.throttle {
            Some(throttle) => throttle.attempt(head)?,
            None => Attempt::uncounted(),
        };
        let message = Message { user: token.user().map(str::to_owned), body: body.clone() };
        Ok(Call { digest: TokenDigest::of_text(token.token()), attempt, message }.into())
    }

    fn look_up(&self, call: &Call) -> Option<StoreFuture<Result<keys::Keys, StoreError>>> {
        Some(self.keys.as_ref()?.find(&call.digest).map(|found| match found? {
            // Whoever holds it would be everybody's tenant.
            Some(key) if key.owner().is_none() => {
                Err(StoreError::new("a private key has no owner: name its organisation with `Key::owned_by`"))
            }
            key => Ok(key.into_iter().collect()),
        }))
    }

    fn verify(&self, call: &Call, key: &Secret) -> Result<Message, Reason> {
        call.attempt.check()?;
        let is_right = match self.keys {
            Some(_) => call.digest.is(key),
            None => {
                keys::check_shared(key).map_err(Reason::UnusableKey)?;
                call.digest.is(&TokenDigest::of(key).secret())
            }
        };
        if is_right {
            call.attempt.right();
            return Ok(call.message.clone());
        }
        call.attempt.wrong();
        Err(Reason::BadSignature)
    }

    fn validity(&self, _: &Message) -> Result<Validity, Reason> {
        Ok(Validity::unlimited())
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        fingerprint.part(&message.body);
        if let Some(user) = &message.user {
            fingerprint.part(user.as_bytes());
        }
    }

    fn claims(&self, message: Message, _: UnixTime) -> Result<C, Reason> {
        let fields = match self.place.json_member() {
            None => None,
            Some(token) => {
                // `extract` has already refused duplicate names.
                let mut fields: Map<String, Value> = json::parse(&message.body)?;
                if let Some(Value::String(token)) = fields.remove(token) {
                    drop(Secret::new(token));
                }
                Some(fields)
            }
        };
        C::from_call(Rest { user: message.user.as_deref(), body: &message.body, fields, required: &self.required })
    }

    fn redact(&self, head: &mut Parts) {
        self.place.redact(head);
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        keys::check_shared(key)
    }

    #[cfg(feature = "explain")]
    fn without_effects(&self) -> Option<Self> {
        Some(self.uncounted())
    }

    #[cfg(feature = "explain")]
    fn near_misses(&self, _: &Parts, _: &Bytes) -> Vec<NearMiss<Self>> {
        NearMiss::forms(self.near())
    }

    fn set_clock(&mut self, clock: &Arc<dyn Clock>) {
        self.throttle = self.throttle.take().map(|throttle| throttle.default_clock(Arc::clone(clock)));
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

opaque_debug!(SharedSecret<C> { place, throttle });
opaque_debug!(Call);
opaque_debug!(Message);
