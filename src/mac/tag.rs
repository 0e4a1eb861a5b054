use subtle::{Choice, ConstantTimeEq};

/// A received MAC, decoded, without an allocation.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    bytes: [u8; Self::ROOM],
    length: usize,
}

impl Tag {
    /// The longest digest.
    const ROOM: usize = 64;

    /// At most [`Self::ROOM`] bytes.
    pub(super) fn from_bytes(mac: &[u8]) -> Self {
        let mut bytes = [0; Self::ROOM];
        let Some(room) = bytes.get_mut(..mac.len()) else { return Self { bytes, length: 0 } };
        room.copy_from_slice(mac);
        let length = mac.len();
        Self { bytes, length }
    }

    /// Decodes hexadecimal of either case, if it has the digest's length.
    pub(crate) fn from_hex(text: &str, length: usize) -> Option<Self> {
        let mut bytes = [0; Self::ROOM];
        crate::text::hex::decode_hex_into(text, bytes.get_mut(..length)?)?;
        Some(Self { bytes, length })
    }

    /// Decodes canonical base64url with or without its padding, if it has the digest's length.
    pub(crate) fn from_base64url(text: &str, length: usize) -> Option<Self> {
        use crate::text::base64::{decode_base64url_into, without_padding};
        let mut bytes = [0; Self::ROOM];
        decode_base64url_into(without_padding(text)?.as_bytes(), bytes.get_mut(..length)?)?;
        Some(Self { bytes, length })
    }

    /// Decodes canonical base64 of hexadecimal, if it has the digest's length.
    pub(crate) fn from_base64_of_hex(text: &str, length: usize) -> Option<Self> {
        // Two digits for each byte.
        let mut digits = [0; 2 * Self::ROOM];
        let digits = digits.get_mut(..2 * length)?;
        crate::text::base64::decode_base64_into(text, digits)?;
        Self::from_hex(std::str::from_utf8(digits).ok()?, length)
    }

    /// Decodes canonical base64 with its padding, if it has the digest's length.
    pub(crate) fn from_base64(text: &str, length: usize) -> Option<Self> {
        let mut bytes = [0; Self::ROOM];
        crate::text::base64::decode_base64_into(text, bytes.get_mut(..length)?)?;
        Some(Self { bytes, length })
    }
}

impl ConstantTimeEq for Tag {
    fn ct_eq(&self, other: &Self) -> Choice {
        // The lengths are those of digests, which are no secret.
        self[..].ct_eq(&other[..])
    }
}

impl std::ops::Deref for Tag {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
