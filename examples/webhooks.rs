//! Webhooks of five senders for many tenants: secrets and events in SQLite.
//!
//! ```text
//! cargo run --example webhooks -- 'sqlite://events.db?mode=rwc'    # without: in memory, for a look at the addresses
//! ```
//! The address for GitHub's calls to the tenant acme is `/hooks/github/acme`. Give each tenant a secret, as the sender's
//! page shows it. To rotate it, insert the new one and delete the old one later. Then be GitHub yourself, twice: the
//! event is stored once, also if you restart the example in between.
//!
//! ```text
//! sqlite3 events.db "INSERT INTO secrets VALUES ('github', 'acme', 'my secret')"
//! body='{"action":"opened"}'
//! mac=$(printf %s "$body" | openssl dgst -sha256 -hmac 'my secret' -r | cut -d ' ' -f 1)
//! curl -i -d "$body" -H 'content-type: application/json' -H "x-hub-signature-256: sha256=$mac" \
//!     http://127.0.0.1:8080/hooks/github/acme
//! sqlite3 events.db 'SELECT sender, tenant, body FROM events'
//! ```

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::StatusCode;
use serde_json::Value;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::net::TcpListener;
use tower_sso::body::RawBody;
use tower_sso::clock::{Clock, SystemClock, UnixTime};
use tower_sso::keys::{self, Key, KeyStore, Keys, Secret, TenantId};
use tower_sso::providers::webhooks as senders;
use tower_sso::replay::{MemoryReplay, ReplayStore};
use tower_sso::tenant::Tenant;
use tower_sso::webhook::Webhook;
use tower_sso::{Builder, ConfigError, Identity};

