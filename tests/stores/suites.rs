//! The suites for stores: ours pass, and each flaw is found by name.

mod replay;
mod tickets;

use tower_sso::replay::MemoryReplay;
use tower_sso::testing;
use tower_sso::ticket::MemoryTickets;

/// A test harness may spawn it.
#[test]
fn a_suites_future_is_send() {
    fn is_send(_: impl Send) {}
    let (replay, tickets) = (MemoryReplay::new(), MemoryTickets::new());
    is_send(testing::replay_store(async move || replay.clone()).run());
    is_send(testing::ticket_store(async move || tickets.clone()).run());
}
