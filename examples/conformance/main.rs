//! A server for conformance tests: the test driver configures its routes at run time, and so can test any form.
//!
//! ```text
//! cargo run --example conformance
//! ```
//! It listens on two free ports on the loopback interface and prints both as one line of JSON:
//!
//! | port | request | effect |
//! |---|---|---|
//! | `control` | `PUT /config` | replaces all routes, clears all state, sets the clock |
//! | `control` | `PUT /clock` | sets the clock: `{"now": 1700000000.5}`, or null for the real time |
//! | `listen` | any | answers with the layer's verdict as JSON, with the precise reason |
//!
//! For tests only: it reveals precise reasons, and anyone who reaches the control port can reconfigure it.

mod answer;
mod clock;
mod forms;
mod launches;
mod presets;
mod routes;
mod seatmap;
mod tokens;

use std::convert::Infallible;
use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use clock::SetClock;
use routes::Routes;

type Reply = Response<Full<Bytes>>;

/// State shared by both listeners.
#[derive(Clone, Default)]
struct Server {
    routes: Arc<RwLock<Arc<Routes>>>,
    clock: SetClock,
}

impl Server {
    async fn serve(&self, request: Request<Incoming>) -> Reply {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner).clone();
        match routes.find(request.uri().path(), request.method()) {
            Some(route) => route.oneshot(request).await.unwrap_or_else(|never| match never {}),
            None => answer::refused(StatusCode::NOT_FOUND, "no_route"),
        }
    }

    async fn control(&self, request: Request<Incoming>) -> Reply {
        let target = (request.method().clone(), request.uri().path().to_owned());
        let Ok(body) = request.into_body().collect().await.map(http_body_util::Collected::to_bytes) else {
            return answer::refused(StatusCode::BAD_REQUEST, "incomplete_body");
        };
        let done = match (&target.0, target.1.as_str()) {
            (&Method::PUT, "/config") => self.configure(&body),
            (&Method::PUT, "/clock") => self.set_clock(&body),
            _ => return answer::refused(StatusCode::NOT_FOUND, "PUT /config or /clock"),
        };
        match done {
            Ok(()) => answer::empty(StatusCode::NO_CONTENT),
            Err(problem) => answer::refused(StatusCode::BAD_REQUEST, &problem.to_string()),
        }
    }

    fn configure(&self, body: &[u8]) -> Result<(), Box<dyn Error>> {
        let config: routes::Config = serde_json::from_slice(body)?;
        let routes = Routes::build(&config, &self.clock)?;
        self.clock.set(config.clock)?;
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routes);
        Ok(())
    }

    fn set_clock(&self, body: &[u8]) -> Result<(), Box<dyn Error>> {
        #[derive(Deserialize)]
        struct Now {
            now: Option<f64>,
        }
        let Now { now } = serde_json::from_slice(body)?;
        Ok(self.clock.set(now)?)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listen, control) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    println!(r#"{{"listen":"{}","control":"{}"}}"#, listen.local_addr()?, control.local_addr()?);
    let server = Server::default();
    tokio::try_join!(accept(listen, server.clone(), Port::Listen), accept(control, server, Port::Control))?;
    Ok(())
}

#[derive(Clone, Copy)]
enum Port {
    Listen,
    Control,
}

/// Serves connections until the process is killed.
async fn accept(listener: TcpListener, server: Server, port: Port) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let server = server.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let server = server.clone();
                async move {
                    Ok::<_, Infallible>(match port {
                        Port::Listen => server.serve(request).await,
                        Port::Control => server.control(request).await,
                    })
                }
            });
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            match connection.without_shutdown().await {
                Ok(parts) => linger(parts.io.into_inner()).await,
                Err(error) => eprintln!("connection: {error}"),
            }
        });
    }
}

/// Reads what is left of a body that was refused: a client that still writes it would not see the answer.
async fn linger(mut stream: TcpStream) {
    let rest = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(64 * 1024 * 1024), &mut tokio::io::sink()).await
    };
    // Whether the client hangs up or not, the answer has been sent.
    let _ = tokio::time::timeout(Duration::from_secs(5), rest).await;
}
