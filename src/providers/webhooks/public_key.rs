//! Senders that sign with a private key.

use http::HeaderName;

use super::{Claims, DAY, FIVE_MINUTES, sender};
use crate::Builder;
use crate::webhook::{Encoding, EventId, PublicKeyAlgorithm, TimeFormat, Webhook};

/// Deliveries of senders that follow Standard Webhooks with `v1a`, such as Gemini.
///
/// `webhook-signature`: separated by spaces, each `v1a,` and base64 of the Ed25519 signature of
/// `{id}.{timestamp}.{body}`, with `webhook-id` and `webhook-timestamp` in seconds.
///
/// A retry has a new time and signature, so an event is recognised by its id, for three days. Signatures of other
/// versions, such as `v1`, are ignored. The time may be five minutes off either way. The key is the sender's public
/// key, `whpk_` and base64.
///
/// As claims: [`StandardEvent`](super::events::StandardEvent).
///
/// Source: standard-webhooks/standard-webhooks, spec; svix/svix-webhooks, server.
///
/// ```
/// let layer = tower_sso::providers::webhooks::standard_webhooks_v1a::<serde_json::Value>();
/// ```
pub fn standard_webhooks_v1a<C: Claims>() -> Builder<Webhook<C>> {
    sender("standard_webhooks_v1a")
        .signature_header(HeaderName::from_static("webhook-signature"))
        .separator(' ')
        .prefix("v1a,")
        .encoding(Encoding::Base64)
        .public_key(PublicKeyAlgorithm::Ed25519)
        .id_header(HeaderName::from_static("webhook-id"))
        .timestamp_header(HeaderName::from_static("webhook-timestamp"))
        .signed("{id}.{timestamp}.{body}")
        .clock_skew(FIVE_MINUTES)
        .event_id(EventId::Header)
        .retried_for(3 * DAY)
}

/// Events of SendGrid.
///
/// `X-Twilio-Email-Event-Webhook-Signature`: base64 of the ECDSA signature of time and body, on P-256 and in DER, with
/// `X-Twilio-Email-Event-Webhook-Timestamp` in seconds.
///
/// The body is a JSON list of events. A retry has a new time and signature, so a list is recognised by the
/// `sg_event_id` of its events, for a day. An event that comes in two different lists is handed on twice: the handler
/// can recognise it by that id. The key is the verification key, in base64.
///
/// As claims: [`SendGridEvent`](super::events::SendGridEvent).
///
/// Source: docs.sendgrid.com, "Troubleshooting the Event Webhook"; sendgrid/sendgrid-python, helpers/eventwebhook.
///
/// ```
/// use tower_sso::webhook::JsonBody;
///
/// let layer = tower_sso::providers::webhooks::sendgrid::<JsonBody<Vec<serde_json::Value>>>();
/// ```
pub fn sendgrid<C: Claims>() -> Builder<Webhook<C>> {
    sender("sendgrid")
        .signature_header(HeaderName::from_static("x-twilio-email-event-webhook-signature"))
        .encoding(Encoding::Base64)
        .public_key(PublicKeyAlgorithm::EcdsaP256Der)
        .timestamp_header(HeaderName::from_static("x-twilio-email-event-webhook-timestamp"))
        .signed("{timestamp}{body}")
        .event_id(EventId::each("", "sg_event_id"))
}

/// Calls of Discord: interactions and events.
///
/// `X-Signature-Ed25519`: hexadecimal Ed25519 signature of time and body, with `X-Signature-Timestamp` in seconds.
///
/// A `PING` is signed like every call, and answered by the handler. Interactions are not retried. An event that is
/// signed with a new time is processed again, as it has no id. The key is the application's public key, in hexadecimal.
///
/// As claims: [`DiscordInteraction`](super::events::DiscordInteraction).
///
/// Source: discord/discord-interactions-python.
///
/// ```
/// let layer = tower_sso::providers::webhooks::discord::<serde_json::Value>();
/// ```
pub fn discord<C: Claims>() -> Builder<Webhook<C>> {
    sender("discord")
        .signature_header(HeaderName::from_static("x-signature-ed25519"))
        .public_key(PublicKeyAlgorithm::Ed25519)
        .timestamp_header(HeaderName::from_static("x-signature-timestamp"))
        .signed("{timestamp}{body}")
}

/// Deliveries of Wise.
///
/// `X-Signature-SHA256`: base64 of the RSA signature of the body, with SHA-256.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook). The key is Wise's
/// public key.
///
/// Source: second-hand, jayaddison/pywisetransfer, pull request 18.
///
/// ```
/// let layer = tower_sso::providers::webhooks::wise::<serde_json::Value>();
/// ```
pub fn wise<C: Claims>() -> Builder<Webhook<C>> {
    sender("wise")
        .signature_header(HeaderName::from_static("x-signature-sha256"))
        .encoding(Encoding::Base64)
        .public_key(PublicKeyAlgorithm::RsaSha256)
}

/// Deliveries of PayPal.
///
/// `PAYPAL-TRANSMISSION-SIG`: base64 of the RSA signature, with SHA-256, of
/// `{PAYPAL-TRANSMISSION-ID}|{PAYPAL-TRANSMISSION-TIME}|{webhook_id}|{CRC-32 of the body}`; the time is RFC 3339.
///
/// **The body itself is not signed, only its CRC-32**: whoever holds back a delivery can send any body in its place, as
/// four bytes of one's own give a text any CRC-32. Before you hand anything out, ask PayPal's API for the resource, or
/// have `/v1/notifications/verify-webhook-signature` check the delivery. A copy with another body counts as a
/// duplicate. A failed delivery comes again for three days. If it has a new time, it is processed again: the handler
/// must recognise it by the `id` in its body.
///
/// `webhook_id` is that of your webhook, from PayPal's page; mock events have `WEBHOOK_ID`. The key is the certificate,
/// in PEM. Get it yourself from `PAYPAL-CERT-URL`, whose host must be PayPal's: **nothing is fetched** because of a
/// request. When PayPal changes its certificate, give the new one as a second secret. That the certificate is PayPal's
/// and has not expired is for you to check. The headers `PAYPAL-CERT-URL` and `PAYPAL-AUTH-ALGO` are not signed, and
/// not read.
///
/// As claims: [`PayPalEvent`](super::events::PayPalEvent).
///
/// Source: developer.paypal.com, "Integrate webhooks".
///
/// ```
/// let layer = tower_sso::providers::webhooks::danger_paypal::<serde_json::Value>("1JE4291016473214C");
/// ```
pub fn danger_paypal<C: Claims>(webhook_id: impl AsRef<str>) -> Builder<Webhook<C>> {
    sender("paypal")
        .signature_header(HeaderName::from_static("paypal-transmission-sig"))
        .encoding(Encoding::Base64)
        .public_key(PublicKeyAlgorithm::RsaSha256)
        .id_header(HeaderName::from_static("paypal-transmission-id"))
        .timestamp_header(HeaderName::from_static("paypal-transmission-time"))
        .timestamp_format(TimeFormat::Rfc3339)
        .danger_signed(format!("{{id}}|{{timestamp}}|{}|{{body:crc32}}", webhook_id.as_ref()))
}
