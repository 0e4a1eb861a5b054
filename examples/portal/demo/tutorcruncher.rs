//! The demo's TutorCruncher: it signs up companies and makes links for their users.

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
use tower_sso::sign::{FernetLink, SigningWebhook, generate_fernet_key};

use super::draft::{Draft, Fields, Pressed};
use super::{Demo, Kind, Then, not_signed};
use crate::app::Portal;
use crate::db::Database;
use crate::page::{self, Exchange, Field, Row};
use crate::problem::Problem;
use crate::vendors::tutorcruncher::{NAME, TutorCruncher};

#[derive(Clone)]
struct Partner {
    demo: Demo,
    webhook: SigningWebhook,
}

/// The session key of the last webhook's signature and body.
const CALL: &str = "demo.tutorcruncher.call";

type Call = (String, String);

/// The form on the page.
#[derive(Debug, Serialize, Deserialize)]
struct User {
    company_id: String,
    id: String,
    name: String,
    role: String,
    email: String,
    /// Empty for a link outside any lesson.
    lesson: String,
}

impl Fields for User {
    const KEY: &str = "demo.tutorcruncher";
}

impl Default for User {
    fn default() -> Self {
        let [company_id, id, name, role, email, lesson] =
            ["4321", "123", "Samuel Colvin", "Contractor", "sam@example.com", ""].map(str::to_owned);
        Self { company_id, id, name, role, email, lesson }
    }
}

/// The vendor's configuration in the demo. Secrets are generated at the first start.
pub(crate) async fn made_up(database: &Database) -> Result<TutorCruncher, Box<dyn std::error::Error>> {
    Ok(TutorCruncher::new(database.secret("tutorcruncher.webhook_secret").await?))
}

/// The card's fields and buttons.
pub(crate) async fn form(portal: &Portal, session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
    let Draft::<User> { user, link } = Draft::of(session).await?;
    let call: Option<Call> = session.get(CALL).await?;
    let company = crate::db::company_name(&portal.database, NAME, &user.company_id).await?;
    let company = company.unwrap_or_else(|| "no company has signed up with this number".to_owned());
    let fields = vec![
        Field::text("company_id", "Company", user.company_id).hint(company),
        Field::text("id", "User number", user.id),
        Field::text("name", "Name", user.name),
        Field::choice("role", "Role", user.role, &["Contractor", "ServiceRecipient", "Administrator"]),
        Field::text("email", "Email", user.email).hint("May be empty: some users have none."),
        Field::text("lesson", "Lesson", user.lesson).hint("A topic, if the link is clicked inside a lesson."),
    ];
    let mut rows = Kind::rows(link.is_some(), super::TWO_MINUTES_LATE);
    rows.extend([
        Row::new("A new company signs up", "A signed webhook delivers its key.").button("sign_up", "Sign up"),
        Row::new("Rotate the company’s key", "Links with the previous key work for another day.")
            .button("rotate", "Rotate"),
        Row::new("The same webhook again", "Answered with 200; nothing changes.").button_if(
            call.is_some(),
            "call_again",
            "Send it again",
        ),
    ]);
    Ok((fields, rows))
}

/// The route of the card's buttons. Signs up a first company, so that signing in works at once.
pub(crate) async fn start(demo: &Demo, config: &TutorCruncher) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let secret = config
        .section
        .as_ref()
        .and_then(|section| section.webhook_secrets.first())
        .cloned()
        .ok_or("the demo needs a webhook secret")?;
    let partner = Partner { demo: demo.clone(), webhook: SigningWebhook::new(secret) };
    if partner.key(&User::default().company_id).await?.is_none() {
        partner.announce(&User::default().company_id, "DinoTutors").await?;
    }
    Ok(Router::new().route("/demo/tutorcruncher", post(press)).with_state(partner))
}

