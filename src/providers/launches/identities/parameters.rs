//! What signed parameters say.

use serde::{Deserialize, Serialize};

use crate::debug::opaque_debug;

/// An instance of a seller's app that a buyer at Alibaba Cloud Marketplace opens.
///
/// ```
/// fn read(launch: &tower_sso::providers::launches::AlibabaLaunch) -> &str {
///     &launch.instance_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AlibabaLaunch {
    /// The instance, by the id that your app gave it.
    pub instance_id: String,
}

/// A call of an app component in Asana.
///
/// ```
/// fn read(call: &tower_sso::providers::launches::AsanaCall) -> &str {
///     &call.user
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AsanaCall {
    /// The user's id.
    pub user: String,
    /// The workspace's id.
    pub workspace: Option<String>,
    /// The task's id.
    pub task: Option<String>,
}

/// A resource of an add-on at DigitalOcean.
///
/// ```
/// fn read(resource: &tower_sso::providers::launches::DigitalOceanResource) -> &str {
///     &resource.resource_uuid
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DigitalOceanResource {
    /// The resource.
    pub resource_uuid: String,
}

/// A supporter of a Fourthwall shop who sees a page of yours.
///
/// ```
/// fn read(supporter: &tower_sso::providers::launches::FourthwallSupporter) -> &str {
///     &supporter.tier_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FourthwallSupporter {
    /// The shop.
    pub shop_id: String,
    /// The supporter.
    pub supporter_id: String,
    /// The tier that the supporter has subscribed to.
    pub tier_id: String,
}

/// A Fourthwall shop whose creator sets up your app.
///
/// ```
/// fn read(shop: &tower_sso::providers::launches::FourthwallShop) -> &str {
///     &shop.shop_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FourthwallShop {
    /// The shop.
    pub shop_id: String,
}

/// Who is sent to a meeting by BigBlueButton's call `join`.
///
/// ```
/// fn read(guest: &tower_sso::providers::launches::MeetingGuest) -> &str {
///     &guest.full_name
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeetingGuest {
    /// The name that others see.
    #[serde(rename = "fullName")]
    pub full_name: String,
    /// The meeting.
    #[serde(rename = "meetingID")]
    pub meeting_id: String,
    /// The user's id at the client.
    #[serde(rename = "userID")]
    pub user_id: Option<String>,
    /// The meeting's password for moderators or for attendees: it tells which of them this is. `Debug` does not show
    /// it.
    pub password: Option<String>,
}

opaque_debug!(MeetingGuest { full_name, meeting_id, user_id });

/// A user of an add-on at Heroku.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::HerokuUser) -> &str {
///     &user.user_email
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HerokuUser {
    /// The resource.
    pub resource_uuid: String,
    /// The user's id.
    pub user_uuid: String,
    /// The user's address.
    pub user_email: String,
}

/// A resource of an add-on at Heroku, as the older token names it.
///
/// ```
/// fn read(resource: &tower_sso::providers::launches::HerokuResource) -> &str {
///     &resource.id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HerokuResource {
    /// The resource.
    pub id: String,
}

/// A page of an app in Help Scout.
///
/// ```
/// fn read(frame: &tower_sso::providers::launches::HelpScoutFrame) -> Option<&str> {
///     frame.user_id.as_deref()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct HelpScoutFrame {
    /// The user's id.
    pub user_id: Option<String>,
    /// The conversation.
    pub conversation_id: Option<String>,
    /// The customer.
    pub customer_id: Option<String>,
}

/// A page of an app that a Shopware shop opens.
///
/// ```
/// fn read(page: &tower_sso::providers::launches::ShopwarePage) -> &str {
///     &page.shop_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ShopwarePage {
    /// The shop's id.
    pub shop_id: String,
    /// The shop's address.
    pub shop_url: Option<String>,
}

/// A shop whose admin opens a Shopify app, or returns to it.
///
/// ```
/// fn read(launch: &tower_sso::providers::launches::ShopifyLaunch) -> &str {
///     &launch.shop
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShopifyLaunch {
    /// The shop, as in `some-shop.myshopify.com`.
    pub shop: String,
    /// Where the admin has the app, in base64.
    pub host: Option<String>,
    /// The code of an OAuth grant.
    pub code: Option<String>,
    /// What you sent along: see [`shopify_install`](super::super::shopify_install).
    pub state: Option<String>,
}

/// A visitor of a shop, through Shopify's app proxy.
///
/// ```
/// fn read(visit: &tower_sso::providers::launches::ShopifyVisit) -> Option<&str> {
///     visit.customer()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShopifyVisit {
    /// The shop, as in `some-shop.myshopify.com`.
    pub shop: String,
    /// The customer; empty for a visitor: see [`customer`](Self::customer).
    pub logged_in_customer_id: Option<String>,
}

impl ShopifyVisit {
    /// The customer who is logged in to the shop.
    pub fn customer(&self) -> Option<&str> {
        self.logged_in_customer_id.as_deref().filter(|id| !id.is_empty())
    }
}

/// A shop that opens a SHOPLINE app.
///
/// ```
/// fn read(launch: &tower_sso::providers::launches::ShoplineLaunch) -> &str {
///     &launch.handle
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShoplineLaunch {
    /// The shop's handle.
    pub handle: String,
    /// The language of the admin.
    pub lang: Option<String>,
}

/// A shop that registers at a Shopware app.
///
/// ```
/// fn read(shop: &tower_sso::providers::launches::ShopwareRegistration) -> &str {
///     &shop.shop_url
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ShopwareRegistration {
    /// The shop's id, which it chose itself.
    pub shop_id: String,
    /// The shop's address.
    pub shop_url: String,
}

/// A user who logs in by Telegram's widget.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::TelegramUser) -> u64 {
///     user.id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TelegramUser {
    /// The user's id.
    pub id: u64,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The name that begins with `@`, without it.
    pub username: Option<String>,
}

/// What Telegram, or MAX, gives a Mini App.
///
/// ```
/// fn read(launch: &tower_sso::providers::launches::MiniApp) -> Option<u64> {
///     launch.user.as_ref().map(|user| user.id)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MiniApp {
    /// The user, if there is one.
    #[serde(default, deserialize_with = "json_in_text")]
    pub user: Option<MiniAppUser>,
    /// The parameter of the link that opened the app.
    pub start_param: Option<String>,
    /// The kind of chat that it was opened from.
    pub chat_type: Option<String>,
}

/// A user of a Mini App.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::MiniAppUser) -> u64 {
///     user.id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MiniAppUser {
    /// The user's id.
    pub id: u64,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The user's short name.
    pub username: Option<String>,
    /// The user's language.
    pub language_code: Option<String>,
}

/// A user who opens a Mini App of VK.
///
/// ```
/// fn read(launch: &tower_sso::providers::launches::VkLaunch) -> u64 {
///     launch.vk_user_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VkLaunch {
    /// The user's id.
    pub vk_user_id: u64,
    /// The app's id.
    pub vk_app_id: u64,
    /// Where it was opened, as in `mobile_android`.
    pub vk_platform: Option<String>,
    /// The user's language.
    pub vk_language: Option<String>,
}

/// A value that is JSON in text.
fn json_in_text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty());
    // The parser's own words may quote the text.
    let read = |text: String| serde_json::from_str(&text).map_err(|_| serde::de::Error::custom("is not its JSON"));
    text.map(read).transpose()
}
