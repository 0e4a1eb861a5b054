//! Ready-made partners: typed claims, and a layer configured to match the partner's own code.
//!
//! Nothing is verified here: a provider only configures a form.

pub mod launches;
#[cfg(feature = "timestamp-hash")]
pub mod lcvista;
#[cfg(feature = "shared-secret")]
pub mod seatmap;
#[cfg(feature = "oauth1")]
pub mod site_builder;
#[cfg(feature = "fernet")]
pub mod tutorcruncher;
#[cfg(feature = "jwt")]
pub mod waggl;
#[cfg(feature = "webhook")]
pub mod webhooks;
