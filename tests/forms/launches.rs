//! What every preset of a platform promises, over one table: [`presets`].
//!
//! To add a preset, add a row with a function that signs a launch as the platform does. A preset without a row fails.

mod ambiguous;
mod launch;
mod oauth;
mod parameters;
mod payloads;
mod presets;
mod public_tokens;
mod shared_secrets;
mod signers;
mod tokens;
mod typed;

use std::collections::BTreeSet;
use std::path::Path;

use http::{HeaderValue, Method, Request};
use http_body::Body;
use http_body_util::Full;

use crate::support::{App, NOW, Request_, outcome, reason, seen};
use launch::Launch;
use presets::{Preset, Time, presets};
use signers::Signer;

fn launch(preset: &Preset, signer: Signer, user: &str) -> Launch {
    (preset.launch)(signer, NOW, user)
}

async fn said(preset: &Preset, launch: &Launch) -> &'static str {
    outcome(&(preset.app)().send(launch.request()).await)
}

/// The functions in `providers::launches` that return a builder.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers/launches")).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for item in text.split("\npub fn ").skip(1) {
            let (signature, _) = item.split_once('{').unwrap();
            if signature.contains("-> Builder<") {
                names.insert(signature.split(['<', '(']).next().unwrap().to_owned());
            }
        }
    }
    names
}

#[test]
fn every_preset_has_a_row() {
    let rows: Vec<String> = presets().map(|preset| preset.name.to_owned()).collect();
    let names: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(names.len(), rows.len(), "a preset has two rows");
    assert!(names.len() > 40, "{} presets: does this test still understand the files?", names.len());
    assert_eq!(functions(), names);
}

#[tokio::test]
async fn a_launch_signs_in_and_a_copy_does_what_the_preset_says() {
    for preset in presets() {
        let app = (preset.app)();
        let good = launch(preset, Signer::Acme, "ada");
        let answer = app.send(good.request()).await;
        assert_eq!(outcome(&answer), "ok", "{}", preset.name);
        assert!(seen(&answer).identified, "{}", preset.name);
        let again = outcome(&app.send(good.request()).await);
        assert_eq!(again, if preset.reusable { "ok" } else { "replayed" }, "{}", preset.name);
        let bob = launch(preset, Signer::Acme, "bob");
        assert_eq!(outcome(&app.send(bob.request()).await), "ok", "{}: another launch", preset.name);
    }
}

/// A page that got a proof for a while sends it with whatever it calls.
#[tokio::test]
async fn a_pages_calls_have_any_method_and_a_body() {
    const OF_PAGES: [&str; 6] = [
        "shopify_session_token",
        "shopware_storefront",
        "twitch_extension",
        "max_mini_app",
        "telegram_mini_app",
        "telegram_mini_app_third_party",
    ];
    let pages = presets().filter(|preset| OF_PAGES.contains(&preset.name));
    assert_eq!(pages.clone().count(), OF_PAGES.len());
    for preset in pages {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let (mut head, _) = launch(preset, Signer::Acme, "ada").request().into_parts();
            head.method = method.clone();
            let answer = (preset.app)().send(Request::from_parts(head, Full::from("{}"))).await;
            assert_eq!(outcome(&answer), "ok", "{}: {method}", preset.name);
        }
    }
}

/// A spelling that is read at all is the same launch, whatever comes beside it.
#[tokio::test]
async fn another_spelling_is_no_other_launch() {
    for preset in presets().filter(|preset| !preset.reusable) {
        let app = (preset.app)();
        let good = launch(preset, Signer::Acme, "ada");
        assert_eq!(outcome(&app.send(good.request()).await), "ok", "{}", preset.name);
        let mut read = 0;
        for (why, respelled) in good.respelled() {
            let first = said(preset, &respelled).await;
            let again = outcome(&app.send(respelled.request()).await);
            assert_eq!(again, if first == "ok" { "replayed" } else { first }, "{}: {why}", preset.name);
            read += usize::from(first == "ok");
        }
        assert!(read > 0, "{}: no other spelling is read", preset.name);
    }
}

#[tokio::test]
async fn nobody_signs_for_another_tenant() {
    for preset in presets() {
        let tenant = async |signer| {
            let answer = (preset.app)().send(launch(preset, signer, "ada").request()).await;
            assert_eq!(outcome(&answer), "ok", "{}", preset.name);
            seen(&answer).tenant.clone().unwrap()
        };
        let (acme, other) = (tenant(Signer::Acme).await, tenant(Signer::Other).await);
        assert_ne!(acme, other, "{}: each is its own tenant", preset.name);
        assert_eq!(said(preset, &launch(preset, Signer::Stranger, "ada")).await, "invalid", "{}", preset.name);
        if !preset.secret_names_tenant {
            let launch = launch(preset, Signer::OtherAsAcme, "ada");
            assert_eq!(said(preset, &launch).await, "invalid", "{}", preset.name);
        }
    }
}

#[tokio::test]
async fn old_launches_and_those_of_the_future_are_refused() {
    for preset in presets() {
        let (old, early) = match preset.time {
            Time::Made => ("expired", Some("not_yet_valid")),
            Time::End => ("expired", None),
            Time::None => ("ok", Some("ok")),
        };
        for (at, expected) in [(NOW - 90_000, Some(old)), (NOW + 90_000, early)] {
            if let Some(expected) = expected {
                let launch = (preset.launch)(Signer::Acme, at, "ada");
                assert_eq!(said(preset, &launch).await, expected, "{}", preset.name);
            }
        }
    }
}

