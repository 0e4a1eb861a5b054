//! Waggl: through the organisation's sign-in page, with tokens by PyJWT and by this crate.

use std::collections::HashSet;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::jwt::Algorithm;
use tower_sso::sign::JwtSigner;

use crate::running::{Home, Portal, WAGGL_SECRET, browser, header, me, refusal, visit};
use crate::vendor_client::{Case, client};

const ACME: &str = "/i/9745804b";
const GLOBEX: &str = "/i/globex-1";

fn sample(portal: &Portal) -> Vec<Case> {
    client("waggl.py", portal, &["--secret", WAGGL_SECRET, "--path-prefix", ""])
}

fn claims(email: &str) -> Value {
    let now = SystemClock.now().as_secs();
    json!({"data": {"email": email}, "iat": now, "nbf": now - 180, "exp": now + 300, "aud": "www.waggl.com"})
}

fn token(email: &str, secret: &str) -> String {
    JwtSigner::new(Algorithm::HS512, &secret.into()).unwrap().token(&claims(email)).unwrap()
}

async fn page(browser: &Client, portal: &Portal, path: &str) -> (StatusCode, String) {
    let answer = browser.get(portal.at(path)).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn the_vendors_own_links_sign_in_once() {
    let home = Home::new();
    let portal = home.start();
    let cases = sample(&portal);
    let (refused, accepted): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.case.starts_with("neg "));
    assert_eq!((accepted.len(), refused.len()), (9, 14), "the client's own number of cases");
    let mut seen = HashSet::new();
    for Case { case, url, .. } in accepted {
        let browser = browser();
        let token = url.split("sso_jwt=").nth(1).unwrap().split('&').next().unwrap();
        let answer = browser.get(url).send().await.unwrap();
        if case == "exp in exponent form" {
            assert_eq!(refusal(answer).await, (401, "invalid".into()), "{case}: good for millions of years");
            continue;
        }
        if !seen.insert(token) {
            // There is no `jti`: two clicks in one second make one token.
            assert_eq!(refusal(answer).await, (401, "replayed".into()), "{case}");
            continue;
        }
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{case}");
        let rest = if case.contains("return params") { "?view=vote&page=1" } else { "" };
        assert_eq!(header(&answer, "location"), format!("{ACME}{rest}"), "{case}");
        assert_eq!(page(&browser, &portal, ACME).await.0, StatusCode::OK, "{case}");
        let me = me(&browser, &portal).await.1;
        assert_eq!((&me["provider"], &me["tenant"]), (&"waggl".into(), &"acme".into()), "{case}");
        if case == "tags utf8" {
            assert_eq!(me["claims"]["data"]["tags"], json!({"Büro": "Köln", "Größe": "1–10"}));
            assert_eq!(me["email"], "zoë+x@example.com");
        }
        let again = crate::running::browser().get(url).send().await.unwrap();
        assert_eq!(refusal(again).await, (401, "replayed".into()), "{case}");
    }
    for Case { case, url, .. } in refused {
        let answer = browser().get(url).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{case}: {}", answer.status());
        assert!(header(&answer, "set-cookie").is_empty(), "{case}");
    }
}

