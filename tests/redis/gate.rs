//! A connection that holds back some commands, however many others pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::{Cmd, Pipeline, RedisFuture, Value};
use tokio::sync::Semaphore;
use tower_sso::redis::RedisStore;

use super::Redis;

#[derive(Clone)]
pub(crate) struct Gate {
    connection: MultiplexedConnection,
    /// How many of the next commands are held back.
    pub(crate) hold: Arc<AtomicUsize>,
    pub(crate) open: Arc<Semaphore>,
    sent: Arc<AtomicUsize>,
}

impl Gate {
    pub(crate) async fn new(server: &Redis) -> Self {
        let client = ::redis::Client::open(server.url()).unwrap();
        Self {
            connection: client.get_multiplexed_async_connection().await.unwrap(),
            hold: Arc::default(),
            open: Arc::new(Semaphore::new(0)),
            sent: Arc::default(),
        }
    }

    pub(crate) async fn store(&self) -> RedisStore<Self> {
        RedisStore::builder("test").timeout(Duration::from_secs(60)).over(self.clone()).await.unwrap()
    }

    /// Waits until so many commands are held back.
    pub(crate) async fn holds(&self, number: usize) {
        let asked = Instant::now();
        while self.sent.load(Ordering::Relaxed) < number {
            assert!(asked.elapsed() < Duration::from_secs(30), "the commands do not come");
            tokio::task::yield_now().await;
        }
    }
}

impl ConnectionLike for Gate {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let held = |left: usize| left.checked_sub(1);
            if self.hold.fetch_update(Ordering::Relaxed, Ordering::Relaxed, held).is_ok() {
                self.sent.fetch_add(1, Ordering::Relaxed);
                self.open.acquire().await.unwrap().forget();
            }
            self.connection.req_packed_command(cmd).await
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.connection.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}
