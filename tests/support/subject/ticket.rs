use super::{Duplicate, Failure, Spoil, Subject, Wish, get};
use crate::support::{App, NOW, Request_, clock};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower_sso::Builder;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::{FingerprintHasher, ReplayStore};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::ticket::{self, MemoryTickets, NewTickets, Ticket, TicketDigest, TicketStore, Tickets};

pub struct TicketSubject;

/// The tickets that the cases use.
const SUBJECTS: [&str; 7] = ["ada", "bob", "a", "b", "c", "d", "e"];

fn random(key: usize, subject: &str) -> [u8; 32] {
    Sha256::digest(format!("{key} {subject}")).into()
}

/// All tickets that a case may present: for the keys of `acme` and `other`. That of key 3 was never issued.
fn issued() -> MemoryTickets {
    let store = MemoryTickets::new();
    let from = UnixTime::from_secs(NOW);
    for (key, tenant) in [(0, "acme"), (1, "acme"), (2, "other")] {
        let mut new = NewTickets::new(tenant.into(), from, UnixTime::from_secs(NOW + 7_200));
        for subject in SUBJECTS {
            let mut fingerprint = FingerprintHasher::new(TicketSubject::NAME);
            fingerprint.part(&random(key, subject));
            let digest = TicketDigest::from(*fingerprint.finish().as_bytes());
            new = new.with(digest, format!("{}\n{}", json!(tenant), json!({"id": subject})));
        }
        futures::FutureExt::now_or_never(store.put(new)).unwrap().unwrap();
    }
    store
}

fn layer(store: impl TicketStore, clock: ManualClock) -> Builder<Ticket<Value>> {
    ticket::layer(Tickets::new(store).clock(clock.clone())).clock(clock)
}

/// Shows every ticket, but fails to take it.
struct Stuck(MemoryTickets, Failure);

impl TicketStore for Stuck {
    fn put(&self, tickets: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        self.0.put(tickets)
    }

    fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        self.0.look(digest, now)
    }

    fn take(&self, _: TicketDigest, _: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        match self.1 {
            Failure::Error => StoreFuture::new(async { Err(StoreError::new("connection refused")) }),
            Failure::Never => StoreFuture::new(std::future::pending()),
            Failure::Full => StoreFuture::ready(Err(StoreError::full())),
        }
    }
}

impl TicketSubject {
    pub fn layer(clock: ManualClock) -> Builder<Ticket<Value>> {
        layer(issued(), clock)
    }
}

impl Subject for TicketSubject {
    const NAME: &'static str = "ticket";
    const WINDOW: Option<(u64, u64)> = None;
    /// The store does not remember what it held.
    const DUPLICATE: Duplicate = Duplicate::Refused("invalid");
    const LOOKED_UP: bool = true;
    const ROTATES: bool = false;

    fn app_with(_: MemoryKeys, _: impl ReplayStore, clock: ManualClock) -> App {
        App::new(layer(issued(), clock).build().unwrap())
    }

    fn optional_app(_: MemoryKeys, _: impl ReplayStore, clock: ManualClock) -> App {
        App::new(layer(issued(), clock).optional().build().unwrap())
    }

    fn posted_app(dangerous: bool) -> App {
        super::posted(layer(issued(), clock()), dangerous)
    }

    fn failing_app(failure: Failure) -> (App, &'static str) {
        (App::new(layer(Stuck(issued(), failure), clock()).build().unwrap()), "replay_store")
    }

    fn request(wish: &Wish) -> Request_ {
        let key = if wish.tenant == "nobody" { 9 } else { wish.key };
        let ticket = BASE64_URL_SAFE_NO_PAD.encode(random(key, &wish.subject));
        get(&format!("/enter?a=%zz&ticket={ticket}&b=1"))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, ticket) = uri.split_once("ticket=").unwrap();
        let (ticket, after) = ticket.split_once('&').unwrap();
        let first = if ticket.starts_with('A') { "B" } else { "A" };
        let ticket = match how {
            // Nothing is signed.
            Spoil::Content => return None,
            Spoil::Signature => format!("{first}{}", &ticket[1..]),
            Spoil::Twice => format!("{ticket}&ticket={ticket}"),
            Spoil::Absent => return Some(get(&format!("{before}{after}"))),
            Spoil::Alphabet => format!("!{}", &ticket[1..]),
            Spoil::Short => ticket[1..].to_owned(),
            Spoil::Oversize => format!("{ticket}{}", "A".repeat(8 * 1024)),
            Spoil::Respelled => format!("%{:02x}{}", ticket.as_bytes()[0], &ticket[1..]),
        };
        Some(get(&format!("{before}ticket={ticket}&{after}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(random(number, "no key"))
    }
}
