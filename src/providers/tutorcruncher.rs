//! TutorCruncher: a signed webhook that brings a company's key, and a Fernet link that signs its users in.
//!
//! Source: TutorCruncher's help page "How do I add my app to the list of Online Integrations TutorCruncher provides?".
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! # use axum::{Router, http::StatusCode, routing::{get, post}};
//! use tower_sso::Identity;
//! use tower_sso::providers::tutorcruncher::{self, CompanySignup, TutorUser};
//! # use tower_sso::{keys::MemoryKeys, replay::MemoryReplay};
//!
//! async fn sign_up(call: Identity<CompanySignup>) -> StatusCode { /* keep call.fernet_key */ StatusCode::OK }
//! async fn land(user: Identity<TutorUser>) -> String { format!("Hello {} of {}", user.name, user.tenant()) }
//!
//! # let (keys, replay) = (MemoryKeys::new(), MemoryReplay::new());
//! // The handler keeps `call.fingerprint()` with the key, in one transaction, as the stores of `keys::sql` do.
//! let verify = tutorcruncher::sign_up(["whsec-shared"]).replay(replay.clone()).handler_remembers().build()?;
//! let sso = tutorcruncher::sso(keys).replay(replay).build()?;
//! let app: Router = Router::new()
//!     .route("/companies", post(sign_up).layer(verify))
//!     .route("/sso", get(land).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! # With a database
//!
//! The keys come once, by webhook, and must outlive the process: enable the feature `sqlite` or `postgres`, and add
//! sqlx 0.9.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum", feature = "sqlite"))] {
//! use axum::extract::State;
//! use axum::{Router, http::StatusCode, routing::{get, post}};
//! use tower_sso::Identity;
//! use tower_sso::keys::sql::{SqlKeyError, SqlKeyStore};
//! use tower_sso::providers::tutorcruncher::{self, CompanySignup, TutorUser};
//! use tower_sso::replay::MemoryReplay;
//!
//! type Keys = SqlKeyStore<sqlx::Sqlite>;
//!
//! async fn sign_up(State(keys): State<Keys>, call: Identity<CompanySignup>) -> StatusCode {
//!     let company = call.company_id.to_string().into();
//!     // A copy of an old call changes nothing: the store knows its credential.
//!     match keys.rotate(&company, &call.fernet_key, call.fingerprint()).await {
//!         Ok(_) => StatusCode::OK,
//!         Err(SqlKeyError::OwnedByAnotherTenant) => StatusCode::CONFLICT,
//!         Err(_) => StatusCode::SERVICE_UNAVAILABLE, // the sender tries again
//!     }
//! }
//!
//! async fn land(user: Identity<TutorUser>) -> String { format!("Hello {}", user.name) }
//!
//! async fn app() -> Result<Router, Box<dyn std::error::Error>> {
//!     let keys = Keys::new(sqlx::SqlitePool::connect("sqlite://app.db?mode=rwc").await?, "tutorcruncher");
//!     keys.migrate().await?;
//!     let replay = MemoryReplay::new();
//!     let verify = tutorcruncher::sign_up(["whsec-shared"]).replay(replay.clone()).handler_remembers().build()?;
//!     let sso = tutorcruncher::sso(keys.clone()).replay(replay).build()?;
//!     Ok(Router::new()
//!         .route("/companies", post(sign_up).layer(verify))
//!         .route("/sso", get(land).layer(sso))
//!         .with_state(keys))
//! }
//! # }
//! ```

use serde::{Deserialize, Serialize};

use crate::Builder;
use crate::fernet::{self, Fernet};
use crate::keys::{KeyStore, Secret};
use crate::webhook::{self, Webhook};

/// Starts the layer for `GET …?company_id={id}&token={fernet}`: the defaults of [`fernet::layer`], and the fields `id`,
/// `nm` and `rt` required.
///
/// `keys` holds each company's Fernet key under its `company_id`, as text.
pub fn sso(keys: impl KeyStore) -> Builder<Fernet<TutorUser>> {
    fernet::layer().keys(keys).require(["id", "nm", "rt"])
}

/// Starts the layer for `POST` with `Webhook-Signature`: the defaults of [`webhook::layer`].
///
/// `secrets` are shared with TutorCruncher: the first is current, the others are still accepted. TutorCruncher counts
/// only status 200 as success, but the layer counts a redirect too: put no redirecting layer inside, such as one that
/// demands a session. A delivery has no timestamp and can come again at any age: let the handler recognise duplicates,
/// and declare it with [`handler_remembers`](Builder::handler_remembers).
pub fn sign_up<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Builder<Webhook<CompanySignup>> {
    webhook::layer().secrets(secrets)
}

