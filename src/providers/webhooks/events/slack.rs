//! Slack's Events API.

use serde::Deserialize;

/// A delivery of Slack's Events API. `E` is the inner event.
///
/// Commands and interactions are forms: see [`SlackCommand`](super::SlackCommand), and
/// [`JsonOrForm`](crate::webhook::JsonOrForm) for a route that takes both.
///
/// Source: docs.slack.dev, "The Events API".
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::response::{IntoResponse, Response};
/// use tower_sso::Identity;
/// use tower_sso::providers::webhooks::{self, events::SlackEvent};
///
/// async fn on_event(event: Identity<SlackEvent<serde_json::Value>>) -> Response {
///     match &*event {
///         SlackEvent::UrlVerification { challenge } => challenge.clone().into_response(),
///         SlackEvent::EventCallback(callback) => { /* callback.event */ ().into_response() }
///         _ => ().into_response(),
///     }
/// }
///
/// let layer = webhooks::slack::<SlackEvent<serde_json::Value>>();
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SlackEvent<E> {
    /// Slack asks whether the address is yours: answer with the challenge.
    UrlVerification {
        /// What to answer with.
        challenge: String,
    },
    /// Something has happened.
    EventCallback(SlackCallback<E>),
    /// Another kind, such as `app_rate_limited`.
    #[serde(other)]
    Other,
}

/// What a [`SlackEvent`] says.
///
/// ```
/// use tower_sso::providers::webhooks::events::SlackCallback;
///
/// fn name(callback: &SlackCallback<serde_json::Value>) -> Option<&str> {
///     callback.event["type"].as_str()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SlackCallback<E> {
    /// By which the layer recognises it.
    pub event_id: String,
    /// In seconds since 1970.
    pub event_time: i64,
    /// In which workspace.
    pub team_id: String,
    /// Your app.
    pub api_app_id: String,
    /// What has happened.
    pub event: E,
}
