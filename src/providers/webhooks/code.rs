//! Senders: developer tools.

use std::time::Duration;

use http::HeaderName;

use super::{Claims, sender};
use crate::Builder;
use crate::webhook::{Digest, Encoding, EventId, TimeFormat, Webhook};

/// Deliveries of GitHub.
///
/// `X-Hub-Signature-256: sha256=` and hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// `X-GitHub-Event` and `X-GitHub-Delivery` are not signed: decide by the body alone. Bodies are JSON or forms, of 25
/// MB at most.
///
/// As claims: [`GitHubEvent`](super::events::GitHubEvent).
///
/// Source: github/docs, "Validating webhook deliveries"; octokit/webhooks-methods.js.
///
/// ```
/// let layer = tower_sso::providers::webhooks::github::<serde_json::Value>();
/// ```
pub fn github<C: Claims>() -> Builder<Webhook<C>> {
    sender("github")
        .signature_header(HeaderName::from_static("x-hub-signature-256"))
        .prefix("sha256=")
        .any_content_type()
        .body_limit(25 * 1024 * 1024)
}

/// Deliveries of Bitbucket Cloud.
///
/// `X-Hub-Signature: sha256=` and hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// Without a secret Bitbucket signs nothing. `X-Request-UUID` and `X-Event-Key` are not signed.
///
/// Source: second-hand, Atlassian's documentation as quoted in public test suites.
///
/// ```
/// let layer = tower_sso::providers::webhooks::bitbucket::<serde_json::Value>();
/// ```
pub fn bitbucket<C: Claims>() -> Builder<Webhook<C>> {
    sender("bitbucket").signature_header(HeaderName::from_static("x-hub-signature")).prefix("sha256=")
}

/// Deliveries of Jira Cloud.
///
/// `X-Hub-Signature: sha256=` and hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// `X-Atlassian-Webhook-Identifier` is not signed.
///
/// As claims: [`JiraEvent`](super::events::JiraEvent).
///
/// Source: second-hand, Atlassian's documentation as quoted in public test suites.
///
/// ```
/// let layer = tower_sso::providers::webhooks::jira::<serde_json::Value>();
/// ```
pub fn jira<C: Claims>() -> Builder<Webhook<C>> {
    sender("jira").signature_header(HeaderName::from_static("x-hub-signature")).prefix("sha256=")
}

/// Deliveries of Vercel.
///
/// `x-vercel-signature`: hexadecimal HMAC-SHA1 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the secret of the webhook, or of the integration.
///
/// As claims: [`VercelEvent`](super::events::VercelEvent).
///
/// Source: vercel.com, "Webhooks API Reference"; Yizack/nuxt-webhook-validators, second-hand, for the digest.
///
/// ```
/// let layer = tower_sso::providers::webhooks::vercel::<serde_json::Value>();
/// ```
pub fn vercel<C: Claims>() -> Builder<Webhook<C>> {
    sender("vercel").signature_header(HeaderName::from_static("x-vercel-signature")).digest(Digest::Sha1)
}

/// Deliveries of Heroku.
///
/// `Heroku-Webhook-Hmac-SHA256`: base64 of HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// Each attempt has another id in the body, so an event is recognised by the `id` of the `event` in `webhook_metadata`.
///
/// As claims: [`HerokuEvent`](super::events::HerokuEvent).
///
/// Source: devcenter.heroku.com, "App Webhooks"; Yizack/nuxt-webhook-validators, second-hand, for the encoding.
///
/// ```
/// let layer = tower_sso::providers::webhooks::heroku::<serde_json::Value>();
/// ```
pub fn heroku<C: Claims>() -> Builder<Webhook<C>> {
    sender("heroku")
        .signature_header(HeaderName::from_static("heroku-webhook-hmac-sha256"))
        .encoding(Encoding::Base64)
        .event_id(EventId::field_if_given("/webhook_metadata/event/id"))
}

