//! No input makes a layer panic, answer with a 5xx, or accept a forgery.

use bytes::Bytes;
use futures::executor::block_on;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use tower_sso::oauth1::Transport;

use crate::support::subject::{FernetSubject, OAuth1Subject, Subject, WebhookSubject, Wish, get, keys};
use crate::support::{App, clock, outcome, replay};

fn fernet() -> App {
    FernetSubject::app_with(keys::<FernetSubject>(), replay(), clock())
}

fn webhook() -> App {
    WebhookSubject::app_with(keys::<WebhookSubject>(), replay(), clock())
}

#[test]
fn no_other_character_at_any_place_of_a_token_passes() {
    let app = fernet();
    let token = FernetSubject::token(&Wish::default());
    for position in 0..token.len() {
        for other in ['A', 'B', '-', '_', '9', '=', '+', '/', '.', '%', ' '] {
            let mut mutant: Vec<char> = token.chars().collect();
            if mutant[position] == other {
                continue;
            }
            mutant[position] = other;
            let mutant: String = mutant.into_iter().collect();
            let Ok(uri) = format!("/sso?tenant=acme&token={mutant}").parse::<http::Uri>() else { continue };
            let mut request = get("/");
            *request.uri_mut() = uri;
            let answer = block_on(app.send(request));
            assert!(matches!(outcome(&answer), "malformed" | "invalid"), "{mutant}: {}", outcome(&answer));
        }
    }
    assert_eq!(app.inner.calls(), 0);
    let request = get(&format!("/sso?tenant=acme&token={token}"));
    assert_eq!(outcome(&block_on(app.send(request))), "ok", "and the token itself was good");
}

#[test]
fn no_other_bit_of_a_signed_call_passes() {
    let app = webhook();
    let good = WebhookSubject::request(&Wish::default());
    let (head, body) = good.clone().into_parts();
    let body = block_on(body.collect()).unwrap().to_bytes();
    for bit in 0..body.len() * 8 {
        let mut mutant = body.to_vec();
        mutant[bit / 8] ^= 1 << (bit % 8);
        let request = Request::from_parts(head.clone(), Full::new(Bytes::from(mutant)));
        assert_eq!(outcome(&block_on(app.send(request))), "invalid", "bit {bit}");
    }
    assert_eq!(app.inner.calls(), 0);
    assert_eq!(outcome(&block_on(app.send(good))), "ok");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_query(query in "([a-z%=&+;0-9A-Z_~.-]|token=|tenant=acme|&|%[0-9a-f]{2}|gAAAA){0,60}") {
        let answer = block_on(fernet().send(get(&format!("/sso?{query}"))));
        prop_assert!(matches!(outcome(&answer), "malformed" | "invalid"), "{}", outcome(&answer));
    }

    #[test]
    fn any_token(token in proptest::collection::vec(any::<u8>(), 0..300), version in any::<bool>()) {
        use base64::Engine;
        let mut token = token;
        if let (true, Some(first)) = (version, token.first_mut()) {
            *first = 0x80;
        }
        let token = base64::engine::general_purpose::URL_SAFE.encode(token);
        let answer = block_on(fernet().send(get(&format!("/sso?tenant=acme&token={token}"))));
        prop_assert!(matches!(outcome(&answer), "malformed" | "invalid"));
    }

    #[test]
    fn any_call(
        signature in proptest::collection::vec(0x20_u8..=0xff, 0..80),
        kind in "[ -~]{0,30}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut request = Request::post("/hook").header("x-tenant", "acme").body(Full::new(Bytes::from(body))).unwrap();
        let headers = [("webhook-signature", signature), ("content-type", kind.into_bytes())];
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        let answer = block_on(webhook().send(request));
        prop_assert!(matches!(outcome(&answer), "malformed" | "invalid" | "unsupported_media_type"));
    }

    /// Whatever stands in a signed request's query, header and body, and wherever it stands.
    #[test]
    fn any_signed_request(
        query in "([a-z%=&+;0-9~.-]|oauth_[a-z]{1,3}=|oauth_signature=|&|%[0-9a-f]{2}){0,30}",
        header in "(OAuth )?([a-z%=,+\"\\\\ 0-9]|oauth_[a-z]{1,3}=\"|oauth_body_hash=\"x\",|, ){0,30}",
        kind in "(application/x-www-form-urlencoded)?[ -~]{0,5}",
        body in proptest::collection::vec(any::<u8>(), 0..60),
        dangerous in any::<bool>(),
    ) {
        let good = OAuth1Subject::request(&Wish::default()).uri().to_string();
        for uri in [format!("/launch?{query}"), format!("{good}&{query}")] {
            let Ok(mut request) = Request::post(uri).body(Full::new(Bytes::from(body.clone()))) else { continue };
            for (name, value) in [("authorization", &header), ("content-type", &kind)] {
                if let Ok(value) = HeaderValue::from_str(value) {
                    request.headers_mut().insert(HeaderName::from_static(name), value);
                }
            }
            let layer = OAuth1Subject::layer(keys::<OAuth1Subject>(), replay(), clock()).methods([http::Method::POST]);
            let layer = layer.transports([Transport::Query, Transport::Header, Transport::Form]);
            let layer = if dangerous { layer.danger_unsigned_body() } else { layer };
            let answer = block_on(App::new(layer.build().unwrap()).send(request));
            prop_assert!(matches!(outcome(&answer), "malformed" | "invalid"), "{}", outcome(&answer));
        }
    }
}
