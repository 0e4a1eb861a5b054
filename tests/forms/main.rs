//! What is special about each form. What all of them promise is tested in `tests/engine/contract.rs`.

mod explain;
mod fernet;
mod http_signature;
mod jwt;
mod jwt_public_key;
mod launches;
mod login_redirect;
mod oauth1;
mod origins;
mod places;
mod public_parameters;
mod returned_nonce;
mod sealed;
mod senders;
mod shared_secret;
mod signed_json;
mod signed_parameters;
mod signed_payload;
#[path = "../support/mod.rs"]
mod support;
mod ticket;
mod timestamp_hash;
mod tokens;
mod vectors;
mod webhook;
