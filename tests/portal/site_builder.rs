//! Site Builder: addresses signed by the Python package of the vendor's sample, and the one-time links that they bring.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::sign::OAuthLink;

use crate::running::{CONSUMER_SECRET, Home, Portal, browser, header, me, refusal, visit};
use crate::vendor_client::{Case, client};

const JOHN: [(&str, &str); 5] = [
    ("partner_user_id", "1234567890"),
    ("email", "john@example.com"),
    ("first_name", "John"),
    ("last_name", "Doe"),
    ("partner_site_ids", "12345,23145"),
];

fn signer(portal: &Portal) -> OAuthLink {
    OAuthLink::new(portal.at("/sitebuilder/widget/"), "partner-key", &CONSUMER_SECRET.into())
}

fn link(portal: &Portal) -> String {
    signer(portal).uri(&JOHN).unwrap()
}

fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    JOHN.into_iter().filter(|(other, _)| *other != name).chain([(name, value)]).collect()
}

/// What a page makes of the script: the link for the user, and those for the sites.
fn links(script: &str) -> (String, Vec<(String, String)>) {
    let (mut user, mut sites) = (String::new(), Vec::new());
    for line in script.lines() {
        let text = |literal: &str| serde_json::from_str::<String>(literal).unwrap();
        if let Some(link) = line.strip_prefix("sb.uris.user = ") {
            user = text(link.trim_end_matches(';'));
        } else if let Some(site) = line.strip_prefix("sb.uris.sites[") {
            let (id, link) = site.trim_end_matches(';').split_once("] = ").unwrap();
            sites.push((text(id), text(link)));
        }
    }
    (user, sites)
}

async fn widget(link: &str) -> (String, Vec<(String, String)>) {
    let answer = browser().get(link).send().await.unwrap();
    assert_eq!((answer.status(), &*header(&answer, "content-type")), (StatusCode::OK, "application/javascript"));
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert!(header(&answer, "set-cookie").is_empty(), "the script signs nobody in");
    links(&answer.text().await.unwrap())
}

#[tokio::test]
async fn the_vendors_own_addresses_bring_links_once() {
    let home = Home::new();
    let portal = home.start();
    let arguments = ["--consumer-key", "partner-key", "--consumer-secret", CONSUMER_SECRET];
    let cases = client("sitebuilder.py", &portal, &arguments);
    assert_eq!(cases.len(), 13, "the client's own number of cases");
    for Case { case, url, .. } in &cases {
        let (user, sites) = widget(url).await;
        let expected: &[&str] = match &**case {
            "py no sites" | "py required only" => &[],
            "py two sites" => &["12345", "23145"],
            _ => &["12345"],
        };
        assert_eq!(sites.iter().map(|(id, _)| &**id).collect::<Vec<_>>(), expected, "{case}");
        let browser = browser();
        assert_eq!(visit(&browser, &user).await, (StatusCode::SEE_OTHER, "/sitebuilder/".into()), "{case}");
        let me = me(&browser, &portal).await.1;
        assert_eq!((&me["provider"], &me["tenant"]), (&"site_builder".into(), &"partner-key".into()), "{case}");
        let email = if case == "py plus email" { "john+test@example.com" } else { "john@example.com" };
        assert_eq!(me["email"], email, "{case}");
        if case == "py utf8" {
            assert_eq!(me["name"], "Zoë 李雷");
        }
        let again = browser.get(url).send().await.unwrap();
        assert_eq!(refusal(again).await, (401, "replayed".into()), "{case}");
    }
}

