//! Reading and writing text, one file for each spelling. Readers accept the canonical spelling alone.

pub(crate) mod base64;
#[cfg(feature = "webhook")]
pub(crate) mod crc32;
pub(crate) mod fields;
pub(crate) mod headers;
pub(crate) mod hex;
pub(crate) mod json;
pub(crate) mod name;
pub(crate) mod percent;
pub mod query;
pub(crate) mod strip;
pub(crate) mod timestamp;
