//! The partner's side of every form: for tests, for partner kits, and for trying things out.
//!
//! A relying party does not need it to run. It has its own feature, so that no program contains credential-making code
//! by accident.
//!
//! [`VerifyLayer::signer`](crate::VerifyLayer::signer) signs what one layer takes: every name, algorithm and encoding
//! comes from the layer. The other types sign what they are told to, right or wrong.
//!
//! **In a test** the replay store is as young as the link, so its startup cutoff refuses links made in the store's
//! first second as `replayed`, reason `before_cutoff`. Build the test's store with
//! `MemoryReplay::builder().danger_no_startup_cutoff()`. To choose the time, give the layer a
//! [`ManualClock`](crate::clock::ManualClock) and the link the same time.

#[cfg(feature = "fernet")]
mod fernet;
#[cfg(feature = "jwt")]
mod jwt;
#[cfg(feature = "oauth1")]
mod oauth1;
mod signer;
#[cfg(feature = "timestamp-hash")]
mod timestamp_hash;
#[cfg(feature = "webhook")]
mod webhook;

pub use crate::steps::{SignError, Signs, Steps, Wanted};
#[cfg(feature = "fernet")]
pub use fernet::{FernetLink, generate_fernet_key};
#[cfg(feature = "jwt")]
pub use jwt::JwtSigner;
#[cfg(feature = "oauth1")]
pub use oauth1::OAuthLink;
pub use signer::Signer;
#[cfg(feature = "timestamp-hash")]
pub use timestamp_hash::HashedLink;
#[cfg(feature = "webhook")]
pub use webhook::{SignedCall, SigningWebhook};
