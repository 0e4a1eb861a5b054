//! The webhook that brings a company and its key.

use reqwest::StatusCode;
use tower_sso::keys::Secret;
use tower_sso::sign::{SigningWebhook, generate_fernet_key};

use crate::running::{Company, Home, browser, header, refusal, visit};

#[tokio::test]
async fn a_rotated_key_is_accepted_for_a_while_and_an_old_call_never_rolls_back() {
    let home = Home::new();
    let portal = home.start();
    let base = portal.at("/tutorcruncher/sso");
    let company = |key: &Secret| Company { base: base.clone(), number: 4321, key: key.clone() };
    let (first, second) = (generate_fernet_key(), generate_fernet_key());
    let call = home.announcement(4321, &first, "DinoTutors");
    assert_eq!(portal.announce(call.clone()).await.status(), StatusCode::OK);
    assert_eq!(portal.announce(call.clone()).await.status(), StatusCode::OK, "an exact copy");

    let rotation = home.announcement(4321, &second, "DinoTutors Ltd");
    assert_eq!(portal.announce(rotation.clone()).await.status(), StatusCode::OK);
    assert_eq!(visit(&browser(), &company(&second).link()).await.0, StatusCode::SEE_OTHER, "the new key works at once");
    assert_eq!(
        visit(&browser(), &company(&first).link()).await.0,
        StatusCode::SEE_OTHER,
        "the previous one still does"
    );

    for call in [&call, &rotation, &call] {
        assert_eq!(portal.announce(call.clone()).await.status(), StatusCode::OK, "any old call, again");
    }
    assert_eq!(visit(&browser(), &company(&second).link()).await.0, StatusCode::SEE_OTHER);
    // Were the first key current again, this third one would make the second one previous and drop the first.
    let third = generate_fernet_key();
    assert_eq!(portal.announce(home.announcement(4321, &third, "DinoTutors")).await.status(), StatusCode::OK);
    for key in [&third, &second, &first] {
        assert_eq!(visit(&browser(), &company(key).link()).await.0, StatusCode::SEE_OTHER);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_old_call_changes_nothing_after_a_restart_either() {
    let home = Home::new();
    let portal = home.start_with(&format!("{}key_grace = \"0s\"\n", home.configuration()));
    let (first, second) = (generate_fernet_key(), generate_fernet_key());
    let old = home.announcement(4321, &first, "DinoTutors");
    assert_eq!(portal.announce(old.clone()).await.status(), StatusCode::OK);
    assert_eq!(portal.announce(home.announcement(4321, &second, "DinoTutors")).await.status(), StatusCode::OK);
    assert_eq!(portal.stop().code(), Some(0));

    let portal = home.start();
    assert_eq!(
        portal.announce(old).await.status(),
        StatusCode::OK,
        "the replay store has forgotten it, not the database"
    );
    let base = portal.at("/tutorcruncher/sso");
    let [first, second] = [first, second].map(|key| Company { base: base.clone(), number: 4321, key }.link());
    assert_eq!(visit(&browser(), &second).await.0, StatusCode::SEE_OTHER);
    assert_eq!(visit(&browser(), &first).await.0, StatusCode::UNAUTHORIZED);
}

/// Starts readable, gets a master key, and then another one.
#[cfg(unix)]
#[tokio::test]
async fn with_a_master_key_the_database_holds_no_key() {
    let home = Home::new();
    let file = home.path().join("master-keys");
    let with_keys = |keys: &str| {
        std::fs::write(&file, keys).unwrap();
        format!("master_key_file = \"{}\"\n{}", file.display(), home.configuration())
    };
    let holds = |key: &Secret| {
        let files = std::fs::read_dir(home.data()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(key.expose().len()).any(|part| part == key.expose()))
    };
    let portal = home.start();
    let first = portal.company(&home, 4321).await;
    assert!(holds(&first.key));
    assert_eq!(portal.stop().code(), Some(0));

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const TWO: &str = "3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8=";
    let (mut companies, mut portal) = (vec![first], home.start_with(&with_keys(ONE)));
    for keys in [&format!("{TWO}\n{ONE}"), TWO] {
        let number = 5000 + i64::try_from(companies.len()).unwrap();
        companies.push(portal.company(&home, number).await);
        for company in &companies {
            let link = company.link().replace(&company.base, &portal.at("/tutorcruncher/sso"));
            assert_eq!(visit(&browser(), &link).await.0, StatusCode::SEE_OTHER);
        }
        assert!(companies.iter().skip(1).all(|company| !holds(&company.key)), "what came since is nowhere readable");
        assert_eq!(portal.stop().code(), Some(0));
        portal = home.start_with(&with_keys(keys));
    }
    assert_eq!(portal.stop().code(), Some(0));
    let wrong = home.write(&with_keys(ONE));
    let output = home.command().arg("--config").arg(wrong).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("not among") && !message.contains(ONE), "{message}");
}

#[tokio::test]
async fn a_key_has_one_owner() {
    let home = Home::new();
    let portal = home.start();
    let company = portal.company(&home, 4321).await;
    for _ in 0..2 {
        let answer = portal.announce(home.announcement(8765, &company.key, "Thieves")).await;
        assert_eq!(refusal(answer).await, (409, "key_of_another_company".into()), "also the second time");
    }
    let stolen = Company { number: 8765, base: company.base.clone(), key: company.key.clone() };
    assert_eq!(visit(&browser(), &stolen.link()).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(visit(&browser(), &company.link()).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn calls_that_are_not_the_partners_are_refused() {
    let home = Home::new();
    let portal = home.start();
    let key = generate_fernet_key();
    let call = home.announcement(4321, &key, "DinoTutors");
    let by_others = SigningWebhook::new(Secret::new("a guess")).sign(call.body.clone());
    let url = portal.at("/tutorcruncher/companies");
    let post = || browser().post(&url).header("content-type", "application/json");
    let signed = || post().header("webhook-signature", &call.signature);
    let without_name = home.signed(r#"{"company_id": 4321}"#.to_owned());
    for (request, expected, why) in [
        (post().body(call.body.clone()), (400, "malformed"), "no signature"),
        (signed().body(format!("{} ", call.body)), (401, "invalid"), "another body"),
        (
            post().header("webhook-signature", &by_others.signature).body(by_others.body.clone()),
            (401, "invalid"),
            "a guess",
        ),
        (
            signed().header("webhook-signature", &call.signature).body(call.body.clone()),
            (400, "malformed"),
            "two signatures",
        ),
        (signed(), (400, "malformed"), "no body"),
        (
            signed().header("content-encoding", "gzip").body(call.body.clone()),
            (415, "unsupported_media_type"),
            "compressed",
        ),
        (
            browser().post(&url).header("webhook-signature", &call.signature).body(call.body.clone()),
            (415, "unsupported_media_type"),
            "no content type",
        ),
        (
            post().header("webhook-signature", &without_name.signature).body(without_name.body.clone()),
            (400, "rejected_claims"),
            "signed, but without a key",
        ),
    ] {
        let (status, code) = refusal(request.send().await.unwrap()).await;
        assert_eq!((status, &*code), expected, "{why}");
    }
    let get = browser().get(&url).send().await.unwrap();
    assert_eq!((get.status().as_u16(), &*header(&get, "allow")), (405, "POST"));
    let company = Company { base: portal.at("/tutorcruncher/sso"), number: 4321, key };
    assert_eq!(visit(&browser(), &company.link()).await.0, StatusCode::UNAUTHORIZED, "nothing of it was stored");
    assert_eq!(portal.announce(call).await.status(), StatusCode::OK, "nor was the honest call used up");
}

#[tokio::test]
async fn an_older_webhook_secret_is_still_accepted() {
    let home = Home::new();
    let portal = home.start();
    let key = generate_fernet_key();
    let body = home.announcement(4321, &key, "DinoTutors").body;
    let call = SigningWebhook::new(Secret::new("an older secret")).sign(body);
    assert_eq!(portal.announce(call).await.status(), StatusCode::OK);
    let company = Company { base: portal.at("/tutorcruncher/sso"), number: 4321, key };
    assert_eq!(visit(&browser(), &company.link()).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_body_has_64_kib_also_when_it_comes_in_chunks() {
    const LIMIT: usize = 64 * 1024;
    let home = Home::new();
    let portal = home.start();
    for (length, expected) in [(LIMIT, "HTTP/1.1 200"), (LIMIT + 1, "HTTP/1.1 413")] {
        let body = home.announcement(4321, &generate_fernet_key(), "").body;
        let body =
            body.replace(r#""company_name":"""#, &format!(r#""company_name":"{}""#, "x".repeat(length - body.len())));
        assert_eq!(body.len(), length);
        let call = home.signed(body);
        let head = format!(
            "POST /tutorcruncher/companies HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Webhook-Signature: {}\r\n",
            call.signature
        );
        let whole = format!("{head}Content-Length: {length}\r\n\r\n{}", call.body);
        let chunks = call
            .body
            .as_bytes()
            .chunks(1_000)
            .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), std::str::from_utf8(chunk).unwrap()));
        let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunks.collect::<String>());
        // In chunks first: the other is a copy of it then, which is answered alike.
        for (request, how) in [(chunked, "chunked"), (whole, "whole")] {
            let answer = portal.raw(request).await;
            assert!(answer.starts_with(expected), "{length} {how}: {}", answer.lines().next().unwrap_or_default());
        }
    }
}
