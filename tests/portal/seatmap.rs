//! seatmap.pro: its document's examples, byte for byte, and what a platform's server must not be able to do.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::running::{Home, PRIVATE_KEY, Portal, browser, header, me, refusal, visit};
use crate::vendor_client::{Case, client, send, status};

const REGISTER: &str = "/api/auth/register";
const AUTOLOGIN: &str = "/api/auth/autologin";

async fn post(portal: &Portal, path: &str, body: &Value) -> Response {
    let request = browser().post(portal.at(path)).header("content-type", "application/json");
    request.body(body.to_string()).send().await.unwrap()
}

fn registration(email: &str, organization: &str) -> Value {
    json!({
        "email": email, "firstName": "John", "lastName": "Doe", "organizationName": organization,
        "password": "defaultPassword",
    })
}

fn login(email: &str, key: &str) -> Value {
    json!({"login": email, "firstName": "John", "lastName": "Doe", "token": key})
}

async fn ok(portal: &Portal, path: &str, body: &Value, expected: u16) -> Value {
    let answer = post(portal, path, body).await;
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap();
    assert_eq!(status, expected, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn the_vendors_own_calls() {
    let home = Home::new();
    let portal = home.start();
    let cases = client("seatmap.py", &portal, &["--private-key", PRIVATE_KEY]);
    assert_eq!(cases.len(), 19, "the client's own number of cases");
    for case in &cases {
        let expected = match &*case.case {
            "register" | "register second user same organisation" | "register utf8" => "201",
            "register again" | "doc literal register" => "409",
            name if name.starts_with("autologin") || name == "doc literal autologin" => "200",
            "neg autologin wrong token" | "neg autologin token prefix" => "401",
            "neg form encoded" => "415",
            // The body is shorter than the length that the document prints.
            name if name.contains("as printed") => "408",
            _ => "400",
        };
        let Case { case: name, .. } = case;
        let answer = send(&portal, case).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
        if expected == "200" {
            let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
            let browser = browser();
            let (status, location) = visit(&browser, body["redirectUrl"].as_str().unwrap()).await;
            assert_eq!((status, &*location), (StatusCode::SEE_OTHER, "/editor"), "{name}");
            assert_eq!(me(&browser, &portal).await.1["email"], "jd@seatmap.pro", "{name}");
        }
    }
}

#[tokio::test]
async fn a_platform_signs_its_user_in() {
    let home = Home::new();
    let portal = home.start();
    let made = ok(&portal, REGISTER, &registration("jd@seatmap.pro", "default"), 201).await;
    let answer = post(&portal, AUTOLOGIN, &login("jd@seatmap.pro", PRIVATE_KEY)).await;
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert!(header(&answer, "set-cookie").is_empty(), "the platform's server is not the user's browser");
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["organizationId"], made["organizationId"]);
    let (session, redirect) = (answer["sessionId"].as_str().unwrap(), answer["redirectUrl"].as_str().unwrap());
    assert_eq!(redirect, portal.at(&format!("/editor?sessionId={session}")));

    let browser = browser();
    assert_eq!(visit(&browser, &portal.at("/editor")).await.0, StatusCode::UNAUTHORIZED, "nobody is signed in");
    assert_eq!(browser.head(redirect).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(visit(&browser, redirect).await, (StatusCode::SEE_OTHER, "/editor".into()));
    let page = browser.get(portal.at("/editor")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("John Doe"));
    let expected = json!({
        "provider": "seatmap", "tenant": "default", "subject": made["userId"], "email": "jd@seatmap.pro",
        "name": "John Doe", "claims": {"login": "jd@seatmap.pro", "firstName": "John", "lastName": "Doe"},
    });
    assert_eq!(me(&browser, &portal).await, (StatusCode::OK, expected));
    assert!(browser.get(portal.at("/")).send().await.unwrap().text().await.unwrap().contains("SeatmapLogin {"));
    for (link, code, why) in [
        (redirect.to_owned(), "invalid", "it was redeemed"),
        (portal.at(&format!("/editor?sessionId={}", "A".repeat(43))), "invalid", "there is none like it"),
        (portal.at("/editor?sessionId="), "malformed", "empty"),
    ] {
        let answer = crate::running::browser().get(link).send().await.unwrap();
        assert!(header(&answer, "set-cookie").is_empty(), "{why}");
        assert_eq!(refusal(answer).await.1, code, "{why}");
    }
}

#[tokio::test]
async fn a_key_opens_its_own_organisation_alone() {
    let home = Home::new();
    let portal = home.start();
    ok(&portal, REGISTER, &registration("ada@globex.example", "globex"), 201).await;
    ok(&portal, REGISTER, &registration("self@elsewhere.example", "somewhere"), 201).await;
    for (email, why) in [
        ("ada@globex.example", "a user of another organisation"),
        ("self@elsewhere.example", "somebody who registered elsewhere"),
    ] {
        let answer = post(&portal, AUTOLOGIN, &login(email, PRIVATE_KEY)).await;
        assert_eq!(refusal(answer).await, (403, "not_of_this_organization".into()), "{why}");
    }
    // Whoever is unknown so far becomes a user of the key's organisation, and stays one.
    let first = ok(&portal, AUTOLOGIN, &login("new@seatmap.pro", PRIVATE_KEY), 200).await;
    let again = ok(&portal, AUTOLOGIN, &login("new@seatmap.pro", "an older private key"), 200).await;
    assert_eq!(first["organizationId"], again["organizationId"], "an older key is still accepted");
    assert_ne!(first["sessionId"], again["sessionId"]);
    let answer = post(&portal, AUTOLOGIN, &login("new@seatmap.pro", "globex private key")).await;
    assert_eq!(refusal(answer).await, (403, "not_of_this_organization".into()), "the other's key");
    let answer = post(&portal, REGISTER, &registration("new@seatmap.pro", "default")).await;
    assert_eq!(refusal(answer).await, (409, "email_taken".into()), "nobody gives that account a password");
    let minimal = ok(&portal, AUTOLOGIN, &json!({"login": "bare@seatmap.pro", "token": PRIVATE_KEY}), 200).await;
    let browser = browser();
    assert_eq!(visit(&browser, minimal["redirectUrl"].as_str().unwrap()).await.0, StatusCode::SEE_OTHER);
    assert_eq!(me(&browser, &portal).await.1["name"], "bare@seatmap.pro", "without names, the address is one");
}

#[tokio::test]
async fn registrations_that_are_not_in_order_are_refused() {
    let home = Home::new();
    let portal = home.start();
    let good = registration("jd@seatmap.pro", "default").to_string();
    let twice = good.replacen('{', "{\"email\":\"eve@seatmap.pro\",", 1);
    let long = registration(&"x".repeat(400), "default").to_string();
    let large = registration("a@b.example", &"x".repeat(20_000)).to_string();
    let twice_unknown = good.replacen('{', "{\"x\":1,\"x\":2,", 1);
    for (content_type, body, expected, why) in [
        ("application/x-www-form-urlencoded", "email=a".to_owned(), 415, "a form"),
        ("text/plain", good.clone(), 415, "another type"),
        ("application/json", "{".to_owned(), 400, "broken"),
        ("application/json", "[]".to_owned(), 400, "a list"),
        ("application/json", r#"["jd@seatmap.pro", "J", "D", "default", "p"]"#.to_owned(), 400, "a list of the values"),
        ("application/json", twice_unknown, 400, "a name twice that nobody knows"),
        ("application/json", twice, 400, "a name twice"),
        ("application/json", good.replace("password", "passwort"), 400, "no password"),
        ("application/json", good.replace("defaultPassword", ""), 400, "an empty password"),
        ("application/json", good.replace("jd@seatmap.pro", " "), 400, "a blank address"),
        ("application/json", good.replace("John", "\\u0000"), 400, "NUL"),
        ("application/json", long, 400, "a long address"),
        ("application/json", large, 413, "a large body"),
    ] {
        let request = browser().post(portal.at(REGISTER)).header("content-type", content_type).body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(header(&answer, "content-type"), "application/problem+json", "{why}");
        assert_eq!(header(&answer, "cache-control"), "no-store", "{why}");
        assert_eq!(answer.status(), expected, "{why}");
    }
    let compressed = browser().post(portal.at(REGISTER)).header("content-type", "application/json");
    let compressed = compressed.header("content-encoding", "gzip").body(good.clone()).send().await.unwrap();
    assert_eq!(refusal(compressed).await, (415, "unsupported_media_type".into()));
    for login in ["a\u{0}b".to_owned(), "x".repeat(400)] {
        let answer = post(&portal, AUTOLOGIN, &json!({"login": login, "token": PRIVATE_KEY})).await;
        assert_eq!(refusal(answer).await, (400, "rejected_claims".into()), "{login:?}");
    }
    let request = browser().post(portal.at(REGISTER)).header("content-type", "application/json; charset=utf-8");
    assert_eq!(request.body(good).send().await.unwrap().status(), 201, "none of it was stored");
}

#[tokio::test]
async fn where_registration_is_keyed_the_organisations_key_is_needed() {
    let home = Home::new();
    let configuration = format!("{}\n[seatmap_registration]\nmode = \"keyed\"\n", home.configuration());
    let portal = home.start_with(&configuration);
    let with = |organization: &str, token: Value| {
        let mut body = registration("jd@seatmap.pro", organization);
        body["token"] = token;
        body
    };
    for (body, expected, why) in [
        (registration("jd@seatmap.pro", "default"), (400, "malformed"), "no key"),
        (with("default", json!("a guess")), (401, "invalid"), "a guess"),
        (with("default", json!(null)), (400, "malformed"), "null"),
        (with("default", json!("globex private key")), (403, "not_of_this_organization"), "another organisation's key"),
        (with("new", json!(PRIVATE_KEY)), (403, "not_of_this_organization"), "an organisation without a key"),
    ] {
        let (status, code) = refusal(post(&portal, REGISTER, &body).await).await;
        assert_eq!((status, &*code), expected, "{why}");
    }
    ok(&portal, REGISTER, &with("default", json!(PRIVATE_KEY)), 201).await;
    let again = post(&portal, REGISTER, &with("default", json!(PRIVATE_KEY))).await;
    assert_eq!(refusal(again).await, (409, "email_taken".into()));
}

#[tokio::test]
async fn who_guesses_keys_is_shut_out() {
    let home = Home::new();
    let portal = home.start();
    let mut last = (0, String::new());
    for attempt in 0..25 {
        let answer = post(&portal, AUTOLOGIN, &login("jd@seatmap.pro", &format!("guess {attempt}"))).await;
        let wait = header(&answer, "retry-after");
        last = refusal(answer).await;
        if last.0 == 429 {
            assert!(wait.parse::<u32>().is_ok_and(|seconds| (1..=60).contains(&seconds)), "{wait}");
            break;
        }
        assert_eq!(last, (401, "invalid".into()));
    }
    // A minute may turn over between two guesses; 25 are more than two minutes' worth.
    assert_eq!(last, (429, "too_many_requests".into()));
}

/// A portal that trusts a proxy's header for the client address.
fn behind_a_proxy(home: &Home) -> Portal {
    let throttle = "[seatmap_throttle]\nclient_address_header = \"x-forwarded-for\"\n";
    home.start_with(&format!("{}{throttle}", home.configuration()))
}

async fn call_from(portal: &Portal, client: &str, key: &str) -> StatusCode {
    let request = browser().post(portal.at(AUTOLOGIN)).header("content-type", "application/json");
    let request = request.header("x-forwarded-for", client).body(login("jd@seatmap.pro", key).to_string());
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn behind_a_proxy_who_guesses_shuts_nobody_else_out() {
    let home = Home::new();
    let portal = behind_a_proxy(&home);
    let call = async |client: &str, key: &str| call_from(&portal, client, key).await;
    let mut last = StatusCode::OK;
    for attempt in 0..25 {
        // Anything before the proxy's own entry was sent by the client.
        last = call(&format!("192.0.2.{attempt}, 198.51.100.7"), "guess").await;
        if last == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(call("198.51.100.8", PRIVATE_KEY).await, StatusCode::OK);
}

#[tokio::test]
async fn behind_a_proxy_that_writes_ports_too() {
    let home = Home::new();
    let portal = behind_a_proxy(&home);
    let call = async |client: &str, key: &str| call_from(&portal, client, key).await;
    for unreadable in ["unknown", "_hidden"] {
        for _ in 0..25 {
            assert_eq!(call(unreadable, "guess").await, StatusCode::UNAUTHORIZED, "nobody in particular: not counted");
        }
    }
    let mut last = StatusCode::OK;
    for attempt in 0..25 {
        last = call(&format!("198.51.100.7:{}", 40_000 + attempt), "guess").await;
        if last == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS, "one client, whatever its port");
    for other in ["198.51.100.8:4711", "[2001:db8::1]:443", "\"203.0.113.1\"", "unknown"] {
        assert_eq!(call(other, PRIVATE_KEY).await, StatusCode::OK, "{other}");
    }
    let log = portal.into_log(&home);
    assert_eq!(log.matches("client_address_header").count(), 1, "logged once, not each time: {log}");
}

#[tokio::test]
async fn what_a_stranger_registered_is_not_what_the_partners_user_gets() {
    let home = Home::new();
    let portal = home.start();
    let mut stranger = registration("victim@seatmap.pro", "default");
    (stranger["firstName"], stranger["lastName"]) = (json!("Mallory"), json!("Malice"));
    let made = ok(&portal, REGISTER, &stranger, 201).await;
    let mut password = password_of(&home, "victim@seatmap.pro").await;
    assert!(password.is_some());

    let answer = ok(&portal, AUTOLOGIN, &login("victim@seatmap.pro", PRIVATE_KEY), 200).await;
    assert_eq!(answer["organizationId"], made["organizationId"]);
    let browser = browser();
    assert_eq!(visit(&browser, answer["redirectUrl"].as_str().unwrap()).await.0, StatusCode::SEE_OTHER);
    let me = me(&browser, &portal).await.1;
    assert_eq!((&me["name"], &me["subject"]), (&json!("John Doe"), &made["userId"]), "the vendor's document: one user");
    password = password_of(&home, "victim@seatmap.pro").await;
    assert_eq!(password, None, "the stranger knows it");
    let again = post(&portal, REGISTER, &stranger).await;
    assert_eq!(refusal(again).await, (409, "email_taken".into()), "nor is there another one");
    assert_eq!(password_of(&home, "victim@seatmap.pro").await, None);
}

#[tokio::test]
async fn a_password_that_was_registered_with_the_key_stays() {
    let home = Home::new();
    let portal = home.start_with(&format!("{}\n[seatmap_registration]\nmode = \"keyed\"\n", home.configuration()));
    let mut body = registration("jd@seatmap.pro", "default");
    body["token"] = json!(PRIVATE_KEY);
    ok(&portal, REGISTER, &body, 201).await;
    let password = password_of(&home, "jd@seatmap.pro").await;
    ok(&portal, AUTOLOGIN, &json!({"login": "jd@seatmap.pro", "token": PRIVATE_KEY}), 200).await;
    assert_eq!(password_of(&home, "jd@seatmap.pro").await, password);
    assert!(password.is_some());
    body["organizationName"] = json!(" Default");
    body["email"] = json!("nul@seatmap.pro");
    ok(&portal, REGISTER, &body, 201).await;
    body["email"] = json!("nul\u{0}@seatmap.pro");
    assert_eq!(refusal(post(&portal, REGISTER, &body).await).await, (400, "rejected_claims".into()));
}

#[tokio::test]
async fn organisations_that_look_alike_are_one() {
    let home = Home::new();
    let portal = home.start();
    let first = ok(&portal, REGISTER, &registration("0@seatmap.pro", "Größe 1"), 201).await;
    for (number, name) in
        ["größe 1", " GRÖSSE 1".replace("SS", "ß").as_str(), "Gro\u{308}ße\u{200b} 1"].iter().enumerate()
    {
        let made = ok(&portal, REGISTER, &registration(&format!("a{number}@seatmap.pro"), name), 201).await;
        assert_eq!(made["organizationId"], first["organizationId"], "{name:?}");
    }
    let other = ok(&portal, REGISTER, &registration("b@seatmap.pro", "Größe 2"), 201).await;
    assert_ne!(other["organizationId"], first["organizationId"]);
    let answer = post(&portal, REGISTER, &registration("c@seatmap.pro", "\u{200b} \u{3164}")).await;
    assert_eq!(answer.status(), 400, "a name that nobody sees");
}

async fn password_of(home: &Home, email: &str) -> Option<String> {
    use sqlx::Connection;
    let file = format!("sqlite://{}", home.data().join("portal.db").display());
    let mut database = sqlx::SqliteConnection::connect(&file).await.unwrap();
    let query = sqlx::query_scalar("SELECT password_hash FROM portal_users WHERE email = $1").bind(email);
    query.fetch_one(&mut database).await.unwrap()
}

#[tokio::test]
async fn keys_and_passwords_are_nowhere() {
    let home = Home::new();
    let portal = home.start();
    ok(&portal, REGISTER, &registration("jd@seatmap.pro", "default"), 201).await;
    // Nobody signs in as this user, so the password stays.
    ok(&portal, REGISTER, &registration("self@seatmap.pro", "default"), 201).await;
    let answer = ok(&portal, AUTOLOGIN, &login("jd@seatmap.pro", PRIVATE_KEY), 200).await;
    let ticket = answer["sessionId"].as_str().unwrap().to_owned();
    assert_eq!(visit(&browser(), answer["redirectUrl"].as_str().unwrap()).await.0, StatusCode::SEE_OTHER);
    let page = browser().get(portal.at("/")).send().await.unwrap().text().await.unwrap();
    assert!(!page.contains(PRIVATE_KEY));
    let log = portal.into_log(&home);
    for (secret, what) in [
        (PRIVATE_KEY, "a private key"),
        ("defaultPassword", "a password"),
        (&ticket, "a ticket"),
        ("$argon2", "a password's hash"),
        ("jd@seatmap.pro", "an email address"),
    ] {
        assert!(!log.contains(secret), "{what} is in the log");
    }
    let stored = home.stored();
    assert!(stored.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "the password is hashed");
    assert!(!stored.contains("defaultPassword") && !stored.contains(PRIVATE_KEY) && !stored.contains(&ticket));
}
