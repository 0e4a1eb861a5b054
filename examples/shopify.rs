//! A Shopify app: its page in the admin, the page's calls, the app proxy and webhooks, all signed with one secret.
//!
//! ```text
//! export SHOPIFY_API_KEY=… SHOPIFY_API_SECRET=… SHOPIFY_APP_URL=https://app.example
//! cargo run --example shopify -- 'sqlite://shops.db?mode=rwc'
//! ```
//!
//! | address | in `shopify.app.toml` | signed |
//! |---|---|---|
//! | `/` | `application_url` | the query: which shop's admin came, but not which user |
//! | `/api/me` | called by the page | the session token: shop and user |
//! | `/proxy/greeting` | `[app_proxy]`, with `url = …/proxy` | the query: shop and customer |
//! | `/install?shop=…` | | nothing: it sends the admin to the shop, with a `state` |
//! | `/granted` | `redirect_urls` | the query, with the `state`: the shop has granted what the app asked for |
//! | `/webhooks/privacy` | the three `compliance_topics` | the body |
//!
//! **Never log or show a URL of the proxy**: whoever sees its signature can send what a visitor wrote as a webhook.
//!
//! Apps that Shopify installs itself need neither `/install` nor `/granted`: they are for the authorization code grant.
//!
//! It listens on port 8080, behind a proxy that terminates TLS. The log says why a request is refused.
//!
//! To start from it, copy this file to `src/main.rs`, without `mod tests`, with these dependencies:
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! http = "1"
//! serde = { version = "1", features = ["derive"] }
//! serde_json = "1"
//! sqlx = { version = "0.9", default-features = false, features = ["runtime-tokio", "sqlite"] }
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tower-sso = { version = "0.1", features = ["axum", "jwt", "signed-parameters", "webhook"] }
//! tracing-subscriber = "0.3"
//! ```

