//! Site Builder: a partner's page loads a signed URL as a script; the script holds one-time sign-in links.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;

use askama::Template;
use async_trait::async_trait;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};
use toml::de::Deserializer;
use tower_sessions::Session;
use tower_sso::Identity;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1::Origin;
use tower_sso::providers::site_builder::{self, SiteBuilderUser};
use tower_sso::rejection::RefusedClaims;
use tower_sso::ticket::{self, TicketError, Tickets};

use crate::app::Portal;
use crate::config::{self, keys, unique};
use crate::db::Database;
use crate::demo::{self, Demo};
use crate::page::{self, Card, Field, Row};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::text;
use crate::vendors::Vendor;

pub(crate) const NAME: &str = "site_builder";

/// Each site takes a ticket in the store for a minute. The user's data is stored once for all of them.
const MOST_SITES: usize = 100;

/// The claims of a one-time link: a user, and the site to open. `None` opens the overview of all sites.
type Entrance = (SiteBuilderUser, Option<String>);

/// All `[[site_builder]]` sections.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SiteBuilder {
    #[serde(rename = "site_builder")]
    pub(crate) sections: Vec<Section>,
}

/// One partner.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) consumer_key: String,
    #[serde(deserialize_with = "config::secrets")]
    pub(crate) consumer_secrets: Vec<Secret>,
}

#[async_trait]
impl Vendor for SiteBuilder {
    fn name(&self) -> &'static str {
        NAME
    }

    fn section_names(&self) -> &'static [&'static str] {
        &["site_builder"]
    }

    fn configure(&mut self, sections: Deserializer<'_>) -> Result<(), toml::de::Error> {
        *self = Self::deserialize(sections)?;
        Ok(())
    }

    fn is_configured(&self) -> bool {
        !self.sections.is_empty()
    }

    fn check(&self) -> Result<(), String> {
        unique("[[site_builder]] consumer_key", self.sections.iter().map(|partner| &partner.consumer_key))
    }

    async fn routes(self: Arc<Self>, portal: &Portal) -> Result<Router<Portal>, Box<dyn Error>> {
        let (replay, clock) = (portal.stores.replay.clone(), portal.clock.clone());
        // [mount]
        let secrets = MemoryKeys::new();
        for partner in &self.sections {
            secrets.set(&*partner.consumer_key, keys(&partner.consumer_secrets));
        }
        // Partners sign the public URL. The request's Host header must not decide it.
        let origin = Origin::new(portal.public_url.as_str());
        let sso =
            site_builder::sso(origin, secrets).replay(replay).clock(clock.clone()).map_claims(sane_user).build()?;

        let tickets = Tickets::new(portal.stores.tickets.clone()).namespace(NAME).clock(clock);
        let once = ticket::layer::<Entrance>(tickets.clone()).responder(page::refused).build()?;

        portal.explainers.add("/sitebuilder/widget/", &sso);
        portal.kits.add("/sitebuilder/widget/", &sso, json!({}));
        let routes = Router::new()
            .route("/sitebuilder/widget/", get(widget).layer(sso))
            .route("/sitebuilder/enter", get(enter).layer(once))
            .layer(Extension(tickets));
        // [/mount]
        Ok(routes.route("/sitebuilder/", get(builder)).route("/sitebuilder/sites/{id}", get(site)))
    }

    fn card(&self) -> Card {
        let arrives = "The partner’s page loads a script from a URL signed with OAuth 1.0a. The script holds one-time links \
                  that sign the user in to the overview or straight to a site.";
        Card::new(NAME, "Site Builder", arrives, super::excerpt(include_str!("site_builder.rs"), "mount"))
    }

    fn typed(&self, claims: &Value) -> Option<String> {
        SiteBuilderUser::deserialize(claims).ok().map(|user| format!("{user:#?}"))
    }

    async fn make_up(&mut self, database: &Database, _: &config::Origin) -> Result<(), Box<dyn Error>> {
        *self = demo::site_builder::made_up(database).await?;
        Ok(())
    }

    async fn form(&self, _: &Portal, session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
        demo::site_builder::form(session).await
    }

    async fn partner(&self, demo: &Demo) -> Result<Router<Portal>, Box<dyn Error>> {
        demo::site_builder::start(demo, self)
    }
}

