//! Sessions, `/me` and `/logout`.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use time::{Duration, OffsetDateTime};
use tower_sessions::cookie::{Key, SameSite};
use tower_sessions::service::SignedCookie;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};
use tower_sso::Identity;
use tower_sso::clock::Clock;

use crate::app::Portal;
use crate::db::Database;
use crate::problem::Problem;

const IDENTITY: &str = "identity";
const INACTIVITY: Duration = Duration::hours(8);

/// A visit extends the session only if the last extension is older than this, so that not every visit writes.
const TOUCH_AFTER_SECONDS: i64 = 10 * 60;

/// The part of an identity that the session stores.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    pub(crate) provider: String,
    pub(crate) tenant: String,
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) name: String,
    pub(crate) claims: Value,
    seen_at: i64,
}

impl SignedIn {
    /// The claims are stored under the vendor's own field names.
    pub(crate) fn new<C: Serialize>(
        provider: &str,
        identity: &Identity<C>,
        subject: String,
        name: &str,
        email: Option<&str>,
    ) -> Self {
        Self {
            provider: provider.to_owned(),
            tenant: identity.tenant().to_string(),
            subject,
            email: email.map(str::to_owned),
            name: name.to_owned(),
            claims: serde_json::to_value(identity.claims()).unwrap_or_default(),
            seen_at: 0,
        }
    }

    /// Stores these claims instead of the identity's, which may hold more than the partner sent.
    pub(crate) fn claiming(mut self, claims: &impl Serialize) -> Self {
        self.claims = serde_json::to_value(claims).unwrap_or_default();
        self
    }

    /// Signs the browser in under a new session id, against session fixation.
    pub(crate) async fn start(mut self, session: &Session, clock: &dyn Clock) -> std::result::Result<(), Problem> {
        self.seen_at = clock.now().as_secs();
        tracing::info!(provider = self.provider, tenant = self.tenant, "signed in");
        session.cycle_id().await?;
        session.insert(IDENTITY, self).await?;
        // The session layer would save it too, but would answer 500 instead of 503 if the database failed.
        session.save().await?;
        Ok(())
    }

    pub(crate) async fn of(session: &Session, clock: &dyn Clock) -> std::result::Result<Option<Self>, Problem> {
        let Some(mut signed_in) = session.get::<Self>(IDENTITY).await? else { return Ok(None) };
        let now = clock.now().as_secs();
        if now.saturating_sub(signed_in.seen_at) > TOUCH_AFTER_SECONDS {
            signed_in.seen_at = now;
            session.insert(IDENTITY, &signed_in).await?;
        }
        Ok(Some(signed_in))
    }
}

pub(crate) async fn me(portal: State<Portal>, session: Session) -> std::result::Result<Response, Problem> {
    let SignedIn { provider, tenant, subject, email, name, claims, .. } =
        SignedIn::of(&session, &portal.clock).await?.ok_or(Problem::NOT_SIGNED_IN)?;
    let me = json!({
        "provider": provider, "tenant": tenant, "subject": subject, "email": email, "name": name, "claims": claims,
    });
    Ok(Json(me).into_response())
}

/// Answers 204, or redirects to the front page for its form: a browser would stay on the old page after a 204.
pub(crate) async fn logout(uri: Uri, session: Session) -> std::result::Result<Response, Problem> {
    session.flush().await?;
    Ok(match uri.query() {
        Some("then=page") => Redirect::to("/").into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    })
}

/// The session layer. Its cookie is signed, so that made-up cookies cause no database query.
pub(crate) async fn layer(
    database: &Database,
    clock: Arc<dyn Clock>,
    secure: bool,
) -> std::result::Result<SessionManagerLayer<Sessions, SignedCookie>, sqlx::Error> {
    let secret = database.secret("session_cookie").await?;
    let key = Key::from(&Sha512::digest(secret.expose()));
    let layer = SessionManagerLayer::new(Sessions::new(database.clone(), clock))
        // Browsers accept the prefix `__Host-` only over https and from this host, so no sibling domain can set the cookie.
        .with_name(if secure { "__Host-portal_session" } else { "portal_session" })
        .with_http_only(true)
        // Browsers withhold a `Strict` cookie on a redirect that starts at the partner's site.
        .with_same_site(SameSite::Lax)
        .with_secure(secure)
        .with_expiry(Expiry::OnInactivity(INACTIVITY))
        .with_signed(key);
    Ok(layer)
}

/// Sessions in the database, keyed by a digest of their id: a leaked table does not let anyone sign in.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    database: Database,
    clock: SharedClock,
}

impl Sessions {
    pub(crate) fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock: SharedClock(clock) }
    }
}

#[derive(Clone)]
struct SharedClock(Arc<dyn Clock>);

impl std::fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let data = encode(record)?;
        loop {
            let query = "INSERT INTO portal_sessions (id, data, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
            let query = sqlx::query(query).bind(digest(&record.id)).bind(&data);
            let query = query.bind(record.expiry_date.unix_timestamp());
            let _turn = self.database.turns.to_write().await.map_err(backend)?;
            if query.execute(&self.database.pool).await.map_err(backend)?.rows_affected() == 1 {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    /// Updates only, never inserts: a request in progress during a logout must not bring the session back.
    async fn save(&self, record: &Record) -> Result<()> {
        let query = sqlx::query("UPDATE portal_sessions SET data = $2, expires_at = $3 WHERE id = $1");
        let query = query.bind(digest(&record.id)).bind(encode(record)?).bind(record.expiry_date.unix_timestamp());
        let _turn = self.database.turns.to_write().await.map_err(backend)?;
        query.execute(&self.database.pool).await.map(drop).map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let query = "SELECT data, expires_at FROM portal_sessions WHERE id = $1 AND expires_at > $2";
        let query = sqlx::query_as(query).bind(digest(id)).bind(self.clock.0.now().as_secs());
        let Some((data, expires_at)) = query.fetch_optional(&self.database.pool).await.map_err(backend)? else {
            return Ok(None);
        };
        let data: String = data;
        let decode = |error: &dyn std::fmt::Display| Error::Decode(error.to_string());
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(&data).map_err(|error| decode(&error))?,
            expiry_date: OffsetDateTime::from_unix_timestamp(expires_at).map_err(|error| decode(&error))?,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let query = sqlx::query("DELETE FROM portal_sessions WHERE id = $1").bind(digest(id));
        let _turn = self.database.turns.to_write().await.map_err(backend)?;
        query.execute(&self.database.pool).await.map(drop).map_err(backend)
    }
}

/// Deletes expired sessions.
pub(crate) async fn sweep(database: &Database, clock: &dyn Clock) -> std::result::Result<(), sqlx::Error> {
    let query = sqlx::query("DELETE FROM portal_sessions WHERE expires_at <= $1").bind(clock.now().as_secs());
    let _turn = database.turns.to_write().await?;
    query.execute(&database.pool).await.map(drop)
}

fn digest(id: &Id) -> String {
    Sha256::digest(id.0.to_be_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode(record: &Record) -> Result<String> {
    serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))
}

fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}
