//! The pages, and the data that their templates render.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use tower_sessions::Session;
use tower_sso::rejection::Step;
use tower_sso::rejection::{Code, Rejection};

use crate::app::Portal;
use crate::problem::{self, Problem};
use crate::session::SignedIn;
use crate::vendors;

/// A vendor's section on the front page.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What the partner sends, in two lines.
    pub(crate) arrives: &'static str,
    /// The code that mounts the layers.
    pub(crate) rust: String,
    /// Empty without the demo, like `rows`.
    pub(crate) fields: Vec<Field>,
    pub(crate) rows: Vec<Row>,
    /// The result of the button that was pressed.
    pub(crate) exchange: Option<Exchange>,
}

impl Card {
    pub(crate) fn new(id: &'static str, title: &'static str, arrives: &'static str, rust: String) -> Self {
        Self { id, title, arrives, rust, fields: Vec::new(), rows: Vec::new(), exchange: None }
    }
}

/// A field of a card's form.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    label: &'static str,
    value: String,
    hint: Option<String>,
    /// If not empty, the field is a drop-down list.
    choices: Vec<&'static str>,
}

impl Field {
    pub(crate) fn text(name: &'static str, label: &'static str, value: String) -> Self {
        Self { name, label, value, hint: None, choices: Vec::new() }
    }

    pub(crate) fn choice(name: &'static str, label: &'static str, value: String, choices: &[&'static str]) -> Self {
        Self { choices: choices.to_vec(), ..Self::text(name, label, value) }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Something to try, and its buttons.
#[derive(Debug)]
pub(crate) struct Row {
    title: &'static str,
    hint: &'static str,
    buttons: Vec<Button>,
}

#[derive(Debug)]
struct Button {
    value: &'static str,
    label: &'static str,
    enabled: bool,
}

impl Row {
    pub(crate) fn new(title: &'static str, hint: &'static str) -> Self {
        Self { title, hint, buttons: Vec::new() }
    }

    pub(crate) fn button(self, value: &'static str, label: &'static str) -> Self {
        self.button_if(true, value, label)
    }

    pub(crate) fn button_if(mut self, enabled: bool, value: &'static str, label: &'static str) -> Self {
        self.buttons.push(Button { value, label, enabled });
        self
    }
}

/// A request that the demo sent, and its result.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) request: String,
    pub(crate) curl: String,
    pub(crate) answer: String,
    pub(crate) meaning: String,
    pub(crate) is_accepted: bool,
    /// The response body.
    pub(crate) body: String,
    pub(crate) is_refused: bool,
    pub(crate) steps: Vec<StepRow>,
    /// Which slip explains the refusal.
    pub(crate) cause: Option<String>,
}

impl Exchange {
    /// Replaces a step's explanation, if the step passed.
    pub(crate) fn explain(mut self, step: Step, detail: &str) -> Self {
        for row in self.steps.iter_mut().filter(|row| row.step == step && row.outcome == Outcome::Passed) {
            detail.clone_into(&mut row.detail);
        }
        self
    }
}

/// One step of the check.
#[derive(Debug)]
pub(crate) struct StepRow {
    pub(crate) step: Step,
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Refused,
    NotReached,
}

impl Outcome {
    const fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::NotReached => "not-reached",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::NotReached => "not reached",
        }
    }
}

#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage {
    signed_in: Option<SignedIn>,
    /// The claims as the vendor's type, formatted.
    typed: Option<String>,
    cards: Vec<Card>,
    demo: bool,
}

pub(crate) async fn index(portal: State<Portal>, session: Session) -> Result<Response, Problem> {
    show(&portal, &session, None).await
}

/// The front page, with the result of a button on the card with this id.
pub(crate) async fn show(
    portal: &Portal,
    session: &Session,
    exchange: Option<(&str, Exchange)>,
) -> Result<Response, Problem> {
    let signed_in = SignedIn::of(session, &portal.clock).await?;
    let typed = signed_in.as_ref().and_then(|signed_in| vendors::typed(&signed_in.provider, &signed_in.claims));
    let mut cards = vendors::cards(portal, session).await?;
    if let Some((id, exchange)) = exchange
        && let Some(card) = cards.iter_mut().find(|card| card.id == id)
    {
        card.exchange = Some(exchange);
    }
    Ok(render(&IndexPage { signed_in, typed, cards, demo: portal.demo })?.into_response())
}

pub(crate) fn render(template: &impl Template) -> Result<Html<String>, Problem> {
    Ok(Html(template.render().map_err(Problem::from)?))
}

/// A page with one message.
#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    title: &'a str,
    code: &'a str,
    advice: &'a str,
}

pub(crate) fn message(title: &str, code: &str, advice: &str) -> String {
    // Cannot fail: rendering to a string has no I/O.
    MessagePage { title, code, advice }.render().unwrap_or_else(|_| title.to_owned())
}

/// The answer to a refused login: a page with advice for browsers, the default JSON otherwise. Neither reveals the exact
/// reason.
pub(crate) fn refused(rejection: &Rejection, head: &Parts) -> http::Response<Bytes> {
    let mut response = rejection.problem_json();
    if problem::wants_html(&head.headers) {
        let code = rejection.code();
        let advice = match code {
            Code::Unavailable | Code::TooManyRequests => {
                "Wait a moment, then go back to your partner’s site and click again."
            }
            _ => "Go back to your partner’s site and click again: each click creates a new link.",
        };
        *response.body_mut() = message(code.title(), code.as_str(), advice).into();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    response
}

pub(crate) async fn style() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, include_str!("templates/style.css"))
}