use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{CONTENT_SECURITY_POLICY, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::net::TcpListener;
use tower_sso::challenge::Challenge;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::providers::launches::{self, ShopifyLaunch, ShopifySession};
use tower_sso::providers::webhooks;
use tower_sso::replay::{MemoryReplay, ReplayStore};
use tower_sso::{ConfigError, Identity, Secret};

/// An opened app. The shop is the tenant.
#[derive(Deserialize)]
struct Launch {}

/// Where an installation begins. Nobody has signed it.
#[derive(Deserialize)]
struct Install {
    shop: String,
}

/// A page of the shop that a visitor opened, through the proxy.
#[derive(Deserialize)]
struct Visit {
    /// Empty if nobody is logged in. A request without it is refused: a visitor could have written one.
    logged_in_customer_id: String,
}

/// What the three topics for privacy have in common. The header that names the topic is not signed, so the body says
/// what is asked for.
#[derive(Deserialize)]
struct Privacy {
    shop_domain: String,
    /// Not in `shop/redact`.
    customer: Option<Value>,
}

/// The whole integration. During a rotation there are two secrets, the new one first.
fn app(
    api_key: &str,
    public_url: &str,
    secrets: &[Secret],
    db: &SqlitePool,
    replay: impl ReplayStore + Clone,
    clock: impl Clock + Clone,
) -> Result<Router, ConfigError> {
    let secrets = || secrets.iter().cloned();
    let open = launches::shopify::<Launch>().secrets(secrets()).replay(replay.clone()).clock(clock.clone()).build()?;
    let session = launches::shopify_session_token::<ShopifySession>().audience(api_key.to_owned());
    let session = session.secrets(secrets()).clock(clock.clone()).build()?;
    let proxy = launches::shopify_app_proxy::<Visit>().secrets(secrets()).clock(clock.clone()).build()?;
    // The admin comes back to the browser that was sent away, or not at all.
    let challenge = Challenge::new("__Host-shopify").clock(clock.clone());
    let granted = launches::shopify_install::<ShopifyLaunch>().challenge(challenge.clone());
    let granted = granted.secrets(secrets()).replay(replay.clone()).clock(clock.clone()).build()?;
    let asked = format!("client_id={api_key}&scope=read_customers&redirect_uri={public_url}/granted");
    let privacy = webhooks::shopify::<Privacy>().secrets(secrets()).replay(replay).clock(clock);
    let privacy = privacy.handler_remembers().build()?; // see `forget`
    // App Bridge sends a session token with every call of the page to its own host.
    let page = format!(
        "<!doctype html><meta name=shopify-api-key content=\"{api_key}\">\
         <script src=https://cdn.shopify.com/shopifycloud/app-bridge.js></script>\
         <p id=me></p><script>fetch('/api/me').then(me => me.text()).then(text => document.getElementById('me').append(text))</script>"
    );
    Ok(Router::new()
        .route("/", get(move |db, launch| open_page(db, launch, page)).layer(open))
        .route("/api/me", get(me).layer(session))
        .route("/proxy/greeting", get(greet).layer(proxy))
        .route("/install", get(move |install, headers| send_away(install, headers, challenge, asked)))
        .route("/granted", get(come_back).layer(granted))
        .route("/webhooks/privacy", post(forget).layer(privacy))
        .with_state(db.clone()))
}

/// The page is the same for everybody. What is a user's own comes by session token. A reload in the admin makes a new
/// link.
async fn open_page(db: State<SqlitePool>, launch: Identity<Launch>, page: String) -> Result<Response, StatusCode> {
    let shop = launch.tenant().as_str();
    let install = sqlx::query("INSERT INTO shops (shop) VALUES ($1) ON CONFLICT DO NOTHING").bind(shop);
    install.execute(&*db).await.map_err(failed)?;
    // Against clickjacking, as Shopify's review demands.
    let policy = format!("frame-ancestors https://{shop} https://admin.shopify.com;");
    Ok(([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response())
}

/// Redirects to the shop, where the admin grants what the app asks for.
async fn send_away(install: Query<Install>, headers: HeaderMap, challenge: Challenge, asked: String) -> Response {
    // Only to a shop: an attacker may have written the address.
    let name = install.shop.strip_suffix(".myshopify.com").filter(|name| !name.is_empty());
    if name.is_none_or(|name| name.contains(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let shop = install.shop.to_ascii_lowercase();
    let Ok(issued) = challenge.for_tenant(shop.clone()).issue(&headers) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let address = format!("https://{shop}/admin/oauth/authorize?{asked}&state={}", issued.nonce());
    ([(SET_COOKIE, issued.set_cookie().clone())], Redirect::to(&address)).into_response()
}

/// An app that calls Shopify's API exchanges the `code` for an access token here.
async fn come_back(db: State<SqlitePool>, granted: Identity<ShopifyLaunch>) -> Result<Redirect, StatusCode> {
    let install = sqlx::query("INSERT INTO shops (shop) VALUES ($1) ON CONFLICT DO NOTHING").bind(&granted.shop);
    install.execute(&*db).await.map_err(failed)?;
    Ok(Redirect::to(&format!("https://{}/admin/apps", granted.shop)))
}

/// A user's id is unique only within a shop.
async fn me(db: State<SqlitePool>, session: Identity<ShopifySession>) -> Result<Response, StatusCode> {
    let shop = session.tenant().as_str();
    let known = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM shops WHERE shop = $1").bind(shop);
    if known.fetch_one(&*db).await.map_err(failed)? == 0 {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    Ok(Json(json!({"shop": shop, "user": session.sub})).into_response())
}

async fn greet(visit: Identity<Visit>) -> String {
    match visit.logged_in_customer_id.as_str() {
        "" => format!("Welcome to {}", visit.tenant()),
        customer => format!("Welcome back to {}, customer {customer}", visit.tenant()),
    }
}

/// No time is signed, so a duplicate may come at any time. It does no harm: the next launch brings the shop back.
async fn forget(db: State<SqlitePool>, privacy: Identity<Privacy>) -> Result<StatusCode, StatusCode> {
    // Of customers, this app keeps nothing.
    if privacy.customer.is_none() {
        let delete = sqlx::query("DELETE FROM shops WHERE shop = $1").bind(&privacy.shop_domain);
        delete.execute(&*db).await.map_err(failed)?;
    }
    Ok(StatusCode::OK)
}

/// Shopify sends a webhook again that was answered with 500.
fn failed(error: sqlx::Error) -> StatusCode {
    eprintln!("database: {error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn open(url: &str) -> Result<SqlitePool, sqlx::Error> {
    // One connection without an end, as a database in memory is its connection's own.
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let db = pool.connect(url).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS shops (shop TEXT PRIMARY KEY)").execute(&db).await?;
    Ok(db)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let db = open(std::env::args().nth(1).as_deref().unwrap_or("sqlite::memory:")).await?;
    let set = |name| std::env::var(name).map_err(|_| format!("{name} is not set: see the app's page at Shopify"));
    let secrets = [Secret::new(set("SHOPIFY_API_SECRET")?)];
    let (key, url) = (set("SHOPIFY_API_KEY")?, set("SHOPIFY_APP_URL")?);
    let app = app(&key, &url, &secrets, &db, MemoryReplay::opened().await, SystemClock)?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

#[cfg(test)]
#[path = "shopify/tests.rs"]
mod tests;
