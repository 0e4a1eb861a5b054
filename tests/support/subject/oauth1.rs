use super::{Duplicate, Spoil, Subject, Wish, get};
use crate::support::{App, Request_};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::Value;
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::oauth1;
use tower_sso::replay::ReplayStore;
use tower_sso::sign::OAuthLink;

pub struct OAuth1Subject;

impl OAuth1Subject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<oauth1::OAuth1<Value>> {
        oauth1::layer(oauth1::Origin::new("https://rp.example")).keys(keys).replay(replay).clock(clock)
    }

    fn link(wish: &Wish) -> OAuthLink {
        let link = OAuthLink::new("https://rp.example/launch", wish.tenant, &Self::key(wish.key));
        link.issued_at(wish.issued_at).nonce(format!("nonce of {}", wish.subject))
    }
}

impl Subject for OAuth1Subject {
    const NAME: &'static str = "oauth1";
    const WINDOW: Option<(u64, u64)> = Some((300, 300));
    const DUPLICATE: Duplicate = Duplicate::Refused("replayed");

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        get(&Self::link(wish).uri(&[("user", &wish.subject), ("b", "1")]).unwrap())
    }

    fn posted(wish: &Wish) -> Request_ {
        let link = Self::link(wish).method(Method::POST).uri(&[("user", &wish.subject), ("b", "1")]);
        Request::post(link.unwrap()).body(Full::default()).unwrap()
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, signature) = uri.split_once("oauth_signature=").unwrap();
        let first = if signature.starts_with('%') { 3 } else { 1 };
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let signature = match how {
            Spoil::Content => return Some(get(&uri.replace("user=", "user=x"))),
            Spoil::Signature => format!("{other}{}", &signature[first..]),
            Spoil::Twice => format!("{signature}&oauth_signature={signature}"),
            Spoil::Absent => return Some(get(before.split_once("&oauth_").unwrap().0)),
            Spoil::Alphabet => format!("%20{}", &signature[first..]),
            Spoil::Short => signature[..first + 10].to_owned(),
            Spoil::Oversize => format!("{signature}{signature}"),
            Spoil::Respelled => return Some(get(&uri.replace("oauth_nonce=n", "oauth%5fnonce=%6E"))),
        };
        Some(get(&format!("{before}oauth_signature={signature}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("consumer secret&/{number}"))
    }
}
