//! What links signed by OAuth 1.0a say.

use serde::{Deserialize, Serialize};

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
