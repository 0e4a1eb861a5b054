//! Developer tools, and senders that follow Standard Webhooks.

use serde::Deserialize;

/// An event of a sender that follows Standard Webhooks. `D` is what it is about. Its id is in the signed header
/// `webhook-id`, by which the layer recognises it.
///
/// Source: standard-webhooks/standard-webhooks, spec, "Payload structure".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::StandardEvent};
///
/// let layer = webhooks::standard_webhooks::<StandardEvent<serde_json::Value>>();
/// let of_svix = webhooks::svix::<StandardEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StandardEvent<D> {
    /// Such as `user.created`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened: in RFC 3339, or a number. Some senders leave it out, or call it `created_at`.
    pub timestamp: Option<Moment>,
    /// As `timestamp`.
    pub created_at: Option<Moment>,
    /// What has happened.
    pub data: D,
}

/// A time of a [`StandardEvent`], as the sender writes it.
///
/// ```
/// use tower_sso::providers::webhooks::events::Moment;
///
/// fn text(moment: &Moment) -> String {
///     match moment {
///         Moment::Text(text) => text.clone(),
///         Moment::Number(number) => number.to_string(),
///         _ => String::new(),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Moment {
    /// Seconds or milliseconds, which the sender's documentation says.
    Number(u64),
    /// RFC 3339, for most senders.
    Text(String),
}

/// An event of GitHub, sent as JSON. `D` is the rest of it: the event's own fields.
///
/// What kind of event it is, GitHub says only in `X-GitHub-Event`, which is **not signed**: tell the kinds apart by
/// their fields, such as `pull_request`.
///
/// Source: docs.github.com, "Webhook events and payloads".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::GitHubEvent};
///
/// #[derive(serde::Deserialize)]
/// struct Push { r#ref: String, after: String }
///
/// let layer = webhooks::github::<GitHubEvent<Push>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GitHubEvent<D> {
    /// What has happened, such as `opened`: most events have one.
    pub action: Option<String>,
    /// Where, if it is about a repository.
    pub repository: Option<GitHubRepository>,
    /// Who has done it.
    pub sender: Option<GitHubUser>,
    /// The installation of your app, if it is an app's webhook.
    pub installation: Option<GitHubInstallation>,
    /// The rest.
    #[serde(flatten)]
    pub event: D,
}

/// The repository of a [`GitHubEvent`].
///
/// ```
/// use tower_sso::providers::webhooks::events::GitHubRepository;
///
/// fn owner(repository: &GitHubRepository) -> Option<&str> {
///     repository.full_name.split('/').next()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GitHubRepository {
    /// Its number.
    pub id: u64,
    /// `owner/name`.
    pub full_name: String,
}

/// A user of a [`GitHubEvent`].
///
/// ```
/// use tower_sso::providers::webhooks::events::GitHubUser;
///
/// fn is_bot(user: &GitHubUser) -> bool {
///     user.login.ends_with("[bot]")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GitHubUser {
    /// The number, which stays.
    pub id: u64,
    /// The name, which may change.
    pub login: String,
}

/// The installation of an app in a [`GitHubEvent`].
///
/// ```
/// use tower_sso::providers::webhooks::events::GitHubInstallation;
///
/// fn number(installation: Option<&GitHubInstallation>) -> Option<u64> {
///     installation.map(|installation| installation.id)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GitHubInstallation {
    /// Its number.
    pub id: u64,
}

/// An event of Vercel. `D` is its payload.
///
/// Source: vercel.com, "Webhooks API Reference".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::VercelEvent};
///
/// let layer = webhooks::vercel::<VercelEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VercelEvent<D> {
    /// The delivery's.
    pub id: String,
    /// Such as `deployment.succeeded`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// In milliseconds since 1970.
    pub created_at: u64,
    /// Where it happened.
    pub region: Option<String>,
    /// What has happened.
    pub payload: D,
}

/// An event of CircleCI. `D` is the rest of it: the event's own fields.
///
/// Source: circleci/circleci-docs, "Outbound webhooks reference".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::CircleCiEvent};
///
/// let layer = webhooks::circleci::<CircleCiEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CircleCiEvent<D> {
    /// By which the layer recognises it.
    pub id: String,
    /// Such as `workflow-completed`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// In RFC 3339.
    pub happened_at: String,
    /// The rest.
    #[serde(flatten)]
    pub event: D,
}

/// A notification of Heroku. `D` is the resource that it is about.
///
/// Source: devcenter.heroku.com, "App Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::HerokuEvent};
///
/// let layer = webhooks::heroku::<HerokuEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HerokuEvent<D> {
    /// What has happened: `create`, `update` or `destroy`.
    pub action: String,
    /// Of what, such as `release`.
    pub resource: String,
    /// What it is now.
    pub data: D,
    /// About this delivery.
    pub webhook_metadata: HerokuMetadata,
}

/// About the delivery of a [`HerokuEvent`].
///
/// ```
/// use tower_sso::providers::webhooks::events::HerokuMetadata;
///
/// fn is_release(metadata: &HerokuMetadata) -> bool {
///     metadata.event.include == "api:release"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HerokuMetadata {
    /// The event, whose id is the same in all attempts.
    pub event: HerokuEventId,
}

/// Which event a [`HerokuEvent`] is.
///
/// ```
/// use tower_sso::providers::webhooks::events::HerokuEventId;
///
/// fn key(event: &HerokuEventId) -> &str {
///     &event.id
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HerokuEventId {
    /// By which the layer recognises it.
    pub id: String,
    /// What you have subscribed to, such as `api:release`.
    pub include: String,
}

/// An event of GitLab, with a secret token. `D` is the rest of it: the event's own fields. **Nothing of it is signed.**
///
/// Source: GitLab's documentation, "Webhook events".
///
/// ```
/// # #[cfg(feature = "shared-secret")] {
/// use tower_sso::providers::webhooks::{self, events::GitLabEvent};
///
/// let layer = webhooks::gitlab_token::<GitLabEvent<serde_json::Value>>();
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GitLabEvent<D> {
    /// Such as `merge_request`. Some events of groups have an `event_name` only.
    pub object_kind: Option<String>,
    /// Where, if it is about a project.
    pub project: Option<GitLabProject>,
    /// The rest.
    #[serde(flatten)]
    pub event: D,
}

/// The project of a [`GitLabEvent`].
///
/// ```
/// use tower_sso::providers::webhooks::events::GitLabProject;
///
/// fn group(project: &GitLabProject) -> Option<&str> {
///     project.path_with_namespace.rsplit_once('/').map(|(group, _)| group)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GitLabProject {
    /// Its number.
    pub id: u64,
    /// `group/name`.
    pub path_with_namespace: String,
}
