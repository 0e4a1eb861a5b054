//! Site Builder's widget in an axum app: a signed URL, loaded as a script, that returns one-time links.
//!
//! ```text
//! cargo run --example oauth1
//! ```
//! It prints the URL of the script. Open it, then open one of the links in it: each signs in once.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_sso::ConfigError;
use tower_sso::Identity;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::keys::{KeyStore, MemoryKeys};
use tower_sso::oauth1::Origin;
use tower_sso::providers::site_builder::{self, SiteBuilderUser};
use tower_sso::replay::MemoryReplay;
use tower_sso::sign::OAuthLink;
use tower_sso::ticket::{self, MemoryTickets, Tickets};

/// The claims of a one-time link: the user, and the site to enter.
#[derive(Deserialize, Serialize)]
struct Visit {
    user: SiteBuilderUser,
    site: Option<String>,
}

/// The handlers' state.
#[derive(Clone)]
struct App {
    public_url: String,
    tickets: Tickets,
}

/// The whole integration. `public_url` is the origin that partners sign.
fn app(public_url: &str, keys: impl KeyStore, clock: impl Clock + Clone) -> Result<Router, ConfigError> {
    let tickets = Tickets::new(MemoryTickets::new()).namespace("site builder").clock(clock.clone());
    let replay = MemoryReplay::builder().clock(clock.clone()).build();
    let sso = site_builder::sso(Origin::new(public_url), keys).replay(replay).clock(clock.clone()).build()?;
    let enter = ticket::layer::<Visit>(tickets.clone()).clock(clock).build()?;
    Ok(Router::new()
        .merge(Router::new().route("/widget/", get(widget).layer(sso)))
        .merge(Router::new().route("/enter", get(land).layer(enter)))
        .with_state(App { public_url: public_url.to_owned(), tickets }))
}

/// The script: a link that signs the user in, and one for each site.
async fn widget(State(app): State<App>, user: Identity<SiteBuilderUser>) -> axum::response::Response {
    let link = async |site: Option<&str>| {
        let visit = Visit { user: user.claims().clone(), site: site.map(str::to_owned) };
        let ticket = app.tickets.issue(user.tenant(), &visit).await.ok()?;
        Some(format!("{}/enter?ticket={ticket}", app.public_url))
    };
    let mut uris = json!({"user": link(None).await, "sites": {}});
    for site in user.site_ids() {
        uris["sites"][site] = link(Some(site)).await.into();
    }
    if uris["user"].is_null() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], format!("var sb = {{\"uris\": {uris}}};"))
        .into_response()
}

/// Your app would open a session for the user here.
async fn land(visit: Identity<Visit>) -> String {
    let into = visit.site.as_ref().map(|site| format!(", in site {site}")).unwrap_or_default();
    format!("Hello {} of {}{into}", visit.user.email, visit.tenant())
}

const JOHN: [(&str, &str); 3] =
    [("email", "john@example.com"), ("partner_user_id", "1"), ("partner_site_ids", "12345,23145")];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = app(&url, MemoryKeys::new().with("partner-key", "partner-secret"), SystemClock)?;
    let link = OAuthLink::new(format!("{url}/widget/"), "partner-key", &"partner-secret".into());
    // Rounded up to the next second: the replay store refuses links made before it opened.
    let link = link.issued_at(SystemClock.now().ceil_to_second());
    println!("within five minutes: {}", link.uri(&JOHN)?);
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::Request;
    use tower::ServiceExt;
    use tower_sso::clock::{ManualClock, UnixTime};

    use super::*;

    #[tokio::test]
    async fn the_script_hands_out_links_that_sign_in_once() -> Result<(), Box<dyn std::error::Error>> {
        const URL: &str = "https://app.example";
        let now = UnixTime::from_secs(1_700_000_000);
        let app = app(URL, MemoryKeys::new().with("partner-key", "partner-secret"), ManualClock::at(now))?;
        let load = async |uri: &str| -> Result<(u16, String), Box<dyn std::error::Error>> {
            let path = uri.strip_prefix(URL).ok_or("another host")?;
            let answer = app.clone().oneshot(Request::get(path).body(Body::empty())?).await?;
            let (status, body) = (answer.status(), to_bytes(answer.into_body(), 10_000).await?);
            Ok((status.as_u16(), String::from_utf8(body.to_vec())?))
        };
        let link = OAuthLink::new(format!("{URL}/widget/"), "partner-key", &"partner-secret".into()).issued_at(now);

        let signed = link.uri(&JOHN)?;
        let (status, script) = load(&signed).await?;
        assert_eq!(status, 200, "{script}");
        assert_eq!(load(&signed).await?.0, 401, "used");
        let sb = script.strip_prefix("var sb = ").and_then(|rest| rest.strip_suffix(';')).ok_or("no script")?;
        let sb: serde_json::Value = serde_json::from_str(sb)?;
        let user = sb["uris"]["user"].as_str().ok_or("no link")?;
        let site = sb["uris"]["sites"]["23145"].as_str().ok_or("no link")?;

        assert_eq!(load(site).await?, (200, "Hello john@example.com of partner-key, in site 23145".into()));
        assert_eq!(load(user).await?, (200, "Hello john@example.com of partner-key".into()));
        for spent in [user, site] {
            assert_eq!(load(spent).await?.0, 401);
        }
        Ok(())
    }
}
