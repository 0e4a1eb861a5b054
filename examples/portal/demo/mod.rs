//! The demo plays the partners: it signs credentials and sends them to the portal. A relying party has no such code. Off
//! whenever a configuration file is given.

mod draft;
pub(crate) mod lcvista;
pub(crate) mod seatmap;
pub(crate) mod site_builder;
pub(crate) mod tutorcruncher;
pub(crate) mod waggl;

use std::fmt::Write;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use http::{Request, StatusCode, Uri, header};
use tower::ServiceExt;
use tower_sso::clock::{Clock, UnixTime};
use tower_sso::rejection::Rejection;
use tower_sso::rejection::Step;
use tower_sso::sign::{SignError, generate_fernet_key};

use crate::app::Portal;
use crate::operators;
use crate::page::{Exchange, Outcome, Row, StepRow};
use crate::problem::Problem;

/// Shared by the demo's partners, which store their own state in the portal's settings.
#[derive(Clone)]
pub(crate) struct Demo {
    pub(crate) portal: Portal,
    /// The portal's real partner routes.
    vendors: Router,
}

/// The routes of all demo buttons.
pub(crate) async fn start(portal: &Portal, vendors: Router) -> Result<Router<Portal>, Box<dyn std::error::Error>> {
    let demo = Demo { portal: portal.clone(), vendors };
    let mut routes = operators::page_at("/demo/explain");
    for vendor in &portal.vendors {
        routes = routes.merge(vendor.partner(&demo).await?);
    }
    Ok(routes.layer(DefaultBodyLimit::max(16 * 1024)))
}

impl Demo {
    /// When a link of this kind is issued: now, or `late` ago for an expired one.
    fn time_of(&self, kind: Kind, late: Duration) -> UnixTime {
        let now = self.portal.clock.now();
        if kind == Kind::Expired { now.minus(late) } else { now }
    }

    /// [Sends](Self::send) a GET request for the link.
    async fn open(&self, link: &str) -> Result<Exchange, Problem> {
        let request = Request::get(link).body(String::new()).map_err(|_| Problem::NOT_FOUND)?;
        Ok(self.send(request).await)
    }

    /// Sends a request through the portal's routes, inside the process, and reports the outcome of each step.
    pub(crate) async fn send(&self, request: Request<String>) -> Exchange {
        let (method, address) = (request.method().clone(), request.uri().to_string());
        let curl = curl(&request);
        let (mut head, body) = request.into_parts();
        // Origin form, as a server receives it.
        head.uri = head.uri.path_and_query().map_or_else(Uri::default, |path| path.clone().into());
        let copy = Request::from_parts(head.clone(), Body::from(body.clone()));
        let response = self.vendors.clone().oneshot(Request::from_parts(head, Body::from(body))).await;
        let response = response.unwrap_or_else(|never| match never {});

        let (response, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap_or_default();
        let status = response.status;
        let problem = response.extensions.get::<Problem>();
        let location = response.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let rejection = response.extensions.get::<Rejection>();
        let explanation = match rejection {
            Some(_) => self.portal.explainers.explain(copy).await,
            None => None,
        };
        Exchange {
            request: format!("{method} {address}"),
            curl,
            answer: format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default()),
            meaning: match (rejection, problem, location) {
                (Some(rejection), ..) => format!("{}: {}", rejection.code().as_str(), rejection.code().title()),
                (_, Some(problem), _) => format!("{}: {}", problem.code, problem.title),
                (.., Some(location)) => format!("Starts a session and redirects to {location}"),
                _ => "Accepted".to_owned(),
            },
            is_accepted: status == StatusCode::OK,
            body: String::from_utf8_lossy(&body).into_owned(),
            is_refused: status.is_client_error() || status.is_server_error(),
            steps: Step::ALL.into_iter().map(|step| row(step, rejection)).collect(),
            cause: explanation.and_then(|explanation| explanation.cause().map(sentence)),
        }
    }
}

/// The outcome of a step: the steps before the refusing one passed, the steps after it were not reached.
fn row(step: Step, rejection: Option<&Rejection>) -> StepRow {
    let (name, checks) = match step {
        Step::Extract => ("Parsed", "Every part is present once and decodes"),
        Step::Keys => ("Key found", "The tenant has a key"),
        Step::Verify => ("Signature", "Made with one of the tenant’s keys"),
        Step::Time => ("Time", "Within the time window"),
        Step::Claims => ("Claims", "All required claims are present"),
        Step::Replay => ("First use", "Not used before"),
    };
    let (outcome, detail) = match rejection.map(Rejection::reason) {
        Some(reason) if step == reason.step() => (Outcome::Refused, sentence(&reason.to_string())),
        Some(reason) if step > reason.step() => (Outcome::NotReached, checks.to_owned()),
        _ => (Outcome::Passed, checks.to_owned()),
    };
    StepRow { step, name, outcome, detail }
}

/// Capitalizes the first letter.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// The request as a curl command.
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

/// Quotes for a POSIX shell.
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

/// How far an expired link is backdated, and the hint next to its button.
const TWO_MINUTES: Duration = Duration::from_secs(120);
pub(crate) const TWO_MINUTES_LATE: &str = "Refused: the partner’s clock is set back two minutes.";
const TEN_MINUTES: Duration = Duration::from_secs(600);
pub(crate) const TEN_MINUTES_LATE: &str = "Refused: the partner’s clock is set back ten minutes.";

/// What a button does with the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Redirects the browser to it, as the partner would.
    Go,
    /// Sends it inside the process and shows each step.
    ShowSteps,
}

impl Kind {
    const ALL: [(Self, &str); 4] =
        [(Self::Fresh, "fresh"), (Self::Again, "again"), (Self::Tampered, "tampered"), (Self::Expired, "expired")];

    /// The buttons for links. "Send it again" is disabled until there is a first link.
    pub(crate) fn rows(has_link: bool, late: &'static str) -> Vec<Row> {
        vec![
            Row::new("Sign in", "A fresh link.").button("go-fresh", "Sign in").button("steps-fresh", "Show the steps"),
            Row::new("The same link again", "Refused: already used.")
                .button_if(has_link, "go-again", "Send it again")
                .button_if(has_link, "steps-again", "Show the steps"),
            Row::new("Tamper with it", "Refused: one character was changed.")
                .button("go-tampered", "Send it tampered")
                .button("steps-tampered", "Show the steps"),
            Row::new("Let it expire", late)
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

/// Changes one character near the end of the link, so that it still parses.
pub(crate) fn tampered(link: &str) -> String {
    let at = link.len().saturating_sub(20);
    link.char_indices()
        .map(|(index, c)| match c {
            _ if index != at => c,
            // In hex, `a` and `A` mean the same.
            'A' | 'a' => 'B',
            _ => 'A',
        })
        .collect()
}

/// Percent-encodes a value for a query (RFC 3986, 2.3).
fn encoded(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
        encoded
    })
}

fn not_signed(error: SignError) -> Problem {
    tracing::error!(%error, "could not sign a demo link");
    Problem::NOT_FOUND
}

/// A random five-digit number.
pub(crate) fn random_number() -> u32 {
    let random = generate_fernet_key();
    let sum = random.expose().iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    10_000 + sum % 90_000
}
