//! The application: [`app`] builds the router from a [`Portal`].

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::timeout::TimeoutLayer;
use tower_sso::clock::Clock;
use tower_sso::keys::sql::MasterKeys;

use crate::config::{ConfigError, Origin};
use crate::db::Database;
use crate::explain::Explainers;
use crate::health::Health;
use crate::kits::Kits;
use crate::log::Lost;
use crate::problem::{self, Problem};
use crate::stores::Stores;
use crate::vendors::{self, Vendors};
use crate::{demo, health, page, session};

/// Longer than any handler may take. Slow bodies are cut off earlier, by whoever reads them.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// State shared by all handlers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Portal(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) database: Database,
    /// Encrypt the keys in the database, if configured.
    pub(crate) master_keys: Option<MasterKeys>,
    pub(crate) stores: Stores,
    pub(crate) health: Health,
    pub(crate) metrics: PrometheusHandle,
    /// `None` if this process did not set up the log, as in tests.
    pub(crate) log: Option<Lost>,
    pub(crate) public_url: Origin,
    /// Whether the page plays the partners. It then signs with their secrets, so it is off with a real configuration.
    pub(crate) demo: bool,
    pub(crate) vendors: Vendors,
    /// Filled by the vendors' routes.
    pub(crate) explainers: Explainers,
    /// Filled by the vendors' routes.
    pub(crate) kits: Kits,
}

impl Portal {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Portal {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

pub(crate) async fn app(portal: &Portal) -> Result<Router, Box<dyn std::error::Error>> {
    let is_https = portal.public_url.is_https();
    let sessions = session::layer(&portal.database, Arc::clone(&portal.clock), is_https).await?;
    let own_site = own_site(&portal.public_url)?;

    // Called by partners, and by the demo inside the process.
    let vendors = vendors::routes(portal).await?.layer(sessions.clone());
    let mut pages = Router::new()
        .route("/", get(page::index))
        .route("/me", get(session::me))
        .route("/logout", post(session::logout).layer(own_site.clone()));
    if portal.demo {
        let demo = demo::start(portal, vendors.clone().with_state(portal.clone())).await?;
        pages = pages.merge(demo.layer(own_site));
    }
    let app = pages
        .layer(sessions)
        .merge(vendors)
        .route("/style.css", get(page::style))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(health::metrics));
    Ok(presented(portal, &portal.public_url, app).with_state(portal.clone()))
}

/// Problems as pages, headers and a time limit.
pub(crate) fn presented(portal: &Portal, origin: &Origin, app: Router<Portal>) -> Router<Portal> {
    let policy = policy(origin);
    app.fallback(async || Problem::NOT_FOUND)
        .layer(from_fn(problem::present))
        .layer(from_fn_with_state((portal.clone(), policy), security_headers))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
}

/// The page may be open under another host name, and its forms still redirect to this origin.
fn policy(origin: &Origin) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {}; base-uri 'none'; \
         frame-ancestors 'none'",
        origin.as_str()
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

type OwnSite = CsrfLayer<fn(ProtectionError) -> Response>;

/// CSRF protection: accepts forms sent from pages of this origin only.
pub(crate) fn own_site(origin: &Origin) -> Result<OwnSite, ConfigError> {
    let layer = CsrfLayer::new().add_trusted_origin(origin.as_str());
    let layer = layer.map_err(|error| ConfigError(format!("`public_url`: {error}")))?;
    Ok(layer.with_rejection_response(|_| Problem::CROSS_SITE.into_response()))
}

async fn security_headers(
    State((portal, policy)): State<(Portal, HeaderValue)>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if portal.public_url.is_https() {
        // RFC 6797: browsers use https only, for a year.
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    // Pages depend on who is signed in. The style sheet sets its own Cache-Control.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    response
}
