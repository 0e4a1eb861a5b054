//! An HTTP server with limits on slow clients: timeouts for request heads, idle connections, unread responses and shutdown,
//! and a maximum number of connections.
//!
//! `axum::serve` has none of these. To copy this file, enable hyper-util's features `server-graceful` and `tokio`.

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

/// hyper buffers at most this much of a request's head and answers a longer one with 431. Its default is about 400 KB.
const LONGEST_HEAD: usize = 64 * 1024;

/// File descriptors to keep for the database, the log and Redis.
const OTHER_FILES: u64 = 100;

/// Serves until `stop`, then lets requests in progress finish within `shutdown_timeout`.
pub(crate) async fn serve(listener: TcpListener, app: Router, limits: &Connections, stop: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(limits.most.min(room_for_files())));
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        // At the limit, new clients wait in the listener's queue until a connection closes.
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

/// Yields before each request. hyper answers up to sixteen pipelined requests of a connection in a row: with 500 such
/// clients, everyone else waited a second for each step.
async fn in_turn(request: Request, next: Next) -> Response {
    tokio::task::yield_now().await;
    next.run(request).await
}

fn http(limits: &Connections) -> http1::Builder {
    let mut http = http1::Builder::new();
    // The timer starts after the last response, so it also limits idle connections.
    http.timer(TokioTimer::new()).header_read_timeout(limits.head_timeout).max_buf_size(LONGEST_HEAD);
    http
}

/// Drops clients that do not read their response. Every byte read restarts the timer.
fn with_write_timeout(stream: TcpStream, timeout: Duration) -> std::pin::Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(timeout));
    Box::pin(stream)
}

/// The next connection. Skips clients that have disconnected; when file descriptors run out, retries every second.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_disconnect(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn is_disconnect(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Raises the limit of open files as far as allowed (processes usually start with 1,024), and returns how many connections
/// fit.
fn room_for_files() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot raise the limit of open files");
        1_024
    });
    usize::try_from(files.saturating_sub(OTHER_FILES)).map_or(Semaphore::MAX_PERMITS, |files| files.max(1))
}
