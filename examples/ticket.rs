//! One-time links in an axum app: a server call issues the link, and the user's browser signs in with it.
//!
//! ```text
//! cargo run --example ticket
//! ```
//! It prints a link to click. Click it twice: the second time it is refused.

use axum::Router;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tower_sso::ConfigError;
use tower_sso::Identity;
use tower_sso::ticket::{self, MemoryTickets, Tickets};

/// The user whom the link signs in.
#[derive(Deserialize, Serialize)]
struct User {
    email: String,
}

/// The whole integration.
fn app(tickets: Tickets) -> Result<Router, ConfigError> {
    let enter = ticket::layer::<User>(tickets).ticket_parameter("sessionId").build()?;
    Ok(Router::new().route("/editor", get(land).layer(enter)))
}

/// Your app would open a session for the user here.
async fn land(user: Identity<User>) -> String {
    format!("Hello {} of {}", user.email, user.tenant())
}

/// A link for one user. It is as sensitive as a session: give it to that user only.
async fn link(base: &str, tickets: &Tickets) -> Result<String, ticket::TicketError> {
    let user = User { email: "jd@seatmap.pro".into() };
    Ok(format!("{base}/editor?sessionId={}", tickets.issue(&"default".into(), &user).await?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tickets = Tickets::new(MemoryTickets::new());
    let app = app(tickets.clone())?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("within a minute: {}", link(&format!("http://{}", listener.local_addr()?), &tickets).await?);
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::{Body, to_bytes};
    use http::Request;
    use tower::ServiceExt;
    use tower_sso::clock::{ManualClock, UnixTime};

    use super::*;

    #[tokio::test]
    async fn a_ticket_is_redeemed_once_and_soon() -> Result<(), Box<dyn std::error::Error>> {
        let clock = ManualClock::at(UnixTime::from_secs(1_700_000_000));
        let tickets = Tickets::new(MemoryTickets::new()).clock(clock.clone());
        let app = app(tickets.clone())?;
        let click = async |link: &str| -> Result<(u16, String), Box<dyn std::error::Error>> {
            let answer = app.clone().oneshot(Request::get(link).body(Body::empty())?).await?;
            let (status, body) = (answer.status().as_u16(), to_bytes(answer.into_body(), 1_000).await?);
            Ok((status, String::from_utf8(body.to_vec())?))
        };
        let first = link("", &tickets).await?;
        assert_eq!(click(&first).await?, (200, "Hello jd@seatmap.pro of default".into()));
        let spent = click(&first).await?;
        assert_eq!(spent.0, 401);

        let late = link("", &tickets).await?;
        clock.advance(Duration::from_secs(61));
        assert_eq!(click(&late).await?, spent, "expired and spent get the same answer");
        Ok(())
    }
}
