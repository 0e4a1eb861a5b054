//! A page for operators: paste a partner's request, and read why it does not pass.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use axum::{Form, Router};
use serde::Deserialize;

use crate::app::Portal;
use crate::problem::Problem;
use crate::{explain, page};

#[derive(Template)]
#[template(path = "explain.html")]
struct ExplainPage {
    request: String,
    /// Empty before a request was given.
    said: String,
}

#[derive(Deserialize)]
struct Asked {
    request: String,
}

pub(super) fn start() -> Router<Portal> {
    Router::new().route("/demo/explain", get(form).post(answer))
}

async fn form() -> Result<Html<String>, Problem> {
    page::render(&ExplainPage { request: String::new(), said: String::new() })
}

async fn answer(portal: State<Portal>, Form(Asked { request }): Form<Asked>) -> Result<Html<String>, Problem> {
    let said = match explain::read(&request) {
        Ok(read) => {
            portal.explainers.explain(read).await.map_or_else(|| explain::UNKNOWN.to_owned(), |said| said.to_string())
        }
        Err(error) => error.to_string(),
    };
    page::render(&ExplainPage { request, said })
}
