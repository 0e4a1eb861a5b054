//! Reading and writing text, one file for each spelling. Readers accept the canonical spelling alone.

pub(crate) mod base64;
#[allow(dead_code, reason = "only some forms read cookies")]
pub(crate) mod cookies;
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

/// Fills `decoded` with a text that encodes so many bytes. Returns `None` on any other input; `decoded` is then
/// unspecified.
fn decode_into(encoding: &data_encoding::Encoding, text: &[u8], length: usize, decoded: &mut [u8]) -> Option<()> {
    // `decode_mut` panics if there is room for more or for less, and above this, which is half a gibibyte where
    // addresses have 32 bits.
    const LONGEST: usize = usize::MAX / 8;
    if text.len() > LONGEST || decoded.len() != length {
        return None;
    }
    encoding.decode_mut(text, decoded).is_ok().then_some(())
}
