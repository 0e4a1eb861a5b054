use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;
use tower_sso::scheme::TimeFormat;
use tower_sso::signed_parameters::{self, Join, Recipe, SignedParameters};

use super::{Duplicate, Spoil, Subject, Wish, get};
use crate::support::{App, Request_};

pub struct SignedParametersSubject;

impl Subject for SignedParametersSubject {
    const NAME: &'static str = "signed_parameters";
    const WINDOW: Option<(u64, u64)> = Some((300, 60));
    const DUPLICATE: Duplicate = Duplicate::Refused("replayed");

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let Wish { tenant, subject, issued_at, .. } = wish;
        let signed = format!("s_org={tenant}&s_sub={subject}&s_ts={}", issued_at.as_secs());
        let mac = Hmac::<Sha256>::new_from_slice(Self::key(wish.key).expose()).unwrap().chain_update(&signed);
        let mac = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        get(&format!("/sso?a=%zz&{signed}&sig={mac}&b=1"))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, mac) = uri.split_once("sig=").unwrap();
        let (mac, after) = mac.split_at(64);
        let first = if mac.starts_with('0') { "1" } else { "0" };
        let mac = match how {
            Spoil::Content => return Some(get(&uri.replace("s_sub=", "s_sub=x"))),
            Spoil::Signature => format!("{first}{}", &mac[1..]),
            Spoil::Twice => format!("{mac}&sig={mac}"),
            Spoil::Absent => return Some(get(&format!("{before}{}", &after[1..]))),
            Spoil::Alphabet => format!("g{}", &mac[1..]),
            Spoil::Short => mac[..20].to_owned(),
            Spoil::Oversize => format!("{mac}{mac}"),
            Spoil::Respelled => mac.to_uppercase(),
        };
        Some(get(&format!("{before}sig={mac}{after}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("a parameter's secret {number}"))
    }
}

impl SignedParametersSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<SignedParameters<Value>> {
        let layer = signed_parameters::layer(Recipe::prefixed("s_", Join::pairs('&'))).signature_parameter("sig");
        let layer = layer.issued_at("s_ts", TimeFormat::Seconds).tenant_field("s_org").require(["s_sub"]);
        layer.keys(keys).replay(replay).clock(clock)
    }
}
