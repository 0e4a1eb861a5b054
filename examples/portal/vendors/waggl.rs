//! Waggl: surveys whose address leads through the organisation's own sign-in page, and back with a JWT.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::Uri;
use serde::Deserialize;
use serde_json::Value;
use tower_sessions::Session;
use tower_sso::config::ConfigError;
use tower_sso::identity::Identity;
use tower_sso::keys::{MemoryKeys, TenantId};
use tower_sso::landing::LocalPath;
use tower_sso::login_redirect::{LoginRedirectLayer, SsoUrl, login_required};
use tower_sso::providers::waggl::{self, WagglUser};
use tower_sso::tenant::Tenant;

use crate::app::Portal;
use crate::config::{Waggl, keys};
use crate::demo;
use crate::page::{self, Card};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::text;

pub(crate) const NAME: &str = "waggl";

/// Which organisation each survey belongs to, and where its people sign in.
#[derive(Clone)]
pub(crate) struct Surveys(Arc<HashMap<String, Organisation>>);

#[derive(Clone)]
struct Organisation {
    tenant: TenantId,
    sso_url: SsoUrl,
}

impl Surveys {
    pub(crate) fn new(config: &[Waggl]) -> Self {
        let surveys = config.iter().flat_map(|waggl| {
            let organisation = Organisation { tenant: waggl.tenant.as_str().into(), sso_url: waggl.sso_url.clone() };
            waggl.surveys.iter().map(move |survey| (survey.clone(), organisation.clone()))
        });
        Self(Arc::new(surveys.collect()))
    }

    /// Which survey this address is, and whose: the token does not say. A survey's name has one spelling.
    fn at(&self, uri: &Uri) -> Option<(&String, &Organisation)> {
        self.0.get_key_value(uri.path().trim_start_matches('/').strip_prefix("i/")?)
    }

    fn owner(&self, uri: &Uri) -> Option<&Organisation> {
        self.at(uri).map(|(_, organisation)| organisation)
    }
}

pub(crate) fn routes(portal: &Portal, config: &[Waggl]) -> Result<Router<Portal>, ConfigError> {
    let (replay, clock) = (portal.stores.replay.clone(), portal.clock.clone());
    // [mount]
    let secrets = MemoryKeys::new();
    for organisation in config {
        secrets.set(&*organisation.tenant, keys(&organisation.secrets));
    }
    let surveys = Surveys::new(config);
    let owner = surveys.clone();
    let start = LoginRedirectLayer::new(move |head| Some(owner.owner(&head.uri)?.sso_url.clone())).bare_segments(["i"]);
    // Each survey is one organisation's. A session opens the page too, so the token is optional.
    let owner = surveys.clone();
    let tenant = Tenant::from_fn(move |head| Some(owner.owner(&head.uri)?.tenant.clone()));
    let sso = waggl::sso_for_each(tenant, secrets).replay(replay).clock(clock).responder(page::refused).optional();
    let sso = sso.map_claims(text::storable).build()?;

    // With two slashes, as a partner may glue the path behind `https://portal.example/`: `start` hands it on with one.
    let routes = Router::new().route("/i/{survey}", get(survey)).route("//i/{survey}", get(survey));
    let routes = routes.route_layer(sso).route_layer(start).layer(Extension(surveys));
    // [/mount]
    Ok(routes)
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
        // The same address; the layer has taken the token out of it.
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
        // Another organisation's people have to sign in with this one. Sent there by the layer.
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

pub(crate) async fn card(portal: &Portal, session: &Session) -> Result<Card, Problem> {
    let (fields, rows) = match portal.demo {
        true => demo::waggl::form(session).await?,
        false => Default::default(),
    };
    Ok(Card {
        id: NAME,
        title: "Waggl",
        arrives: "Who opens a survey without a session is sent to the organisation’s own sign-in page. That sends the \
                  browser back to the survey, with a JWT in the address: signed, for this portal, good for one click.",
        rust: super::excerpt(include_str!("waggl.rs"), "mount"),
        fields,
        rows,
        exchange: None,
    })
}

/// The claims of a session as their own type, for the page to show.
pub(crate) fn typed(claims: &Value) -> Option<String> {
    WagglUser::deserialize(claims).ok().map(|user| format!("{user:#?}"))
}
