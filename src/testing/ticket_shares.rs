//! The cases for shared claims, and for the room that tenants share.

use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, Failure, LONG, answered, at_once, must, now};
use super::promise::{Broken, Promise};
use super::ticket_cases::{Taken, Tickets, payload_of};
use crate::ticket::{NewTickets, TicketDigest, TicketStore};

/// This many tickets with the same shared claims.
fn several(bench: &Bench<dyn TicketStore>, tickets: usize) -> NewTickets {
    let mut new = NewTickets::new("tenant".into(), now(), now().plus(LONG));
    new.shared = b"shared\0".repeat(100);
    new.tickets = (0..tickets).map(|n| (bench.digest(), n.to_string().into_bytes())).collect();
    new
}

/// Two concurrent takers for each ticket: one gets the whole payload, in whatever order the tickets go.
pub(super) async fn siblings(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::Payload;
    const TICKETS: usize = 20;
    for round in 0..bench.options.rounds / 10 {
        let new = several(&bench, TICKETS);
        answered(PROMISE, "a put of 20 tickets", bench.within(bench.node(round).put(new.clone())).await)?;
        let payloads: Vec<_> = new.payloads().collect();
        let takes = payloads.iter().chain(&payloads).enumerate().map(|(number, (digest, payload))| {
            let (bench, digest, payload) = (Arc::clone(&bench), *digest, payload.clone());
            async move { bench.take_payload(round + number, digest, now(), &payload).await }
        });
        let mut whole = 0;
        for taken in at_once(takes).await {
            let when = "one of 20 tickets that begin alike, taken at once";
            whole += usize::from(must(PROMISE, when, &[Taken::Payload, Taken::Nothing], taken)? == Taken::Payload);
        }
        if whole != TICKETS {
            let expected = format!("each of {TICKETS} tickets that begin alike, once");
            let broken = if whole > TICKETS { Promise::OneTaker } else { PROMISE };
            return Err(Broken::new(broken, expected, format_args!("{whole} were taken whole")));
        }
    }
    Ok(())
}

/// Of several with shared claims, first one and then another has a digest that was put before.
pub(super) async fn first_put(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::FirstPut;
    let first = several(&bench, 3);
    answered(PROMISE, "a put of three tickets", bench.within(bench.node(0).put(first.clone())).await)?;
    for again in 0..2 {
        let mut second = several(&bench, 3);
        second.shared = b"another".to_vec();
        let known: Option<TicketDigest> = first.tickets.get(again).map(|(digest, _)| *digest);
        for (ticket, known) in second.tickets.iter_mut().skip(again).zip(known) {
            ticket.0 = known;
        }
        if let Err(failure @ (Failure::Silent(_) | Failure::Panicked)) = bench.within(bench.node(1).put(second)).await {
            return Err(Broken::new(PROMISE, "an answer to a put of three tickets, one of them known", failure));
        }
    }
    for (node, (digest, payload)) in first.payloads().enumerate() {
        let when = "a ticket of three, after some of their digests were put a second time with others";
        must(PROMISE, when, &[Taken::Payload], bench.take_payload(node, digest, now(), &payload).await)?;
        must(PROMISE, "the same once more", &[Taken::Nothing], bench.take(node, digest, now()).await)?;
    }
    Ok(())
}

/// One tenant gets the answer that the store is full.
pub(super) async fn room_for_another(bench: &Tickets) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::TenantsApart;
    let digest = bench.digest();
    let new = NewTickets::new("another tenant".into(), now(), now().plus(LONG)).with(digest, payload_of(digest));
    let when = "a put for a tenant that has no tickets, when the store is full for another one: it";
    answered(PROMISE, when, bench.within(bench.node(0).put(new)).await)?;
    must(PROMISE, "that tenant's ticket", &[Taken::Payload], bench.take(1, digest, now()).await).map(drop)
}

/// A look does not spend a ticket, and does not show a spent or ended one.
pub(super) async fn look_leaves(bench: Arc<Tickets>) -> Result<(), Broken> {
    const PROMISE: Promise = Promise::LookLeaves;
    let (digest, until) = (bench.digest(), now().plus(LONG));
    must(PROMISE, "a look at what nobody has put", &[Taken::Nothing], bench.look(0, digest, now()).await)?;
    answered(PROMISE, "put", bench.put(0, digest, payload_of(digest), until).await)?;
    for node in 0..3 {
        must(PROMISE, "a look at a live ticket", &[Taken::Payload], bench.look(node, digest, now()).await)?;
    }
    must(PROMISE, "a look at its last instant", &[Taken::Payload], bench.look(0, digest, until).await)?;
    let late = until.plus(Duration::from_millis(2));
    must(PROMISE, "a look 2 ms after its end", &[Taken::Nothing], bench.look(0, digest, late).await)?;
    must(PROMISE, "a ticket that was looked at", &[Taken::Payload], bench.take(1, digest, now()).await)?;
    must(PROMISE, "a look at what was taken", &[Taken::Nothing], bench.look(0, digest, now()).await).map(drop)
}
