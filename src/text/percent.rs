//! Percent-encoding (RFC 3986, 2.1), and form data, in which a space is a `+`.

use std::borrow::Cow;

use memchr::memchr3;
use percent_encoding::percent_encode_byte;

/// Escapes all but letters, digits, `-`, `.`, `_` and `~` (RFC 3986, 2.3), in upper case.
pub(crate) fn percent_encode(bytes: &[u8], encoded: &mut Vec<u8>) {
    encode(bytes, "%20", b"", encoded);
}

/// As [`percent_encode`], as text.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = Vec::with_capacity(text.len() * 2);
    percent_encode(text.as_bytes(), &mut encoded);
    // What is escaped is ASCII.
    String::from_utf8(encoded).unwrap_or_default()
}

/// As [`percent_encode`], but a space becomes `+`: Python's `quote_plus`.
pub(crate) fn quote_plus(bytes: &[u8], quoted: &mut Vec<u8>) {
    encode(bytes, "+", b"", quoted);
}

/// How libraries write the characters `!~*'()`, which some escape and some do not.
#[cfg(feature = "signed-parameters")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// All but `~` are escaped (RFC 3986, 2.3).
    Rfc3986,
    /// All but `*`, as in form data (WHATWG URL, 5.2): JavaScript's `URLSearchParams`, Java, Ruby.
    Form,
    /// None: JavaScript's `encodeURIComponent`.
    Component,
}

#[cfg(feature = "signed-parameters")]
impl Spelling {
    /// Whether this text has more than one spelling.
    pub(crate) fn differs_for(text: &str) -> bool {
        text.bytes().any(|byte| matches!(byte, b'!' | b'~' | b'*' | b'\'' | b'(' | b')'))
    }

    /// Escapes a text, in upper case, and a space as `space`.
    pub(crate) fn encode(self, text: &str, space: &str, encoded: &mut Vec<u8>) {
        let bare: &[u8] = match self {
            Self::Rfc3986 => b"",
            Self::Form => b"*",
            Self::Component => b"!*'()",
        };
        for (n, part) in text.split(|letter| self == Self::Form && letter == '~').enumerate() {
            if n > 0 {
                encoded.extend_from_slice(b"%7E");
            }
            encode(part.as_bytes(), space, bare, encoded);
        }
    }
}

/// Escapes all but unreserved characters and `bare` ones. By hand, in runs of plain characters: the iterator of
/// `percent-encoding` looks at each character, which every hash and base string would pay for.
fn encode(mut bytes: &[u8], space: &str, bare: &[u8], encoded: &mut Vec<u8>) {
    loop {
        let (plain, rest) = bytes.split_at_checked(plain_run(bytes)).unwrap_or((bytes, &[]));
        encoded.extend_from_slice(plain);
        let Some((special, rest)) = rest.split_first() else { return };
        match special {
            b' ' => encoded.extend_from_slice(space.as_bytes()),
            byte if bare.contains(byte) => encoded.push(*byte),
            byte => encoded.extend_from_slice(percent_encode_byte(*byte).as_bytes()),
        }
        bytes = rest;
    }
}

/// Whether this byte is its own percent-encoding (RFC 3986, 2.3).
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    letter | digit | (byte == b'-') | (byte == b'.') | (byte == b'_') | (byte == b'~')
}

/// Whether a text is its own percent-encoding.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    // Without an early end inside a chunk, so that the compiler can compare many characters at once.
    text.chunks(64).all(|chunk| chunk.iter().fold(true, |all, byte| all & is_unreserved(*byte)))
}

/// The number of characters before the first that is not plain.
pub(crate) fn plain_run(text: &[u8]) -> usize {
    // Short texts go character by character, long ones many at a time.
    const SHORT: usize = 32;
    const MANY: usize = 64;
    let is_special = |byte: &u8| kind::of(*byte) != 0;
    let near = text.get(..SHORT).unwrap_or(text);
    let (fours, _) = near.as_chunks::<4>();
    let plain_fours =
        fours.iter().take_while(|[a, b, c, d]| kind::of(*a) | kind::of(*b) | kind::of(*c) | kind::of(*d) == 0);
    let before = plain_fours.count() * 4;
    if let Some(special) = near.get(before..).and_then(|rest| rest.iter().position(is_special)) {
        return before + special;
    }
    let far = text.get(near.len()..).unwrap_or_default();
    let many = far.chunks_exact(MANY).take_while(|chunk| is_plain(chunk)).count() * MANY;
    let last = far.get(many..).unwrap_or_default();
    near.len() + many + last.iter().position(is_special).unwrap_or(last.len())
}

/// The class of a character in form data. Zero means that it is its own percent-encoding.
pub(crate) mod kind {
    pub(crate) const AMPERSAND: u8 = 1;
    pub(crate) const EQUALS: u8 = 2;
    const OTHER: u8 = 4;

    pub(crate) fn of(byte: u8) -> u8 {
        #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "run by the compiler")]
        static KINDS: [u8; 256] = {
            let (mut table, mut byte) = ([OTHER; 256], 0);
            while byte < 256 {
                if super::is_unreserved(byte as u8) {
                    table[byte] = 0;
                }
                byte += 1;
            }
            table[b'&' as usize] = AMPERSAND;
            table[b'=' as usize] = EQUALS;
            table
        };
        KINDS.get(usize::from(byte)).map_or(OTHER, |kind| *kind)
    }
}

// Decoding is by hand: `percent-encoding` and `form_urlencoded` take a bad escape for text.

