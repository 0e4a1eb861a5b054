//! Senders that follow Standard Webhooks.

use http::HeaderName;

use super::{Claims, DAY, FIVE_MINUTES, sender};
use crate::Builder;
use crate::webhook::{Encoding, EventId, SecretFormat, Webhook};

/// Deliveries of senders that follow Standard Webhooks: OpenAI, Replicate, Brex, Render and others.
///
/// `webhook-signature`: separated by spaces, each `v1,` and base64 of HMAC-SHA256 of `{id}.{timestamp}.{body}`, with
/// `webhook-id` and `webhook-timestamp` in seconds.
///
/// A retry has a new time and signature, so an event is recognised by its id, for three days. Signatures of other
/// versions, such as `v1a`, are ignored. The time may be five minutes off either way. The secret is `whsec_` and base64
/// of the key.
///
/// As claims: [`StandardEvent`](super::events::StandardEvent).
///
/// Source: standard-webhooks/standard-webhooks, spec and libraries.
///
/// ```
/// let layer = tower_sso::providers::webhooks::standard_webhooks::<serde_json::Value>();
/// ```
pub fn standard_webhooks<C: Claims>() -> Builder<Webhook<C>> {
    sender("standard_webhooks")
        .signature_header(HeaderName::from_static("webhook-signature"))
        .separator(' ')
        .prefix("v1,")
        .encoding(Encoding::Base64)
        .id_header(HeaderName::from_static("webhook-id"))
        .timestamp_header(HeaderName::from_static("webhook-timestamp"))
        .signed("{id}.{timestamp}.{body}")
        .secret_format(SecretFormat::Base64 { prefix: "whsec_" })
        .clock_skew(FIVE_MINUTES)
        .event_id(EventId::Header)
        .retried_for(3 * DAY)
}

/// Deliveries of Svix and those who send through it: Clerk, Resend and others.
///
/// `svix-signature`: separated by spaces, each `v1,` and base64 of HMAC-SHA256 of `{id}.{timestamp}.{body}`, with
/// `svix-id` and `svix-timestamp` in seconds.
///
/// A retry has a new time and signature, so an event is recognised by its id, for three days. Signatures of other
/// versions, such as `v1a`, are ignored. The time may be five minutes off either way. The secret is `whsec_` and base64
/// of the key.
///
/// As claims: [`StandardEvent`](super::events::StandardEvent).
///
/// Source: svix/svix-webhooks, rust/src/webhooks.rs.
///
/// ```
/// let layer = tower_sso::providers::webhooks::svix::<serde_json::Value>();
/// ```
pub fn svix<C: Claims>() -> Builder<Webhook<C>> {
    sender("svix")
        .signature_header(HeaderName::from_static("svix-signature"))
        .separator(' ')
        .prefix("v1,")
        .encoding(Encoding::Base64)
        .id_header(HeaderName::from_static("svix-id"))
        .timestamp_header(HeaderName::from_static("svix-timestamp"))
        .signed("{id}.{timestamp}.{body}")
        .secret_format(SecretFormat::Base64 { prefix: "whsec_" })
        .clock_skew(FIVE_MINUTES)
        .event_id(EventId::Header)
        .retried_for(3 * DAY)
}

/// Deliveries of GitLab, with a signing token.
///
/// Standard Webhooks: see [`standard_webhooks`]. An event is recognised by its id, for three days.
///
/// For the older secret token, `X-Gitlab-Token`, take [`gitlab_token`](super::gitlab_token).
///
/// As claims: [`StandardEvent`](super::events::StandardEvent).
///
/// Source: gitlab.com, merge requests 230944 and 231325.
///
/// ```
/// let layer = tower_sso::providers::webhooks::gitlab::<serde_json::Value>();
/// ```
pub fn gitlab<C: Claims>() -> Builder<Webhook<C>> {
    standard_webhooks().namespace("gitlab")
}
