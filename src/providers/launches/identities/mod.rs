//! What launches say, as far as their platforms document it. Without a field here, read the launch into a type of your
//! own.

#[cfg(feature = "oauth1")]
pub(super) mod oauth;
#[cfg(feature = "signed-parameters")]
pub(super) mod parameters;
#[cfg(any(feature = "sealed", feature = "signed-payload"))]
pub(super) mod payloads;
#[cfg(feature = "jwt-public-key")]
pub(super) mod public_tokens;
#[cfg(feature = "jwt")]
pub(super) mod tokens;
