//! Calls of webhooks.

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::post;
use serde_json::Value;
use tower_sso::body::RawBody;
use tower_sso::providers::webhooks as senders;
use tower_sso::scheme::Origin;
use tower_sso::webhook::Webhook;
use tower_sso::{Builder, Identity};

use crate::calls::{Server, has_node, node, now, python, replay};

#[tokio::test]
async fn what_the_senders_libraries_sign_is_accepted_once() {
    let mut calls = python("sdks", now());
    calls.extend(node("sdks", now()));
    let presets: BTreeSet<_> = calls.iter().map(|call| call["preset"].as_str().unwrap()).collect();
    let mut expected =
        BTreeSet::from(["adyen_header", "adyen_standard", "box", "hubspot_v1", "hubspot_v2", "hubspot_v3"]);
    expected.extend(["paddle", "slack", "standard_webhooks", "stripe", "svix", "twilio"]);
    if has_node() {
        expected.extend(["contentful", "github", "shopify"]);
    }
    assert_eq!(presets, expected);
    for call in &calls {
        let (preset, body) = (call["preset"].as_str().unwrap(), call["body"].as_str().unwrap());
        let server = Server::of(app(preset, call["secret"].as_str().unwrap())).await;
        let send = async |body: &str| server.send("/hook", &call["headers"], Some(body)).await;
        let (status, says) = send(body).await;
        assert!(status == 200 && says.contains(call["says"].as_str().unwrap_or(body)), "{preset}: processed: {says}");
        let (status, again) = send(body).await;
        assert!(status == 200 && again != says, "{preset}: a duplicate: {again}");
        let changed = call["changed"].as_str().map_or_else(|| format!("{body} "), str::to_owned);
        assert_eq!(send(&changed).await.0, 401, "{preset}: changed");
    }
}

fn app(preset: &str, secret: &str) -> Router {
    match preset {
        "adyen_standard" => {
            let layer = senders::danger_adyen_standard::<Value>().secrets([secret]).replay(replay());
            let echo = post(|event: Identity<Value>| async move { event.claims().to_string() });
            Router::new().route("/hook", echo.layer(layer.handler_remembers().build().unwrap()))
        }
        _ => {
            let layer = layer(preset).secrets([secret]).replay(replay());
            let echo = post(|event: Identity<RawBody>| async move { event.0.clone() });
            Router::new().route("/hook", echo.layer(layer.handler_remembers().build().unwrap()))
        }
    }
}

fn layer(preset: &str) -> Builder<Webhook<RawBody>> {
    // The address is signed by some.
    let origin = Origin::new("https://app.example");
    match preset {
        "adyen_header" => senders::adyen_header(),
        "box" => senders::box_com(),
        "contentful" => senders::contentful(),
        "github" => senders::github(),
        "hubspot_v1" => senders::danger_hubspot_v1(),
        "hubspot_v2" => senders::danger_hubspot_v2(origin),
        "hubspot_v3" => senders::hubspot_v3(origin),
        "paddle" => senders::paddle(),
        "shopify" => senders::shopify(),
        "slack" => senders::slack(),
        "standard_webhooks" => senders::standard_webhooks(),
        "stripe" => senders::stripe(),
        "svix" => senders::svix(),
        "twilio" => senders::danger_twilio(origin),
        other => panic!("{other}: not in this test"),
    }
}
