//! `portal --explain` and the demo's page name a partner's slip.

use tower_sso::clock::{Clock, SystemClock};
use tower_sso::keys::Secret;
use tower_sso::providers::lcvista;
use tower_sso::sign::{HashedLink, SigningWebhook};

use crate::running::{Home, LCVISTA_SECRET, browser};

fn explained(home: &Home, request: &str) -> String {
    let file = home.write(&home.configuration());
    let output = home.command().arg("--config").arg(file).args(["--explain", request]).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    for secret in [LCVISTA_SECRET, &home.webhook_secret] {
        assert!(!said.contains(secret), "{said}");
    }
    said
}

#[test]
fn links_and_lines_for_curl_are_explained() {
    let home = Home::new();
    let now = SystemClock.now().as_secs().to_string();
    let link = |secret: &str| {
        let secret = Secret::verbatim(secret);
        let link = HashedLink::new("https://portal.example/sso/oauth/", lcvista::recipe(), &secret);
        link.uri(&[&now, "admin@lcvista.com", "rainier"])
    };
    let call = |secret: String| SigningWebhook::new(Secret::verbatim(secret)).signature(&[b"{\"a\":1}"]);
    let curl = |signature: &str| {
        format!(
            "curl -X POST https://portal.example/tutorcruncher/companies -H 'Content-Type: application/json' \
             -H 'Webhook-Signature: {signature}' --data-raw '{{\"a\":1}}'"
        )
    };
    for (request, expected) in [
        (link(LCVISTA_SECRET), "It passes"),
        (link(&format!("{LCVISTA_SECRET}\n")), "ends with a line feed"),
        (link("another organisation's secret"), "the key of tenant \"olympus\""),
        (curl(&call(format!("{}\n", home.webhook_secret))), "ends with a line feed"),
        (curl(&call(home.webhook_secret.clone())), "refused  claims"),
        ("https://portal.example/nowhere".to_owned(), "no partner signs requests to this path"),
        ("curl 'https://portal.example".to_owned(), "has an open quote"),
        ("curl -i".to_owned(), "has no URL"),
    ] {
        let said = explained(&home, &request);
        assert!(said.contains(expected), "{expected}: {said}\n{request}");
    }
}

#[tokio::test]
async fn the_page_names_the_probable_cause() {
    let home = Home::new();
    let portal = home.start_demo();
    let fields = "company_id=4321&id=123&name=Sam&role=Contractor&email=&lesson=&press=steps-expired";
    let request = browser().post(portal.at("/demo/tutorcruncher")).header("sec-fetch-site", "same-origin");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(fields);
    let page = request.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Probable cause") && page.contains("It was made"), "{page}");
}
