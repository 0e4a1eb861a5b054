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
    BASE64URL.decode(without_padding(text)?).ok()
}

/// Decodes base64url without padding to the end of `decoded`. `None` if it is none; `decoded` then holds anything.
#[cfg(feature = "jwt")]
pub(crate) fn decode_base64url_onto(text: &[u8], decoded: &mut Vec<u8>) -> Option<()> {
    let start = decoded.len();
    decoded.resize(start + text.len() / 4 * 3 + (text.len() % 4).saturating_sub(1), 0);
    decode_base64url_into(text, decoded.get_mut(start..)?)
}

/// Decodes base64url without padding that fills `decoded`; its last byte's spare bits must be zero. `None` if it is
/// none; `decoded` then holds anything.
///
/// Four lookups for four characters, each of which tells a bad one by a bit that no good one has: the library, which
/// takes every alphabet and says what is wrong where, takes three times as long over a token.
#[cfg(any(feature = "jwt", feature = "fernet"))]
pub(crate) fn decode_base64url_into(text: &[u8], decoded: &mut [u8]) -> Option<()> {
    let ((fours, rest), (threes, last)) = (text.as_chunks::<4>(), decoded.as_chunks_mut::<3>());
    if fours.len() != threes.len() {
        return None;
    }
    let mut all = 0;
    for ([a, b, c, d], three) in fours.iter().zip(threes) {
        let bits = sextet(*a) << 18 | sextet(*b) << 12 | sextet(*c) << 6 | sextet(*d);
        all |= bits;
        let [_, bytes @ ..] = bits.to_be_bytes();
        *three = bytes;
    }
    // What is left of a byte or two after whole groups.
    let (bits, spare) = match (rest, last) {
        ([], []) => (0, 0),
        ([a, b], [first]) => {
            let bits = sextet(*a) << 18 | sextet(*b) << 12;
            [_, *first, _, _] = bits.to_be_bytes();
            (bits, 0xffff)
        }
        ([a, b, c], [first, second]) => {
            let bits = sextet(*a) << 18 | sextet(*b) << 12 | sextet(*c) << 6;
            [_, *first, *second, _] = bits.to_be_bytes();
            (bits, 0xff)
        }
        _ => return None,
    };
    (((all | bits) & BAD) == 0 && bits & spare == 0).then_some(())
}

/// What no six bits have in them, nor four times six in their places.
#[cfg(any(feature = "jwt", feature = "fernet"))]
const BAD: u32 = 0xff00_0000;

/// The six bits of a character of base64url; for any other one, what is [`BAD`] in each of the four places.
#[cfg(any(feature = "jwt", feature = "fernet"))]
fn sextet(character: u8) -> u32 {
    const NONE: u32 = 1 << 24 | 1 << 18 | 1 << 12 | 1 << 6;
    #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "run by the compiler")]
    static SEXTETS: [u32; 256] = {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (mut table, mut sextet) = ([NONE; 256], 0);
        while sextet < alphabet.len() {
            table[alphabet[sextet] as usize] = sextet as u32;
            sextet += 1;
        }
        table
    };
    SEXTETS.get(usize::from(character)).map_or(NONE, |sextet| *sextet)
}

fn without_padding(text: &str) -> Option<&str> {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    let owed = (4 - bare.len() % 4) % 4;
    (padding == 0 || padding == owed).then_some(bare)
}

/// Whether [`decode_base64url`] would decode it; then the text without its padding, and the length of what it spells.
///
/// Nothing is decoded, and whether a text passes does not depend on the order of what is looked at: each character is
/// compared with the alphabet, many at a time, and only the last one can have bits that are not zero and should be.
#[cfg(feature = "fernet")]
pub(crate) fn canonical_base64url(text: &str) -> Option<(&str, usize)> {
    let bare = without_padding(text)?;
    // What is moved to the lower end of the signed bytes is in its range if it is below its end: one comparison, not
    // two.
    let is_one_of = |byte: u8, first: u8, many: i8| byte.wrapping_add(128 - first).cast_signed() < i8::MIN + many;
    let is_in_alphabet =
        |byte: u8| is_one_of(byte | 0x20, b'a', 26) | is_one_of(byte, b'0', 10) | (byte == b'-') | (byte == b'_');
    // Without an early end, so that the compiler can compare many characters at once.
    if !bare.bytes().fold(true, |all, byte| all & is_in_alphabet(byte)) {
        return None;
    }
    let whole = bare.len() / 4 * 3;
    match bare.len() % 4 {
        0 => Some((bare, whole)),
        // What is left of a byte or two after whole groups: its own decoder knows best.
        rest @ (2 | 3) => {
            let last = bare.as_bytes().get(bare.len() - rest..)?;
            decode_base64url_into(last, [0; 2].get_mut(..rest - 1)?)?;
            Some((bare, whole + rest - 1))
        }
        _ => None,
    }
}

/// Escapes all but letters, digits, `-`, `.`, `_` and `~` (RFC 3986, 2.3), in upper case.
pub(crate) fn percent_encode(bytes: &[u8], encoded: &mut Vec<u8>) {
    escape(bytes, encoded, false);
}

/// As [`percent_encode`], as text.
#[cfg(any(feature = "oauth1", feature = "sign"))]
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = Vec::with_capacity(text.len() * 2);
    percent_encode(text.as_bytes(), &mut encoded);
    // It is nothing but ASCII.
    String::from_utf8(encoded).unwrap_or_default()
}

