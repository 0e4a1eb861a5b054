//! The demo's Waggl partner: an organisation with a sign-in page that signs its visitor in at once.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tower_sessions::Session;
use tower_sso::clock::UnixTime;
use tower_sso::jwt::Algorithm;
use tower_sso::keys::Secret;
use tower_sso::landing::LocalPath;
use tower_sso::login_redirect::SsoUrl;
use tower_sso::sign::JwtSigner;

use super::draft::{Draft, Fields, Pressed};
use super::{Demo, Kind, Then, not_signed};
use crate::app::Portal;
use crate::config::Origin;
use crate::db::Database;
use crate::page::{self, Field, Row};
use crate::problem::Problem;
use crate::vendors::waggl::{NAME, Section, Waggl};

const SIGN_IN_PAGE: &str = "/demo/waggl/sso/";
const SURVEY: &str = "9745804b";

#[derive(Clone)]
struct Partner {
    demo: Demo,
    secret: Secret,
}

/// The form on the page.
#[derive(Debug, Serialize, Deserialize)]
struct User {
    email: String,
    department: String,
    survey: String,
    params: String,
}

/// What Waggl adds to the URL of a sign-in page.
#[derive(Deserialize)]
struct Return {
    #[serde(default)]
    return_to_path: String,
    #[serde(default)]
    return_to_params: String,
}

impl Fields for User {
    const KEY: &str = "demo.waggl";
}

impl Default for User {
    fn default() -> Self {
        let [email, department, survey, params] =
            ["bob@yourcompany.com", "Sales", SURVEY, "view=vote&page=1"].map(str::to_owned);
        Self { email, department, survey, params }
    }
}

/// The vendor's configuration in the demo. Secrets are generated at the first start.
pub(crate) async fn made_up(database: &Database, public_url: &Origin) -> Result<Waggl, Box<dyn std::error::Error>> {
    // HS512 needs 64 bytes, and each of these has 44.
    let halves = [database.secret("waggl.secret").await?, database.secret("waggl.secret.rest").await?];
    let section = Section {
        tenant: "acme".to_owned(),
        secrets: vec![Secret::new(halves.each_ref().map(Secret::expose).concat())],
        sso_url: SsoUrl::parse(&format!("{}{SIGN_IN_PAGE}", public_url.as_str()))?,
        surveys: vec![SURVEY.to_owned()],
    };
    Ok(Waggl { sections: vec![section] })
}

/// The card's fields and buttons.
pub(crate) async fn form(session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
    let Draft::<User> { user, link } = Draft::of(session).await?;
    let fields = vec![
        Field::text("email", "Email", user.email),
        Field::text("department", "Department", user.department).hint("A tag. May be empty."),
        Field::text("survey", "Survey", user.survey).hint("Its owner is the tenant, which the token does not name."),
        Field::text("params", "Parameters", user.params).hint("The query of the survey’s URL."),
    ];
    let mut rows = Kind::rows(link.is_some(), super::TEN_MINUTES_LATE);
    let open = Row::new(
        "Open the survey",
        "Without a session, redirects to the organisation’s sign-in page and back with a token.",
    );
    rows.push(open.button("open", "Open it"));
    Ok((fields, rows))
}

/// The routes of the card's buttons, and the organisation's sign-in page.
pub(crate) fn start(demo: &Demo, config: &Waggl) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let secret = config
        .sections
        .first()
        .and_then(|organisation| organisation.secrets.first())
        .cloned()
        .ok_or("the demo needs a Waggl secret")?;
    let routes = Router::new().route("/demo/waggl", post(press)).route(SIGN_IN_PAGE, get(sign_in));
    Ok(routes.with_state(Partner { demo: demo.clone(), secret }))
}

async fn press(
    partner: State<Partner>,
    session: Session,
    Form(Pressed { press, user }): Form<Pressed<User>>,
) -> Result<Response, Problem> {
    let mut draft = Draft { user, ..Draft::of(&session).await? };
    let address = survey_address(&draft.user).ok_or(Problem::NOT_FOUND)?;
    let Some((kind, then)) = Kind::of_button(&press) else {
        draft.keep(&session).await?;
        return match &*press {
            "open" => Ok(Redirect::to(address.as_str()).into_response()),
            _ => Err(Problem::NOT_FOUND),
        };
    };
    let link = match (kind, &draft.link) {
        (Kind::Again, Some(link)) => link.clone(),
        _ => partner.link(kind, &draft.user, &address)?,
    };
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

/// The organisation's sign-in page. It takes the user from the form, and redirects back at once.
async fn sign_in(partner: State<Partner>, session: Session, Query(back): Query<Return>) -> Result<Response, Problem> {
    let Draft::<User> { user, .. } = Draft::of(&session).await?;
    let path = back.return_to_path.trim_start_matches('/');
    let address = join(path, &back.return_to_params).ok_or(Problem::NOT_FOUND)?;
    Ok(Redirect::to(&partner.link(Kind::Fresh, &user, &address)?).into_response())
}

impl Partner {
    fn link(&self, kind: Kind, user: &User, address: &LocalPath) -> Result<String, Problem> {
        let portal = &self.demo.portal;
        let now = self.demo.time_of(kind, super::TEN_MINUTES);
        let signer = JwtSigner::new(Algorithm::HS512, &self.secret).map_err(not_signed)?;
        let mut token = signer.token(&claims(user, now)).map_err(not_signed)?;
        if kind == Kind::Tampered {
            token = super::tampered(&token);
        }
        let (path, params) = address.as_str().split_once('?').unwrap_or((address.as_str(), ""));
        let params = if params.is_empty() { String::new() } else { format!("&{params}") };
        Ok(format!("{}{path}?sso_jwt={token}{params}", portal.public_url.as_str()))
    }
}

/// From the vendor's guide, and an id: without it, two links of one user in one second would be the same link.
fn claims(user: &User, now: UnixTime) -> Value {
    let now = now.as_secs();
    let mut tags = Map::new();
    if !user.department.trim().is_empty() {
        tags.insert("Department".to_owned(), user.department.trim().into());
    }
    json!({
        "data": {"email": user.email, "tags": tags},
        "iat": now, "nbf": now - 180, "exp": now + 300, "aud": "www.waggl.com",
        "jti": super::random_number().to_string(),
    })
}

fn survey_address(user: &User) -> Option<LocalPath> {
    join(&format!("i/{}", super::encoded(user.survey.trim())), user.params.trim())
}

fn join(path: &str, params: &str) -> Option<LocalPath> {
    LocalPath::parse(&if params.is_empty() { format!("/{path}") } else { format!("/{path}?{params}") })
}
