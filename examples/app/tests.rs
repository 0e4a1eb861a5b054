//! The app as its users meet it.

#[path = "answer.rs"]
mod answer;

use std::error::Error;

use axum::body::{Body, to_bytes};
use http::header::{COOKIE, SET_COOKIE};
use http::{Method, Request};
use tower::ServiceExt;
use tower_sso::Secret;
use tower_sso::clock::{Clock, ManualClock, UnixTime};

use super::*;
use answer::Answer;

type Tested<T = ()> = Result<T, Box<dyn Error>>;

struct Fixture {
    app: Router,
    db: SqlitePool,
    keys: [Secret; 2],
    now: UnixTime,
}

impl Fixture {
    /// Two companies, one second after the replay store opened.
    async fn new() -> Tested<Self> {
        let (db, clock) = (open("sqlite::memory:").await?, ManualClock::at(UnixTime::from_secs(1_700_000_000)));
        let keys = [generate_fernet_key(), generate_fernet_key()];
        let both = MemoryKeys::new().with("4321", keys[0].clone()).with("8765", keys[1].clone());
        let replay = MemoryReplay::builder().clock(clock.clone()).build();
        clock.advance(Duration::from_secs(1));
        let sso = sso(both).replay(replay).clock(clock.clone()).build()?;
        Ok(Self { app: app(sso, db.clone(), true), db, keys, now: clock.now() })
    }

    /// A company's link for its user number 123.
    fn link(&self, company: usize, name: &str) -> Tested<String> {
        Ok(link(FernetLink::new("/sso", ["4321", "8765"][company], &self.keys[company]).issued_at(self.now), name)?)
    }

    async fn send(&self, method: Method, uri: &str, cookie: &str) -> Tested<Answer> {
        let request = Request::builder().method(method).uri(uri).header(COOKIE, cookie).body(Body::empty())?;
        let response = self.app.clone().oneshot(request).await?;
        let (head, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, 10_000).await?.to_vec())?;
        Ok(Answer::new(head.status, &head.headers, body))
    }

    async fn get(&self, uri: &str, cookie: &str) -> Tested<Answer> {
        self.send(Method::GET, uri, cookie).await
    }

    async fn users(&self) -> Tested<Vec<(i64, String, String)>> {
        Ok(sqlx::query_as("SELECT id, tenant, name FROM users ORDER BY id").fetch_all(&self.db).await?)
    }
}

#[tokio::test]
async fn a_link_signs_in_once_and_the_home_page_greets_its_user() -> Tested {
    let fixture = Fixture::new().await?;
    assert_eq!(fixture.get("/", "").await?.status, 401, "without a session");
    let link = fixture.link(0, "Samuel <b>")?;
    let landed = fixture.get(&link, "").await?;
    assert_eq!((landed.status, landed.location.as_deref()), (303, Some("/")));
    let home = fixture.get("/", landed.cookie()).await?;
    assert_eq!(home.status, 200);
    assert!(home.body.contains("Hello Samuel &#60;b&#62; of 4321"), "{}", home.body);

    let again = fixture.get(&link, "").await?;
    assert_eq!((again.status, again.set_cookie), (401, None), "a used link opens no session");
    assert!(again.body.contains("replayed"), "{}", again.body);
    Ok(())
}

#[tokio::test]
async fn the_cookie_is_for_this_host_and_for_no_script() -> Tested {
    let fixture = Fixture::new().await?;
    let landed = fixture.get(&fixture.link(0, "Samuel")?, "").await?;
    let (cookie, attributes) = landed.cookie_and_attributes();
    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    assert_eq!(attributes, ["HttpOnly", "Max-Age=28800", "Path=/", "SameSite=Lax", "Secure"]);
    Ok(())
}

#[tokio::test]
async fn a_forged_link_is_refused() -> Tested {
    let fixture = Fixture::new().await?;
    let honest = fixture.link(0, "Samuel")?;
    let (start, end) = honest.split_at(honest.len() - 20);
    let tampered = format!("{start}{}{}", if end.starts_with('A') { 'B' } else { 'A' }, &end[1..]);
    let forger = FernetLink::new("/sso", "4321", &generate_fernet_key());
    for (link, why) in [
        (honest.replacen("4321", "8765", 1), "for another company"),
        (link(forger.issued_at(fixture.now), "Samuel")?, "signed with another key"),
        (tampered, "changed"),
    ] {
        let answer = fixture.get(&link, "").await?;
        assert_eq!((answer.status, &answer.set_cookie), (401, &None), "{why}: {}", answer.body);
    }
    assert_eq!(fixture.users().await?, [], "no user was created");
    assert_eq!(fixture.get(&honest, "").await?.status, 303, "the honest link still works");
    Ok(())
}