#[tokio::test]
async fn each_link_works_once_and_leads_where_it_should() {
    let home = Home::new();
    let portal = home.start();
    let (user, sites) = widget(&link(&portal)).await;
    let prefix = portal.at("/sitebuilder/enter?ticket=");
    assert!(user.starts_with(&prefix) && user.len() == prefix.len() + 43, "{user}");
    assert_eq!(visit(&browser(), &portal.at("/sitebuilder/")).await.0, StatusCode::UNAUTHORIZED, "nobody is signed in");

    let browser = browser();
    let head = browser.head(&user).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::METHOD_NOT_ALLOWED, "looking at it does not use it up");
    let answer = browser.get(&user).send().await.unwrap();
    assert_eq!((answer.status(), &*header(&answer, "location")), (StatusCode::SEE_OTHER, "/sitebuilder/"));
    assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
    let expected = json!({
        "provider": "site_builder", "tenant": "partner-key", "subject": "1234567890", "email": "john@example.com",
        "name": "John Doe", "claims": {
            "email": "john@example.com", "partner_user_id": "1234567890", "first_name": "John", "last_name": "Doe",
            "partner_site_ids": "12345,23145",
        },
    });
    assert_eq!(me(&browser, &portal).await, (StatusCode::OK, expected));
    let page = browser.get(portal.at("/sitebuilder/")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("/sitebuilder/sites/12345") && page.contains("/sitebuilder/sites/23145"), "{page}");
    assert!(browser.get(portal.at("/")).send().await.unwrap().text().await.unwrap().contains("SiteBuilderUser {"));

    let (id, site) = &sites[1];
    assert_eq!(visit(&browser, site).await, (StatusCode::SEE_OTHER, format!("/sitebuilder/sites/{id}")));
    assert_eq!(visit(&browser, &portal.at("/sitebuilder/sites/23145")).await.0, StatusCode::OK);
    assert_eq!(visit(&browser, &portal.at("/sitebuilder/sites/1")).await.0, StatusCode::NOT_FOUND, "not the user's");

    for (link, code, why) in [
        (&user, "invalid", "it was used"),
        (site, "invalid", "it was used"),
        (&format!("{prefix}{}", "A".repeat(43)), "invalid", "there is no such ticket"),
        (&format!("{prefix}A"), "malformed", "too short to be one"),
        (&portal.at("/sitebuilder/enter"), "malformed", "no ticket"),
        (&format!("{}&ticket=x", sites[0].1), "malformed", "two tickets"),
    ] {
        let answer = crate::running::browser().get(link).send().await.unwrap();
        assert!(header(&answer, "set-cookie").is_empty(), "{why}");
        assert_eq!(refusal(answer).await.1, code, "{why}");
    }
    assert_eq!(visit(&browser, &sites[0].1).await.0, StatusCode::SEE_OTHER, "none of it has used this one up");
}

#[tokio::test]
async fn dishonest_addresses_are_refused() {
    let home = Home::new();
    let portal = home.start();
    let now = SystemClock.now();
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let honest = link(&portal);
    let by = |key: &str, secret: &str| {
        OAuthLink::new(portal.at("/sitebuilder/widget/"), key, &secret.into()).uri(&JOHN).unwrap()
    };
    let elsewhere = OAuthLink::new("http://evil.example/sitebuilder/widget/", "partner-key", &CONSUMER_SECRET.into());
    let elsewhere = elsewhere.uri(&JOHN).unwrap().replace("http://evil.example", &portal.url);
    let sign = |parameters: &[(&str, &str)]| signer(&portal).uri(parameters).unwrap();
    let many = vec!["1"; 101].join(",");
    for (link, expected, why) in [
        (by("partner-key", "a guess"), (401, "invalid"), "a wrong secret"),
        (by("nobody", CONSUMER_SECRET), (401, "invalid"), "an unknown consumer"),
        (by("other-key", CONSUMER_SECRET), (401, "invalid"), "another partner's secret"),
        (honest.replace("john%40example", "eve%40example"), (401, "invalid"), "another user"),
        (format!("{honest}&partner_site_ids=1"), (401, "invalid"), "a site more"),
        (elsewhere, (401, "invalid"), "signed for another host"),
        (signer(&portal).issued_at(now.minus(minutes(6))).uri(&JOHN).unwrap(), (401, "expired"), "six minutes old"),
        (
            signer(&portal).issued_at(now.plus(minutes(6))).uri(&JOHN).unwrap(),
            (401, "not_yet_valid"),
            "from the future",
        ),
        (sign(&[("email", "john@example.com")]), (400, "rejected_claims"), "no user id"),
        (sign(&with("partner_site_ids", "../admin")), (400, "rejected_claims"), "a path in a site"),
        (sign(&with("partner_site_ids", "</script>")), (400, "rejected_claims"), "an element in a site"),
        (sign(&with("partner_site_ids", "1\u{2028}2")), (400, "rejected_claims"), "a line separator in a site"),
        (sign(&with("partner_site_ids", "12345,__proto__")), (400, "rejected_claims"), "a name that means something"),
        (
            sign(&[("email", "a@b.example"), ("partner_user_id", "1"), ("partner_site_ids", &many)]),
            (400, "rejected_claims"),
            "too many sites",
        ),
        (portal.at("/sitebuilder/widget/"), (400, "malformed"), "nothing at all"),
    ] {
        let (status, code) = refusal(browser().get(&link).send().await.unwrap()).await;
        assert_eq!((status, &*code), expected, "{why}");
    }
    let spoofed = browser().get(&honest).header("x-forwarded-host", "evil.example").header("host", "evil.example");
    assert_eq!(spoofed.send().await.unwrap().status(), StatusCode::OK, "the origin is the configured one");
    let older = by("partner-key", "an older secret");
    assert_eq!(widget(&older).await.1.len(), 2, "an older secret is accepted");
}

