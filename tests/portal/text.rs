//! Signed text that a database cannot store is refused as the partner's mistake, on every database.

use reqwest::{Response, StatusCode};
use serde_json::json;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::jwt::Algorithm;
use tower_sso::sign::{HashedLink, JwtSigner, OAuthLink, generate_fernet_key};

use crate::running::{
    CONSUMER_SECRET, Home, LCVISTA_SECRET, PRIVATE_KEY, Portal, WAGGL_SECRET, browser, refusal, user, visit,
};

async fn refused(answer: Response, why: &str) {
    assert_eq!(refusal(answer).await, (400, "rejected_claims".into()), "{why}");
}

async fn get(link: String) -> Response {
    browser().get(link).send().await.unwrap()
}

async fn nul_is_the_partners_fault(home: &Home, portal: &Portal) {
    for field in ["company_name", "admin_name", "admin_email"] {
        let key = generate_fernet_key();
        let mut body = json!({
            "company_id": 99, "fernet_key": String::from_utf8_lossy(key.expose()), "admin_email": "a@b.example",
            "admin_name": "Ada", "company_name": "DinoTutors",
        });
        body[field] = json!("A\0B");
        let call = home.signed(body.to_string());
        for attempt in ["the first time", "again"] {
            refused(portal.announce(call.clone()).await, &format!("{field}, {attempt}")).await;
        }
    }
    let company = portal.company(home, 4321).await;
    for field in ["nm", "e", "tz", "br_nm"] {
        let mut user = user();
        user[field] = json!("A\0B");
        refused(get(company.link_with(&user)).await, field).await;
    }

    let now = SystemClock.now().as_secs();
    for data in [json!({"email": "a\0@b.example"}), json!({"email": "a@b.example", "tags": {"a": "\0"}})] {
        let claims = json!({"data": data, "iat": now, "exp": now + 300, "aud": "www.waggl.com"});
        let token = JwtSigner::new(Algorithm::HS512, &WAGGL_SECRET.into()).unwrap().token(&claims).unwrap();
        refused(get(portal.at(&format!("/i/9745804b?sso_jwt={token}"))).await, "waggl").await;
    }

    for login in [json!({"login": "a\0b"}), json!({"login": "a@b.example", "firstName": "\0"})] {
        let mut login = login;
        login["token"] = json!(PRIVATE_KEY);
        let call = browser().post(portal.at("/api/auth/autologin")).header("content-type", "application/json");
        refused(call.body(login.to_string()).send().await.unwrap(), "seatmap").await;
    }

    // These two forms have no NUL at all: nowhere in their queries.
    let recipe = tower_sso::providers::lcvista::recipe();
    let link = HashedLink::new(portal.at("/sso/oauth/"), recipe, &LCVISTA_SECRET.into());
    let link = link.uri(&[&now.to_string(), "a\0@lcvista.com", "rainier"]);
    assert_eq!(get(link).await.status(), StatusCode::BAD_REQUEST);
    let link = OAuthLink::new(portal.at("/sitebuilder/widget/"), "partner-key", &CONSUMER_SECRET.into());
    let link = link.uri(&[("partner_user_id", "1"), ("email", "a@b.example"), ("first_name", "A\0")]).unwrap();
    assert_eq!(get(link).await.status(), StatusCode::BAD_REQUEST);

    assert_eq!(visit(&browser(), &company.link()).await.0, StatusCode::SEE_OTHER, "all is well");
}

#[tokio::test]
async fn text_that_no_database_holds_is_refused_on_sqlite() {
    let home = Home::new();
    let portal = home.start();
    nul_is_the_partners_fault(&home, &portal).await;
}

#[cfg(unix)]
#[tokio::test]
async fn text_that_no_database_holds_is_refused_on_postgres() {
    let home = Home::new();
    let url = crate::postgres::shared().fresh_database();
    let portal = home.start_with(&format!("database_url = \"{url}\"\n{}", home.configuration()));
    nul_is_the_partners_fault(&home, &portal).await;
}
