//! Bodies beside a credential that signs none: what counts as one, wherever only waiting tells.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{MethodRouter, any};
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::Value;
use tower::ServiceExt;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_sso::keys::MemoryKeys;
use tower_sso::rejection::Rejection;
use tower_sso::scheme::Place;
use tower_sso::sign::JwtSigner;
use tower_sso::{ConfigProblem, jwt, shared_secret};

use crate::bodies::over_a_socket;
use crate::support::subject::{FernetSubject, JwtSubject, Subject, Wish, keys};
use crate::support::{App, NOW, clock, outcome, reason, replay, seen};

/// `role=admin` in gzip.
const PACKED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xca\xcf\x49\xb5\x4d\x4c\xc9\xcd\xcc\
    \x03\x00\x08\x4b\xee\x3a\x0a\x00\x00\x00";

const ANY: [Method; 2] = [Method::GET, Method::POST];

async fn echo(body: Bytes) -> Bytes {
    body
}

/// Says how many trailers there are.
pub(crate) async fn trailers(body: Body) -> String {
    body.collect().await.unwrap().trailers().map_or(0, HeaderMap::len).to_string()
}

/// A form that reads no body, and one that may read it.
fn apps() -> [(Router, String); 2] {
    apps_of(|| any(echo))
}

pub(crate) fn apps_of(inner: fn() -> MethodRouter) -> [(Router, String); 2] {
    let fernet = FernetSubject::layer(keys::<FernetSubject>(), replay(), clock()).methods(ANY).build().unwrap();
    let jwt = JwtSubject::layer(keys::<JwtSubject>(), replay(), clock()).methods(ANY).build().unwrap();
    [
        (
            Router::new().route("/sso", inner().layer(fernet)),
            FernetSubject::request(&Wish::default()).uri().to_string(),
        ),
        (Router::new().route("/page", inner().layer(jwt)), JwtSubject::request(&Wish::default()).uri().to_string()),
    ]
}

fn why(answer: &http::Response<Body>) -> &'static str {
    answer.extensions().get::<Rejection>().map_or("ok", |rejection| rejection.reason().as_str())
}

/// As HTTP/2 and chunked requests come, and those of HTTP/1 through middleware that hides where they end.
#[tokio::test]
async fn a_body_without_a_length_is_awaited() {
    for (chunks, expected) in [
        (&[][..], "ok"),
        (&[""], "ok"),
        (&["", ""], "ok"),
        (&["a"], "unsigned_body"),
        (&["", "a", "b"], "unsigned_body"),
    ] {
        for (app, link) in apps() {
            let frames: Vec<_> =
                chunks.iter().map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::from(*chunk)))).collect();
            let body = Body::new(StreamBody::new(stream::iter(frames)));
            let request = Request::post(&link).body(body).unwrap();
            assert_eq!(why(&app.clone().oneshot(request).await.unwrap()), expected, "{chunks:?}");
            if expected != "ok" {
                let request = Request::post(&link).body(Body::empty()).unwrap();
                assert_eq!(why(&app.oneshot(request).await.unwrap()), "ok", "{chunks:?}: nothing was used up");
            }
        }
    }
}

/// No bytes and trailers, as HTTP/2 may bring them behind `content-length: 0`.
struct Trailers(Option<HeaderMap>);

impl http_body::Body for Trailers {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(0)
    }
}

#[tokio::test]
async fn trailers_of_an_empty_body_do_not_go_on() {
    for (app, link) in apps_of(|| any(trailers)) {
        let unsigned = [(HeaderName::from_static("role"), HeaderValue::from_static("admin"))];
        let body = Body::new(Trailers(Some(HeaderMap::from_iter(unsigned))));
        let answer = app.oneshot(Request::post(&link).body(body).unwrap()).await.unwrap();
        assert_eq!(why(&answer), "ok");
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "0", "{link}");
    }
}

/// The runtime's clock is paused, and moves on to the timeout.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_not_awaited_for_ever() {
    let [_, (app, link)] = apps();
    let body = Body::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>()));
    let answer = app.oneshot(Request::post(&link).body(body).unwrap()).await.unwrap();
    assert_eq!(why(&answer), "body_timeout");
}

#[tokio::test]
async fn middleware_that_wraps_bodies_shuts_nobody_out_and_nothing_in() {
    for method in ANY {
        for (app, link) in apps() {
            let app =
                app.layer(RequestBodyTimeoutLayer::new(Duration::from_secs(5))).layer(RequestDecompressionLayer::new());
            let send = async |body: &'static [u8], encoding: &str| {
                let request = Request::builder().method(method.clone()).uri(&link).header("content-encoding", encoding);
                why(&app.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap())
            };
            assert_eq!(send(b"role=admin", "identity").await, "unsigned_body");
            assert_eq!(send(PACKED, "gzip").await, "unsigned_body", "decompression takes the length away");
            assert_eq!(send(b"", "identity").await, "ok");
        }
    }
}

