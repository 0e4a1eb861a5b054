//! The compiled portal over real HTTP, as partners and browsers use it.
//!
//! Run it with `scripts/test --test portal`: `cargo test --test portal` does not build the example.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[cfg(unix)]
mod busy;
mod configuration;
#[cfg(unix)]
mod connections;
#[cfg(unix)]
mod dashboard;
mod demo;
mod explain;
mod hostile;
#[path = "../support/integrators/mod.rs"]
mod integrators;
mod kit;
mod lcvista;
#[cfg(unix)]
mod load;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod nodes;
#[cfg(unix)]
mod observability;
mod operators;
#[cfg(unix)]
#[path = "../support/postgres.rs"]
mod postgres;
#[cfg(unix)]
mod prometheus;
mod running;
mod seatmap;
mod sign_in;
mod sign_up;
mod site_builder;
mod text;
mod vendor_client;
mod waggl;
