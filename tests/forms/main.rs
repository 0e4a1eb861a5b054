//! What is special about each form, beyond the contract that all of them keep (`tests/engine/contract.rs`).

mod fernet;
mod jwt;
mod jwt_public_key;
mod login_redirect;
mod oauth1;
mod shared_secret;
#[path = "../support/mod.rs"]
mod support;
mod ticket;
mod timestamp_hash;
mod vectors;
mod webhook;