#[tokio::test]
async fn no_character_of_what_is_signed_can_be_changed() {
    for (row, preset) in presets().enumerate() {
        let spoilt = launch(preset, Signer::Acme, "ada").spoilt(row);
        assert!(spoilt.len() > 2, "{}", preset.name);
        for (why, spoilt) in spoilt {
            let said = said(preset, &spoilt).await;
            assert!(matches!(said, "invalid" | "malformed"), "{}: {why}: {said}: {spoilt:?}", preset.name);
        }
    }
}

#[tokio::test]
async fn no_pair_can_be_removed_or_doubled() {
    for preset in presets() {
        let good = launch(preset, Signer::Acme, "ada");
        let (removed, twice) = (good.each_removed(), good.each_twice());
        assert!(!removed.is_empty(), "{}", preset.name);
        for (why, changed) in removed {
            let said = said(preset, &changed).await;
            assert!(matches!(said, "invalid" | "malformed"), "{}: without {why}: {said}", preset.name);
        }
        for (why, changed) in twice {
            let said = said(preset, &changed).await;
            assert!(matches!(said, "invalid" | "malformed"), "{}: {why} twice: {said}", preset.name);
        }
    }
}

/// A pair that is added is refused with what it would be signed with; beside it, it is no claim.
#[tokio::test]
async fn no_pair_can_be_added_and_none_that_is_unsigned_is_a_claim() {
    for preset in presets() {
        let claims = async |launch: &Launch| {
            let answer = (preset.app)().send(launch.request()).await;
            (outcome(&answer) == "ok").then(|| seen(&answer).claims.clone().unwrap())
        };
        let (ada, bob) = (launch(preset, Signer::Acme, "ada"), launch(preset, Signer::Acme, "bob"));
        let signed = claims(&ada).await.unwrap();
        // Of a secret that only says whose launch it is, there are no claims.
        assert_eq!(claims(&bob).await.unwrap() == signed, preset.secret_names_tenant, "{}: {signed}", preset.name);
        assert!(!signed.contains("free"), "{}: {signed}", preset.name);
        if let Some(pair) = preset.appended {
            assert_eq!(said(preset, &ada.with_pair(pair)).await, "invalid", "{}: {pair}", preset.name);
        }
        for pair in ["free=canary", "user=canary", "sub=canary"] {
            match claims(&ada.with_pair(pair)).await {
                Some(more) => assert_eq!(more, signed, "{}: {pair}", preset.name),
                None => assert!(preset.appended.is_some(), "{}: {pair} is refused", preset.name),
            }
        }
    }
}

/// What comes again and signs no request is its holder's proof, and the body the holder's own.
#[tokio::test]
async fn a_body_that_nobody_signed_is_refused_and_uses_nothing_up() {
    let mut in_heads = 0;
    for preset in presets() {
        let app = (preset.app)();
        let good = launch(preset, Signer::Acme, "ada").request();
        if !good.body().is_end_stream() {
            continue;
        }
        in_heads += 1;
        for content_type in ["text/plain", "application/json"] {
            let mut with_body = good.clone().map(|_| Full::from("{}"));
            with_body.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
            let answer = app.send(with_body).await;
            let passes = preset.reusable && !preset.signs_requests;
            assert_eq!(reason(&answer), if passes { "ok" } else { "unsigned_body" }, "{}", preset.name);
        }
        assert_eq!(outcome(&app.send(good).await), "ok", "{}", preset.name);
    }
    assert!(in_heads > 30, "{in_heads}");
}

#[tokio::test]
async fn heads_prefetches_and_duplicates_use_nothing_up() {
    for preset in presets() {
        let app = (preset.app)();
        let good = launch(preset, Signer::Acme, "ada");
        let mut head = good.request();
        *head.method_mut() = Method::HEAD;
        assert_eq!(outcome(&app.send(head).await), "method_not_allowed", "{}", preset.name);
        let mut prefetch = good.request();
        prefetch.headers_mut().insert("sec-purpose", HeaderValue::from_static("prefetch"));
        assert_eq!(outcome(&app.send(prefetch).await), "too_early", "{}", preset.name);
        for (_, twice) in good.each_twice() {
            assert_ne!(outcome(&app.send(twice.request()).await), "ok", "{}", preset.name);
        }
        assert_eq!(outcome(&app.send(good.request()).await), "ok", "{}", preset.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_launches_that_race_one_signs_in() {
    for preset in presets().filter(|preset| !preset.reusable) {
        let app = (preset.app)();
        let good = launch(preset, Signer::Acme, "ada");
        let racing: Vec<_> = (0..16).map(|_| send(&app, good.request())).collect();
        let mut signed_in = 0;
        for one in racing {
            match one.await.unwrap() {
                "ok" => signed_in += 1,
                other => assert_eq!(other, "replayed", "{}", preset.name),
            }
        }
        assert_eq!(signed_in, 1, "{}", preset.name);
    }
}

fn send(app: &App, request: Request_) -> tokio::task::JoinHandle<&'static str> {
    let app = app.clone();
    tokio::spawn(async move { outcome(&app.send(request).await) })
}
