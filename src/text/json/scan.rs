//! One pass over a JSON text, before serde_json reads it: every name at every depth, and whether all of it is JSON.
//!
//! serde_json alone keeps the last of two equal names, and hardly checks fields that the claims do not use: it skips a
//! lone surrogate, a number beyond an `f64` and nesting of any depth. The scanner checks the structure, and reads plain
//! strings and integers. It passes every other token to serde_json, so that the two cannot disagree about where one
//! ends.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::de::DeserializeOwned;

const NOT_JSON: &str = "is not JSON";
pub(super) const TWICE: &str = "has a name twice";
const RESERVED: &str = "has a name that serde_json keeps for itself";

/// serde_json's limit, which it does not apply while it skips a value.
const MAX_DEPTH: usize = 127;

/// serde_json reads an object with such a name as a number, or as JSON in a string, if any crate of the program enables
/// `arbitrary_precision` or `raw_value`. Nothing would check that string for duplicate names.
const PRIVATE: &str = "$serde_json::private::";

/// As many names as most objects have.
const FEW: usize = 16;

/// A name, and where it ends.
type Name<'a> = (Cow<'a, str>, usize);

pub(super) type Names<'a> = Vec<Name<'a>>;

/// What is wrong, and where.
type Problem = (&'static str, usize);

/// Each method reads from an offset, and returns the offset after what it has read. `None`: refused, see `problem`.
struct Scanner<'a> {
    json: &'a str,
    /// The names of all open objects, the innermost last. Those of the outermost object stay.
    names: Names<'a>,
    problem: Problem,
}

/// Scans all of a text. Returns the names of the outermost object.
pub(super) fn scan(json: &str) -> Result<Names<'_>, Problem> {
    let mut scanner = Scanner { json, names: Names::with_capacity(FEW), problem: (NOT_JSON, 0) };
    let Some(end) = scanner.value(0, 0) else { return Err(scanner.problem) };
    match scanner.next(end) {
        Some((_, after)) => Err((NOT_JSON, after)),
        None => Ok(scanner.names),
    }
}

/// The string at the start of a text that was scanned before. `None`: it starts with something else.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    let mut scanner = Scanner { json, names: Names::new(), problem: (NOT_JSON, 0) };
    let (text, _) = json.starts_with('"').then(|| scanner.string(1))??;
    Some(text)
}

impl<'a> Scanner<'a> {
    fn value(&mut self, at: usize, depth: usize) -> Option<usize> {
        let (first, at) = self.next(at)?;
        match first {
            b'"' => self.string(at).map(|(_, end)| end),
            b'{' if depth < MAX_DEPTH => self.list(at, b'}', depth),
            b'[' if depth < MAX_DEPTH => self.list(at, b']', depth),
            b'1'..=b'9' => self.number(at),
            b'-' | b'0' => self.token::<f64>(at).map(|(_, end)| end),
            b'a'..=b'z' => self.token::<Option<bool>>(at).map(|(_, end)| end),
            _ => self.refuse(NOT_JSON, at),
        }
    }

    /// The rest of an object or an array, after its bracket.
    fn list(&mut self, mut at: usize, close: u8, depth: usize) -> Option<usize> {
        let outer = self.names.len();
        let (first, end) = self.next(at)?;
        if first == close {
            return Some(end);
        }
        let end = loop {
            if close == b'}' {
                at = self.name(at)?;
            }
            at = self.value(at, depth + 1)?;
            match self.next(at)? {
                (b',', after) => at = after,
                (byte, after) if byte == close => break after,
                (_, after) => return self.refuse(NOT_JSON, after),
            }
        };
        if let Some(duplicate) = self.names.get(outer..).and_then(first_duplicate) {
            return self.refuse(TWICE, duplicate);
        }
        if depth > 0 {
            self.names.truncate(outer);
        }
        Some(end)
    }

    /// A name and its colon.
    fn name(&mut self, at: usize) -> Option<usize> {
        let (name, end) = match self.next(at)? {
            (b'"', at) => self.string(at)?,
            (_, at) => return self.refuse(NOT_JSON, at),
        };
        if name.starts_with(PRIVATE) {
            return self.refuse(RESERVED, end);
        }
        self.names.push((name, end));
        match self.next(end)? {
            (b':', end) => Some(end),
            (_, end) => self.refuse(NOT_JSON, end),
        }
    }

