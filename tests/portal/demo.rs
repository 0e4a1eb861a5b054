//! The page, without JavaScript, as a browser uses it: forms and redirects.

use reqwest::{Client, StatusCode};

use crate::running::{Home, Portal, browser, header, me, visit};

async fn press(browser: &Client, portal: &Portal, button: &str, company: &str, name: &str) -> reqwest::Response {
    let fields = [("company_id", company), ("id", "123"), ("name", name), ("role", "Contractor"), ("email", "")];
    let fields = fields.into_iter().chain([("lesson", ""), ("press", button)]);
    let body: Vec<String> = fields.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let request = browser.post(portal.at("/demo/tutorcruncher"));
    let request =
        request.header("content-type", "application/x-www-form-urlencoded").header("sec-fetch-site", "same-origin");
    request.body(body.join("&")).send().await.unwrap()
}

fn encoded(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Presses a button, goes where it leads, and returns the end: its status and its page.
async fn go(browser: &Client, portal: &Portal, button: &str) -> (StatusCode, String) {
    let answer = press(browser, portal, button, "4321", "Sam").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{button}");
    let link = header(&answer, "location");
    assert!(link.starts_with(&portal.at("/tutorcruncher/sso?company_id=4321&token=")), "{button}: {link}");
    let landed = browser.get(link).header("accept", "text/html").send().await.unwrap();
    (landed.status(), landed.text().await.unwrap())
}

async fn steps(browser: &Client, portal: &Portal, button: &str, company: &str) -> Vec<String> {
    let page = press(browser, portal, button, company, "Sam").await.text().await.unwrap();
    let words = page.split("class=\"mark\">").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
    words.collect()
}

#[tokio::test]
async fn the_page_plays_the_partner() {
    let home = Home::new();
    let portal = home.start_demo();
    let browser = browser();
    assert_eq!(go(&browser, &portal, "go-fresh").await.0, StatusCode::SEE_OTHER);
    assert_eq!(me(&browser, &portal).await.1["name"], "Sam");
    assert_eq!(me(&browser, &portal).await.1["email"], serde_json::Value::Null);
    for (button, code) in [("go-again", "replayed"), ("go-tampered", "invalid"), ("go-expired", "expired")] {
        let (status, page) = go(&browser, &portal, button).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{button}");
        assert!(page.contains(&format!("<code>{code}</code>")), "{button}: {page}");
    }
    let out = browser.post(portal.at("/logout?then=page")).send().await.unwrap();
    assert_eq!((out.status(), &*header(&out, "location")), (StatusCode::SEE_OTHER, "/"), "the page's button");
    assert_eq!(me(&browser, &portal).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_page_shows_each_step() {
    let home = Home::new();
    let portal = home.start_demo();
    let browser = browser();
    for (button, company, passed, why) in [
        ("steps-fresh", "4321", 6, "all of them"),
        ("steps-again", "4321", 5, "all but the first use"),
        ("steps-expired", "4321", 3, "the signature is right, the time is not"),
        ("steps-tampered", "4321", 2, "the company is known, the signature is wrong"),
        ("steps-fresh", "99", 1, "nobody has signed up with this number"),
        ("sign_up", "4321", 6, "a signed webhook"),
        ("rotate", "4321", 6, "another"),
        ("call_again", "4321", 6, "an exact copy is acknowledged"),
        ("rotate", "not a number", 4, "signed, but no company's number"),
    ] {
        let shown = steps(&browser, &portal, button, company).await;
        let mut expected = vec!["passed"; passed];
        expected.extend((passed < 6).then_some("refused"));
        expected.resize(6, "not reached");
        assert_eq!(shown, expected, "{button}, {company}: {why}");
    }
    assert_eq!(me(&browser, &portal).await.0, StatusCode::UNAUTHORIZED, "what was shown has signed nobody in");
    assert_eq!(go(&browser, &portal, "go-fresh").await.0, StatusCode::SEE_OTHER, "by the rotated key");
}

#[tokio::test]
async fn what_a_partner_sends_is_text_on_the_page() {
    let home = Home::new();
    let portal = home.start_demo();
    let browser = browser();
    let name = r#"<script>alert("x")</script>"#;
    let page = press(&browser, &portal, "steps-fresh", "\"><img src=x>", name).await.text().await.unwrap();
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    let link = header(&press(&browser, &portal, "go-fresh", "4321", name).await, "location");
    assert_eq!(visit(&browser, &link).await.0, StatusCode::SEE_OTHER);
    let page = browser.get(portal.at("/")).send().await.unwrap();
    let policy = header(&page, "content-security-policy");
    for rule in ["default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{rule}: {policy}");
    }
    assert_eq!(header(&page, "x-content-type-options"), "nosniff");
    let page = page.text().await.unwrap();
    assert!(page.contains("&#60;script&#62;") && !page.contains("<script"), "{page}");
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let home = Home::new();
    let portal = home.start_demo();
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        for path in ["/demo/tutorcruncher", "/logout"] {
            let request = browser().post(portal.at(path)).header(name, value).body("press=go-fresh");
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} with {name}: {value}");
        }
    }
}

#[tokio::test]
async fn a_configuration_switches_the_demo_off() {
    let home = Home::new();
    let portal = home.start();
    let answer = press(&browser(), &portal, "go-fresh", "4321", "Sam").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let page = browser().get(portal.at("/")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("TutorCruncher") && !page.contains("/demo/"), "{page}");
    assert!(!page.contains(&home.webhook_secret));
}

#[cfg(unix)]
#[tokio::test]
async fn the_demo_keeps_its_secrets() {
    let home = Home::new();
    let portal = home.start_demo();
    assert_eq!(go(&browser(), &portal, "go-fresh").await.0, StatusCode::SEE_OTHER);
    portal.stop();
    let portal = home.start_demo();
    assert_eq!(go(&browser(), &portal, "go-fresh").await.0, StatusCode::SEE_OTHER, "the partner still has its key");
}
