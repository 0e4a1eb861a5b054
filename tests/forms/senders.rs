//! Every sender's preset against one [contract], with deliveries signed as the sender documents.

mod addresses;
mod bodies;
pub(crate) mod contract;
mod envelopes;
mod headers;
mod signed;
mod tenants;
mod times;

use std::collections::BTreeSet;

use tower_sso::Builder;
use tower_sso::keys::Secret;
use tower_sso::providers::webhooks as senders;
use tower_sso::webhook::{RawBody, Webhook};

use crate::support::{clock, outcome, replay};
use contract::{Delivery, Preset, Retries};
use signed::Sender;
use times::WHSEC;
pub(crate) use times::rfc3339;

/// Those that sign with headers.
fn all() -> Vec<Sender> {
    [bodies::all(), times::all(), addresses::all()].concat()
}

fn presets() -> Vec<Box<dyn Preset>> {
    let in_headers = all().into_iter().map(|sender| Box::new(sender) as Box<dyn Preset>);
    let others = [crate::signed_json::presets(), crate::jwt::webhook::presets(), crate::tokens::presets()];
    in_headers.chain(others.into_iter().flatten()).collect()
}

#[test]
fn no_preset_is_left_out() {
    let tested: BTreeSet<String> = presets().iter().map(|preset| preset.name().to_owned()).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers/webhooks");
    let mut found = BTreeSet::new();
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(file).unwrap();
        for function in text.split("\npub fn ").skip(1) {
            let (head, _) = function.split_once('{').unwrap();
            if head.contains("-> Builder<") {
                let name = head.split(['<', '(']).next().unwrap().trim_start_matches("danger_");
                found.insert(if name == "box_com" { "box" } else { name }.to_owned());
            }
        }
    }
    // As `aws_sns`, for topics of anybody.
    found.remove("aws_sns_of_anyone");
    assert_eq!(tested, found);
    assert!(found.len() > 70, "{}", found.len());
}

/// A secret of Standard Webhooks, as its page shows it and decoded, at each sender that shares a secret.
#[test]
fn a_prefix_is_known_to_the_preset_or_refused() {
    const TEXT: [&str; 6] = ["contentful", "paddle", "square", "stripe", "stripe_apps", "zendesk"];
    const DECODED: [&str; 3] = ["gitlab", "standard_webhooks", "svix"];
    // Base64 and hexadecimal, without a prefix.
    const OTHERS: [&str; 2] = ["canva", "adyen_header"];
    let decoded = Secret::new(&b"\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4\x3c\x3f\x08\x2c"[..]);
    let mut tried = 0;
    for sender in all().into_iter().filter(|sender| sender.private.is_none()) {
        let name = sender.name;
        let build = |secret: Secret| {
            let layer = (sender.layer)().secrets([secret]).danger_forgets_on_restart().clock(clock());
            let layer = if sender.facts.every_delivery { layer } else { layer.replay(replay()) };
            layer.build().map(drop).map_err(|error| error.to_string())
        };
        let as_shown = build(Secret::new(WHSEC[0]));
        assert_eq!(as_shown.is_ok(), TEXT.contains(&name) || DECODED.contains(&name), "{name}: {as_shown:?}");
        let takes_bytes = [&TEXT[..], &DECODED, &OTHERS].iter().all(|names| !names.contains(&name));
        let of_bytes = build(decoded.clone());
        assert_eq!(of_bytes.is_ok(), takes_bytes, "{name}: {of_bytes:?}");
        for refused in [as_shown, of_bytes].into_iter().filter_map(Result::err) {
            let says_what_to_do = ["as the sender's page shows it", "say by `secret_format`"];
            assert!(says_what_to_do.iter().any(|words| refused.contains(words)), "{name}: {refused}");
        }
        assert!(sender.secrets.iter().all(|secret| build(Secret::new(*secret)).is_ok()), "{name}: its own");
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
}

/// A test call, perhaps. It is recognised by what was signed.
#[tokio::test]
async fn a_delivery_without_the_id_of_an_event_is_processed_once() {
    let mut tried = 0;
    for sender in all().into_iter().filter(|sender| sender.id.is_none() && !sender.form) {
        if !matches!(sender.facts.retries, Retries::Known) {
            continue;
        }
        let sender = Sender { body: |_, _| r#"{"n":1}"#.to_owned(), ..sender };
        let app = sender.app(&clock(), &sender.secrets[..1]);
        for _ in 0..2 {
            let delivery = Delivery::by(sender.secrets[0]);
            assert_eq!(outcome(&app.send(sender.request(&delivery)).await), "ok", "{}", sender.name);
        }
        assert_eq!(app.inner.calls(), 1, "{}", sender.name);
        tried += 1;
    }
    assert!(tried >= 15, "{tried}");
}

/// Of the likeliest mistakes, one layer's secret given as another one's.
#[test]
fn a_secret_in_another_form_than_the_senders_page_shows_does_not_build() {
    let build = |layer: Builder<Webhook<RawBody>>, secret: Secret| {
        layer.secrets([secret]).replay(replay()).handler_remembers().clock(clock()).build().map(drop)
    };
    let decoded = Secret::new(&b"\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4\x3c\x3f\x08\x2c"[..]);
    for (layer, secret, why) in [
        (senders::stripe as fn() -> _, decoded.clone(), "decoded, where the text is the key"),
        (senders::standard_webhooks, decoded, "decoded already"),
        (senders::standard_webhooks, Secret::new("whsec_not-base64!"), "no base64"),
        (senders::adyen_header, Secret::new("not hexadecimal"), "no hexadecimal"),
    ] {
        let error = build(layer(), secret).unwrap_err().to_string();
        assert!(error.contains("give it as the sender's page shows it"), "{why}: {error}");
    }
    for (layer, secret) in [
        (senders::stripe as fn() -> _, WHSEC[0]),
        (senders::paddle, "pdl_ntfset_01hkwxg1h5r6mb0z8p3tjq2v4n_kP7+xR2/LmQ9tYw4Zc8VbN1sJd6F"),
        (senders::standard_webhooks, WHSEC[0]),
    ] {
        assert!(build(layer(), Secret::new(secret)).is_ok(), "{secret}");
    }
    let apps = senders::stripe_apps::<RawBody>().secrets(["absec_hyA0LnP8zSkWvQ2mRt5xDc7bJf9gEu1i"]);
    assert!(apps.clock(clock()).build().is_ok(), "each request is answered, so that it takes no store");
}