#[tokio::test]
async fn without_a_session_the_organisation_signs_in_first() {
    let home = Home::new();
    let portal = home.start();
    for (path, expected, why) in [
        (ACME, "https://idp.example/waggl/sso/?return_to_path=i%2F9745804b", "the vendor's own example"),
        (
            "/i/9745804b?view=vote&page=1",
            "https://idp.example/waggl/sso/?return_to_path=i%2F9745804b&return_to_params=view%3Dvote%26page%3D1",
            "with parameters",
        ),
        (
            "/i/9745804b?a=%26&b=%zz&c=é",
            "https://idp.example/waggl/sso/?return_to_path=i%2F9745804b&return_to_params=a%3D%2526%26b%3D%25zz%26c%3D%25C3%25A9",
            "as received",
        ),
        (GLOBEX, "https://globex.example/in?a=1&return_to_path=i%2Fglobex-1", "another organisation, with a query"),
    ] {
        let answer = browser().get(portal.at(path)).send().await.unwrap();
        assert_eq!((answer.status(), &*header(&answer, "location")), (StatusCode::FOUND, expected), "{why}");
        assert_eq!(header(&answer, "cache-control"), "no-store", "{why}");
    }
    for path in ["/i/unknown", "/i/9745804B", "/i/", "/i/9745804b/x", "/i/..%2f"] {
        assert_eq!(visit(&browser(), &portal.at(path)).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_token_signs_in_and_leaves_the_address() {
    let home = Home::new();
    let portal = home.start();
    let browser = browser();
    let link = format!("{}?view=vote&sso_jwt={}&page=1", portal.at(ACME), token("bob@acme.example", WAGGL_SECRET));
    let answer = browser.get(link).send().await.unwrap();
    assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(
        (answer.status(), &*header(&answer, "location")),
        (StatusCode::SEE_OTHER, "/i/9745804b?view=vote&page=1"),
        "the same address without the token"
    );
    let (status, survey) = page(&browser, &portal, "/i/9745804b?view=vote&page=1").await;
    assert_eq!(status, StatusCode::OK);
    assert!(survey.contains("9745804b") && survey.contains("bob@acme.example"), "{survey}");
    assert!(page(&browser, &portal, "/").await.1.contains("WagglUser {"));
    let me = me(&browser, &portal).await.1;
    assert_eq!((&me["subject"], &me["email"]), (&"bob@acme.example".into(), &"bob@acme.example".into()));
}

#[tokio::test]
async fn a_survey_is_one_organisations() {
    let home = Home::new();
    let portal = home.start();
    let browser = browser();
    let at = |path: &str, token: &str| format!("{}?sso_jwt={token}", portal.at(path));
    let bob = token("bob@acme.example", WAGGL_SECRET);
    let eve = token("eve@globex.example", "globex secret");
    for (link, why) in [
        (at(GLOBEX, &bob), "the token of another organisation"),
        (at(ACME, &eve), "and the other way round"),
        (at("/i/unknown", &bob), "an unknown survey"),
        (at("/i/%39745804b", &bob), "another spelling of the address"),
    ] {
        let answer = browser.get(link).send().await.unwrap();
        assert!(header(&answer, "set-cookie").is_empty(), "{why}");
        assert_eq!(refusal(answer).await, (401, "invalid".into()), "{why}");
    }
    assert_eq!(visit(&browser, &at(ACME, &bob)).await.0, StatusCode::SEE_OTHER, "none of it has used the token up");
    let (status, location) = visit(&browser, &portal.at(GLOBEX)).await;
    assert_eq!(status, StatusCode::FOUND, "a session of another organisation opens nothing");
    assert!(location.starts_with("https://globex.example/in"), "{location}");
    assert_eq!(visit(&browser, &at(GLOBEX, &eve)).await.0, StatusCode::SEE_OTHER);
    assert_eq!(visit(&browser, &portal.at(ACME)).await.0, StatusCode::FOUND, "now it is the other's session");
    let older = token("bob@acme.example", "an older secret");
    assert_eq!(visit(&browser, &at(ACME, &older)).await.0, StatusCode::SEE_OTHER, "an older secret is accepted");
}

#[tokio::test]
async fn the_partners_texts_are_text_on_the_page() {
    let home = Home::new();
    let portal = home.start();
    let browser = browser();
    let mut claims = claims("<b>bob</b>@acme.example");
    claims["data"]["tags"] = json!({"<script>alert(1)</script>": "\"><img src=x>"});
    let signer = JwtSigner::new(Algorithm::HS512, &WAGGL_SECRET.into()).unwrap();
    let link = format!("{}?sso_jwt={}", portal.at(ACME), signer.token(&claims).unwrap());
    assert_eq!(visit(&browser, &link).await.0, StatusCode::SEE_OTHER);
    for path in [ACME, "/"] {
        let page = page(&browser, &portal, path).await.1;
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"), "{page}");
    }
}

/// `https://host/` and `/i/9745804b`, glued as they are.
#[tokio::test]
async fn a_partner_may_glue_with_a_slash_too_many() {
    let home = Home::new();
    let portal = home.start();
    let browser = browser();
    let link = portal.at(&format!("/{ACME}?sso_jwt={}&page=1", token("bob@acme.example", WAGGL_SECRET)));
    assert_eq!(visit(&browser, &link).await, (StatusCode::SEE_OTHER, format!("{ACME}?page=1")));
    assert_eq!(page(&browser, &portal, ACME).await.0, StatusCode::OK);
    let start = visit(&crate::running::browser(), &portal.at(&format!("/{ACME}"))).await;
    assert_eq!(start, (StatusCode::FOUND, "https://idp.example/waggl/sso/?return_to_path=i%2F9745804b".into()));
}

#[tokio::test]
async fn a_survey_has_one_spelling() {
    let home = Home::new();
    let portal = home.start();
    for path in ["/i/%39745804b", "/i/%ff", "/i/nope"] {
        let answer = browser().get(portal.at(path)).send().await.unwrap();
        assert_eq!(refusal(answer).await, (404, "not_found".into()), "{path}");
    }
}
