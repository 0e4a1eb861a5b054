//! What the portal tells its operators: errors at start, health, metrics, log.

use reqwest::StatusCode;

use crate::running::{Home, browser, header, me, visit};

#[test]
fn what_is_wrong_with_a_configuration_is_named() {
    let good = "[tutorcruncher]\nwebhook_secrets = [\"s3cr3t-value\"]\n";
    let secrets = "secrets = [\"s3cr3t-value\"]\n";
    let lcvista = format!("[[lcvista]]\nslug = \"a\"\n{secrets}users = []\n");
    let waggl = format!("[[waggl]]\ntenant = \"a\"\n{secrets}sso_url = \"https://idp.example/\"\n");
    for (configuration, named, why) in [
        ("lisen = \"127.0.0.1:0\"\n".to_owned(), "lisen", "an unknown key"),
        (format!("{good}webhook_secret = \"s3cr3t-value\"\n"), "webhook_secret`", "an unknown key of a section"),
        (format!("{good}[seatmaps]\n"), "seatmaps", "an unknown section"),
        (format!("{good}[seatmaps]\n"), "`seatmap`", "and those that there are are named"),
        (format!("{good}[seatmaps]\n"), "line 3, `[seatmaps]`: unknown field `seatmaps`", "with its line"),
        ("[tutorcruncher]\n".to_owned(), "webhook_secrets", "a missing key"),
        ("[tutorcruncher]\nwebhook_secrets = []\n".to_owned(), "webhook_secrets", "no secret"),
        (
            "[tutorcruncher]\nwebhook_secrets = [\"s3cr3t-value\", \" \"]\n".to_owned(),
            "webhook_secrets",
            "a blank secret",
        ),
        ("[tutorcruncher]\nwebhook_secrets = \"s3cr3t-value\"\n".to_owned(), "webhook_secrets", "not a list"),
        ("[tutorcruncher]\nwebhook_secrets = [\"s3cr3t-value\", 1]\n".to_owned(), "webhook_secrets", "not a text"),
        (format!("{good}key_grace = \"a day\"\n"), "key_grace", "not a duration"),
        (format!("{good}key_grace = 24\n"), "key_grace", "no unit"),
        (format!("listen = \"localhost\"\n{good}"), "listen", "no address"),
        (format!("public_url = \"portal.example\"\n{good}"), "public_url", "no scheme"),
        (format!("public_url = \"https://portal.example/app\"\n{good}"), "public_url", "more than an origin"),
        (format!("public_url = \"https://portal.example:99999\"\n{good}"), "public_url", "no port"),
        (format!("public_url = \"https://portal.example;x\"\n{good}"), "public_url", "more than a header may have"),
        (format!("database_url = \"mysql://x\"\n{good}"), "database_url", "a database that is not supported"),
        (format!("database_url = \"sqlite://:memory:\"\n{good}"), "database_url", "one database per connection"),
        (format!("database_url = \"sqlite://x.db\"\n{good}"), "--data", "two places for the data"),
        (
            format!("public_url = \"http://a.example\"\nreplay_url = \"redis://localhost\"\n{good}"),
            "replay_url",
            "a store that is not supported",
        ),
        (format!("replay_url = \"redis://127.0.0.1:1/\"\n{good}"), "replay_namespace", "a deployment without a name"),
        (format!("master_key_file = \"no/such\"\n{good}"), "master_key_file", "a file that is not there"),
        (format!("master_key_file = \"Cargo.toml\"\n{good}"), "openssl rand", "a file with something else"),
        (format!("{good}{good}"), "[tutorcruncher]", "a section twice"),
        ("listen = \n".to_owned(), "listen", "not TOML"),
        (format!("[[lcvista]]\nslug = \"a\"\n{secrets}"), "users", "a missing key of a vendor"),
        (format!("[[lcvista]]\nslug = \"a\"\nsecret = []\n{secrets}users = []\n"), "secret`", "an unknown key of one"),
        (format!("{lcvista}{lcvista}"), "[[lcvista]] slug", "an organisation twice"),
        (lcvista.replace("\"a\"", "\" \""), "[[lcvista]] slug", "a blank name"),
        (format!("{waggl}surveys = [\"1\", \"1\"]\n"), "[[waggl]] surveys", "a survey twice"),
        (format!("{waggl}surveys = [\"a/b\"]\n"), "[[waggl]] surveys", "a survey that no link has as it is"),
        (format!("{waggl}surveys = [\"..\"]\n"), "[[waggl]] surveys", "a survey that browsers drop"),
        (format!("{}surveys = []\n", waggl.replace("https:", "javascript:")), "sso_url", "not an address"),
        (
            "[[seatmap]]\norganization = \"a\"\nprivate_keys = [\"s3cr3t-value\", 7]\n".to_owned(),
            "private_keys",
            "no text",
        ),
        (
            "[[seatmap]]\norganization = \"a\"\nprivate_keys = [\"s3cr3t-value\"]\n[[seatmap]]\norganization = \" A\"\n\
             private_keys = [\"s3cr3t-value 2\"]\n"
                .to_owned(),
            "[[seatmap]] organization",
            "two that look alike",
        ),
        ("[seatmap_registration]\nmode = \"closed\"\n".to_owned(), "mode", "no such mode"),
        ("[connections]\nmost = 0\n".to_owned(), "most", "no room for anybody"),
        ("[connections]\nhead_timeout = \"0s\"\n".to_owned(), "head_timeout", "no time for anybody"),
        ("[seatmap_throttle]\nclient_address_header = \"a b\"\n".to_owned(), "client_address_header", "no header"),
    ] {
        let home = Home::new();
        let file = home.write(&configuration);
        let output = home.command().arg("--config").arg(file).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{why}");
        assert!(output.stdout.is_empty(), "{why}");
        assert!(message.contains(named), "{why}: {message}");
        assert!(!message.contains("s3cr3t-value"), "{why}: a secret is shown: {message}");
    }
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let home = Home::new();
    let output = home.command().args(["--config", "no/such.toml"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no/such.toml"));
}

#[tokio::test]
async fn a_vendor_without_a_section_has_no_routes() {
    let home = Home::new();
    let portal = home.start_with("");
    for path in ["/tutorcruncher/sso", "/sso/oauth/", "/i/9745804b", "/sitebuilder/widget/", "/sitebuilder/", "/editor"]
    {
        assert_eq!(visit(&browser(), &portal.at(path)).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(visit(&browser(), &portal.at("/")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_database_file_that_is_not_there_is_made() {
    let home = Home::new();
    let file = home.path().join("made here.db");
    let url = format!("sqlite://{}", file.display());
    let portal = home.start_with(&format!("database_url = \"{url}\"\n{}", home.configuration()));
    assert_eq!(visit(&browser(), &portal.at("/healthz")).await.0, StatusCode::OK);
    assert!(file.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn it_runs_on_postgres_too() {
    let home = Home::new();
    let url = crate::postgres::shared().fresh_database();
    let configuration = format!("database_url = \"{url}\"\n{}", home.configuration());
    let portal = home.start_with(&configuration);
    let company = portal.company(&home, 4321).await;
    let theirs = home.announcement(8765, &company.key, "Thieves");
    assert_eq!(portal.announce(theirs).await.status(), StatusCode::CONFLICT);
    let register = || {
        let call = browser().post(portal.at("/api/auth/register")).header("content-type", "application/json");
        let body =
            r#"{"email": "a@b.example", "firstName": "", "lastName": "", "organizationName": "o", "password": "p"}"#;
        call.body(body).send()
    };
    assert_eq!(register().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(register().await.unwrap().status(), StatusCode::CONFLICT);
    let browser = browser();
    assert_eq!(visit(&browser, &company.link()).await.0, StatusCode::SEE_OTHER);
    assert_eq!(me(&browser, &portal).await.1["name"], "Samuel Colvin");
    let out = browser.post(portal.at("/logout")).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert_eq!(me(&browser, &portal).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(portal.stop().code(), Some(0));
    let portal = home.start_with(&configuration);
    let link = company.link().replace(&company.base, &portal.at("/tutorcruncher/sso"));
    assert_eq!(visit(&browser, &link).await.0, StatusCode::SEE_OTHER, "its tables are there already");
}

#[tokio::test]
async fn behind_https_nothing_goes_by_plain_http() {
    let home = Home::new();
    let portal = home.start_with(&format!("public_url = \"https://portal.example\"\n{}", home.configuration()));
    let link = portal.company(&home, 4321).await.link();
    let answer = browser().get(link).send().await.unwrap();
    let cookie = header(&answer, "set-cookie");
    assert!(cookie.starts_with("__Host-portal_session=") && cookie.contains("; Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/") && !cookie.contains("Domain"), "or browsers refuse the prefix: {cookie}");
    let answer = browser().get(portal.at("/style.css")).send().await.unwrap();
    assert_eq!(header(&answer, "strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn operators_see_health_and_numbers_and_no_secret() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    let link = company.link();
    let landed = browser().get(&link).send().await.unwrap();
    let cookie = header(&landed, "set-cookie");
    let session = cookie.trim_start_matches("portal_session=").split(';').next().unwrap();
    assert_eq!(landed.status(), StatusCode::SEE_OTHER);
    assert_eq!(visit(&browser(), &link).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(visit(&browser(), &portal.at("/healthz")).await.0, StatusCode::OK);
    let metrics = browser().get(portal.at("/metrics")).send().await.unwrap();
    assert!(header(&metrics, "content-type").starts_with("text/plain"));
    let metrics = metrics.text().await.unwrap();
    for counted in [
        r#"tower_sso_requests_total{form="webhook",namespace="",outcome="accepted"} 1"#,
        r#"tower_sso_requests_total{form="fernet",namespace="",outcome="accepted"} 1"#,
        r#"tower_sso_requests_total{form="fernet",namespace="",outcome="replayed"} 1"#,
    ] {
        assert!(metrics.contains(counted), "{counted}: {metrics}");
    }
    // The log level is the lowest, so everything is logged.
    let log = portal.into_log(&home);
    let token = link.split("token=").nth(1).unwrap();
    let key = String::from_utf8_lossy(company.key.expose()).into_owned();
    for (secret, what) in [
        (token, "a token"),
        (&key, "a key"),
        (&home.webhook_secret, "the webhook's secret"),
        (session, "a session's id"),
        ("sam@example.com", "a user's email address"),
    ] {
        assert!(!log.contains(secret), "{what} is in the log");
    }
}
