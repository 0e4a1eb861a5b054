//! The client: keep-alive connections, one thread for each, and a schedule.

use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::links::Sent;
use crate::server::Server;

const CONNECTIONS: usize = 8;

/// Each connection sends the next request as soon as it has its answer.
pub(crate) const PACE_AT_ONCE: Duration = Duration::ZERO;

/// Time for the threads to start before the first request is due.
const LEAD: Duration = Duration::from_millis(5);

/// A server and the connections to it.
pub(crate) struct Client {
    server: Server,
    origin: String,
    connections: Vec<Connection>,
}

/// The results of some requests.
pub(crate) struct Answers {
    pub(crate) latencies: Vec<Duration>,
    pub(crate) took: Duration,
}

impl Client {
    pub(crate) fn of(server: Server) -> Self {
        let connections = (0..CONNECTIONS).map(|_| Connection::open(&server)).collect();
        Self { origin: format!("http://{}", server.address), server, connections }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn server_cpu(&self) -> Option<u64> {
        self.server.cpu()
    }

    /// Sends one request per `pace`. Every answer must have this status.
    pub(crate) fn send(&mut self, requests: Vec<Sent>, pace: Duration, status: StatusCode) -> Answers {
        let start = Instant::now() + LEAD;
        let mut shares: Vec<Vec<(Instant, Sent)>> = (0..CONNECTIONS).map(|_| Vec::new()).collect();
        for (number, request) in requests.into_iter().enumerate() {
            shares[number % CONNECTIONS].push((start + pace.mul_f64(number as f64), request));
        }
        let latencies = thread::scope(|scope| {
            let pairs = self.connections.iter_mut().zip(shares);
            let threads: Vec<_> =
                pairs.map(|(connection, share)| scope.spawn(move || connection.work(share, status))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        Answers { latencies, took: start.elapsed() }
    }
}

/// A connection. It is driven by the thread that waits for its answer.
struct Connection {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    fn open(server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let sender = runtime.block_on(async {
            let stream = TcpStream::connect(server.address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender }
    }

    fn work(&mut self, share: Vec<(Instant, Sent)>, status: StatusCode) -> Vec<Duration> {
        share.into_iter().map(|(due, request)| self.answer(due, request, status)).collect()
    }

    /// The latency of an answer, counted from when the request was due. So a late previous answer counts too; otherwise a
    /// stalling server would get fewer requests and look fast. This thread's own late wake-up does not count.
    fn answer(&mut self, due: Instant, request: Sent, status: StatusCode) -> Duration {
        let asked = if Instant::now() < due { wait_until(due) } else { due };
        let address = request.uri().path().to_owned();
        let (answered, body) = self.runtime.block_on(async {
            self.sender.ready().await.unwrap();
            let answer = self.sender.send_request(request).await.unwrap();
            (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
        });
        let took = asked.elapsed();
        assert_eq!(answered, status, "{address}: {}", String::from_utf8_lossy(&body));
        took
    }
}

/// Sleeps in the thread: tokio's timer has a resolution of a millisecond.
fn wait_until(due: Instant) -> Instant {
    loop {
        let now = Instant::now();
        match due.checked_duration_since(now) {
            Some(left) if !left.is_zero() => thread::park_timeout(left),
            _ => return now,
        }
    }
}
