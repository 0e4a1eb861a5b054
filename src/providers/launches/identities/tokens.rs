//! What HMAC JWTs say.

use serde::{Deserialize, Serialize};

/// A user of Shopify's admin.
///
/// ```
/// fn user(session: &tower_sso::providers::launches::ShopifySession) -> &str {
///     &session.sub
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShopifySession {
    /// The user's id.
    pub sub: String,
    /// The shop's address.
    pub dest: String,
    /// The session.
    pub sid: Option<String>,
}

/// A user of BigCommerce's control panel.
///
/// ```
/// fn is_owner(load: &tower_sso::providers::launches::BigCommerceLoad) -> bool {
///     load.user.id == load.owner.id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BigCommerceLoad {
    /// Who opens the app.
    pub user: BigCommerceUser,
    /// Whose store it is.
    pub owner: BigCommerceUser,
    /// The store, as in `stores/z4zn3wo`.
    pub sub: String,
}

/// One user of a store.
///
/// ```
/// fn email(load: &tower_sso::providers::launches::BigCommerceLoad) -> &str {
///     &load.owner.email
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BigCommerceUser {
    /// The user's id.
    pub id: u64,
    /// The user's address.
    pub email: String,
    /// The user's language.
    pub locale: Option<String>,
}

/// A user of Pipedrive.
///
/// ```
/// fn user(user: &tower_sso::providers::launches::PipedriveUser) -> u64 {
///     user.user_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PipedriveUser {
    /// The user's id.
    pub user_id: u64,
    /// The company's id.
    pub company_id: u64,
}

/// A user of Kommo.
///
/// ```
/// fn user(user: &tower_sso::providers::launches::KommoUser) -> u64 {
///     user.user_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KommoUser {
    /// The account's id.
    pub account_id: u64,
    /// The account's name in its address.
    pub subdomain: Option<String>,
    /// The user's id.
    pub user_id: u64,
    /// Whether the user administers the account.
    #[serde(default)]
    pub is_admin: bool,
}

/// A call of a custom activity in Journey Builder of Salesforce Marketing Cloud.
///
/// ```
/// fn contact(call: &tower_sso::providers::launches::JourneyCall) -> Option<&str> {
///     call.key_value.as_deref()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JourneyCall {
    /// The contact's key; none for a call about the activity itself.
    pub key_value: Option<String>,
    /// The journey.
    pub journey_id: Option<String>,
    /// The activity in it.
    pub activity_id: Option<String>,
    /// This contact's pass through the activity.
    pub activity_instance_id: Option<String>,
}

/// A call of an integration on monday.com. The token also has one for monday.com's API, which is not kept here: read
/// `shortLivedToken` into a type of your own.
///
/// ```
/// fn read(call: &tower_sso::providers::launches::MondayCall) -> u64 {
///     call.user_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MondayCall {
    /// The account that calls.
    pub account_id: u64,
    /// The user whose action it is.
    pub user_id: u64,
}

/// A user of an app's page inside monday.com.
///
/// ```
/// fn read(view: &tower_sso::providers::launches::MondayView) -> u64 {
///     view.dat.user_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MondayView {
    /// Who it is.
    pub dat: MondaySession,
}

/// Who uses an app's page inside monday.com.
///
/// ```
/// fn read(view: &tower_sso::providers::launches::MondayView) -> u64 {
///     view.dat.account_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MondaySession {
    /// The account.
    pub account_id: u64,
    /// The user's id.
    pub user_id: u64,
}

/// A viewer of a channel on Twitch.
///
/// ```
/// fn is_known(viewer: &tower_sso::providers::launches::TwitchViewer) -> bool {
///     viewer.user_id.is_some()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TwitchViewer {
    /// The channel's id.
    pub channel_id: String,
    /// The viewer's id for this extension.
    pub opaque_user_id: String,
    /// The viewer's id on Twitch, if it is shared.
    pub user_id: Option<String>,
    /// Such as `viewer` or `broadcaster`.
    pub role: String,
}

/// What a forum asks by jsConnect.
///
/// ```
/// fn answer_to(request: &tower_sso::providers::launches::JsConnectRequest) -> &str {
///     &request.rurl
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JsConnectRequest {
    /// Where the answer goes. Check its host.
    pub rurl: String,
    /// The forum's state, as JSON text: a value to be sent back as it is.
    #[serde(default, with = "json_text")]
    pub st: String,
    /// The version of the protocol.
    pub v: Option<String>,
}

/// A user as Zendesk's JWT SSO names one.
///
/// ```
/// fn email(user: &tower_sso::providers::launches::ZendeskUser) -> &str {
///     &user.email
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ZendeskUser {
    /// The user's name.
    pub name: String,
    /// The user's address.
    pub email: String,
    /// The user's id at the sender's.
    pub external_id: Option<String>,
}

/// A visitor of a storefront of Shopware 6.
///
/// ```
/// fn read(visit: &tower_sso::providers::launches::ShopwareVisit) -> &str {
///     &visit.iss
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ShopwareVisit {
    /// The shop's id.
    pub iss: String,
    /// The sales channel.
    pub sales_channel_id: Option<String>,
}

/// A user of a product with an app of Atlassian Connect.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::ConnectUser) -> Option<&str> {
///     user.sub.as_deref()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectUser {
    /// The installation, by its client key.
    pub iss: String,
    /// The user's account; none for a call on nobody's behalf.
    pub sub: Option<String>,
}

/// A JSON value of any kind, kept as text.
mod json_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        Value::deserialize(deserializer).map(|value| value.to_string())
    }

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str(text).unwrap_or(Value::Null).serialize(serializer)
    }
}
