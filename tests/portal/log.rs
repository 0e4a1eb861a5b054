//! A log that is full, gone or stuck does not affect requests.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use tower_sso::sign::generate_fernet_key;

use crate::running::{Home, Portal, browser, header, me, visit};

/// More than fits into a pipe, even at one line for each request.
const FORGED: usize = 600;

fn impatient() -> Client {
    Client::builder().timeout(Duration::from_secs(10)).build().unwrap()
}

/// A portal with this as its standard error.
fn start(home: &Home, log: Stdio) -> Portal {
    let mut command = home.command();
    command.arg("--config").arg(home.write(&home.configuration())).stderr(log);
    Portal::announced_by(&mut command, "portal listening on ").unwrap()
}

/// Sign-up, sign-in, refusals and health, within a time limit that a busy machine keeps and a stuck one does not.
async fn goes_on(home: &Home, portal: &Portal) {
    let company = tokio::time::timeout(Duration::from_secs(20), portal.company(home, 4321)).await.unwrap();
    let client = impatient();
    for _ in 0..FORGED {
        let forged = client.get(portal.at("/tutorcruncher/sso?company_id=1&token=gAAAAA")).send().await;
        assert_eq!(forged.unwrap().status(), StatusCode::BAD_REQUEST);
    }
    for path in ["/healthz", "/style.css", "/metrics"] {
        assert_eq!(client.get(portal.at(path)).send().await.unwrap().status(), StatusCode::OK, "{path}");
    }
    let browser = browser();
    assert_eq!(visit(&browser, &company.link()).await.0, StatusCode::SEE_OTHER);
    assert_eq!(me(&browser, portal).await.0, StatusCode::OK);
    let rotation = home.announcement(4321, &generate_fernet_key(), "DinoTutors");
    assert_eq!(portal.announce(rotation).await.status(), StatusCode::OK);
}

/// How many lines `/metrics` says were lost.
async fn lost(portal: &Portal) -> u64 {
    let metrics = browser().get(portal.at("/metrics")).send().await.unwrap().text().await.unwrap();
    let line = metrics.lines().find_map(|line| line.strip_prefix("portal_log_lines_lost_total "));
    line.unwrap_or_else(|| panic!("no such counter: {metrics}")).parse().unwrap()
}

#[tokio::test]
async fn a_full_disk_stops_nobody() {
    let home = Home::new();
    let portal = start(&home, File::options().write(true).open("/dev/full").unwrap().into());
    goes_on(&home, &portal).await;
    assert!(lost(&portal).await > 0);
}

#[tokio::test]
async fn a_reader_that_is_gone_stops_nobody() {
    let home = Home::new();
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let log = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    let portal = start(&home, log.into());
    goes_on(&home, &portal).await;
    assert!(lost(&portal).await > 0);
}

#[tokio::test]
async fn a_reader_that_stands_still_stops_nobody() {
    let home = Home::new();
    let mut reader = Command::new("sleep").arg("300").stdin(Stdio::piped()).spawn().unwrap();
    let log = reader.stdin.take().unwrap();
    let portal = start(&home, log.into());
    goes_on(&home, &portal).await;
    assert_eq!(portal.stop().code(), Some(0), "nor does it keep the portal from stopping");
    reader.kill().unwrap();
    reader.wait().unwrap();
}

#[tokio::test]
async fn a_log_that_is_read_is_complete() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    assert_eq!(visit(&browser(), &company.link()).await.0, StatusCode::SEE_OTHER);
    assert_eq!(lost(&portal).await, 0);
    assert!(portal.into_log(&home).contains("signed in"), "the last line is not lost");
}

/// The client chooses how often it sends a cookie whose session is over. As it logs unless it is told otherwise.
#[tokio::test]
async fn cookies_of_sessions_that_are_over_write_no_lines() {
    let home = Home::new();
    let mut command = home.command();
    command.arg("--config").arg(home.write(&home.configuration())).env_remove("RUST_LOG");
    let portal = Portal::started(&home, &mut command);
    let company = portal.company(&home, 4321).await;
    // Without a jar: it keeps the cookie when the browser would drop it.
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let landed = client.get(company.link()).send().await.unwrap();
    let cookie = header(&landed, "set-cookie").split(';').next().unwrap().to_owned();
    let me = async || client.get(portal.at("/me")).header("cookie", &cookie).send().await.unwrap().status();
    assert_eq!(me().await, StatusCode::OK);
    let out = client.post(portal.at("/logout")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    for _ in 0..5 {
        assert_eq!(me().await, StatusCode::UNAUTHORIZED);
    }
    let log = portal.into_log(&home);
    assert!(log.contains("signed in") && !log.contains("tower_sessions"), "{log}");
}
