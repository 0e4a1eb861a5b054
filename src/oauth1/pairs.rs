//! Reads, decodes and encodes names and values.

use std::ops::Range;

use crate::text::percent::{is_plain, is_unreserved, kind, percent_encoded, plain_run, unescape};

/// How many parameters a request may have. They are encoded and sorted before the signature is checked.
const MOST: usize = 1_000;

/// Names and values in order of arrival, in one buffer: the received text, followed by everything that had to be
/// decoded or encoded. Most are plain: the same in every encoding.
#[derive(Default)]
pub(crate) struct Pairs {
    text: String,
    pairs: Vec<[Text; 2]>,
}

/// The places of a name or value, decoded and percent-encoded. For a plain one they are the same place.
#[derive(Clone, Copy)]
struct Text {
    decoded: Span,
    encoded: Span,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Pairs {
    /// With room for forms of this length.
    pub(super) fn with_room_for(form: usize) -> Self {
        // Decoding only shortens, and most of a form is plain.
        Self { text: String::with_capacity(form + form / 2), pairs: Vec::with_capacity(16) }
    }

    /// Reads form data. Everything is signed, so everything must be decodable.
    pub(super) fn push_form(&mut self, form: &str) -> Result<(), &'static str> {
        let before = self.text.len();
        let mut text = std::mem::take(&mut self.text).into_bytes();
        text.extend_from_slice(form.as_bytes());
        for [name, value] in spelled(form.as_bytes()) {
            if self.pairs.len() == MOST {
                return Err("has more parameters than any request needs");
            }
            let mut text = |(place, plain): (Range<usize>, bool)| -> Result<Text, &'static str> {
                let came = Span::new(before + place.start, before + place.end)?;
                if plain {
                    return Ok(Text { decoded: came, encoded: came });
                }
                decode(form.as_bytes().get(place).unwrap_or_default(), came, &mut text)
            };
            let pair = [text(name)?, text(value)?];
            self.pairs.push(pair);
        }
        self.text = String::from_utf8(text).map_err(|_| "is not UTF-8")?;
        Ok(())
    }

    /// Adds a decoded pair.
    pub(crate) fn push(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let mut append = |text: &str| -> Result<Span, &'static str> {
            let start = self.text.len();
            self.text.push_str(text);
            Span::new(start, self.text.len())
        };
        let mut text = |text: &str| -> Result<Text, &'static str> {
            let decoded = append(text)?;
            Ok(Text {
                decoded,
                encoded: if is_plain(text.as_bytes()) { decoded } else { append(&percent_encoded(text))? },
            })
        };
        let pair = [text(name)?, text(value)?];
        self.pairs.push(pair);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// All pairs, decoded.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.pairs.iter().map(|[name, value]| (self.text(name.decoded), self.text(value.decoded)))
    }

    /// The name of one of them, decoded.
    pub(super) fn name(&self, position: usize) -> &str {
        self.pairs.get(position).map_or("", |[name, _]| self.text(name.decoded))
    }

    /// The value of one of them, decoded.
    pub(super) fn value(&self, position: usize) -> Option<&str> {
        self.pairs.get(position).map(|[_, value]| self.text(value.decoded))
    }

    /// One pair, encoded, and whether name and value are plain.
    pub(super) fn encoded(&self, position: usize) -> [(&[u8], bool); 2] {
        let Some([name, value]) = self.pairs.get(position) else { return [(&[], true); 2] };
        let bytes = |Span { start, end }| self.text.as_bytes().get(start as usize..end as usize).unwrap_or_default();
        let encoded = |text: &Text| (bytes(text.encoded), text.encoded == text.decoded);
        [encoded(name), encoded(value)]
    }

    // Called several times for each name and value: inlined, a check takes 3 % less.
    #[inline]
    fn text(&self, Span { start, end }: Span) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

impl Span {
    fn new(start: usize, end: usize) -> Result<Self, &'static str> {
        // The end is never before the start.
        let end = u32::try_from(end).map_err(|_| "is too long")?;
        Ok(Self { start: u32::try_from(start).unwrap_or(end), end })
    }
}

