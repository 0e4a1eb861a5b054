//! The memory that tickets may take, each tenant's share of it, and how it is freed.

use super::*;

#[test]
fn of_8_threads_one_takes_each_ticket() {
    const TICKETS: u8 = 200;
    let store = MemoryTickets::new();
    for n in 0..TICKETS {
        now(store.put(new("acme", at(0)).with([n; 32].into(), [n]))).unwrap();
    }
    let start = std::sync::Barrier::new(8);
    let taken: usize = std::thread::scope(|scope| {
        let take_all = || {
            start.wait();
            (0..TICKETS).filter(|n| now(store.take([*n; 32].into(), at(1))).unwrap() == Some(vec![*n])).count()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(take_all)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(taken, usize::from(TICKETS));
}

#[test]
fn a_full_store_issues_nothing_and_evicts_nothing() {
    let store = MemoryTickets::builder().ceiling(2).build();
    // One tenant per ticket, since a single tenant gets only half.
    let put = |n: u8, from: u64| now(store.put(new(&n.to_string(), at(from)).with([n; 32].into(), [n]))).is_ok();
    let take = |n: u8, when: u64| now(store.take([n; 32].into(), at(when))).unwrap();
    assert!(put(1, 0) && put(2, 0));
    assert!(!put(3, 0), "the ceiling");
    assert!(!put(1, 0), "nor is one written over");
    assert_eq!(take(3, 1), None);
    assert_eq!(take(1, 1), Some(vec![1]), "what is live was not evicted");
    assert!(put(3, 1), "a redeemed ticket gives up its place");
    assert!(!put(4, 1));
    assert_eq!(take(2, 61), None, "expired, and taken out");
    assert!(put(4, 61));
    for n in 0..50 {
        assert_eq!(take(4, 61).is_some(), n == 0);
    }
    assert!(put(5, 61) && !put(6, 61), "the count is right after all that");
}

/// What a page view of a partner with many sites leaves: a hundred tickets, all for one user with a long name.
#[tokio::test]
async fn tickets_of_one_call_share_what_they_have_in_common_and_go_with_the_last() {
    const SITES: u64 = 100;
    let time = clock();
    let store = MemoryTickets::builder().clock(time.clone()).build();
    let tickets = Tickets::new(store.clone()).clock(time.clone());
    let layer = ticket::layer::<(Value, Option<String>)>(tickets.clone()).build().unwrap();
    let app = App::new(layer);
    let user = json!({"name": "ä\n".repeat(10_000)});
    let sites: Vec<_> = (1..SITES).map(|site| Some(site.to_string())).chain([None]).collect();
    let issued = tickets.issue_each(&"acme".into(), &user, &sites).await.unwrap();
    assert_eq!((issued.len() as u64, store.tickets()), (SITES, SITES));
    assert!(store.bytes() < 100_000, "{}", store.bytes());
    for ticket in &issued[1..] {
        let answer = app.send(get(&link(ticket))).await;
        assert_eq!((outcome(&answer), seen(&answer).tenant.as_deref()), ("ok", Some("acme")));
    }
    assert!(store.bytes() > 40_000, "one of them is left, and what they share");
    invalid(&app, &issued[1]).await;
    assert_eq!(outcome(&app.send(get(&link(&issued[0]))).await), "ok");
    assert_eq!((store.tickets(), store.bytes()), (0, 0), "nothing is left");

    tickets.issue_each(&"acme".into(), &user, &sites).await.unwrap();
    time.advance(secs(120));
    for _ in 0..4 {
        issue(&tickets).await;
    }
    assert_eq!(store.tickets(), 4, "and those that nobody redeems are gone with the next few");
    assert!(store.bytes() < 4_000, "{}", store.bytes());
    assert!(tickets.issue_each::<_, u8>(&"acme".into(), &user, &[]).await.unwrap().is_empty());
    assert_eq!(store.tickets(), 4);
}

/// Whether two are taken at once, or one is taken and the other ends.
#[test]
fn what_two_tickets_share_is_not_counted_when_both_are_gone() {
    const ROUNDS: u64 = 500;
    let time = clock();
    let store = MemoryTickets::builder().clock(time.clone()).build();
    let pair = |n: u64| [digest(2 * n).into(), digest(2 * n + 1).into()];
    let put = |n: u64| {
        let [one, other] = pair(n);
        let mut new = new("acme", at(0)).with(one, [1]).with(other, [2]);
        new.shared = vec![b'x'; 1_000_000];
        now(store.put(new)).unwrap();
    };
    let start = std::sync::Barrier::new(2);
    let take = |which: usize| {
        for n in 0..ROUNDS {
            if which == 0 {
                put(n);
            }
            start.wait();
            assert!(now(store.take(pair(n)[which], at(1))).unwrap().is_some());
            start.wait();
        }
    };
    std::thread::scope(|threads| [0, 1].map(|which| _ = threads.spawn(move || take(which))));
    assert_eq!((store.tickets(), store.bytes()), (0, 0), "both at once");

    put(ROUNDS);
    time.advance(secs(120));
    now(store.take(pair(ROUNDS)[0], at(1))).unwrap();
    assert_eq!((store.tickets(), store.bytes()), (0, 0), "one of them had ended");
}

#[tokio::test]
async fn the_pair_is_what_it_was() {
    let tickets = tickets();
    let user = json!({"email": "line\nfeed", "list": [1, "]"]});
    let issued = tickets.issue_each(&"a\"b\n".into(), &user, &["ü", "],["]).await.unwrap();
    for (ticket, choice) in issued.iter().zip(["ü", "],["]) {
        let take = tower::service_fn(|request: Request_| async move {
            let mut response = http::Response::new(());
            response.extensions_mut().insert(Identity::<(Value, String)>::of(request.extensions()).unwrap().clone());
            Ok::<_, std::convert::Infallible>(response)
        });
        let layer = ticket::layer::<(Value, String)>(tickets.clone()).build().unwrap();
        let answer = tower::ServiceExt::oneshot(tower::Layer::layer(&layer, take), get(&link(ticket))).await.unwrap();
        let identity = answer.extensions().get::<Identity<(Value, String)>>().unwrap();
        assert_eq!((identity.tenant().as_str(), identity.claims()), ("a\"b\n", &(user.clone(), choice.to_owned())));
    }
}

/// By number and by bytes: a tenant that is as busy as it can be leaves room for the others.
#[test]
fn one_tenant_cannot_fill_the_store_for_all() {
    let by_number = || MemoryTickets::builder().ceiling(1_000);
    let by_bytes = || MemoryTickets::builder().bytes(10_000_000);
    for (store, size, most, why) in [
        (by_number().build(), 10, 500, "by number"),
        (by_bytes().build(), 9_600, 500, "by bytes"),
        (by_number().ceiling(1).build(), 10, 1, "of one place, the only tenant has one"),
    ] {
        let mut next = 0_u64;
        let mut fill = |tenant: &str| {
            let mut put = || {
                next += 1;
                let mut digest = [0; 32];
                digest[..8].copy_from_slice(&next.to_be_bytes());
                now(store.put(new(tenant, at(0)).with(digest.into(), vec![b'x'; size]))).is_ok()
            };
            (0..1_000).filter(|_| put()).count()
        };
        assert_eq!(fill("busy"), most, "{why}: half for a tenant alone");
        assert_eq!(fill("busy"), 0, "{why}");
        assert_eq!(fill("another"), most / 2, "{why}: half of the rest");
        assert_eq!(fill("a third"), most / 4, "{why}");
        assert_eq!(fill("busy"), 0, "{why}");
        let used = store.tickets();
        assert!(used <= 1_000 && store.bytes() <= 10_000_000, "{why}");
    }
}

#[test]
fn one_call_removes_a_few_dead_tickets_and_all_go_in_time() {
    const DEAD: u64 = 10_000;
    let time = clock();
    let store = MemoryTickets::builder().ceiling(DEAD + 1).clock(time.clone()).build();
    let put = |n: u64| {
        let tenant = (n % (DEAD / 2)).to_string();
        now(store.put(
            NewTickets::new(tenant.as_str().into(), time_of(&time), time_of(&time).plus(secs(60)))
                .with(digest(n).into(), [1]),
        ))
    };
    (0..DEAD).for_each(|n| put(n).unwrap());
    time.advance(secs(3_600));
    let mut claims = 0;
    while store.tickets() > claims {
        let before = store.tickets();
        put(DEAD + claims).unwrap();
        claims += 1;
        let removed = before + 1 - store.tickets();
        assert!((1..=100).contains(&removed), "put {claims} removed {removed}");
        // A redemption removes ended tickets too.
        let before = store.tickets();
        now(store.take(digest(u64::MAX).into(), time_of(&time))).unwrap();
        assert!(before - store.tickets() <= 100);
    }
    assert!(claims < DEAD / 10, "{claims}");
}

/// Each call removes a bounded number, and the next call continues.
#[test]
fn one_call_removes_few_even_where_it_needs_the_room_of_many() {
    const DEAD: u64 = 5_000;
    const MOST: u64 = 2_200;
    let time = clock();
    let store = MemoryTickets::builder().bytes(410 * DEAD).clock(time.clone()).build();
    let put = |n: u64, shared: usize| {
        let mut tickets = new(&n.to_string(), time_of(&time)).with(digest(n).into(), [1]);
        tickets.shared = vec![b'x'; shared];
        now(store.put(tickets)).is_ok()
    };
    assert!((0..DEAD).all(|n| put(n, 0)));
    assert!(!put(DEAD, 300_000), "what tickets share takes room too, and all of these are live");
    assert_eq!(store.tickets(), DEAD);
    time.advance(secs(3_600));
    let large = 410 * 3_000;
    assert!(!put(DEAD, large), "it needs more room than one call makes");
    let removed = DEAD - store.tickets();
    assert!((1..=MOST).contains(&removed), "{removed}");
    assert!(put(DEAD, large), "the next one has it");
    assert!(DEAD - store.tickets() <= 2 * MOST);
}

fn digest(n: u64) -> [u8; 32] {
    <sha2::Sha256 as sha2::Digest>::digest(n.to_be_bytes()).into()
}

fn time_of(clock: &ManualClock) -> UnixTime {
    tower_sso::clock::Clock::now(clock)
}

#[tokio::test]
async fn claims_that_are_too_large_are_not_issued() {
    let store = MemoryTickets::new();
    let tickets = Tickets::new(store.clone()).largest_claims(100);
    let fits = "x".repeat(100 - "\"acme\"\n\"\"".len());
    tickets.issue(&"acme".into(), &fits).await.unwrap();
    let error = tickets.issue(&"acme".into(), &format!("{fits}x")).await.unwrap_err();
    assert!(matches!(error, TicketError::TooLarge { bytes: 101, most: 100 }), "{error}");
    assert!(error.to_string().contains("largest_claims"));
    let error = tickets.issue_each(&"acme".into(), &"", &["", &fits]).await.unwrap_err();
    assert!(matches!(error, TicketError::TooLarge { .. }), "{error}");
    assert_eq!(store.tickets(), 1);
    let default = Tickets::new(store);
    assert!(default.issue(&"acme".into(), &"x".repeat(60_000)).await.is_ok(), "what a URI can bring");
    assert!(default.issue(&"acme".into(), &"x".repeat(70_000)).await.is_err());
}
