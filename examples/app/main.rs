//! A small SaaS for TutorCruncher's users: sign-in, accounts and sessions in SQLite, a page, and sign-out.
//!
//! ```text
//! cargo run --example app                                  # database in memory
//! cargo run --example app -- 'sqlite://app.db?mode=rwc'    # in a file: users and sessions survive a restart
//! cargo run --example app -- 'sqlite://app.db?mode=rwc' https://app.example    # as browsers know it, behind a proxy
//! ```
//! It prints a link to click. Click it twice: the second time it is refused. `RUST_LOG=tower_sso=debug` says more.
//!
//! To start from it, copy this folder to `src` of a new package, with these dependencies. `sign` is for the tests, and
//! for the lines marked "delete": without them, move it to `[dev-dependencies]` and put `#[cfg(test)]` on `link`.
//!
//! ```toml
//! [dependencies]
//! askama = { version = "0.16", default-features = false, features = ["derive", "std"] }
//! async-trait = "0.1"
//! axum = "0.8"
//! http = "1"
//! hyper = { version = "1", features = ["http1", "server"] }
//! hyper-util = { version = "0.1", features = ["http1", "server", "server-graceful", "service", "tokio"] }
//! serde_json = "1"
//! sha2 = "0.11"
//! sqlx = { version = "0.9", default-features = false, features = ["runtime-tokio", "sqlite"] }
//! time = "0.3"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "signal", "time"] }
//! tower-http = { version = "0.7", features = ["csrf", "set-header", "timeout"] }
//! tower-sessions = { version = "0.15", default-features = false, features = ["axum-core"] }
//! tower-sso = { version = "0.1", features = ["axum", "fernet", "sign"] }
//! tracing = "0.1"
//! tracing-appender = "0.2"
//! tracing-subscriber = { version = "0.3", features = ["env-filter"] }
//!
//! [dev-dependencies]
//! reqwest = { version = "0.13", default-features = false }
//! tower = { version = "0.5", features = ["util"] }
//! ```

mod serve;
mod sessions;
#[cfg(test)]
mod tests;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response, Result};
use axum::{Router, routing::get, routing::post};
use http::{HeaderValue, StatusCode, header::CACHE_CONTROL};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::{net::TcpListener, time::Duration};
use tower_http::{csrf::CsrfLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer};
use tower_sessions::{Expiry, Session, SessionManagerLayer, cookie::SameSite};
use tower_sso::{Identity, MemoryKeys, MemoryReplay, VerifyLayer};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

// --- Change these for your partner, and in `land` the user's id and name. ----------------------------------------------

use tower_sso::fernet::Fernet;
use tower_sso::providers::tutorcruncher::{TutorUser as User, sso};
use tower_sso::sign::{FernetLink, SignError, generate_fernet_key};

type Partner = Fernet<User>;

/// Plays the partner: a link for the user number 123.
fn link(partner: FernetLink, name: &str) -> Result<String, SignError> {
    partner.uri(&serde_json::json!({"id": 123, "nm": name, "rt": "Contractor"}))
}

// ----------------------------------------------------------------------------------------------------------------------

/// A partner's user id is unique only within a tenant. `AUTOINCREMENT`: the id of a deleted user is not reused.
const USERS: &str = "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL, partner_id TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (tenant, partner_id))";
/// Where the session keeps the user's id.
const USER: &str = "user";

/// `is_https`: whether browsers use https, including https that a proxy in front terminates.
fn app(sso: VerifyLayer<Partner>, db: SqlitePool, is_https: bool) -> Router {
    let sessions = SessionManagerLayer::new(sessions::Sessions(db.clone())).with_secure(is_https).with_http_only(true);
    let sessions = sessions.with_name(if is_https { "__Host-session" } else { "session" });
    Router::new()
        .route("/sso", get(land).layer(sso))
        .route("/", get(home))
        .route("/logout", post(logout).layer(CsrfLayer::new()))
        // `Lax`: a `Strict` cookie would be missing on a redirect from the partner's site. The hours count from the sign-in.
        .layer(sessions.with_same_site(SameSite::Lax).with_expiry(Expiry::OnInactivity(time::Duration::hours(8))))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(20)))
        .with_state(db)
}

