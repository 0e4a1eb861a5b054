//! What requests signed by OAuth 1.0a say.

use serde::{Deserialize, Deserializer, Serialize};

/// What an LTI 1.1 launch says. Without the fields here, read the launch into a type of your own.
///
/// ```
/// fn is_known(launch: &tower_sso::providers::launches::LtiLaunch) -> bool {
///     launch.user_id.is_some()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LtiLaunch {
    /// `basic-lti-launch-request` for a launch.
    pub lti_message_type: String,
    /// `LTI-1p0`.
    pub lti_version: String,
    /// The link in the course that was opened.
    pub resource_link_id: Option<String>,
    /// The user, unique only within the platform; none if the platform leaves it out or empty.
    #[serde(default, deserialize_with = "filled")]
    pub user_id: Option<String>,
    /// The user's roles, separated by commas.
    pub roles: Option<String>,
    /// The course.
    pub context_id: Option<String>,
    /// The course's title.
    pub context_title: Option<String>,
    /// The user's name.
    pub lis_person_name_full: Option<String>,
    /// Where to send the user afterwards.
    pub launch_presentation_return_url: Option<String>,
}

/// An empty text is none: all anonymous users would be one.
fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

/// A call of Oracle Eloqua, as the preset's URL template has it. Eloqua leaves out what a call is not about.
///
/// ```
/// fn read(call: &tower_sso::providers::launches::EloquaCall) -> (&str, &str) {
///     (&call.site_id, &call.user_id)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EloquaCall {
    /// The installation of the app.
    pub install_id: String,
    /// The customer's instance of Eloqua.
    pub site_id: String,
    /// The user whose action it is.
    pub user_id: String,
    /// The customer's name.
    pub site_name: Option<String>,
    /// The user's name for signing in.
    pub user_name: Option<String>,
    /// The user's language, as in `en-US`.
    pub user_culture: Option<String>,
    /// The app.
    pub app_id: Option<String>,
    /// The instance of the app's service, such as one step of a campaign.
    pub instance_id: Option<String>,
    /// The campaign, program, form or other asset; none before it is saved.
    pub asset_id: Option<String>,
    /// The asset's name.
    pub asset_name: Option<String>,
    /// The asset's kind.
    pub asset_type: Option<String>,
    /// Whether a step is about `Contacts` or `CustomObjectRecords`.
    pub entity_type: Option<String>,
    /// The custom object, if it is about one's records.
    pub custom_object_id: Option<String>,
    /// What became of a campaign.
    pub event_type: Option<String>,
    /// The run of a step.
    pub execution_id: Option<String>,
}

/// An event of an AppDirect marketplace.
///
/// ```
/// fn read(event: &tower_sso::providers::launches::AppDirectEvent) -> &str {
///     &event.event_url
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AppDirectEvent {
    /// Where the marketplace tells what has happened, to a request that is signed with the same secret. Before you ask,
    /// check that its host is the marketplace's.
    pub event_url: String,
}
