//! Layers next to others, stacked as in the documentation. Mostly, this tests that it compiles.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, REFERRER_POLICY};
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tower_sso::Identity;
use tower_sso::VerifyLayer;
use tower_sso::body::LayerBody;
use tower_sso::fernet::Fernet;
use tower_sso::webhook::Webhook;

use crate::support::subject::{FernetSubject, Subject, WebhookSubject, Wish, keys};
use crate::support::{clock, replay};

fn hook_layer() -> VerifyLayer<Webhook<Value>> {
    WebhookSubject::layer(keys::<WebhookSubject>(), replay(), clock()).build().unwrap()
}

fn link_layer() -> VerifyLayer<Fernet<Value>> {
    FernetSubject::layer(keys::<FernetSubject>(), replay(), clock()).build().unwrap()
}

fn request<S: Subject>() -> Request {
    S::request(&Wish::default()).map(Body::new)
}

async fn handler(user: Identity<Value>) -> String {
    user.tenant().to_string()
}

/// Reports whether it ran inside the layer, where it sees the identity.
async fn inside(request: Request, next: Next) -> Response {
    let identified = Identity::<Value>::of(request.extensions()).is_some();
    let mut answer = next.run(request).await;
    answer.headers_mut().insert("x-inside", HeaderValue::from_static(if identified { "yes" } else { "no" }));
    answer
}

async fn outside(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    answer.headers_mut().insert("x-outside", HeaderValue::from_static("yes"));
    answer
}

#[tokio::test]
async fn axums_from_fn_stands_inside_a_layer_that_reads_the_body() {
    // A layer that reads the body hands a `LayerBody<Body>` on, and axum's middleware takes a `Body`.
    let one_by_one = post(handler).layer::<_, Infallible>(from_fn(inside)).layer(hook_layer());
    let by_router = Router::new().route("/hook", post(handler)).route_layer(from_fn(inside)).route_layer(hook_layer());
    let in_one = ServiceBuilder::new()
        .layer(hook_layer())
        .map_request(|request: http::Request<LayerBody<Body>>| request.map(Body::new))
        .layer(from_fn(inside));
    for (app, way) in [
        (Router::new().route("/hook", one_by_one), "twice `layer`, with the error's type"),
        (by_router, "twice `route_layer`"),
        (Router::new().route("/hook", post(handler).layer(in_one)), "`map_request` between"),
    ] {
        let answer = app.clone().oneshot(request::<WebhookSubject>()).await.unwrap();
        assert_eq!(
            (answer.status(), &answer.headers()["x-inside"]),
            (StatusCode::OK, &"yes".parse().unwrap()),
            "{way}"
        );
        let unsigned = http::Request::post("/hook").body(Body::empty()).unwrap();
        let answer = app.oneshot(unsigned).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{way}");
        assert!(!answer.headers().contains_key("x-inside"), "{way}: nothing unsigned gets inside");
    }
}

#[tokio::test]
async fn axums_from_fn_stands_outside_any_layer() {
    let hook = ServiceBuilder::new().layer(from_fn(outside)).layer(hook_layer());
    let app = Router::new().route("/hook", post(handler).layer(hook));
    assert_eq!(app.oneshot(request::<WebhookSubject>()).await.unwrap().headers()["x-outside"], "yes");
}

#[tokio::test]
async fn other_middleware_stands_on_either_side() {
    let timeout = || TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(10));
    let outside =
        ServiceBuilder::new().layer(TraceLayer::new_for_http()).layer(timeout()).layer(CompressionLayer::new());
    let inside = ServiceBuilder::new()
        .layer(hook_layer())
        .layer(TraceLayer::new_for_http())
        .layer(timeout())
        .layer(CompressionLayer::new());
    for (app, way) in [
        (Router::new().route("/hook", post(handler).layer(outside.clone().layer(hook_layer()))), "outside"),
        (Router::new().route("/hook", post(handler).layer(inside)), "inside"),
        (Router::new().route("/hook", post(handler).layer(hook_layer())).layer(outside.clone()), "around the router"),
    ] {
        assert_eq!(app.oneshot(request::<WebhookSubject>()).await.unwrap().status(), 200, "{way}");
    }
    let link = ServiceBuilder::new().layer(TraceLayer::new_for_http()).layer(link_layer()).layer(timeout());
    let app = Router::new().route("/sso", get(handler).layer(link.layer(from_fn(self::inside))));
    let answer = app.oneshot(request::<FernetSubject>()).await.unwrap();
    assert_eq!((answer.status(), &answer.headers()["x-inside"]), (StatusCode::OK, &"yes".parse().unwrap()), "a link's");
}

/// A layer cannot seal answers that do not pass through it: an outer one does.
#[tokio::test(start_paused = true)]
async fn an_answer_that_the_layer_did_not_see_is_sealed_from_outside() {
    async fn slow(_: Identity<Value>) {
        std::future::pending::<()>().await;
    }
    let stack = || {
        ServiceBuilder::new()
            .layer(HandleErrorLayer::new(async |_: tower::BoxError| StatusCode::GATEWAY_TIMEOUT))
            .layer(link_layer())
            .timeout(Duration::from_secs(1))
    };
    let bare = Router::new().route("/sso", get(slow).layer(stack()));
    let answer = bare.oneshot(request::<FernetSubject>()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    assert!(!answer.headers().contains_key(CACHE_CONTROL), "an error has no headers: this is why");

    let seal = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::overriding(REFERRER_POLICY, HeaderValue::from_static("no-referrer")));
    let sealed = Router::new().route("/sso", get(slow).layer(stack())).route_layer(seal);
    let answer = sealed.oneshot(request::<FernetSubject>()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers()[REFERRER_POLICY], "no-referrer");
}

/// The recipe against mail scanners that fetch like a browser: a GET shows a button that posts the link.
#[tokio::test]
async fn a_scanner_that_fetches_the_link_uses_nothing_up() {
    async fn button() -> Html<&'static str> {
        Html("<form method=\"post\"><button>Sign in</button></form>")
    }
    let sso = FernetSubject::layer(keys::<FernetSubject>(), replay(), clock()).methods([Method::POST]).build().unwrap();
    let app = Router::new().route("/sso", get(button)).route("/sso", post(handler).layer(sso));
    let link = request::<FernetSubject>().uri().clone();
    let send = async |method: Method| {
        let request = http::Request::builder().method(method).uri(&link).body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    };
    for method in [Method::GET, Method::HEAD, Method::GET] {
        assert_eq!(send(method.clone()).await.0, 200, "{method}: the page");
    }
    let (status, said) = send(Method::POST).await;
    assert_eq!((status, &*said), (200, &b"acme"[..]), "the click, to the address of the page, with its query");
    assert_eq!(send(Method::POST).await.0, 401, "once");
}
