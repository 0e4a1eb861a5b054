//! The senders' envelopes, as claims for the presets: what kind of event it is, its id and time, and the rest as a type
//! of yours.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! use axum::{Router, http::StatusCode, routing::post};
//! use tower_sso::providers::webhooks::{self, events::StripeEvent};
//! use tower_sso::{Identity, replay::MemoryReplay};
//!
//! #[derive(serde::Deserialize)]
//! struct Invoice { customer: String, amount_paid: i64 }
//!
//! async fn on_event(event: Identity<StripeEvent<Invoice>>) -> StatusCode {
//!     match event.event_type.as_str() {
//!         "invoice.paid" => { /* event.data.object.amount_paid */ StatusCode::OK }
//!         _ => StatusCode::OK,
//!     }
//! }
//!
//! let verify = webhooks::stripe::<StripeEvent<Invoice>>()
//!     .secrets(["whsec_0123456789abcdef0123456789abcdef"])
//!     .replay(MemoryReplay::new())
//!     .handler_remembers()
//!     .build()?;
//! let app: Router = Router::new().route("/stripe", post(on_event).layer(verify));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! If a route takes events of several kinds, take `serde_json::Value` for the rest, or an untagged enum. A body that
//! does not have the shape is `rejected_claims`, and most senders then send it again: so leave out fields that you do
//! not need. Unknown fields are ignored. Times are as the sender writes them.
//!
//! Everything in these types is signed, unless the preset says otherwise. What stands in headers alone, such as
//! GitHub's and Shopify's kinds of events, is not, and so is not here. Senders whose bodies are the resource itself
//! have no envelope: Shopify and WooCommerce. Nor has what a user wrote: Zendesk's triggers and Cal.com's templates.

mod books;
mod code;
mod forms;
mod messages;
mod payments;
mod slack;
mod work;

pub use books::*;
pub use code::*;
pub use forms::*;
pub use messages::*;
pub use payments::*;
pub use slack::*;
pub use work::*;
