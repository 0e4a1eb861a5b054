//! What the tokens of calls say: of proxies, and of pages inside a platform.

use serde::{Deserialize, Serialize};

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

/// A user, or a service, that came through Cloudflare Access.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::AccessUser) -> Option<&str> {
///     user.email.as_deref()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessUser {
    /// The user's id; empty for a service.
    pub sub: String,
    /// The user's address; none for a service.
    pub email: Option<String>,
    /// The service's id.
    pub common_name: Option<String>,
}

/// A user who came through Google's Identity-Aware Proxy.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::IapUser) -> &str {
///     &user.sub
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IapUser {
    /// The user's id, which stays the same.
    pub sub: String,
    /// The user's address, which may change.
    pub email: Option<String>,
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

/// A user who opens an app in Zendesk's framework.
///
/// ```
/// fn read(visit: &tower_sso::providers::launches::ZendeskVisit) -> Option<&str> {
///     visit.sub.as_deref()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ZendeskVisit {
    /// The account that the app is installed in.
    pub iss: String,
    /// The user.
    pub sub: Option<String>,
    /// Where the app is shown.
    pub context: Option<ZendeskContext>,
}

/// Where an app in Zendesk's framework is shown.
///
/// ```
/// fn read(context: &tower_sso::providers::launches::ZendeskContext) -> Option<&str> {
///     context.location.as_deref()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ZendeskContext {
    /// The product, such as `support`.
    pub product: Option<String>,
    /// The place in it, such as `ticket_sidebar`.
    pub location: Option<String>,
}

/// A customer of the Google Cloud Marketplace who signs up.
///
/// ```
/// fn read(customer: &tower_sso::providers::launches::MarketplaceSignUp) -> &str {
///     &customer.sub
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarketplaceSignUp {
    /// The procurement account.
    pub sub: String,
    /// The user who signs up.
    pub google: Option<MarketplaceUser>,
}

/// The user who signs a customer up.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::MarketplaceUser) -> Option<&str> {
///     user.user_identity.as_deref()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarketplaceUser {
    /// The user's id at Google.
    pub user_identity: Option<String>,
    /// The user's roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// A member of Trello. **Compare `id_plugin` with your Power-Up's id**: tokens that other Power-Ups got are signed as
/// well.
///
/// ```
/// fn read(member: &tower_sso::providers::launches::TrelloMember) -> bool {
///     member.id_plugin == "5e66784c606cb1160a8f5dc0"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TrelloMember {
    /// The member's id.
    pub id_member: String,
    /// The id of the Power-Up that asked for the token.
    pub id_plugin: String,
    /// The board.
    pub id_board: Option<String>,
    /// What your page had Trello sign along.
    pub state: Option<String>,
}
