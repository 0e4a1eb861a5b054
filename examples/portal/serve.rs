//! The server under the application. Everything that waits for a client has a bound: the head of a request, the time between
//! two of them, an answer that is not read, and the end; and there is a number of connections.
//!
//! `axum::serve` has none of these. Whoever takes this file along needs hyper-util's features `server-graceful` and `tokio`.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use crate::config::Connections;

/// What hyper keeps of a head that has not come to its end, at most; its own default is some 400 KB. A longer one is answered
/// with 431.
const LONGEST_HEAD: usize = 64 * 1024;

/// Files that are not clients' connections: the database's, the log's, Redis'.
const OTHER_FILES: u64 = 100;

/// Until `stop`; then for as long as requests that are under way take, and no longer than is set.
pub(crate) async fn serve(listener: TcpListener, app: Router, limits: &Connections, stop: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(limits.most.min(room_for_files())));
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        // Who finds no room waits in the listener's queue, until somebody goes or is hung up on.
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, accept(&listener).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let connection = connections.watch(http(limits).serve_connection(
            TokioIo::new(with_write_timeout(stream, limits.write_timeout)),
            TowerToHyperService::new(
                app.clone().layer(Extension(ConnectInfo::<SocketAddr>(peer))).layer(from_fn(in_turn)),
            ),
        ));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_timeout, connections.shutdown()).await.is_err() {
        tracing::warn!("stopped while connections were still open");
    }
}

/// A client can send many requests at once on one connection: hyper goes through sixteen of them before it is others' turn.
/// From 500 such clients, that was a second for everybody else's every step.
async fn in_turn(request: Request, next: Next) -> Response {
    tokio::task::yield_now().await;
    next.run(request).await
}

fn http(limits: &Connections) -> http1::Builder {
    let mut http = http1::Builder::new();
    // The time begins when the one before has been answered, so it bounds an idle connection too.
    http.timer(TokioTimer::new()).header_read_timeout(limits.head_timeout).max_buf_size(LONGEST_HEAD);
    http
}

/// For a client that takes nothing of its answer. The time begins anew with every byte that it takes.
fn with_write_timeout(stream: TcpStream, timeout: Duration) -> std::pin::Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(timeout));
    Box::pin(stream)
}

/// The next connection. A client that has gone again is none; where files have run out, it takes until some are closed.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// How many connections there may be files for, once as many are allowed as this process may ask for: usually it is started
/// with 1,024.
fn room_for_files() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "the number of open files is as it was");
        1_024
    });
    usize::try_from(files.saturating_sub(OTHER_FILES)).map_or(Semaphore::MAX_PERMITS, |files| files.max(1))
}
