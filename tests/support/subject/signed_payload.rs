use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;
use tower_sso::scheme::{Place, TimeFormat};
use tower_sso::signed_payload::{self, Layout, SignedPayload};
use tower_sso::tenant::Tenant;

use super::{Duplicate, Spoil, Subject, Wish, changed_at, get};
use crate::support::{App, Request_};

pub struct SignedPayloadSubject;

impl Subject for SignedPayloadSubject {
    const NAME: &'static str = "signed_payload";
    const WINDOW: Option<(u64, u64)> = Some((300, 60));
    const DUPLICATE: Duplicate = Duplicate::Refused("replayed");

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let payload = json!({"iat": wish.issued_at.as_secs(), "sub": wish.subject});
        let payload = BASE64_URL_SAFE_NO_PAD.encode(payload.to_string());
        let mac = Hmac::<Sha256>::new_from_slice(Self::key(wish.key).expose()).unwrap().chain_update(&payload);
        let mac = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        get(&format!("/sso?org={}&a=%zz&token={payload}.{mac}&b=1", wish.tenant))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, rest) = uri.split_once("token=").unwrap();
        let (token, after) = rest.split_once('&').unwrap();
        let dot = token.find('.').unwrap();
        let token = match how {
            Spoil::Content => changed_at(token, 5),
            Spoil::Signature => {
                let other = if token.as_bytes()[dot + 1] == b'0' { "1" } else { "0" };
                format!("{}.{other}{}", &token[..dot], &token[dot + 2..])
            }
            Spoil::Twice => format!("{token}&token={token}"),
            Spoil::Absent => return Some(get(&format!("{before}{after}"))),
            Spoil::Alphabet => format!("{}.g{}", &token[..dot], &token[dot + 2..]),
            Spoil::Short => token[..token.len() - 2].to_owned(),
            Spoil::Oversize => format!("{token}{}", &token[dot + 1..]),
            Spoil::Respelled => format!("{}.{}", &token[..dot], token[dot + 1..].to_uppercase()),
        };
        Some(get(&format!("{before}token={token}&{after}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("a payload's secret {number}"))
    }
}

impl SignedPayloadSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<SignedPayload<Value>> {
        let layer = signed_payload::layer(Layout::payload_first(Place::query("token"), "."));
        let layer = layer.issued_at("iat", TimeFormat::Seconds).tenant(Tenant::query("org"));
        layer.keys(keys).replay(replay).clock(clock)
    }
}
