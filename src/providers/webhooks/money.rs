//! Senders: payments and shops.

use http::HeaderName;

use super::{Claims, DAY, sender};
use crate::Builder;
use crate::webhook::{Digest, Encoding, EventId, SecretFormat, Webhook};

/// Deliveries of Stripe.
///
/// `Stripe-Signature: t=`, the time in seconds, and any number of `v1=`, hexadecimal HMAC-SHA256 of
/// `{timestamp}.{body}`.
///
/// The secret is the text `whsec_…`, which is not decoded. `v0` is ignored. A retry has a new time and signature, so an
/// event is recognised by the `id` in its body, for three days. Every event of Stripe has one, thin and test events
/// too; a body without it would be recognised by what was signed.
///
/// As claims: [`StripeEvent`](super::events::StripeEvent).
///
/// Source: stripe/stripe-python, stripe/_webhook.py.
///
/// ```
/// let layer = tower_sso::providers::webhooks::stripe::<serde_json::Value>();
/// ```
pub fn stripe<C: Claims>() -> Builder<Webhook<C>> {
    with_stripes_header("stripe").event_id(EventId::field_if_given("id")).retried_for(3 * DAY)
}

/// `Stripe-Signature`, for events and for apps.
pub(super) fn with_stripes_header<C: Claims>(name: &'static str) -> Builder<Webhook<C>> {
    sender(name)
        .signature_header(HeaderName::from_static("stripe-signature"))
        .prefix("v1=")
        .separator(',')
        .timestamp_element("t=")
        .signed("{timestamp}.{body}")
        .secret_format(SecretFormat::Text)
}

/// Deliveries of Shopify.
///
/// `X-Shopify-Hmac-Sha256`: base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the app's client secret. `X-Shopify-Topic`, `-Shop-Domain` and `-Webhook-Id` are not signed: two topics
/// may have one body, see [`danger_distinguished_by`](Builder::danger_distinguished_by).
///
/// If the app has a proxy, that signs text that visitors choose, under the same secret, and such a text can be JSON:
/// never reflect or log a URL of the proxy.
///
/// Source: Shopify/shopify-app-js, packages/apps/shopify-api/lib/webhooks; bold-commerce/go-shopify, for the vector.
///
/// ```
/// let layer = tower_sso::providers::webhooks::shopify::<serde_json::Value>();
/// ```
pub fn shopify<C: Claims>() -> Builder<Webhook<C>> {
    sender("shopify").signature_header(HeaderName::from_static("x-shopify-hmac-sha256")).encoding(Encoding::Base64)
}

/// Deliveries of Paddle Billing.
///
/// `Paddle-Signature: ts=`, the time in seconds, and any number of `h1=`, hexadecimal HMAC-SHA256 of
/// `{timestamp}:{body}`.
///
/// Paddle's SDK allows an age of 5 s, which queues exceed; this preset allows 300 s.
///
/// A retry has a new time and signature, so an event is recognised by the `event_id` in its body, for three days.
///
/// As claims: [`PaddleEvent`](super::events::PaddleEvent).
///
/// Source: developer.paddle.com, "Handle webhook delivery"; PaddleHQ/paddle-python-sdk.
///
/// ```
/// let layer = tower_sso::providers::webhooks::paddle::<serde_json::Value>();
/// ```
pub fn paddle<C: Claims>() -> Builder<Webhook<C>> {
    sender("paddle")
        .signature_header(HeaderName::from_static("paddle-signature"))
        .prefix("h1=")
        .separator(';')
        .timestamp_element("ts=")
        .signed("{timestamp}:{body}")
        .secret_format(SecretFormat::Text)
        .event_id(EventId::field_if_given("event_id"))
        .retried_for(3 * DAY)
}

