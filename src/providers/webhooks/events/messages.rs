//! Messages, mail, meetings and streams.

use serde::Deserialize;

use crate::debug::opaque_debug;

/// One event of SendGrid, of the list in a body. `D` is the rest of it: the event's own fields.
///
/// Source: docs.sendgrid.com, "Event Webhook Reference".
///
/// ```
/// use tower_sso::{providers::webhooks::{self, events::SendGridEvent}, webhook::JsonBody};
///
/// # #[cfg(feature = "public-key")]
/// let layer = webhooks::sendgrid::<JsonBody<Vec<SendGridEvent<serde_json::Value>>>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SendGridEvent<D> {
    /// By which the handler recognises it. Tests of older accounts have none.
    pub sg_event_id: Option<String>,
    /// Such as `delivered`.
    pub event: String,
    /// The recipient. Some events about an account have none.
    pub email: Option<String>,
    /// In seconds since 1970.
    pub timestamp: i64,
    /// The rest.
    #[serde(flatten)]
    pub fields: D,
}

/// A delivery of Zoom. `D` is its payload; that of `endpoint.url_validation` has the field `plainToken`.
///
/// Source: developers.zoom.us, schemas of the events.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::ZoomEvent};
///
/// let layer = webhooks::zoom::<ZoomEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ZoomEvent<D> {
    /// Such as `meeting.started`.
    pub event: String,
    /// In milliseconds since 1970.
    pub event_ts: u64,
    /// What has happened.
    pub payload: D,
}

/// A delivery of Twitch EventSub. `D` is the event.
///
/// Source: dev.twitch.tv, "Getting events using webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::TwitchEvent};
///
/// let layer = webhooks::twitch::<TwitchEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TwitchEvent<D> {
    /// What you have subscribed to.
    pub subscription: TwitchSubscription,
    /// To be answered with this text, if it is there.
    pub challenge: Option<String>,
    /// The event, if it is one: a challenge or a revocation has none.
    pub event: Option<D>,
}

/// The subscription of a [`TwitchEvent`].
///
/// ```
/// use tower_sso::providers::webhooks::events::TwitchSubscription;
///
/// fn is_over(subscription: &TwitchSubscription) -> bool {
///     subscription.status == "authorization_revoked"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TwitchSubscription {
    /// Its id.
    pub id: String,
    /// Such as `channel.follow`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Of the event's type.
    pub version: String,
    /// Such as `enabled`.
    pub status: String,
}

/// A delivery of Meta: Facebook, Instagram and WhatsApp. `D` is one entry; for WhatsApp [`MetaEntry`].
///
/// Source: developers.facebook.com, "Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::{MetaEntry, MetaEvent}};
///
/// let layer = webhooks::meta::<MetaEvent<MetaEntry<serde_json::Value>>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MetaEvent<D> {
    /// Of what the entries are, such as `whatsapp_business_account`.
    pub object: String,
    /// What has happened.
    pub entry: Vec<D>,
}

/// What has changed for one account of Meta. `D` is a change's value.
///
/// ```
/// use tower_sso::providers::webhooks::events::MetaEntry;
///
/// fn fields<D>(entry: &MetaEntry<D>) -> Vec<&str> {
///     entry.changes.iter().map(|change| change.field.as_str()).collect()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MetaEntry<D> {
    /// The account's.
    pub id: String,
    /// The changes.
    pub changes: Vec<MetaChange<D>>,
}

/// One change of a [`MetaEntry`].
///
/// ```
/// use tower_sso::providers::webhooks::events::MetaChange;
///
/// fn messages<D>(change: &MetaChange<D>) -> Option<&D> {
///     (change.field == "messages").then_some(&change.value)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MetaChange<D> {
    /// Of what, such as `messages`.
    pub field: String,
    /// What it is now.
    pub value: D,
}

/// A delivery of LINE. `D` is one event.
///
/// Source: developers.line.biz, "Messaging API reference", webhook events.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::LineEvents};
///
/// let layer = webhooks::line::<LineEvents<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LineEvents<D> {
    /// The user id of your bot.
    pub destination: String,
    /// None, when LINE checks the address.
    pub events: Vec<D>,
}

