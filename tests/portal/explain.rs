//! `portal --explain` and the demo's page name a partner's slip.

use tower_sso::clock::{Clock, SystemClock};
use tower_sso::keys::Secret;
use tower_sso::providers::lcvista;
use tower_sso::sign::{HashedLink, SigningWebhook};

use crate::integrators::{ORIGIN, OTHER, PRESETS, Row, SECRET, WHSEC, rows};
use crate::running::{Home, LCVISTA_SECRET, Portal, browser, example};

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
    let autologin = |key: &str| {
        format!(
            "curl -X POST https://portal.example/api/auth/autologin -H 'Content-Type: application/json' \
             --data-raw '{{\"login\":\"jd@seatmap.pro\",\"token\":\"{key}\"}}'"
        )
    };
    for (request, expected) in [
        (autologin("3f9c-private"), "It passes"),
        (autologin("3f9c-private "), "white space"),
        (link(LCVISTA_SECRET), "It passes"),
        (link(&format!("{LCVISTA_SECRET}\n")), "ends with a line feed"),
        (link("another organisation's secret"), "the key of tenant \"olympus\""),
        (curl(&call(format!("{}\n", home.webhook_secret))), "ends with a line feed"),
        (curl(&call(home.webhook_secret.clone())), "refused  claims"),
        // More than explain tries slips on. It is read nevertheless.
        (curl(&"0".repeat(64)).replace("{\"a\":1}", &"1".repeat(66_000)), "66000 bytes"),
        ("https://portal.example/nowhere".to_owned(), "no partner signs requests to this path"),
        ("curl 'https://portal.example".to_owned(), "has an open quote"),
        ("curl -i".to_owned(), "has no URL"),
    ] {
        let said = explained(&home, &request);
        assert!(said.contains(expected), "{expected}: {said}\n{request}");
    }
}

/// One link of each kind of slip, as the command explains it.
#[test]
fn the_command_names_the_first_cause() {
    let home = Home::new();
    let now = SystemClock.now().as_secs();
    let link = |time: i64, email: &str, slug: &str| {
        let link =
            HashedLink::new("https://portal.example/sso/oauth/", lcvista::recipe(), &Secret::new(LCVISTA_SECRET));
        link.uri(&[&time.to_string(), email, slug])
    };
    let right = link(now, "a+b@example.com", "rainier");
    for (request, expected, why) in [
        (right.clone(), "It passes", "as the page says"),
        (right.replace("%2B", "+"), "It passes", "a raw plus is what the vendor's sample sends"),
        (right.replace("%2B", "%20"), "a plus is written `%2B`", "the plus is lost"),
        (right.replace("%40", "%2540"), "`email` in the query is encoded once more", "encoded twice"),
        (
            link(now, "A+B@EXAMPLE.COM", "rainier").replace("A%2BB%40EXAMPLE.COM", "a%2Bb%40example.com"),
            "in upper case",
            "another case",
        ),
        (
            right.replace("slug=rainier", "slug=Rainier"),
            "one of the name \"rainier\"",
            "the tenant's name in another case",
        ),
        (right.replace("slug=rainier", "slug=olympus"), "`slug`", "another tenant"),
        (link(now - 360, "a@example.com", "rainier"), "It was made 36", "a clock that is slow"),
        (link(now + 360, "a@example.com", "rainier"), "clock is", "a clock that is fast"),
        (link(now * 1_000, "a@example.com", "rainier"), "milliseconds", "Date.now()"),
        (right.replace("email=", "mail="), "`email` is sent under the name `mail`", "another name"),
        (
            right.replace("&hash=", "&signature="),
            "`hash` is sent under the name `signature`",
            "another name of the hash",
        ),
    ] {
        let said = explained(&home, &request);
        assert!(said.to_lowercase().contains(&expected.to_lowercase()), "{why}: {said}\n{request}");
    }
}

