use super::{Duplicate, Spoil, Subject, Wish, changed_at, get};
use crate::support::{App, NOW, Request_, secs};
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::jwt;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;
use tower_sso::sign::JwtSigner;
use tower_sso::tenant::Tenant;

pub struct JwtSubject;

impl JwtSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<jwt::Jwt<Value>> {
        let layer = jwt::layer(jwt::Algorithm::HS512).audience("rp.example").tenant(Tenant::query("tenant"));
        layer.leeway(secs(0)).keys(keys).replay(replay).clock(clock)
    }
}

impl Subject for JwtSubject {
    const NAME: &'static str = "jwt";
    /// The token's `nbf` is the earliest time in it.
    const CUTOFF_AT: u64 = NOW - 60;
    /// From the `nbf` and `exp` of the tokens below, without leeway.
    const WINDOW: Option<(u64, u64)> = Some((60, 60));
    const DUPLICATE: Duplicate = Duplicate::Refused("replayed");

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let at = wish.issued_at.as_secs();
        // Not `iat`, which would be the start of the window: the skew is what `nbf` allows.
        let claims = json!({"sub": wish.subject, "made": at, "nbf": at - 60, "exp": at + 60, "aud": "rp.example"});
        let token = JwtSigner::new(jwt::Algorithm::HS512, &Self::key(wish.key)).unwrap().token(&claims).unwrap();
        get(&format!("/page?a=%zz&tenant={}&sso_jwt={token}&b=1", wish.tenant))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, token) = uri.split_once("sso_jwt=").unwrap();
        let (token, after) = token.split_once('&').unwrap();
        let token = match how {
            Spoil::Content => changed_at(token, token.find('.').unwrap() + 8),
            Spoil::Signature => changed_at(token, token.len() - 20),
            Spoil::Twice => format!("{token}&sso_jwt={token}"),
            Spoil::Absent => return Some(get(&format!("{before}{after}"))),
            Spoil::Alphabet => token.replacen("eyJ", "e%20J", 1),
            Spoil::Short => token[..token.len() - 24].to_owned(),
            Spoil::Oversize => format!("{token}{}", "A".repeat(8 * 1024)),
            Spoil::Respelled => token.replace('A', "%41"),
        };
        Some(get(&format!("{before}sso_jwt={token}&{after}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("a secret of the partner's, number {number}, that is long enough for HS512"))
    }
}
