//! The span of a check.

mod every_form;

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::clock::UnixTime;
use tower_sso::keys::{Keys, MemoryKeys, Secret};
use tower_sso::sign::{JwtSigner, SigningWebhook};
use tower_sso::tenant::Tenant;
use tower_sso::{jwt, keys, webhook};

use crate::support::log::{Log, Span};
use crate::support::{App, NOW, Request_, clock, replay};

const OLD: &str = "an-old-secret-of-acme";
const NEW: &str = "a-new-secret-of-acme";

fn get(uri: &str) -> Request_ {
    Request::get(uri).body(Full::default()).unwrap()
}

fn link(secret: &str, subject: &str) -> Request_ {
    let signer = JwtSigner::new(jwt::Algorithm::HS256, &Secret::new(secret)).unwrap();
    let claims = json!({"sub": subject, "aud": "rp", "iat": NOW, "exp": NOW + 60});
    get(&format!("/acme?sso_jwt={}", signer.token(&claims).unwrap()))
}

fn app(optional: bool) -> App {
    let keys = MemoryKeys::new().with("acme", OLD);
    keys.rotate("acme", NEW, UnixTime::from_secs(NOW + 60));
    let layer = jwt::layer::<Value>(jwt::Algorithm::HS256).audience("rp").namespace("staff");
    let layer = layer.tenant(Tenant::path_segment(0)).keys(keys).replay(replay()).clock(clock());
    App::new(if optional { layer.optional() } else { layer }.build().unwrap())
}

/// The fields as `name=value`, by name, and nothing but them.
fn told(span: &Span) -> String {
    assert_eq!(span.of, "DEBUG tower_sso check");
    span.fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn each_check_is_a_span_with_fixed_fields() {
    let app = app(false);
    let log = Log::start();
    app.send(link(NEW, "ada")).await;
    app.send(link(OLD, "bob")).await;
    app.send(link(NEW, "ada")).await;
    app.send(link("another secret of acme", "ada")).await;
    app.send(get("/x%0aoutcome=accepted?sso_jwt=a")).await;
    app.send(get("/acme")).await;
    let spans = log.spans();
    for (span, expected) in spans.iter().zip([
        "form=jwt key_use=current namespace=staff outcome=accepted tenant=acme",
        "form=jwt key_use=previous namespace=staff outcome=accepted tenant=acme",
        "form=jwt namespace=staff outcome=refused reason=replayed tenant=acme",
        "form=jwt namespace=staff outcome=refused reason=bad_signature tenant=acme",
        "form=jwt namespace=staff outcome=refused reason=malformed tenant=x\\noutcome=accepted",
        "form=jwt namespace=staff outcome=refused reason=missing_parameter tenant=acme",
    ]) {
        assert_eq!(told(span), expected);
    }
    assert_eq!(spans.len(), 6, "the inner service is outside");
}

#[tokio::test]
async fn a_duplicate_and_a_request_without_a_credential() {
    let hook = webhook::layer::<Value>().secrets([NEW]).replay(replay()).handler_remembers().clock(clock());
    let hook = App::new(hook.build().unwrap());
    let optional = app(true);
    let log = Log::start();
    let call = || SigningWebhook::new(NEW.into()).sign("{}").request("/").map(|body| Full::from(Bytes::from(body)));
    hook.send(call()).await;
    hook.send(call()).await;
    optional.send_unsealed(get("/acme")).await;
    let spans: Vec<String> = log.spans().iter().map(told).collect();
    assert_eq!(
        spans,
        [
            "form=webhook key_use=current namespace= outcome=accepted tenant=default",
            "form=webhook namespace= outcome=acknowledged tenant=default",
            "form=jwt namespace=staff",
        ]
    );
    assert!(
        log.text().contains("duplicate acknowledged form=\"webhook\" namespace=\"\" tenant=default"),
        "{}",
        log.text()
    );
}

/// The inner service is outside the span of a check, whether or not there was a credential.
#[tokio::test]
async fn the_span_ends_before_the_inner_service_is_called() {
    let layer = jwt::layer::<Value>(jwt::Algorithm::HS256).audience("rp").tenant(Tenant::path_segment(0));
    let layer = layer.keys(MemoryKeys::new().with("acme", NEW)).replay(replay()).clock(clock()).optional();
    let log = Log::start();
    let ended = Cell::new(0);
    let service = layer.build().unwrap().layer(service_fn(|_: Request<_>| {
        ended.set(log.spans().len());
        ready(Ok::<_, Infallible>(Response::new(String::new())))
    }));
    for (number, request) in [get("/acme"), link(NEW, "ada")].into_iter().enumerate() {
        service.clone().oneshot(request).await.unwrap();
        assert_eq!(ended.get(), number + 1);
    }
}

/// Somebody who hangs up ends the span, and what is logged meanwhile elsewhere is not inside it.
#[tokio::test]
async fn a_check_that_waits() {
    let store = keys::from_fn(|_| async {
        std::future::pending::<()>().await;
        Ok::<_, std::io::Error>(Keys::unknown_tenant())
    });
    let layer = jwt::layer::<Value>(jwt::Algorithm::HS256).audience("rp").tenant(Tenant::path_segment(0));
    let app = App::new(layer.keys(store).replay(replay()).clock(clock()).build().unwrap());
    let log = Log::start();
    {
        let mut waiting = pin!(app.send(link(NEW, "ada")));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tracing::info!("elsewhere");
        assert!(!log.lines("INFO")[0].contains("check"), "{}", log.text());
        assert_eq!(log.spans(), []);
    }
    assert_eq!(log.spans().iter().map(told).collect::<Vec<_>>(), ["form=jwt namespace="]);
}
