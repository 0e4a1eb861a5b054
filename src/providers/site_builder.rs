//! Site Builder: an OAuth 1.0a signed link, loaded as a script, that hands out one-time links.
//!
//! Source: the partners' user guide "Single Sign On (SSO)". Its sample is signed by the Python package `oauth` 1.0.1.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum", feature = "ticket"))] {
//! use axum::extract::State;
//! use axum::http::{StatusCode, header::CONTENT_TYPE};
//! use axum::response::IntoResponse;
//! use axum::{Router, routing::get};
//! use tower_sso::Identity;
//! use tower_sso::keys::MemoryKeys;
//! use tower_sso::oauth1::Origin;
//! use tower_sso::providers::site_builder::{self, SiteBuilderUser};
//! use tower_sso::replay::MemoryReplay;
//! use tower_sso::ticket::{self, MemoryTickets, Tickets};
//!
//! // The partner's page loads it as a script: what it defines are links that sign the user in, each once.
//! async fn widget(tickets: State<Tickets>, user: Identity<SiteBuilderUser>) -> Result<impl IntoResponse, StatusCode> {
//!     let ticket = tickets.issue(user.tenant(), user.claims()).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
//!     let link = serde_json::json!(format!("https://app.example/enter?ticket={ticket}"));
//!     Ok(([(CONTENT_TYPE, "application/javascript")], format!("var sb = {{uris: {{user: {link}, sites: {{}}}}}};")))
//! }
//!
//! // The user's browser comes by that link. Begin its session here.
//! async fn enter(user: Identity<SiteBuilderUser>) -> String {
//!     format!("{} has {} sites", user.email, user.site_ids().count())
//! }
//!
//! let keys = MemoryKeys::new().with("partner-key", "partner-secret");
//! let sso = site_builder::sso(Origin::new("https://app.example"), keys).replay(MemoryReplay::new()).build()?;
//! let tickets = Tickets::new(MemoryTickets::new());
//! let once = ticket::layer::<SiteBuilderUser>(tickets.clone()).build()?;
//! let app: Router = Router::new()
//!     .route("/widget/", get(widget).layer(sso))
//!     .route("/enter", get(enter).layer(once))
//!     .with_state(tickets);
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! The script runs on the partner's page. Cookies of its request and answer are third-party cookies:
//! `SameSite=None; Secure; Partitioned`. The session begins at `/enter`, which the user opens as a link: `SameSite=Lax`
//! is right there, and `None` only if the partner opens it in a frame.
//!
//! `examples/portal/vendors/site_builder.rs` adds `sb.uris.sites`, a link straight into each of the user's sites.

use serde::{Deserialize, Serialize};

use crate::Builder;
use crate::keys::KeyStore;
use crate::oauth1::{self, OAuth1, Origin};

/// Starts the layer: HMAC-SHA1 in the query, ±300 s, `email` and `partner_user_id` required.
///
/// `keys` holds each partner's secret under its consumer key. Give partners a `BASE_WIDGET_URI` that matches `origin`
/// exactly: the sample's client signs the host in the given case, and an empty path as empty.
pub fn sso(origin: Origin, keys: impl KeyStore) -> Builder<OAuth1<SiteBuilderUser>> {
    oauth1::layer(origin).keys(keys).require(["email", "partner_user_id"])
}

/// A user of a partner.
///
/// ```
/// use tower_sso::providers::site_builder::SiteBuilderUser;
///
/// let json = r#"{"email": "john@example.com", "partner_user_id": "1", "partner_site_ids": "12345,23145"}"#;
/// let user: SiteBuilderUser = serde_json::from_str(json)?;
/// assert_eq!(user.site_ids().collect::<Vec<_>>(), ["12345", "23145"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SiteBuilderUser {
    /// The email address.
    pub email: String,
    /// The user's id in the partner's own system.
    pub partner_user_id: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The sites that the user may go to directly, separated by commas, as received.
    pub partner_site_ids: Option<String>,
}

impl SiteBuilderUser {
    /// The sites that the user may go to directly.
    pub fn site_ids(&self) -> impl Iterator<Item = &str> {
        let ids = self.partner_site_ids.as_deref().unwrap_or_default();
        ids.split(',').map(str::trim).filter(|id| !id.is_empty())
    }
}
