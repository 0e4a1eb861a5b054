//! Forms: each field is text.

use serde::Deserialize;

use crate::debug::opaque_debug;

/// A message to a number of Twilio. **Where a field's name ends is not signed**: see
/// [`danger_twilio`](super::super::danger_twilio).
///
/// Source: twilio.com, "Twilio's request to your incoming message webhook URL".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::TwilioMessage};
/// use tower_sso::{scheme::Origin, webhook::FormBody};
///
/// let layer = webhooks::danger_twilio::<FormBody<TwilioMessage>>(Origin::new("https://app.example"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TwilioMessage {
    /// By which the handler recognises it.
    pub message_sid: String,
    /// Your account.
    pub account_sid: String,
    /// Who has sent it.
    pub from: String,
    /// Your number.
    pub to: String,
    /// The text.
    pub body: String,
    /// How many files came with it.
    pub num_media: Option<String>,
}

/// A call to a number of Twilio, or what has become of it. **Where a field's name ends is not signed**: see
/// [`danger_twilio`](super::super::danger_twilio).
///
/// Source: twilio.com, "TwiML Voice", request parameters.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::TwilioCall};
/// use tower_sso::{scheme::Origin, webhook::FormBody};
///
/// let layer = webhooks::danger_twilio::<FormBody<TwilioCall>>(Origin::new("https://app.example"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TwilioCall {
    /// By which the handler recognises the call; several requests are about one.
    pub call_sid: String,
    /// Your account.
    pub account_sid: String,
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// Such as `ringing`.
    pub call_status: String,
}

/// A slash command of Slack.
///
/// Source: docs.slack.dev, "Implementing slash commands".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::SlackCommand};
/// use tower_sso::webhook::FormBody;
///
/// let layer = webhooks::slack::<FormBody<SlackCommand>>();
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SlackCommand {
    /// With its slash.
    pub command: String,
    /// What follows it.
    pub text: String,
    /// Who has typed it.
    pub user_id: String,
    /// In which workspace.
    pub team_id: String,
    /// In which channel.
    pub channel_id: String,
    /// Where a later answer goes: whoever knows the address can answer, so `Debug` does not show it.
    pub response_url: String,
    /// For a dialogue, within three seconds.
    pub trigger_id: String,
}

opaque_debug!(SlackCommand { command, text, user_id, team_id, channel_id });