/// The example is the portal's command; in place of cargo stands what follows the dashes.
#[cfg(unix)]
#[test]
fn the_example_asks_the_portal() {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    let home = Home::new();
    let cargo = home.path().join("cargo");
    std::fs::write(&cargo, "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done; shift; exec \"$PORTAL\" \"$@\"\n")
        .unwrap();
    std::fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).unwrap();
    let file = home.write(&home.configuration());
    let link =
        HashedLink::new("https://portal.example/sso/oauth/", lcvista::recipe(), &Secret::verbatim("lcv-secret\n"));
    let link = link.uri(&[&SystemClock.now().as_secs().to_string(), "admin@lcvista.com", "rainier"]);
    let mut explain = Command::new(example("explain"));
    explain
        .env("CARGO", cargo)
        .env("PORTAL", example("portal"))
        .arg("--config")
        .arg(file)
        .arg("--data")
        .arg(home.data());
    let output = explain.arg(link).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("ends with a line feed"), "{output:?}");
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

#[tokio::test]
async fn the_page_explains_a_pasted_request() {
    let home = Home::new();
    let portal = home.start_demo();
    let post = |path: &str, body: String| {
        let request = browser().post(portal.at(path)).header("sec-fetch-site", "same-origin");
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    let pressed = post("/demo/lcvista", "email=admin%40lcvista.com&slug=rainier&next=%2F&press=steps-fresh".to_owned());
    let page = pressed.send().await.unwrap().text().await.unwrap();
    let link =
        page.split("GET ").nth(1).unwrap().split('<').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    for (request, expected, why) in [
        (link.clone(), "It passes", "it asks no replay store"),
        (link.replace("%40", "%2540"), "is encoded once more", "encoded twice"),
        (format!("curl -i '{}'", link.replace("%40", "%2540")), "is encoded once more", "a line for curl"),
        (link.replace("rainier", "Rainier"), "case or white space differ", "another case"),
        ("'".to_owned(), "has an open quote", "no request"),
        ("https://portal.example/<script>".to_owned(), "has no URL", "not an address"),
    ] {
        let encoded: String = request.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let page = post("/demo/explain", format!("request={encoded}")).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(expected) && !page.contains("<script>"), "{why}: {page}");
    }
    let cross_site = browser().post(portal.at("/demo/explain")).header("sec-fetch-site", "cross-site");
    assert_eq!(cross_site.body("request=x").send().await.unwrap().status(), 403);
}

/// With a configuration, the page is on a listener of its own, and only if it is asked for.
#[tokio::test]
async fn operators_have_a_page_that_no_client_reaches() {
    let home = Home::new();
    let configuration = format!("operators_listen = \"127.0.0.1:0\"\n{}", home.configuration());
    for configuration in [&home.configuration(), &configuration] {
        let portal = home.start_with(configuration);
        for path in ["/demo/explain", "/explain", "/operators"] {
            let answer = browser().post(portal.at(path)).body("request=x").send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
        }
    }
    let file = home.write(&configuration);
    let log = std::fs::File::options().append(true).create(true).open(home.path().join("log")).unwrap();
    let mut command = home.command();
    let command = command.arg("--config").arg(file).stderr(log);
    let operators = Portal::announced_by(command, "operators' page on ").unwrap();
    let now = SystemClock.now().as_secs();
    let link = |time: i64, slug: &str| {
        let secret = Secret::verbatim(LCVISTA_SECRET);
        let link = HashedLink::new("https://portal.example/sso/oauth/", lcvista::recipe(), &secret);
        link.uri(&[&time.to_string(), "admin@lcvista.com", slug])
    };
    let ask = |request: &str| {
        let encoded: String = request.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let request = browser().post(operators.at("/")).header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("request={encoded}"))
    };
    for (request, expected, why) in [
        (link(now, "rainier"), "It passes", "as the page says"),
        (link(now, "rainier").replace("%40", "%2540"), "is encoded once more", "encoded twice"),
        (link(now - 3_600, "rainier"), "local time, where UTC is meant", "local time"),
        (link(now, "rainier") + "&utm_source=mail", "It passes", "a parameter that nobody signs"),
        (link(now, "rainier").replace("rainier", "Rainier"), "case or white space differ", "another case"),
        (link(now * 1_000, "rainier"), "milliseconds", "Date.now()"),
        ("https://portal.example/nowhere".to_owned(), "no partner signs requests", "another path"),
    ] {
        let page = ask(&request).header("sec-fetch-site", "same-origin").send().await.unwrap();
        assert_eq!(page.headers()["cache-control"], "no-store");
        let page = page.text().await.unwrap();
        assert!(page.contains(expected) && !page.contains(LCVISTA_SECRET), "{why}: {page}");
    }
    let cross_site = ask("x").header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(cross_site.status(), 403);
    let rebound = browser().get(operators.at("/")).header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), 404, "a name of another host");
    let form = browser().get(operators.at("/")).send().await.unwrap();
    assert!(form.text().await.unwrap().contains("Explain a request"));
    let file = home.write(&format!("operators_listen = \"0.0.0.0:0\"\n{}", home.configuration()));
    let output = home.command().arg("--config").arg(file).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("`operators_listen`: other machines could reach it"));
}

