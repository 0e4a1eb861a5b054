//! Relying-party verification for [tower](https://docs.rs/tower): partners' sign-in links and signed calls, checked
//! once and right.
//!
//! A partner platform signs its users into your app with a small protocol of its own: an encrypted token in the query,
//! a signed webhook, a hash over a timestamp. You are the *relying party*, and the check is yours to write: canonical
//! bytes, time, tenants, replay. In this crate, such a protocol is a *form*: a way for a signed identity to arrive, and
//! nothing to do with HTML forms. Each layer validates one form, rejects replays, and puts a typed [`Identity`] into
//! the request.
//!
//! ```
//! # #[cfg(all(feature = "fernet", feature = "moka", feature = "axum", feature = "sign"))] {
//! use axum::{Router, routing::get};
//! use tower_sso::Identity;
//! use tower_sso::keys::MemoryKeys;
//! use tower_sso::providers::tutorcruncher::{self, TutorUser};
//! use tower_sso::replay::MemoryReplay;
//!
//! async fn land(user: Identity<TutorUser>) -> String {
//!     format!("Hello {} of company {}", user.name, user.tenant())
//! }
//!
//! let keys = MemoryKeys::new().with("4321", "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=");
//! let sso = tutorcruncher::sso(keys).replay(MemoryReplay::new()).build()?;
//! let app = Router::new().route("/sso", get(land).layer(sso));
//!
//! // The partner's link works once. Feature `sign` is the partner's side, for tests. This link is made in the next
//! // second, as a store in memory refuses what may be older than itself.
//! # use tower::ServiceExt;
//! use tower_sso::clock::{Clock, SystemClock};
//! let link = tower_sso::sign::FernetLink::new("/sso", "4321", &"38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=".into())
//!     .issued_at(SystemClock.now().ceil_to_second())
//!     .uri(&serde_json::json!({"id": 123, "nm": "Samuel", "rt": "Contractor"}))?;
//! let click = || http::Request::get(&link).body(axum::body::Body::empty()).unwrap();
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! assert_eq!(app.clone().oneshot(click()).await.unwrap().status(), 200);
//! assert_eq!(app.clone().oneshot(click()).await.unwrap().status(), 401);
//! # });
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **New here?** The [guide] has a chapter for each question: [your first partner](guide::first_partner), [which
//! form is mine](guide::which_form), [why a request was refused](guide::refusals), [webhooks](guide::webhooks),
//! [what happens to one request](guide::check), and nine more.
//!
//! # Forms and partners
//!
//! A *form* is a kind of credential: where it stands in a request, and how it is signed.
//!
//! | form | module | partner |
//! |---|---|---|
//! | Fernet token in a query, header, cookie or body | [`fernet`] | [TutorCruncher](providers::tutorcruncher::sso) |
//! | signed webhook body | [`webhook`] | [TutorCruncher](providers::tutorcruncher::sign_up) |
//! | JWT in a query, header, cookie or body | [`jwt`] | [Waggl](providers::waggl::sso) |
//! | timestamp hash over fields of a query or body | [`timestamp_hash`] | [LCvista](providers::lcvista::sso) |
//! | signed parameters | [`signed_parameters`] | [Shopify, Telegram, …](providers::launches) |
//! | payload with its signature | [`signed_payload`] | [Facebook, Wix, Discourse, …](providers::launches) |
//! | encrypted and signed payload | [`sealed`] | [Zoom Apps, Shopify Multipass](providers::launches) |
//! | OAuth 1.0a signed request | [`oauth1`] | [Site Builder](providers::site_builder::sso) |
//! | shared secret in a body, header or query | [`shared_secret`] | [seatmap.pro](providers::seatmap::autologin) |
//! | signature inside the JSON body | [`signed_json`] | [Adyen, Mailgun and others](providers::webhooks) |
//! | HTTP Message Signature (RFC 9421) | [`http_signature`] | whoever signs webhooks so |
//! | JWT with the digest of a webhook's body | [`jwt::webhook`] | [Netlify and Plaid](providers::webhooks) |
//! | one-time ticket in the query | [`ticket`] | your own: what an answer to a partner hands on to a browser |
//!
//! A form of your own implements [`Form`], and gets the same engine.
//!
//! # Which module do I need?
//!
//! - **To take a partner's requests**: the partner's module in [`providers`] or the form's, [`keys`], [`replay`] for
//!   the store, [`tenant`] if there are several; then [`landing`], [`login_redirect`] and [`throttle`], which need no
//!   feature, as your own code may use them with any form.
//! - **To handle refusals**: [`rejection`]. **For tests**: [`clock`], and the features `sign` and `testing`.
//! - **To write a form**: [`form`], [`body`], [`query`], [`received`], [`window`], and the [guide](guide::own_form).
//! - **To write a store**: [`replay`], [`keys`] or `ticket`, and [`store`].
//!
//! # The flow
//!
//! ```text
//! request → screen → read → extract → keys → verify → time → claims → replay → Identity<C> → inner service
//!             │        │        │        │       │       │       │        │
//!         405, 415, 408, 413 malformed invalid invalid expired rejected_ replayed   (or unavailable,
//!         425, 429                             not_yet_ claims                       if a store fails)
//!                                              valid
//! ```
//! - `screen` comes before the body is read. `replay` includes the store's startup cutoff. The guide has [each
//!   step](guide::check).
//! - Before the signature is verified no credential is stored, so a forger can neither use up a victim's link nor fill
//!   the store.
//!   Only this is parsed: of a JWT its header, for the algorithm, which must be one of the layer's; of a JSON body the
//!   shared secret, or the signature and the fields that it signs; and of a token or payload the one claim that names
//!   the tenant (`tenant_claim`, `tenant_header`, `tenant_member`, `tenant_field`): it selects the key, whose signature
//!   then proves it.
//! - A body that the credential neither signs nor stands in is refused, as anyone who holds an unused link could have
//!   written it: see [`danger_unsigned_body`](Builder::danger_unsigned_body).
//! - An unknown tenant and a wrong signature get one answer. An unknown tenant costs one check, like a tenant with one
//!   key; [two cases](keys#what-a-forger-learns-of-a-tenant) tell that a tenant exists. See [`rejection`] for all
//!   answers, and for the [`Reason`](rejection::Reason) behind each, which logs, metrics and your own
//!   [responder](Builder::responder) see and clients do not.
//! - HEAD requests, and prefetches and previews that say so in a header, are refused and use nothing up. **A mail
//!   scanner that sends an ordinary GET uses the link up**: see [links that are
//!   mailed](guide::mail_scanners).
//! - The credential is taken out of the URI that the inner service sees. **A layer outside this one still sees it**:
//!   put request logging inside, or log the path alone.
//! - Answers carry `Cache-Control: no-store` and `Referrer-Policy: no-referrer`, except
//!   [those listed here](guide::stacking#answers-without-the-two-security-headers).
//! - Every setting that weakens a check has `danger` in its name. Unsafe settings compile, but `.build()` returns an
//!   error that names the setting: build your layers at startup, or in a test. Doubtful secrets are logged at `WARN`.
//!
//! # Before you deploy
//!
//! - [`MemoryReplay`] knows one process. Behind a load balancer, one link works once per process:
//!   share a Redis or Valkey there (feature `redis`), or implement [`ReplayStore`](replay::ReplayStore) and prove it
//!   with the feature `testing`. Share the keys too and, if you use them, the tickets, which `RedisStore` also keeps.
//!   [`CachedKeys`](keys::CachedKeys) in front of a database sees another process's rotation within a second, and its
//!   revocation within its `time_to_live`.
//! - [`MemoryReplay`] forgets when the process ends, so what was made before the process started
//!   is refused as `replayed`. [`MemoryReplay::opened`] waits out the first second, in which that may be an honest
//!   link.
//! - Clocks: windows are seconds wide. Run NTP.
//! - The layers verify; your app keeps the session. Give it a new session id after each sign-in. Its cookie is
//!   `HttpOnly`, `Secure` and `SameSite=Lax`; in frames and for partners' scripts `SameSite=None; Partitioned`. See
//!   [sessions and cookies](guide::sessions).
//! - Middleware: limits stand [outside](guide::stacking#next-to-other-middleware), request logging inside. For
//!   middleware that rewrites the path, see [`received`].
//! - A blocked log reader must not stall the server: write through a non-blocking writer that drops and counts, such as
//!   `tracing_appender::non_blocking`. Three limits of 100 lines a second are separate: refusals before the
//!   signature is verified, refusals and acknowledged duplicates after it, store failures. The rest is at `DEBUG`, and
//!   one line counts it.
//! - Sign-in links are bearer tokens until they are used: serve https only.
//!
//! # Features
//!
//! Each form is a feature, and none is on by default: name those that your partners use.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `fernet` | | the [`fernet`] form |
//! | `webhook` | | the [`webhook`] form |
//! | `signed-json` | | the [`signed_json`] form, and `webhook` |
//! | `http-signature` | | the [`http_signature`] form, and `webhook` |
//! | `jwt` | | the [`jwt`] form with HS256, HS384 and HS512 |
//! | `public-key` | | signatures with public keys, by `jsonwebtoken` and the RustCrypto crates that it brings |
//! | `jwt-public-key` | | both: RS, PS, ES and EdDSA for [`jwt`] |
//! | `signed-parameters` | | the [`signed_parameters`] form |
//! | `signed-payload` | | the [`signed_payload`] form |
//! | `sealed` | | the [`sealed`] form, by RustCrypto's AES |
//! | `timestamp-hash` | | the [`timestamp_hash`] form |
//! | `oauth1` | | the [`oauth1`] form |
//! | `shared-secret` | | the [`shared_secret`] form |
//! | `ticket` | | the [`ticket`] form |
//! | `moka` | yes | [`MemoryReplay`] and [`CachedKeys`](keys::CachedKeys) |
//! | `dense-replay` | | `replay::DenseReplay`: a store in memory for millions of sign-ins |
//! | `axum` | | [`Identity`] as an extractor; the credential goes out of axum's `OriginalUri` too |
//! | `sqlx` | | [`keys::sql`], on sqlx's `Any` driver |
//! | `sqlite`, `postgres` | | [`keys::sql`] on SQLite (bundled, needs a C compiler), on Postgres |
//! | `redis` | | `redis::RedisStore`: replays and tickets on a Redis or Valkey that many processes share |
//! | `redis-cluster`, `redis-sentinel`, `redis-tls` | | the same on a cluster, sentinels, over TLS (rustls on ring) |
//! | `metrics` | | [`metrics`]: outcomes, times of checks and stores, ages of credentials, the replay store's size |
//! | `explain` | | [`explain`]: which slip of a partner explains a refusal, for operators |
//! | `sign` | | [`sign`]: the partner's side, for tests |
//! | `kit` | | [`kit`]: a page for the partner, with a test vector and programs; and `sign` |
//! | `testing` | | [`testing`]: the suites for stores of your own; [`Identity::unproved`] |
//!
//! No feature changes what another one does, but for `axum`: with it, [`received::uri`] reads axum's `OriginalUri`.
//! There is no unsafe code and no OpenSSL.
//!
//! Each check is a span `check` of [`tracing`](https://docs.rs/tracing) at `DEBUG`, with target `tower_sso`, the fields
//! `form`, `namespace`, `tenant`, `key_use`, `outcome` and `reason`. Events have the same target: refusals and
//! acknowledged duplicates at `INFO`, failing stores and every 503 at `WARN`, accepted requests at `DEBUG`, and at
//! `ERROR` a processed delivery that could not be settled. A refusal names the form, the namespace, the tenant as the
//! request or the key names it, the reason and what was compared: ages in seconds, the base string's URI, the names of
//! what is signed ([`Facts`](rejection::Facts)). No event contains a secret, credential, claim's value or path; for the
//! path, open a span around the layer. Text from requests, a store, your application or a form of your own is escaped
//! and cut, so it cannot forge a line.

#![forbid(unsafe_code)]
// Requests cannot panic; casts cannot lose bits.
#![warn(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)]
#![warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
// With some forms off, shared code may be unused.
#![cfg_attr(
    not(all(
        feature = "fernet",
        feature = "http-signature",
        feature = "jwt",
        feature = "oauth1",
        feature = "sealed",
        feature = "shared-secret",
        feature = "signed-parameters",
        feature = "signed-payload",
        feature = "signed-json",
        feature = "ticket",
        feature = "timestamp-hash",
        feature = "webhook"
    )),
    allow(dead_code, unreachable_pub)
)]
// With some features off, links to what they add lead nowhere.
#![cfg_attr(
    not(all(
        feature = "axum",
        feature = "fernet",
        feature = "http-signature",
        feature = "jwt",
        feature = "kit",
        feature = "moka",
        feature = "oauth1",
        feature = "public-key",
        feature = "redis",
        feature = "sealed",
        feature = "shared-secret",
        feature = "sign",
        feature = "signed-parameters",
        feature = "signed-payload",
        feature = "signed-json",
        feature = "sqlx",
        feature = "testing",
        feature = "ticket",
        feature = "timestamp-hash",
        feature = "webhook"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used))]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod axum;
