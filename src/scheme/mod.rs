//! The vocabulary in which partners' schemes are described. Each form's page says which of these it takes.
//!
//! | question | type |
//! |---|---|
//! | Where is a value? | [`Place`] |
//! | Where are signed pairs? | [`Source`] |
//! | With which digest is a signature made? | [`Digest`] |
//! | How is a signature encoded? | [`Encoding`] |
//! | With which public-key algorithm is it made? | [`PublicKeyAlgorithm`] |
//! | How does the partner's page show the secret? | [`SecretFormat`] |
//! | How is the key made of the secret? | [`KeyDerivation`] |
//! | How is a time written? | [`TimeFormat`], [`Stamp`] |
//! | Under which address does the partner sign? | [`Origin`] |

#[cfg(any(
    feature = "jwt",
    feature = "oauth1",
    feature = "sign",
    feature = "signed-parameters",
    feature = "signed-payload",
    feature = "timestamp-hash",
    feature = "webhook"
))]
pub(crate) mod encoding;
#[cfg(any(feature = "sealed", feature = "signed-payload"))]
mod fixed;
#[cfg(any(feature = "signed-parameters", feature = "signed-payload"))]
mod key_derivation;
#[cfg(any(feature = "signed-parameters", feature = "signed-payload", feature = "webhook"))]
mod key_kind;
#[cfg(all(
    feature = "explain",
    any(
        feature = "jwt",
        feature = "signed-parameters",
        feature = "signed-payload",
        feature = "timestamp-hash",
        feature = "webhook"
    )
))]
pub(crate) mod near;
mod origin;
#[allow(dead_code, reason = "each form asks for some of it")]
mod place;
#[cfg(any(feature = "jwt", feature = "fernet"))]
mod places;
#[cfg(feature = "public-key")]
pub(crate) mod public_key;
mod secret_format;
#[cfg(any(feature = "signed-parameters", feature = "signed-payload"))]
mod signature;
#[cfg(any(feature = "sealed", feature = "signed-parameters", feature = "signed-payload"))]
mod signed_time;
#[cfg(any(feature = "signed-parameters", feature = "timestamp-hash"))]
mod source;
#[cfg(any(
    feature = "sealed",
    feature = "sign",
    feature = "signed-parameters",
    feature = "signed-payload",
    feature = "webhook"
))]
mod time_format;

#[cfg(any(feature = "sealed", feature = "signed-payload"))]
pub(crate) use fixed::check_fixed;
#[cfg(any(feature = "signed-parameters", feature = "signed-payload"))]
pub use key_derivation::KeyDerivation;
#[cfg(all(feature = "sign", any(feature = "signed-parameters", feature = "signed-payload")))]
pub(crate) use key_derivation::Kind as DerivationKind;
#[cfg(any(feature = "signed-parameters", feature = "signed-payload", feature = "webhook"))]
pub(crate) use key_kind::{Given, KeyKind};
pub use origin::Origin;
#[cfg(all(feature = "sign", any(feature = "http-signature", feature = "oauth1", feature = "webhook")))]
pub(crate) use origin::base_uri_of;
#[cfg(feature = "sign")]
pub(crate) use place::Kind as PlaceKind;
pub use place::Place;
#[cfg(any(feature = "jwt", feature = "fernet"))]
pub(crate) use places::Places;
#[cfg(feature = "public-key")]
pub use public_key::PublicKeyAlgorithm;
pub use secret_format::SecretFormat;
#[cfg(any(feature = "signed-parameters", feature = "signed-payload"))]
pub(crate) use signature::Signature;
#[cfg(any(feature = "sealed", feature = "signed-parameters", feature = "signed-payload"))]
pub(crate) use signed_time::SignedTime;
#[cfg(feature = "signed-payload")]
pub use signed_time::Stamp;
#[cfg(any(feature = "signed-parameters", feature = "timestamp-hash"))]
pub use source::Source;
#[cfg(any(
    feature = "sealed",
    feature = "sign",
    feature = "signed-parameters",
    feature = "signed-payload",
    feature = "webhook"
))]
pub use time_format::TimeFormat;
#[cfg(any(
    feature = "jwt",
    feature = "oauth1",
    feature = "sign",
    feature = "signed-parameters",
    feature = "signed-payload",
    feature = "timestamp-hash",
    feature = "webhook"
))]
pub use {crate::mac::Digest, encoding::Encoding};
