//! A webhook whose body is signed: `POST`, `Webhook-Signature: hex(HMAC-SHA256(secret, body))`.
//!
//! TutorCruncher announces a new company this way: see [`providers::tutorcruncher`](crate::providers::tutorcruncher).
//! [`providers::webhooks`](crate::providers::webhooks) has GitHub, Stripe, Slack, Svix and other senders. For the rest,
//! set the headers, digest, encoding, prefix and signed timestamp.
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
//! 1. The signature's header appears once and holds a MAC of full length: hexadecimal of either case, or canonical
//!    base64 with padding where configured. A prefix is allowed only where configured. Otherwise: `malformed`. Where
//!    the sender may write [several signatures](crate::Builder::separator), one of them has to be right, and other
//!    elements of the list are ignored. With a [public-key algorithm](crate::Builder::public_key), the signature takes
//!    the place of the MAC in all these rules.
//! 2. The content type is `application/json` with any parameters, or [another](crate::Builder::content_types), and the
//!    only content encoding is `identity`. Otherwise: `unsupported_media_type`. An empty body is `malformed` unless it
//!    is [optional](crate::Builder::optional_body), one over the [limit](crate::Builder::body_limit) of 64 KiB
//!    `payload_too_large`. The claims are read from a JSON object, or from [a list](JsonBody), [a form](FormBody),
//!    [either](JsonOrForm), or [any bytes](RawBody).
//! 3. The MAC covers the raw bytes as received. The inner service gets the same bytes, in a
//!    [`LayerBody`](crate::body::LayerBody). Trailers are not signed and are dropped. Apart from the body, only what
//!    [`signed`](crate::Builder::signed) names is signed: by default not the method, not the URI, and no header.
//!    `Content-Digest` (RFC 9530) and `Digest` are therefore not authentic: the layer ignores them and passes them on.
//!    Where the URL is signed, it is the one that [the client sent](crate::received), at the layer's
//!    [origin](crate::Builder::origin).
//! 4. If the layer has a timestamp, the timestamp is signed and inside the window.
//! 5. An event is processed once. Deliveries with the same signed bytes are one event or, if the layer reads an
//!    [event id](crate::Builder::event_id), deliveries with the same id. A duplicate is acknowledged with 200, or
//!    [as you set](crate::Builder::acknowledge_with), and does not reach the inner service, unless the layer
//!    [hands duplicates on](crate::Builder::hand_duplicates_on). A duplicate that comes while the first is still being
//!    processed waits for it, for `store_timeout` at most, then gets 503. If the bodies of different events can be the
//!    same, have the sender sign an [id](crate::Builder::id_header) or a [time](crate::Builder::timestamp_header). If
//!    two routes take the same bytes, give each a [`namespace`](crate::Builder::namespace): with one secret and one
//!    store, each would swallow the other's. So would two layers with one signature header and one store, whatever
//!    their secrets, if they read event ids or take several signatures.
//! 6. If the inner service fails (an error, or any status but 2xx and 3xx), the delivery was not processed and a retry
//!    is let through. The same holds if the inner service is dropped before it answers, by a panic or because the
//!    sender hung up; tasks that it has spawned go on regardless.
//!
//! **A sender without a timestamp** may send the same bytes again in ten years. A memory replay store forgets them with
//! the process, so the handler must be idempotent too: it stores
//! [`Identity::fingerprint`](crate::Identity::fingerprint) with its own data, in one transaction, as `keys::sql` does.
//! Tell the layer by [`handler_remembers`](crate::Builder::handler_remembers): the replay store then keeps such a
//! delivery for an hour instead of for ever.
//!
//! **With a timestamp and a memory replay store**, a delivery that was made before a restart and comes after it is
//! refused as `replayed`: nothing remembers whether it was processed. The sender's next retry passes if it has a new
//! timestamp. If all its retries keep the first one, a delivery that failed, or came while the server was down, is
//! lost: take a store that outlives the process, such as Redis.
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
pub mod challenge;
mod cuts;
mod form;
mod headers;
mod listed;
#[cfg(feature = "explain")]
mod near;
mod request;
mod sameness;
mod secret_first;
pub(crate) mod signatures;
mod signed;
#[cfg(feature = "sign")]
mod signing;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Response};

use crate::ConfigProblem;
use crate::debug::opaque_debug;
use crate::processing::Processing;
use crate::window::Window;

pub use crate::body::{FormBody, FromBody, JsonBody, JsonOrForm, RawBody};
pub use crate::mac::Digest;
#[cfg(feature = "public-key")]
pub use crate::scheme::PublicKeyAlgorithm;
pub use crate::scheme::{Encoding, SecretFormat, TimeFormat};
pub use builder::layer;
use request::Reading;
pub use sameness::EventId;
use sameness::Sameness;
use signatures::Signatures;
use signed::Template;

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
    signatures: Signatures,
    secret_format: SecretFormat,
    template: Result<Template, ConfigProblem>,
    /// Whether the text may be cut in two ways.
    cut_is_free: bool,
    reading: Reading,
    timestamp_header: Option<HeaderName>,
    timestamp_field: Option<Cow<'static, str>>,
    time_format: TimeFormat,
    /// How far ahead the time may be, if it is when a delivery ends.
    expires_within: Option<Duration>,
    id_header: Option<HeaderName>,
    window: Window,
    /// `None`: any.
    content_types: Option<Vec<Cow<'static, str>>>,
    optional_body: bool,
    object_or_list: bool,
    processing: Processing,
    sameness: Sameness,
    every_delivery: bool,
    /// Of every delivery, as it is no longer taken once its time is over.
    within_window: bool,
    once: bool,
    acknowledgement: Option<Response<Bytes>>,
    hands_duplicates_on: bool,
    remember: Option<Duration>,
    claims: PhantomData<fn() -> C>,
}

opaque_debug!(Webhook<C> { time_format, secret_format });