/// Decodes form data: percent escapes, and `+` for a space. Says what is wrong where one is bad, or where the bytes are
/// no text.
pub(crate) fn decode_form(raw: &str) -> Result<Cow<'_, str>, &'static str> {
    if first_special(raw.as_bytes()).is_none() {
        return Ok(raw.into());
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some(special) = first_special(rest) {
        let (plain, from) = rest.split_at_checked(special).unwrap_or((rest, &[]));
        let (byte, length) = unescape(from)?;
        decoded.extend_from_slice(plain);
        decoded.push(byte);
        rest = from.get(length..).unwrap_or_default();
    }
    decoded.extend_from_slice(rest);
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| "is not UTF-8")
}

/// Decodes percent escapes alone, as strictly: a `+` is itself.
pub(crate) fn decode_escapes(raw: &str) -> Result<Cow<'_, str>, &'static str> {
    if raw.contains('+') {
        decode_form(&raw.replace('+', "%2B")).map(|text| text.into_owned().into())
    } else {
        decode_form(raw)
    }
}

/// What is not itself in form data, from here on: the byte that it stands for, and how long it is.
pub(crate) fn unescape(from: &[u8]) -> Result<(u8, usize), &'static str> {
    match from {
        [b'+', ..] => Ok((b' ', 1)),
        [b'%', high, low, ..] => match (hex_digit(*high), hex_digit(*low)) {
            (Some(0), Some(0)) => Err("holds a NUL"),
            (Some(high), Some(low)) => Ok((high << 4 | low, 3)),
            _ => Err("has a bad percent escape"),
        },
        [b'%', ..] => Err("has a bad percent escape"),
        _ => Err("holds a NUL"),
    }
}

fn first_special(text: &[u8]) -> Option<usize> {
    // Most texts are short, and end before a search for many characters at once has begun.
    const SHORT: usize = 16;
    let (near, far) = text.split_at_checked(SHORT).unwrap_or((text, &[]));
    let special = near.iter().position(|byte| matches!(byte, b'%' | b'+' | 0));
    special.or_else(|| Some(near.len() + memchr3(b'%', b'+', 0, far)?))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3986, 2.1 to 2.3.
    fn by_the_book(bytes: &[u8], space: &str) -> String {
        let written = |byte: &u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
            b' ' => space.to_owned(),
            byte => format!("%{byte:02X}"),
        };
        bytes.iter().map(written).collect()
    }

    #[test]
    fn short_texts_are_encoded_as_the_book_says() {
        let same = |bytes: &[u8]| {
            let mut encoded = b" before".to_vec();
            percent_encode(bytes, &mut encoded);
            assert_eq!(encoded, [b" before", by_the_book(bytes, "%20").as_bytes()].concat(), "{bytes:?}");
            if let Ok(text) = std::str::from_utf8(bytes) {
                assert_eq!(percent_encoded(text), by_the_book(bytes, "%20"), "{text:?}");
            }
            let mut quoted = b" before".to_vec();
            quote_plus(bytes, &mut quoted);
            assert_eq!(quoted, [b" before", by_the_book(bytes, "+").as_bytes()].concat(), "{bytes:?}");
            assert_eq!(is_plain(bytes), by_the_book(bytes, "%20").as_bytes() == bytes, "{bytes:?}");
        };
        same(b"");
        for byte in 0..=255 {
            same(&[byte]);
            (0..=255).for_each(|other| same(&[byte, other]));
        }
        same("a é+%~ ".repeat(40).as_bytes());
    }

    #[test]
    #[cfg(feature = "signed-parameters")]
    fn libraries_differ_in_six_characters() {
        for (spelling, expected) in [
            (Spelling::Rfc3986, "a%21~%2A%27%28%29%25%20b~"),
            (Spelling::Form, "a%21%7E*%27%28%29%25%20b%7E"),
            (Spelling::Component, "a!~*'()%25%20b~"),
        ] {
            let mut encoded = Vec::new();
            spelling.encode("a!~*'()% b~", "%20", &mut encoded);
            assert_eq!(std::str::from_utf8(&encoded), Ok(expected), "{spelling:?}");
        }
        for byte in 0..128_u8 {
            let text = char::from(byte).to_string();
            let written = [Spelling::Rfc3986, Spelling::Form, Spelling::Component].map(|spelling| {
                let mut encoded = Vec::new();
                spelling.encode(&text, "+", &mut encoded);
                encoded
            });
            assert_eq!(written.iter().any(|other| *other != written[0]), Spelling::differs_for(&text), "{text:?}");
        }
    }

    #[test]
    fn an_escape_is_two_digits_of_either_case() {
        for high in 0..128_u8 {
            for low in 0..128_u8 {
                let text = format!("%{}{}", char::from(high), char::from(low));
                let expected = match u8::from_str_radix(&text[1..], 16) {
                    _ if !high.is_ascii_hexdigit() || !low.is_ascii_hexdigit() => Err("has a bad percent escape"),
                    Ok(0) => Err("holds a NUL"),
                    Ok(byte @ 1..128) => Ok(char::from(byte).to_string()),
                    _ => Err("is not UTF-8"),
                };
                assert_eq!(decode_form(&text).map(Cow::into_owned), expected, "{text:?}");
                assert_eq!(decode_escapes(&text).map(Cow::into_owned), expected, "{text:?}");
            }
        }
        assert_eq!(decode_form("%Cé"), Err("has a bad percent escape"));
        assert_eq!(decode_form("a+b%2B").as_deref(), Ok("a b+"));
        assert_eq!(decode_escapes("a+b%2B").as_deref(), Ok("a+b+"));
    }
}
