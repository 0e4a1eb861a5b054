//! What senders ask before they send to an address: see [`webhook::challenge`](crate::webhook::challenge).
//!
//! | sender | asks | challenge |
//! |---|---|---|
//! | Asana | POST with `X-Hook-Secret`, the key to come | [`asana`] |
//! | Dropbox | GET with `?challenge=` | [`dropbox`] |
//! | Meta: Facebook, Instagram and WhatsApp | GET with `?hub.verify_token=` and `&hub.challenge=` | [`meta`] |
//! | Okta | GET with `X-Okta-Verification-Challenge` | [`okta`] |
//! | Trello | HEAD | [`trello`] |
//! | X | GET with `?crc_token=`, at first and again and again | [`x`] |
//!
//! Slack, Zoom, Twitch and Notion send their challenge as a delivery: answer it in the handler.

use http::HeaderName;
use http::request::Parts;

use crate::ConfigError;
use crate::keys::Secret;
use crate::store::StoreError;
use crate::webhook::challenge::Challenge;

/// Asana sends the key of a webhook to its address while the webhook is being created: `accept` stores it, and the
/// answer repeats it. See [`Challenge::handshake`] for what to accept.
///
/// Source: developers.asana.com, "Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::challenges;
///
/// let challenge = challenges::asana(|head, key| {
///     let path = head.uri.path().to_owned();
///     async move { store_if_new(path, key).await }
/// });
/// # async fn store_if_new(_: String, _: tower_sso::Secret) -> std::io::Result<bool> { Ok(true) }
/// ```
pub fn asana<F, Fut, E>(accept: F) -> Challenge
where
    F: Fn(&Parts, Secret) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<bool, E>> + Send + 'static,
    E: Into<StoreError> + 'static,
{
    Challenge::handshake(HeaderName::from_static("x-hook-secret"), accept)
}

/// Dropbox sends a text, and wants it back as `text/plain`.
///
/// Source: Dropbox's documentation, "Webhooks".
///
/// ```
/// let challenge = tower_sso::providers::webhooks::challenges::dropbox();
/// ```
pub fn dropbox() -> Challenge {
    Challenge::echo("challenge")
}

/// Meta sends the verify token that you typed in there, and a text that it wants back.
///
/// # Errors
/// [`ConfigProblem::Key`](crate::ConfigProblem::Key) for a verify token that is empty or blank.
///
/// Source: developers.facebook.com, "Webhooks".
///
/// ```
/// let challenge = tower_sso::providers::webhooks::challenges::meta("my verify token")?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn meta(verify_token: impl Into<Secret>) -> Result<Challenge, ConfigError> {
    Challenge::echo_if("hub.verify_token", verify_token, "hub.challenge")
}

/// Okta sends a text in a header, and wants it back in JSON.
///
/// Source: support.okta.com, "Unable to verify event hook".
///
/// ```
/// let challenge = tower_sso::providers::webhooks::challenges::okta();
/// ```
pub fn okta() -> Challenge {
    Challenge::header_as_json(HeaderName::from_static("x-okta-verification-challenge"), "verification")
}

/// Trello asks by HEAD whether the address exists.
///
/// Source: developer.atlassian.com, Trello's "Webhooks".
///
/// ```
/// let challenge = tower_sso::providers::webhooks::challenges::trello();
/// ```
pub fn trello() -> Challenge {
    Challenge::found()
}

/// X sends a token and wants its HMAC-SHA256 under the app's consumer secret, which also signs the deliveries. A token
/// that is JSON is refused. Other words are signed for anybody: [`webhooks::x`](super::x) takes none as a body.
///
/// # Errors
/// [`ConfigProblem::Key`](crate::ConfigProblem::Key) for a secret that is empty or blank.
///
/// Source: developer.x.com, "Securing webhooks".
///
/// ```
/// let challenge = tower_sso::providers::webhooks::challenges::x("the consumer secret of the app")?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn x(consumer_secret: impl Into<Secret>) -> Result<Challenge, ConfigError> {
    Challenge::hmac("crc_token", consumer_secret, "response_token", "sha256=")
}
