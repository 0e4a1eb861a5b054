//! Documents, directories, tasks, calendars and alarms.

use serde::Deserialize;

/// An event of Box. `D` is the file or folder that it is about.
///
/// Source: developer.box.com, "V2 Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::BoxEvent};
///
/// let layer = webhooks::box_com::<BoxEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BoxEvent<D> {
    /// By which the layer recognises it.
    pub id: String,
    /// What has happened, such as `FILE.UPLOADED`.
    pub trigger: String,
    /// In RFC 3339.
    pub created_at: String,
    /// The item.
    pub source: D,
}

/// An event of WorkOS. `D` is what it is about.
///
/// Source: workos.com, "Data syncing".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::WorkOsEvent};
///
/// let layer = webhooks::workos::<WorkOsEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct WorkOsEvent<D> {
    /// By which the layer recognises it.
    pub id: String,
    /// What has happened, such as `dsync.user.updated`.
    pub event: String,
    /// A date and time.
    pub created_at: String,
    /// The user, group, connection or other object.
    pub data: D,
}

/// An event of Notion. `D` is its own data.
///
/// Source: developers.notion.com, "Event types & delivery".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::NotionEvent};
///
/// let layer = webhooks::notion::<NotionEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NotionEvent<D> {
    /// By which the layer recognises it.
    pub id: String,
    /// What has happened, such as `page.content_updated`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// In RFC 3339.
    pub timestamp: String,
    /// Where.
    pub workspace_id: String,
    /// Of the webhook.
    pub subscription_id: String,
    /// 1 to 8.
    pub attempt_number: u32,
    /// What it is about.
    pub entity: NotionEntity,
    /// More about it.
    pub data: D,
}

/// What a [`NotionEvent`] is about: ask Notion's API for it.
///
/// ```
/// use tower_sso::providers::webhooks::events::NotionEntity;
///
/// fn is_page(entity: &NotionEntity) -> bool {
///     entity.entity_type == "page"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NotionEntity {
    /// Its id.
    pub id: String,
    /// Such as `page`.
    #[serde(rename = "type")]
    pub entity_type: String,
}

/// An event of Linear. `D` is the entity that it is about.
///
/// Source: linear/linear, packages/sdk/src/webhooks.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::LinearEvent};
///
/// let layer = webhooks::linear::<LinearEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LinearEvent<D> {
    /// What has happened, such as `create`.
    pub action: String,
    /// Of what the entity is, such as `Issue`.
    #[serde(rename = "type")]
    pub entity_type: String,
    /// In RFC 3339.
    pub created_at: String,
    /// When it was sent, in milliseconds since 1970.
    pub webhook_timestamp: u64,
    /// Of the webhook, not of the event.
    pub webhook_id: Option<String>,
    /// Where.
    pub organization_id: Option<String>,
    /// The entity's page.
    pub url: Option<String>,
    /// The entity.
    pub data: D,
}

/// An event of Calendly. `D` is its payload, such as the invitee.
///
/// Source: developer.calendly.com, "Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::CalendlyEvent};
///
/// let layer = webhooks::calendly::<CalendlyEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CalendlyEvent<D> {
    /// What has happened, such as `invitee.created`.
    pub event: String,
    /// In RFC 3339.
    pub created_at: String,
    /// The user who made the webhook, as a URI of Calendly's API.
    pub created_by: Option<String>,
    /// Whom it is about.
    pub payload: D,
}

/// An event of PagerDuty. `D` is the resource that it is about.
///
/// Source: developer.pagerduty.com, "Webhooks overview".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::PagerDutyEvent};
///
/// let layer = webhooks::pagerduty::<PagerDutyEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PagerDutyEvent<D> {
    /// The event: all that the body holds.
    pub event: PagerDutyDetail<D>,
}

/// What a [`PagerDutyEvent`] says.
///
/// ```
/// use tower_sso::providers::webhooks::events::PagerDutyDetail;
///
/// fn is_new<D>(event: &PagerDutyDetail<D>) -> bool {
///     event.event_type == "incident.triggered"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PagerDutyDetail<D> {
    /// The event's id.
    pub id: String,
    /// Such as `incident.triggered`.
    pub event_type: String,
    /// Such as `incident`.
    pub resource_type: String,
    /// In RFC 3339.
    pub occurred_at: String,
    /// The resource.
    pub data: D,
}

/// An event of Typeform. `D` is the response.
///
/// Source: typeform.com/developers, "Example payload".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::TypeformEvent};
///
/// let layer = webhooks::typeform::<TypeformEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TypeformEvent<D> {
    /// The event's id.
    pub event_id: String,
    /// Such as `form_response`.
    pub event_type: String,
    /// The response.
    pub form_response: D,
}

/// A delivery of Cal.com, unless the webhook has a template of its own. `D` is its payload.
///
/// Source: calcom/cal.com, packages/features/webhooks/lib/sendPayload.ts.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::CalComEvent};
///
/// let layer = webhooks::cal_com::<CalComEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CalComEvent<D> {
    /// Such as `BOOKING_CREATED`.
    pub trigger_event: String,
    /// In RFC 3339.
    pub created_at: String,
    /// What has happened.
    pub payload: D,
}

/// An event of Sentry's integration platform. `D` is the resource that it is about.
///
/// What kind of resource it is, Sentry says only in `Sentry-Hook-Resource`, which is **not signed**: tell the kinds
/// apart by the fields of `data`.
///
/// Source: getsentry/sentry-docs, integration platform, "Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::SentryEvent};
///
/// let layer = webhooks::sentry::<SentryEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SentryEvent<D> {
    /// What has happened, such as `created`.
    pub action: String,
    /// Of your integration.
    pub installation: Option<SentryInstallation>,
    /// The resource.
    pub data: D,
}

/// The installation of an integration in a [`SentryEvent`].
///
/// ```
/// use tower_sso::providers::webhooks::events::SentryInstallation;
///
/// fn id(installation: Option<&SentryInstallation>) -> Option<&str> {
///     installation.map(|installation| installation.uuid.as_str())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SentryInstallation {
    /// Its id.
    pub uuid: String,
}

/// An event of Jira Cloud. `D` is the rest of it, such as the issue.
///
/// Source: second-hand, Atlassian's documentation as quoted in public test suites.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::JiraEvent};
///
/// let layer = webhooks::jira::<JiraEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JiraEvent<D> {
    /// What has happened, such as `jira:issue_updated`.
    pub webhook_event: String,
    /// In milliseconds since 1970.
    pub timestamp: Option<u64>,
    /// The rest.
    #[serde(flatten)]
    pub event: D,
}

/// A delivery of Asana. `D` is one event.
///
/// Source: developers.asana.com, "Webhooks".
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::AsanaEvents};
///
/// let layer = webhooks::asana::<AsanaEvents<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AsanaEvents<D> {
    /// None, when Asana says that the webhook is alive.
    pub events: Vec<D>,
}

/// An event of DocuSign Connect, in the format JSON SIM. `D` is what it is about.
///
/// Source: developers.docusign.com, "JSON SIM event model"; public receivers, for the names of the fields.
///
/// ```
/// use tower_sso::providers::webhooks::{self, events::DocuSignEvent};
///
/// let layer = webhooks::docusign::<DocuSignEvent<serde_json::Value>>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DocuSignEvent<D> {
    /// What has happened, such as `envelope-completed`.
    pub event: String,
    /// A date and time.
    pub generated_date_time: Option<String>,
    /// The envelope and its account.
    pub data: D,
}