/// Finds or creates the user, and opens the session.
async fn land(db: State<SqlitePool>, session: Session, user: Identity<User>) -> Result<Redirect> {
    // One statement is one transaction: of two concurrent links, one creates the user and the other finds it.
    let query = "INSERT INTO users (tenant, partner_id, name) VALUES ($1, $2, $3)
                 ON CONFLICT (tenant, partner_id) DO UPDATE SET name = excluded.name RETURNING id";
    let query = sqlx::query_scalar(query).bind(user.tenant().as_str()).bind(user.id.to_string()).bind(&user.name);
    let id: i64 = query.fetch_one(&*db).await.map_err(unavailable)?;
    session.clear().await; // drop the previous user's data
    session.cycle_id().await.map_err(unavailable)?; // against session fixation
    session.insert(USER, id).await.map_err(unavailable)?;
    session.save().await.map_err(unavailable)?;
    Ok(Redirect::to("/"))
}

/// askama escapes the arguments.
#[derive(Template)]
#[template(
    ext = "html",
    source = "<p>Hello {{self.0}} of {{self.1}}<form method=post action=/logout><button>Sign out</button>"
)]
struct HomePage(String, String);

async fn home(db: State<SqlitePool>, session: Session) -> Result<Response> {
    let id: Option<i64> = session.get(USER).await.map_err(unavailable)?;
    let query = sqlx::query_as("SELECT name, tenant FROM users WHERE id = $1").bind(id);
    let Some((name, tenant)) = query.fetch_optional(&*db).await.map_err(unavailable)? else {
        return Ok((StatusCode::UNAUTHORIZED, "Click on the link to this app on your partner’s site.").into_response());
    };
    Ok(Html(HomePage(name, tenant).render().map_err(unavailable)?).into_response())
}

async fn logout(session: Session) -> Result<Redirect> {
    session.flush().await.map_err(unavailable)?;
    Ok(Redirect::to("/"))
}

/// The answer to a failure on our side. The reason goes to the log.
fn unavailable(error: impl std::error::Error) -> (StatusCode, &'static str) {
    tracing::error!(%error, "a request failed");
    // The link was used up before the handler failed.
    (StatusCode::SERVICE_UNAVAILABLE, "Try again in a moment. To sign in, click again on your partner’s site.")
}

/// Uses one connection: SQLite has one writer, so requests take turns and never find the database locked.
async fn open(url: &str) -> Result<SqlitePool, sqlx::Error> {
    // No timeouts: a database in memory lives only as long as its connection.
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let db = pool.acquire_timeout(Duration::from_secs(5)).connect(url).await?;
    sqlx::query(USERS).execute(&db).await?;
    sqlx::query(sessions::TABLE).execute(&db).await?;
    Ok(db)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (log, _writing) = tracing_appender::non_blocking(std::io::stderr());
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(log).init();
    let db = open(std::env::args().nth(1).as_deref().unwrap_or("sqlite::memory:")).await?;
    let key = generate_fernet_key(); // delete: yours comes from the partner
    let sso = sso(MemoryKeys::new().with("4321", key.clone())).replay(MemoryReplay::opened().await).build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let public_url = std::env::args().nth(2).unwrap_or(format!("http://{}", listener.local_addr()?));
    let app = app(sso, db, public_url.starts_with("https://"));
    println!("within a minute: {}", link(FernetLink::new(public_url + "/sso", "4321", &key), "Samuel")?); // delete
    // A service manager sends SIGTERM: `examples/portal/main.rs` listens for both.
    serve::serve(listener, app, async { _ = tokio::signal::ctrl_c().await }).await;
    Ok(())
}
