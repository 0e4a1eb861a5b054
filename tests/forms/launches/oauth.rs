//! Platforms that sign with OAuth 1.0a.

use http::{Method, Request};
use http_body_util::Full;
use serde_json::Value;
use tower_sso::clock::UnixTime;
use tower_sso::oauth1::Origin;
use tower_sso::providers::launches::{self, LtiLaunch};
use tower_sso::sign::OAuthLink;

use super::launch::Launch;
use super::presets::{DEFAULT, Preset};
use super::signers::{Signer, keys, once};
use crate::support::{NOW, outcome};

const TOOL: &str = "https://tool.example/launch?tool=7";

fn origin() -> Origin {
    Origin::new("https://app.example")
}

fn link(address: &str, signer: Signer, at: u64, user: &str) -> OAuthLink {
    OAuthLink::new(address, signer.name(), &signer.secret()).issued_at(UnixTime::from_secs(at)).nonce(user)
}

fn query(address: &str, signer: Signer, at: u64, user: &str) -> Launch {
    Launch::get(&link(address, signer, at, user).uri(&[("userName", user), ("assetId", "1")]).unwrap())
}

/// Eloqua opens pages, creates instances of a service and deletes them. The method is signed.
#[tokio::test]
async fn eloquas_calls_have_three_methods() {
    let address = "https://app.example/eloqua";
    for (signed, sent, expected) in [
        (Method::GET, Method::GET, "ok"),
        (Method::POST, Method::POST, "ok"),
        (Method::DELETE, Method::DELETE, "ok"),
        (Method::GET, Method::DELETE, "invalid"),
        (Method::PUT, Method::PUT, "method_not_allowed"),
    ] {
        let link = link(address, Signer::Acme, NOW, "n").method(signed.clone());
        let uri = link.uri(&[("instance", "1")]).unwrap();
        let request = Request::builder().method(sent.clone()).uri(uri).body(Full::default()).unwrap();
        let app = once(launches::eloqua::<Value>(origin()).keys(keys("acme", "other")));
        assert_eq!(outcome(&app.send(request).await), expected, "{signed} {sent}");
    }
}

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "lti11",
        app: || {
            let origin = Origin::new("https://tool.example");
            once(launches::lti11::<LtiLaunch>(origin).keys(keys("acme", "other")))
        },
        launch: |signer, at, user| {
            let fields = [
                ("lti_message_type", "basic-lti-launch-request"),
                ("lti_version", "LTI-1p0"),
                ("user_id", user),
                ("context_id", "c1"),
            ];
            Launch::form(TOOL, &link(TOOL, signer, at, user).form(&fields).unwrap())
        },
        appended: Some("extra=1"),
        ..DEFAULT
    },
    Preset {
        name: "eloqua",
        app: || once(launches::eloqua::<Value>(origin()).keys(keys("acme", "other"))),
        launch: |signer, at, user| query("https://app.example/eloqua", signer, at, user),
        appended: Some("extra=1"),
        ..DEFAULT
    },
    Preset {
        name: "appdirect",
        app: || once(launches::appdirect::<Value>(origin()).keys(keys("acme", "other"))),
        launch: |signer, at, user| query("https://app.example/event", signer, at, user),
        appended: Some("extra=1"),
        ..DEFAULT
    },
];
