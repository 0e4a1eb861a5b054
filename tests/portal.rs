//! The portal as a partner and a browser meet it: the compiled example, over real HTTP.
//!
//! Cargo does not build an example for a test that is named alone: `scripts/test --test portal` does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[cfg(unix)]
#[path = "portal/busy.rs"]
mod busy;
#[path = "portal/configuration.rs"]
mod configuration;
#[cfg(unix)]
#[path = "portal/connections.rs"]
mod connections;
#[path = "portal/demo.rs"]
mod demo;
#[path = "portal/hostile.rs"]
mod hostile;
#[path = "portal/lcvista.rs"]
mod lcvista;
#[cfg(unix)]
#[path = "portal/log.rs"]
mod log;
#[cfg(unix)]
#[path = "portal/nodes.rs"]
mod nodes;
#[cfg(unix)]
#[path = "support/postgres.rs"]
mod postgres;
#[path = "portal/running.rs"]
mod running;
#[path = "portal/seatmap.rs"]
mod seatmap;
#[path = "portal/sign_in.rs"]
mod sign_in;
#[path = "portal/sign_up.rs"]
mod sign_up;
#[path = "portal/site_builder.rs"]
mod site_builder;
#[path = "portal/text.rs"]
mod text;
#[path = "portal/vendor_client.rs"]
mod vendor_client;
#[path = "portal/waggl.rs"]
mod waggl;
