//! Canonical base64 (RFC 4648, 3.5): one spelling for each sequence of bytes, or an error.

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// base64url without padding, trailing bits zero (RFC 4648, 3.5 and 5).
pub(crate) const BASE64URL: GeneralPurpose = strict(&URL_SAFE, DecodePaddingMode::RequireNone);

/// base64 with its padding, trailing bits zero (RFC 4648, 3.5 and 4).
pub(crate) const BASE64: GeneralPurpose = strict(&STANDARD, DecodePaddingMode::RequireCanonical);

const BASE64_UNPADDED: GeneralPurpose = strict(&STANDARD, DecodePaddingMode::RequireNone);

const fn strict(alphabet: &Alphabet, padding: DecodePaddingMode) -> GeneralPurpose {
    let padded = matches!(padding, DecodePaddingMode::RequireCanonical);
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(padded)
        .with_decode_allow_trailing_bits(false)
        .with_decode_padding_mode(padding);
    GeneralPurpose::new(alphabet, config)
}

/// Decodes base64 with or without its padding, trailing bits zero (RFC 4648, 3.5 and 4).
pub(crate) fn decode_base64_padded_or_not(text: &str) -> Option<Vec<u8>> {
    BASE64_UNPADDED.decode(without_padding(text)?).ok()
}

/// Decodes base64url without padding to the end of `decoded`. Returns `None` on invalid input; `decoded` is then
/// unspecified.
pub(crate) fn decode_base64url_onto(text: &[u8], decoded: &mut Vec<u8>) -> Option<()> {
    BASE64URL.decode_vec(text, decoded).ok()
}

/// Decodes base64url without padding that fills `decoded`. Returns `None` on any other input; `decoded` is then
/// unspecified.
pub(crate) fn decode_base64url_into(text: &[u8], decoded: &mut [u8]) -> Option<()> {
    (BASE64URL.decode_slice(text, decoded).ok()? == decoded.len()).then_some(())
}

/// Whether all characters are of base64url's alphabet. Says nothing of how many there are, or of the last one's bits.
#[cfg(feature = "fernet")]
pub(crate) fn is_base64url(text: &[u8]) -> bool {
    // Without an early end, so that the compiler can compare many characters at once.
    text.iter().fold(true, |all, byte| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit = byte.wrapping_sub(b'0') < 10;
        all & (letter | digit | (*byte == b'-') | (*byte == b'_'))
    })
}

/// The text without its padding, which is either all there or all absent.
pub(crate) fn without_padding(text: &str) -> Option<&str> {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    let owed = (4 - bare.len() % 4) % 4;
    (padding == 0 || padding == owed).then_some(bare)
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
            let decoded = without_padding(text).and_then(|bare| {
                let mut decoded = vec![0; bare.len() * 3 / 4];
                decode_base64url_into(bare.as_bytes(), &mut decoded).map(|()| decoded)
            });
            assert_eq!(decoded.as_deref(), expected, "{text:?}: {why}");
        }
    }

    #[cfg(feature = "fernet")]
    #[test]
    fn each_character_of_the_alphabet_is_known() {
        for byte in 0..=255 {
            let expected = ALPHABET.contains(&byte) || b"-_".contains(&byte);
            for place in 0..40 {
                let mut text = [b'A'; 40];
                text[place] = byte;
                assert_eq!(is_base64url(&text), expected, "{byte} at {place}");
            }
        }
    }

    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// RFC 4648, 3.5: whole groups of four characters; behind them two or three, whose spare bits are zero. There is
    /// padding only where a group is not whole, and then all of it.
    fn by_the_book(text: &[u8], last_two: [u8; 2], padded: bool) -> Option<Vec<u8>> {
        let bare = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).filter(|_| padded).unwrap_or(text);
        let sextet = |byte: &u8| ALPHABET.iter().chain(&last_two).position(|known| known == byte);
        let sextets: Vec<usize> = bare.iter().map(sextet).collect::<Option<_>>()?;
        let padding = [0, 3, 2, 1][bare.len() % 4];
        if padding == 3 || text.len() - bare.len() != if padded { padding } else { 0 } {
            return None;
        }
        let mut bytes = Vec::new();
        for group in sextets.chunks(4) {
            let bits = (0..4).fold(0, |bits, place| bits << 6 | group.get(place).unwrap_or(&0));
            let [.., first, second, third] = bits.to_be_bytes();
            let three = [first, second, third];
            let (taken, spare) = three.split_at(group.len() - 1);
            if spare.iter().any(|byte| *byte != 0) {
                return None;
            }
            bytes.extend(taken);
        }
        Some(bytes)
    }

    #[test]
    fn short_texts_are_decoded_as_the_book_says() {
        let same = |text: &[u8]| {
            let (url, standard) = (by_the_book(text, *b"-_", false), by_the_book(text, *b"+/", true));
            assert_eq!(BASE64URL.decode(text).ok(), url, "{text:?}");
            assert_eq!(BASE64.decode(text).ok(), standard, "{text:?}");
            {
                let mut onto = b"before".to_vec();
                let onto = decode_base64url_onto(text, &mut onto).map(|()| onto);
                assert_eq!(onto, url.as_ref().map(|bytes| [b"before", bytes.as_slice()].concat()), "{text:?}");
            }
            // As long as it takes, or a byte more or less, which it does not take.
            for length in (text.len() * 3 / 4).saturating_sub(1)..=text.len() * 3 / 4 + 1 {
                let mut into = vec![0; length];
                let into = decode_base64url_into(text, &mut into).map(|()| into);
                assert_eq!(into, url.clone().filter(|bytes| bytes.len() == length), "{text:?} into {length}");
            }
        };
        // Every byte in every place of a group, and of what is left after one; then every text of up to two bytes.
        for byte in 0..=255 {
            for length in 1..=11 {
                for place in 0..length {
                    let mut text = vec![b'A'; length];
                    text[place] = byte;
                    same(&text);
                }
            }
            (0..=255).for_each(|other| same(&[byte, other]));
        }
        // Every end of a group of three and of four characters, with both alphabets, padding and what is in neither.
        let ends = [&ALPHABET[..], b"-_+/= \n.\0\xff"].concat();
        for last in &ends {
            for before in &ends {
                same(&[b'Q', *before, *last]);
                same(&[b'Q', b'g', *before, *last]);
                same(&[b'Q', b'g', b'E', b'x', b'Q', b'w', *before, *last]);
            }
        }
        for text in
            ["", "=", "==", "===", "====", "QQ===", "QQ====", "QUI==", "QUJD=", "QUJD====", "QQ==QQ==", "QUI=QQ=="]
        {
            same(text.as_bytes());
        }
        same(&[&ALPHABET[..], b"-_"].concat().repeat(9));
    }
}
