//! A body that only begins like a form's type is none: axum would read it, so the layer must not let it through.

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use serde_json::Value;
use tower::ServiceExt;
use tower_sso::jwt::{self, Algorithm};
use tower_sso::scheme::{Place, TimeFormat};
use tower_sso::sealed::{self, Seal};
use tower_sso::shared_secret;
use tower_sso::signed_parameters::{self, Join, Recipe, Source};
use tower_sso::signed_payload::{self, Layout};

use crate::support::{clock, replay};

const SECRET: &str = "a secret of the partner's that is long enough for HS512, to be sure, and then some";

/// Each form that reads forms or JSON, and lets requests without a credential through.
fn apps(place: fn() -> Place) -> Vec<(&'static str, Router)> {
    macro_rules! app {
        ($layer:expr) => {
            app!(@replay $layer.replay(replay()))
        };
        (@replay $layer:expr) => {{
            let layer = $layer.methods([Method::POST]).secrets([SECRET]).clock(clock()).optional().build().unwrap();
            Router::new().route("/", post(|| async { "handled" }).layer(layer))
        }};
    }
    let seconds = TimeFormat::Seconds;
    let recipe = || Recipe::all(Join::pairs('&'));
    let layout = Layout::payload_first(place(), ".");
    vec![
        ("jwt", app!(jwt::layer::<Value>(Algorithm::HS512).audience("rp").token_in(place()))),
        ("sealed", app!(sealed::layer::<Value>(Seal::FramedAesGcm, place()).issued_at("iat", seconds))),
        ("shared_secret", app!(@replay shared_secret::by_tenant::<Value>().token_in(place()))),
        ("signed_payload", app!(signed_payload::layer::<Value>(layout).issued_at("iat", seconds))),
        (
            "signed_parameters, a value",
            app!(signed_parameters::layer::<Value>(recipe()).issued_at("ts", seconds).source(Source::Value(place()))),
        ),
        (
            "signed_parameters, a signature",
            app!(signed_parameters::layer::<Value>(recipe()).issued_at("ts", seconds).signature_in(place())),
        ),
    ]
}

async fn ask(app: &Router, types: &[&str], body: &'static str) -> u16 {
    let mut request = Request::post("/").body(Body::from(body)).unwrap();
    types.iter().for_each(|kind| _ = request.headers_mut().append(CONTENT_TYPE, kind.parse().unwrap()));
    app.clone().oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn what_only_begins_like_a_form_is_refused() {
    for (name, app) in apps(|| Place::form("t")) {
        for types in [
            &["application/x-www-form-urlencodedx"][..],
            &["application/x-www-form-urlencoded, text/plain"],
            &["application/x-www-form-urlencoded", "text/plain"],
            &["text/plain", "application/x-www-form-urlencoded"],
        ] {
            assert_eq!(ask(&app, types, "t=1&role=admin").await, 415, "{name}: {types:?}");
        }
        assert_eq!(ask(&app, &["Application/X-WWW-Form-Urlencoded; charset=utf-8"], "role=admin").await, 400, "{name}");
        assert_eq!(ask(&app, &[], "").await, 200, "{name}: nothing at all");
    }
}

#[tokio::test]
async fn what_only_begins_like_json_is_refused() {
    for (name, app) in apps(|| Place::json("t")) {
        for types in [
            &["application/jsonx"][..],
            &["application/vnd.api+json"],
            &["application/json, text/plain"],
            &["application/json", "text/plain"],
        ] {
            assert_eq!(ask(&app, types, r#"{"t":"1","role":"admin"}"#).await, 415, "{name}: {types:?}");
        }
        assert_eq!(ask(&app, &["application/json"], r#"{"role":"admin"}"#).await, 400, "{name}");
    }
}
