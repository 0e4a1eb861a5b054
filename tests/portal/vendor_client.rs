//! The vendors' sample code against the portal: TutorCruncher's, and what the other vendors' tests share.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tower_sso::clock::{Clock, SystemClock};

use crate::running::{Home, Portal, browser, header, me, refusal};

/// A request as a client printed it.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) case: String,
    method: String,
    pub(crate) url: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    #[serde(default)]
    claims: Value,
}

/// Runs a vendor's client against the portal.
pub(crate) fn client(script: &str, portal: &Portal, arguments: &[&str]) -> Vec<Case> {
    let Some(python) = std::env::var_os("TOWER_SSO_PYTHON") else {
        panic!("TOWER_SSO_PYTHON is not set: run scripts/test, which installs what the vendor's client needs");
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let mut command = Command::new(python);
    command.arg("-B").arg(script).args(["--base-url", &portal.url]);
    let output = command.args(arguments).env("PYTHONIOENCODING", "utf-8").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn tutorcruncher(home: &Home, portal: &Portal, arguments: &[&str]) -> Vec<Case> {
    client("tutorcruncher.py", portal, &[&[&*format!("--webhook-secret={}", home.webhook_secret)], arguments].concat())
}

/// Sends it byte for byte, so that no client of ours repairs it.
pub(crate) async fn send(portal: &Portal, case: &Case) -> String {
    let target = case.url.strip_prefix(&portal.url).unwrap();
    let host = portal.url.strip_prefix("http://").unwrap();
    let mut request = format!("{} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", case.method);
    for (name, value) in &case.headers {
        request += &format!("{name}: {value}\r\n");
    }
    portal.raw(format!("{request}\r\n{}", case.body)).await
}

pub(crate) fn status(answer: &str) -> &str {
    answer.lines().next().unwrap_or_default().trim_start_matches("HTTP/1.1 ").get(..3).unwrap_or_default()
}

#[tokio::test]
async fn companies_sign_up_and_users_sign_in() {
    let home = Home::new();
    let portal = home.start();
    let cases = tutorcruncher(&home, &portal, &[]);
    let (calls, links): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.case.starts_with("webhook"));
    assert_eq!((calls.len(), links.len()), (4, 6), "the client's own number of cases");
    // The last one rotates the key; links by the key before it are still good.
    for call in calls.iter().chain(&calls) {
        assert_eq!(status(&send(&portal, call).await), "200", "{}", call.case);
    }
    for link in links {
        let Case { case, url, claims, .. } = link;
        let browser = browser();
        let answer = browser.get(url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{case}");
        let lesson = claims["apt_id"].as_i64();
        let landing = lesson.map_or("/".to_owned(), |lesson| format!("/lessons/{lesson}"));
        assert_eq!(header(&answer, "location"), landing, "{case}");
        assert_eq!(browser.get(portal.at(&landing)).send().await.unwrap().status(), StatusCode::OK, "{case}");

        let (status, me) = me(&browser, &portal).await;
        assert_eq!(status, StatusCode::OK, "{case}");
        assert_eq!((&me["provider"], &me["tenant"]), (&"tutorcruncher".into(), &"4321".into()), "{case}");
        assert_eq!((&me["subject"], &me["name"], &me["email"]), (&"123".into(), &claims["nm"], &claims["e"]), "{case}");
        let mut expected = claims.clone();
        // It repeats the token's own time, and is checked against it.
        expected.as_object_mut().unwrap().remove("ts");
        assert_eq!(me["claims"], expected, "{case}");

        let again = crate::running::browser().get(url).send().await.unwrap();
        assert_eq!(refusal(again).await, (401, "replayed".into()), "{case}");
    }
}

#[tokio::test]
async fn its_links_byte_for_byte_are_good_once() {
    let home = Home::new();
    let portal = home.start();
    let cases = tutorcruncher(&home, &portal, &[]);
    assert_eq!(status(&send(&portal, &cases[0]).await), "200");
    let links: Vec<_> = cases.iter().filter(|case| case.case.starts_with("sso")).collect();
    assert!(links.iter().any(|link| link.url.ends_with('=')), "the vendor's client leaves the padding raw");
    for link in links {
        assert_eq!(status(&send(&portal, link).await), "303", "{}", link.case);
        let again = send(&portal, link).await;
        assert!(status(&again) == "401" && again.contains("\"replayed\""), "{}: {again}", link.case);
    }
}

#[tokio::test]
async fn its_links_are_refused_when_tampered_with_or_stale() {
    let home = Home::new();
    let portal = home.start();
    let key = "--fernet-key=38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=";
    let cases = tutorcruncher(&home, &portal, &[key]);
    assert_eq!(status(&send(&portal, &cases[0]).await), "200");
    for link in cases.iter().filter(|case| case.case.starts_with("sso")) {
        let mut url = link.url.clone().into_bytes();
        let at = url.len() - 60;
        url[at] = if url[at] == b'A' { b'B' } else { b'A' };
        let answer = browser().get(String::from_utf8(url).unwrap()).send().await.unwrap();
        assert_eq!(refusal(answer).await, (401, "invalid".into()), "{}", link.case);
    }
    let stale = format!("--now={}", SystemClock.now().as_secs() - 62);
    let early = format!("--now={}", SystemClock.now().as_secs() + 600);
    for (now, code) in [(stale, "expired"), (early, "not_yet_valid")] {
        for link in tutorcruncher(&home, &portal, &[key, &now, "--only=sso"]) {
            let answer = browser().get(&link.url).send().await.unwrap();
            assert_eq!(refusal(answer).await, (401, code.into()), "{}", link.case);
        }
    }
}
