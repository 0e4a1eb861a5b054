//! How users sign in, and how bad links are refused.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::sign::generate_fernet_key;

use crate::running::{Company, Home, browser, header, me, refusal, user, user_in_a_lesson, visit};

#[tokio::test]
async fn a_link_signs_its_user_in() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    let browser = browser();
    assert_eq!(refusal(browser.get(portal.at("/me")).send().await.unwrap()).await, (401, "not_signed_in".into()));

    let answer = browser.get(company.link()).send().await.unwrap();
    assert_eq!((answer.status(), &*header(&answer, "location")), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
    let cookie = header(&answer, "set-cookie");
    for attribute in ["portal_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=28800"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain http: a browser would not send it back");
    assert!(!cookie.contains("Domain"), "this host alone");

    let expected = json!({
        "provider": "tutorcruncher", "tenant": "4321", "subject": "123",
        "email": "sam@example.com", "name": "Samuel Colvin", "claims": user(),
    });
    assert_eq!(me(&browser, &portal).await, (StatusCode::OK, expected));
    let page = browser.get(portal.at("/")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Samuel Colvin") && page.contains("TutorUser {"), "{page}");

    let out = browser.post(portal.at("/logout")).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert_eq!(me(&browser, &portal).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_link_from_a_lesson_leads_to_that_lesson() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    let browser = browser();
    assert_eq!(visit(&browser, &portal.at("/lessons/42")).await.0, StatusCode::UNAUTHORIZED, "nobody is signed in");

    let link = company.link_with(&user_in_a_lesson());
    assert_eq!(visit(&browser, &link).await, (StatusCode::SEE_OTHER, "/lessons/42".into()));
    let page = browser.get(portal.at("/lessons/42")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("Quadratic equations"));
    assert_eq!(visit(&browser, &portal.at("/lessons/43")).await.0, StatusCode::NOT_FOUND, "not the link's lesson");
    assert_eq!(me(&browser, &portal).await.1["claims"], user_in_a_lesson());
}

#[tokio::test]
async fn the_session_id_changes_with_every_sign_in() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    let sign_in = async |cookie: String| {
        let answer = browser().get(company.link()).header("cookie", cookie).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        header(&answer, "set-cookie").split(';').next().unwrap().to_owned()
    };
    let who =
        async |cookie: &str| browser().get(portal.at("/me")).header("cookie", cookie).send().await.unwrap().status();

    // A session id that an attacker made up and planted.
    let planted = "portal_session=AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let first = sign_in(planted.clone()).await;
    assert_ne!(first, planted);
    assert_eq!(who(&planted).await, StatusCode::UNAUTHORIZED);
    let second = sign_in(first.clone()).await;
    assert_ne!(second, first);
    assert_eq!(who(&first).await, StatusCode::UNAUTHORIZED, "an id that was replaced is worth nothing");
    assert_eq!(who(&second).await, StatusCode::OK);
}

#[tokio::test]
async fn a_link_works_once() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    let link = company.link();
    assert_eq!(visit(&browser(), &link).await.0, StatusCode::SEE_OTHER);
    for (again, why) in [
        (link.clone(), "the same"),
        (link.replace('=', "%3D").replacen("%3D", "=", 2), "its padding percent-encoded"),
        (link.trim_end_matches('=').to_owned(), "without its padding"),
        (format!("{link}&utm_source=mail"), "with a parameter more"),
    ] {
        let answer = browser().get(&again).send().await.unwrap();
        assert!(header(&answer, "set-cookie").is_empty(), "{why}");
        assert_eq!(refusal(answer).await, (401, "replayed".into()), "{why}");
    }
}

#[tokio::test]
async fn dishonest_links_are_refused() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    let other = portal.company(&home, 8765).await;
    let now = SystemClock.now();
    let link = company.link();
    let nobody = Company { base: company.base.clone(), number: 1, key: generate_fernet_key() };
    let flipped = |at: usize| {
        let mut bytes = link.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (link, expected, why) in [
        (flipped(link.len() - 20), (401, "invalid"), "its MAC was changed"),
        (flipped(link.len() - 100), (401, "invalid"), "its content was changed"),
        (link.replace("company_id=4321", "company_id=8765"), (401, "invalid"), "it names another company"),
        (link.replace("company_id=4321", "company_id=1"), (401, "invalid"), "it names an unknown company"),
        (nobody.link(), (401, "invalid"), "an unknown company's"),
        (company.link_of(now.minus(minutes(2))), (401, "expired"), "two minutes old"),
        (company.link_of(now.plus(minutes(10))), (401, "not_yet_valid"), "from the future"),
        (company.link_with(&json!({"id": 1, "nm": "x"})), (400, "rejected_claims"), "it lacks the role"),
        (company.link_with(&json!(["x"])), (400, "rejected_claims"), "it holds a list"),
        (format!("{link}&token=x"), (400, "malformed"), "two tokens"),
        (format!("{link}&company_id=4321"), (400, "malformed"), "two companies"),
        (portal.at("/tutorcruncher/sso"), (400, "malformed"), "nothing at all"),
    ] {
        let answer = browser().get(&link).send().await.unwrap();
        assert!(header(&answer, "set-cookie").is_empty(), "{why}");
        let body = refusal(answer).await;
        assert_eq!((body.0, &*body.1), expected, "{why}");
    }
    assert_eq!(visit(&browser(), &link).await.0, StatusCode::SEE_OTHER, "none of it has used the honest link up");
    assert_eq!(visit(&browser(), &other.link()).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn looking_at_a_link_does_not_use_it_up() {
    let home = Home::new();
    let portal = home.start();
    let link = portal.company(&home, 4321).await.link();
    let browser = browser();
    let head = browser.head(&link).send().await.unwrap();
    assert_eq!((head.status().as_u16(), &*header(&head, "allow")), (405, "GET"));
    for (name, value) in [("sec-purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")] {
        let answer = browser.get(&link).header(name, value).send().await.unwrap();
        assert_eq!(refusal(answer).await, (425, "too_early".into()), "{name}: {value}");
    }
    let post = browser.post(&link).send().await.unwrap();
    assert_eq!(refusal(post).await, (405, "method_not_allowed".into()));
    assert_eq!(visit(&browser, &link).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_copies_at_once_one_signs_in() {
    let home = Home::new();
    let portal = home.start();
    let request = portal.raw_get(&portal.company(&home, 4321).await.link());
    let answers = futures::future::join_all((0..64).map(|_| portal.raw(&request))).await;
    let (signed_in, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.starts_with("HTTP/1.1 303"));
    assert_eq!(signed_in.len(), 1);
    for answer in others {
        assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("\"replayed\""), "{answer}");
        assert!(!answer.contains("set-cookie"), "{answer}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_restart_keeps_sessions_and_opens_no_used_link() {
    let home = Home::new();
    let portal = home.start();
    let mut company = portal.company(&home, 4321).await;
    let (used, unused) = (company.link(), company.link());
    let answer = browser().get(&used).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = header(&answer, "set-cookie");
    let old = portal.url.clone();
    assert_eq!(portal.stop().code(), Some(0), "it stops when it is asked to");

    let portal = home.start();
    company.base = portal.at("/tutorcruncher/sso");
    for (link, why) in [(used, "it was used before the restart"), (unused, "it could have been")] {
        let answer = browser().get(link.replace(&old, &portal.url)).send().await.unwrap();
        assert_eq!(refusal(answer).await, (401, "replayed".into()), "{why}");
    }
    let answer = browser().get(portal.at("/me")).header("cookie", cookie.split(';').next().unwrap()).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK, "the session is in the database");
    assert_eq!(visit(&browser(), &company.link()).await.0, StatusCode::SEE_OTHER, "so is the company's key");
}

#[tokio::test]
async fn a_refused_browser_gets_a_page_that_says_what_to_do() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    let stale = company.link_of(SystemClock.now().minus(Duration::from_secs(120)));
    let unknown = Company { number: 1, key: generate_fernet_key(), ..company }.link();
    let mut pages = Vec::new();
    for (link, status, code) in [(&stale, 401, "expired"), (&unknown, 401, "invalid")] {
        let answer = browser().get(link).header("accept", "text/html,*/*;q=0.8").send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&answer, "cache-control"), "no-store");
        assert!(header(&answer, "content-security-policy").contains("default-src 'none'"));
        let page = answer.text().await.unwrap();
        assert!(page.contains(code) && page.contains("click again"), "{page}");
        pages.push(page);
    }
    let forged = unknown.replace("company_id=1", "company_id=4321");
    let answer = browser().get(forged).header("accept", "text/html").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), pages[1], "a wrong key and an unknown company are one answer");
}

#[tokio::test]
async fn no_cache_keeps_what_a_session_shows() {
    let home = Home::new();
    let portal = home.start();
    let link = portal.company(&home, 4321).await.link();
    let browser = browser();
    assert_eq!(visit(&browser, &link).await.0, StatusCode::SEE_OTHER);
    for path in ["/", "/me", "/editor", "/sitebuilder/"] {
        let answer = browser.get(portal.at(path)).send().await.unwrap();
        assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_method_that_a_page_does_not_have_is_a_problem_like_others() {
    let home = Home::new();
    let portal = home.start();
    for (path, allowed) in [("/", "GET,HEAD"), ("/i/9745804b", "GET,HEAD"), ("/sitebuilder/", "GET,HEAD")] {
        let answer = browser().post(portal.at(path)).send().await.unwrap();
        assert_eq!(header(&answer, "allow"), allowed, "{path}");
        assert_eq!(refusal(answer).await, (405, "method_not_allowed".into()), "{path}");
    }
}
