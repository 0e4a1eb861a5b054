//! Senders: messages, meetings and support.

use http::HeaderName;

use super::urls::METHODS;
use super::{Claims, FIVE_MINUTES, sender};
use crate::Builder;
use crate::webhook::{Digest, Encoding, EventId, SecretFormat, TimeFormat, Webhook};

/// Deliveries of Slack.
///
/// `X-Slack-Signature: v0=` and hexadecimal HMAC-SHA256 of `v0:{timestamp}:{body}`, with `X-Slack-Request-Timestamp` in
/// seconds.
///
/// Events are JSON; commands and interactions are forms: read both with
/// [`JsonOrForm`](crate::webhook::JsonOrForm). `url_verification` is signed like every call, and answered by
/// the handler. `X-Slack-Retry-Num` is not signed.
///
/// A retry has a new time and signature, so an event is recognised by the `event_id` in its body, for a day. Commands
/// and interactions have none: each delivery of one is processed. The time may be five minutes off either way.
///
/// As claims: [`SlackEvent`](super::events::SlackEvent) and [`SlackCommand`](super::events::SlackCommand).
///
/// Source: docs.slack.dev, "The Events API"; slackapi/python-slack-sdk, slack_sdk/signature.
///
/// ```
/// let layer = tower_sso::providers::webhooks::slack::<serde_json::Value>();
/// ```
pub fn slack<C: Claims>() -> Builder<Webhook<C>> {
    sender("slack")
        .signature_header(HeaderName::from_static("x-slack-signature"))
        .prefix("v0=")
        .timestamp_header(HeaderName::from_static("x-slack-request-timestamp"))
        .signed("v0:{timestamp}:{body}")
        .clock_skew(FIVE_MINUTES)
        .any_content_type()
        .event_id(EventId::field_if_given("event_id"))
}

/// Deliveries of Zoom.
///
/// `x-zm-signature: v0=` and hexadecimal HMAC-SHA256 of `v0:{timestamp}:{body}`, with `x-zm-request-timestamp` in
/// seconds.
///
/// Answer `endpoint.url_validation` in the handler, behind the layer. The answer is an HMAC of the given text under the
/// same key: if unsigned requests could get one, anyone could forge a delivery.
///
/// Zoom sends a failed event three more times, within an hour and a half. Events have no id, so an event is recognised
/// by its body, for a day. `event_ts` there says when it happened.
///
/// As claims: [`ZoomEvent`](super::events::ZoomEvent).
///
/// Source: Zoom's changelog; Hookdeck's page on Zoom, second-hand; developers.zoom.us, for events and retries.
///
/// ```
/// let layer = tower_sso::providers::webhooks::zoom::<serde_json::Value>();
/// ```
pub fn zoom<C: Claims>() -> Builder<Webhook<C>> {
    sender("zoom")
        .signature_header(HeaderName::from_static("x-zm-signature"))
        .prefix("v0=")
        .timestamp_header(HeaderName::from_static("x-zm-request-timestamp"))
        .signed("v0:{timestamp}:{body}")
        .event_id(EventId::Body)
}

/// Deliveries of Twitch EventSub.
///
/// `Twitch-Eventsub-Message-Signature: sha256=` and hexadecimal HMAC-SHA256 of id, time and body, without a
/// separator, with `Twitch-Eventsub-Message-Id` and `-Timestamp` in RFC 3339.
///
/// `Twitch-Eventsub-Message-Type` is not signed: tell a challenge by its body, and answer it in the handler. An event
/// is recognised by its id, for a day.
///
/// As claims: [`TwitchEvent`](super::events::TwitchEvent).
///
/// Source: twitchdev/twitch-cli, forward_event.go.
///
/// ```
/// let layer = tower_sso::providers::webhooks::twitch::<serde_json::Value>();
/// ```
pub fn twitch<C: Claims>() -> Builder<Webhook<C>> {
    sender("twitch")
        .signature_header(HeaderName::from_static("twitch-eventsub-message-signature"))
        .prefix("sha256=")
        .id_header(HeaderName::from_static("twitch-eventsub-message-id"))
        .timestamp_header(HeaderName::from_static("twitch-eventsub-message-timestamp"))
        .timestamp_format(TimeFormat::Rfc3339)
        .signed("{id}{timestamp}{body}")
        .event_id(EventId::Header)
}

/// Deliveries of Meta: Facebook, Instagram and WhatsApp.
///
/// `X-Hub-Signature-256: sha256=` and hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the app secret. Meta first asks by GET whether the address is yours: see
/// [`challenges::meta`](super::challenges::meta).
///
/// As claims: [`MetaEvent`](super::events::MetaEvent).
///
/// Source: developers.facebook.com, "Webhooks".
///
/// ```
/// let layer = tower_sso::providers::webhooks::meta::<serde_json::Value>();
/// ```
pub fn meta<C: Claims>() -> Builder<Webhook<C>> {
    sender("meta").signature_header(HeaderName::from_static("x-hub-signature-256")).prefix("sha256=")
}