/// A user of a company. Unknown fields are ignored.
///
/// ```
/// use tower_sso::providers::tutorcruncher::TutorUser;
///
/// let user: TutorUser = serde_json::from_str(r#"{"id": 123, "nm": "Samuel", "rt": "Contractor", "e": null}"#)?;
/// assert_eq!(user.role_type, "Contractor");
/// assert_eq!(user.email, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
#[non_exhaustive]
pub struct TutorUser {
    /// `id`: the user's number in TutorCruncher.
    pub id: i64,
    /// `nm`: the user's name.
    pub name: String,
    /// `rt`: such as `Contractor`, `ServiceRecipient` or `Administrator`.
    pub role_type: String,
    /// `role_id`: the number of the role.
    pub role_id: Option<i64>,
    /// `e`: the email address; some users have none.
    pub email: Option<String>,
    /// `tz`: the time zone, such as `Europe/London`.
    pub timezone: Option<String>,
    /// `br_id`: the branch's number.
    pub branch_id: Option<i64>,
    /// `br_nm`: the branch's name.
    pub branch_name: Option<String>,
    /// The lesson in which the user clicked the link, if any.
    pub lesson: Option<Lesson>,
}

/// A lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lesson {
    /// `apt_id`: the lesson's number.
    pub id: i64,
    /// `apt_nm`: its topic, which TutorCruncher truncates.
    pub topic: Option<String>,
    /// `apt_st`: its start, in seconds since the epoch.
    pub start: Option<i64>,
    /// `apt_fn`: its end, in seconds since the epoch.
    pub finish: Option<i64>,
}

/// The names on the wire.
#[derive(Clone, Serialize, Deserialize)]
struct Wire {
    id: i64,
    nm: String,
    rt: String,
    role_id: Option<i64>,
    e: Option<String>,
    tz: Option<String>,
    br_id: Option<i64>,
    br_nm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apt_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apt_nm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apt_st: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apt_fn: Option<i64>,
}

impl From<Wire> for TutorUser {
    fn from(wire: Wire) -> Self {
        let Wire { id, nm, rt, role_id, e, tz, br_id, br_nm, apt_id, apt_nm, apt_st, apt_fn } = wire;
        Self {
            id,
            name: nm,
            role_type: rt,
            role_id,
            email: e,
            timezone: tz,
            branch_id: br_id,
            branch_name: br_nm,
            lesson: apt_id.map(|id| Lesson { id, topic: apt_nm, start: apt_st, finish: apt_fn }),
        }
    }
}

impl From<TutorUser> for Wire {
    fn from(user: TutorUser) -> Self {
        let (apt_id, apt_nm, apt_st, apt_fn) = match user.lesson {
            Some(Lesson { id, topic, start, finish }) => (Some(id), topic, start, finish),
            None => (None, None, None, None),
        };
        Self {
            id: user.id,
            nm: user.name,
            rt: user.role_type,
            role_id: user.role_id,
            e: user.email,
            tz: user.timezone,
            br_id: user.branch_id,
            br_nm: user.branch_name,
            apt_id,
            apt_nm,
            apt_st,
            apt_fn,
        }
    }
}

/// A company that signs up, and the key with which its users' links will be signed.
///
/// ```
/// use tower_sso::providers::tutorcruncher::CompanySignup;
///
/// let json = r#"{"company_id": 4321, "fernet_key": "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=",
///                "admin_email": "ada@example.com", "admin_name": "Ada", "company_name": "DinoTutors"}"#;
/// let call: CompanySignup = serde_json::from_str(json)?;
/// assert_eq!(call.company_id, 4321);
/// assert!(!format!("{call:?}").contains("38mn"), "the key is not shown");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CompanySignup {
    /// The company's number; as text, it is the tenant of [`sso`].
    pub company_id: i64,
    /// The company's new key, a valid Fernet key.
    #[serde(deserialize_with = "fernet_key")]
    pub fernet_key: Secret,
    /// The email address of the admin who signed the company up.
    pub admin_email: String,
    /// That admin's name.
    pub admin_name: String,
    /// The company's name.
    pub company_name: String,
}

fn fernet_key<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let key = Secret::new(String::deserialize(deserializer)?);
    fernet::check_key(&key).map_err(serde::de::Error::custom)?;
    Ok(key)
}
