//! Answers to the question whether an address is yours, which senders of webhooks ask before they send to it.
//!
//! A [`Challenge`] is a tower layer. It answers the sender's question and passes every other request on. Put it outside
//! the layer that verifies: first in one `tower::ServiceBuilder`, with axum and without.
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "moka"))] {
//! # use axum::{Router, http::StatusCode, routing::post};
//! # use tower_sso::{Identity, replay::MemoryReplay};
//! use tower_sso::providers::webhooks::{self, challenges};
//!
//! # async fn handler(_: Identity<serde_json::Value>) -> StatusCode { StatusCode::OK }
//! let verify = webhooks::meta::<serde_json::Value>()
//!     .secrets(["0123456789abcdef0123456789abcdef"]) // the app secret
//!     .replay(MemoryReplay::new())
//!     .handler_remembers()
//!     .build()?;
//! let challenge = challenges::meta("the verify token that you typed in at Meta")?;
//! let both = tower::ServiceBuilder::new().layer(challenge).layer(verify);
//! let app: Router = Router::new().route("/meta", post(handler).layer(both));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. What is not asked for in the sender's way goes on to the inner service, which refuses it or verifies it.
//! 2. What is sent back is at most 512 visible characters. It is sent as `text/plain` with
//!    `X-Content-Type-Options: nosniff`, or inside JSON, so that a browser runs none of it. Otherwise: 400.
//! 3. A secret is compared in constant time. A wrong one gets 403.
//! 4. **No JSON is signed.** [`Challenge::hmac`] uses the key that deliveries are signed with, and answers only tokens
//!    that can neither be JSON of any kind nor what a template with `:` or `.` makes. A token can be plain text or a
//!    form: a layer with the same key must not take those, see
//!    [`object_or_list`](crate::Builder::object_or_list).
//! 5. Challenges that are signed themselves, such as those of Slack, Zoom, Twitch and Discord, belong into the handler
//!    behind the verifying layer. An answer in front of it would sign for anybody.

mod answer;
mod service;

use std::fmt;
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use tower_layer::Layer;

use crate::keys::Secret;
use crate::store::{StoreError, StoreFuture};
use crate::{ConfigError, ConfigProblem};
use answer::{Kind, digest};

pub use service::{ChallengeFuture, Challenged};

/// Answers one sender's challenge: see the [module](self). Cheap to clone.
///
/// The senders' own are in [`providers::webhooks::challenges`](crate::providers::webhooks::challenges).
///
/// ```
/// use tower_sso::webhook::challenge::Challenge;
///
/// // GET /hook?challenge=abc is answered with `abc`.
/// let challenge = Challenge::echo("challenge");
/// ```
#[derive(Clone)]
pub struct Challenge(Arc<Kind>);

impl Challenge {
    /// GET and HEAD get 200 without a body: for senders that only ask whether there is somebody.
    pub fn found() -> Self {
        Self(Arc::new(Kind::Found))
    }

    /// GET gets the value of this query parameter as text.
    pub fn echo(parameter: &'static str) -> Self {
        Self(Arc::new(Kind::Echo(parameter)))
    }

    /// GET gets the value of the query parameter `challenge` as text, if the parameter `token` has this value, which
    /// you told the sender. Otherwise: 403.
    ///
    /// # Errors
    /// [`ConfigProblem::Key`] for a value that is empty, blank or almost surely copied wrongly.
    pub fn echo_if(
        token: &'static str,
        value: impl Into<Secret>,
        challenge: &'static str,
    ) -> Result<Self, ConfigError> {
        let value = usable(value)?;
        Ok(Self(Arc::new(Kind::EchoIf { token, value: digest(value.expose()), challenge })))
    }

    /// GET gets the value of this header as the JSON object `{member: value}`.
    pub fn header_as_json(header: HeaderName, member: &'static str) -> Self {
        Self(Arc::new(Kind::HeaderAsJson { header, member }))
    }

    /// GET gets an HMAC-SHA256 of this query parameter's value in base64, under the key that deliveries are signed
    /// with, as the JSON object `{member: prefix + MAC}`.
    ///
    /// Only values of letters, digits and `+/-_` are signed, with up to two `=` at their end, and none that is JSON,
    /// such as `null` or `123`. Other values could be messages: they get 400. **Anybody can have a word signed**: have
    /// the layer that verifies take an [`object_or_list`](crate::Builder::object_or_list) alone.
    ///
    /// # Errors
    /// [`ConfigProblem::Key`] for a key that is empty, blank or almost surely copied wrongly, or a public key.
    pub fn hmac(
        parameter: &'static str,
        key: impl Into<Secret>,
        member: &'static str,
        prefix: &'static str,
    ) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(Kind::Hmac { parameter, key: usable(key)?, member, prefix })))
    }

    /// POST with this header gets 200 with the same header, if `accept` answers `true`: the value is the key that the
    /// sender will sign with, and `accept` stores it. `false` gets 403, an error 503.
    ///
    /// **Whoever knows the address can send such a request.** Accept a key only for a webhook that you are creating
    /// right now, at an address that you made up for it, and never replace a key by another one.
    ///
    /// ```
    /// use tower_sso::webhook::challenge::Challenge;
    ///
    /// let name = http::HeaderName::from_static("x-hook-secret");
    /// let challenge = Challenge::handshake(name, |head, key| {
    ///     let path = head.uri.path().to_owned();
    ///     async move {
    ///         // UPDATE hooks SET key = … WHERE path = … AND key IS NULL
    ///         let updated = store(path, key).await?;
    ///         Ok::<_, std::io::Error>(updated == 1)
    ///     }
    /// });
    /// # async fn store(_: String, _: tower_sso::Secret) -> std::io::Result<u64> { Ok(1) }
    /// ```
    pub fn handshake<F, Fut, E>(header: HeaderName, accept: F) -> Self
    where
        F: Fn(&Parts, Secret) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<bool, E>> + Send + 'static,
        E: Into<StoreError> + 'static,
    {
        let accept = move |head: &Parts, secret| {
            let accepted = accept(head, secret);
            StoreFuture::new(async move { accepted.await.map_err(Into::into) })
        };
        Self(Arc::new(Kind::Handshake { header, accept: Box::new(accept) }))
    }
}

impl<S> Layer<S> for Challenge {
    type Service = Challenged<S>;

    fn layer(&self, inner: S) -> Challenged<S> {
        Challenged::new(inner, Arc::clone(&self.0))
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").finish_non_exhaustive()
    }
}

fn usable(secret: impl Into<Secret>) -> Result<Secret, ConfigError> {
    let secret = secret.into();
    let problem = secret.weakness().or_else(|| secret.doubt());
    let problem = problem.map_or_else(|| crate::keys::check_shared(&secret), Err);
    match problem {
        Ok(()) => Ok(secret),
        Err(problem) => Err(ConfigProblem::Key { tenant: None, problem }.into()),
    }
}
