//! If a tenant, a stranger or another program blocks the database, everybody else is still served.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::task::JoinSet;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::sign::{HashedLink, generate_fernet_key};

use crate::postgres;
use crate::running::{Home, LCVISTA_SECRET, Portal, browser, me, visit};

/// How long a person would wait, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(4);

/// To the nanosecond, so that each link is new.
fn lcvista_link(portal: &Portal, email: &str) -> String {
    let recipe = tower_sso::providers::lcvista::recipe();
    let link = HashedLink::new(portal.at("/sso/oauth/"), recipe, &LCVISTA_SECRET.into());
    let now = SystemClock.now().as_nanos();
    let timestamp = format!("{}.{:09}", now / 1_000_000_000, now % 1_000_000_000);
    link.uri(&[&timestamp, email, "rainier"])
}

/// Other vendors' users sign in, another company's too, and all is in order.
async fn others_are_served(portal: &Portal, others: &crate::running::Company) {
    let before = Instant::now();
    let emails = ["admin@lcvista.com", "o'brien@example.com", "a+b@example.com", "a~b@example.com"];
    for email in emails {
        let browser = browser();
        assert_eq!(visit(&browser, &lcvista_link(portal, email)).await.0, StatusCode::SEE_OTHER);
        assert_eq!(me(&browser, portal).await.0, StatusCode::OK);
    }
    assert_eq!(visit(&browser(), &others.link()).await.0, StatusCode::SEE_OTHER);
    assert_eq!(visit(&browser(), &portal.at("/healthz")).await.0, StatusCode::OK);
    assert!(before.elapsed() < PATIENCE, "{:?}", before.elapsed());
}

/// Polls until somebody waits for a lock.
async fn until_waiting(url: &str) {
    let before = Instant::now();
    while postgres::shared().waiting(url) == 0 {
        assert!(before.elapsed() < Duration::from_secs(20), "nobody waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_company_whose_row_is_locked_is_the_only_one_that_waits() {
    let home = Home::new();
    let url = postgres::shared().fresh_database();
    let portal = home.start_with(&format!("database_url = \"{url}\"\n{}", home.configuration()));
    portal.company(&home, 20).await;
    let others = portal.company(&home, 21).await;
    let lock = postgres::shared().hold(&url, "UPDATE portal_companies SET admin_name = admin_name WHERE tenant = '20'");
    let mut calls = JoinSet::new();
    for _ in 0..12 {
        let call = home.announcement(20, &generate_fernet_key(), "DinoTutors");
        calls.spawn(portal.announcement_request(&call).send());
    }
    until_waiting(&url).await;
    others_are_served(&portal, &others).await;
    let rotation = home.announcement(21, &generate_fernet_key(), "Others");
    assert_eq!(portal.announce(rotation).await.status(), StatusCode::OK, "another company's call");
    while let Some(answer) = calls.join_next().await {
        let status = answer.unwrap().unwrap().status();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "it may come again");
    }
    drop(lock);
    let call = home.announcement(20, &generate_fernet_key(), "DinoTutors");
    assert_eq!(portal.announce(call).await.status(), StatusCode::OK, "it came again");
}

#[tokio::test]
async fn who_asks_for_companies_that_nobody_knows_waits_alone() {
    let home = Home::new();
    let url = postgres::shared().fresh_database();
    let portal = home.start_with(&format!("database_url = \"{url}\"\n{}", home.configuration()));
    let others = portal.company(&home, 21).await;
    assert_eq!(visit(&browser(), &others.link()).await.0, StatusCode::SEE_OTHER, "its key is known from here on");
    let lock = postgres::shared().lock(&url, "tower_sso_keys");
    let mut strangers = JoinSet::new();
    for company in 1_000..1_012 {
        let link = others.link().replace("company_id=21", &format!("company_id={company}"));
        strangers.spawn(Client::new().get(link).send());
    }
    until_waiting(&url).await;
    others_are_served(&portal, &others).await;
    drop(lock);
    while let Some(answer) = strangers.join_next().await {
        assert!(!answer.unwrap().unwrap().status().is_success());
    }
}

#[tokio::test]
async fn another_program_that_writes_to_the_file_delays_sign_ins_and_nothing_else() {
    let home = Home::new();
    let portal = home.start();
    let signed_in = browser();
    assert_eq!(visit(&signed_in, &lcvista_link(&portal, "admin@lcvista.com")).await.0, StatusCode::SEE_OTHER);
    let file = format!("sqlite://{}", home.data().join("portal.db").display());
    let mut other = SqliteConnection::connect(&file).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();

    let mut sign_ins = JoinSet::new();
    for _ in 0..24 {
        let link = lcvista_link(&portal, "admin@lcvista.com");
        sign_ins.spawn(async move { visit(&browser(), &link).await.0 });
    }
    // Longer than the defaults of a pool (for a connection) and of SQLite (for a lock), which are 5 s; less than a
    // sign-in waits, which is 9 s.
    let before = Instant::now();
    while before.elapsed() < Duration::from_secs(7) {
        let asked = Instant::now();
        assert_eq!(me(&signed_in, &portal).await.0, StatusCode::OK);
        assert_eq!(visit(&browser(), &portal.at("/healthz")).await.0, StatusCode::OK);
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(sign_ins.try_join_next().is_none(), "without the lock nobody can write");
    other.execute("COMMIT").await.unwrap();
    while let Some(status) = sign_ins.join_next().await {
        assert_eq!(status.unwrap(), StatusCode::SEE_OTHER);
    }
}
