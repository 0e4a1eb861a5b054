//! Payments and shops.

use serde::Deserialize;

/// An event of Stripe. `D` is the object that it is about. Thin events have another shape: read them into a type of
/// your own.
///
/// Source: docs.stripe.com, "The Event object".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::StripeEvent};
///
/// let layer = webhooks::stripe::<StripeEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StripeEvent<D> {
    /// By which the layer recognises it.
    pub id: String,
    /// Such as `invoice.paid`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// In seconds since 1970.
    pub created: i64,
    /// Whether it is no test.
    pub livemode: bool,
    /// The connected account that it comes from, if any.
    pub account: Option<String>,
    /// The version of the API in which `data` is written.
    pub api_version: Option<String>,
    /// What has happened.
    pub data: StripeData<D>,
}

/// What a [`StripeEvent`] is about.
///
/// ```
/// use tower_sso::providers::webhooks::events::StripeData;
///
/// fn id(data: &StripeData<serde_json::Value>) -> Option<&str> {
///     data.object["id"].as_str()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StripeData<D> {
    /// The object, such as an invoice.
    pub object: D,
}

/// An event of Paddle Billing. `D` is the entity that it is about.
///
/// Source: developer.paddle.com, "Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::PaddleEvent};
///
/// let layer = webhooks::paddle::<PaddleEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PaddleEvent<D> {
    /// By which the layer recognises it.
    pub event_id: String,
    /// Such as `subscription.canceled`.
    pub event_type: String,
    /// In RFC 3339.
    pub occurred_at: String,
    /// Of the delivery of this event to one destination.
    pub notification_id: Option<String>,
    /// The entity.
    pub data: D,
}

/// An event of Square. `D` is the object that it is about.
///
/// Source: developer.squareup.com, reference of the webhooks.
///
/// ```
/// use tower_sso::{providers::webhooks::{self, events::SquareEvent}, scheme::Origin};
///
/// let layer = webhooks::square::<SquareEvent<serde_json::Value>>(Origin::new("https://app.example"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SquareEvent<D> {
    /// By which the layer recognises it.
    pub event_id: String,
    /// Such as `order.updated`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The seller.
    pub merchant_id: Option<String>,
    /// The seller's location, if it is about one.
    pub location_id: Option<String>,
    /// In RFC 3339.
    pub created_at: String,
    /// What has happened.
    pub data: SquareData<D>,
}

/// What a [`SquareEvent`] is about.
///
/// ```
/// use tower_sso::providers::webhooks::events::SquareData;
///
/// fn is_payment<D>(data: &SquareData<D>) -> bool {
///     data.object_type == "payment"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SquareData<D> {
    /// Such as `payment`.
    #[serde(rename = "type")]
    pub object_type: String,
    /// The object's id.
    pub id: Option<String>,
    /// The object, under the name of its type.
    pub object: D,
}

/// An event of PayPal. `D` is the resource that it is about. **No word of it is signed**, only the body's CRC-32: see
/// [`danger_paypal`](super::super::danger_paypal).
///
/// Source: developer.paypal.com, "Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::PayPalEvent};
///
/// # #[cfg(feature = "public-key")]
/// let layer = webhooks::danger_paypal::<PayPalEvent<serde_json::Value>>("1JE4291016473214C");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PayPalEvent<D> {
    /// The event's id.
    pub id: String,
    /// Such as `PAYMENT.CAPTURE.COMPLETED`.
    pub event_type: String,
    /// In RFC 3339.
    pub create_time: String,
    /// Such as `capture`.
    pub resource_type: Option<String>,
    /// In words.
    pub summary: Option<String>,
    /// The resource.
    pub resource: D,
}

/// An event of Razorpay. `D` is its payload: the entities that `contains` names.
///
/// Source: razorpay.com, "Webhooks", sample payloads.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::RazorpayEvent};
///
/// let layer = webhooks::razorpay::<RazorpayEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RazorpayEvent<D> {
    /// Such as `order.paid`.
    pub event: String,
    /// Whose event it is.
    pub account_id: String,
    /// The names of what is in the payload.
    pub contains: Vec<String>,
    /// The entities.
    pub payload: D,
    /// In seconds since 1970.
    pub created_at: i64,
}

/// An event of Lemon Squeezy. `D` is the object that it is about, in the form of JSON:API.
///
/// Source: lmsqueezy/nextjs-billing, src/app/api/webhook/route.ts.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::LemonSqueezyEvent};
///
/// let layer = webhooks::lemon_squeezy::<LemonSqueezyEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LemonSqueezyEvent<D> {
    /// About the event.
    pub meta: LemonSqueezyMeta,
    /// The object.
    pub data: D,
}

/// What a [`LemonSqueezyEvent`] is.
///
/// ```
/// use tower_sso::providers::webhooks::events::LemonSqueezyMeta;
///
/// fn is_order(meta: &LemonSqueezyMeta) -> bool {
///     meta.event_name == "order_created"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LemonSqueezyMeta {
    /// Such as `order_created`.
    pub event_name: String,
}

/// A delivery of Coinbase Commerce. `D` is the charge.
///
/// Source: docs.cdp.coinbase.com, Commerce, "Webhooks fields".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::CoinbaseCommerceEvent};
///
/// let layer = webhooks::coinbase_commerce::<CoinbaseCommerceEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CoinbaseCommerceEvent<D> {
    /// From 1.
    pub attempt_number: u32,
    /// What has happened.
    pub event: CoinbaseCommerceDetail<D>,
}

/// What a [`CoinbaseCommerceEvent`] says.
///
/// ```
/// use tower_sso::providers::webhooks::events::CoinbaseCommerceDetail;
///
/// fn is_paid<D>(event: &CoinbaseCommerceDetail<D>) -> bool {
///     event.event_type == "charge:confirmed"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CoinbaseCommerceDetail<D> {
    /// By which the layer recognises it.
    pub id: String,
    /// Such as `charge:confirmed`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// In RFC 3339.
    pub created_at: String,
    /// The charge.
    pub data: D,
}

/// An event of Mollie, next generation. `D` is the rest of it: with full payloads, the entity is in `_embedded`.
///
/// Source: docs.mollie.com, "Webhook Events API".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::MollieEvent};
///
/// let layer = webhooks::mollie::<MollieEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MollieEvent<D> {
    /// By which the layer recognises it.
    pub id: String,
    /// Such as `payment-link.paid`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// What it is about: ask Mollie's API for it.
    pub entity_id: String,
    /// In RFC 3339.
    pub created_at: String,
    /// The rest.
    #[serde(flatten)]
    pub event: D,
}
