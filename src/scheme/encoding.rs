use crate::mac::Tag;

/// What is wrong with the beginning of a MAC.
pub(crate) const CUT: &str = "is shorter than a MAC of this digest: its end was cut off, or it has another digest";

/// The encoding of a signature.
///
/// ```
/// use tower_sso::scheme::Encoding;
///
/// assert_ne!(Encoding::Hex, Encoding::Base64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal, of either case.
    Hex,
    /// Base64 with its padding (RFC 4648, 4), canonical.
    Base64,
    /// Base64 with `-` and `_` (RFC 4648, 5), canonical, with or without its padding.
    Base64Url,
    /// Base64, with its padding, of the hexadecimal text.
    Base64OfHex,
}

impl Encoding {
    /// Decodes a MAC of the digest's length, in bytes.
    pub(crate) fn tag(self, text: &str, length: usize) -> Result<Tag, &'static str> {
        let tag = match self {
            Self::Hex => Tag::from_hex(text, length),
            Self::Base64 => Tag::from_base64(text, length),
            Self::Base64OfHex => Tag::from_base64_of_hex(text, length),
            Self::Base64Url => Tag::from_base64url(text, length),
        };
        tag.ok_or_else(|| self.problem(text, length))
    }

    /// Why this is no MAC of the digest's length.
    pub(crate) fn problem(self, text: &str, bytes: usize) -> &'static str {
        let (whole, problem) = match self {
            Self::Hex => (2 * bytes, "is not hexadecimal of the digest's length"),
            Self::Base64 => ((4 * bytes).div_ceil(3), "is not canonical base64 of the digest's length"),
            Self::Base64OfHex => ((8 * bytes).div_ceil(3), "is not base64 of hexadecimal of the digest's length"),
            Self::Base64Url => ((4 * bytes).div_ceil(3), "is not canonical base64url of the digest's length"),
        };
        let is_cut = text.trim_end_matches('=').len() < whole && text.chars().all(|letter| self.may_have(letter));
        if is_cut { CUT } else { problem }
    }

    /// Decodes a signature that is not a MAC.
    #[cfg(feature = "public-key")]
    #[cfg_attr(
        not(any(feature = "webhook", feature = "signed-parameters", feature = "signed-payload")),
        allow(dead_code)
    )]
    pub(crate) fn decode(self, text: &str) -> Result<Vec<u8>, &'static str> {
        use crate::text::base64::{decode_base64, decode_base64url, without_padding};
        match self {
            Self::Hex => crate::text::hex::decode_hex(text).ok_or("is not hexadecimal"),
            Self::Base64 => decode_base64(text).ok_or("is not canonical base64"),
            Self::Base64Url => {
                let decoded = without_padding(text).and_then(decode_base64url);
                decoded.ok_or("is not canonical base64url")
            }
            Self::Base64OfHex => {
                let hex =
                    decode_base64(text).and_then(|hex| crate::text::hex::decode_hex(std::str::from_utf8(&hex).ok()?));
                hex.ok_or("is not base64 of hexadecimal")
            }
        }
    }

    /// Whether a signature may have this character.
    pub(crate) fn may_have(self, letter: char) -> bool {
        let other = match self {
            Self::Hex => return letter.is_ascii_hexdigit(),
            Self::Base64 | Self::Base64OfHex => "+/=",
            Self::Base64Url => "-_=",
        };
        letter.is_ascii_alphanumeric() || other.contains(letter)
    }

    /// Encodes a signature.
    #[cfg(feature = "sign")]
    pub(crate) fn encode(self, signature: &[u8]) -> String {
        use crate::text::base64::{encode_base64, encode_base64url};
        use crate::text::hex::encode_hex;
        match self {
            Self::Hex => encode_hex(signature),
            Self::Base64 => encode_base64(signature),
            Self::Base64OfHex => encode_base64(encode_hex(signature).as_bytes()),
            Self::Base64Url => encode_base64url(signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_as_senders_write_them() {
        use Encoding::{Base64, Base64OfHex, Base64Url, Hex};
        let mac = [0xfb; 20];
        for (encoding, text, is_right) in [
            (Hex, "fbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfb", true),
            (Hex, "FBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFBFB", true),
            (Hex, "fbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfb", false),
            (Base64, "+/v7+/v7+/v7+/v7+/v7+/v7+/s=", true),
            (Base64, "+/v7+/v7+/v7+/v7+/v7+/v7+/s", false),
            (Base64, "-_v7-_v7-_v7-_v7-_v7-_v7-_s=", false),
            (Base64Url, "-_v7-_v7-_v7-_v7-_v7-_v7-_s=", true),
            (Base64Url, "-_v7-_v7-_v7-_v7-_v7-_v7-_s", true),
            (Base64Url, "-_v7-_v7-_v7-_v7-_v7-_v7-_t", false),
            (Base64Url, "-_v7-_v7-_v7-_v7-_v7-_v7-_s==", false),
            (Base64Url, "+/v7+/v7+/v7+/v7+/v7+/v7+/s=", false),
            (Base64Url, "", false),
            (Base64OfHex, "ZmJmYmZiZmJmYmZiZmJmYmZiZmJmYmZiZmJmYmZiZmJmYmZiZmJmYg==", true),
            (Base64OfHex, "ZmJmYmZiZmJmYmZiZmJmYmZiZmJmYmZiZmJmYmZiZmJmYmZiZmJmYg", false),
            (Base64OfHex, "+/v7+/v7+/v7+/v7+/v7+/v7+/s=", false),
        ] {
            let tag = encoding.tag(text, 20);
            assert_eq!(tag.is_ok_and(|tag| tag[..] == mac), is_right, "{encoding:?} {text}");
        }
    }
}
