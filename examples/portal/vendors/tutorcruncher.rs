//! TutorCruncher: the sign-up webhook, the link that signs a user in, and a page for a lesson.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use tower_sessions::Session;
use tower_sso::identity::Identity;
use tower_sso::keys::sql::{Rotation, SqlKeyError, SqlKeyStore};
use tower_sso::keys::{CachedKeys, TenantId};
use tower_sso::providers::tutorcruncher::{self, CompanySignup, TutorUser};

use crate::app::Portal;
use crate::config::TutorCruncher;
use crate::db::{Company, KnownFirst, Turns};
use crate::demo;
use crate::page::{self, Card};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::text;

pub(crate) const NAME: &str = "tutorcruncher";

const KEY_OF_ANOTHER_COMPANY: Problem = Problem {
    status: StatusCode::CONFLICT,
    code: "key_of_another_company",
    title: "The key belongs to another company",
    detail: "Make a new Fernet key for this company: two companies with one key could sign in for each other.",
};
const UNUSABLE_COMPANY: Problem = Problem {
    status: StatusCode::UNPROCESSABLE_ENTITY,
    code: "unusable_company",
    title: "The company cannot be stored",
    detail: "Its number or its key is not usable.",
};

/// Where companies' keys are: in the database, and behind the layer's cache.
#[derive(Clone)]
struct Keys {
    store: SqlKeyStore<sqlx::Any>,
    cached: CachedKeys,
    turns: Turns,
}

pub(crate) async fn routes(
    portal: &Portal,
    config: &TutorCruncher,
) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let (database, replay, clock) = (&portal.database, portal.stores.replay.clone(), portal.clock.clone());
    let turns = database.turns.clone();
    // [mount]
    let keys_on = |pool| SqlKeyStore::new(pool, NAME).grace(config.key_grace).clock(clock.clone());
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

    let routes = Router::new()
        .route("/tutorcruncher/companies", post(sign_up).layer(verify))
        .route("/tutorcruncher/sso", get(land).layer(sso))
        .layer(Extension(Keys { store, cached, turns }));
    // [/mount]
    Ok(routes.route("/lessons/{id}", get(lesson)))
}

/// Stores the company and its key, both or neither. To the sender nothing but 200 is success; it tries again after 503.
async fn sign_up(keys: Extension<Keys>, call: Identity<CompanySignup>) -> Result<StatusCode, Problem> {
    let tenant = TenantId::from(call.company_id.to_string());
    let _turn = keys.turns.to_write_for(tenant.as_str()).await?;
    let mut transaction = keys.store.begin().await?;
    let rotation = keys.store.rotate_in(&mut transaction, &tenant, &call.fernet_key, call.credential()).await?;
    // A copy of an old call must not bring old details back either.
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
        // A number, so there is nothing in it that could lead elsewhere.
        Some(lesson) => Redirect::to(&format!("/lessons/{}", lesson.id)),
        None => Redirect::to("/"),
    })
}

async fn lesson(portal: State<Portal>, id: Path<String>, session: Session) -> Result<Html<String>, Problem> {
    let signed_in = SignedIn::of(&session, &portal.clock).await?.ok_or(Problem::NOT_SIGNED_IN)?;
    let user = TutorUser::deserialize(&signed_in.claims).ok();
    // The link opened one lesson, not all of them.
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

pub(crate) async fn card(portal: &Portal, session: &Session) -> Result<Card, Problem> {
    let (fields, rows) = match portal.demo {
        true => demo::tutorcruncher::form(portal, session).await?,
        false => Default::default(),
    };
    Ok(Card {
        id: NAME,
        title: "TutorCruncher",
        arrives: "A signed webhook brings each company and its Fernet key. Its users then arrive by a link with a \
                  Fernet token: encrypted, signed, and good for one click within a minute.",
        rust: super::excerpt(include_str!("tutorcruncher.rs"), "mount"),
        fields,
        rows,
        exchange: None,
    })
}

/// The claims of a session as their own type, for the page to show.
pub(crate) fn typed(claims: &Value) -> Option<String> {
    TutorUser::deserialize(claims).ok().map(|user| format!("{user:#?}"))
}