#[tokio::test]
async fn what_the_partner_says_is_text() {
    let home = Home::new();
    let portal = home.start();
    let hostile = "</script><script>alert(1)</script>\u{2028}\"'\\";
    let parameters = [("email", hostile), ("partner_user_id", hostile), ("first_name", hostile), ("last_name", "x")];
    let link = signer(&portal).uri(&parameters).unwrap();
    let answer = browser().get(&link).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let script = answer.text().await.unwrap();
    assert!(script.is_ascii() && !script.contains('<') && !script.contains("alert"), "{script}");
    let browser = browser();
    assert_eq!(visit(&browser, &links(&script).0).await.0, StatusCode::SEE_OTHER);
    for path in ["/sitebuilder/", "/"] {
        let page = browser.get(portal.at(path)).send().await.unwrap().text().await.unwrap();
        assert!(!page.contains("<script"), "{path}: {page}");
    }
}

#[tokio::test]
async fn links_are_on_the_public_address() {
    let home = Home::new();
    let portal = home.start_with(&format!("public_url = \"https://App.Example:443\"\n{}", home.configuration()));
    let address = "https://app.example/sitebuilder/widget/";
    let link = OAuthLink::new(address, "partner-key", &CONSUMER_SECRET.into()).uri(&JOHN).unwrap();
    let (user, _) = widget(&link.replace("https://app.example", &portal.url)).await;
    assert!(user.starts_with("https://app.example"), "{user}");
}

/// As many as the store in memory is asked to keep at once: whom they sign in is kept once for each page view.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn page_views_with_many_sites_take_little_memory_and_shut_nobody_out() {
    const MOST: usize = 64 * 1024 * 1024;
    let home = Home::new();
    let portal = home.start();
    let sites = (1..=100).map(|site| site.to_string()).collect::<Vec<_>>().join(",");
    let name = "a".repeat(50_000);
    let fields =
        [("partner_user_id", "1"), ("email", "john@example.com"), ("first_name", &name), ("partner_site_ids", &sites)];
    let before = portal.resident_bytes();
    for view in 0..200 {
        let answer = browser().get(signer(&portal).uri(&fields).unwrap()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{view}");
        answer.bytes().await.unwrap();
    }
    let grown = portal.resident_bytes().saturating_sub(before);
    assert!(grown < MOST, "{grown} bytes for 200 page views");
    let others = OAuthLink::new(portal.at("/sitebuilder/widget/"), "other-key", &"other secret".into());
    let (user, sites) = widget(&others.uri(&JOHN).unwrap()).await;
    assert_eq!(visit(&browser(), &user).await.0, StatusCode::SEE_OTHER);
    assert_eq!(sites.len(), 2);
}
