//! An axum app whose pages Waggl's users open with a token or with a session.
//!
//! ```text
//! cargo run --example jwt
//! ```
//! It prints a link to click. Click it twice: the second time it is refused.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use tower_sso::ConfigError;
use tower_sso::Identity;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::jwt::Algorithm;
use tower_sso::keys::Secret;
use tower_sso::providers::waggl::{self, WagglUser};
use tower_sso::replay::MemoryReplay;
use tower_sso::sign::JwtSigner;

/// The whole integration.
fn app(secret: Secret, clock: impl Clock + Clone) -> Result<Router, ConfigError> {
    let replay = MemoryReplay::builder().clock(clock.clone()).build();
    // Optional, because a session opens the page without a token.
    let sso = waggl::sso([secret]).replay(replay).clock(clock).optional().build()?;
    Ok(Router::new().route("/i/{survey}", get(survey).layer(sso)))
}

/// Your app would open a session here, or look for an existing one if there is no identity.
async fn survey(Path(survey): Path<String>, user: Option<Identity<WagglUser>>) -> (StatusCode, String) {
    match user {
        Some(user) => (StatusCode::OK, format!("Hello {}, this is survey {survey}", user.email)),
        None => (StatusCode::UNAUTHORIZED, "please sign in".into()),
    }
}

fn token(secret: &Secret, now: i64) -> Result<String, tower_sso::sign::SignError> {
    JwtSigner::new(Algorithm::HS512, secret)?.token(&serde_json::json!({
        "data": {"email": "bob@yourcompany.com", "tags": {"Department": "Sales"}},
        "aud": "www.waggl.com", "iat": now, "nbf": now - 180, "exp": now + 300,
    }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::new("a secret shared with the organisation, at least as long as a SHA-512 digest");
    let app = app(secret.clone(), SystemClock)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    // Rounded up to the next second: the replay store refuses links made before it opened.
    let token = token(&secret, SystemClock.now().ceil_to_second().as_secs())?;
    println!("within five minutes: http://{}/i/9745804b?sso_jwt={token}", listener.local_addr()?);
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
    async fn a_token_signs_in_once_and_the_page_is_there_without_one() -> Result<(), Box<dyn std::error::Error>> {
        let (secret, now) = (Secret::new("adskfjlksflksgjl"), UnixTime::from_secs(1_700_000_000));
        let app = app(secret.clone(), ManualClock::at(now))?;
        let open = async |uri: &str| -> Result<(StatusCode, String), Box<dyn std::error::Error>> {
            let answer = app.clone().oneshot(Request::get(uri).body(Body::empty())?).await?;
            let (status, body) = (answer.status(), to_bytes(answer.into_body(), 1_000).await?);
            Ok((status, String::from_utf8(body.to_vec())?))
        };
        let link = format!("/i/9745804b?sso_jwt={}&view=vote", token(&secret, now.as_secs())?);

        let first = open(&link).await?;
        assert_eq!(first, (StatusCode::OK, "Hello bob@yourcompany.com, this is survey 9745804b".into()));
        let (status, problem) = open(&link).await?;
        assert!(status == StatusCode::UNAUTHORIZED && problem.contains("replayed"), "{problem}");
        assert_eq!(open("/i/9745804b").await?, (StatusCode::UNAUTHORIZED, "please sign in".into()));
        Ok(())
    }
}
