//! One-time tickets: redeemed once, and by nobody else.

mod memory;

use futures::future::join_all;
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use tower_sso::Identity;
use tower_sso::clock::{ManualClock, UnixTime};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::ticket::{self, MemoryTickets, NewTickets, TicketDigest, TicketError, TicketStore, Tickets};

use crate::support::log::Log;
use crate::support::subject::{get, refused};
use crate::support::{App, NOW, Request_, clock, outcome, reason, replay, secs, seen};

fn tickets() -> Tickets {
    tickets_at(clock())
}

fn tickets_at(clock: ManualClock) -> Tickets {
    Tickets::new(MemoryTickets::new()).clock(clock)
}

fn app(tickets: &Tickets) -> App {
    App::new(ticket::layer::<Value>(tickets.clone()).build().unwrap())
}

async fn issue(tickets: &Tickets) -> String {
    tickets.issue(&"acme".into(), &json!({"email": "ada@acme.example"})).await.unwrap()
}

fn link(ticket: &str) -> String {
    format!("/enter?a=%zz&ticket={ticket}&b=1")
}

/// Answers to bad tickets do not tell them apart.
async fn invalid(app: &App, ticket: &str) -> (http::StatusCode, http::HeaderMap, bytes::Bytes) {
    let answer = app.send(get(&link(ticket))).await;
    assert_eq!((outcome(&answer), reason(&answer)), ("invalid", "unknown_key"));
    (answer.status(), answer.headers().clone(), answer.body().clone())
}

#[tokio::test]
async fn the_log_says_what_became_of_a_ticket() {
    let tickets = tickets_at(clock());
    let ticket = issue(&tickets).await;
    let log = Log::start();
    assert_eq!(outcome(&app(&tickets).send(get(&link(&ticket))).await), "ok");
    invalid(&app(&tickets), &ticket).await;
    let said = log.text(); // in a busy second at `DEBUG`
    assert!(said.contains("detail=no such ticket: it is spent, has expired or was never issued"), "{said}");
}

#[tokio::test]
async fn a_ticket_signs_in_once() {
    let tickets = tickets();
    let app = app(&tickets);
    let (one, other) = (issue(&tickets).await, issue(&tickets).await);
    assert_ne!(one, other);
    assert_eq!(one.len(), 43);
    assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));

    let answer = app.send(get(&link(&one))).await;
    assert_eq!(outcome(&answer), "ok");
    assert_eq!(seen(&answer).tenant.as_deref(), Some("acme"));
    assert_eq!(seen(&answer).uri, "/enter?a=%zz&b=1", "the ticket leaves the URI");
    invalid(&app, &one).await;
    assert_eq!(outcome(&app.send(get(&link(&other))).await), "ok");
    assert_eq!(app.inner.calls(), 2);
}

#[tokio::test]
async fn claims_that_are_refused_use_no_ticket_up() {
    let tickets = tickets();
    let strict = ticket::layer::<Value>(tickets.clone())
        .map_claims(|_| Err::<Value, _>(tower_sso::rejection::RefusedClaims::new("not today")));
    let ticket = issue(&tickets).await;
    let answer = App::new(strict.build().unwrap()).send(get(&link(&ticket))).await;
    assert_eq!((outcome(&answer), reason(&answer)), ("rejected_claims", "refused_by_application"));
    #[derive(serde::Deserialize)]
    #[allow(dead_code)]
    struct Another {
        missing: String,
    }
    let other = App::new(ticket::layer::<Another>(tickets.clone()).build().unwrap());
    assert_eq!(outcome(&other.send(get(&link(&ticket))).await), "rejected_claims");
    assert_eq!(outcome(&app(&tickets).send(get(&link(&ticket))).await), "ok");
}

#[test]
fn a_ticket_layer_takes_no_other_store_and_no_other_namespace() {
    let layer = || ticket::layer::<Value>(tickets());
    assert!(refused(layer().keys(MemoryKeys::new()).build()).contains("`keys`"));
    assert!(refused(layer().secrets(["s3cret-of-the-partner"]).build()).contains("`keys`"));
    assert!(refused(layer().replay(replay()).build()).contains("`replay`"));
    assert!(refused(layer().namespace("editor").build()).contains("Tickets::namespace"));
    let named = ticket::layer::<Value>(tickets().namespace("editor")).keys(MemoryKeys::new());
    assert!(refused(named.build()).starts_with("the ticket layer with the namespace `editor` does not build: `keys`"));
}

#[tokio::test]
async fn unknown_spent_and_expired_are_one_answer() {
    let time = clock();
    let tickets = tickets_at(time.clone());
    let app = app(&tickets);
    let unknown = invalid(&app, &"A".repeat(43)).await;
    let ticket = issue(&tickets).await;
    app.send(get(&link(&ticket))).await;
    assert_eq!(invalid(&app, &ticket).await, unknown, "spent");
    let ticket = issue(&tickets).await;
    time.advance(secs(61));
    assert_eq!(invalid(&app, &ticket).await, unknown, "expired");
    assert_eq!(app.inner.calls(), 1);
}

