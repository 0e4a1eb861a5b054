//! Seconds since the epoch in digits, in one spelling: no sign, no leading zero, no exponent.

use std::time::Duration;

use crate::clock::UnixTime;

/// Whole seconds.
pub(crate) fn parse_seconds(text: &str) -> Option<UnixTime> {
    whole(text).map(UnixTime::from_secs)
}

/// Seconds, perhaps with a point and one to nine digits behind it.
pub(crate) fn parse_with_fraction(text: &str) -> Option<UnixTime> {
    let Some((seconds, fraction)) = text.split_once('.') else { return parse_seconds(text) };
    if !is_digits(fraction) {
        return None;
    }
    // Nine digits are nanoseconds; those that are not written are zeros.
    let missing = 9_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let nanos = fraction.parse::<u64>().ok()? * 10_u64.pow(missing);
    Some(parse_seconds(seconds)?.plus(Duration::from_nanos(nanos)))
}

fn whole(text: &str) -> Option<u64> {
    let has_one_spelling = is_digits(text) && (text == "0" || !text.starts_with('0'));
    has_one_spelling.then(|| text.parse().ok()).flatten()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_one_spelling() {
        for (text, expected) in [
            ("1700000000", Some(1_700_000_000_000_000_000)),
            ("1700000000.0", Some(1_700_000_000_000_000_000)),
            ("1700000000.5", Some(1_700_000_000_500_000_000)),
            ("1700000000.123456", Some(1_700_000_000_123_456_000)),
            ("1700000000.123456789", Some(1_700_000_000_123_456_789)),
            ("0.5", Some(500_000_000)),
            ("0", Some(0)),
            ("18446744073709551615", Some(i64::MAX)),
            ("18446744073709551616", None),
            ("1700000000.1234567890", None),
            ("1700000000.", None),
            (".5", None),
            ("01700000000", None),
            ("00", None),
            ("+1700000000", None),
            ("-1", None),
            ("1.7e9", None),
            ("1700000000,5", None),
            ("1700000000x", None),
            ("nan", None),
            ("inf", None),
            ("", None),
            (" 1", None),
            ("1.5.5", None),
            ("١٧٠٠", None),
        ] {
            assert_eq!(parse_with_fraction(text).map(UnixTime::as_nanos), expected, "{text:?}");
            let whole = expected.filter(|_| !text.contains('.'));
            assert_eq!(parse_seconds(text).map(UnixTime::as_nanos), whole, "{text:?}");
        }
    }

    #[test]
    fn short_texts_pass_if_they_are_how_a_number_is_written() {
        let characters = ['0', '1', '9', '.', '-', '+', 'e', ' ', '_', '٣'];
        let mut texts = vec![String::new()];
        for from in 0..1_111 {
            let text = texts[from].clone();
            texts.extend(characters.iter().map(|next| format!("{text}{next}")));
        }
        for text in texts {
            let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
            assert_eq!(parse_seconds(&text), number.map(UnixTime::from_secs), "{text:?}");
        }
    }
}
