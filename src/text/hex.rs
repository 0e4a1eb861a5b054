//! Hexadecimal (RFC 4648, 8).

use data_encoding::HEXLOWER_PERMISSIVE;

/// Lower-case hexadecimal.
pub(crate) fn encode_hex(bytes: &[u8]) -> String {
    HEXLOWER_PERMISSIVE.encode(bytes)
}

/// Decodes hexadecimal of either case.
pub(crate) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    decode_hex_into(text, &mut bytes).map(|()| bytes)
}

/// Decodes hexadecimal of either case that fills `bytes`. Returns `None` on any other input; `bytes` is then
/// unspecified.
pub(crate) fn decode_hex_into(text: &str, bytes: &mut [u8]) -> Option<()> {
    let length = text.len().is_multiple_of(2).then_some(text.len() / 2)?;
    super::decode_into(&HEXLOWER_PERMISSIVE, text.as_bytes(), length, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal() {
        for (text, expected) in
            [("00fF", Some(&[0, 255][..])), ("0", None), ("0g", None), ("é", None), ("+1", None), ("", Some(&[]))]
        {
            assert_eq!(decode_hex(text).as_deref(), expected, "{text:?}");
            assert!(expected.is_none_or(|bytes| encode_hex(bytes) == text.to_ascii_lowercase()), "{text:?}");
        }
    }

    /// Two digits a byte, and nothing else: no prefix, no sign, no white space.
    fn by_the_book(text: &str) -> Option<Vec<u8>> {
        let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
        let (pairs, []) = digits.as_chunks::<2>() else { return None };
        pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect()
    }

    #[test]
    fn short_texts_are_decoded_as_the_book_says() {
        let mut count = 0;
        let mut same = |text: &str| {
            let expected = by_the_book(text);
            assert_eq!(decode_hex(text), expected, "{text:?}");
            // As long as it takes, or a byte more or less, which it does not take.
            let length = text.len() / 2;
            for length in length.saturating_sub(1)..=length + 1 {
                let mut bytes = vec![0; length];
                let filled = decode_hex_into(text, &mut bytes).map(|()| bytes);
                assert_eq!(filled, expected.clone().filter(|bytes| bytes.len() == length), "{text:?} into {length}");
            }
            count += usize::from(expected.is_some());
        };
        // Every pair of characters of one byte or two; then what could pass for a prefix, a sign or a space in front.
        for high in '\0'..='\u{ff}' {
            same(&high.to_string());
            for low in '\0'..='\u{ff}' {
                same(&format!("{high}{low}"));
                same(&format!("{high}{low}0"));
                same(&format!("a{high}{low}F"));
            }
        }
        for text in ["0x00", "0X00", "\\x00", "00 ", " 00", "00\n", "00:00", "0_0_", "00h", "#000000", "00h0"] {
            same(text);
        }
        assert_eq!(count, 2 * 22 * 22, "22 characters are digits");
    }
}
