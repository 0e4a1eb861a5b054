//! The demo's LCvista partner: an organisation whose site links to the portal.

use axum::Router;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use tower_sso::clock::UnixTime;
use tower_sso::keys::Secret;
use tower_sso::providers::lcvista;
use tower_sso::sign::HashedLink;

use super::draft::{Draft, Fields, Pressed};
use super::{Demo, Kind, Then};
use crate::app::Portal;
use crate::db::Database;
use crate::page::{self, Field, Row};
use crate::problem::Problem;
use crate::vendors::lcvista::{Lcvista, NAME, Section};

#[derive(Clone)]
struct Partner {
    demo: Demo,
    secret: Secret,
}

/// The form on the page.
#[derive(Debug, Serialize, Deserialize)]
struct User {
    email: String,
    slug: String,
    next: String,
}

impl Fields for User {
    const KEY: &str = "demo.lcvista";
}

impl Default for User {
    fn default() -> Self {
        let [email, slug, next] = ["admin@lcvista.com", "rainier", "/"].map(str::to_owned);
        Self { email, slug, next }
    }
}

/// The vendor's configuration in the demo. Secrets are generated at the first start.
pub(crate) async fn made_up(database: &Database) -> Result<Lcvista, Box<dyn std::error::Error>> {
    let users = ["admin@lcvista.com", "o'brien@example.com"].map(str::to_owned).to_vec();
    let secrets = vec![database.secret("lcvista.secret").await?];
    Ok(Lcvista { sections: vec![Section { slug: "rainier".to_owned(), secrets, users }] })
}

/// The card's fields and buttons.
pub(crate) async fn form(config: &Lcvista, session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
    let Draft::<User> { user, link } = Draft::of(session).await?;
    let account = match config.has_account(&user.slug, &user.email) {
        true => "Has an account here.",
        false => "Has no account here: passes every step, but gets 403.",
    };
    let fields = vec![
        Field::text("email", "Email", user.email).hint(account),
        Field::text("slug", "Organisation", user.slug).hint("The tenant. Its secret keys the hash."),
        Field::text("next", "Next", user.next).hint("Not signed. A target outside the portal is replaced by /."),
    ];
    Ok((fields, Kind::rows(link.is_some(), super::TWO_MINUTES_LATE)))
}

/// The route of the card's buttons.
pub(crate) fn start(demo: &Demo, config: &Lcvista) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let secret = config
        .sections
        .first()
        .and_then(|organisation| organisation.secrets.first())
        .cloned()
        .ok_or("the demo needs an LCvista secret")?;
    Ok(Router::new().route("/demo/lcvista", post(press)).with_state(Partner { demo: demo.clone(), secret }))
}

async fn press(
    partner: State<Partner>,
    session: Session,
    Form(Pressed { press, user }): Form<Pressed<User>>,
) -> Result<Response, Problem> {
    let (kind, then) = Kind::of_button(&press).ok_or(Problem::NOT_FOUND)?;
    let mut draft = Draft { user, ..Draft::of(&session).await? };
    let link = partner.link(kind, &draft);
    if kind == Kind::Fresh {
        draft.link = Some(link.clone());
    }
    draft.keep(&session).await?;
    if then == Then::Go {
        return Ok(Redirect::to(&link).into_response());
    }
    let exchange = partner.demo.open(&link).await?;
    page::show(&partner.demo.portal, &session, Some((NAME, exchange))).await
}

impl Partner {
    fn link(&self, kind: Kind, draft: &Draft<User>) -> String {
        if let (Kind::Again, Some(link)) = (kind, &draft.link) {
            return link.clone();
        }
        let portal = &self.demo.portal;
        let time = self.demo.time_of(kind, super::TWO_MINUTES);
        let base = format!("{}/sso/oauth/", portal.public_url.as_str());
        let User { email, slug, next } = &draft.user;
        let link = HashedLink::new(base, lcvista::recipe(), &self.secret).uri(&[&timestamp(time), email, slug]);
        let link = if kind == Kind::Tampered { super::tampered(&link) } else { link };
        // Not covered by the hash.
        format!("{link}&next={}", super::encoded(next))
    }
}

/// Seconds with microseconds, as in the vendor's sample.
fn timestamp(time: UnixTime) -> String {
    format!("{}.{:06}", time.as_secs(), time.as_nanos().rem_euclid(1_000_000_000) / 1_000)
}
