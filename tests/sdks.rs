//! Calls that the senders' own libraries sign, sent to a real server. `scripts/test` installs the libraries.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::process::Command;

use axum::Router;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tower_sso::body::RawBody;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::providers::webhooks as senders;
use tower_sso::replay::MemoryReplay;
use tower_sso::scheme::Origin;
use tower_sso::webhook::Webhook;
use tower_sso::{Builder, Identity};

#[tokio::test]
async fn what_the_senders_libraries_sign_is_accepted_once() {
    let mut calls = python();
    calls.extend(node());
    let presets: BTreeSet<_> = calls.iter().map(|call| call["preset"].as_str().unwrap()).collect();
    assert!(
        presets.is_superset(&BTreeSet::from(["slack", "standard_webhooks", "stripe", "svix", "twilio"])),
        "{presets:?}"
    );
    for call in &calls {
        let (preset, layer) = (call["preset"].as_str().unwrap(), layer(call["preset"].as_str().unwrap()));
        // The library may have signed before the store was made.
        let replay = MemoryReplay::builder().danger_no_startup_cutoff().build();
        let verify = layer.secrets([call["secret"].as_str().unwrap()]).replay(replay).handler_remembers();
        let app = Router::new().route("/hook", post(|event: Identity<RawBody>| async move { event.0.clone() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = app.route_layer(verify.build().unwrap());
        let serving = tokio::spawn(axum::serve(listener, app).into_future());
        let body = call["body"].as_str().unwrap();
        let send = async |body: String| {
            let mut request = reqwest::Client::new().post(&address).body(body);
            for (name, value) in call["headers"].as_object().unwrap() {
                request = request.header(name, value.as_str().unwrap());
            }
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        assert_eq!(send(body.to_owned()).await, (200, body.to_owned()), "{preset}: processed");
        assert_eq!(send(body.to_owned()).await, (200, String::new()), "{preset}: a duplicate");
        assert_eq!(send(format!("{body} ")).await.0, 401, "{preset}: changed");
        serving.abort();
    }
}

fn layer(preset: &str) -> Builder<Webhook<RawBody>> {
    match preset {
        "github" => senders::github(),
        "slack" => senders::slack(),
        "standard_webhooks" => senders::standard_webhooks(),
        "stripe" => senders::stripe(),
        "svix" => senders::svix(),
        // Its public address, which is signed.
        "twilio" => senders::danger_twilio(Origin::new("https://app.example")),
        other => panic!("{other}: not in this test"),
    }
}

fn python() -> Vec<Value> {
    let Some(python) = std::env::var_os("TOWER_SSO_PYTHON") else {
        panic!("TOWER_SSO_PYTHON is not set: run scripts/test, which installs the senders' libraries");
    };
    let now = SystemClock.now().as_secs().to_string();
    calls(Command::new(python).args(["-B", "tests/clients/sdks.py", &now]))
}

/// Only where npm is installed.
fn node() -> Vec<Value> {
    let Some(modules) = std::env::var_os("TOWER_SSO_NODE_MODULES") else { return Vec::new() };
    calls(Command::new("node").arg("tests/clients/sdks.mjs").arg(modules))
}

fn calls(command: &mut Command) -> Vec<Value> {
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}
