//! Banks, direct debits and ledgers.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A delivery of GoCardless. `D` is one event, such as [`GoCardlessEvent`].
///
/// Source: gocardless/gocardless-pro-python, tests/fixtures/webhook_body.json.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::{GoCardlessEvent, GoCardlessEvents}};
///
/// let layer = webhooks::gocardless::<GoCardlessEvents<GoCardlessEvent>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GoCardlessEvents<D> {
    /// By whose ids the layer recognises the delivery.
    pub events: Vec<D>,
}

/// One event of [`GoCardlessEvents`].
///
/// ```
/// use tower_sso::providers::webhooks::events::GoCardlessEvent;
///
/// fn has_failed(event: &GoCardlessEvent) -> bool {
///     event.resource_type == "payments" && event.action == "failed"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GoCardlessEvent {
    /// By which the handler recognises it.
    pub id: String,
    /// In RFC 3339.
    pub created_at: String,
    /// Of what, such as `mandates`.
    pub resource_type: String,
    /// What has happened, such as `created`.
    pub action: String,
    /// The ids of what it is about, by its kind, such as `mandate`: ask GoCardless's API for it.
    pub links: BTreeMap<String, String>,
}

/// A delivery of Xero.
///
/// Source: XeroAPI/Xero-OpenAPI, xero-webhooks.yaml.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::XeroEvents};
///
/// let layer = webhooks::xero::<XeroEvents>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct XeroEvents {
    /// None, when Xero checks the address.
    #[serde(deserialize_with = "or_empty")]
    pub events: Vec<XeroEvent>,
    /// The number of the first.
    pub first_event_sequence: u64,
    /// The number of the last.
    pub last_event_sequence: u64,
}

/// One event of [`XeroEvents`].
///
/// ```
/// use tower_sso::providers::webhooks::events::XeroEvent;
///
/// fn is_invoice(event: &XeroEvent) -> bool {
///     event.event_category == "INVOICE"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct XeroEvent {
    /// Of what, such as `CONTACT`.
    pub event_category: String,
    /// What has happened: `CREATE` or `UPDATE`.
    pub event_type: String,
    /// A date and time in UTC, without an offset.
    pub event_date_utc: String,
    /// What has changed.
    pub resource_id: String,
    /// Where to ask Xero's API for it.
    pub resource_url: String,
    /// The organisation, or for subscriptions the app.
    pub tenant_id: String,
}

fn or_empty<'de, D: serde::Deserializer<'de>>(events: D) -> Result<Vec<XeroEvent>, D::Error> {
    Ok(Option::deserialize(events)?.unwrap_or_default())
}

/// A delivery of Plaid. `D` is the rest of it: what this kind of webhook says.
///
/// Source: plaid.com, "Transactions webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::PlaidEvent};
///
/// # #[cfg(feature = "jwt-public-key")]
/// let layer = webhooks::plaid::<PlaidEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PlaidEvent<D> {
    /// Such as `TRANSACTIONS`.
    pub webhook_type: String,
    /// What has happened, such as `SYNC_UPDATES_AVAILABLE`.
    pub webhook_code: String,
    /// The item, if it is about one.
    pub item_id: Option<String>,
    /// `sandbox` or `production`.
    pub environment: Option<String>,
    /// The rest.
    #[serde(flatten)]
    pub event: D,
}

/// An event of Flutterwave, version 4. `D` is what it is about.
///
/// Source: second-hand, Flutterwave's documentation of its webhooks as quoted by several servers of merchants.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::FlutterwaveEvent};
///
/// let layer = webhooks::flutterwave_v4::<FlutterwaveEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FlutterwaveEvent<D> {
    /// Such as `charge.completed`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// In milliseconds since 1970.
    pub timestamp: u64,
    /// The charge or other object.
    pub data: D,
}

/// An event of Paystack. `D` is what it is about.
///
/// Source: second-hand, Paystack's documentation of its webhooks as quoted by several servers of merchants.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::PaystackEvent};
///
/// let layer = webhooks::paystack::<PaystackEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PaystackEvent<D> {
    /// Such as `charge.success`.
    pub event: String,
    /// The transaction or other object.
    pub data: D,
}
