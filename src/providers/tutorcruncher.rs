//! TutorCruncher: a signed webhook that brings a company's key, and a Fernet link that signs its users in.
//!
//! Source: TutorCruncher's help page "How do I add my app to the list of Online Integrations TutorCruncher provides?".
//! The feature `fernet` is enough for the sign-in; the webhook needs `webhook` too.
//!
//! ```
//! # #[cfg(all(feature = "webhook", feature = "moka", feature = "axum"))] {
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
//! # #[cfg(all(feature = "webhook", feature = "moka", feature = "axum", feature = "sqlite"))] {
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
use crate::keys::KeyStore;

#[cfg(feature = "webhook")]
mod company;
#[cfg(feature = "webhook")]
#[cfg_attr(docsrs, doc(cfg(feature = "webhook")))]
pub use company::{CompanySignup, sign_up};

/// Starts the layer for `GET …?company_id={id}&token={fernet}`: the defaults of [`fernet::layer`], and the fields `id`,
/// `nm` and `rt` required.
///
/// `keys` holds each company's Fernet key under its `company_id`, as text.
pub fn sso(keys: impl KeyStore) -> Builder<Fernet<TutorUser>> {
    fernet::layer().keys(keys).require(["id", "nm", "rt"])
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
