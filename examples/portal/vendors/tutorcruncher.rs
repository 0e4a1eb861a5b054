//! TutorCruncher: the sign-up webhook, sign-in links, and a lesson page.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use async_trait::async_trait;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use toml::de::Deserializer;
use tower_sessions::Session;
use tower_sso::Identity;
use tower_sso::keys::sql::{Rotation, SqlKeyError, SqlKeyStore};
use tower_sso::keys::{CachedKeys, Secret, TenantId};
use tower_sso::providers::tutorcruncher::{self, CompanySignup, TutorUser};

use crate::app::Portal;
use crate::config::{self, Origin};
use crate::db::{Company, Database, KnownFirst, Turns};
use crate::demo::{self, Demo};
use crate::page::{self, Card, Field, Row};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::text;
use crate::vendors::Vendor;

pub(crate) const NAME: &str = "tutorcruncher";

const KEY_OF_ANOTHER_COMPANY: Problem = Problem {
    status: StatusCode::CONFLICT,
    code: "key_of_another_company",
    title: "The key belongs to another company",
    detail: "Create a new Fernet key for this company: with a shared key, each company could sign in as the other.",
};
const UNUSABLE_COMPANY: Problem = Problem {
    status: StatusCode::UNPROCESSABLE_ENTITY,
    code: "unusable_company",
    title: "The company cannot be stored",
    detail: "Its number or its key is invalid.",
};

/// The companies' keys: the database, and the layer's cache in front of it.
#[derive(Clone)]
struct Keys {
    store: SqlKeyStore<sqlx::Any>,
    cached: CachedKeys,
    turns: Turns,
}

/// The `[tutorcruncher]` section. One partner serves all companies.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TutorCruncher {
    #[serde(rename = "tutorcruncher")]
    pub(crate) section: Option<Section>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    /// The first is current, the others are still accepted.
    #[serde(deserialize_with = "config::secrets")]
    pub(crate) webhook_secrets: Vec<Secret>,
    /// How long a company's previous key is accepted after a rotation.
    #[serde(default = "Section::default_grace", deserialize_with = "config::duration")]
    pub(crate) key_grace: Duration,
    /// How long a process caches keys. Another process's rotation takes effect within this time.
    #[serde(default = "Section::default_cache", deserialize_with = "config::duration")]
    key_cache: Duration,
    /// How long a sign-up call stays reserved if the process that handles it dies.
    #[serde(default = "Section::default_lease", deserialize_with = "config::duration")]
    webhook_lease: Duration,
}

impl TutorCruncher {
    /// With the defaults.
    pub(crate) fn new(webhook_secret: Secret) -> Self {
        Self {
            section: Some(Section {
                webhook_secrets: vec![webhook_secret],
                key_grace: Section::default_grace(),
                key_cache: Section::default_cache(),
                webhook_lease: Section::default_lease(),
            }),
        }
    }
}

impl Section {
    fn default_grace() -> Duration {
        Duration::from_secs(24 * 60 * 60)
    }

    fn default_cache() -> Duration {
        Duration::from_secs(30)
    }

    fn default_lease() -> Duration {
        Duration::from_secs(30)
    }
}

#[async_trait]
impl Vendor for TutorCruncher {
    fn name(&self) -> &'static str {
        NAME
    }

    fn section_names(&self) -> &'static [&'static str] {
        &["tutorcruncher"]
    }

    fn configure(&mut self, sections: Deserializer<'_>) -> Result<(), toml::de::Error> {
        *self = Self::deserialize(sections)?;
        Ok(())
    }

    fn is_configured(&self) -> bool {
        self.section.is_some()
    }

    async fn routes(self: Arc<Self>, portal: &Portal) -> Result<Router<Portal>, Box<dyn Error>> {
        let Some(config) = &self.section else { return Ok(Router::new()) };
        let (database, replay, clock) = (&portal.database, portal.stores.replay.clone(), portal.clock.clone());
        let turns = database.turns.clone();
        // [mount]
        let keys_on = |pool| {
            let keys = SqlKeyStore::new(pool, NAME).grace(config.key_grace).clock(clock.clone());
            let keys = keys.acting_as("sign-up webhook").master_keys(portal.master_keys.clone());
            keys.note_last_use(database.notes.clone())
        };
        let store = keys_on(database.pool.clone());
        store.migrate().await?;
        let lookups = KnownFirst::new(store.clone(), keys_on(database.strangers.clone()));
        let cached = CachedKeys::builder(lookups).time_to_live(config.key_cache).build();

        let verify = tutorcruncher::sign_up(config.webhook_secrets.clone()).replay(replay.clone()).clock(clock.clone())
                .lease(config.webhook_lease)
                .handler_remembers() // `rotate_in` keeps each call's credential
                .map_claims(text::storable_company)
                .build()?;
        let sso = tutorcruncher::sso(cached.clone()).replay(replay).clock(clock).responder(page::refused);
        let sso = sso.map_claims(text::storable).build()?;

        portal.explainers.add("/tutorcruncher/companies", &verify);
        let company = json!({
            "company_id": 4321, "company_name": "DinoTutors", "admin_name": "Ada", "admin_email": "ada@example.com",
            "fernet_key": "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=", // made up
        });
        portal.kits.add("/tutorcruncher/companies", &verify, company);
        portal.explainers.add("/tutorcruncher/sso", &sso);
        portal.kits.add("/tutorcruncher/sso", &sso, json!({"id": 123, "rt": "Contractor"}));
        let routes = Router::new()
            .route("/tutorcruncher/companies", post(sign_up).layer(verify))
            .route("/tutorcruncher/sso", get(land).layer(sso))
            .layer(Extension(Keys { store, cached, turns }));
        // [/mount]
        Ok(routes.route("/lessons/{id}", get(lesson)))
    }

    fn card(&self) -> Card {
        let arrives = "A signed webhook delivers each company and its Fernet key. Its users then arrive on links with a \
                  Fernet token: encrypted, signed, and valid for one click within a minute.";
        Card::new(NAME, "TutorCruncher", arrives, super::excerpt(include_str!("tutorcruncher.rs"), "mount"))
    }

    fn typed(&self, claims: &Value) -> Option<String> {
        TutorUser::deserialize(claims).ok().map(|user| format!("{user:#?}"))
    }

    async fn make_up(&mut self, database: &Database, _: &Origin) -> Result<(), Box<dyn Error>> {
        *self = demo::tutorcruncher::made_up(database).await?;
        Ok(())
    }

    async fn form(&self, portal: &Portal, session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
        demo::tutorcruncher::form(portal, session).await
    }

    async fn partner(&self, demo: &Demo) -> Result<Router<Portal>, Box<dyn Error>> {
        demo::tutorcruncher::start(demo, self).await
    }
}

