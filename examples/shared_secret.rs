//! A seatmap.pro platform signs its users in with its private key. On bare hyper, without a framework.
//!
//! ```text
//! cargo run --example shared_secret
//! ```
//! It prints a curl command. The session id in the answer is a one-time ticket: see `examples/ticket.rs`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tower_sso::ConfigError;
use tower_sso::Identity;
use tower_sso::body::LayerBody;
use tower_sso::providers::seatmap::{self, SeatmapLogin};
use tower_sso::shared_secret::PrivateKeys;
use tower_sso::throttle::Throttle;
use tower_sso::ticket::{MemoryTickets, Tickets};

/// The whole integration. Each request must carry its peer's address in its extensions.
fn app<B>(
    keys: PrivateKeys,
    tickets: Tickets,
) -> Result<
    impl Service<Request<B>, Response = Response<LayerBody<Full<Bytes>>>, Error = Infallible, Future: Send> + Clone + Send,
    ConfigError,
>
where
    B: http_body::Body<Data: Send> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    // Three wrong keys per address and minute.
    let by_peer = Throttle::by(|head| Some(head.extensions.get::<ConnectInfo<SocketAddr>>()?.0.into()));
    let guesses = by_peer.limit(3).window(Duration::from_secs(60));
    let sign_in = seatmap::autologin(keys).throttle(guesses).build()?;
    let answer = service_fn(move |request: Request<LayerBody<B>>| {
        let (user, tickets) = (Identity::<SeatmapLogin>::of(request.extensions()).cloned(), tickets.clone());
        async move { Ok(session(user, &tickets).await) }
    });
    Ok(sign_in.layer(answer))
}

/// Your app would look the user up within the organisation, `user.tenant()`.
async fn session(user: Option<Identity<SeatmapLogin>>, tickets: &Tickets) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let ticket = match user {
        Some(user) => tickets.issue(user.tenant(), user.claims()).await.ok(),
        None => None,
    };
    match ticket {
        Some(ticket) => *response.body_mut() = format!(r#"{{"sessionId":"{ticket}"}}"#).into(),
        None => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
    }
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = PrivateKeys::new().with("default", ["a key that we gave to the platform"])?;
    let app = app(keys, Tickets::new(MemoryTickets::new()))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let body = r#"{"login":"jd@seatmap.pro","token":"a key that we gave to the platform"}"#;
    let url = format!("http://{}/api/auth/autologin", listener.local_addr()?);
    println!("curl -H 'content-type: application/json' -d '{body}' {url}");
    loop {
        let (stream, peer) = listener.accept().await?;
        let with_peer = ServiceBuilder::new().map_request(move |mut request: Request<hyper::body::Incoming>| {
            // As axum's `into_make_service_with_connect_info::<SocketAddr>()` does.
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let service = TowerToHyperService::new(with_peer.service(app.clone()));
        tokio::spawn(async move {
            // Without a timer, hyper waits forever for a request's head. More limits: `examples/portal/serve.rs`.
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn the_key_signs_in_and_is_not_guessed() -> Result<(), Box<dyn std::error::Error>> {
        let keys = PrivateKeys::new().with("default", ["3f9c-private"])?;
        let app = app(keys, Tickets::new(MemoryTickets::new()))?;
        let call = async |token: &str, peer: [u8; 4]| -> Result<(u16, String), Box<dyn std::error::Error>> {
            let body = format!(r#"{{"login":"jd@seatmap.pro","firstName":"John","token":"{token}"}}"#);
            let mut request = Request::post("/api/auth/autologin").header("content-type", "application/json");
            request = request.extension(ConnectInfo(SocketAddr::from((peer, 443))));
            let answer = app.clone().oneshot(request.body(Full::<Bytes>::from(body))?).await?;
            let (status, body) = (answer.status().as_u16(), answer.into_body().collect().await?.to_bytes());
            Ok((status, String::from_utf8(body.to_vec())?))
        };
        const PLATFORM: [u8; 4] = [192, 0, 2, 1];
        const GUESSER: [u8; 4] = [192, 0, 2, 2];
        let (status, answer) = call("3f9c-private", PLATFORM).await?;
        assert!(status == 200 && answer.starts_with(r#"{"sessionId":""#), "{answer}");
        assert_ne!(call("3f9c-private", PLATFORM).await?.1, answer, "each call gets its own session");
        for _ in 0..3 {
            assert_eq!(call("3f9c-guessed", GUESSER).await?.0, 401);
        }
        assert_eq!(call("3f9c-guessed", GUESSER).await?.0, 429);
        assert_eq!(call("3f9c-private", PLATFORM).await?.0, 200, "other addresses are not locked out");
        Ok(())
    }
}
