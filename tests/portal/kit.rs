//! `portal --kit` writes a partner's page.

use crate::running::{CONSUMER_SECRET, Home, LCVISTA_SECRET, WAGGL_SECRET};

fn page(home: &Home, arguments: &[&str]) -> String {
    let file = home.write(&format!("public_url = \"https://portal.example\"\n{}", home.configuration()));
    let output = home.command().arg("--config").arg(file).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    for secret in [LCVISTA_SECRET, WAGGL_SECRET, CONSUMER_SECRET, &home.webhook_secret] {
        assert!(!said.contains(secret), "{said}");
    }
    said
}

#[test]
fn partners_pages_are_written_without_their_secrets() {
    let home = Home::new();
    for (arguments, expected) in [
        (&["--kit", "https://portal.example/sso/oauth/", "--tenant", "rainier"][..], "hmac_sha1(key, \"\")"),
        (&["--kit", "https://portal.example/tutorcruncher/companies"], "`Webhook-Signature`"),
        (&["--kit", "https://portal.example/tutorcruncher/sso", "--tenant", "4321"], "fernet(secret, payload)"),
        (&["--kit", "https://portal.example/i/9745804b"], "`sso_jwt`"),
        (&["--kit", "https://portal.example/sitebuilder/widget/", "--tenant", "partner-key"], "`oauth_nonce`"),
        (&["--kit", "https://b.example/sitebuilder/widget/", "--tenant", "partner-key"], "check its address"),
        (&["--kit", "https://portal.example/sso/oauth/"], "call `tenant`"),
        (&["--kit", "https://portal.example/me"], "no partner signs requests to this path"),
    ] {
        let said = page(&home, arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