/// Stores the company and its key in one transaction. The sender takes only 200 for success, and retries after 503.
async fn sign_up(keys: Extension<Keys>, call: Identity<CompanySignup>) -> Result<StatusCode, Problem> {
    let tenant = TenantId::from(call.company_id.to_string());
    let _turn = keys.turns.to_write_for(tenant.as_str()).await?;
    let mut transaction = keys.store.begin().await?;
    let rotation = keys.store.rotate_in(&mut transaction, &tenant, &call.fernet_key, call.fingerprint()).await?;
    // A duplicate of an old call must not restore old details either.
    if rotation != Rotation::Repeated {
        let company = Company {
            provider: NAME,
            tenant: tenant.as_str(),
            name: &call.company_name,
            admin_name: &call.admin_name,
            admin_email: &call.admin_email,
        };
        company.store(&mut transaction).await?;
    }
    transaction.commit().await?;
    keys.cached.forget(&tenant).await;
    tracing::info!(%tenant, ?rotation, "company signed up");
    Ok(StatusCode::OK)
}

impl From<SqlKeyError> for Problem {
    fn from(error: SqlKeyError) -> Self {
        match error {
            SqlKeyError::OwnedByAnotherTenant => KEY_OF_ANOTHER_COMPANY,
            SqlKeyError::Database(error) => error.into(),
            SqlKeyError::MasterKey(_) => Problem::UNAVAILABLE,
            _ => UNUSABLE_COMPANY,
        }
    }
}

pub(crate) async fn land(
    portal: State<Portal>,
    session: Session,
    user: Identity<TutorUser>,
) -> Result<Redirect, Problem> {
    let signed_in = SignedIn::new(NAME, &user, user.id.to_string(), &user.name, user.email.as_deref());
    signed_in.start(&session, &portal.clock).await?;
    Ok(match &user.lesson {
        // A number: cannot redirect to another site.
        Some(lesson) => Redirect::to(&format!("/lessons/{}", lesson.id)),
        None => Redirect::to("/"),
    })
}

async fn lesson(portal: State<Portal>, id: Path<String>, session: Session) -> Result<Html<String>, Problem> {
    let signed_in = SignedIn::of(&session, &portal.clock).await?.ok_or(Problem::NOT_SIGNED_IN)?;
    let user = TutorUser::deserialize(&signed_in.claims).ok();
    // The link grants access to one lesson only.
    let lesson = user.and_then(|user| user.lesson).filter(|lesson| lesson.id.to_string() == *id);
    let lesson = lesson.ok_or(Problem::NOT_FOUND)?;
    page::render(&LessonPage {
        topic: lesson.topic.unwrap_or_else(|| format!("Lesson {}", lesson.id)),
        starts: lesson.start.and_then(readable),
        ends: lesson.finish.and_then(readable),
        name: signed_in.name,
    })
}

#[derive(Template)]
#[template(path = "lesson.html")]
struct LessonPage {
    topic: String,
    starts: Option<String>,
    ends: Option<String>,
    name: String,
}

fn readable(seconds: i64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    Some(format!("{}, {:02}:{:02} UTC", time.date(), time.hour(), time.minute()))
}
