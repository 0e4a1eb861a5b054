//! Bytes that no honest client sends. None may cause a 5xx or stop the portal.

use reqwest::StatusCode;

use crate::running::{Home, browser, visit};

const SSO: &str = "/tutorcruncher/sso";

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes()
}

fn get_with(target: &str, header: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n").into_bytes()
}

fn post(target: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn nothing_that_is_sent_breaks_the_portal() {
    let home = Home::new();
    let portal = home.start_demo();
    let json = "Content-Type: application/json";
    let form = "Content-Type: application/x-www-form-urlencoded";
    let zeros = "0".repeat(64);
    let signature = format!("{json}\r\nWebhook-Signature: {zeros}");
    let long = "A".repeat(30_000);
    let companies = "/tutorcruncher/companies";
    let requests: Vec<(Vec<u8>, &str)> = vec![
        (get(&format!("{SSO}?company_id=4321&token=")), "an empty token"),
        (get(&format!("{SSO}?company_id=&token=gAAAAA")), "an empty company"),
        (get(&format!("{SSO}?token&company_id")), "parameters without values"),
        (get(&format!("{SSO}?company_id=4321&token=%")), "half an escape"),
        (get(&format!("{SSO}?company_id=4321&token=%zz")), "an escape that is none"),
        (get(&format!("{SSO}?company_id=4321&token=%00")), "NUL in the token"),
        (get(&format!("{SSO}?company_id=%00&token=gAAAAA==")), "NUL in the company"),
        (get(&format!("{SSO}?company_id=%ff%fe&token=gAAAAA==")), "invalid UTF-8 in the company"),
        (get(&format!("{SSO}?company_id=4321&token={long}")), "a long token"),
        (get(&format!("{SSO}?company_id={long}&token=gAAAAA==")), "a long company"),
        (
            get(&format!("{SSO}?company_id=4321&token=gAAAAAD_________________________________________")),
            "the end of time",
        ),
        (get(&format!("{SSO}?company_id=4321&token={}", "=".repeat(500))), "padding alone"),
        (get(&format!("{SSO}?{}", "&".repeat(20_000))), "many separators"),
        (get(&format!("{SSO}?company_id=4321&token=a&token=b&company_id=c")), "everything twice"),
        (get(&format!("{SSO}?company_id=4321'%20OR%201=1--&token=gAAAAA==")), "SQL in the company"),
        (get("/tutorcruncher/sso/"), "a slash more"),
        (get("//tutorcruncher/sso"), "two slashes"),
        (get("/lessons/42"), "a lesson without a session"),
        (get("/lessons/%2e%2e%2f%2e%2e%2fetc"), "a path in a lesson"),
        (get("/lessons/%ff"), "invalid UTF-8 in a path"),
        (get("/..%2f..%2fetc/passwd"), "a path out of the root"),
        (get("*"), "no path at all"),
        (get("/\u{7f}"), "a control character in the path"),
        (get_with("/", "Cookie: portal_session=x"), "a session id that is none"),
        (get_with("/", "Cookie: portal_session=AAAAAAAAAAAAAAAAAAAAAA"), "a session id that nobody has"),
        (get_with("/me", "Cookie: portal_session=; portal_session=;;;=\"\\"), "a broken cookie"),
        (get_with("/", &format!("Cookie: {long}")), "a long cookie"),
        (get_with("/", "Accept: text/html\r\nAccept: \u{e9}"), "a header that is not ASCII"),
        (get_with("/", "Content-Length: 5"), "a body that never comes with a GET"),
        (post(companies, json, "{}"), "no signature"),
        (post(companies, &signature, "{}"), "a wrong signature"),
        (post(companies, &signature, [0xff, 0xfe, 0x00]), "bytes as JSON"),
        (post(companies, &signature, "[".repeat(50_000)), "deep JSON"),
        (post(companies, &signature, vec![b'x'; 70_000]), "a large body"),
        (post(companies, &format!("{json}\r\nWebhook-Signature: \u{fc}"), "{}"), "a signature that is not ASCII"),
        (post(companies, &format!("{json}\r\nWebhook-Signature: sha256={zeros}"), "{}"), "a prefix"),
        (post(companies, &format!("{signature}\r\nWebhook-Signature: {zeros}"), "{}"), "two signatures"),
        (post(companies, &format!("{signature}\r\nContent-Encoding: gzip"), "{}"), "compressed"),
        (post("/demo/tutorcruncher", form, "press=%zz"), "a broken form"),
        (post("/demo/tutorcruncher", form, format!("press=go-fresh&name={long}")), "a large form"),
        (post("/demo/tutorcruncher", json, "{}"), "a form that is JSON"),
        (
            post("/demo/tutorcruncher", form, "company_id=x&id=x&name=x&role=x&email=x&lesson=x&press=no"),
            "no such button",
        ),
        (get("/sso/oauth/?timestamp=1&email=%00&slug=%00&hash=00"), "NUL in an email address"),
        (get(&format!("/sso/oauth/?timestamp=1&email=a&slug={long}&hash={}", "0".repeat(40))), "a long slug"),
        (get("/sso/oauth/?timestamp=1e9&email=a&slug=rainier&hash=x"), "an exponent"),
        (get(&format!("/i/9745804b?sso_jwt={long}")), "a long JWT"),
        (get("/i/9745804b?sso_jwt=e30.e30."), "a JWT without a signature"),
        (get("/i/%00?sso_jwt=a.b.c"), "NUL in a survey"),
        (get("/i/%ff"), "invalid UTF-8 in a survey"),
        (get("/i/9745804b?\u{e9}=\"<>&\\"), "a query that is not ASCII"),
        (get(&format!("/i/9745804b?{long}")), "a long query on the way to sign in"),
        (get(&format!("/sitebuilder/widget/?{}", "oauth_nonce=1&".repeat(2_000))), "a parameter many times"),
        (get("/sitebuilder/widget/?oauth_signature=%ff&oauth_consumer_key=%00"), "bytes in OAuth"),
        (get_with("/sitebuilder/widget/", "Authorization: OAuth oauth_nonce=\"%zz\""), "a broken OAuth header"),
        (get("/sitebuilder/enter?ticket=%00"), "NUL in a ticket"),
        (get("/sitebuilder/sites/%2e%2e%2f"), "a path in a site"),
        (get("/editor?sessionId=%ff"), "bytes in a ticket"),
        (post("/api/auth/autologin", json, "[".repeat(10_000)), "deep JSON as a login"),
        (post("/api/auth/autologin", json, "{\"login\":\"\\u0000\",\"token\":\"\\ud800\"}"), "half a surrogate"),
        (post("/api/auth/autologin", json, vec![b' '; 70_000]), "a large login"),
        (post("/api/auth/register", json, [0xff, 0x00]), "bytes as a registration"),
        (post("/api/auth/register", json, vec![b'{'; 70_000]), "a large registration"),
        (post("/demo/lcvista", form, "press=go-fresh&email=&slug=&next="), "a demo form of nothing"),
        (
            post("/demo/waggl", form, "press=go-fresh&email=%00&department=&survey=..%2f..&params=%0d%0a"),
            "control characters",
        ),
        (get("/demo/waggl/sso/?return_to_path=//evil.example"), "a return path off the site"),
        (post("/logout", form, "x"), "a logout of nobody"),
        (post("/", form, "x"), "a POST to the page"),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec(), "no host"),
        (b"BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(), "a method of its own"),
        (b"GET / HTTP/9.9\r\n\r\n".to_vec(), "a version that is none"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), "the start of TLS"),
        (
            b"POST /tutorcruncher/companies HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(),
            "chunks",
        ),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_vec(), "two lengths"),
    ];
    let browser = browser();
    let mut broken = Vec::new();
    for (request, why) in requests {
        let answer = portal.raw(&request).await;
        if answer.starts_with("HTTP/1.1 5") || answer.contains("panicked") {
            broken.push(format!("{why}: {}", answer.lines().next().unwrap_or_default()));
        }
        assert_eq!(visit(&browser, &portal.at("/healthz")).await.0, StatusCode::OK, "after {why}");
    }
    assert!(broken.is_empty(), "{broken:#?}");
    let log = portal.into_log(&home);
    assert!(!log.contains("panicked"), "{log}");
}
