//! An LTI 1.1 tool for several platforms: launches from Moodle, Canvas and others, opened in the platform's frame.
//!
//! ```text
//! cargo run --example lti -- https://tool.example 'sqlite://lti.db?mode=rwc'
//! sqlite3 lti.db "INSERT INTO secrets (consumer, secret) VALUES ('moodle.lincoln.example', '…')"
//! ```
//! It listens on port 8080, behind a proxy that terminates TLS. The address is the public one: platforms sign it. Give
//! each platform the launch URL `https://tool.example/launch`, a consumer key and a secret, and insert both while the
//! tool runs. To rotate the secret, insert the new one and delete the old one later. The log says why a launch is
//! refused.
//!
//! LTI 1.3 is another protocol, in which the tool is asked to begin: see `providers::launches::lti13`.
//!
//! To start from it, copy this file to `src/main.rs`, without `mod tests`, and `examples/app/sessions.rs` to `src/app`,
//! with these dependencies:
//!
//! ```toml
//! [dependencies]
//! askama = { version = "0.16", default-features = false, features = ["derive", "std"] }
//! async-trait = "0.1"
//! axum = "0.8"
//! http = "1"
//! serde = { version = "1", features = ["derive"] }
//! serde_json = "1"
//! sha2 = "0.11"
//! sqlx = { version = "0.9", default-features = false, features = ["runtime-tokio", "sqlite"] }
//! time = "0.3"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tower-http = { version = "0.7", features = ["csrf", "set-header"] }
//! tower-sessions = { version = "0.15", default-features = false, features = ["axum-core"] }
//! tower-sso = { version = "0.1", features = ["axum", "oauth1"] }
//! tracing-subscriber = "0.3"
//! ```

#[path = "app/sessions.rs"]
mod sessions;

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::header::{CONTENT_SECURITY_POLICY, Entry, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::net::TcpListener;
use tower_http::{csrf::CsrfLayer, set_header::SetResponseHeaderLayer};
use tower_sessions::{Expiry, Session, SessionManagerLayer, cookie::SameSite};
use tower_sso::Identity;
use tower_sso::clock::{Clock, SystemClock, UnixTime};
use tower_sso::keys::{self, Key, KeyStore, Keys, Secret, TenantId};
use tower_sso::oauth1::Origin;
use tower_sso::providers::launches;
use tower_sso::replay::{MemoryReplay, ReplayStore};

use crate::sessions::Sessions;

/// Who may open the tool in a frame: the schools' platforms.
const PLATFORMS: &str = "frame-ancestors https://moodle.lincoln.example https://opera.instructure.com";
const SECRETS: &str = "CREATE TABLE IF NOT EXISTS secrets (consumer TEXT NOT NULL, secret TEXT NOT NULL)";
/// Where the session keeps the member.
const MEMBER: &str = "member";

/// What the tool reads of a launch. The platform has signed all of it.
#[derive(Debug, Deserialize)]
struct Launch {
    #[serde(rename = "lti_message_type")]
    _message: Message,
    /// Unique only within a platform, which is the tenant.
    user_id: String,
    lis_person_name_full: Option<String>,
    #[serde(default, rename = "roles")]
    role: Role,
    context_id: String,
    context_title: Option<String>,
}

/// Other messages of LTI, such as the choice of content, are refused.
#[derive(Debug, Deserialize)]
enum Message {
    #[serde(rename = "basic-lti-launch-request")]
    Launch,
}

/// The user's role in the course.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
enum Role {
    #[default]
    Learner,
    Teacher,
}

/// From a list of names (`Instructor`) and URNs (`urn:lti:role:ims/lis/Instructor/Lecturer`). A role in the
/// institution (`urn:lti:instrole:…`) is no role in the course.
impl From<String> for Role {
    fn from(roles: String) -> Self {
        let roles = roles.split(',').map(str::trim);
        let in_course = roles.map(|role| role.strip_prefix("urn:lti:role:ims/lis/").unwrap_or(role));
        let mut names = in_course.map(|role| role.split('/').next().unwrap_or_default());
        if names.any(|name| matches!(name, "Instructor" | "TeachingAssistant")) { Self::Teacher } else { Self::Learner }
    }
}

/// Who the session belongs to, in the course that was opened last.
#[derive(Template, Deserialize, Serialize)]
#[template(
    ext = "html",
    source = "<p>Hello {{name}}, {% if teaches %}teacher{% else %}learner{% endif %} in {{course}} at {{platform}}
        <form method=post action=/logout><button>Sign out</button></form>"
)]
struct Member {
    platform: String,
    user: String,
    name: String,
    course: String,
    teaches: bool,
}

