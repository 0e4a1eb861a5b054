//! Canonical base64 (RFC 4648, 3.5): one spelling for each sequence of bytes, or an error.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, Encoding};

/// base64 with its padding (RFC 4648, 4).
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// base64url without padding (RFC 4648, 5).
pub(crate) fn encode_base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// base64url with its padding (RFC 4648, 5).
#[cfg(any(test, feature = "explain", feature = "kit"))]
pub(crate) fn encode_base64url_padded(bytes: &[u8]) -> String {
    data_encoding::BASE64URL.encode(bytes)
}

/// Appends base64url without padding.
#[cfg(any(test, feature = "sign"))]
pub(crate) fn encode_base64url_onto(bytes: &[u8], text: &mut String) {
    BASE64URL_NOPAD.encode_append(bytes, text);
}

/// Decodes base64 with its padding, trailing bits zero (RFC 4648, 3.5 and 4).
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    decode(&BASE64_NOPAD, without_required_padding(text)?)
}

/// Decodes base64 with its padding that fills `decoded`. Returns `None` on any other input; `decoded` is then
/// unspecified.
pub(crate) fn decode_base64_into(text: &str, decoded: &mut [u8]) -> Option<()> {
    decode_into(&BASE64_NOPAD, without_required_padding(text)?, decoded)
}

/// Decodes base64 with or without its padding, trailing bits zero (RFC 4648, 3.5 and 4).
pub(crate) fn decode_base64_padded_or_not(text: &str) -> Option<Vec<u8>> {
    decode(&BASE64_NOPAD, without_padding(text)?.as_bytes())
}

/// Decodes base64url without padding, trailing bits zero (RFC 4648, 3.5 and 5).
#[cfg(any(test, feature = "explain", feature = "public-key"))]
pub(crate) fn decode_base64url(text: &str) -> Option<Vec<u8>> {
    decode(&BASE64URL_NOPAD, text.as_bytes())
}

/// Decodes base64url without padding to the end of `decoded`. Returns `None` on invalid input; `decoded` is then
/// unspecified.
pub(crate) fn decode_base64url_onto(text: &[u8], decoded: &mut Vec<u8>) -> Option<()> {
    let start = decoded.len();
    decoded.resize(start + decoded_length(text)?, 0);
    decode_into(&BASE64URL_NOPAD, text, decoded.get_mut(start..)?)
}

/// Decodes base64url without padding that fills `decoded`. Returns `None` on any other input; `decoded` is then
/// unspecified.
pub(crate) fn decode_base64url_into(text: &[u8], decoded: &mut [u8]) -> Option<()> {
    decode_into(&BASE64URL_NOPAD, text, decoded)
}

fn decode(encoding: &Encoding, text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = vec![0; decoded_length(text)?];
    decode_into(encoding, text, &mut decoded).map(|()| decoded)
}

/// Fills `decoded`. The encoding is one without padding: with padding, the library also accepts encoded texts one after
/// another, such as `AQ==AQI=`.
fn decode_into(encoding: &Encoding, text: &[u8], decoded: &mut [u8]) -> Option<()> {
    super::decode_into(encoding, text, decoded_length(text)?, decoded)
}

/// How many bytes a text of this length encodes, with six bits a character. `None`: no whole number of bytes.
fn decoded_length(text: &[u8]) -> Option<usize> {
    let (fours, rest) = (text.len() / 4, text.len() % 4);
    (rest != 1).then_some(fours * 3 + rest * 3 / 4)
}

