//! Requests over a real HTTP/2 connection: where their bodies end, and what comes behind them.

use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{any, post};
use futures::stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tower_sso::VerifyLayer;
use tower_sso::webhook::Webhook;

use crate::support::subject::{Subject, WebhookSubject, Wish, keys};
use crate::support::{clock, replay};
use crate::unsigned::{apps_of, trailers};

/// A client of this app; HTTP/2 is known to be spoken.
async fn client(app: Router) -> SendRequest<Body> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn send(client: &mut SendRequest<Body>, request: Request<Body>) -> (u16, Bytes) {
    client.ready().await.unwrap();
    let answer = client.send_request(request).await.unwrap();
    (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes())
}

fn frames(frames: Vec<Result<Frame<Bytes>, Error>>) -> Body {
    Body::new(StreamBody::new(stream::iter(frames)))
}

fn data(chunks: &[&'static str]) -> Body {
    frames(chunks.iter().map(|chunk| Ok(Frame::data(Bytes::from(*chunk)))).collect())
}

fn unsigned() -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("role"), HeaderValue::from_static("admin"))])
}

fn at(link: &str) -> Uri {
    format!("http://rp.example{link}").parse().unwrap()
}

#[tokio::test]
async fn a_link_has_no_body_however_it_ends() {
    let late = || {
        Body::from_stream(stream::once(async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            Ok::<_, Error>(Bytes::new())
        }))
    };
    let bodies: [(fn() -> Body, _, _); 6] = [
        (Body::empty, 200, "the stream ends with its head"),
        (|| data(&[]), 200, "with an empty frame"),
        (|| data(&["", ""]), 200, "with several"),
        (late, 200, "later"),
        (|| data(&["role=admin"]), 400, "a frame that nobody signed"),
        (|| data(&["", "role=admin"]), 400, "behind an empty one"),
    ];
    for (body, expected, why) in bodies {
        for (app, link) in apps_of(|| any(trailers)) {
            let client = &mut client(app).await;
            let (status, said) = send(client, Request::post(at(&link)).body(body()).unwrap()).await;
            assert_eq!(status, expected, "{why}: {said:?}");
            if expected == 400 {
                let honest = Request::get(at(&link)).body(Body::empty()).unwrap();
                assert_eq!(send(client, honest).await.0, 200, "{why}: nothing was used up");
            }
        }
    }
}

#[tokio::test]
async fn trailers_reach_no_handler() {
    for length in [Some("0"), None] {
        for (app, link) in apps_of(|| any(trailers)) {
            let mut request = Request::post(at(&link)).body(frames(vec![Ok(Frame::trailers(unsigned()))])).unwrap();
            if let Some(length) = length {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static(length));
            }
            assert_eq!(send(&mut client(app).await, request).await, (200, "0".into()), "{length:?} {link}");
        }
    }
    let (request, body) = call().await;
    let signed = vec![Ok(Frame::data(body)), Ok(Frame::trailers(unsigned()))];
    let app = Router::new().route("/hook", post(trailers).layer(layer()));
    assert_eq!(send(&mut client(app).await, request(frames(signed))).await, (200, "0".into()), "of a webhook");
}

fn layer() -> VerifyLayer<Webhook<Value>> {
    WebhookSubject::layer(keys::<WebhookSubject>(), replay(), clock()).build().unwrap()
}

/// A signed call without its body, and the body.
async fn call() -> (impl Fn(Body) -> Request<Body>, Bytes) {
    let (mut head, body) = WebhookSubject::request(&Wish::default()).into_parts();
    head.uri = at("/hook");
    head.headers.remove(CONTENT_LENGTH);
    let body = body.collect().await.unwrap().to_bytes();
    (move |body| Request::from_parts(head.clone(), body), body)
}

#[tokio::test]
async fn a_webhook_in_several_frames_is_one_body() {
    let (request, body) = call().await;
    let app = Router::new().route("/hook", post(|body: Bytes| async { body }).layer(layer()));
    let client = &mut client(app).await;
    let pieces = body.chunks(5).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    assert_eq!(send(client, request(frames(pieces))).await, (200, body.clone()));
}

#[tokio::test]
async fn a_stream_that_is_reset_uses_nothing_up() {
    let (request, body) = call().await;
    let (calls, started) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (seen, starts) = (Arc::clone(&calls), Arc::clone(&started));
    let handler = move |body: Bytes| async move {
        if seen.fetch_add(1, Ordering::SeqCst) == 0 {
            starts.notify_one();
            std::future::pending::<()>().await;
        }
        body
    };
    let app = Router::new().route("/hook", post(handler).layer(layer()));
    let client = &mut client(app).await;

    let half = vec![Ok(Frame::data(body.slice(..10))), Err(Error::other("the sender has gone"))];
    client.ready().await.unwrap();
    let answer = client.send_request(request(frames(half))).await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 400), "in the middle of its body");
    assert_eq!(calls.load(Ordering::SeqCst), 0);

    client.ready().await.unwrap();
    let answer = tokio::spawn(client.send_request(request(Body::from(body.clone()))));
    started.notified().await;
    answer.abort();
    let again = send(client, request(Body::from(body.clone()))).await;
    assert_eq!((again, calls.load(Ordering::SeqCst)), ((200, body), 2), "while the handler has it");
}
