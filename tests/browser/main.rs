//! The portal's page in a real browser: every card is clicked through, and nothing leads off the site.
//!
//! Run it with `scripts/test --test browser`: `cargo test --test browser` does not build the example.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "what runs the portal serves another test as well")]

mod driver;
#[path = "../portal/running.rs"]
mod running;

use driver::Browser;
use running::Home;

#[tokio::test]
async fn every_card_is_clicked_through() {
    let home = Home::new();
    let portal = home.start_demo();
    let browser = Browser::start().await;
    for (card, landing, spent, late) in [
        ("tutorcruncher", "Samuel Colvin", "replayed", Some("expired")),
        ("lcvista", "admin@lcvista.com", "replayed", Some("expired")),
        ("waggl", "bob@yourcompany.com", "replayed", Some("expired")),
        ("seatmap", "John Doe", "invalid", None),
    ] {
        let press = async |button: &str| {
            browser.open(&portal.at("/")).await;
            browser.click(&format!("#{card} button[value={button}]")).await;
        };
        press("go-fresh").await;
        browser.expect(landing, card).await;
        assert!(browser.address().await.starts_with(&portal.at("/")), "{card}: {}", browser.address().await);
        assert!(!browser.address().await.contains("token=") && !browser.address().await.contains("sso_jwt"), "{card}");
        press("go-again").await;
        browser.expect(spent, &format!("{card}: the same again")).await;
        press("go-tampered").await;
        browser.expect("invalid", &format!("{card}: tampered")).await;
        if let Some(late) = late {
            press("go-expired").await;
            browser.expect(late, &format!("{card}: too late")).await;
        }
        press("steps-fresh").await;
        browser.expect("What happened", card).await;
        let passed = browser.run("return document.querySelectorAll('.steps .passed').length").await;
        assert_eq!(passed, 6, "{card}");
    }
    outside(&browser, &portal.url).await;
}

#[tokio::test]
async fn the_widget_is_a_script_and_its_links_sign_in() {
    let home = Home::new();
    let portal = home.start_demo();
    let browser = Browser::start().await;
    let press = async |button: &str| {
        browser.open(&portal.at("/")).await;
        browser.click(&format!("#site_builder button[value={button}]")).await;
    };
    press("go-fresh").await;
    browser.expect("Login to site 12345", "the links").await;
    browser.click("#links a").await;
    browser.expect("Sites of John Doe", "the first link").await;
    for (button, why) in [("go-again", "used"), ("go-tampered", "tampered"), ("go-expired", "late")] {
        press(button).await;
        browser.expect("did not load", why).await;
    }
    outside(&browser, &portal.url).await;
}

#[tokio::test]
async fn no_landing_leaves_the_site() {
    let home = Home::new();
    let portal = home.start_demo();
    let browser = Browser::start().await;
    for next in [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "//evil.example/../..",
        "//user@evil.example:8443/%2e%2e/..?q=1",
        "/%2Fevil.example/../..",
        "/%09/evil.example",
        r"/\evil.example",
        r"\\evil.example",
        "/\t/evil.example",
        "/.//evil.example",
        "/..//evil.example",
        "/%2e//evil.example",
        "/%2F/evil.example",
        "/%5Cevil.example",
        "javascript:location='//evil.example'",
        "data:text/html,x",
        "@evil.example",
        ".evil.example",
    ] {
        browser.open(&portal.at("/")).await;
        browser.fill("lcvista-next", next).await;
        browser.click("#lcvista button[value=go-fresh]").await;
        browser.expect("admin@lcvista.com", next).await;
        let address = browser.address().await;
        // The browser keeps the form's fragment if the landing has none.
        let landing = address.split('#').next().unwrap();
        assert_eq!(landing, portal.at("/"), "{next:?}: signed in, and no further");
    }
    // A tab that is not at the start is an ordinary path.
    browser.open(&portal.at("/")).await;
    browser.fill("lcvista-next", "/a%09/evil.example").await;
    browser.click("#lcvista button[value=go-fresh]").await;
    browser.expect("There is nothing here", "a page of the portal's").await;
    assert!(browser.address().await.starts_with(&portal.at("/")));
    for path in [
        "//evil.example",
        "/evil.example/../..",
        "%2Fevil.example%2F..%2F..",
        r"%5Cevil.example",
        "https:%2F%2Fevil.example",
        "@evil.example",
        ".evil.example",
    ] {
        browser.open(&portal.at(&format!("/demo/waggl/sso/?return_to_path={path}"))).await;
        assert!(browser.address().await.starts_with(&portal.at("/")), "{path}: {}", browser.address().await);
    }
    outside(&browser, &portal.url).await;
}

/// No page requested anything from another site.
async fn outside(browser: &Browser, portal: &str) {
    let requests = browser.requests().await;
    assert!(requests.iter().any(|address| address.starts_with(portal)), "the log has the requests: {requests:?}");
    // The browser's own new-tab page is not on the network.
    let on_the_net = |address: &&String| address.starts_with("http") || address.starts_with("ws");
    let own = format!("{portal}/");
    let elsewhere: Vec<_> = requests.iter().filter(on_the_net).filter(|address| !address.starts_with(&own)).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}