/// Deliveries of Coinbase Commerce.
///
/// `X-CC-Webhook-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// A retry counts its attempts in the body, so an event is recognised by the `id` of its `event`.
///
/// As claims: [`CoinbaseCommerceEvent`](super::events::CoinbaseCommerceEvent).
///
/// Source: docs.cdp.coinbase.com, Commerce, "Webhooks fields"; coinbase/coinbase-commerce-node.
///
/// ```
/// let layer = tower_sso::providers::webhooks::coinbase_commerce::<serde_json::Value>();
/// ```
pub fn coinbase_commerce<C: Claims>() -> Builder<Webhook<C>> {
    sender("coinbase_commerce")
        .signature_header(HeaderName::from_static("x-cc-webhook-signature"))
        .event_id(EventId::field_if_given("/event/id"))
}

/// Deliveries of Coinbase CDP.
///
/// `X-Hook0-Signature: t=`, the time in seconds, and `v0=`, hexadecimal HMAC-SHA256 of `{timestamp}.{body}`.
///
/// `h=` and `v1=`, which sign headers, are ignored: no header is authentic.
///
/// A retry that is signed with a new time is processed again: the handler must recognise the event by its body.
///
/// Source: docs.cdp.coinbase.com, "Verify Signatures".
///
/// ```
/// let layer = tower_sso::providers::webhooks::coinbase_cdp::<serde_json::Value>();
/// ```
pub fn coinbase_cdp<C: Claims>() -> Builder<Webhook<C>> {
    sender("coinbase_cdp")
        .signature_header(HeaderName::from_static("x-hook0-signature"))
        .prefix("v0=")
        .separator(',')
        .timestamp_element("t=")
        .signed("{timestamp}.{body}")
}

/// Deliveries of Lemon Squeezy.
///
/// `X-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// `X-Event-Name` is not signed.
///
/// As claims: [`LemonSqueezyEvent`](super::events::LemonSqueezyEvent).
///
/// Source: lmsqueezy/nextjs-billing, src/app/api/webhook/route.ts.
///
/// ```
/// let layer = tower_sso::providers::webhooks::lemon_squeezy::<serde_json::Value>();
/// ```
pub fn lemon_squeezy<C: Claims>() -> Builder<Webhook<C>> {
    sender("lemon_squeezy").signature_header(HeaderName::from_static("x-signature"))
}

/// Deliveries of WooCommerce.
///
/// `X-WC-Webhook-Signature`: base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// `X-WC-Webhook-Topic` is not signed.
///
/// Source: woocommerce/woocommerce, class-wc-webhook.php.
///
/// ```
/// let layer = tower_sso::providers::webhooks::woocommerce::<serde_json::Value>();
/// ```
pub fn woocommerce<C: Claims>() -> Builder<Webhook<C>> {
    sender("woocommerce").signature_header(HeaderName::from_static("x-wc-webhook-signature")).encoding(Encoding::Base64)
}

/// Deliveries of Xero.
///
/// `x-xero-signature`: base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// When a webhook is set up, Xero sends valid and invalid signatures, and expects 200 and 401.
///
/// As claims: [`XeroEvents`](super::events::XeroEvents).
///
/// Source: second-hand, SlopMaster2/webhook-verify.
///
/// ```
/// let layer = tower_sso::providers::webhooks::xero::<serde_json::Value>();
/// ```
pub fn xero<C: Claims>() -> Builder<Webhook<C>> {
    sender("xero").signature_header(HeaderName::from_static("x-xero-signature")).encoding(Encoding::Base64)
}

/// Deliveries of Razorpay.
///
/// `X-Razorpay-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// `X-Razorpay-Event-Id` is not signed.
///
/// As claims: [`RazorpayEvent`](super::events::RazorpayEvent).
///
/// Source: razorpay/razorpay-python.
///
/// ```
/// let layer = tower_sso::providers::webhooks::razorpay::<serde_json::Value>();
/// ```
pub fn razorpay<C: Claims>() -> Builder<Webhook<C>> {
    sender("razorpay").signature_header(HeaderName::from_static("x-razorpay-signature"))
}

/// Deliveries of Paystack.
///
/// `x-paystack-signature`: hexadecimal HMAC-SHA512 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// As claims: [`PaystackEvent`](super::events::PaystackEvent).
///
/// Source: second-hand, SlopMaster2/webhook-verify.
///
/// ```
/// let layer = tower_sso::providers::webhooks::paystack::<serde_json::Value>();
/// ```
pub fn paystack<C: Claims>() -> Builder<Webhook<C>> {
    sender("paystack").signature_header(HeaderName::from_static("x-paystack-signature")).digest(Digest::Sha512)
}

