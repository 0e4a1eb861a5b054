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

/// Presses a button, follows it, and returns the final status and page.
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

/// The other cards: the form's fields, as the page prints them.
const OTHERS: [(&str, &str); 3] = [
    ("lcvista", "email=admin%40lcvista.com&slug=rainier&next=%2Fme"),
    ("waggl", "email=bob%40yourcompany.com&department=Sales&survey=9745804b&params=view%3Dvote"),
    ("seatmap", "login=jd%40seatmap.pro&first_name=John&last_name=Doe"),
];
const SITE_BUILDER: &str =
    "partner_user_id=1&email=john%40example.com&first_name=John&last_name=Doe&partner_site_ids=12345";

async fn press_on(browser: &Client, portal: &Portal, card: &str, fields: &str, button: &str) -> reqwest::Response {
    let request = browser.post(portal.at(&format!("/demo/{card}"))).header("sec-fetch-site", "same-origin");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(format!("{fields}&press={button}")).send().await.unwrap()
}

fn marks(page: &str) -> Vec<String> {
    page.split("class=\"mark\">").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_card_signs_in_and_is_refused() {
    let home = Home::new();
    let portal = home.start_demo();
    for (card, fields) in OTHERS {
        let browser = browser();
        let go = async |button: &str| {
            let answer = press_on(&browser, &portal, card, fields, button).await;
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{card} {button}");
            let answer = browser.get(header(&answer, "location")).header("accept", "text/html").send().await.unwrap();
            (answer.status().as_u16(), header(&answer, "location"), answer.text().await.unwrap())
        };
        let (status, location, _) = go("go-fresh").await;
        let landing = match card {
            "lcvista" => "/me",
            "waggl" => "/i/9745804b?view=vote",
            _ => "/editor",
        };
        assert_eq!((status, &*location), (303, landing), "{card}");
        assert_eq!(me(&browser, &portal).await.1["provider"], card);
        assert_eq!(visit(&browser, &portal.at(landing)).await.0, StatusCode::OK, "{card}");
        let spent = if card == "seatmap" { "invalid" } else { "replayed" };
        let late = if card == "seatmap" { None } else { Some(("go-expired", "expired")) };
        for (button, code) in [("go-again", spent), ("go-tampered", "invalid")].into_iter().chain(late) {
            let (status, _, page) = go(button).await;
            assert_eq!(status, 401, "{card} {button}");
            assert!(page.contains(&format!("<code>{code}</code>")), "{card} {button}: {page}");
        }
    }
}

#[tokio::test]
async fn each_card_shows_its_steps() {
    let home = Home::new();
    let portal = home.start_demo();
    let browser = browser();
    let cards = OTHERS.into_iter().chain([("site_builder", SITE_BUILDER)]);
    for (card, fields) in cards {
        let rows: &[(&str, usize)] = match card {
            "seatmap" => &[("steps-fresh", 6), ("steps-again", 1), ("steps-tampered", 1), ("wrong_key", 1)],
            _ => &[("steps-fresh", 6), ("steps-again", 5), ("steps-expired", 3), ("steps-tampered", 2)],
        };
        for (button, passed) in rows {
            // The first ticket is redeemed, so the next is a duplicate.
            if card == "seatmap" && *button == "steps-again" {
                let answer = press_on(&browser, &portal, card, fields, "go-again").await;
                visit(&browser, &header(&answer, "location")).await;
            }
            let page = press_on(&browser, &portal, card, fields, button).await.text().await.unwrap();
            let mut expected = vec!["passed"; *passed];
            expected.extend((*passed < 6).then_some("refused"));
            expected.resize(6, "not reached");
            assert_eq!(marks(&page), expected, "{card} {button}");
            assert!(page.contains("curl -i") && page.contains(&format!("id=\"{card}-outcome\"")), "{card}");
        }
    }
    let unknown = press_on(&browser, &portal, "lcvista", "email=x&slug=rainier&next=", "steps-fresh").await;
    assert!(unknown.text().await.unwrap().contains("403 Forbidden"), "authentic, but nobody");
    for (expected, why) in [("201 Created", "the first"), ("409 Conflict", "a copy")] {
        let fields = "login=first%40seatmap.pro&first_name=&last_name=";
        let page = press_on(&browser, &portal, "seatmap", fields, "register").await.text().await.unwrap();
        assert!(page.contains(expected), "{why}: {page}");
    }
}

#[tokio::test]
async fn the_partners_page_may_run_its_two_scripts_alone() {
    let home = Home::new();
    let portal = home.start_demo();
    let browser = browser();
    let page = press_on(&browser, &portal, "site_builder", SITE_BUILDER, "go-fresh").await;
    let policy = header(&page, "content-security-policy");
    let expected = format!("script-src {0}/sitebuilder/widget/ {0}/demo/site_builder/show-links.js;", portal.url);
    assert!(policy.contains("default-src 'none'") && policy.contains(&expected), "{policy}");
    let page = page.text().await.unwrap();
    let scripts: Vec<_> = page.split("<script").skip(1).collect();
    assert!(scripts.len() == 2 && scripts.iter().all(|script| script.contains("></script>")), "none is inline: {page}");
    let source = scripts[0].split('"').nth(1).unwrap().replace("&#38;", "&");
    let script = browser.get(&source).send().await.unwrap();
    assert_eq!(header(&script, "content-type"), "application/javascript");
    let script = script.text().await.unwrap();
    let link = script.split('"').find(|text| text.contains("ticket=")).unwrap();
    assert_eq!(visit(&browser, link).await, (StatusCode::SEE_OTHER, "/sitebuilder/".into()));
    assert_eq!(visit(&browser, &source).await.0, StatusCode::UNAUTHORIZED, "the address works once");
    let links = browser.get(portal.at("/demo/site_builder/show-links.js")).send().await.unwrap();
    assert!(header(&links, "content-type").starts_with("text/javascript"));
}

#[tokio::test]
async fn a_survey_leads_through_the_organisations_sign_in_page_and_back() {
    let home = Home::new();
    let portal = home.start_demo();
    let browser = browser();
    let (_, mut address) = visit(&browser, &portal.at("/i/9745804b?view=vote&page=1")).await;
    let mut way = Vec::new();
    while !address.is_empty() {
        way.push(address.split(['?', '#']).next().unwrap().replace(&portal.url, ""));
        let next = if address.starts_with('/') { portal.at(&address) } else { address };
        address = visit(&browser, &next).await.1;
    }
    assert_eq!(way, ["/demo/waggl/sso/", "/i/9745804b", "/i/9745804b"]);
    assert_eq!(me(&browser, &portal).await.1["provider"], "waggl");
}