#[tokio::test]
async fn its_end_is_inclusive() {
    for (life, after, expected) in [(60, 60, "ok"), (60, 61, "invalid"), (5, 5, "ok"), (5, 6, "invalid")] {
        let time = clock();
        let tickets = tickets_at(time.clone()).time_to_live(secs(life));
        let ticket = issue(&tickets).await;
        time.advance(secs(after));
        assert_eq!(outcome(&app(&tickets).send(get(&link(&ticket))).await), expected, "{after} s of {life} s");
    }
    let zero = ticket::layer::<Value>(tickets().time_to_live(secs(0))).build();
    assert!(
        refused(zero).starts_with("the ticket layer does not build: `time_to_live`"),
        "what the form checks itself"
    );
}

#[tokio::test]
async fn spelling_is_strict_and_spoils_nothing() {
    let tickets = tickets();
    let app = app(&tickets);
    let ticket = issue(&tickets).await;
    // The last of 43 characters has two unused bits, which must be zero.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.iter().position(|letter| ticket.as_bytes()[42] == *letter).unwrap();
    let respelled = format!("{}{}", &ticket[..42], char::from(alphabet[last + 1]));
    let flipped = format!("{}{}", if ticket.starts_with('A') { "B" } else { "A" }, &ticket[1..]);
    for (uri, expected, why) in [
        (link(""), "malformed", "empty"),
        (link(&ticket[..42]), "malformed", "cut short"),
        (link(&format!("{ticket}=")), "malformed", "padded"),
        (link(&format!("{ticket}AA")), "malformed", "too long"),
        (link(&"A".repeat(64 * 1024)[..60_000]), "malformed", "much too long"),
        (link(&respelled), "malformed", "trailing bits"),
        (link(&format!("+{}", &ticket[1..])), "malformed", "the other alphabet, or a space"),
        (link(&format!("%00{}", &ticket[1..])), "malformed", "NUL"),
        (link(&format!("%FF{}", &ticket[1..])), "malformed", "no UTF-8"),
        (link(&format!("{ticket}&ticket={ticket}")), "malformed", "twice"),
        (link(&format!("{ticket}&%74icket=x")), "malformed", "twice in two spellings"),
        ("/enter".to_owned(), "malformed", "absent"),
        (link(&flipped), "invalid", "one bit"),
        (link(&ticket.to_lowercase()), "invalid", "case counts"),
    ] {
        let answer = app.send(get(&uri)).await;
        // Lower case may by chance have trailing bits.
        let said = outcome(&answer);
        assert!(said == expected || (why == "case counts" && said == "malformed"), "{why}: {said}");
    }
    assert_eq!(app.inner.calls(), 0);
    assert_eq!(outcome(&app.send(get(&link(&ticket.replace('-', "%2D")))).await), "ok", "escapes are decoded");
}

