//! The rows of `tests/support/integrators`, by the function. The portal's tests ask its page and its command.

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use serde_json::Value;
use tower_sso::VerifyLayer;
use tower_sso::explain::{self, Explanation};
use tower_sso::form::Form;
use tower_sso::keys::MemoryKeys;
use tower_sso::oauth1::Origin;
use tower_sso::providers::{launches, webhooks};

use crate::support::integrators::{ORIGIN, OTHER, Row, SECRET, Sent, WHSEC, rows};
use crate::support::{NOW, clock, replay};

fn received(sent: &Sent) -> (Parts, Bytes) {
    let request = Request::builder().method(sent.method).uri(&sent.target).header("host", "portal.example");
    let request = sent.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let (head, body) = request.body(Bytes::from(sent.body.clone())).unwrap().into_parts();
    (head, body)
}

async fn explained<F: Form, C>(layer: VerifyLayer<F, C>, sent: &Sent) -> Explanation {
    let (head, body) = received(sent);
    explain::request(&layer, &head, &body).await
}

#[tokio::test]
async fn the_true_cause_comes_first() {
    macro_rules! sender {
        ($preset:ident, $secret:ident) => {
            webhooks::$preset::<Value>().secrets([$secret]).replay(replay()).handler_remembers().clock(clock()).build()
        };
    }
    let lti = || {
        let keys = MemoryKeys::new().with("acme", SECRET).with("other", OTHER);
        launches::lti11::<Value>(Origin::new(ORIGIN)).keys(keys).replay(replay()).clock(clock()).build()
    };
    let shop = || launches::shopify::<Value>().secrets([SECRET]).replay(replay()).clock(clock()).build();
    let forum = || {
        let layer = launches::discourse::<Value>().danger_any_nonce().danger_forgets_on_restart().secrets([SECRET]);
        layer.replay(replay()).clock(clock()).build()
    };
    let mut wrong = Vec::new();
    for Row { why, preset, request, expected } in rows(NOW) {
        let explanation = match preset {
            "webhooks::github" => explained(sender!(github, SECRET).unwrap(), &request).await,
            "webhooks::stripe" => explained(sender!(stripe, SECRET).unwrap(), &request).await,
            "webhooks::shopify" => explained(sender!(shopify, SECRET).unwrap(), &request).await,
            "webhooks::standard_webhooks" => explained(sender!(standard_webhooks, WHSEC).unwrap(), &request).await,
            "webhooks::netlify" => explained(sender!(netlify, SECRET).unwrap(), &request).await,
            "webhooks::danger_mailgun" => explained(sender!(danger_mailgun, SECRET).unwrap(), &request).await,
            "launches::lti11" => explained(lti().unwrap(), &request).await,
            "launches::discourse" => explained(forum().unwrap(), &request).await,
            "launches::shopify" => explained(shop().unwrap(), &request).await,
            other => panic!("{other}"),
        };
        let text = explanation.to_string();
        for private in [SECRET, OTHER, WHSEC, "Söhne"] {
            assert!(!text.contains(private), "{text}");
        }
        let said = explanation.cause().unwrap_or(&text);
        if !said.contains(expected) {
            wrong.push(format!("{preset}: {why}: {expected:?} is not in {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
