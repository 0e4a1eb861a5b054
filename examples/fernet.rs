//! An axum app that TutorCruncher's users sign in to.
//!
//! ```text
//! cargo run --example fernet
//! ```
//! It prints a link to click. Click it twice: the second time it is refused.

use axum::Router;
use axum::routing::get;
use tower_sso::ConfigError;
use tower_sso::Identity;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::keys::{KeyStore, MemoryKeys};
use tower_sso::providers::tutorcruncher::{self, TutorUser};
use tower_sso::replay::MemoryReplay;
use tower_sso::sign::{FernetLink, generate_fernet_key};

/// The whole integration.
fn app(keys: impl KeyStore, clock: impl Clock + Clone) -> Result<Router, ConfigError> {
    let replay = MemoryReplay::builder().clock(clock.clone()).build();
    let sso = tutorcruncher::sso(keys).replay(replay).clock(clock).build()?;
    Ok(Router::new().route("/sso", get(land).layer(sso)))
}

/// Your app would open a session for the user here.
async fn land(user: Identity<TutorUser>) -> String {
    let lesson = user.lesson.as_ref().map(|lesson| format!(", in lesson {}", lesson.id)).unwrap_or_default();
    format!("Hello {}, {} of company {}{lesson}", user.name, user.role_type, user.tenant())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = generate_fernet_key();
    let app = app(MemoryKeys::new().with("4321", key.clone()), SystemClock)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}/sso", listener.local_addr()?);
    let samuel = serde_json::json!({"id": 123, "nm": "Samuel", "rt": "Contractor", "apt_id": 42});
    // Rounded up to the next second: the replay store refuses links made before it opened.
    let link = FernetLink::new(base, "4321", &key).issued_at(SystemClock.now().ceil_to_second());
    println!("within a minute: {}", link.uri(&samuel)?);
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::{Request, StatusCode};
    use tower::ServiceExt;
    use tower_sso::clock::{ManualClock, UnixTime};

    use super::*;

    #[tokio::test]
    async fn a_link_signs_in_once() -> Result<(), Box<dyn std::error::Error>> {
        let (key, now) = (generate_fernet_key(), UnixTime::from_secs(1_700_000_000));
        let app = app(MemoryKeys::new().with("4321", key.clone()), ManualClock::at(now))?;
        let user = serde_json::json!({"id": 123, "nm": "Samuel", "rt": "Contractor", "apt_id": 42});
        let link = FernetLink::new("/sso", "4321", &key).issued_at(now).uri(&user)?;
        let click = async || {
            app.clone()
                .oneshot(Request::get(&link).body(Body::empty())?)
                .await
                .map_err(Box::<dyn std::error::Error>::from)
        };

        let first = click().await?;
        assert_eq!(first.status(), StatusCode::OK);
        let said = to_bytes(first.into_body(), 1_000).await?;
        assert_eq!(said, "Hello Samuel, Contractor of company 4321, in lesson 42");
        assert_eq!(click().await?.status(), StatusCode::UNAUTHORIZED);
        Ok(())
    }
}
