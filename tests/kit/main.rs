//! The partner kit: what its pages say, and what its programs sign, is what the layers take.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod examples;
mod interpreters;
mod mechanisms;
mod pages;
mod programs;
mod public_keys;
mod settings;
mod signers;
#[path = "../support/mod.rs"]
mod support;