#[tokio::test]
async fn head_prefetch_and_other_methods_redeem_nothing() {
    let tickets = tickets();
    let app = app(&tickets);
    let ticket = issue(&tickets).await;
    for (method, header, expected) in [
        (Method::HEAD, None, "method_not_allowed"),
        (Method::POST, None, "method_not_allowed"),
        (Method::OPTIONS, None, "method_not_allowed"),
        (Method::GET, Some(("sec-purpose", "prefetch;prerender")), "too_early"),
        (Method::GET, Some(("purpose", "prefetch")), "too_early"),
        (Method::GET, Some(("x-moz", "prefetch")), "too_early"),
    ] {
        let mut request = get(&link(&ticket));
        *request.method_mut() = method.clone();
        if let Some((name, value)) = header {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(outcome(&app.send(request).await), expected, "{method} {header:?}");
    }
    assert_eq!(outcome(&app.send(get(&link(&ticket))).await), "ok");
}

#[tokio::test]
async fn an_identity_that_came_in_is_removed() {
    let tickets = tickets();
    let take = tower::service_fn(|request: Request_| async move {
        let mut response = http::Response::new(());
        response.extensions_mut().insert(Identity::<Value>::of(request.extensions()).unwrap().clone());
        Ok::<_, std::convert::Infallible>(response)
    });
    let layer = ticket::layer::<Value>(tickets.clone()).build().unwrap();
    let request = get(&link(&issue(&tickets).await));
    let stolen = tower::ServiceExt::oneshot(tower::Layer::layer(&layer, take), request).await.unwrap();
    let stolen = stolen.extensions().get::<Identity<Value>>().unwrap().clone();

    let app = App::new(ticket::layer::<Value>(tickets).optional().build().unwrap());
    let mut request = get("/enter?b=1");
    request.extensions_mut().insert(stolen);
    assert!(!seen(&app.send_unsealed(request).await).identified);
    assert_eq!(outcome(&app.send(get(&link(&"A".repeat(43)))).await), "invalid", "optional lets nothing bad through");
}

#[tokio::test]
async fn a_ticket_opens_no_other_entrance() {
    let store = MemoryTickets::new();
    let widget = Tickets::new(store.clone()).clock(clock()).namespace("widget");
    let editor = Tickets::new(store).clock(clock()).namespace("editor");
    let ticket = issue(&widget).await;
    invalid(&app(&editor), &ticket).await;
    assert_eq!(outcome(&app(&widget).send(get(&link(&ticket))).await), "ok", "and is not used up by the attempt");
}

#[tokio::test]
async fn claims_come_back_as_they_were_issued() {
    #[derive(Debug, serde::Serialize, serde::Deserialize)]
    struct Other {
        number: u8,
    }
    let tickets = tickets();
    for tenant in ["acme", "", "a\"b\n{}", "ü"] {
        let ticket = tickets.issue(&tenant.into(), &json!({"email": "line\nfeed"})).await.unwrap();
        let answer = app(&tickets).send(get(&link(&ticket))).await;
        assert_eq!(seen(&answer).tenant.as_deref(), Some(tenant));
    }
    let app = App::new(ticket::layer::<Other>(tickets.clone()).build().unwrap());
    assert_eq!(outcome(&app.send(get(&link(&issue(&tickets).await))).await), "rejected_claims");
    let unwritable = std::collections::HashMap::from([((1, 2), 3)]);
    let error = tickets.issue(&"acme".into(), &unwritable).await.unwrap_err();
    assert!(error.to_string().contains("JSON"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_64_redemptions_at_once_one_passes() {
    for _ in 0..20 {
        let tickets = tickets();
        let app = app(&tickets);
        let ticket = issue(&tickets).await;
        let redemptions = join_all((0..64).map(|_| {
            let (app, link) = (app.clone(), link(&ticket));
            tokio::spawn(async move { outcome(&app.send(get(&link)).await) })
        }));
        let outcomes: Vec<_> = redemptions.await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "ok").count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "invalid").count(), 63);
        assert_eq!(app.inner.calls(), 1);
    }
}

fn now<T>(answer: StoreFuture<T>) -> T {
    futures::FutureExt::now_or_never(answer).expect("a store in memory answers at once")
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(NOW + seconds)
}

/// For a minute.
fn new(tenant: &str, from: UnixTime) -> NewTickets {
    NewTickets::new(tenant.into(), from, from.plus(secs(60)))
}

#[tokio::test]
async fn a_full_store_is_an_error_of_the_issuer() {
    let tickets = Tickets::new(MemoryTickets::builder().ceiling(0).build());
    let error = tickets.issue(&"acme".into(), &json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "the ticket was not stored: the store is full");
}

#[tokio::test]
async fn a_restart_forgets_what_was_in_memory() {
    let ticket = issue(&tickets()).await;
    invalid(&app(&tickets()), &ticket).await;
}

/// A store that fails or holds corrupt payloads.
struct Odd(fn() -> Result<Option<Vec<u8>>, StoreError>);

impl TicketStore for Odd {
    fn put(&self, _: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Ok(()))
    }

    fn look(&self, _: TicketDigest, _: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        StoreFuture::ready((self.0)())
    }

    fn take(&self, _: TicketDigest, _: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        StoreFuture::ready((self.0)())
    }
}

/// A store in which another request takes each ticket between the look and the take.
struct Overtaken(MemoryTickets);

impl TicketStore for Overtaken {
    fn put(&self, new: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        self.0.put(new)
    }

    fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        self.0.look(digest, now)
    }

    fn take(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        drop(self.0.take(digest, now));
        StoreFuture::ready(Ok(None))
    }
}

#[tokio::test]
async fn whoever_is_overtaken_is_told_what_everybody_is_told_of_a_spent_ticket() {
    let tickets = Tickets::new(Overtaken(MemoryTickets::new())).clock(clock());
    let ticket = issue(&tickets).await;
    invalid(&app(&tickets), &ticket).await;
}

#[tokio::test]
async fn a_store_that_fails_is_not_a_way_in() {
    for (answer, why) in [
        ((|| Err(std::io::Error::other("down").into())) as fn() -> _, "an error"),
        (|| Ok(Some(Vec::new())), "nothing"),
        (|| Ok(Some(b"{}".to_vec())), "no tenant"),
        (|| Ok(Some(b"\n{}".to_vec())), "no tenant"),
    ] {
        let app = app(&Tickets::new(Odd(answer)));
        let answer = app.send(get(&link(&"A".repeat(43)))).await;
        assert_eq!((outcome(&answer), reason(&answer)), ("unavailable", "key_store"), "{why}");
        assert_eq!(app.inner.calls(), 0);
    }
}

#[tokio::test]
async fn nothing_shows_the_ticket_or_the_identity() {
    let tickets = tickets();
    let ticket = issue(&tickets).await;
    let shown = format!("{tickets:?} {:?} {:?}", ticket::layer::<Value>(tickets.clone()), Secret::new(ticket.as_str()));
    assert!(!shown.contains(&ticket) && !shown.contains("ada"));
}