/// Site ids end up in URLs and in a script, so only harmless characters are allowed.
fn sane_user(user: SiteBuilderUser) -> Result<SiteBuilderUser, RefusedClaims> {
    let user = text::storable(user)?;
    let is_sane = |id: &str| {
        let mut letters = id.bytes();
        let first = letters.next().is_some_and(|letter| letter.is_ascii_alphanumeric());
        first && id.len() <= 64 && letters.all(|letter| letter.is_ascii_alphanumeric() || b"-_".contains(&letter))
    };
    if user.site_ids().count() > MOST_SITES {
        return Err(RefusedClaims::new("too many sites"));
    }
    if user.site_ids().all(is_sane) { Ok(user) } else { Err(RefusedClaims::new("invalid site id")) }
}

/// The script with the one-time links. Loading it signs nobody in; clicking a link does.
pub(crate) async fn widget(
    portal: State<Portal>,
    tickets: Extension<Tickets>,
    user: Identity<SiteBuilderUser>,
) -> Result<Response, Problem> {
    let sites: Vec<_> = std::iter::once(None).chain(user.site_ids().map(|id| Some(id.to_owned()))).collect();
    let issued = tickets.issue_each(user.tenant(), user.claims(), &sites).await?;
    let link = |ticket| format!("{}/sitebuilder/enter?ticket={ticket}", portal.public_url.as_str());
    let links: Vec<_> = sites.into_iter().zip(issued.into_iter().map(link)).collect();
    Ok(([(CONTENT_TYPE, "application/javascript")], script(&links)).into_response())
}

/// ASCII only, so that no charset changes its meaning.
fn script(links: &[(Option<String>, String)]) -> String {
    let mut script = String::from("var sb = sb || {};\nsb.uris = {\"sites\": {}};\n");
    for (site, link) in links {
        _ = match site {
            None => writeln!(script, "sb.uris.user = {};", literal(link)),
            Some(site) => writeln!(script, "sb.uris.sites[{}] = {};", literal(site), literal(link)),
        };
    }
    script
}

/// A JavaScript string literal that is also safe inside a `<script>` element.
pub(crate) fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for unit in text.encode_utf16() {
        match u8::try_from(unit).map(char::from) {
            Ok(c) if c.is_ascii_alphanumeric() || " !#$()*+,-./:;=?@[]^_{|}~".contains(c) => literal.push(c),
            _ => _ = write!(literal, "\\u{unit:04x}"),
        }
    }
    literal.push('"');
    literal
}

impl From<TicketError> for Problem {
    fn from(error: TicketError) -> Self {
        tracing::error!(%error, "could not issue a ticket");
        match error {
            TicketError::TooLarge { .. } => Self::CLAIMS_TOO_LARGE,
            _ => Self::UNAVAILABLE,
        }
    }
}

async fn enter(portal: State<Portal>, session: Session, entrance: Identity<Entrance>) -> Result<Redirect, Problem> {
    let (user, site) = entrance.claims();
    let names = [user.first_name.as_deref(), user.last_name.as_deref()].into_iter().flatten();
    let name = names.filter(|name| !name.trim().is_empty()).collect::<Vec<_>>().join(" ");
    let name = if name.is_empty() { &user.email } else { &name };
    let signed_in = SignedIn::new(NAME, &entrance, user.partner_user_id.clone(), name, Some(&user.email));
    signed_in.claiming(user).start(&session, &portal.clock).await?;
    Ok(match site {
        Some(site) => Redirect::to(&format!("/sitebuilder/sites/{site}")),
        None => Redirect::to("/sitebuilder/"),
    })
}

async fn builder(portal: State<Portal>, session: Session) -> Result<Html<String>, Problem> {
    let (name, user) = signed_in(&portal, &session).await?;
    let sites = user.site_ids().map(str::to_owned).collect();
    page::render(&BuilderPage { name, site: None, sites })
}

async fn site(portal: State<Portal>, id: Path<String>, session: Session) -> Result<Html<String>, Problem> {
    let (name, user) = signed_in(&portal, &session).await?;
    if !user.site_ids().any(|site| site == *id) {
        return Err(Problem::NOT_FOUND);
    }
    page::render(&BuilderPage { name, site: Some(id.0), sites: Vec::new() })
}

async fn signed_in(portal: &Portal, session: &Session) -> Result<(String, SiteBuilderUser), Problem> {
    let signed_in = SignedIn::of(session, &portal.clock).await?.filter(|signed_in| signed_in.provider == NAME);
    let signed_in = signed_in.ok_or(Problem::NOT_SIGNED_IN)?;
    let user = SiteBuilderUser::deserialize(&signed_in.claims).map_err(|_| Problem::NOT_SIGNED_IN)?;
    Ok((signed_in.name, user))
}

#[derive(Template)]
#[template(path = "builder.html")]
struct BuilderPage {
    name: String,
    site: Option<String>,
    sites: Vec<String>,
}
