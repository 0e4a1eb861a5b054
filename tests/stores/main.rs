//! The stores in memory, and the suites that every store passes.

mod cached_keys;
mod dense;
mod keys;
mod memory;
#[path = "../support/rotations.rs"]
mod rotations;
mod suites;
#[path = "../support/mod.rs"]
mod support;
