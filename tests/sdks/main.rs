//! What the libraries of senders and platforms sign, sent to a real server. `scripts/test` installs the libraries.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod calls;
mod launches;
mod readme;
mod webhooks;
