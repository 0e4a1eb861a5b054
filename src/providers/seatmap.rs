//! seatmap.pro: a ticketing platform signs its users into the editor with its private key.
//!
//! Source: the vendor's "Multi-tenant integration (single sign-on)".
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "moka", feature = "ticket"))] {
//! use axum::extract::State;
//! use axum::routing::{get, post};
//! use axum::{Json, Router};
//! use serde_json::{Value, json};
//! use tower_sso::Identity;
//! use tower_sso::providers::seatmap::{self, SeatmapLogin};
//! use tower_sso::shared_secret::PrivateKeys;
//! use tower_sso::ticket::{self, MemoryTickets, Tickets};
//!
//! // The platform's server calls. `user.tenant()` is the organisation whose key it was: open its own users alone.
//! async fn autologin(tickets: State<Tickets>, user: Identity<SeatmapLogin>) -> Result<Json<Value>, http::StatusCode> {
//!     let ticket = tickets.issue(user.tenant(), user.claims()).await;
//!     let ticket = ticket.map_err(|_| http::StatusCode::SERVICE_UNAVAILABLE)?;
//!     Ok(Json(json!({"sessionId": ticket, "redirectUrl": format!("https://app.example/editor?sessionId={ticket}")})))
//! }
//!
//! // The user's browser comes, once. Begin its session here.
//! async fn editor(user: Identity<SeatmapLogin>) -> String {
//!     format!("{} of {}", user.login, user.tenant())
//! }
//!
//! let keys = PrivateKeys::new().with("default", ["k-9f86d081884c7d659a2f"])?;
//! let sso = seatmap::autologin(keys).build()?;
//! let tickets = Tickets::new(MemoryTickets::new());
//! let once = ticket::layer::<SeatmapLogin>(tickets.clone()).ticket_parameter("sessionId").build()?;
//! let app: Router = Router::new()
//!     .route("/api/auth/autologin", post(autologin).layer(sso))
//!     .route("/editor", get(editor).layer(once))
//!     .with_state(tickets);
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! Only you know how to tell your callers apart, so wrong keys are counted only if you set a
//! [`Throttle`](crate::throttle::Throttle): `autologin(keys).throttle(…)`.

use http::HeaderMap;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Builder;
use crate::debug::opaque_debug;
use crate::keys::Secret;
use crate::rejection::Reason;
use crate::shared_secret::{self, PrivateKeyStore, SharedSecret};
use crate::text::headers::check_content;
use crate::text::json;

/// Starts the layer for `POST /api/auth/autologin`: the private key in `token`, `login` required and not blank.
///
/// `keys` are [`PrivateKeys`](shared_secret::PrivateKeys) or a [store of your own](PrivateKeyStore).
/// [`Identity::tenant`](crate::Identity::tenant) is the organisation whose key it was. The answer's session id
/// travels in a redirect: make it single-use.
pub fn autologin(keys: impl PrivateKeyStore) -> Builder<SharedSecret<SeatmapLogin>> {
    shared_secret::layer(keys).require(["login"])
}

/// The user whom a platform signs in. Unknown fields are ignored.
///
/// ```
/// use tower_sso::providers::seatmap::SeatmapLogin;
///
/// let user: SeatmapLogin = serde_json::from_str(r#"{"login": "jd@seatmap.pro", "firstName": "John"}"#)?;
/// assert_eq!((user.login.as_str(), user.first_name.as_deref()), ("jd@seatmap.pro", Some("John")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SeatmapLogin {
    /// The email address, as the platform writes it.
    #[serde(deserialize_with = "not_blank")]
    pub login: String,
    /// The first name. Real integrations leave it out.
    pub first_name: Option<String>,
    /// The last name. Real integrations leave it out.
    pub last_name: Option<String>,
}

/// The body of `POST /api/auth/register`, which creates an organisation and its first user.
///
/// **The vendor's document shows no credential on that call**: anyone who can reach it can create organisations. No
/// layer checks it, so read it with [`read`](Self::read). If you can demand the private key in the body, as `token`,
/// put [`shared_secret::layer::<SeatmapRegistration>()`](shared_secret::layer) in front instead. Never let it
/// change an existing user's password, and store the password that it brings only as a password hash.
///
/// ```
/// use tower_sso::providers::seatmap::SeatmapRegistration;
///
/// let call: SeatmapRegistration = serde_json::from_str(
///     r#"{"email": "jd@seatmap.pro", "firstName": "John", "lastName": "Doe", "organizationName": "default",
///         "password": "defaultPassword"}"#,
/// )?;
/// assert_eq!(call.organization_name, "default");
/// assert!(!format!("{call:?}").contains("defaultPassword"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SeatmapRegistration {
    /// The email address.
    #[serde(deserialize_with = "not_blank")]
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The organisation, by its name.
    #[serde(deserialize_with = "not_blank")]
    pub organization_name: String,
    /// The password. `Debug` does not show it, and it is wiped on drop.
    #[serde(deserialize_with = "password")]
    pub password: Secret,
}

impl SeatmapRegistration {
    /// Reads a call that no layer checks as strictly as the layers do: uncompressed `application/json`, one object, no
    /// duplicate name at any depth. Limit the body's size first.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
    /// use tower_sso::providers::seatmap::SeatmapRegistration;
    ///
    /// let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    /// let call = SeatmapRegistration::read(&headers, br#"{"email": "jd@seatmap.pro", "email": "eve@seatmap.pro"}"#);
    /// assert_eq!(call.unwrap_err().code().status(), 400);
    /// ```
    ///
    /// # Errors
    /// `unsupported_media_type` for another type or encoding, and `malformed` for anything but such an object, as
    /// nothing in it is authentic. Answer with [`Rejection::problem_json`](crate::rejection::Rejection::problem_json).
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Reason> {
        check_content(headers, Some("application/json"))?;
        json::object(body, &[""; 0]).map_err(|_| {
            Reason::Malformed(
                "body".into(),
                "is not one JSON object with the five fields, each a string and there once",
            )
        })
    }
}

fn not_blank<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() { Err(D::Error::custom("a field is blank")) } else { Ok(text) }
}

fn password<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let password = Secret::new(String::deserialize(deserializer)?);
    if password.expose().is_empty() { Err(D::Error::custom("the password is empty")) } else { Ok(password) }
}

opaque_debug!(SeatmapRegistration { email, organization_name });
