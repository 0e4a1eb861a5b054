//! The demo: this program also plays the partners, so that there is something to click.
//!
//! What is here belongs to a partner, not to a relying party: it makes credentials. It is off whenever a configuration
//! file is given.

pub(crate) mod tutorcruncher;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use http::{Request, StatusCode, Uri, header};
use tower::ServiceExt;
use tower_sso::observe::Step;
use tower_sso::rejection::Rejection;
use tower_sso::sign::generate_fernet_key;

use crate::app::Portal;
use crate::page::{Exchange, Outcome, Row, StepRow};

/// What a demo partner has: its own notebook, which is in the portal's settings, and a way to reach the portal.
#[derive(Clone)]
pub(crate) struct Demo {
    pub(crate) portal: Portal,
    /// The very routes that partners call.
    vendors: Router,
}

/// The routes of the page's buttons.
pub(crate) async fn start(portal: &Portal, vendors: Router) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let demo = Demo { portal: portal.clone(), vendors };
    let mut routes = Router::new();
    if let Some(config) = &portal.tutorcruncher {
        routes = routes.merge(tutorcruncher::start(&demo, config).await?);
    }
    Ok(routes.layer(DefaultBodyLimit::max(16 * 1024)))
}

impl Demo {
    /// Sends a request through the portal's own routes, inside the process, and tells how each step of the check went.
    pub(crate) async fn send(&self, request: Request<String>) -> Exchange {
        let (method, address) = (request.method().clone(), request.uri().to_string());
        let curl = curl(&request);
        let (mut head, body) = request.into_parts();
        // As a server sees it.
        head.uri = head.uri.path_and_query().map_or_else(Uri::default, |path| path.clone().into());
        let response = self.vendors.clone().oneshot(Request::from_parts(head, Body::from(body))).await;
        let response = response.unwrap_or_else(|never| match never {});

        let status = response.status();
        let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        let rejection = response.extensions().get::<Rejection>();
        Exchange {
            request: format!("{method} {address}"),
            curl,
            answer: format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default()),
            meaning: match (rejection, location) {
                (Some(rejection), _) => format!("{}: {}", rejection.code().as_str(), rejection.code().title()),
                (None, Some(location)) => format!("A session, and on to {location}"),
                (None, None) => "Accepted".to_owned(),
            },
            is_accepted: status == StatusCode::OK,
            steps: Step::ALL.into_iter().map(|step| row(step, rejection)).collect(),
        }
    }
}

/// The outcome of a step: those before the one that refused had passed, those after it were not reached.
fn row(step: Step, rejection: Option<&Rejection>) -> StepRow {
    let (name, checks) = match step {
        Step::Extract => ("Parsed", "The parts of the form are there, once, and decode"),
        Step::Keys => ("Key found", "The tenant that it names has a key"),
        Step::Verify => ("Signature", "One of the tenant’s keys made it"),
        Step::Time => ("Time", "It is inside its window"),
        Step::Claims => ("Claims", "It says what is required"),
        Step::Replay => ("First use", "It was not used before"),
    };
    let (outcome, detail) = match rejection.map(Rejection::reason) {
        Some(reason) if step == reason.step() => (Outcome::Refused, sentence(&reason.to_string())),
        Some(reason) if step > reason.step() => (Outcome::NotReached, checks.to_owned()),
        _ => (Outcome::Passed, checks.to_owned()),
    };
    StepRow { step, name, outcome, detail }
}

/// A reason with a capital letter, like its neighbours.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// The same request for a terminal.
fn curl(request: &Request<String>) -> String {
    let mut lines = vec![format!("curl -i {}", quoted(&request.uri().to_string()))];
    for (name, value) in request.headers() {
        lines.push(format!("-H {}", quoted(&format!("{name}: {}", value.to_str().unwrap_or_default()))));
    }
    if !request.body().is_empty() {
        lines.push(format!("--data-raw {}", quoted(request.body())));
    }
    lines.join(" \\\n  ")
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Which link a button sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Fresh,
    Again,
    Tampered,
    Expired,
}

/// What is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The browser is sent there, as the partner would.
    Go,
    /// It is sent inside the process, and the page shows what came of it.
    ShowSteps,
}

impl Kind {
    const ALL: [(Self, &str); 4] =
        [(Self::Fresh, "fresh"), (Self::Again, "again"), (Self::Tampered, "tampered"), (Self::Expired, "expired")];

    /// The buttons for links. There is no same link before the first.
    pub(crate) fn rows(has_link: bool) -> Vec<Row> {
        vec![
            Row::new("Sign in", "A fresh link.").button("go-fresh", "Sign in").button("steps-fresh", "Show the steps"),
            Row::new("The same link again", "Refused: it was used before.")
                .button_if(has_link, "go-again", "Send it again")
                .button_if(has_link, "steps-again", "Show the steps"),
            Row::new("Tamper with it", "Refused: one character was changed.")
                .button("go-tampered", "Send it tampered")
                .button("steps-tampered", "Show the steps"),
            Row::new("Let it expire", "Refused: the partner’s clock is set back two minutes.")
                .button("go-expired", "Send it late")
                .button("steps-expired", "Show the steps"),
        ]
    }

    pub(crate) fn of_button(button: &str) -> Option<(Self, Then)> {
        let (then, name) = button.split_once('-')?;
        let then = match then {
            "go" => Then::Go,
            "steps" => Then::ShowSteps,
            _ => return None,
        };
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(kind, _)| (kind, then))
    }
}

/// The link with its last letter but some changed, so that it still has the form of one.
pub(crate) fn tampered(link: &str) -> String {
    let at = link.len().saturating_sub(20);
    link.char_indices()
        .map(|(index, c)| match c {
            _ if index != at => c,
            'A' => 'B',
            _ => 'A',
        })
        .collect()
}

/// Five digits that nobody has chosen.
pub(crate) fn random_number() -> u32 {
    let random = generate_fernet_key();
    let sum = random.expose().iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    10_000 + sum % 90_000
}
