//! The suite for stores: ours pass it, and each flaw is found by name.
#![cfg(all(feature = "moka", feature = "testing", feature = "ticket"))]

#[path = "stores/replay.rs"]
mod replay;
#[path = "stores/tickets.rs"]
mod tickets;