/// The presets of `integrators`, explained and not served.
fn presets() -> String {
    let sections = PRESETS.into_iter().flat_map(|(preset, path, secrets)| {
        secrets.iter().map(move |(tenant, secret)| {
            let tenant = tenant.map(|tenant| format!("tenant = \"{tenant}\"\n")).unwrap_or_default();
            format!("[[explained]]\npreset = \"{preset}\"\npath = \"{path}\"\nsecrets = [\"{secret}\"]\n{tenant}")
        })
    });
    format!("public_url = \"{ORIGIN}\"\n{}", sections.collect::<String>())
}

fn now() -> u64 {
    u64::try_from(SystemClock.now().as_secs()).unwrap()
}

/// The first line of the cause, or all that is said.
fn check(row: &Row, said: &str, wrong: &mut Vec<String>) {
    for secret in [SECRET, OTHER, WHSEC, "Söhne"] {
        assert!(!said.contains(secret), "{}: {said}", row.why);
    }
    if !said.contains(row.expected) {
        wrong.push(format!("{}: {}: {:?} is not in {said}", row.preset, row.why, row.expected));
    }
}

/// Integrators' mistakes with presets that the portal does not serve.
#[test]
fn the_command_explains_presets() {
    let home = Home::new();
    let file = home.write(&presets());
    let mut wrong = Vec::new();
    for row in rows(now()) {
        let mut command = home.command();
        let output = command.arg("--config").arg(&file).args(["--explain", &row.request.curl()]).output().unwrap();
        check(&row, &String::from_utf8_lossy(&[output.stdout, output.stderr].concat()), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (from, to, expected) in [
        ("webhooks::stripe", "webhooks::striped", "webhooks::striped: is none of the presets"),
        ("webhooks::stripe", "webhooks::github", "It passes"),
        ("\"/in/stripe\"", "\"in/stripe\"", "is not a path"),
        ("\"/in/stripe\"", "\"/in/github\"", "has two presets"),
        ("tenant = \"other\"", "tenant = \"acme\"", "all different"),
    ] {
        let file = home.write(&presets().replace(from, to));
        let right = rows(0).into_iter().find(|row| row.expected == "It passes").unwrap();
        let mut command = home.command();
        let output = command.arg("--config").arg(file).args(["--explain", &right.request.curl()]).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains(expected), "{to}: {said}");
    }
}

#[tokio::test]
async fn the_page_explains_presets() {
    let home = Home::new();
    let file = home.write(&format!("operators_listen = \"127.0.0.1:0\"\n{}", presets()));
    let log = std::fs::File::options().append(true).create(true).open(home.path().join("log")).unwrap();
    let mut command = home.command();
    let command = command.arg("--config").arg(file).stderr(log);
    let operators = Portal::announced_by(command, "operators' page on ").unwrap_or_else(|_| panic!("{}", home.log()));
    let mut wrong = Vec::new();
    for row in rows(now()) {
        let encoded: String = row.request.curl().bytes().map(|byte| format!("%{byte:02X}")).collect();
        let request = browser().post(operators.at("/")).header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin").body(format!("request={encoded}"));
        let page = request.send().await.unwrap().text().await.unwrap();
        let said = page.split("<pre").nth(1).unwrap_or(&page).split("</pre>").next().unwrap();
        let marks = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
        let said = marks.iter().fold(said.to_owned(), |said, (escape, mark)| said.replace(escape, mark));
        check(&row, &said, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
