//! Webhooks of many senders: verified in a line each, processed once.
//!
//! # Your first sender
//!
//! Take the sender's preset from [`providers::webhooks`](crate::providers::webhooks), its secret as its page shows it,
//! and a replay store. Features `webhook` and `axum`; also `cargo add serde --features derive` and `serde_json`.
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "moka", feature = "webhook"))] {
//! use axum::{Router, http::StatusCode, routing::post};
//! use tower_sso::{Identity, MemoryReplay, providers::webhooks};
//!
//! #[derive(serde::Deserialize)]
//! struct Event {
//!     id: String,
//! }
//!
//! async fn on_stripe(event: Identity<Event>) -> StatusCode {
//!     // In one transaction: insert event.fingerprint(), and do what event.id asks for.
//!     StatusCode::OK
//! }
//!
//! async fn on_github(event: Identity<serde_json::Value>) -> StatusCode {
//!     StatusCode::OK
//! }
//!
//! // One store for all: each sender has a namespace of its own.
//! let replay = MemoryReplay::new();
//! let stripe = webhooks::stripe::<Event>()
//!     .secrets(["whsec_0123456789abcdef0123456789abcdef"])
//!     .replay(replay.clone())
//!     .handler_remembers()
//!     .build()?;
//! let github = webhooks::github::<serde_json::Value>()
//!     .secrets(["0123456789abcdef0123456789abcdef"])
//!     .replay(replay)
//!     .handler_remembers()
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/stripe", post(on_stripe).layer(stripe))
//!     .route("/github", post(on_github).layer(github));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! `examples/webhooks.rs` is a whole app: five senders, secrets per tenant, events in SQLite. `docs/webhooks.md` lists
//! all senders, with what each does not sign.
//!
//! # What the handler has to do
//!
//! - **An event normally reaches it once.** It can come again: if the handler failed or took longer than the
//!   [`lease`](crate::Builder::lease) (30 s), if the sender hung up, after a restart with `MemoryReplay`, and, if the
//!   sender signs no time (GitHub and many others), more than an hour later. So store
//!   [`Identity::fingerprint`](crate::Identity::fingerprint) in the transaction that does the work, and skip known
//!   ones. That is what [`handler_remembers`](crate::Builder::handler_remembers) promises.
//! - A duplicate gets 200, without the handler. If the sender wants to see a text, set
//!   [`acknowledge_with`](crate::Builder::acknowledge_with); if the handler should see it, set
//!   [`hand_duplicates_on`](crate::Builder::hand_duplicates_on).
//! - A retry is a duplicate if its bytes are the same, or if the preset reads an
//!   [event id](crate::Builder::event_id), as those of Stripe, Slack and Svix do. Otherwise a retry with a new time
//!   is a new event. For a sender without ids whose bodies say when an event happened, take
//!   [`EventId::Body`](crate::webhook::EventId::Body).
//! - If it fails, answer 500 or return an error: the event is not processed, and the sender's retry is let through.
//! - Answer within the sender's timeout, a few seconds for most: store the event, and do long work later.
//! - Believe the body, and what the preset says is signed. Not the event's type in a header: it is rarely signed.
//! - [`webhooks::events`](crate::providers::webhooks::events) has the envelopes of 45 senders, to take as claims: the
//!   event's kind, id and time, and the rest as a type of yours.
//!
//! # Secrets
//!
//! Many tenants: `.keys(store).tenant(Tenant::path_segment(2))`, and give each tenant an address of its own, such as
//! `/hooks/github/acme`. While a secret is replaced, both are accepted: [`rotating`](super::rotating). Senders that
//! replace theirs by signing twice need nothing: one right signature is enough.
//!
//! Some senders sign nothing and send the secret itself, such as Telegram and GitLab's older token. Their presets are
//! in [the second table](crate::providers::webhooks#senders-of-a-secret): whoever has seen one call can send any other.
//!
//! # Challenges
//!
//! Meta, Dropbox, X, Okta, Asana and Trello first ask whether the address is yours, without a signature. Put the answer
//! [outside the layer](crate::webhook::challenge). Slack, Zoom, Twitch and Discord sign the question: answer it in the
//! handler. **Never sign a text for somebody whose signature was not verified.**
//!
//! # Behind a proxy
//!
//! A signature covers the bytes of the body: no middleware outside the layer may decompress, re-encode or trim it.
//! Where a sender signs its address too, say how your server is known to it: see [`proxies`](super::proxies).
