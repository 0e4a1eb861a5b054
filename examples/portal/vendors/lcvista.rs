//! LCvista: sign-in links with a timestamp and a hash.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Extension, Router};
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use toml::de::Deserializer;
use tower_sessions::Session;
use tower_sso::Identity;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::landing::LocalPath;
use tower_sso::providers::lcvista::{self, LcvistaUser};

use crate::app::Portal;
use crate::config::{self, Origin, keys, unique};
use crate::db::Database;
use crate::demo::{self, Demo};
use crate::page::{self, Card, Field, Row};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::text;
use crate::vendors::Vendor;

pub(crate) const NAME: &str = "lcvista";

const UNKNOWN_USER: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "unknown_user",
    title: "There is no user with this email address",
    detail: "Your partner has vouched for you, but you have no account here. Ask your organisation’s administrator for one.",
};

/// All `[[lcvista]]` sections.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Lcvista {
    #[serde(rename = "lcvista")]
    pub(crate) sections: Vec<Section>,
}

/// One organisation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) slug: String,
    #[serde(deserialize_with = "config::secrets")]
    pub(crate) secrets: Vec<Secret>,
    /// The email addresses of users with an account, spelt as the partner sends them.
    pub(crate) users: Vec<String>,
}

impl Lcvista {
    pub(crate) fn has_account(&self, slug: &str, email: &String) -> bool {
        self.sections.iter().any(|organisation| organisation.slug == slug && organisation.users.contains(email))
    }
}

#[async_trait]
impl Vendor for Lcvista {
    fn name(&self) -> &'static str {
        NAME
    }

    fn section_names(&self) -> &'static [&'static str] {
        &["lcvista"]
    }

    fn configure(&mut self, sections: Deserializer<'_>) -> Result<(), toml::de::Error> {
        *self = Self::deserialize(sections)?;
        Ok(())
    }

    fn is_configured(&self) -> bool {
        !self.sections.is_empty()
    }

    fn check(&self) -> Result<(), String> {
        unique("[[lcvista]] slug", self.sections.iter().map(|organisation| &organisation.slug))
    }

    async fn routes(self: Arc<Self>, portal: &Portal) -> Result<Router<Portal>, Box<dyn Error>> {
        let (replay, clock) = (portal.stores.replay.clone(), portal.clock.clone());
        // [mount]
        let secrets = MemoryKeys::new();
        for organisation in &self.sections {
            secrets.set(&*organisation.slug, keys(&organisation.secrets));
        }
        let sso = lcvista::sso(secrets).replay(replay).clock(clock).responder(page::refused);
        let sso = sso.map_claims(text::storable).build()?;

        portal.explainers.add("/sso/oauth/", &sso);
        portal.kits.add("/sso/oauth/", &sso, json!({}));
        let routes = Router::new().route("/sso/oauth/", get(land).layer(sso));
        // [/mount]
        Ok(routes.layer(Extension(self)))
    }

    fn card(&self) -> Card {
        let arrives = "A link with the time, the user’s email address and the organisation in plain text, and a hash over them \
                  keyed with the organisation’s secret. It works once, within half a minute.";
        Card::new(NAME, "LCvista", arrives, super::excerpt(include_str!("lcvista.rs"), "mount"))
    }

    fn typed(&self, claims: &Value) -> Option<String> {
        LcvistaUser::deserialize(claims).ok().map(|user| format!("{user:#?}"))
    }

    async fn make_up(&mut self, database: &Database, _: &Origin) -> Result<(), Box<dyn Error>> {
        *self = demo::lcvista::made_up(database).await?;
        Ok(())
    }

    async fn form(&self, _: &Portal, session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
        demo::lcvista::form(self, session).await
    }

    async fn partner(&self, demo: &Demo) -> Result<Router<Portal>, Box<dyn Error>> {
        demo::lcvista::start(demo, self)
    }
}

/// The hash proves that the organisation sent the user, not that the user has an account here.
pub(crate) async fn land(
    portal: State<Portal>,
    lcvista: Extension<Arc<Lcvista>>,
    session: Session,
    user: Identity<LcvistaUser>,
    uri: Uri,
) -> Result<Redirect, Problem> {
    if !lcvista.has_account(&user.slug, &user.email) {
        return Err(UNKNOWN_USER);
    }
    let signed_in = SignedIn::new(NAME, &user, user.email.clone(), &user.email, Some(&user.email));
    signed_in.start(&session, &portal.clock).await?;
    // `next` is not signed: allow local paths only.
    Ok(Redirect::to(LocalPath::from_query(&uri, "next").unwrap_or_default().as_str()))
}