/// As [`percent_encode`], but a space becomes `+`: Python's `quote_plus`.
#[cfg(feature = "timestamp-hash")]
pub(crate) fn quote_plus(bytes: &[u8], quoted: &mut Vec<u8>) {
    escape(bytes, quoted, true);
}

fn escape(mut bytes: &[u8], escaped: &mut Vec<u8>, plus: bool) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' - 10 + nibble };
    while let Some(end) = bytes.iter().position(|byte| !is_unreserved(*byte)) {
        let (plain, rest) = bytes.split_at(end);
        escaped.extend_from_slice(plain);
        let Some((byte, rest)) = rest.split_first() else { break };
        match byte {
            b' ' if plus => escaped.push(b'+'),
            _ => escaped.extend([b'%', digit(byte >> 4), digit(byte & 15)]),
        }
        bytes = rest;
    }
    escaped.extend_from_slice(bytes);
}

pub(crate) fn is_unreserved(byte: u8) -> bool {
    #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "run by the compiler")]
    static UNRESERVED: [bool; 256] = {
        let (mut table, mut byte) = ([false; 256], 0);
        while byte < 256 {
            table[byte] = unreserved(byte as u8);
            byte += 1;
        }
        table
    };
    UNRESERVED.get(usize::from(byte)) == Some(&true)
}

/// RFC 3986, 2.3.
pub(crate) const fn unreserved(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    letter | digit | (byte == b'-') | (byte == b'.') | (byte == b'_') | (byte == b'~')
}

/// Whether a text is its own percent-encoding.
#[cfg(feature = "oauth1")]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    // Many characters at a time, as in `canonical_base64url`.
    text.chunks(64).all(|chunk| chunk.iter().fold(true, |all, byte| all & unreserved(*byte)))
}

/// Decodes hexadecimal of either case.
pub(crate) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    decode_hex_into(text, &mut bytes)?;
    Some(bytes)
}

/// Decodes hexadecimal of either case that fills `bytes`.
pub(crate) fn decode_hex_into(text: &str, bytes: &mut [u8]) -> Option<()> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != bytes.len() {
        return None;
    }
    for ([high, low], byte) in pairs.iter().zip(bytes) {
        *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "fernet")]
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
            let length = canonical_base64url(text).map(|(_, length)| length);
            assert_eq!(length, expected.map(<[u8]>::len), "{text:?}: {why}");
        }
    }

    #[test]
    #[cfg(any(feature = "jwt", feature = "fernet"))]
    fn lookups_decode_what_the_library_decodes() {
        let same = |text: &[u8]| {
            let library = BASE64URL.decode(text).ok();
            #[cfg(feature = "jwt")]
            {
                let mut ours = b"before".to_vec();
                let ours = decode_base64url_onto(text, &mut ours).map(|()| ours);
                let expected = library.as_ref().map(|library| [b"before", library.as_slice()].concat());
                assert_eq!(ours, expected, "{text:?}");
            }
            // As long as it takes, or a byte more or less, which it does not take.
            let length = text.len() / 4 * 3 + (text.len() % 4).saturating_sub(1);
            for length in length.saturating_sub(1)..=length + 1 {
                let mut ours = vec![0; length];
                let ours = decode_base64url_into(text, &mut ours).map(|()| ours);
                assert_eq!(ours, library.clone().filter(|library| library.len() == length), "{text:?}");
            }
        };
        // Every byte in every place of a group, and of what is left after one; then every text of up to two characters.
        for byte in 0..=255 {
            for length in 1..=11 {
                for place in 0..length {
                    let mut text = vec![b'A'; length];
                    text[place] = byte;
                    same(&text);
                }
            }
            same(&[byte]);
            (0..=255).for_each(|other| same(&[byte, other]));
        }
        // Every last character after two, and bits in all places.
        for last in 0..=255 {
            for middle in *b"AQgw_z-9" {
                same(&[b'x', middle, last]);
                same(&[b'_', b'-', middle, last, last, middle, last]);
            }
        }
        same(b"");
        same(b"AQ==");
        same(&URL_SAFE.as_str().repeat(9).into_bytes());
    }

    #[test]
    #[cfg(feature = "fernet")]
    fn what_is_canonical_is_what_decodes() {
        // Every byte that is one character, at the beginning, at the end and in the middle of a long text.
        for byte in 0..128_u8 {
            for before in [0, 1, 2, 3, 61, 64, 67, 200] {
                for after in [0, 1, 2, 3, 64] {
                    let text = format!("{}{}{}", "A".repeat(before), char::from(byte), "A".repeat(after));
                    let decoded = decode_base64url(&text);
                    let length = canonical_base64url(&text).map(|(_, length)| length);
                    assert_eq!(length, decoded.map(|bytes| bytes.len()), "{text}");
                }
            }
        }
        assert_eq!(canonical_base64url("AAAé"), None);
    }

    #[test]
    fn hexadecimal() {
        for (text, expected) in
            [("00fF", Some(&[0, 255][..])), ("0", None), ("0g", None), ("é", None), ("+1", None), ("", Some(&[]))]
        {
            assert_eq!(decode_hex(text).as_deref(), expected, "{text:?}");
            assert!(
                expected.is_none_or(|bytes| crate::hex::encode_hex(bytes) == text.to_ascii_lowercase()),
                "{text:?}"
            );
        }
    }
}