async fn press(
    partner: State<Partner>,
    session: Session,
    Form(Pressed { press, user }): Form<Pressed<User>>,
) -> Result<Response, Problem> {
    let mut draft = Draft { user, ..Draft::of(&session).await? };
    let exchange = match (&*press, Kind::of_button(&press)) {
        (_, Some((kind, then))) => {
            let link = partner.link(kind, &draft).await?;
            if kind == Kind::Fresh {
                draft.link = Some(link.clone());
            }
            if then == Then::Go {
                draft.keep(&session).await?;
                return Ok(Redirect::to(&link).into_response());
            }
            Some(partner.demo.open(&link).await?)
        }
        ("sign_up", _) => {
            draft.user.company_id = super::random_number().to_string();
            let name = format!("Company {}", draft.user.company_id);
            Some(partner.announced(&session, &draft.user.company_id, &name).await?)
        }
        ("rotate", _) => {
            let database = &partner.demo.portal.database;
            let name = crate::db::company_name(database, NAME, &draft.user.company_id).await?;
            let name = name.unwrap_or_else(|| format!("Company {}", draft.user.company_id));
            Some(partner.announced(&session, &draft.user.company_id, &name).await?)
        }
        ("call_again", _) => match session.get::<Call>(CALL).await? {
            Some((signature, body)) => {
                let exchange = partner.call(&signature, &body).await?;
                Some(exchange.explain(Step::Replay, "A duplicate: acknowledged, but not processed again"))
            }
            None => None,
        },
        _ => return Err(Problem::NOT_FOUND),
    };
    draft.keep(&session).await?;
    page::show(&partner.demo.portal, &session, exchange.map(|exchange| (NAME, exchange))).await
}

impl Partner {
    /// Signs the company up, and remembers the call for "send it again".
    async fn announced(&self, session: &Session, company: &str, name: &str) -> Result<Exchange, Problem> {
        let (exchange, call) = self.announce(company, name).await?;
        session.insert(CALL, call).await?;
        Ok(exchange)
    }

    /// Signs the company up with a new key, and stores the key if the portal accepts it.
    async fn announce(&self, company: &str, name: &str) -> Result<(Exchange, Call), Problem> {
        let key = generate_fernet_key();
        let key = String::from_utf8_lossy(key.expose());
        let body = json!({
            "company_id": number(company),
            "fernet_key": key,
            "admin_email": "ada@example.com",
            "admin_name": "Ada Admin",
            "company_name": name,
        });
        let call = self.webhook.sign(body.to_string());
        let exchange = self.call(&call.signature, &call.body).await?;
        if exchange.is_accepted {
            self.demo.portal.database.set(&note(company), &key).await?;
        }
        Ok((exchange, (call.signature, call.body)))
    }

    async fn call(&self, signature: &str, body: &str) -> Result<Exchange, Problem> {
        let request = Request::post(format!("{}/tutorcruncher/companies", self.demo.portal.public_url.as_str()))
            .header("webhook-signature", signature)
            .header("content-type", "application/json")
            .body(body.to_owned());
        let exchange = self.demo.send(request.map_err(|_| Problem::NOT_FOUND)?).await;
        Ok(exchange.explain(Step::Time, "The webhook carries no time, so it may be of any age"))
    }

    /// The partner's copy of the company's key.
    async fn key(&self, company: &str) -> Result<Option<Secret>, sqlx::Error> {
        Ok(self.demo.portal.database.setting(&note(company)).await?.map(Secret::new))
    }

    async fn link(&self, kind: Kind, draft: &Draft<User>) -> Result<String, Problem> {
        if let (Kind::Again, Some(link)) = (kind, &draft.link) {
            return Ok(link.clone());
        }
        let user = &draft.user;
        // For a company that never signed up, any key shows the refusal.
        let key = self.key(&user.company_id).await?.unwrap_or_else(generate_fernet_key);
        let portal = &self.demo.portal;
        let issued_at = self.demo.time_of(kind, super::TWO_MINUTES);
        let base = format!("{}/tutorcruncher/sso", portal.public_url.as_str());
        let link = FernetLink::new(base, &*user.company_id, &key).issued_at(issued_at);
        let link = link.uri(&user.claims(issued_at.as_secs())).map_err(not_signed)?;
        Ok(if kind == Kind::Tampered { super::tampered(&link) } else { link })
    }
}

impl User {
    /// From the vendor's sample.
    fn claims(&self, now: i64) -> Value {
        let given = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        let mut claims = json!({
            "rt": self.role, "nm": self.name, "id": number(&self.id), "role_id": 77, "ts": now,
            "tz": "Europe/London", "br_id": 3492, "br_nm": "DinoTutors: Dino Centre", "e": given(&self.email),
        });
        if let (Some(topic), Some(claims)) = (given(&self.lesson), claims.as_object_mut()) {
            claims.insert("apt_id".to_owned(), 42.into());
            claims.insert("apt_nm".to_owned(), topic.into());
            claims.insert("apt_st".to_owned(), (now + 300).into());
            claims.insert("apt_fn".to_owned(), (now + 3_900).into());
        }
        claims
    }
}

/// A JSON number if possible. Otherwise a string, for the portal to refuse.
fn number(text: &str) -> Value {
    text.trim().parse::<i64>().map_or_else(|_| text.into(), Value::from)
}

fn note(company: &str) -> String {
    format!("demo.tutorcruncher.key.{company}")
}
