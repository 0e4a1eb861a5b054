#[path = "../app/answer.rs"]
mod answer;
#[cfg(unix)]
mod frame;

use std::time::Duration;

use http::header::{CONTENT_TYPE, COOKIE, HOST};
use reqwest::redirect::Policy;
use tower_sso::clock::ManualClock;
use tower_sso::sign::OAuthLink;

use super::*;
use answer::Answer;

type Tested<T = ()> = Result<T, Box<dyn std::error::Error>>;

const ADDRESS: &str = "https://tool.example/launch";
const MOODLE: (&str, &str) = ("moodle.lincoln.example", "0123456789abcdef");
const CANVAS: (&str, &str) = ("opera.instructure.com", "fedcba9876543210");
const ADA: [(&str, &str); 8] = [
    ("lti_message_type", "basic-lti-launch-request"),
    ("lti_version", "LTI-1p0"),
    ("resource_link_id", "link-1"),
    ("user_id", "7"),
    ("lis_person_name_full", "Ada <b>"),
    ("roles", "urn:lti:instrole:ims/lis/Student,Instructor"),
    ("context_id", "course-1"),
    ("context_title", "K\u{fc}nste & Co+"),
];

/// The tool behind its proxy, a minute after it started.
struct Tool {
    address: String,
    now: UnixTime,
}

impl Tool {
    async fn at(public_url: &str, now: UnixTime, consumers: &[(&str, &str)]) -> Tested<Self> {
        let db = open("sqlite::memory:").await?;
        for (consumer, secret) in consumers {
            let insert = sqlx::query("INSERT INTO secrets (consumer, secret) VALUES ($1, $2)");
            insert.bind(consumer).bind(secret).execute(&db).await?;
        }
        let clock = ManualClock::at(now.minus(Duration::from_secs(60)));
        let replay = MemoryReplay::builder().clock(clock.clone()).build();
        clock.advance(Duration::from_secs(60));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        tokio::spawn(axum::serve(listener, app(public_url, &db, replay, clock)?).into_future());
        Ok(Self { address, now })
    }

    async fn new() -> Tested<Self> {
        Self::at("https://tool.example", UnixTime::from_secs(1_700_000_000), &[MOODLE, CANVAS]).await
    }

    /// A launch of this platform, at the address that it was given.
    fn signed(&self, (consumer, secret): (&str, &str), address: &str, fields: &[(&str, &str)]) -> Tested<String> {
        Ok(OAuthLink::new(address, consumer, &secret.into()).issued_at(self.now).form(fields)?)
    }

    /// What the browser sends, as the proxy hands it on: over http, and to a host of its own.
    async fn send(&self, target: &str, form: Option<&str>, headers: &[(&str, &str)]) -> Tested<Answer> {
        let browser = reqwest::Client::builder().redirect(Policy::none()).build()?;
        let address = format!("{}{target}", self.address);
        let mut request = match form {
            Some(form) => browser.post(address).body(form.to_owned()),
            None => browser.get(address),
        };
        request = request.header(HOST, "10.0.0.7:8080").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await?;
        assert_eq!(answer.headers()[CONTENT_SECURITY_POLICY], PLATFORMS);
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(Answer::new(status, &headers, answer.text().await?))
    }

    async fn launch(&self, form: &str) -> Tested<Answer> {
        self.send("/launch", Some(form), &[]).await
    }

    async fn home(&self, cookie: &str) -> Tested<Answer> {
        self.send("/", None, &[(COOKIE.as_str(), cookie)]).await
    }
}

#[tokio::test]
async fn a_launch_opens_a_session_in_the_frame_once() -> Tested {
    let tool = Tool::new().await?;
    assert_eq!(tool.home("").await?.status, 401, "nobody yet");
    let form = tool.signed(MOODLE, ADDRESS, &ADA)?;
    let launched = tool.launch(&form).await?;
    assert_eq!((launched.status, launched.location.as_deref()), (303, Some("/")), "{}", launched.body);
    let (cookie, attributes) = launched.cookie_and_attributes();
    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    assert_eq!(attributes, ["HttpOnly", "Max-Age=28800", "Partitioned", "Path=/", "SameSite=None", "Secure"]);
    let home = tool.home(launched.cookie()).await?.body;
    let greeting = "Hello Ada &#60;b&#62;, teacher in K\u{fc}nste &#38; Co+ at moodle.lincoln.example";
    assert!(home.contains(greeting), "{home}");

    let again = tool.launch(&form).await?;
    assert_eq!((again.status, again.set_cookie), (401, None), "a used launch opens no session");
    assert!(again.body.contains("replayed"), "{}", again.body);
    Ok(())
}