/// The text without its padding, if there is as much as there has to be.
fn without_required_padding(text: &str) -> Option<&[u8]> {
    if text.len().is_multiple_of(4) { without_padding(text).map(str::as_bytes) } else { None }
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
    use base64::Engine;
    use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};

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
            let as_text = std::str::from_utf8(text).ok();
            assert_eq!(as_text.and_then(decode_base64url), url, "{text:?}");
            assert_eq!(as_text.and_then(decode_base64), standard, "{text:?}");
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
                let mut into = vec![0; length];
                let into = as_text.and_then(|text| decode_base64_into(text, &mut into)).map(|()| into);
                assert_eq!(into, standard.clone().filter(|bytes| bytes.len() == length), "{text:?} into {length}");
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

    /// One decoder for each rule of padding.
    const PADDED: fn(&str) -> Option<Vec<u8>> = decode_base64;
    const PADDED_OR_NOT: fn(&str) -> Option<Vec<u8>> = decode_base64_padded_or_not;
    const UNPADDED: fn(&str) -> Option<Vec<u8>> = decode_base64url;

    #[test]
    fn padding_stands_at_the_end_once() {
        for (text, [padded, padded_or_not, unpadded], why) in [
            ("", [true, true, true], "nothing"),
            ("AQ==", [true, true, false], "one byte with its padding"),
            ("AQ", [false, true, true], "one byte without"),
            ("AQ=", [false, false, false], "half padded"),
            ("AQI=", [true, true, false], "two bytes with their padding"),
            ("AQI", [false, true, true], "two bytes without"),
            ("AQID", [true, true, true], "no padding owed"),
            ("AQID====", [false, false, false], "a group of padding"),
            ("AQ==AQI=", [false, false, false], "one text behind another"),
            ("AQ==AQ==", [false, false, false], "the same text twice"),
            ("AQI=AQI=", [false, false, false], "the same text twice"),
            ("AQ==AQID", [false, false, false], "padding of a text in front"),
            ("AQIDAQ==", [true, true, false], "padding of the last group"),
            ("AQ=A", [false, false, false], "padding in the middle"),
            ("A===", [false, false, false], "no whole byte"),
            ("=", [false, false, false], "padding of nothing"),
            ("==", [false, false, false], "padding of nothing"),
            ("====", [false, false, false], "padding of nothing"),
            ("AR==", [false, false, false], "trailing bits that are not zero"),
            ("AR", [false, false, false], "trailing bits that are not zero"),
            ("AQJ=", [false, false, false], "trailing bits that are not zero"),
            ("AQ==\n", [false, false, false], "a line feed at the end"),
            ("AQ\n==", [false, false, false], "a line feed in front of the padding"),
            ("AQ\n", [false, false, false], "a line feed"),
            ("AQI\n", [false, false, false], "a line feed as a whole group's end"),
            ("A Q=", [false, false, false], "a space"),
            ("AQ= =", [false, false, false], "a space in the padding"),
            (" AQ==", [false, false, false], "a space in front"),
        ] {
            assert_eq!(PADDED(text).is_some(), padded, "padded: {text:?}: {why}");
            assert_eq!(PADDED_OR_NOT(text).is_some(), padded_or_not, "padded or not: {text:?}: {why}");
            assert_eq!(UNPADDED(text).is_some(), unpadded, "unpadded: {text:?}: {why}");
        }
    }

    /// Another library's decoder, as strict.
    const fn strict(alphabet: &Alphabet, padding: DecodePaddingMode) -> GeneralPurpose {
        let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(false);
        GeneralPurpose::new(alphabet, config.with_decode_padding_mode(padding))
    }

    /// All texts of these characters up to a length.
    fn texts(characters: &[u8], longest: u32) -> impl Iterator<Item = String> {
        (0..=longest).flat_map(move |length| {
            (0..characters.len().pow(length)).map(move |number| {
                let place = |place| char::from(characters[number / characters.len().pow(place) % characters.len()]);
                (0..length).map(place).collect()
            })
        })
    }

    #[test]
    fn short_texts_are_decoded_as_another_library_does() {
        use DecodePaddingMode::{RequireCanonical, RequireNone};
        let [padded, unpadded, url] =
            [strict(&STANDARD, RequireCanonical), strict(&STANDARD, RequireNone), strict(&URL_SAFE, RequireNone)];
        let mut accepted = 0;
        // `R` and `J` have bits that `Q` and `I` have not.
        for text in texts(b"AQI=", 8).chain(texts(b"AQRJ+_= \n", 5)) {
            let with_padding = padded.decode(&text).ok();
            let either = with_padding.clone().or_else(|| unpadded.decode(&text).ok());
            let without = url.decode(&text).ok();
            accepted += usize::from(either.is_some() || without.is_some());
            if let Some(bytes) = &with_padding {
                let mut filled = vec![0; bytes.len()];
                assert_eq!(decode_base64_into(&text, &mut filled).map(|()| &filled), Some(bytes), "{text:?}");
            }
            assert_eq!(PADDED(&text), with_padding, "padded: {text:?}");
            assert_eq!(PADDED_OR_NOT(&text), either, "padded or not: {text:?}");
            assert_eq!(UNPADDED(&text), without, "unpadded: {text:?}");
        }
        assert!(accepted > 10_000, "{accepted}");
    }

    #[test]
    fn bytes_are_encoded_as_another_library_does() {
        // Every byte, in every place of a group.
        let all: Vec<u8> = (0..=255).chain(0..=255).chain(0..=255).chain([0]).collect();
        for bytes in (0..=all.len()).flat_map(|end| [&all[..end], &all[end..]]) {
            assert_eq!(encode_base64(bytes), BASE64_STANDARD.encode(bytes));
            assert_eq!(encode_base64url(bytes), BASE64_URL_SAFE_NO_PAD.encode(bytes));
            assert_eq!(encode_base64url_padded(bytes), BASE64_URL_SAFE.encode(bytes));
            let mut text = "before".to_owned();
            encode_base64url_onto(bytes, &mut text);
            assert_eq!(text, format!("before{}", encode_base64url(bytes)));
            assert_eq!(PADDED(&encode_base64(bytes)).as_deref(), Some(bytes));
            assert_eq!(UNPADDED(&encode_base64url(bytes)).as_deref(), Some(bytes));
        }
    }
}