/// Decodes `raw`, appends it to `text`, and re-encodes it if the received spelling differs.
fn decode(mut raw: &[u8], came: Span, text: &mut Vec<u8>) -> Result<Text, &'static str> {
    let (start, mut is_encoded) = (text.len(), true);
    loop {
        let (plain, from) = raw.split_at_checked(plain_run(raw)).unwrap_or((raw, &[]));
        text.extend_from_slice(plain);
        let Some(first) = from.first() else { break };
        let (byte, length) = if matches!(first, b'%' | b'+' | 0) { unescape(from)? } else { (*first, 1) };
        let (escape, rest) = from.split_at_checked(length).unwrap_or((from, &[]));
        is_encoded &= length == 3 && !is_unreserved(byte) && !escape.iter().any(u8::is_ascii_lowercase);
        text.push(byte);
        raw = rest;
    }
    let decoded = Span::new(start, text.len())?;
    let decoded_text = std::str::from_utf8(text.get(start..).unwrap_or_default()).map_err(|_| "is not UTF-8")?;
    if is_encoded {
        return Ok(Text { decoded, encoded: came });
    }
    let encoded = percent_encoded(decoded_text);
    text.extend_from_slice(encoded.as_bytes());
    Ok(Text { decoded, encoded: Span::new(decoded.end as usize, text.len())? })
}

/// The places of names and values in form data, and whether each is its own percent-encoding (RFC 3986, 2.3).
fn spelled(form: &[u8]) -> impl Iterator<Item = [(Range<usize>, bool); 2]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (mut start, mut equals, mut plain) = (at, None, [true; 2]);
        loop {
            at += plain_run(form.get(at..).unwrap_or_default());
            match (form.get(at).map(|byte| kind::of(*byte)), equals) {
                (Some(kind::AMPERSAND), _) if at == start => start += 1,
                (Some(kind::AMPERSAND) | None, _) => break,
                (Some(kind::EQUALS), None) => equals = Some(at),
                (Some(_), None) => plain[0] = false,
                (Some(_), Some(_)) => plain[1] = false,
            }
            at += 1;
        }
        let (name, value) = equals.map_or((start..at, at..at), |equals| (start..equals, equals + 1..at));
        (start < at).then_some([(name, plain[0]), (value, plain[1])])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_and_encoded() {
        let long = "x".repeat(200);
        for (form, expected) in [
            ("", vec![]),
            ("&&", vec![]),
            ("a=1", vec![("a", "1", "a", "1")]),
            ("a", vec![("a", "", "a", "")]),
            ("=1&&b=", vec![("", "1", "", "1"), ("b", "", "b", "")]),
            ("a=1=2", vec![("a", "1=2", "a", "1%3D2")]),
            ("a=%3D", vec![("a", "=", "a", "%3D")]),
            ("a=%3d", vec![("a", "=", "a", "%3D")]),
            ("a=%41%2D", vec![("a", "A-", "a", "A-")]),
            ("a+b=c+d", vec![("a b", "c d", "a%20b", "c%20d")]),
            ("a=o%27d,e", vec![("a", "o'd,e", "a", "o%27d%2Ce")]),
            ("%C3%A9=é", vec![("é", "é", "%C3%A9", "%C3%A9")]),
            (&format!("{long}={long}%2B"), vec![(&long, &format!("{long}+"), &long, &format!("{long}%2B"))]),
        ] {
            let mut pairs = Pairs::default();
            // What came before moves nothing.
            pairs.push("before", "é").unwrap();
            pairs.push_form(form).unwrap();
            let seen = (1..pairs.len()).map(|at| {
                let ((name, value), encoded) = (pairs.iter().nth(at).unwrap(), pairs.encoded(at));
                let [name_encoded, value_encoded] = encoded.map(|(text, _)| std::str::from_utf8(text).unwrap());
                (name, value, name_encoded, value_encoded)
            });
            assert_eq!(seen.collect::<Vec<_>>(), expected, "{form}");
        }
        for (form, problem) in [
            ("a=%", "has a bad percent escape"),
            ("a=%2", "has a bad percent escape"),
            ("%zz=1", "has a bad percent escape"),
            ("a=%00", "holds a NUL"),
            ("a=\0", "holds a NUL"),
            ("a=%C3&b=%A9", "is not UTF-8"),
        ] {
            assert_eq!(Pairs::default().push_form(form), Err(problem), "{form}");
        }
        assert!(Pairs::default().push_form(&"a&".repeat(MOST)).is_ok());
        assert!(Pairs::default().push_form(&"a&".repeat(MOST + 1)).is_err());
    }
}
