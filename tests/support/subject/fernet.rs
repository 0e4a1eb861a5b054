use super::{Duplicate, Spoil, Subject, Wish, changed_at, get};
use crate::support::{App, Request_};
use serde_json::{Value, json};
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::fernet;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;
use tower_sso::sign::FernetLink;
use tower_sso::tenant::Tenant;

pub struct FernetSubject;

impl FernetSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<fernet::Fernet<Value>> {
        fernet::layer().tenant(Tenant::query("tenant")).keys(keys).replay(replay).clock(clock)
    }

    pub fn token(wish: &Wish) -> String {
        let content = json!({"id": wish.subject}).to_string();
        let link = FernetLink::new("/sso", wish.tenant, &Self::key(wish.key)).issued_at(wish.issued_at);
        link.token(content.as_bytes()).unwrap()
    }
}

impl Subject for FernetSubject {
    const NAME: &'static str = "fernet";
    const WINDOW: Option<(u64, u64)> = Some((60, 60));
    const DUPLICATE: Duplicate = Duplicate::Refused("replayed");

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let token = Self::token(wish);
        get(&format!("/sso?a=%zz&tenant={}&token={token}&b=1", wish.tenant))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, token) = uri.split_once("token=").unwrap();
        let (token, after) = token.split_once('&').unwrap();
        let token = match how {
            // The 40th character is in the ciphertext, the 80th from the end too; the 20th from the end in the MAC.
            Spoil::Content => changed_at(token, 40),
            Spoil::Signature => changed_at(token, token.len() - 20),
            Spoil::Twice => format!("{token}&token={token}"),
            Spoil::Absent => return Some(get(&format!("{before}{after}"))),
            Spoil::Alphabet => token.replace("gAAAA", "g%20AA"),
            Spoil::Short => token[..token.len() - 24].to_owned(),
            Spoil::Oversize => format!("{token}{}", "A".repeat(8 * 1024)),
            Spoil::Respelled => token.trim_end_matches('=').replace('A', "%41"),
        };
        Some(get(&format!("{before}token={token}&{after}")))
    }

    fn key(number: usize) -> Secret {
        const KEYS: [&str; 4] = [
            "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=",
            "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "_-_9_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA=",
        ];
        KEYS[number].into()
    }
}
