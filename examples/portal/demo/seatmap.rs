//! The demo's seatmap.pro partner: a ticketing platform whose server calls the portal.

use axum::Router;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_sessions::Session;
use tower_sso::keys::Secret;
use tower_sso::rejection::Step;

use super::Demo;
use super::draft::{Draft, Fields, Pressed};
use crate::app::Portal;
use crate::db::Database;
use crate::page::{self, Exchange, Field, Row};
use crate::problem::Problem;
use crate::vendors::seatmap::{NAME, Seatmap, Section};

#[derive(Clone)]
struct Partner {
    demo: Demo,
    organization: String,
    private_key: Secret,
}

/// The form on the page.
#[derive(Debug, Serialize, Deserialize)]
struct User {
    login: String,
    first_name: String,
    last_name: String,
}

impl Fields for User {
    const KEY: &str = "demo.seatmap";
}

impl Default for User {
    fn default() -> Self {
        let [login, first_name, last_name] = ["jd@seatmap.pro", "John", "Doe"].map(str::to_owned);
        Self { login, first_name, last_name }
    }
}

/// The vendor's configuration in the demo. Secrets are generated at the first start.
pub(crate) async fn made_up(database: &Database) -> Result<Seatmap, Box<dyn std::error::Error>> {
    let private_keys = vec![database.secret("seatmap.private_key").await?];
    Ok(Seatmap::new(vec![Section { organization: "default".to_owned(), private_keys }]))
}

/// The card's fields and buttons.
pub(crate) async fn form(session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
    let Draft::<User> { user, link } = Draft::of(session).await?;
    let fields = vec![
        Field::text("login", "Login", user.login).hint("An email address. A new one gets an account."),
        Field::text("first_name", "First name", user.first_name),
        Field::text("last_name", "Last name", user.last_name),
    ];
    let rows = vec![
        Row::new("Sign in", "The server calls; the browser follows with the ticket.")
            .button("go-fresh", "Sign in")
            .button("steps-fresh", "Show the steps"),
        Row::new("The same ticket again", "Refused: already redeemed.")
            .button_if(link.is_some(), "go-again", "Send it again")
            .button_if(link.is_some(), "steps-again", "Show the steps"),
        Row::new("Tamper with the ticket", "Refused: no such ticket.")
            .button("go-tampered", "Send it tampered")
            .button("steps-tampered", "Show the steps"),
        Row::new("A wrong private key", "Refused. Ten of them in a minute lock out the sender.")
            .button("wrong_key", "Show the steps"),
        Row::new("Register the user", "201 the first time, then 409: an existing password is never changed.")
            .button("register", "Register"),
    ];
    Ok((fields, rows))
}

/// The route of the card's buttons.
pub(crate) fn start(demo: &Demo, config: &Seatmap) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let section = config.sections.first().ok_or("the demo needs an organisation")?;
    let private_key = section.private_keys.first().cloned().ok_or("the demo needs a private key")?;
    let partner = Partner { demo: demo.clone(), organization: section.organization.clone(), private_key };
    Ok(Router::new().route("/demo/seatmap", post(press)).with_state(partner))
}

async fn press(
    partner: State<Partner>,
    session: Session,
    Form(Pressed { press, user }): Form<Pressed<User>>,
) -> Result<Response, Problem> {
    let mut draft = Draft { user, ..Draft::of(&session).await? };
    let exchange = match &*press {
        "go-fresh" | "steps-fresh" => {
            let exchange = partner.autologin(&draft.user, &partner.private_key).await?;
            if let Some(link) = redirect_url(&exchange) {
                draft.link = Some(link.clone());
                if press == "go-fresh" {
                    draft.keep(&session).await?;
                    return Ok(Redirect::to(&link).into_response());
                }
            }
            exchange
        }
        "go-again" | "steps-again" | "go-tampered" | "steps-tampered" => {
            let link = match (&draft.link, press.ends_with("again")) {
                (Some(link), true) => link.clone(),
                (None, true) => return Err(Problem::NOT_FOUND),
                (_, false) => {
                    let exchange = partner.autologin(&draft.user, &partner.private_key).await?;
                    super::tampered(&redirect_url(&exchange).ok_or(Problem::NOT_FOUND)?)
                }
            };
            if press.starts_with("go") {
                draft.keep(&session).await?;
                return Ok(Redirect::to(&link).into_response());
            }
            partner.demo.open(&link).await?
        }
        "wrong_key" => partner.autologin(&draft.user, &Secret::new("not-the-private-key")).await?,
        "register" => partner.register(&draft.user).await?,
        _ => return Err(Problem::NOT_FOUND),
    };
    draft.keep(&session).await?;
    page::show(&partner.demo.portal, &session, Some((NAME, exchange))).await
}

fn redirect_url(exchange: &Exchange) -> Option<String> {
    let answer: Value = serde_json::from_str(&exchange.body).ok()?;
    answer["redirectUrl"].as_str().map(str::to_owned)
}

impl Partner {
    async fn autologin(&self, user: &User, key: &Secret) -> Result<Exchange, Problem> {
        let body = json!({
            "login": user.login, "firstName": user.first_name, "lastName": user.last_name,
            "token": String::from_utf8_lossy(key.expose()),
        });
        let mut exchange = self.call("/api/auth/autologin", &body).await?;
        if exchange.is_accepted {
            "A ticket for the user’s browser, valid for one visit within a minute".clone_into(&mut exchange.meaning);
        }
        let explained = [
            (Step::Keys, "The key belongs to an organisation, which is the tenant"),
            (Step::Verify, "No signature: the key itself was sent, and compared in constant time"),
            (Step::Time, "The call carries no time"),
            (Step::Replay, "Does not apply: the key may be sent again, and the ticket in the answer works once"),
        ];
        Ok(explained.into_iter().fold(exchange, |exchange, (step, detail)| exchange.explain(step, detail)))
    }

    async fn register(&self, user: &User) -> Result<Exchange, Problem> {
        let body = json!({
            "email": user.login, "firstName": user.first_name, "lastName": user.last_name,
            "organizationName": self.organization, "password": "defaultPassword",
        });
        let mut exchange = self.call("/api/auth/register", &body).await?;
        // Registration carries no credential in the vendor's document, so no step applies.
        exchange.steps.clear();
        Ok(exchange)
    }

    async fn call(&self, path: &str, body: &Value) -> Result<Exchange, Problem> {
        let request = Request::post(format!("{}{path}", self.demo.portal.public_url.as_str()))
            .header("content-type", "application/json")
            .body(body.to_string());
        Ok(self.demo.send(request.map_err(|_| Problem::NOT_FOUND)?).await)
    }
}
