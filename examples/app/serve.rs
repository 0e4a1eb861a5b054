//! A server with limits.

use std::{pin::pin, sync::Arc, time::Duration};

use axum::{Router, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::{server::graceful::GracefulShutdown, service::TowerToHyperService};
use tokio::{net::TcpListener, sync::Semaphore};

/// Replaces `axum::serve`, which limits neither connections nor the time for a request's head.
pub(crate) async fn serve(mut listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    let (room, connections, mut stop) = (Arc::new(Semaphore::new(1_000)), GracefulShutdown::new(), pin!(stop));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
    loop {
        // axum's `accept` waits if there are no file descriptors left.
        let next = async { (Arc::clone(&room).acquire_owned().await, Listener::accept(&mut listener).await) };
        let (place, (stream, _)) = tokio::select! { next = next => next, () = &mut stop => break };
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app.clone()));
        let connection = connections.watch(connection);
        tokio::spawn(async move { (connection.await, place).0 });
    }
    drop(listener);
    _ = tokio::time::timeout(Duration::from_secs(20), connections.shutdown()).await;
}
