//! The suite for stores: ours pass it, and each flaw is found by name.

mod replay;
mod tickets;
