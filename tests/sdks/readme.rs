//! The README's webhooks, called by the senders' own libraries.
#![allow(unused_variables, reason = "the README says what to do with the event")]

use crate::calls::{Server, has_node, node, now, python};

// From here to the test, the README's own lines.

use axum::{Router, http::StatusCode, routing::post};
use tower_sso::{ConfigError, Identity, MemoryReplay, providers::webhooks};

#[derive(serde::Deserialize)]
struct Event {
    // What you need of the body.
}

async fn on_event(event: Identity<Event>) -> StatusCode {
    // In one transaction: insert event.fingerprint().as_bytes(); if it is new, do what the event asks for.
    StatusCode::OK
}

// As the senders' pages show them.
const STRIPE: &str = "whsec_0123456789abcdef0123456789abcdef";
const SVIX: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const GITHUB: &str = "my secret";

fn hooks() -> Result<Router, ConfigError> {
    let replay = MemoryReplay::new();
    let stripe = webhooks::stripe::<Event>().secrets([STRIPE]).replay(replay.clone()).handler_remembers().build()?;
    let svix = webhooks::svix::<Event>().secrets([SVIX]).replay(replay.clone()).handler_remembers().build()?;
    let github = webhooks::github::<Event>().secrets([GITHUB]).replay(replay).handler_remembers().build()?;
    Ok(Router::new()
        .route("/stripe", post(on_event).layer(stripe))
        .route("/svix", post(on_event).layer(svix))
        .route("/github", post(on_event).layer(github)))
}

#[tokio::test]
async fn what_the_readme_mounts_accepts_the_senders_calls() {
    let (_, shown) = include_str!("readme.rs").split_once("the README's own lines.\n\n").unwrap();
    let (shown, _) = shown.split_once("\n#[tokio::test]").unwrap();
    assert!(include_str!("../../README.md").contains(shown), "the README mounts them otherwise: copy it from there");
    let server = Server::of(hooks().unwrap()).await;
    // The replay store refuses what was signed before it was made.
    let soon = now() + 1;
    let mut calls = python("sdks", soon);
    calls.extend(node("sdks", soon));
    calls.retain(|call| ["github", "stripe", "svix"].iter().any(|sender| call["preset"] == *sender));
    assert_eq!(calls.len(), if has_node() { 3 } else { 2 });
    for call in calls {
        let (target, body) = (format!("/{}", call["preset"].as_str().unwrap()), call["body"].as_str().unwrap());
        for (why, body, expected) in [
            ("changed", format!("{body} "), 401),
            ("as it was signed", body.to_owned(), 200),
            ("a duplicate", body.to_owned(), 200),
        ] {
            let (status, said) = server.send(&target, &call["headers"], Some(&body)).await;
            assert_eq!(status, expected, "{target}: {why}: {said}");
        }
    }
}
