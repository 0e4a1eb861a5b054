//! What tokens say.

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// A user that a load balancer of AWS has signed in.
///
/// ```
/// fn user(user: &tower_sso::providers::launches::AlbUser) -> &str {
///     &user.sub
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AlbUser {
    /// The user's id at the identity provider.
    pub sub: String,
    /// The user's address, if the provider tells it.
    pub email: Option<String>,
}

/// A user of an app in Canva.
///
/// ```
/// fn user(user: &tower_sso::providers::launches::CanvaUser) -> (&str, &str) {
///     (&user.brand_id, &user.user_id)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CanvaUser {
    /// The user's id.
    pub user_id: String,
    /// The id of the user's team.
    pub brand_id: String,
}

/// A call of an app on Atlassian Forge.
///
/// ```
/// fn installation(call: &tower_sso::providers::launches::ForgeCall) -> &str {
///     &call.app.installation_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ForgeCall {
    /// The app, as it is installed.
    pub app: ForgeApp,
    /// The account of the user on whose behalf the call comes, if it comes on anyone's.
    pub principal: Option<String>,
}

/// One installation of an app on Atlassian Forge.
///
/// ```
/// fn id(call: &tower_sso::providers::launches::ForgeCall) -> &str {
///     &call.app.id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ForgeApp {
    /// The app's id, as in `ari:cloud:ecosystem::app/…`.
    pub id: String,
    /// The installation's id.
    pub installation_id: String,
    /// The address of the site's API.
    pub api_base_url: Option<String>,
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