/// Deliveries of CircleCI.
///
/// `circleci-signature`: a comma-separated list, with `v1=` and hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// Other versions in the list are ignored. An event is recognised by the `id` in its body.
///
/// As claims: [`CircleCiEvent`](super::events::CircleCiEvent).
///
/// Source: circleci/circleci-docs.
///
/// ```
/// let layer = tower_sso::providers::webhooks::circleci::<serde_json::Value>();
/// ```
pub fn circleci<C: Claims>() -> Builder<Webhook<C>> {
    sender("circleci")
        .signature_header(HeaderName::from_static("circleci-signature"))
        .prefix("v1=")
        .separator(',')
        .event_id(EventId::field_if_given("id"))
}

/// Deliveries of Sentry.
///
/// `Sentry-Hook-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is the integration's client secret. `Sentry-Hook-Resource` is not signed.
///
/// As claims: [`SentryEvent`](super::events::SentryEvent).
///
/// Source: getsentry/sentry-docs, integration platform, "Webhooks".
///
/// ```
/// let layer = tower_sso::providers::webhooks::sentry::<serde_json::Value>();
/// ```
pub fn sentry<C: Claims>() -> Builder<Webhook<C>> {
    sender("sentry").signature_header(HeaderName::from_static("sentry-hook-signature"))
}

/// Deliveries of PagerDuty.
///
/// `X-PagerDuty-Signature`: a comma-separated list, for each secret `v1=` and hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// An event is recognised by the `id` of its `event`.
///
/// As claims: [`PagerDutyEvent`](super::events::PagerDutyEvent).
///
/// Source: PagerDuty/go-pagerduty, webhookv3.
///
/// ```
/// let layer = tower_sso::providers::webhooks::pagerduty::<serde_json::Value>();
/// ```
pub fn pagerduty<C: Claims>() -> Builder<Webhook<C>> {
    sender("pagerduty")
        .signature_header(HeaderName::from_static("x-pagerduty-signature"))
        .prefix("v1=")
        .separator(',')
        .body_limit(2 * 1024 * 1024)
        .event_id(EventId::field_if_given("/event/id"))
}

/// Deliveries of Linear.
///
/// `Linear-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// The body has the time in `webhookTimestamp`, in milliseconds. A delivery is valid for 60 s, as in Linear's SDK, so a
/// retry has a new time, and is processed again: the handler must recognise it by what the body says.
/// `Linear-Delivery` and `Linear-Event` are not signed.
///
/// As claims: [`LinearEvent`](super::events::LinearEvent).
///
/// Source: linear/linear, packages/sdk/src/webhooks.
///
/// ```
/// let layer = tower_sso::providers::webhooks::linear::<serde_json::Value>();
/// ```
pub fn linear<C: Claims>() -> Builder<Webhook<C>> {
    sender("linear")
        .signature_header(HeaderName::from_static("linear-signature"))
        .timestamp_field("webhookTimestamp")
        .timestamp_format(TimeFormat::Milliseconds)
        .max_age(Duration::from_secs(60))
}

/// Deliveries of Asana.
///
/// `X-Hook-Signature`: hexadecimal HMAC-SHA256 of the body.
///
/// No time is signed: the handler must recognise old deliveries, see [`webhook`](crate::webhook).
///
/// The key is what Asana sent in `X-Hook-Secret` when the webhook was made: see
/// [`challenges::asana`](super::challenges::asana). Each webhook has its own, so give each an address and a tenant of
/// its own. Failed deliveries are sent again for a day. A delivery without events says that the webhook is alive.
///
/// As claims: [`AsanaEvents`](super::events::AsanaEvents).
///
/// Source: developers.asana.com, "Webhooks"; public receivers, for the hexadecimal.
///
/// ```
/// let layer = tower_sso::providers::webhooks::asana::<serde_json::Value>();
/// ```
pub fn asana<C: Claims>() -> Builder<Webhook<C>> {
    sender("asana").signature_header(HeaderName::from_static("x-hook-signature"))
}
