//! Senders that sign nothing and send the secret itself.

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::LIMIT;
use crate::Builder;
use crate::scheme::Place;
use crate::shared_secret::{self, FromCall, SharedSecret};

/// The claims of a call that holds the secret itself: any deserializable type for JSON objects,
/// [`FormBody`](crate::body::FormBody), or [`RawBody`](crate::body::RawBody).
pub trait Call: FromCall + Send + Sync + 'static {}

impl<C: FromCall + Send + Sync + 'static> Call for C {}

fn sender<C: Call>(place: Place) -> Builder<SharedSecret<C>> {
    shared_secret::by_tenant().token_in(place).body_limit(LIMIT)
}

/// Calls of GitLab, with a secret token.
///
/// `X-Gitlab-Token` is the secret. Nothing is signed. With a signing token instead, take [`gitlab`](super::gitlab).
///
/// As claims: [`GitLabEvent`](super::events::GitLabEvent).
///
/// Source: GitLab's documentation, "Webhooks".
///
/// ```
/// let layer = tower_sso::providers::webhooks::gitlab_token::<serde_json::Value>();
/// ```
pub fn gitlab_token<C: Call>() -> Builder<SharedSecret<C>> {
    sender(Place::header(HeaderName::from_static("x-gitlab-token")))
}

/// Updates of Telegram, for a bot.
///
/// `X-Telegram-Bot-Api-Secret-Token` is the `secret_token` of `setWebhook`: 1 to 256 letters, digits, `_` and `-`.
/// Nothing is signed.
///
/// As claims: [`TelegramUpdate`](super::events::TelegramUpdate).
///
/// Source: core.telegram.org, Bot API, "setWebhook".
///
/// ```
/// let layer = tower_sso::providers::webhooks::telegram::<serde_json::Value>();
/// ```
pub fn telegram<C: Call>() -> Builder<SharedSecret<C>> {
    sender(Place::header(HeaderName::from_static("x-telegram-bot-api-secret-token")))
}

/// Calls of Postmark.
///
/// HTTP Basic credentials, from the address that Postmark calls: for `https://user:password@app.example/hook`, the
/// secret is `user:password`. Nothing is signed.
///
/// Source: Postmark's documentation, "Webhooks overview".
///
/// ```
/// let layer = tower_sso::providers::webhooks::postmark::<serde_json::Value>();
/// ```
pub fn postmark<C: Call>() -> Builder<SharedSecret<C>> {
    sender(Place::basic()).basic_credentials()
}

/// Calls of Okta, event hooks.
///
/// `Authorization` is the secret, without a scheme. Nothing is signed. If the hook has another authentication field,
/// set [`token_in`](Builder::token_in).
///
/// Okta first asks by GET whether the address is yours: see [`challenges::okta`](super::challenges::okta).
///
/// Source: support.okta.com, "Unable to verify event hook".
///
/// ```
/// let layer = tower_sso::providers::webhooks::okta::<serde_json::Value>();
/// ```
pub fn okta<C: Call>() -> Builder<SharedSecret<C>> {
    sender(Place::header(AUTHORIZATION))
}

/// Calls of Auth0, log streams.
///
/// `Authorization` is the secret, without a scheme. Nothing is signed. Depending on the stream's setting, a body is an
/// array, an object or lines of JSON: take [`RawBody`](crate::body::RawBody).
///
/// Source: auth0.com, "Create Custom Log Streams Using Webhooks".
///
/// ```
/// let layer = tower_sso::providers::webhooks::auth0::<tower_sso::body::RawBody>();
/// ```
pub fn auth0<C: Call>() -> Builder<SharedSecret<C>> {
    sender(Place::header(AUTHORIZATION))
}

/// Calls of Flutterwave, version 3.
///
/// `verif-hash` is the secret hash of the dashboard, the same in every call: it is no hash of anything. Nothing is
/// signed.
///
/// Source: second-hand, api-evangelist/flutterwave, example of a charge's webhook.
///
/// ```
/// let layer = tower_sso::providers::webhooks::flutterwave_v3::<serde_json::Value>();
/// ```
pub fn flutterwave_v3<C: Call>() -> Builder<SharedSecret<C>> {
    sender(Place::header(HeaderName::from_static("verif-hash")))
}

/// Calls of Shippo, with a token of yours in the address.
///
/// `?token=` is the secret, as you wrote it into the webhook's URL. Nothing is signed. **The secret is in the URL, so
/// whatever logs URLs has it**, on either side.
///
/// Source: docs.goshippo.com, "Webhook security".
///
/// ```
/// let layer = tower_sso::providers::webhooks::danger_shippo::<serde_json::Value>();
/// ```
pub fn danger_shippo<C: Call>() -> Builder<SharedSecret<C>> {
    shared_secret::by_tenant().danger_token_in_query("token").body_limit(LIMIT)
}

/// Pings of Gumroad.
///
/// Forms, sent to an address that only Gumroad knows. Gumroad sends no credential: put a secret into the ping's URL as
/// `?token=`. Nothing is signed. **The secret is in the URL, so whatever logs URLs has it**, on either side. Before you
/// hand anything out for a sale, ask Gumroad's API for it.
///
/// Source: Gumroad's page on Ping.
///
/// ```
/// use tower_sso::{body::FormBody, providers::webhooks};
///
/// #[derive(serde::Deserialize)]
/// struct Sale { sale_id: String }
///
/// let layer = webhooks::danger_gumroad::<FormBody<Sale>>();
/// ```
pub fn danger_gumroad<C: Call>() -> Builder<SharedSecret<C>> {
    danger_shippo()
}

/// Calls of BigCommerce.
///
/// BigCommerce documents no signature: give the webhook a header of your own, with the secret, when you make it, and
/// name that header here. Nothing is signed. Bodies have only the id of what has changed: ask BigCommerce's API for the
/// rest.
///
/// Source: developer.bigcommerce.com, "Create a Webhook", field `headers`.
///
/// ```
/// use http::HeaderName;
///
/// let header = HeaderName::from_static("x-hook-secret");
/// let layer = tower_sso::providers::webhooks::bigcommerce_webhook::<serde_json::Value>(header);
/// ```
pub fn bigcommerce_webhook<C: Call>(header: HeaderName) -> Builder<SharedSecret<C>> {
    sender(Place::header(header))
}
