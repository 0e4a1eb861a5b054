use super::{Duplicate, Spoil, Subject, Wish, get};
use crate::support::{App, Request_};
use serde_json::Value;
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::providers::lcvista;
use tower_sso::replay::ReplayStore;
use tower_sso::sign::HashedLink;
use tower_sso::timestamp_hash;

pub struct TimestampHashSubject;

impl Subject for TimestampHashSubject {
    const NAME: &'static str = "timestamp_hash";
    const WINDOW: Option<(u64, u64)> = Some((30, 5));
    const DUPLICATE: Duplicate = Duplicate::Refused("replayed");

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let link = HashedLink::new("/sso", lcvista::recipe(), &Self::key(wish.key));
        let (timestamp, email) = (wish.issued_at.as_secs().to_string(), format!("{}@example.com", wish.subject));
        get(&format!("{}&a=%zz&b=1", link.uri(&[&timestamp, &email, wish.tenant])))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, hash) = uri.split_once("hash=").unwrap();
        let (hash, after) = hash.split_at(40);
        let first = if hash.starts_with('0') { "1" } else { "0" };
        let hash = match how {
            Spoil::Content => return Some(get(&uri.replace("email=", "email=x"))),
            Spoil::Signature => format!("{first}{}", &hash[1..]),
            Spoil::Twice => format!("{hash}&hash={hash}"),
            Spoil::Absent => return Some(get(&format!("{before}{}", &after[1..]))),
            Spoil::Alphabet => format!("g{}", &hash[1..]),
            Spoil::Short => hash[..20].to_owned(),
            Spoil::Oversize => format!("{hash}{hash}"),
            Spoil::Respelled => hash.to_uppercase(),
        };
        Some(get(&format!("{before}hash={hash}{after}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("lcv secret&/{number}"))
    }
}

impl TimestampHashSubject {
    pub fn layer(
        keys: MemoryKeys,
        replay: impl ReplayStore,
        clock: ManualClock,
    ) -> Builder<timestamp_hash::TimestampHash<Value>> {
        let layer = timestamp_hash::layer(lcvista::recipe()).tenant_field("slug");
        layer.keys(keys).replay(replay).clock(clock)
    }
}
