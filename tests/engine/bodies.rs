//! Bodies that do not arrive over a real connection: the answer depends on what cut them off.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::post;
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceExt;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_sso::rejection::Rejection;

use crate::support::subject::{Subject, WebhookSubject, Wish, keys};
use crate::support::{clock, replay};

async fn echo(body: Bytes) -> Bytes {
    body
}

fn hook() -> Router {
    let layer = WebhookSubject::layer(keys::<WebhookSubject>(), replay(), clock());
    let layer = layer.body_timeout(Duration::from_secs(5)).build().unwrap();
    Router::new().route("/hook", post(echo).layer(layer))
}

/// A signed call's headers and body.
async fn call() -> (String, Bytes) {
    let (head, body) = WebhookSubject::request(&Wish::default()).into_parts();
    let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
    let headers = head.headers.iter().filter(|(name, _)| *name != "content-length");
    (headers.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect(), body)
}

/// The server's answer to these bytes: the status and the body.
pub(crate) async fn over_a_socket(app: Router, sent: &[u8]) -> (u16, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer).await;
    server.abort();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn chunked(headers: &str, chunks: &[&[u8]]) -> Vec<u8> {
    let mut sent = format!(
        "POST /hook HTTP/1.1\r\nhost: rp.example\r\nconnection: close\r\ntransfer-encoding: chunked\r\n{headers}\r\n"
    )
    .into_bytes();
    for chunk in chunks {
        sent.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        sent.extend_from_slice(chunk);
        sent.extend_from_slice(b"\r\n");
    }
    sent
}

#[tokio::test]
async fn a_limit_outside_the_layer_is_413() {
    let (headers, body) = call().await;
    let app = |limit| hook().layer(RequestBodyLimitLayer::new(limit));
    let mut sent = chunked(&headers, &body.chunks(5).collect::<Vec<_>>());
    sent.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(over_a_socket(app(body.len()), &sent).await.0, 200, "as long as it may be");
    let (status, said) = over_a_socket(app(body.len() - 1), &sent).await;
    assert_eq!(status, 413, "{said}");
    assert!(said.contains("payload_too_large"), "{said}");
}

#[tokio::test]
async fn a_timeout_outside_the_layer_is_408() {
    let (headers, body) = call().await;
    let app = hook().layer(RequestBodyTimeoutLayer::new(Duration::from_millis(50)));
    let (status, said) = over_a_socket(app, &chunked(&headers, &[&body[..10]])).await;
    assert_eq!(status, 408, "{said}");
    assert!(said.contains("request_timeout"), "{said}");
}

#[tokio::test]
async fn a_body_that_cannot_be_decompressed_is_400_in_the_decompressors_words() {
    let (headers, body) = call().await;
    let headers = format!("{headers}content-encoding: gzip\r\n");
    let app = || hook().layer(RequestDecompressionLayer::new());
    // The header lies: the body is not compressed.
    let mut sent = chunked(&headers, &[&body]);
    sent.extend_from_slice(b"0\r\n\r\n");
    let (status, said) = over_a_socket(app(), &sent).await;
    assert_eq!(status, 400, "{said}");
    assert!(said.contains("malformed") && !said.contains("gzip"), "the client is not told: {said}");

    let request = sent_by(&headers, body.to_vec());
    let answer = app().oneshot(request).await.unwrap();
    let rejection = rejection(&answer);
    assert_eq!(rejection.reason().as_str(), "incomplete_body");
    assert!(rejection.to_string().contains("gzip"), "{rejection}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400() {
    let (headers, body) = call().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, hook()).await });
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(&chunked(&headers, &[&body[..10]])).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    _ = stream.read_to_string(&mut answer).await;
    server.abort();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
}

/// Errors of every kind, nested in their sources as deep as middleware nests them.
#[tokio::test]
async fn errors_are_told_apart_by_their_sources() {
    use std::io::{Error, ErrorKind};
    let limit = || {
        let body = http_body_util::Limited::new(Body::from("too long"), 1);
        async { http_body_util::BodyExt::collect(body).await.unwrap_err() }
    };
    for (error, expected, code, why) in [
        (
            Error::other(limit().await),
            "body_over_outer_limit",
            413,
            "inside an `io::Error`, whose own source it is not",
        ),
        (Error::other(Error::other(limit().await)), "body_over_outer_limit", 413, "twice"),
        (Error::from(ErrorKind::TimedOut), "body_timeout", 408, "a transport's timeout"),
        (Error::other(Error::from(ErrorKind::TimedOut)), "body_timeout", 408, "the same, inside another"),
        (Error::other("operation timed out"), "body_timeout", 408, "hyper's, whose type is private"),
        (Error::from(ErrorKind::ConnectionReset), "incomplete_body", 400, "it broke off"),
        (Error::new(ErrorKind::InvalidInput, "corrupt deflate stream"), "incomplete_body", 400, "not as it was packed"),
    ] {
        let (headers, _) = call().await;
        let body = Body::from_stream(futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(error)]));
        let answer = hook().oneshot(sent_by(&headers, body)).await.unwrap();
        assert_eq!((rejection(&answer).reason().as_str(), answer.status().as_u16()), (expected, code), "{why}");
    }
}

/// An error's text goes to the log, so its length is limited.
#[tokio::test]
async fn an_errors_words_are_cut() {
    let (headers, _) = call().await;
    let error = std::io::Error::other("ä".repeat(10_000));
    let body = Body::from_stream(futures::stream::iter([Err::<Bytes, _>(error)]));
    let answer = hook().oneshot(sent_by(&headers, body)).await.unwrap();
    let said = rejection(&answer).to_string();
    assert!(said.ends_with(&format!(": {}", "ä".repeat(120))), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_in_time_is_408() {
    let (headers, _) = call().await;
    let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let answer = hook().oneshot(sent_by(&headers, body)).await.unwrap();
    assert_eq!((rejection(&answer).reason().as_str(), answer.status().as_u16()), ("body_timeout", 408));
}

fn sent_by(headers: &str, body: impl Into<Body>) -> Request<Body> {
    let headers = headers.lines().filter_map(|line| line.split_once(": "));
    let request = headers.fold(Request::post("/hook"), |request, (name, value)| request.header(name, value));
    request.body(body.into()).unwrap()
}

fn rejection(answer: &Response) -> Rejection {
    answer.extensions().get::<Rejection>().cloned().expect("the layer has answered")
}
