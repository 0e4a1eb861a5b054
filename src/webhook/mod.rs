//! A webhook whose body is signed: `POST`, `Webhook-Signature: hex(HMAC-SHA256(secret, body))`.
//!
//! TutorCruncher announces a new company this way: see [`providers::tutorcruncher`](crate::providers::tutorcruncher).
//! For other senders, set the headers, digest, encoding, prefix and signed timestamp.
//!
//! Feature `webhook`; for this example `axum` too.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, http::StatusCode, routing::post};
//! use tower_sso::{Identity, replay::MemoryReplay, webhook};
//!
//! #[derive(serde::Deserialize)]
//! struct Signup { company_name: String }
//! async fn sign_up(call: Identity<Signup>) -> StatusCode { /* store it */ StatusCode::OK }
//!
//! let verify = webhook::layer::<Signup>()
//!     .secrets(["whsec-shared"])
//!     .replay(MemoryReplay::new())
//!     .handler_remembers() // it keeps call.fingerprint() with what it stores: see below
//!     .build()?;
//! let app: Router = Router::new().route("/companies", post(sign_up).layer(verify));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # Rules
//! 1. The signature's header appears once and has its full length: hexadecimal of either case, or canonical base64 with
//!    padding where configured. A prefix is allowed only where configured. Otherwise: `malformed`.
//! 2. The content type is `application/json` with any parameters, and the only content encoding is `identity`.
//!    Otherwise: `unsupported_media_type`. An empty body is `malformed`, one over the limit `payload_too_large`. The
//!    claims are read from a JSON object; for a list or anything else use [`RawBody`].
//! 3. The MAC covers the raw bytes as received. The inner service gets the same bytes, in a
//!    [`LayerBody`](crate::body::LayerBody). Trailers are not signed and are dropped. Apart from the body, only what
//!    [`signed`](crate::Builder::signed) names is signed: not the URI, and no other header. `Content-Digest` (RFC 9530)
//!    and `Digest` are therefore not authentic: the layer ignores them and passes them on.
//! 4. If the form has a timestamp, the timestamp is signed and inside the window.
//! 5. A delivery is processed once. A duplicate is acknowledged with 200 and does not reach the inner service. A
//!    duplicate that comes while the first is still being processed waits for it, for `store_timeout` at most, then
//!    gets 503. **Two deliveries with the same bytes are one event.** If the sender's bodies can repeat, have it sign
//!    an [id](crate::Builder::id_header) or a [time](crate::Builder::timestamp_header). If two routes take the same
//!    bytes, give each a [`namespace`](crate::Builder::namespace): with one secret and one store, each would swallow
//!    the other's.
//! 6. If the inner service fails (an error, or any status but 2xx and 3xx), the delivery was not processed and a retry
//!    is let through. The same holds if the inner service is dropped before it answers, by a panic or because the
//!    sender hung up; tasks that it has spawned go on regardless.
//!
//! **A sender without a timestamp** may send the same bytes again in ten years. A memory replay store forgets them with
//! the process, so the handler must be idempotent too: it stores
//! [`Identity::fingerprint`](crate::Identity::fingerprint) with its own data, in one transaction, as `keys::sql` does.
//! Tell the layer by [`handler_remembers`](crate::Builder::handler_remembers): the replay store then keeps such a
//! delivery for an hour instead of for ever. With a timestamp, a delivery that failed before a restart is refused as
//! `replayed` when it is retried, because nothing remembers that it failed.
//!
//! In SQL, the handler remembers like this, with `call.fingerprint().as_bytes()` as `$1`:
//!
//! ```sql
//! CREATE TABLE seen (call BLOB PRIMARY KEY); -- in Postgres: BYTEA
//! BEGIN;
//! INSERT INTO seen (call) VALUES ($1) ON CONFLICT DO NOTHING;
//! -- no row was inserted: ROLLBACK, answer 200, and do nothing else
//! -- otherwise: what the call is about, in this same transaction
//! COMMIT;
//! ```

mod builder;
mod headers;
mod payload;
mod signed;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use http::request::Parts;

use crate::ConfigProblem;
use crate::body::WholeBody;
use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::form::{Extracted, Form, Presence, Rules, Usage};
use crate::keys::{self, Secret};
use crate::mac::{self, Tag};
use crate::rejection::Reason;
use crate::replay::FingerprintHasher;
use crate::text::headers::check_content;
use crate::window::{Validity, Window};

