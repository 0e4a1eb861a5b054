//! What every preset of a platform promises, in one table: [`PRESETS`] has a row for each.
//!
//! To add a preset, add a row and a function that signs a launch as the platform does.

mod signers;

use http::{HeaderValue, Method};

use crate::support::{NOW, Request_, outcome, seen};
use signers::{Launch, PRESETS, Preset};

/// Whose key signs, and for which tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Acme,
    Other,
    /// `acme` is named, and the other tenant's key signs.
    OtherAsAcme,
    /// A tenant that the app does not know.
    Stranger,
}

fn launch(preset: &Preset, signer: Signer, user: &str) -> Launch {
    (preset.launch)(signer, NOW, user)
}

async fn said(preset: &Preset, launch: &Launch) -> &'static str {
    outcome(&(preset.app)().send(launch.request()).await)
}

#[tokio::test]
async fn a_launch_signs_in_and_a_copy_does_what_the_preset_says() {
    for preset in PRESETS {
        let app = (preset.app)();
        let good = launch(preset, Signer::Acme, "ada");
        let answer = app.send(good.request()).await;
        assert_eq!(outcome(&answer), "ok", "{}", preset.name);
        assert!(seen(&answer).identified, "{}", preset.name);
        let again = outcome(&app.send(good.request()).await);
        assert_eq!(again, if preset.reusable { "ok" } else { "replayed" }, "{}", preset.name);
        let (respelled, bob) = (good.respelled(), launch(preset, Signer::Acme, "bob"));
        if let Some(respelled) = respelled {
            let expected = if preset.reusable { "ok" } else { "replayed" };
            assert_eq!(outcome(&app.send(respelled).await), expected, "{}: in another spelling", preset.name);
        }
        assert_eq!(outcome(&app.send(bob.request()).await), "ok", "{}: another launch", preset.name);
    }
}

#[tokio::test]
async fn nobody_signs_for_another_tenant() {
    for preset in PRESETS {
        if preset.tenants {
            assert_eq!(said(preset, &launch(preset, Signer::Other, "ada")).await, "ok", "{}", preset.name);
            for signer in [Signer::OtherAsAcme, Signer::Stranger] {
                let expected = "invalid";
                assert_eq!(said(preset, &launch(preset, signer, "ada")).await, expected, "{}: {signer:?}", preset.name);
            }
        }
    }
}

#[tokio::test]
async fn old_launches_and_those_of_the_future_are_refused() {
    for preset in PRESETS {
        for (at, expected) in [(NOW - 90_000, "expired"), (NOW + 90_000, "not_yet_valid")] {
            // A token without `iat` does not say when it was made.
            if at < NOW || preset.says_when {
                let launch = (preset.launch)(Signer::Acme, at, "ada");
                assert_eq!(said(preset, &launch).await, expected, "{}", preset.name);
            }
        }
    }
}

#[tokio::test]
async fn no_bit_of_what_is_signed_can_be_changed() {
    for preset in PRESETS {
        let good = launch(preset, Signer::Acme, "ada");
        for (why, spoilt) in good.spoilt() {
            let said = said(preset, &spoilt).await;
            assert!(matches!(said, "invalid" | "malformed" | "rejected_claims"), "{}: {why}: {said}", preset.name);
        }
    }
}

#[tokio::test]
async fn parameters_that_are_signed_cannot_be_added_or_removed() {
    for preset in PRESETS.iter().filter(|preset| preset.signs_parameters) {
        let good = launch(preset, Signer::Acme, "ada");
        for (why, changed) in [("one more", good.with_parameter()), ("one less", good.without_parameter())] {
            assert_eq!(said(preset, &changed).await, "invalid", "{}: {why}", preset.name);
        }
    }
}

#[tokio::test]
async fn heads_prefetches_and_duplicates_use_nothing_up() {
    for preset in PRESETS {
        let app = (preset.app)();
        let good = launch(preset, Signer::Acme, "ada");
        let mut head = good.request();
        *head.method_mut() = Method::HEAD;
        assert_eq!(outcome(&app.send(head).await), "method_not_allowed", "{}", preset.name);
        let mut prefetch = good.request();
        prefetch.headers_mut().insert("sec-purpose", HeaderValue::from_static("prefetch"));
        assert_eq!(outcome(&app.send(prefetch).await), "too_early", "{}", preset.name);
        assert_eq!(outcome(&app.send(good.twice()).await), "malformed", "{}", preset.name);
        assert_eq!(outcome(&app.send(good.request()).await), "ok", "{}", preset.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_launches_that_race_one_signs_in() {
    for preset in PRESETS.iter().filter(|preset| !preset.reusable) {
        let app = (preset.app)();
        let good = launch(preset, Signer::Acme, "ada");
        let send = |request: Request_| {
            let app = app.clone();
            tokio::spawn(async move { outcome(&app.send(request).await) })
        };
        let racing: Vec<_> = (0..16).map(|_| send(good.request())).collect();
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