pub mod body;
mod body_error;
#[cfg(any(feature = "jwt", feature = "signed-parameters", feature = "signed-payload"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "signed-parameters", feature = "signed-payload"))))]
pub mod challenge;
pub mod clock;
mod debug;
mod engine;
mod error;
#[cfg(feature = "explain")]
#[cfg_attr(docsrs, doc(cfg(feature = "explain")))]
pub mod explain;
#[cfg(feature = "fernet")]
#[cfg_attr(docsrs, doc(cfg(feature = "fernet")))]
pub mod fernet;
pub mod form;
#[cfg(any(doc, doctest))]
pub mod guide;
mod has_settings;
#[cfg(feature = "http-signature")]
#[cfg_attr(docsrs, doc(cfg(feature = "http-signature")))]
pub mod http_signature;
mod identity;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod jwt;
pub mod keys;
#[cfg(feature = "kit")]
#[cfg_attr(docsrs, doc(cfg(feature = "kit")))]
pub mod kit;
pub mod landing;
pub mod login_redirect;
#[cfg(any(
    feature = "jwt",
    feature = "oauth1",
    feature = "sealed",
    feature = "sign",
    feature = "signed-parameters",
    feature = "signed-payload",
    feature = "timestamp-hash",
    feature = "webhook"
))]
mod mac;
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics;
#[cfg(feature = "explain")]
mod near_miss;
#[cfg(any(feature = "jwt", feature = "signed-parameters", feature = "signed-payload"))]
mod nonce_setters;
#[cfg(feature = "oauth1")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth1")))]
pub mod oauth1;
mod observe;
mod prefetch;
#[cfg(any(feature = "jwt", feature = "webhook"))]
mod processing;
pub mod providers;
pub mod received;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub mod redis;
pub mod rejection;
pub mod replay;
pub mod scheme;
#[cfg(feature = "sealed")]
#[cfg_attr(docsrs, doc(cfg(feature = "sealed")))]
pub mod sealed;
/// What [`VerifyLayer`] makes: the service and its future.
pub mod service {
    pub use crate::engine::{ResponseFuture, Verify};
}
mod settings;
#[cfg(feature = "shared-secret")]
#[cfg_attr(docsrs, doc(cfg(feature = "shared-secret")))]
pub mod shared_secret;
#[cfg(feature = "sign")]
#[cfg_attr(docsrs, doc(cfg(feature = "sign")))]
pub mod sign;
#[cfg(any(feature = "signed-parameters", feature = "signed-payload"))]
mod signature_setters;
#[cfg(feature = "signed-json")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-json")))]
pub mod signed_json;
#[cfg(feature = "signed-parameters")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-parameters")))]
pub mod signed_parameters;
#[cfg(feature = "signed-payload")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-payload")))]
pub mod signed_payload;
#[cfg(feature = "sign")]
mod steps;
pub mod store;
pub mod tenant;
mod tenant_id;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod text;
pub mod throttle;
#[cfg(feature = "ticket")]
#[cfg_attr(docsrs, doc(cfg(feature = "ticket")))]
pub mod ticket;
#[cfg(any(feature = "sealed", feature = "signed-parameters", feature = "signed-payload"))]
mod time_setters;
#[cfg(feature = "timestamp-hash")]
#[cfg_attr(docsrs, doc(cfg(feature = "timestamp-hash")))]
pub mod timestamp_hash;
#[cfg(feature = "webhook")]
#[cfg_attr(docsrs, doc(cfg(feature = "webhook")))]
pub mod webhook;
pub mod window;
mod window_setters;

pub use engine::{Builder, VerifyLayer};
pub use error::{ConfigError, ConfigProblem};
pub use form::Form;
pub use identity::Identity;
pub use keys::{MemoryKeys, Secret};
pub use rejection::Rejection;
#[cfg(feature = "moka")]
#[cfg_attr(docsrs, doc(cfg(feature = "moka")))]
pub use replay::MemoryReplay;
pub use tenant::Tenant;
pub use text::query;

/// The README's code is compiled.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// So is the line for each sender of webhooks.
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "moka",
    feature = "jwt-public-key",
    feature = "shared-secret",
    feature = "signed-json",
    feature = "webhook"
))]
#[doc = include_str!("../docs/webhooks.md")]
struct Webhooks;

/// And the launch of a platform.
#[cfg(all(doctest, feature = "axum", feature = "moka", feature = "oauth1"))]
#[doc = include_str!("../docs/launches.md")]
struct Launches;
