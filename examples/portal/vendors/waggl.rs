//! Waggl: surveys that redirect to the organisation's sign-in page, which redirects back with a JWT.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use askama::Template;
use async_trait::async_trait;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::Uri;
use serde::Deserialize;
use serde_json::{Value, json};
use toml::de::Deserializer;
use tower_sessions::Session;
use tower_sso::Identity;
use tower_sso::keys::{MemoryKeys, Secret, TenantId};
use tower_sso::landing::LocalPath;
use tower_sso::login_redirect::{LoginRedirectLayer, SsoUrl, login_required};
use tower_sso::providers::waggl::{self, WagglUser};
use tower_sso::tenant::Tenant;

use crate::app::Portal;
use crate::config::{self, Origin, keys, unique};
use crate::db::Database;
use crate::demo::{self, Demo};
use crate::page::{self, Card, Field, Row};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::text;
use crate::vendors::Vendor;

pub(crate) const NAME: &str = "waggl";

/// Surveys and the organisations that they belong to.
#[derive(Clone)]
pub(crate) struct Surveys(Arc<HashMap<String, Organisation>>);

#[derive(Clone)]
struct Organisation {
    tenant: TenantId,
    sso_url: SsoUrl,
}

impl Surveys {
    pub(crate) fn new(config: &[Section]) -> Self {
        let surveys = config.iter().flat_map(|waggl| {
            let organisation = Organisation { tenant: waggl.tenant.as_str().into(), sso_url: waggl.sso_url.clone() };
            waggl.surveys.iter().map(move |survey| (survey.clone(), organisation.clone()))
        });
        Self(Arc::new(surveys.collect()))
    }

    /// Finds the survey at this path and its organisation, which the token does not name.
    fn at(&self, uri: &Uri) -> Option<(&String, &Organisation)> {
        self.0.get_key_value(uri.path().trim_start_matches('/').strip_prefix("i/")?)
    }

    fn owner(&self, uri: &Uri) -> Option<&Organisation> {
        self.at(uri).map(|(_, organisation)| organisation)
    }
}

/// All `[[waggl]]` sections.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Waggl {
    #[serde(rename = "waggl")]
    pub(crate) sections: Vec<Section>,
}

/// One organisation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) tenant: String,
    #[serde(deserialize_with = "config::secrets")]
    pub(crate) secrets: Vec<Secret>,
    /// The organisation's sign-in page, for visitors without a session.
    #[serde(deserialize_with = "address")]
    pub(crate) sso_url: SsoUrl,
    /// The surveys that belong to this organisation.
    pub(crate) surveys: Vec<String>,
}

fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SsoUrl, D::Error> {
    let text = String::deserialize(deserializer)?;
    SsoUrl::parse(&text).map_err(|_| serde::de::Error::custom("must be a URL such as https://idp.example/waggl/sso/"))
}

/// Whether the name is a path segment that no browser or proxy encodes or drops.
fn is_plain_segment(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte))
}