#[tokio::test]
async fn logout_ends_the_session_and_comes_from_the_apps_own_page() -> Tested {
    let fixture = Fixture::new().await?;
    let landed = fixture.get(&fixture.link(0, "Samuel")?, "").await?;
    let cookie = landed.cookie();
    assert_eq!(fixture.get("/logout", cookie).await?.status, 405, "a link or an image does not sign out");
    let request = Request::post("/logout").header(COOKIE, cookie).header("sec-fetch-site", "cross-site");
    let answer = fixture.app.clone().oneshot(request.body(Body::empty())?).await?;
    assert_eq!(answer.status(), 403, "nor does another site's form");
    assert_eq!(fixture.get("/", cookie).await?.status, 200);

    let out = fixture.send(Method::POST, "/logout", cookie).await?;
    assert_eq!((out.status, out.location.as_deref()), (303, Some("/")));
    assert_eq!(fixture.get("/", cookie).await?.status, 401, "a kept cookie is worthless");
    Ok(())
}

#[tokio::test]
async fn a_user_is_found_again_by_number_and_company() -> Tested {
    let fixture = Fixture::new().await?;
    let first = fixture.get(&fixture.link(0, "Samuel")?, "").await?;
    let other = fixture.get(&fixture.link(1, "Thief")?, "").await?;
    fixture.get(&fixture.link(0, "Sam")?, "").await?;
    let users = [(1, "4321".to_owned(), "Sam".to_owned()), (2, "8765".to_owned(), "Thief".to_owned())];
    assert_eq!(fixture.users().await?, users, "one each, with the latest name");
    assert!(fixture.get("/", other.cookie()).await?.body.contains("Thief of 8765"));
    assert!(fixture.get("/", first.cookie()).await?.body.contains("Sam of 4321"));
    Ok(())
}

#[tokio::test]
async fn a_sign_in_renews_the_session() -> Tested {
    let fixture = Fixture::new().await?;
    let planted = fixture.get(&fixture.link(1, "Thief")?, "").await?;
    let landed = fixture.get(&fixture.link(0, "Samuel")?, planted.cookie()).await?;
    assert_ne!(landed.cookie(), planted.cookie());
    assert_eq!(fixture.get("/", planted.cookie()).await?.status, 401, "the planted id opens nothing");
    assert!(fixture.get("/", landed.cookie()).await?.body.contains("Samuel"));
    Ok(())
}

#[tokio::test]
async fn a_session_ends_and_its_row_goes() -> Tested {
    let fixture = Fixture::new().await?;
    let landed = fixture.get(&fixture.link(0, "Samuel")?, "").await?;
    sqlx::query("UPDATE sessions SET ends = 1").execute(&fixture.db).await?;
    assert_eq!(fixture.get("/", landed.cookie()).await?.status, 401);
    fixture.get(&fixture.link(1, "Ada")?, "").await?;
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&fixture.db).await?;
    assert_eq!(rows, 1, "the new session's row is the only one");
    Ok(())
}

#[tokio::test]
async fn a_database_that_fails_is_unavailable() -> Tested {
    let fixture = Fixture::new().await?;
    let landed = fixture.get(&fixture.link(0, "Samuel")?, "").await?;
    fixture.db.close().await;
    let answer = fixture.get(&fixture.link(1, "Ada")?, "").await?;
    assert_eq!((answer.status, answer.set_cookie), (503, None));
    assert_eq!(fixture.get("/", landed.cookie()).await?.status, 503);
    Ok(())
}

#[tokio::test]
async fn it_is_served_until_it_is_asked_to_stop() -> Tested {
    let fixture = Fixture::new().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve::serve(listener, fixture.app.clone(), async { _ = stopped.await }));
    // The connection is kept alive: stopping does not wait for it.
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let landed = browser.get(format!("{base}{}", fixture.link(0, "Samuel")?)).send().await?;
    let cookie = landed.headers()[SET_COOKIE].to_str()?.split(';').next().unwrap_or_default().to_owned();
    let home = browser.get(&base).header(COOKIE, cookie).send().await?.text().await?;
    assert!(home.contains("Hello Samuel"), "{home}");
    stop.send(()).map_err(|()| "the server stopped too early")?;
    serving.await?;
    assert!(browser.get(&base).send().await.is_err_and(|error| error.is_connect()));
    Ok(())
}
