//! An operator at the keys of a running portal, with `examples/keys`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tower_sso::sign::generate_fernet_key;

use crate::running::{Company, Home, Portal, browser, example, visit};

const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn start(home: &Home) -> Portal {
    let file = home.path().join("master-keys");
    std::fs::write(&file, MASTER_KEY).unwrap();
    let configuration = home.configuration();
    home.start_with(&format!("master_key_file = \"{}\"\n{configuration}key_cache = \"0s\"\n", file.display()))
}

/// What the tool says, given this on standard input.
fn keys(home: &Home, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(example("keys"));
    command.arg("--database").arg(format!("sqlite://{}", home.data().join("portal.db").display()));
    command.args(["--namespace", "tutorcruncher", "--as", "ada", "--master-key-file"]);
    command.arg(home.path().join("master-keys")).args(arguments);
    let mut tool = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_key_is_watched_rotated_and_revoked_while_the_portal_runs() {
    let home = Home::new();
    let portal = start(&home);
    let first = portal.company(&home, 4321).await;
    assert!(keys(&home, &["list", "4321"], "").contains("never noted"));
    assert_eq!(visit(&browser(), &first.link()).await.0, StatusCode::SEE_OTHER);
    let asked = Instant::now();
    while keys(&home, &["list", "4321"], "").contains("never noted") {
        assert!(asked.elapsed() < Duration::from_secs(30), "the last use is not stored");
    }

    let second = Company { key: generate_fernet_key(), base: first.base.clone(), number: 4321 };
    keys(&home, &["rotate", "4321", "--grace", "1h"], second.key.expose_str().unwrap());
    for company in [&second, &first] {
        assert_eq!(visit(&browser(), &company.link()).await.0, StatusCode::SEE_OTHER);
    }
    assert_eq!(keys(&home, &["list", "4321"], "").lines().count(), 2);
    keys(&home, &["end-previous", "4321"], "");
    assert_eq!(visit(&browser(), &first.link()).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(visit(&browser(), &second.link()).await.0, StatusCode::SEE_OTHER);
    keys(&home, &["revoke", "4321"], "");
    assert_eq!(visit(&browser(), &second.link()).await.0, StatusCode::UNAUTHORIZED);

    let log = keys(&home, &["log"], "");
    let said: Vec<Vec<&str>> = log.lines().map(|line| line.split('\t').collect()).collect();
    let who_and_what: Vec<_> = said.iter().map(|line| (line[1], line[3])).collect();
    let expected = [("ada", "removed"), ("ada", "previous ended"), ("ada", "rotated"), ("sign-up webhook", "created")];
    assert_eq!(who_and_what, expected);
}