/// One event of HubSpot, of the list in a body.
///
/// Source: developers.hubspot.com, "Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::HubSpotEvent};
/// use tower_sso::{scheme::Origin, webhook::JsonBody};
///
/// let layer = webhooks::hubspot_v3::<JsonBody<Vec<HubSpotEvent>>>(Origin::new("https://app.example"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HubSpotEvent {
    /// **Not unique**, as HubSpot says.
    pub event_id: i64,
    /// Such as `contact.propertyChange`.
    pub subscription_type: String,
    /// Whose account.
    pub portal_id: i64,
    /// In milliseconds since 1970.
    pub occurred_at: i64,
    /// From 0.
    pub attempt_number: i64,
    /// What has changed.
    pub object_id: Option<i64>,
    /// Which property, if it is about one.
    pub property_name: Option<String>,
    /// What it is now.
    pub property_value: Option<String>,
}

/// A notification of Intercom. `D` is the item that it is about.
///
/// Source: intercom-archive/intercom-webhooks, sample_webhook_output.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::IntercomEvent};
///
/// let layer = webhooks::intercom::<IntercomEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct IntercomEvent<D> {
    /// By which the layer recognises it, if it has one.
    pub id: Option<String>,
    /// Such as `user.tag.created`.
    pub topic: String,
    /// The workspace.
    pub app_id: String,
    /// In seconds since 1970.
    pub created_at: i64,
    /// What has happened.
    pub data: IntercomData<D>,
}

/// What an [`IntercomEvent`] is about.
///
/// ```
/// use tower_sso::providers::webhooks::events::IntercomData;
///
/// fn id(data: &IntercomData<serde_json::Value>) -> Option<&str> {
///     data.item["id"].as_str()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct IntercomData<D> {
    /// The user, conversation or other object.
    pub item: D,
}

/// An interaction of Discord. `D` is its data.
///
/// Source: discord.com/developers, "Receiving and responding to interactions".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::DiscordInteraction};
///
/// # #[cfg(feature = "public-key")]
/// let layer = webhooks::discord::<DiscordInteraction<serde_json::Value>>();
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct DiscordInteraction<D> {
    /// Its id.
    pub id: String,
    /// Your app.
    pub application_id: String,
    /// 1 is a `PING`, to be answered with `{"type":1}`; 2 is a command.
    #[serde(rename = "type")]
    pub interaction_type: u8,
    /// With which the handler answers later: a secret of this interaction. `Debug` does not show it.
    pub token: String,
    /// The server, unless it is a direct message.
    pub guild_id: Option<String>,
    /// The channel.
    pub channel_id: Option<String>,
    /// What was asked; a `PING` has none.
    pub data: Option<D>,
}

/// A message of Amazon SNS: the fields that are signed.
///
/// Source: aws/aws-php-sns-message-validator, src/MessageValidator.php.
///
/// ```
/// # #[cfg(all(feature = "signed-json", feature = "public-key"))] {
/// use tower_sso::providers::webhooks::{self, events::SnsMessage};
///
/// let layer = webhooks::aws_sns::<SnsMessage>(["arn:aws:sns:eu-west-1:123456789012:orders"]);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SnsMessage {
    /// `Notification`, `SubscriptionConfirmation` or `UnsubscribeConfirmation`.
    #[serde(rename = "Type")]
    pub message_type: String,
    /// By which the layer recognises it.
    pub message_id: String,
    /// The topic.
    pub topic_arn: String,
    /// Of a notification, if its author wrote one.
    pub subject: Option<String>,
    /// What was published.
    pub message: String,
    /// In RFC 3339.
    pub timestamp: String,
    /// What to visit to subscribe, if its host is Amazon's; notifications have none.
    #[serde(rename = "SubscribeURL")]
    pub subscribe_url: Option<String>,
}

/// An update of Telegram. `D` is the rest of it: the message or another object, under the name of its kind. **Nothing
/// of it is signed.**
///
/// Source: core.telegram.org, Bot API, "Update".
///
/// ```
/// # #[cfg(feature = "shared-secret")] {
/// use tower_sso::providers::webhooks::{self, events::TelegramUpdate};
///
/// let layer = webhooks::telegram::<TelegramUpdate<serde_json::Value>>();
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TelegramUpdate<D> {
    /// By which the handler recognises it.
    pub update_id: i64,
    /// The rest.
    #[serde(flatten)]
    pub update: D,
}

opaque_debug!(DiscordInteraction<D> { id, application_id, interaction_type, guild_id, channel_id });
