//! What signed and sealed payloads say.

use serde::{Deserialize, Serialize};

/// What an app component in Asana posts. For the values of a form, read `values` into a type of your own.
///
/// ```
/// fn read(call: &tower_sso::providers::launches::AsanaPost) -> &str {
///     &call.user
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AsanaPost {
    /// The user's id.
    pub user: String,
    /// The workspace's id.
    pub workspace: Option<String>,
    /// The id of the task whose form it is.
    pub task: Option<String>,
    /// The id of the task that a rule's action is for.
    pub target_object: Option<String>,
}

/// A store whose user opens an app of BigCommerce, by the older `signed_payload`.
///
/// ```
/// fn read(store: &tower_sso::providers::launches::BigCommerceStore) -> &str {
///     &store.user.email
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BigCommerceStore {
    /// Who opens the app.
    pub user: BigCommerceOpener,
    /// The store.
    pub store_hash: String,
}

/// Who opens an app of BigCommerce.
///
/// ```
/// fn read(store: &tower_sso::providers::launches::BigCommerceOpener) -> u64 {
///     store.id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BigCommerceOpener {
    /// The user's id.
    pub id: u64,
    /// The user's address.
    pub email: String,
}

/// What Salesforce Canvas sends, without the OAuth token that is in it.
///
/// ```
/// fn read(request: &tower_sso::providers::launches::CanvasRequest) -> &str {
///     &request.context.user.user_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CanvasRequest {
    /// The user and the organization.
    pub context: CanvasContext,
}

/// Who opens an app of Salesforce Canvas.
///
/// ```
/// fn read(context: &tower_sso::providers::launches::CanvasContext) -> &str {
///     &context.organization.organization_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CanvasContext {
    /// The user.
    pub user: CanvasUser,
    /// The user's organization.
    pub organization: CanvasOrganization,
}

/// A user of Salesforce.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::CanvasUser) -> &str {
///     &user.user_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CanvasUser {
    /// The user's id.
    pub user_id: String,
    /// The user's name for signing in.
    pub user_name: Option<String>,
    /// The user's full name.
    pub full_name: Option<String>,
    /// The user's address.
    pub email: Option<String>,
}

/// An organization of Salesforce.
///
/// ```
/// fn read(organization: &tower_sso::providers::launches::CanvasOrganization) -> &str {
///     &organization.organization_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CanvasOrganization {
    /// Its id.
    pub organization_id: String,
    /// Its name.
    pub name: Option<String>,
}

/// A user whom a forum of Discourse signs in at your app.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::DiscourseUser) -> &str {
///     &user.external_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DiscourseUser {
    /// The user's id at the forum.
    pub external_id: String,
    /// The user's address.
    pub email: Option<String>,
    /// The user's name in the forum.
    pub username: Option<String>,
    /// The user's full name.
    pub name: Option<String>,
    /// The names of the user's groups, separated by commas.
    pub groups: Option<String>,
}

/// A forum of Discourse that asks who the visitor is.
///
/// ```
/// fn read(request: &tower_sso::providers::launches::DiscourseRequest) -> &str {
///     &request.nonce
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DiscourseRequest {
    /// What the answer has to repeat.
    pub nonce: String,
    /// Where the answer goes. **Check its host.**
    pub return_sso_url: String,
}

/// Whom a callback of Facebook is about.
///
/// ```
/// fn read(user: &tower_sso::providers::launches::FacebookUser) -> Option<&str> {
///     user.user_id.as_deref()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FacebookUser {
    /// The user's id for this app.
    pub user_id: Option<String>,
}

/// A player of an Instant Game.
///
/// ```
/// fn read(player: &tower_sso::providers::launches::InstantGamesPlayer) -> &str {
///     &player.player_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstantGamesPlayer {
    /// The player's id for this game.
    pub player_id: String,
    /// What your page had Facebook sign along.
    pub request_payload: Option<String>,
}

/// A customer whom a site sends by Shopify's Multipass.
///
/// ```
/// fn read(customer: &tower_sso::providers::launches::MultipassCustomer) -> &str {
///     &customer.email
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MultipassCustomer {
    /// The customer's address.
    pub email: String,
    /// The customer's id at the site that sends.
    pub identifier: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// Where the customer goes, an address that the site signed.
    pub return_to: Option<String>,
}

/// An instance of a Wix app.
///
/// ```
/// fn read(instance: &tower_sso::providers::launches::WixInstance) -> &str {
///     &instance.instance_id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WixInstance {
    /// The instance: this app on this site.
    pub instance_id: String,
    /// The user; none for a visitor.
    pub uid: Option<String>,
}

/// A user of an app in Zoom's client.
///
/// ```
/// fn read(context: &tower_sso::providers::launches::ZoomContext) -> &str {
///     &context.uid
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ZoomContext {
    /// The user's id.
    pub uid: String,
    /// The meeting's id, in a meeting.
    pub mid: Option<String>,
    /// Where the app runs, such as `meeting` or `panel`.
    pub typ: String,
}