#[async_trait]
impl Vendor for Waggl {
    fn name(&self) -> &'static str {
        NAME
    }

    fn section_names(&self) -> &'static [&'static str] {
        &["waggl"]
    }

    fn configure(&mut self, sections: Deserializer<'_>) -> Result<(), toml::de::Error> {
        *self = Self::deserialize(sections)?;
        Ok(())
    }

    fn is_configured(&self) -> bool {
        !self.sections.is_empty()
    }

    fn check(&self) -> Result<(), String> {
        let surveys = self.sections.iter().flat_map(|waggl| &waggl.surveys);
        unique("[[waggl]] tenant", self.sections.iter().map(|waggl| &waggl.tenant))?;
        unique("[[waggl]] surveys", surveys.clone())?;
        match surveys.into_iter().find(|survey| !is_plain_segment(survey)) {
            None => Ok(()),
            Some(survey) => Err(format!(
                "`[[waggl]] surveys`: {survey:?} cannot be a path segment: use letters, digits, `-`, `_` and `~`"
            )),
        }
    }

    async fn routes(self: Arc<Self>, portal: &Portal) -> Result<Router<Portal>, Box<dyn Error>> {
        let (replay, clock) = (portal.stores.replay.clone(), portal.clock.clone());
        // [mount]
        let secrets = MemoryKeys::new();
        for organisation in &self.sections {
            secrets.set(&*organisation.tenant, keys(&organisation.secrets));
        }
        let surveys = Surveys::new(&self.sections);
        let owner = surveys.clone();
        let start =
            LoginRedirectLayer::new(move |head| Some(owner.owner(&head.uri)?.sso_url.clone())).bare_segments(["i"]);
        // The token is optional: a session opens the page too.
        let owner = surveys.clone();
        let tenant = Tenant::from_fn(move |head| Some(owner.owner(&head.uri)?.tenant.clone()));
        let sso = waggl::sso_for_each(tenant, secrets).replay(replay).clock(clock).responder(page::refused).optional();
        let sso = sso.map_claims(text::storable).build()?;

        portal.explainers.add("/i/{survey}", &sso);
        portal.kits.add("/i/{survey}", &sso, json!({"data": {"email": "ada@example.com"}}));
        // Partners that append the path to `https://portal.example/` send two slashes. `start` reduces them to one.
        let routes = Router::new().route("/i/{survey}", get(survey)).route("//i/{survey}", get(survey));
        let routes = routes.route_layer(sso).route_layer(start).layer(Extension(surveys));
        // [/mount]
        Ok(routes)
    }

    fn card(&self) -> Card {
        let arrives = "A visitor without a session is redirected to the organisation’s sign-in page. That page redirects back \
                  to the survey with a signed JWT in the URL, which works once.";
        Card::new(NAME, "Waggl", arrives, super::excerpt(include_str!("waggl.rs"), "mount"))
    }

    fn typed(&self, claims: &Value) -> Option<String> {
        WagglUser::deserialize(claims).ok().map(|user| format!("{user:#?}"))
    }

    async fn make_up(&mut self, database: &Database, public_url: &Origin) -> Result<(), Box<dyn Error>> {
        *self = demo::waggl::made_up(database, public_url).await?;
        Ok(())
    }

    async fn form(&self, _: &Portal, session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
        demo::waggl::form(session).await
    }

    async fn partner(&self, demo: &Demo) -> Result<Router<Portal>, Box<dyn Error>> {
        demo::waggl::start(demo, self)
    }
}

pub(crate) async fn survey(
    portal: State<Portal>,
    surveys: Extension<Surveys>,
    uri: Uri,
    session: Session,
    user: Option<Identity<WagglUser>>,
) -> Result<Response, Problem> {
    let (survey, organisation) = surveys.at(&uri).ok_or(Problem::NOT_FOUND)?;
    if let Some(user) = user {
        let signed_in = SignedIn::new(NAME, &user, user.email.clone(), &user.email, Some(&user.email));
        signed_in.start(&session, &portal.clock).await?;
        // Redirect to the same URL without the token, which the layer has removed.
        let address = uri.path_and_query().and_then(|address| LocalPath::parse(address.as_str()));
        let address = address.or_else(|| LocalPath::parse(uri.path())).unwrap_or_default();
        return Ok(Redirect::to(address.as_str()).into_response());
    }
    match SignedIn::of(&session, &portal.clock).await? {
        Some(signed_in) if signed_in.provider == NAME && signed_in.tenant == organisation.tenant.as_str() => {
            let user = WagglUser::deserialize(&signed_in.claims).ok();
            let tags = user.map(|user| user.tags.into_iter().collect()).unwrap_or_default();
            let SignedIn { tenant, name, .. } = signed_in;
            Ok(page::render(&SurveyPage { survey: survey.clone(), tenant, name, tags })?.into_response())
        }
        // Nobody is signed in, or a user of another organisation: the layer redirects to the sign-in page.
        _ => Ok(login_required()),
    }
}

#[derive(Template)]
#[template(path = "survey.html")]
struct SurveyPage {
    survey: String,
    tenant: String,
    name: String,
    tags: Vec<(String, String)>,
}