/// `public_url` is the address that platforms are given. The proxy in front asks the tool itself over http.
fn app(
    public_url: &str,
    db: &SqlitePool,
    replay: impl ReplayStore,
    clock: impl Clock,
) -> Result<Router, Box<dyn std::error::Error>> {
    let launch = launches::lti11::<Launch>(Origin::new(public_url))
        .require(["user_id", "context_id"])
        .keys(secrets(db.clone()))
        .replay(replay)
        .clock(clock)
        .build()?;
    // In a frame, the cookie is a third party's: `None`, and `Partitioned` below.
    let sessions = SessionManagerLayer::new(Sessions(db.clone())).with_name("__Host-session").with_secure(true);
    let sessions = sessions.with_http_only(true).with_same_site(SameSite::None);
    // Other sites' requests carry the cookie too, so what changes something needs this layer. A launch does not: it is
    // signed, and comes from another site. The address is named, as a proxy may replace the host.
    let csrf = CsrfLayer::new().add_trusted_origin(public_url)?;
    Ok(Router::new()
        .route("/launch", post(land).layer(launch))
        .route("/", get(home))
        .route("/logout", post(logout).layer(csrf))
        .layer(sessions.with_expiry(Expiry::OnInactivity(time::Duration::hours(8))))
        .layer(middleware::map_response(partitioned))
        .layer(SetResponseHeaderLayer::overriding(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PLATFORMS))))
}

/// A platform's secrets, the newest first.
fn secrets(db: SqlitePool) -> impl KeyStore {
    keys::from_fn(move |consumer: TenantId| {
        let db = db.clone();
        async move {
            let select = "SELECT secret FROM secrets WHERE consumer = $1 ORDER BY rowid DESC";
            let secrets = sqlx::query_scalar::<_, String>(select).bind(consumer.as_str()).fetch_all(&db).await?;
            let key = |(age, secret)| match age {
                0 => Key::current(secret),
                _ => Key::previous(secret, UnixTime::MAX),
            };
            Ok::<Keys, sqlx::Error>(secrets.into_iter().map(Secret::new).enumerate().map(key).collect())
        }
    })
}

/// Opens the session.
async fn land(session: Session, launch: Identity<Launch>) -> Result<Redirect, Unavailable> {
    let member = Member {
        platform: launch.tenant().to_string(),
        user: launch.user_id.clone(),
        name: launch.lis_person_name_full.clone().unwrap_or_else(|| launch.user_id.clone()),
        course: launch.context_title.clone().unwrap_or_else(|| launch.context_id.clone()),
        teaches: launch.role == Role::Teacher,
    };
    session.clear().await; // drop the previous user's data
    session.cycle_id().await?; // against session fixation
    session.insert(MEMBER, member).await?;
    session.save().await?;
    Ok(Redirect::to("/"))
}

async fn home(session: Session) -> Result<Response, Unavailable> {
    Ok(match session.get::<Member>(MEMBER).await? {
        Some(member) => Html(member.render()?).into_response(),
        None => (StatusCode::UNAUTHORIZED, "Open this tool in your course.").into_response(),
    })
}

async fn logout(session: Session) -> Result<Redirect, Unavailable> {
    session.flush().await?;
    Ok(Redirect::to("/"))
}

/// Marks the session's cookie as `Partitioned`, for which tower-sessions has no setting.
async fn partitioned(mut answer: Response) -> Response {
    if let Entry::Occupied(mut cookies) = answer.headers_mut().entry(SET_COOKIE) {
        for cookie in cookies.iter_mut() {
            if let Ok(with) = HeaderValue::from_bytes(&[cookie.as_bytes(), b"; Partitioned"].concat()) {
                *cookie = with;
            }
        }
    }
    answer
}

/// A failure on our side. The reason goes to the log.
struct Unavailable;

impl<E: std::error::Error> From<E> for Unavailable {
    fn from(error: E) -> Self {
        eprintln!("a request failed: {error}");
        Self
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        // The launch was used up before the handler failed.
        (StatusCode::SERVICE_UNAVAILABLE, "Go back to your course and open this tool again.").into_response()
    }
}

async fn open(url: &str) -> Result<SqlitePool, sqlx::Error> {
    // One connection without an end, as a database in memory is its connection's own.
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let db = pool.connect(url).await?;
    for table in [SECRETS, sessions::TABLE] {
        sqlx::query(table).execute(&db).await?;
    }
    Ok(db)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let public_url =
        std::env::args().nth(1).ok_or("say which address platforms are given, such as https://tool.example")?;
    let db = std::env::args().nth(2).ok_or("say where the secrets are, such as sqlite://lti.db?mode=rwc")?;
    let db = open(&db).await?;
    let app = app(&public_url, &db, MemoryReplay::opened().await, SystemClock)?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("{public_url}/launch, by {}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

#[cfg(test)]
#[path = "lti/tests.rs"]
mod tests;
