//! The partner's side of every form: for tests, for partner kits, and for trying things out.
//!
//! A relying party does not need it to run. It has its own feature, so that no program contains credential-making code
//! by accident.
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
#[cfg(feature = "public-key")]
mod private_key;
#[cfg(feature = "timestamp-hash")]
mod timestamp_hash;
#[cfg(feature = "webhook")]
mod webhook;

#[cfg(feature = "fernet")]
pub use fernet::{FernetLink, generate_fernet_key};
#[cfg(feature = "jwt")]
pub use jwt::JwtSigner;
#[cfg(feature = "oauth1")]
pub use oauth1::OAuthLink;
#[cfg(feature = "timestamp-hash")]
pub use timestamp_hash::HashedLink;
#[cfg(feature = "webhook")]
pub use webhook::{SignedCall, SigningWebhook};

/// Why something could not be signed.
///
/// ```
/// use tower_sso::sign::SignError;
///
/// assert!(SignError::Key("is empty").to_string().contains("is empty"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key is invalid.
    #[error("the key {0}")]
    Key(&'static str),
    /// The address is invalid.
    #[error("the address {0}")]
    Address(&'static str),
    /// The claims cannot be written as JSON.
    #[error("the claims cannot be written as JSON: {0}")]
    Claims(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SignError {
    #[cfg(any(feature = "fernet", feature = "jwt"))]
    fn claims(error: serde_json::Error) -> Self {
        Self::Claims(error.into())
    }
}
