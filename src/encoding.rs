//! Canonical base64 and hexadecimal: one spelling for each sequence of bytes, or an error.

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::query::hex_digit;

/// base64url without padding, trailing bits zero (RFC 4648, 3.5 and 5).
pub(crate) const BASE64URL: GeneralPurpose = strict(&URL_SAFE, DecodePaddingMode::RequireNone);

/// base64 with its padding, trailing bits zero (RFC 4648, 3.5 and 4).
pub(crate) const BASE64: GeneralPurpose = strict(&STANDARD, DecodePaddingMode::RequireCanonical);

const fn strict(alphabet: &Alphabet, padding: DecodePaddingMode) -> GeneralPurpose {
    let padded = matches!(padding, DecodePaddingMode::RequireCanonical);
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(padded)
        .with_decode_allow_trailing_bits(false)
        .with_decode_padding_mode(padding);
    GeneralPurpose::new(alphabet, config)
}

/// Decodes base64url whose padding is either all there or all absent.
pub(crate) fn decode_base64url(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    let owed = (4 - bare.len() % 4) % 4;
    if padding != 0 && padding != owed {
        return None;
    }
    BASE64URL.decode(bare).ok()
}

/// Decodes hexadecimal of either case.
pub(crate) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(hex_digit(*high)? << 4 | hex_digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_has_one_spelling_but_for_its_padding() {
        for (text, expected, why) in [
            ("AQ==", Some(&[1][..]), "padded"),
            ("AQ", Some(&[1]), "not padded"),
            ("AQ=", None, "half padded"),
            ("AQ===", None, "padded too much"),
            ("AQI=", Some(&[1, 2]), "padded"),
            ("AQID", Some(&[1, 2, 3]), "no padding owed"),
            ("AQID=", None, "no padding owed"),
            ("AQID====", None, "no padding owed"),
            ("AR", None, "trailing bits that are not zero"),
            ("A", None, "no whole byte"),
            ("+/8", None, "the other alphabet"),
            ("-_8", Some(&[0xfb, 0xff]), "this alphabet"),
            ("A Q", None, "a space"),
            ("AQ\n", None, "a line feed"),
            ("A=Q", None, "padding in the middle"),
            ("", Some(&[]), "nothing"),
        ] {
            assert_eq!(decode_base64url(text).as_deref(), expected, "{text:?}: {why}");
        }
    }

    #[test]
    fn hexadecimal() {
        for (text, expected) in
            [("00fF", Some(&[0, 255][..])), ("0", None), ("0g", None), ("é", None), ("+1", None), ("", Some(&[]))]
        {
            assert_eq!(decode_hex(text).as_deref(), expected, "{text:?}");
        }
    }
}