pub use crate::mac::Digest;
pub use builder::layer;
pub use headers::Encoding;
pub use payload::{FromBody, RawBody};
use signed::{Part, Template};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The signed webhook form, with claims of type `C`. Made by [`layer`].
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::webhook::Webhook;
///
/// struct State {
///     verify: VerifyLayer<Webhook<serde_json::Value>>,
/// }
/// ```
pub struct Webhook<C> {
    header: HeaderName,
    digest: Digest,
    encoding: Encoding,
    prefix: Cow<'static, str>,
    template: Result<Template, ConfigProblem>,
    timestamp_header: Option<HeaderName>,
    id_header: Option<HeaderName>,
    window: Window,
    content_type: Option<Cow<'static, str>>,
    lease: Duration,
    remember: Option<Duration>,
    handler_remembers: bool,
    forgetting_is_fine: bool,
    claims: PhantomData<fn() -> C>,
}

/// A signed delivery as received. Its sender is not verified yet.
#[doc(hidden)]
pub struct Call {
    mac: Tag,
    timestamp: Option<headers::Timestamp>,
    id: Option<String>,
    body: Bytes,
}

/// An authentic delivery.
#[doc(hidden)]
pub struct Message {
    mac: Tag,
    issued_at: Option<UnixTime>,
    body: Bytes,
}

impl<C> Form for Webhook<C>
where
    C: FromBody + Send + Sync + 'static,
{
    const NAME: &'static str = "webhook";
    type Reads = WholeBody;
    type Credential = Call;
    type Message = Message;
    type Claims = C;

    fn rules(&self) -> Rules {
        // The handler recognises duplicates, so they need not fill the store. Retries come within the hour.
        let remember = self.remember.or(self.handler_remembers.then_some(HOUR));
        let has_time = self.timestamp_header.is_some();
        let mut rules = Rules::new(Secret::new(mac::random_key()));
        rules.usage = Usage::Idempotent { lease: self.lease, remember };
        rules.has_time = has_time;
        rules.longest_window = if has_time { self.window.max_age } else { Duration::ZERO };
        rules.survives_restart = self.handler_remembers || self.forgetting_is_fine;
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        if !head.headers.contains_key(&self.header) {
            return Ok(Presence::Absent);
        }
        check_content(&head.headers, self.content_type.as_deref())?;
        Ok(Presence::InBody)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<Call>, Reason> {
        let signature = headers::once(&head.headers, &self.header)?.ok_or(Reason::MissingSignature)?;
        let mac = headers::mac(signature, &self.prefix, self.encoding, self.digest);
        let mac = mac.map_err(|what| headers::malformed(&self.header, what))?;
        if body.is_empty() {
            return Err(Reason::Malformed("body".into(), "is empty"));
        }
        let timestamp =
            self.timestamp_header.as_ref().map(|name| headers::timestamp(&head.headers, name)).transpose()?;
        let id = self.id_header.as_ref().map(|name| headers::id(&head.headers, name)).transpose()?;
        Ok(Call { mac, timestamp, id, body: body.clone() }.into())
    }

    fn verify(&self, call: &Call, key: &Secret) -> Result<Message, Reason> {
        keys::check_shared(key).map_err(Reason::UnusableKey)?;
        let Ok(template) = &self.template else { return Err(Reason::BadSignature) };
        let parts = template.fill(|part| match part {
            Part::Literal(literal) => literal.as_bytes(),
            Part::Timestamp => call.timestamp.as_ref().map_or(&[], |timestamp| timestamp.text.as_bytes()),
            Part::Id => call.id.as_ref().map_or(&[], |id| id.as_bytes()),
            Part::Body => &call.body,
        });
        if !self.digest.verify(key, parts, &call.mac) {
            return Err(Reason::BadSignature);
        }
        let issued_at = call.timestamp.as_ref().map(|timestamp| timestamp.time);
        Ok(Message { mac: call.mac, issued_at, body: call.body.clone() })
    }

    fn validity(&self, message: &Message) -> Result<Validity, Reason> {
        Ok(match message.issued_at {
            Some(issued_at) => Validity::around_second(issued_at, &self.window),
            None => Validity::unlimited(),
        })
    }

    fn fingerprint(&self, message: &Message, fingerprint: &mut FingerprintHasher) {
        fingerprint.part(&message.mac);
    }

    fn claims(&self, message: Message, _: UnixTime) -> Result<C, Reason> {
        C::from_body(&message.body)
    }

    fn check_key(&self, key: &Secret) -> Result<(), &'static str> {
        mac::check_key(Self::NAME, key)
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        builder::check(self)
    }
}

opaque_debug!(Webhook<C> { header, digest, encoding });
opaque_debug!(Call);
opaque_debug!(Message);