/// The whole integration. Another sender is another line.
fn app(db: &SqlitePool, replay: impl ReplayStore + Clone, clock: impl Clock + Clone) -> Result<Router, ConfigError> {
    let mut app = Router::new();
    for (sender, layer) in [
        ("github", senders::github()),
        ("shopify", senders::shopify()),
        ("slack", senders::slack()),
        ("stripe", senders::stripe()),
        ("svix", senders::svix()),
    ] as [(&'static str, Builder<Webhook<RawBody>>); 5]
    {
        let verify = layer
            .keys(secrets(db.clone(), sender))
            .tenant(Tenant::path_segment(2))
            .replay(replay.clone())
            .handler_remembers() // see `take`
            .clock(clock.clone())
            .build()?;
        let take = move |db, event| take(sender, db, event);
        app = app.route(&format!("/hooks/{sender}/{{tenant}}"), post(take).layer(verify));
    }
    Ok(app.with_state(db.clone()))
}

/// A tenant's secrets, the newest first. Behind `CachedKeys`, it would ask the database less often.
fn secrets(db: SqlitePool, sender: &'static str) -> impl KeyStore {
    keys::from_fn(move |tenant: TenantId| {
        let db = db.clone();
        async move {
            let select = "SELECT secret FROM secrets WHERE sender = ? AND tenant = ? ORDER BY rowid DESC";
            let secrets = sqlx::query_scalar::<_, String>(select).bind(sender).bind(tenant.as_str().to_owned());
            let secrets = secrets.fetch_all(&db).await?.into_iter().map(Secret::new);
            let key = |(age, secret)| match age {
                0 => Key::current(secret),
                _ => Key::previous(secret, UnixTime::MAX),
            };
            Ok::<Keys, sqlx::Error>(secrets.enumerate().map(key).collect())
        }
    })
}

/// Stores an event and does what it asks for, in one transaction. The layer has verified it and keeps most duplicates
/// away. The table keeps all of them away, also after a restart.
async fn take(
    sender: &'static str,
    State(db): State<SqlitePool>,
    event: Identity<RawBody>,
) -> Result<Response, StatusCode> {
    let body = String::from_utf8_lossy(&event.claims().0).into_owned();
    let mut transaction = db.begin().await.map_err(failed)?;
    let insert = "INSERT INTO events (fingerprint, sender, tenant, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let fingerprint = event.fingerprint().as_bytes().to_vec();
    let new = sqlx::query(insert).bind(fingerprint).bind(sender).bind(event.tenant().as_str()).bind(&body);
    if new.execute(&mut *transaction).await.map_err(failed)?.rows_affected() == 0 {
        return Ok(StatusCode::OK.into_response());
    }
    // Here: what the event asks for, in the same transaction.
    transaction.commit().await.map_err(failed)?;
    // Slack asks by a signed event whether the address is yours.
    let challenge = |body: Value| Some(body.get("challenge")?.as_str()?.to_owned());
    match serde_json::from_str(&body).ok().and_then(challenge).filter(|_| sender == "slack") {
        Some(challenge) => Ok(challenge.into_response()),
        None => Ok(StatusCode::OK.into_response()),
    }
}

/// 500: the event is not processed, and the sender retries it.
fn failed(error: sqlx::Error) -> StatusCode {
    eprintln!("database: {error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn open(url: &str) -> Result<SqlitePool, sqlx::Error> {
    // One connection, as a database in memory is its connection's own.
    let db = SqlitePoolOptions::new().max_connections(1).connect(url).await?;
    for table in [
        "secrets (sender TEXT NOT NULL, tenant TEXT NOT NULL, secret TEXT NOT NULL)",
        "events (fingerprint BLOB PRIMARY KEY, sender TEXT NOT NULL, tenant TEXT NOT NULL, body TEXT NOT NULL)",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE TABLE IF NOT EXISTS {table}"))).execute(&db).await?;
    }
    Ok(db)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite::memory:".to_owned());
    let app = app(&open(&url).await?, MemoryReplay::new(), SystemClock)?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}/hooks/{{github, shopify, slack, stripe, svix}}/{{tenant}}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tower_sso::clock::ManualClock;

    use super::*;

    type Tested<T = ()> = Result<T, Box<dyn std::error::Error>>;

    /// A sender's own call, from its documentation or the tests of its library.
    fn documented(sender: &str) -> Tested<Value> {
        let rows = include_str!("../tests/vectors/webhooks.jsonl").lines();
        let mut rows = rows.map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?.into_iter();
        Ok(rows.find(|row| row["route"]["preset"] == sender && row["expect"] == "accept").ok_or("no such call")?)
    }

    async fn send(db: &SqlitePool, call: &Value, target: &str) -> Tested<u16> {
        Ok(answer(db, call, target).await?.0)
    }

    /// Serves the app at the time of the call, and sends it the call.
    async fn answer(db: &SqlitePool, call: &Value, target: &str) -> Tested<(u16, String)> {
        let clock = ManualClock::at(UnixTime::from_secs(call["clock"].as_u64().unwrap_or(1_700_000_000)));
        let started = ManualClock::at(clock.now().minus(Duration::from_secs(60)));
        let app = app(db, MemoryReplay::builder().clock(started).build(), clock)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut request = reqwest::Client::new().post(format!("http://{}{target}", listener.local_addr()?));
        let serving = tokio::spawn(axum::serve(listener, app).into_future());
        for (name, value) in call["headers"].as_object().into_iter().flatten().filter(|(name, _)| *name != "Host") {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        let body = call["body"].as_str().ok_or("no body")?.to_owned();
        let answer = request.body(body).send().await?;
        let answer = (answer.status().as_u16(), answer.text().await?);
        serving.abort();
        Ok(answer)
    }

    #[tokio::test]
    async fn each_senders_own_call_is_stored_once() -> Tested {
        let db = open("sqlite::memory:").await?;
        for (count, sender) in ["github", "shopify", "slack", "stripe", "svix"].into_iter().enumerate() {
            let call = documented(sender)?;
            let (acme, opera) = (format!("/hooks/{sender}/acme"), format!("/hooks/{sender}/opera"));
            assert_eq!(send(&db, &call, &acme).await?, 401, "{sender}: no secret yet");
            let secret = call["route"]["secrets"][0]["utf8"].as_str().ok_or("no secret")?;
            let insert = "INSERT INTO secrets (sender, tenant, secret) VALUES (?, ?, ?)";
            for (tenant, secret) in
                [("acme", secret), ("acme", "MDEyMzQ1Njc4OWFiY2RlZg=="), ("opera", "b3BlcmEncyBvd24gc2VjcmV0")]
            {
                sqlx::query(insert).bind(sender).bind(tenant).bind(secret).execute(&db).await?;
            }
            assert_eq!(send(&db, &call, &acme).await?, 200, "{sender}: with the older of two secrets");
            assert_eq!(send(&db, &call, &acme).await?, 200, "{sender}: again, after a restart");
            assert_eq!(send(&db, &call, &opera).await?, 401, "{sender}: another tenant");
            let mut changed = call.clone();
            changed["body"] = format!("{} ", call["body"].as_str().unwrap_or_default()).into();
            assert_eq!(send(&db, &changed, &acme).await?, 401, "{sender}: changed");
            let events: Vec<(String, String, String)> =
                sqlx::query_as("SELECT sender, tenant, body FROM events ORDER BY rowid").fetch_all(&db).await?;
            assert_eq!(events.len(), count + 1, "{sender}");
            let stored = call["body"].as_str().unwrap_or_default().to_owned();
            assert_eq!(events.last(), Some(&(sender.to_owned(), "acme".to_owned(), stored)));
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_retry_that_stripe_signs_later_is_the_same_event() -> Tested {
        let (db, secret, body) = (open("sqlite::memory:").await?, "whsec_a_secret_of_acme's", r#"{"id":"evt_1"}"#);
        let insert = "INSERT INTO secrets (sender, tenant, secret) VALUES ('stripe', 'acme', ?)";
        sqlx::query(insert).bind(secret).execute(&db).await?;
        for time in [1_700_000_000_u64, 1_700_003_600] {
            let signature =
                tower_sso::sign::SigningWebhook::new(secret.into()).sign(format!("{time}.{body}")).signature;
            let headers =
                json!({"content-type": "application/json", "stripe-signature": format!("t={time},v1={signature}")});
            let call = json!({"clock": time, "headers": headers, "body": body});
            assert_eq!(send(&db, &call, "/hooks/stripe/acme").await?, 200);
        }
        let events: i64 = sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&db).await?;
        assert_eq!(events, 1);
        Ok(())
    }

    #[tokio::test]
    async fn slacks_question_is_answered_if_slack_asks_it() -> Tested {
        let (db, secret) = (open("sqlite::memory:").await?, "8f742231b10e8888abcd99yyyzzz85a5");
        let insert = "INSERT INTO secrets (sender, tenant, secret) VALUES ('slack', 'acme', ?)";
        sqlx::query(insert).bind(secret).execute(&db).await?;
        let body = r#"{"type":"url_verification","challenge":"3eZbrw1aB"}"#;
        let sign = |secret: &str| {
            let signer = tower_sso::sign::SigningWebhook::new(secret.into()).prefix("v0=");
            let signature = signer.sign(format!("v0:1700000000:{body}")).signature;
            let headers = json!({"x-slack-request-timestamp": "1700000000", "x-slack-signature": signature});
            json!({"clock": 1_700_000_000, "headers": headers, "body": body})
        };
        assert_eq!(send(&db, &sign("another secret"), "/hooks/slack/acme").await?, 401);
        assert_eq!(answer(&db, &sign(secret), "/hooks/slack/acme").await?, (200, "3eZbrw1aB".to_owned()));
        Ok(())
    }
}