    /// The rest of a string, after its first quote.
    #[inline]
    fn string(&mut self, at: usize) -> Option<(Cow<'a, str>, usize)> {
        let bytes = self.json.as_bytes();
        let end = at + plain_length(bytes.get(at..)?);
        if bytes.get(end) != Some(&b'"') {
            return self.token(at).map(|(text, end)| (Cow::Owned(text), end));
        }
        Some((Cow::Borrowed(self.json.get(at..end)?), end + 1))
    }

    /// The rest of a number, after a first digit that is not zero.
    fn number(&mut self, at: usize) -> Option<usize> {
        let rest = self.json.as_bytes().get(at..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match rest.get(digits) {
            // An integer that every number type holds.
            Some(b',' | b']' | b'}') if digits < 16 => Some(at + digits),
            _ => self.token::<f64>(at).map(|(_, end)| end),
        }
    }

    /// Lets serde_json read a token whose first byte was read already.
    #[cold]
    fn token<T: DeserializeOwned>(&mut self, at: usize) -> Option<(T, usize)> {
        let start = at - 1;
        let mut tokens = serde_json::Deserializer::from_str(self.json.get(start..)?).into_iter();
        match tokens.next()? {
            Ok(token) => Some((token, start + tokens.byte_offset())),
            Err(error) => self.refuse(NOT_JSON, start + error.column()),
        }
    }

    /// The next byte that is not white space.
    fn next(&mut self, mut at: usize) -> Option<(u8, usize)> {
        loop {
            match self.json.as_bytes().get(at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => at += 1,
                Some(byte) => return Some((*byte, at + 1)),
                None => return self.refuse(NOT_JSON, at),
            }
        }
    }

    fn refuse<T>(&mut self, what: &'static str, at: usize) -> Option<T> {
        self.problem = (what, at);
        None
    }
}

/// The number of bytes before the first that does not stand for itself in a string: a quote, a backslash or a control
/// character.
///
/// By hand, eight bytes at a time, as serde_json does it in private: `memchr` looks for three bytes at most, and there
/// are 34.
fn plain_length(text: &[u8]) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    // The lowest byte whose highest bit is set in the result is below the limit. Later ones may be there by a borrow.
    let below = |limit: u64, bytes: u64| bytes.wrapping_sub(EACH * limit) & !bytes & (EACH << 7);
    let (eights, last) = text.as_chunks();
    for (n, eight) in eights.iter().enumerate() {
        let bytes = u64::from_le_bytes(*eight);
        let special = below(0x20, bytes) | below(1, bytes ^ (EACH * 0x22)) | below(1, bytes ^ (EACH * 0x5c));
        if special != 0 {
            return n * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let special = last.iter().position(|byte| matches!(byte, ..0x20 | b'"' | b'\\'));
    text.len() - last.len() + special.unwrap_or(last.len())
}

/// Where the first name ends that repeats an earlier one, however either is escaped.
fn first_duplicate(names: &[Name<'_>]) -> Option<usize> {
    if names.len() > FEW {
        let mut earlier = HashSet::with_capacity(names.len());
        return names.iter().find(|(name, _)| !earlier.insert(name)).map(|(_, end)| *end);
    }
    // Without an allocation: each name sets one of 64 bits, and only names that share a bit are compared.
    let mut seen = 0_u64;
    for (n, (name, end)) in names.iter().enumerate() {
        let [first, last] =
            [name.as_bytes().first(), name.as_bytes().last()].map(|byte| byte.map_or(0, |b| usize::from(*b)));
        let bit = 1 << ((name.len() + 11 * first + 5 * last) % 64);
        if seen & bit != 0 && names.iter().take(n).any(|(other, _)| other == name) {
            return Some(*end);
        }
        seen |= bit;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_found_anywhere() {
        for byte in 0..=255 {
            let is_plain = !matches!(byte, ..0x20 | b'"' | b'\\');
            for (place, other) in
                (0..20).flat_map(|place| [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff].map(|other| (place, other)))
            {
                let mut text = [other; 20];
                text[place] = byte;
                assert_eq!(plain_length(&text), if is_plain { 20 } else { place }, "{byte} at {place} among {other}");
                // What follows does not matter.
                text[place..].fill(byte);
                assert_eq!(plain_length(&text), if is_plain { 20 } else { place }, "{byte} from {place} after {other}");
            }
        }
    }
}
