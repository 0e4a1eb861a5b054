//! LCvista: links signed by the vendor's sample code, or by this crate if the sample cannot make them.

use reqwest::StatusCode;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::providers::lcvista;
use tower_sso::sign::HashedLink;

use crate::running::{Home, LCVISTA_SECRET, Portal, browser, header, me, refusal, visit};
use crate::vendor_client::{Case, client};

const SECRETS: [(&str, &str); 2] = [("rainier", LCVISTA_SECRET), ("olympus", "another organisation's secret")];

fn sample(portal: &Portal, arguments: &[&str]) -> Vec<Case> {
    client("lcvista.py", portal, &[&["--secret", LCVISTA_SECRET], arguments].concat())
}

fn link_of(portal: &Portal, email: &str, slug: &str, secret: &str) -> String {
    let now = SystemClock.now();
    let timestamp = format!("{}.{:06}", now.as_secs(), now.as_nanos() % 1_000_000_000 / 1_000);
    let base = portal.at("/sso/oauth/");
    HashedLink::new(base, lcvista::recipe(), &secret.into()).uri(&[&timestamp, email, slug])
}

fn link(portal: &Portal) -> String {
    link_of(portal, "admin@lcvista.com", "rainier", LCVISTA_SECRET)
}

#[tokio::test]
async fn the_vendors_own_links_sign_in_once() {
    let home = Home::new();
    let portal = home.start();
    let cases = sample(&portal, &[]);
    let (refused, accepted): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.case.starts_with("neg "));
    assert_eq!((accepted.len(), refused.len()), (14, 23), "the client's own number of cases");
    for Case { case, url, .. } in accepted {
        let browser = browser();
        let (status, location) = visit(&browser, url).await;
        let landing = if case == "next deep" { "/catalog/?q=1" } else { "/" };
        assert_eq!((status, &*location), (StatusCode::SEE_OTHER, landing), "{case}");
        let (status, me) = me(&browser, &portal).await;
        assert_eq!((status, &me["provider"], &me["tenant"]), (StatusCode::OK, &"lcvista".into(), &"rainier".into()));
        assert_eq!(refusal(crate::running::browser().get(url).send().await.unwrap()).await.1, "replayed", "{case}");
    }
    for Case { case, url, .. } in refused {
        let answer = browser().get(url).send().await.unwrap();
        let (status, location) = (answer.status(), header(&answer, "location"));
        if case.contains("redirect") || case.contains("crlf") {
            assert_eq!((status, &*location), (StatusCode::SEE_OTHER, "/"), "{case}: signed in, and no further");
        } else {
            assert!(status.is_client_error() && status != StatusCode::FORBIDDEN, "{case}: {status}");
            assert!(header(&answer, "set-cookie").is_empty(), "{case}");
        }
    }
}

#[tokio::test]
async fn the_session_says_who_it_is() {
    let home = Home::new();
    let portal = home.start();
    let browser = browser();
    assert_eq!(visit(&browser, &link(&portal)).await, (StatusCode::SEE_OTHER, "/".into()));
    let expected = serde_json::json!({
        "provider": "lcvista", "tenant": "rainier", "subject": "admin@lcvista.com", "email": "admin@lcvista.com",
        "name": "admin@lcvista.com", "claims": {"email": "admin@lcvista.com", "slug": "rainier"},
    });
    assert_eq!(me(&browser, &portal).await, (StatusCode::OK, expected));
    let page = browser.get(portal.at("/")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("LcvistaUser {"), "{page}");
}

#[tokio::test]
async fn a_user_without_an_account_is_told_so() {
    let home = Home::new();
    let portal = home.start();
    let link = link_of(&portal, "nobody@lcvista.com", "rainier", LCVISTA_SECRET);
    let answer = browser().get(&link).send().await.unwrap();
    assert!(header(&answer, "set-cookie").is_empty());
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(refusal(answer).await, (403, "unknown_user".into()));
    let page = browser().get(link).header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::UNAUTHORIZED, "the link is used up all the same");
    let other = link_of(&portal, "nobody@lcvista.com", "rainier", LCVISTA_SECRET);
    let page = browser().get(other).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("no user with this email address"), "{page}");
}

#[tokio::test]
async fn organisations_know_nothing_of_each_other() {
    let home = Home::new();
    let portal = home.start();
    for (slug, secret) in SECRETS {
        let link = link_of(&portal, "admin@lcvista.com", slug, secret);
        let browser = browser();
        assert_eq!(visit(&browser, &link).await.0, StatusCode::SEE_OTHER, "{slug}: the same address in both");
        assert_eq!(me(&browser, &portal).await.1["tenant"], slug);
    }
    let by = |slug, secret| link_of(&portal, "admin@lcvista.com", slug, secret);
    for (link, expected, why) in [
        (by("rainier", SECRETS[1].1), (401, "invalid"), "by the other's secret"),
        (by("nowhere", LCVISTA_SECRET), (401, "invalid"), "an unknown organisation"),
        (by("rainier", LCVISTA_SECRET).replace("slug=rainier", "slug=olympus"), (401, "invalid"), "moved to the other"),
        (link_of(&portal, "only@rainier.com", "olympus", SECRETS[1].1), (403, "unknown_user"), "a user of the other"),
        (by("RAINIER", LCVISTA_SECRET), (401, "invalid"), "names are not folded"),
        (link_of(&portal, "Admin@lcvista.com", "rainier", LCVISTA_SECRET), (403, "unknown_user"), "nor addresses"),
        (portal.at("/sso/oauth/"), (400, "malformed"), "nothing at all"),
    ] {
        let answer = browser().get(&link).send().await.unwrap();
        assert!(header(&answer, "set-cookie").is_empty(), "{why}");
        let (status, code) = refusal(answer).await;
        assert_eq!((status, &*code), expected, "{why}");
    }
    let older = link_of(&portal, "admin@lcvista.com", "rainier", "an older secret");
    assert_eq!(visit(&browser(), &older).await.0, StatusCode::SEE_OTHER, "it is still accepted");
}

#[tokio::test]
async fn next_never_leads_elsewhere() {
    let home = Home::new();
    let portal = home.start();
    for (next, landing, why) in [
        ("%2Fcatalog%2F%3Fq%3D1%23top", "/catalog/?q=1#top", "query and fragment are kept"),
        ("https%3A%2F%2Fevil.example%2F", "/", "another site"),
        ("%2F%2Fevil.example", "/", "another host"),
        ("%2F%2Fevil.example%2F..%2F..", "/", "another host, and dots behind it"),
        ("%2F%2Fuser@evil.example:8443%2F%252e%252e%2F..%3Fq%3D1", "/", "another host, and escaped dots behind it"),
        ("%2F%252Fevil.example%2F..%2F..", "/", "an encoded slash, and dots behind it"),
        ("%2F%2509%2Fevil.example", "/", "an encoded tab"),
        ("%2F%5Cevil.example", "/", "a backslash"),
        ("%2F%09%2Fevil.example", "/", "a tab"),
        ("%2F%252F%2Fevil.example", "/", "an encoded slash"),
        ("%2F.%2F%2Fevil.example", "/", "a dot segment"),
        ("javascript%3Aalert(1)", "/", "a script"),
        ("%2F%0D%0ASet-Cookie%3A%20x%3D1", "/", "a header"),
        ("%2Fa&next=%2Fb", "/", "twice"),
        ("%zz", "/", "a broken escape"),
        ("", "/", "empty"),
    ] {
        let link = format!("{}&next={next}", link(&portal));
        assert_eq!(visit(&browser(), &link).await, (StatusCode::SEE_OTHER, landing.into()), "{why}");
    }
}
