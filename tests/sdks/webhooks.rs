//! Calls of webhooks.

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::post;
use tower_sso::body::RawBody;
use tower_sso::providers::webhooks as senders;
use tower_sso::scheme::Origin;
use tower_sso::webhook::Webhook;
use tower_sso::{Builder, Identity};

use crate::calls::{Server, node, python, replay};

#[tokio::test]
async fn what_the_senders_libraries_sign_is_accepted_once() {
    let mut calls = python("sdks");
    calls.extend(node("sdks"));
    let presets: BTreeSet<_> = calls.iter().map(|call| call["preset"].as_str().unwrap()).collect();
    assert!(
        presets.is_superset(&BTreeSet::from(["slack", "standard_webhooks", "stripe", "svix", "twilio"])),
        "{presets:?}"
    );
    for call in &calls {
        let (preset, layer) = (call["preset"].as_str().unwrap(), layer(call["preset"].as_str().unwrap()));
        let verify = layer.secrets([call["secret"].as_str().unwrap()]).replay(replay()).handler_remembers();
        let app = Router::new().route("/hook", post(|event: Identity<RawBody>| async move { event.0.clone() }));
        let server = Server::of(app.route_layer(verify.build().unwrap())).await;
        let body = call["body"].as_str().unwrap();
        let send = async |body: &str| server.send("/hook", &call["headers"], Some(body)).await;
        assert_eq!(send(body).await, (200, body.to_owned()), "{preset}: processed");
        assert_eq!(send(body).await, (200, String::new()), "{preset}: a duplicate");
        assert_eq!(send(&format!("{body} ")).await.0, 401, "{preset}: changed");
    }
}

fn layer(preset: &str) -> Builder<Webhook<RawBody>> {
    match preset {
        "github" => senders::github(),
        "shopify" => senders::shopify(),
        "slack" => senders::slack(),
        "standard_webhooks" => senders::standard_webhooks(),
        "stripe" => senders::stripe(),
        "svix" => senders::svix(),
        // Its public address, which is signed.
        "twilio" => senders::danger_twilio(Origin::new("https://app.example")),
        other => panic!("{other}: not in this test"),
    }
}
