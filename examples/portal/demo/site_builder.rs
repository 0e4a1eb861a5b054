//! The demo's Site Builder partner: a page that loads the signed URL as a script.

use askama::Template;
use axum::Router;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use tower_sso::keys::Secret;
use tower_sso::rejection::Step;
use tower_sso::sign::OAuthLink;

use super::draft::{Draft, Fields, Pressed};
use super::{Demo, Kind, Then, not_signed};
use crate::app::Portal;
use crate::db::Database;
use crate::page::{self, Field, Row};
use crate::problem::Problem;
use crate::vendors::site_builder::{NAME, Section, SiteBuilder};

const SHOW_LINKS: &str = "/demo/site_builder/show-links.js";

#[derive(Clone)]
struct Partner {
    demo: Demo,
    consumer_key: String,
    secret: Secret,
}

/// The form on the page.
#[derive(Debug, Serialize, Deserialize)]
struct User {
    partner_user_id: String,
    email: String,
    first_name: String,
    last_name: String,
    partner_site_ids: String,
}

impl Fields for User {
    const KEY: &str = "demo.site_builder";
}

impl Default for User {
    fn default() -> Self {
        let [partner_user_id, email, first_name, last_name, partner_site_ids] =
            ["1234567890", "john@example.com", "John", "Doe", "12345,23145"].map(str::to_owned);
        Self { partner_user_id, email, first_name, last_name, partner_site_ids }
    }
}

/// The vendor's configuration in the demo. Secrets are generated at the first start.
pub(crate) async fn made_up(database: &Database) -> Result<SiteBuilder, Box<dyn std::error::Error>> {
    let consumer_secrets = vec![database.secret("site_builder.consumer_secret").await?];
    Ok(SiteBuilder { sections: vec![Section { consumer_key: "partner-key".to_owned(), consumer_secrets }] })
}

/// The card's fields and buttons.
pub(crate) async fn form(session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
    let Draft::<User> { user, link } = Draft::of(session).await?;
    let fields = vec![
        Field::text("partner_user_id", "User id", user.partner_user_id).hint("The id in the partner’s system."),
        Field::text("email", "Email", user.email),
        Field::text("first_name", "First name", user.first_name),
        Field::text("last_name", "Last name", user.last_name),
        Field::text("partner_site_ids", "Sites", user.partner_site_ids).hint("Separated by commas. May be empty."),
    ];
    Ok((fields, Kind::rows(link.is_some(), super::TEN_MINUTES_LATE)))
}

/// The route of the card's buttons, and the script of the partner's page.
pub(crate) fn start(demo: &Demo, config: &SiteBuilder) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let section = config.sections.first().ok_or("the demo needs a Site Builder partner")?;
    let secret = section.consumer_secrets.first().cloned().ok_or("the demo needs a consumer secret")?;
    let partner = Partner { demo: demo.clone(), consumer_key: section.consumer_key.clone(), secret };
    let routes = Router::new().route("/demo/site_builder", post(press)).route(SHOW_LINKS, get(show_links));
    Ok(routes.with_state(partner))
}

async fn show_links() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, include_str!("../templates/show-links.js"))
}

async fn press(
    partner: State<Partner>,
    session: Session,
    Form(Pressed { press, user }): Form<Pressed<User>>,
) -> Result<Response, Problem> {
    let (kind, then) = Kind::of_button(&press).ok_or(Problem::NOT_FOUND)?;
    let mut draft = Draft { user, ..Draft::of(&session).await? };
    let link = partner.link(kind, &draft)?;
    if kind == Kind::Fresh {
        draft.link = Some(link.clone());
    }
    draft.keep(&session).await?;
    if then == Then::Go {
        return partner.page(&link);
    }
    let mut exchange = partner.demo.open(&link).await?;
    if exchange.is_accepted {
        "A script with one-time links. A click on one signs the user in".clone_into(&mut exchange.meaning);
    }
    let exchange = exchange.explain(Step::Replay, "The nonce was not used before");
    page::show(&partner.demo.portal, &session, Some((NAME, exchange))).await
}

impl Partner {
    fn link(&self, kind: Kind, draft: &Draft<User>) -> Result<String, Problem> {
        if let (Kind::Again, Some(link)) = (kind, &draft.link) {
            return Ok(link.clone());
        }
        let portal = &self.demo.portal;
        let time = self.demo.time_of(kind, super::TEN_MINUTES);
        let user = &draft.user;
        let parameters = [
            ("partner_user_id", &*user.partner_user_id),
            ("email", &*user.email),
            ("first_name", &*user.first_name),
            ("last_name", &*user.last_name),
            ("partner_site_ids", &*user.partner_site_ids),
        ];
        // The vendor's sample omits empty parameters.
        let given: Vec<_> = parameters.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let base = format!("{}/sitebuilder/widget/", portal.public_url.as_str());
        let link = OAuthLink::new(base, &*self.consumer_key, &self.secret).issued_at(time);
        let link = link.uri(&given).map_err(not_signed)?;
        Ok(if kind == Kind::Tampered { link.replacen("email=", "email=x", 1) } else { link })
    }

    /// The partner's page. Its CSP allows two scripts and nothing else.
    fn page(&self, link: &str) -> Result<Response, Problem> {
        let origin = self.demo.portal.public_url.as_str();
        let show_links = format!("{origin}{SHOW_LINKS}");
        let policy = format!(
            "default-src 'none'; script-src {origin}/sitebuilder/widget/ {show_links}; style-src 'self'; img-src data:; \
             form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        );
        let page = page::render(&WidgetPage { widget: link, show_links: &show_links })?;
        let headers = [
            (CONTENT_SECURITY_POLICY, &*policy),
            // The scripts' URLs hold credentials.
            (REFERRER_POLICY, "no-referrer"),
            (CACHE_CONTROL, "no-store"),
        ];
        Ok((headers, page).into_response())
    }
}

#[derive(Template)]
#[template(path = "widget.html")]
struct WidgetPage<'a> {
    widget: &'a str,
    show_links: &'a str,
}
