use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::jwt::Algorithm;
use tower_sso::scheme::Encoding;
use tower_sso::sign::{JwtSigner, SigningWebhook};

use super::*;

type Tested<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The second one is that of Shopify's documentation, and short.
const SECRETS: [&str; 2] = ["a new secret, since the rotation", "hush"];
const NOW: u64 = 1_700_000_000;

/// The app at some time, a minute after it started.
struct App {
    address: String,
}

impl App {
    async fn at(seconds: u64, db: &SqlitePool) -> Tested<Self> {
        let clock = ManualClock::at(UnixTime::from_secs(seconds).minus(Duration::from_secs(60)));
        let replay = MemoryReplay::builder().clock(clock.clone()).build();
        clock.advance(Duration::from_secs(60));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let app = app("api-key-1", "https://app.example", &SECRETS.map(Secret::verbatim), db, replay, clock)?;
        tokio::spawn(axum::serve(listener, app).into_future());
        Ok(Self { address })
    }

    async fn get(&self, target: &str) -> Tested<(u16, String)> {
        let answer = reqwest::get(format!("{}{target}", self.address)).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    async fn me(&self, token: &str) -> Tested<(u16, String)> {
        let call = reqwest::Client::new().get(format!("{}/api/me", self.address));
        let answer = call.header(AUTHORIZATION, format!("Bearer {token}")).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// A webhook with this body, signed as Shopify signs it.
    async fn call(&self, secret: &str, body: &str) -> Tested<u16> {
        let signature = SigningWebhook::new(secret.into()).encoding(Encoding::Base64).sign(body).signature;
        let call = reqwest::Client::new().post(format!("{}/webhooks/privacy", self.address)).body(body.to_owned());
        let call = call.header(CONTENT_TYPE, "application/json").header("x-shopify-hmac-sha256", signature);
        Ok(call.send().await?.status().as_u16())
    }
}

/// The admin is sent to the shop, and what the shop answers installs the app only in the browser that was sent.
#[tokio::test]
async fn a_grant_comes_back_to_the_browser_that_asked() -> Tested {
    let db = open("sqlite::memory:").await?;
    let app = App::at(NOW, &db).await?;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let install = async |shop: &str| client.get(format!("{}/install?shop={shop}", app.address)).send().await;
    for shop in ["evil.example", "evil.example/.myshopify.com", "evil.example%23.myshopify.com", ".myshopify.com"] {
        assert_eq!(install(shop).await?.status(), 400, "{shop}");
    }
    let away = install("some-shop.myshopify.com").await?;
    let location = away.headers()["location"].to_str()?.to_owned();
    let asked = "client_id=api-key-1&scope=read_customers&redirect_uri=https://app.example/granted";
    let (before, state) = location.split_once("&state=").ok_or("no state")?;
    assert_eq!(before, format!("https://some-shop.myshopify.com/admin/oauth/authorize?{asked}"));
    let cookie = away.headers()["set-cookie"].to_str()?.split(';').next().ok_or("no cookie")?.to_owned();
    let query = format!("code=1&shop=some-shop.myshopify.com&state={state}&timestamp={NOW}");
    let hmac = SigningWebhook::new(SECRETS[1].into()).signature(&[query.as_bytes()]);
    let back = async |cookie: &str| {
        let request = client.get(format!("{}/granted?{query}&hmac={hmac}", app.address));
        Ok::<_, reqwest::Error>(request.header("cookie", cookie).send().await?.status().as_u16())
    };
    let other = install("some-shop.myshopify.com").await?.headers()["set-cookie"].to_str()?.to_owned();
    assert_eq!(back(other.split(';').next().unwrap_or_default()).await?, 401, "another browser");
    assert!(shops(&db).await?.is_empty());
    assert_eq!([back(&cookie).await?, back(&cookie).await?], [303, 401]);
    assert_eq!(shops(&db).await?, ["some-shop.myshopify.com"]);
    Ok(())
}

/// The query that Shopify or its libraries publish, and its time.
fn documented(id: &str) -> Tested<(String, u64)> {
    let rows = include_str!("../../tests/vectors/launches.jsonl").lines();
    let rows = rows.map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    let row = rows.iter().find(|row| row["id"] == id).ok_or("no such launch")?;
    let query = row["target"].as_str().and_then(|target| target.split_once('?')).ok_or("no query")?.1;
    Ok((query.to_owned(), row["clock"].as_u64().ok_or("no time")?))
}

async fn shops(db: &SqlitePool) -> Tested<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT shop FROM shops ORDER BY shop").fetch_all(db).await?)
}

#[tokio::test]
async fn a_launch_installs_the_app_and_shows_the_page_once() -> Tested {
    let db = open("sqlite::memory:").await?;
    let (query, time) = documented("shopify 3")?;
    let app = App::at(time, &db).await?;
    for (query, why) in [
        (query.replace("some-shop", "other-shop"), "another shop"),
        (format!("{query}&embedded=1"), "one parameter more"),
        (query.replace("state=0.6784241404160823&", ""), "one less"),
    ] {
        assert_eq!(app.get(&format!("/?{query}")).await?.0, 401, "{why}");
    }
    assert!(shops(&db).await?.is_empty());
    let opened = reqwest::get(format!("{}/?{query}", app.address)).await?;
    assert_eq!(
        opened.headers()[CONTENT_SECURITY_POLICY],
        "frame-ancestors https://some-shop.myshopify.com https://admin.shopify.com;"
    );
    assert!(opened.text().await?.contains("content=\"api-key-1\""));
    assert_eq!(shops(&db).await?, ["some-shop.myshopify.com"]);
    let (status, again) = app.get(&format!("/?{query}")).await?;
    assert!(status == 401 && again.contains("replayed"), "{again}");
    let late = App::at(time + 91, &db).await?.get(&format!("/?{query}")).await?;
    assert!(late.0 == 401 && late.1.contains("expired"), "{late:?}");
    Ok(())
}

/// The claims that Shopify documents.
fn token(secret: &str, change: impl FnOnce(&mut Value)) -> Tested<String> {
    let mut claims = json!({
        "iss": "https://some-shop.myshopify.com/admin", "dest": "https://some-shop.myshopify.com", "aud": "api-key-1",
        "sub": "42", "exp": NOW + 60, "nbf": NOW, "iat": NOW, "jti": "f8912129-1af6-4cad-9ca3-76b0f7621087",
        "sid": "aaea182f2732d44c23057c0fea584021a4485b2bd25d3eb7fd349313ad24c685",
    });
    change(&mut claims);
    Ok(JwtSigner::new(Algorithm::HS256, &secret.into())?.token(&claims)?)
}

#[tokio::test]
async fn a_session_token_names_the_user_of_an_installed_shop() -> Tested {
    let db = open("sqlite::memory:").await?;
    let app = App::at(NOW, &db).await?;
    assert_eq!(app.me(&token("hush", |_| {})?).await?.0, 403, "not installed");
    sqlx::query("INSERT INTO shops (shop) VALUES ('some-shop.myshopify.com')").execute(&db).await?;
    for secret in SECRETS {
        let me = (200, r#"{"shop":"some-shop.myshopify.com","user":"42"}"#.to_owned());
        assert_eq!(app.me(&token(secret, |_| {})?).await?, me);
        assert_eq!(app.me(&token(secret, |_| {})?).await?, me, "the page sends it with every call");
    }
    for (token, why) in [
        (token("no secret of this app's", |_| {})?, "another app's secret"),
        (token("hush", |claims| claims["aud"] = "api-key-2".into())?, "for another app"),
        (token("hush", |claims| claims["dest"] = "some-shop.myshopify.com".into())?, "no address"),
        (token("hush", |claims| claims["exp"] = (NOW - 11).into())?, "over"),
    ] {
        assert_eq!(app.me(&token).await?.0, 401, "{why}");
    }
    Ok(())
}

#[tokio::test]
async fn the_proxy_names_the_customer() -> Tested {
    let db = open("sqlite::memory:").await?;
    let greet = async |id: &str, change: fn(String) -> String| {
        let (query, time) = documented(id)?;
        App::at(time, &db).await?.get(&format!("/proxy/greeting?{}", change(query))).await
    };
    let customer = (200, "Welcome back to shop-name.myshopify.com, customer 1".to_owned());
    assert_eq!(greet("shopify_app_proxy 1", |query| query).await?, customer);
    let other = |query: String| query.replace("customer_id=1", "customer_id=2");
    assert_eq!(greet("shopify_app_proxy 1", other).await?.0, 401);
    assert_eq!(greet("shopify_app_proxy 3", |query| query).await?.0, 400, "says nothing of a customer");
    assert_eq!(greet("shopify_app_proxy 5", |query| query).await?.0, 400, "a visitor wrote the customer");
    Ok(())
}

#[tokio::test]
async fn a_shop_is_forgotten_and_may_come_back() -> Tested {
    let db = open("sqlite::memory:").await?;
    let shop = r#"{"shop_id":954889,"shop_domain":"some-shop.myshopify.com"}"#;
    let customer = r#"{"shop_id":954889,"shop_domain":"some-shop.myshopify.com","orders_to_redact":[299938,280263],
        "customer":{"id":191167,"email":"john@example.com","phone":"555-625-1199"}}"#;
    let (query, time) = documented("shopify 3")?;
    let app = App::at(time, &db).await?;
    assert_eq!(app.get(&format!("/?{query}")).await?.0, 200);
    assert_eq!(app.call("no secret of this app's", shop).await?, 401);
    assert_eq!(app.call("hush", customer).await?, 200);
    assert_eq!(shops(&db).await?.len(), 1, "only a customer was to be forgotten");
    for _ in 0..2 {
        assert_eq!(app.call("hush", shop).await?, 200);
        assert!(shops(&db).await?.is_empty());
    }
    assert_eq!(App::at(time, &db).await?.get(&format!("/?{query}")).await?.0, 200, "installed again");
    assert_eq!(shops(&db).await?.len(), 1);
    Ok(())
}