#[tokio::test]
async fn over_a_socket_a_length_of_zero_is_no_body() {
    let chunk = "transfer-encoding: chunked\r\n\r\n";
    for (method, rest, expected) in [
        ("GET", "\r\n".to_owned(), 200),
        ("GET", "content-length: 0\r\n\r\n".to_owned(), 200),
        ("POST", "content-length: 0\r\n\r\n".to_owned(), 200),
        ("POST", "content-type: application/x-www-form-urlencoded\r\ncontent-length: 0\r\n\r\n".to_owned(), 200),
        ("POST", format!("{chunk}0\r\n\r\n"), 200),
        ("GET", "content-length: 3\r\n\r\na=1".to_owned(), 400),
        ("POST", "content-length: 3\r\n\r\na=1".to_owned(), 400),
        ("POST", format!("{chunk}3\r\na=1\r\n0\r\n\r\n"), 400),
        // The client waits for 100 and sends nothing: it gets the refusal at once.
        ("POST", "content-length: 3\r\nexpect: 100-continue\r\n\r\n".to_owned(), 400),
    ] {
        for (app, link) in apps() {
            let sent = format!("{method} {link} HTTP/1.1\r\nhost: rp.example\r\nconnection: close\r\n{rest}");
            assert_eq!(over_a_socket(app, sent.as_bytes()).await.0, expected, "{method} {rest:?}");
        }
    }
}

/// A form or JSON body could have had the token, so it was read.
#[tokio::test]
async fn a_body_that_could_have_had_the_token_is_refused_beside_another() {
    let layer = || {
        let layer = jwt::layer::<Value>(jwt::Algorithm::HS512).audience("rp.example").replay(replay()).clock(clock());
        let layer = layer.token_in(Place::bearer()).or_in(Place::form("jwt")).methods([Method::POST]);
        layer.keys(MemoryKeys::new().with("default", JwtSubject::key(0)))
    };
    let claims = serde_json::json!({"iat": NOW, "exp": NOW + 60, "aud": "rp.example"});
    let token = JwtSigner::new(jwt::Algorithm::HS512, &JwtSubject::key(0)).unwrap().token(&claims).unwrap();
    let request = |body: String| {
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        request.header("authorization", format!("Bearer {token}")).body(Full::from(body)).unwrap()
    };
    let app = App::new(layer().build().unwrap());
    assert_eq!(reason(&app.send(request("role=admin".into())).await), "unsigned_body");
    assert_eq!(reason(&app.send(request(format!("jwt={token}"))).await), "duplicate_parameter");
    assert_eq!(reason(&app.send(request(String::new())).await), "ok");
    let dangerous = App::new(layer().danger_unsigned_body().build().unwrap());
    let answer = dangerous.send(request("role=admin".into())).await;
    assert_eq!((outcome(&answer), &seen(&answer).body[..]), ("ok", &b"role=admin"[..]));
    assert_eq!(reason(&dangerous.send(request(format!("jwt={token}"))).await), "duplicate_parameter");
}

/// A page that shows its token with every call sends what it likes.
#[tokio::test]
async fn a_bearers_body_is_its_own() {
    let reusable = || {
        let layer = jwt::layer::<Value>(jwt::Algorithm::HS512).danger_any_audience().danger_reusable().clock(clock());
        let layer = layer.token_in(Place::bearer()).methods([Method::POST]);
        layer.keys(MemoryKeys::new().with("default", JwtSubject::key(0)))
    };
    let claims = serde_json::json!({"iat": NOW, "exp": NOW + 60});
    let token = JwtSigner::new(jwt::Algorithm::HS512, &JwtSubject::key(0)).unwrap().token(&claims).unwrap();
    let request = Request::post("/").header("authorization", format!("Bearer {token}")).body(Full::from("role=admin"));
    let answer = App::new(reusable().build().unwrap()).send(request.unwrap()).await;
    assert_eq!((outcome(&answer), &seen(&answer).body[..]), ("ok", &b"role=admin"[..]));

    let refused = reusable().danger_unsigned_body().build().unwrap_err();
    assert!(matches!(refused.problem(), ConfigProblem::Setting { .. }), "{refused}");
    let by_tenant = shared_secret::by_tenant::<Value>().secrets(["0123456789abcdef"]).danger_unsigned_body();
    assert!(by_tenant.build().unwrap_err().to_string().contains("danger_unsigned_body"));
}
