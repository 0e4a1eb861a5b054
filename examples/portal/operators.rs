//! A page for operators: paste a partner's request, and read why it does not pass.
//!
//! It is served on a listener of its own, on this machine alone and only if the configuration asks for it
//! (`operators_listen`), so no route that a client can reach leads here. The demo, which has no secrets worth keeping,
//! has it on a path.

use std::net::SocketAddr;

use askama::Template;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use http::header::HOST;
use serde::Deserialize;

use crate::app::{self, Portal};
use crate::config::{ConfigError, Origin};
use crate::problem::Problem;
use crate::{explain, page};

#[derive(Template)]
#[template(path = "explain.html")]
struct ExplainPage {
    request: String,
    /// Empty before a request was given.
    said: String,
    demo: bool,
}

#[derive(Deserialize)]
struct Asked {
    request: String,
}

/// All that the operators' listener serves.
pub(crate) fn app(portal: &Portal, address: SocketAddr) -> Result<Router, ConfigError> {
    let own = Origin::of_listener(address);
    let pages = page_at("/").route("/style.css", get(page::style)).layer(app::own_site(&own)?);
    let pages = pages.layer(from_fn_with_state(address, of_this_machine));
    Ok(app::presented(portal, &own, pages).with_state(portal.clone()))
}

/// The page, whose form is sent to where it is.
pub(crate) fn page_at(path: &str) -> Router<Portal> {
    Router::new().route(path, get(form).post(answer))
}

/// Refuses names of other hosts: a site could have its own name lead here (DNS rebinding), and its script would read
/// the answer.
async fn of_this_machine(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if host != address.to_string() && host != format!("localhost:{}", address.port()) {
        return Problem::NOT_FOUND.into_response();
    }
    next.run(request).await
}

async fn form(portal: State<Portal>) -> Result<Html<String>, Problem> {
    page::render(&ExplainPage { request: String::new(), said: String::new(), demo: portal.demo })
}

async fn answer(portal: State<Portal>, Form(Asked { request }): Form<Asked>) -> Result<Html<String>, Problem> {
    let said = match explain::read(&request) {
        Ok(read) => {
            portal.explainers.explain(read).await.map_or_else(|| explain::UNKNOWN.to_owned(), |said| said.to_string())
        }
        Err(error) => error.to_string(),
    };
    page::render(&ExplainPage { request, said, demo: portal.demo })
}
