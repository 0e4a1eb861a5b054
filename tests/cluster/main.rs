//! Two portals on one Redis and one Postgres: the compiled examples, and real servers that the tests kill and pause.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod failures;
#[path = "../support/postgres.rs"]
mod postgres;
mod races;
#[path = "../support/redis.rs"]
mod redis;
#[allow(dead_code, reason = "shared with the portal's tests")]
#[path = "../portal/running.rs"]
mod running;

use std::time::{Duration, Instant};

use postgres::Postgres;
use redis::Redis;
use reqwest::{Client, StatusCode};
use running::{Home, Portal, visit};

/// Two portals and what they share.
struct Cluster {
    redis: Redis,
    home: Home,
    configuration: String,
    database: String,
    one: Portal,
    other: Portal,
}

impl Cluster {
    fn start(postgres: &Postgres) -> Self {
        let redis = Redis::start(&[]);
        let home = Home::new();
        let database = postgres.fresh_database();
        let configuration = format!(
            "public_url = \"http://portal.example\"\ndatabase_url = \"{database}\"\nreplay_url = \"{}\"\n{}\
             key_cache = \"1s\"\nwebhook_lease = \"2s\"\n",
            redis.url(),
            home.configuration(),
        );
        let (one, other) = (home.start_with(&configuration), home.start_with(&configuration));
        Self { redis, home, configuration, database, one, other }
    }
}

/// Follows a link without keeping cookies.
async fn status(client: &Client, address: &str) -> StatusCode {
    visit(client, address).await.0
}

async fn health(portal: &Portal) -> StatusCode {
    status(&running::browser(), &portal.at("/healthz")).await
}

/// Asks until the answer is as expected, or a time limit has passed.
async fn until<T: PartialEq + std::fmt::Debug>(expected: T, mut ask: impl AsyncFnMut() -> T) {
    let asked = Instant::now();
    loop {
        let answer = ask().await;
        if answer == expected {
            return;
        }
        assert!(asked.elapsed() < Duration::from_secs(60), "it is still {answer:?}");
        tokio::task::yield_now().await;
    }
}
