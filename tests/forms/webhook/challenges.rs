//! Challenges: what senders ask before they send, by real requests to axum and to bare hyper.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_sso::Identity;
use tower_sso::providers::webhooks::{self as senders, challenges};
use tower_sso::webhook::challenge::Challenge;

use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn verify() -> tower_sso::VerifyLayer<Webhook<Value>> {
    senders::meta().secrets([KEY]).replay(MemoryReplay::new()).handler_remembers().build().unwrap()
}

async fn handler(_: Identity<Value>) -> &'static str {
    "processed"
}

/// Serves the challenge before a layer that verifies, with axum and with hyper.
async fn serve(challenge: Challenge) -> [SocketAddr; 2] {
    let app = Router::new()
        .route("/hook", post(handler).layer(ServiceBuilder::new().layer(challenge.clone()).layer(verify())));
    let axum = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hyper = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = [axum.local_addr().unwrap(), hyper.local_addr().unwrap()];
    tokio::spawn(axum::serve(axum, app).into_future());
    let processed = service_fn(|_| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::from("processed")))
    });
    let service = ServiceBuilder::new().layer(challenge).layer(verify()).service(processed);
    tokio::spawn(async move {
        loop {
            let (stream, _) = hyper.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    addresses
}

/// A request, and the status and body that it gets.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], u16, &'static str);

async fn check(challenge: Challenge, cases: &[Case]) {
    let client = reqwest::Client::new();
    for address in serve(challenge).await {
        for (method, target, headers, status, body) in cases {
            let mut request = client.request(method.parse().unwrap(), format!("http://{address}{target}"));
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), *status, "{method} {target} {headers:?}");
            if *status == 200 {
                assert_eq!(answer.headers()["cache-control"], "no-store", "{target}");
                assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{target}");
                let expected = if body.starts_with('{') { "application/json" } else { "text/plain; charset=utf-8" };
                let given = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
                assert_eq!(given.as_deref(), Some(expected).filter(|_| !body.is_empty()), "{target}");
            }
            if !matches!(*status, 401 | 405) {
                assert_eq!(answer.text().await.unwrap(), *body, "{method} {target} {headers:?}");
            }
        }
        // A delivery still reaches the handler.
        let call = SigningWebhook::new(Secret::new(KEY)).prefix("sha256=").sign(format!(r#"{{"to":"{address}"}}"#));
        let delivery = client.post(format!("http://{address}/hook")).header("content-type", "application/json");
        let delivery = delivery.header("x-hub-signature-256", call.signature).body(call.body);
        assert_eq!(delivery.send().await.unwrap().text().await.unwrap(), "processed");
    }
}

#[tokio::test]
async fn meta_and_dropbox_get_their_text_back() {
    let cases: &[Case] = &[
        (
            "GET",
            "/hook?hub.mode=subscribe&hub.verify_token=my%20token&hub.challenge=1158201444",
            &[],
            200,
            "1158201444",
        ),
        ("GET", "/hook?hub.verify_token=my+token&hub.challenge=%3Cb%3E", &[], 200, "<b>"),
        ("GET", "/hook?hub.verify_token=another&hub.challenge=1", &[], 403, ""),
        ("GET", "/hook?hub.verify_token=&hub.challenge=1", &[], 403, ""),
        ("GET", "/hook?hub.verify_token=my+token&hub.verify_token=my+token&hub.challenge=1", &[], 400, ""),
        ("GET", "/hook?hub.verify_token=my+token&hub.challenge=1&hub.challenge=2", &[], 400, ""),
        ("GET", "/hook?hub.verify_token=my+token&hub.challenge=", &[], 400, ""),
        ("GET", "/hook?hub.verify_token=my+token&hub.challenge=%0A", &[], 400, ""),
        ("GET", "/hook?hub.challenge=1", &[], 405, ""),
    ];
    check(challenges::meta("my token").unwrap(), cases).await;
    let long = format!("/hook?challenge={}", "x".repeat(513)).leak();
    let cases: &[Case] = &[
        ("GET", "/hook?challenge=abc", &[], 200, "abc"),
        ("GET", long, &[], 400, ""),
        ("GET", "/hook", &[], 405, ""),
        ("HEAD", "/hook?challenge=abc", &[], 405, ""),
    ];
    check(challenges::dropbox(), cases).await;
    assert!(challenges::meta(" ").is_err());
}

#[tokio::test]
async fn okta_and_trello() {
    let header: &[(&str, &str)] = &[("x-okta-verification-challenge", "Me_rShK8\"")];
    let cases: &[Case] =
        &[("GET", "/hook", header, 200, r#"{"verification":"Me_rShK8\""}"#), ("GET", "/hook", &[], 405, "")];
    check(challenges::okta(), cases).await;
    check(challenges::trello(), &[("HEAD", "/hook", &[], 200, ""), ("GET", "/hook", &[], 200, "")]).await;
}

/// The key also signs deliveries: what could be one is not signed.
#[tokio::test]
async fn x_gets_an_hmac_of_nothing_that_could_be_a_message() {
    const ANSWER: &str = r#"{"response_token":"sha256=p3d0JHVatNcZhgERl8ZAabkQPwxsyqO6QSOFyBnpx4I="}"#;
    let cases: &[Case] = &[
        ("GET", "/hook?crc_token=challenge_string&nonce=1", &[], 200, ANSWER),
        ("GET", "/hook?crc_token=%7B%22a%22%3A1%7D", &[], 400, ""),
        ("GET", "/hook?crc_token=v0%3A1700000000%3Aa", &[], 400, ""),
        ("GET", "/hook?crc_token=1700000000.a", &[], 400, ""),
        ("GET", "/hook?crc_token=%5B1%5D", &[], 400, ""),
        ("GET", "/hook?crc_token=null", &[], 400, ""),
        ("GET", "/hook?crc_token=true", &[], 400, ""),
        ("GET", "/hook?crc_token=123", &[], 400, ""),
        ("GET", "/hook?crc_token=-1e5", &[], 400, ""),
        ("GET", "/hook?crc_token=a=b", &[], 400, ""),
        ("GET", "/hook?crc_token=a===", &[], 400, ""),
        ("GET", "/hook?crc_token=", &[], 400, ""),
        ("GET", "/hook", &[], 405, ""),
    ];
    check(challenges::x(KEY).unwrap(), cases).await;
    assert!(challenges::x("").is_err());
}

/// Asana's key is taken once.
#[tokio::test]
async fn a_handshake_is_the_applications_decision() {
    let stored = Arc::new(Mutex::new(None));
    let kept = stored.clone();
    let challenge = challenges::asana(move |head, key| {
        assert_eq!(head.uri.path(), "/hook");
        let kept = kept.clone();
        async move {
            if key == Secret::new("broken") {
                return Err(std::io::Error::other("the database is away"));
            }
            let mut kept = kept.lock().unwrap();
            let is_new = kept.is_none() || *kept == Some(key.clone());
            kept.get_or_insert(key);
            Ok(is_new)
        }
    });
    let first: &[(&str, &str)] = &[("x-hook-secret", "the-key-that-asana-made-up")];
    let cases: &[Case] = &[
        ("POST", "/hook", &[("x-hook-secret", "broken")], 503, ""),
        ("POST", "/hook", &[("x-hook-secret", "with space")], 400, ""),
        ("POST", "/hook", &[("x-hook-secret", "")], 400, ""),
        ("POST", "/hook", first, 200, ""),
        ("POST", "/hook", &[("x-hook-secret", "another")], 403, ""),
        ("GET", "/hook", first, 405, ""),
    ];
    check(challenge.clone(), cases).await;
    assert_eq!(*stored.lock().unwrap(), Some(Secret::new(first[0].1)));
    let [address, _] = serve(challenge).await;
    let again = reqwest::Client::new().post(format!("http://{address}/hook")).header(first[0].0, first[0].1).send();
    assert_eq!(again.await.unwrap().headers()["x-hook-secret"], first[0].1);
}
