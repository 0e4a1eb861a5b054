//! What JWTs with a private key say.

use serde::{Deserialize, Serialize};

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