#[tokio::test]
async fn what_no_platform_signed_for_this_tool_is_refused() -> Tested {
    let tool = Tool::new().await?;
    let form = tool.signed(MOODLE, ADDRESS, &ADA)?;
    let without = |name: &str| ADA.into_iter().filter(|field| field.0 != name).collect::<Vec<_>>();
    let choice = [&[("lti_message_type", "ContentItemSelectionRequest")], &without("lti_message_type")[..]].concat();
    for (form, status, why) in [
        (form.replace("user_id=7", "user_id=8"), 401, "another user"),
        (form.replace("Instructor", "Administrator"), 401, "another role"),
        (form.replace(MOODLE.0, CANVAS.0), 401, "another platform's name"),
        (tool.signed((MOODLE.0, CANVAS.1), ADDRESS, &ADA)?, 401, "another platform's secret"),
        (tool.signed(("nobody", "0123456789abcdef"), ADDRESS, &ADA)?, 401, "unknown"),
        (tool.signed(MOODLE, "http://tool.example/launch", &ADA)?, 401, "for another address"),
        (tool.signed(MOODLE, ADDRESS, &without("user_id"))?, 400, "nobody"),
        (tool.signed(MOODLE, ADDRESS, &choice)?, 400, "no launch"),
    ] {
        let answer = tool.launch(&form).await?;
        assert_eq!((answer.status, answer.set_cookie), (status, None), "{why}: {}", answer.body);
    }
    assert_eq!(tool.launch(&form).await?.status, 303, "refusals use nothing up");
    Ok(())
}

#[tokio::test]
async fn canvas_copies_the_query_into_the_form() -> Tested {
    let tool = Tool::new().await?;
    let form = tool.signed(CANVAS, ADDRESS, &[&ADA[..], &[("unit", "3")]].concat())?;
    assert_eq!(tool.send("/launch?unit=4", Some(&form), &[]).await?.status, 401, "not what was copied");
    assert_eq!(tool.send("/launch?unit=3", Some(&form), &[]).await?.status, 303);
    Ok(())
}

#[test]
fn only_roles_in_the_course_make_a_teacher() {
    for (roles, expected) in [
        ("Instructor", Role::Teacher),
        ("Learner, urn:lti:role:ims/lis/TeachingAssistant", Role::Teacher),
        ("urn:lti:role:ims/lis/Instructor/GuestInstructor", Role::Teacher),
        ("urn:lti:instrole:ims/lis/Instructor", Role::Learner),
        ("urn:lti:sysrole:ims/lis/Administrator", Role::Learner),
        ("", Role::Learner),
    ] {
        assert_eq!(Role::from(roles.to_owned()), expected, "{roles}");
    }
}

/// From the tests of a public library of LTI tools.
#[tokio::test]
async fn a_published_launch_is_accepted() -> Tested {
    let rows = include_str!("../../tests/vectors/launches.jsonl").lines();
    let rows = rows.map(serde_json::from_str::<serde_json::Value>).collect::<Result<Vec<_>, _>>()?;
    let row = rows.iter().find(|row| row["id"] == "lti11 1").ok_or("no such launch")?;
    let text = |at: &str| row.pointer(at).and_then(|text| text.as_str()).ok_or("no text");
    let consumer = ("5b6ee40cc9fcdaede550654a93307dcd", text("/route/secrets/0/utf8")?);
    let now = UnixTime::from_secs(row["clock"].as_u64().ok_or("no time")?);
    let tool = Tool::at(text("/route/public_url")?, now, &[consumer]).await?;
    let launched = tool.launch(text("/body")?).await?;
    let home = tool.home(launched.cookie()).await?.body;
    assert!(home.contains("Hello Dong Jones, learner in Course 517"), "{home}");
    Ok(())
}

#[tokio::test]
async fn only_the_tools_own_page_signs_out() -> Tested {
    let tool = Tool::new().await?;
    let launched = tool.launch(&tool.signed(MOODLE, ADDRESS, &ADA)?).await?;
    let cookie = (COOKIE.as_str(), launched.cookie());
    for foreign in [("sec-fetch-site", "cross-site"), ("origin", "https://moodle.lincoln.example")] {
        let answer = tool.send("/logout", Some(""), &[cookie, foreign]).await?;
        assert_eq!(answer.status, 403, "another site's form, which carries the cookie");
    }
    assert_eq!(tool.home(cookie.1).await?.status, 200);
    let out = tool.send("/logout", Some(""), &[cookie, ("origin", "https://tool.example")]).await?;
    assert_eq!((out.status, out.location.as_deref()), (303, Some("/")));
    assert!(out.set_cookie.is_some_and(|cookie| cookie.ends_with("; Partitioned")), "or the browser keeps it");
    assert_eq!(tool.home(cookie.1).await?.status, 401);
    Ok(())
}