/// Deliveries of GoCardless.
///
/// `Webhook-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// A delivery is recognised by the `id` of its events. An event that comes in two different deliveries is handed on
/// twice.
///
/// As claims: [`GoCardlessEvents`](super::events::GoCardlessEvents).
///
/// Source: gocardless/gocardless-pro-python.
///
/// ```
/// let layer = tower_sso::providers::webhooks::gocardless::<serde_json::Value>();
/// ```
pub fn gocardless<C: Claims>() -> Builder<Webhook<C>> {
    sender("gocardless").event_id(EventId::each("events", "id"))
}

/// Deliveries of Adyen, with the signature in a header.
///
/// `HmacSignature`: base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is hexadecimal, as the Customer Area shows it.
///
/// Source: Adyen/adyen-python-api-library.
///
/// ```
/// let layer = tower_sso::providers::webhooks::adyen_header::<serde_json::Value>();
/// ```
pub fn adyen_header<C: Claims>() -> Builder<Webhook<C>> {
    sender("adyen_header")
        .signature_header(HeaderName::from_static("hmacsignature"))
        .encoding(Encoding::Base64)
        .secret_format(SecretFormat::Hex)
}

/// Deliveries of Mollie, next generation.
///
/// `X-Mollie-Signature: sha256=` and hexadecimal HMAC-SHA256 of the body; two headers while a secret is replaced.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// An event is recognised by the `id` in its body.
///
/// As claims: [`MollieEvent`](super::events::MollieEvent).
///
/// Source: docs.mollie.com, "Webhook Events API"; mollie/mollie-api-php, src/Webhooks/SignatureValidator.php.
///
/// ```
/// let layer = tower_sso::providers::webhooks::mollie::<serde_json::Value>();
/// ```
pub fn mollie<C: Claims>() -> Builder<Webhook<C>> {
    sender("mollie")
        .signature_headers([HeaderName::from_static("x-mollie-signature")])
        .separator(',')
        .prefix("sha256=")
        .event_id(EventId::field_if_given("id"))
}

/// Deliveries of Shippo, signed by arrangement.
///
/// `Shippo-Auth-Signature: t=`, the time in seconds, and `v1=`, hexadecimal HMAC-SHA256 of `{timestamp}.{body}`.
///
/// Shippo signs for those who ask for it, and sends the secret then. Otherwise, see [`danger_shippo`]. A retry that is
/// signed with a new time is processed again: the handler must recognise the event by its body.
///
/// [`danger_shippo`]: super::danger_shippo
///
/// Source: docs.goshippo.com, "Webhook security"; public receivers, in several languages, for the header.
///
/// ```
/// let layer = tower_sso::providers::webhooks::shippo_hmac::<serde_json::Value>();
/// ```
pub fn shippo_hmac<C: Claims>() -> Builder<Webhook<C>> {
    sender("shippo_hmac")
        .signature_header(HeaderName::from_static("shippo-auth-signature"))
        .prefix("v1=")
        .separator(',')
        .timestamp_element("t=")
        .signed("{timestamp}.{body}")
}

/// Deliveries of Flutterwave, version 4.
///
/// `flutterwave-signature`: base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the secret hash of the dashboard. Deliveries of version 3 are those of
/// [`flutterwave_v3`](super::flutterwave_v3).
///
/// As claims: [`FlutterwaveEvent`](super::events::FlutterwaveEvent).
///
/// Source: second-hand, public servers of merchants, in several languages.
///
/// ```
/// let layer = tower_sso::providers::webhooks::flutterwave_v4::<serde_json::Value>();
/// ```
pub fn flutterwave_v4<C: Claims>() -> Builder<Webhook<C>> {
    sender("flutterwave_v4")
        .signature_header(HeaderName::from_static("flutterwave-signature"))
        .encoding(Encoding::Base64)
}