/// Deliveries of X.
///
/// `x-twitter-webhooks-signature: sha256=` and base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the consumer secret. X asks again and again for an HMAC of a `crc_token` under the same key: see
/// [`challenges::x`](super::challenges::x). So anybody can have a word signed, and bodies are objects or lists of JSON,
/// or refused.
///
/// Source: developer.x.com.
///
/// ```
/// let layer = tower_sso::providers::webhooks::x::<serde_json::Value>();
/// ```
pub fn x<C: Claims>() -> Builder<Webhook<C>> {
    sender("x")
        .signature_header(HeaderName::from_static("x-twitter-webhooks-signature"))
        .prefix("sha256=")
        .encoding(Encoding::Base64)
        .object_or_list()
}

/// Deliveries of Notion.
///
/// `X-Notion-Signature: sha256=` and hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the `verification_token`, which the first, unsigned delivery brings: receive it on another route, once.
/// A retry counts its attempts in the body, so an event is recognised by the `id` there.
///
/// As claims: [`NotionEvent`](super::events::NotionEvent).
///
/// Source: developers.notion.com, "Webhooks" and "Event types & delivery".
///
/// ```
/// let layer = tower_sso::providers::webhooks::notion::<serde_json::Value>();
/// ```
pub fn notion<C: Claims>() -> Builder<Webhook<C>> {
    sender("notion")
        .signature_header(HeaderName::from_static("x-notion-signature"))
        .prefix("sha256=")
        .event_id(EventId::field_if_given("id"))
}

/// Deliveries of Intercom.
///
/// `X-Hub-Signature: sha1=` and hexadecimal HMAC-SHA1 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the client secret. A retry counts its attempts in the body, so an event is recognised by the `id` there.
///
/// As claims: [`IntercomEvent`](super::events::IntercomEvent).
///
/// Source: intercom-archive/intercom-webhooks, php/webhook.php and sample_webhook_output.
///
/// ```
/// let layer = tower_sso::providers::webhooks::intercom::<serde_json::Value>();
/// ```
pub fn intercom<C: Claims>() -> Builder<Webhook<C>> {
    sender("intercom")
        .signature_header(HeaderName::from_static("x-hub-signature"))
        .prefix("sha1=")
        .digest(Digest::Sha1)
        .event_id(EventId::field_if_given("id"))
}

/// Deliveries of Zendesk.
///
/// `X-Zendesk-Webhook-Signature`: base64 of HMAC-SHA256 of time and body, with `X-Zendesk-Webhook-Signature-Timestamp`
/// in RFC 3339.
///
/// Method and URL are not signed, and webhooks by GET or DELETE have no body: two of them in one second count as the
/// same, and **whoever has recorded one can send it to any URL of the layer**. Give each such webhook a
/// [namespace](Builder::namespace), and read its body as `JsonBody<Option<T>>`. The secret looks like base64, but its
/// text is the key.
///
/// A retry that is signed with a new time is processed again: the handler must recognise the event by its body.
///
/// Source: developer.zendesk.com, "Webhook security and authentication".
///
/// ```
/// let layer = tower_sso::providers::webhooks::zendesk::<serde_json::Value>();
/// ```
pub fn zendesk<C: Claims>() -> Builder<Webhook<C>> {
    sender("zendesk")
        .signature_header(HeaderName::from_static("x-zendesk-webhook-signature"))
        .encoding(Encoding::Base64)
        .timestamp_header(HeaderName::from_static("x-zendesk-webhook-signature-timestamp"))
        .timestamp_format(TimeFormat::Rfc3339)
        .signed("{timestamp}{body}")
        .secret_format(SecretFormat::Text)
        .optional_body()
        .methods(METHODS)
}

/// Deliveries of LINE.
///
/// `x-line-signature`: base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the channel secret. What LINE sends again says so in the body, so a delivery is recognised by the
/// `webhookEventId` of its events. An event that comes in two different deliveries is handed on twice.
///
/// As claims: [`LineEvents`](super::events::LineEvents).
///
/// Source: developers.line.biz, "Receiving messages"; line/line-bot-sdk-python.
///
/// ```
/// let layer = tower_sso::providers::webhooks::line::<serde_json::Value>();
/// ```
pub fn line<C: Claims>() -> Builder<Webhook<C>> {
    sender("line")
        .signature_header(HeaderName::from_static("x-line-signature"))
        .encoding(Encoding::Base64)
        .event_id(EventId::each("events", "webhookEventId"))
}
