//! One pass over a JSON text, before serde_json reads it: every name at every depth, and whether all of it is JSON.
//!
//! serde_json alone keeps the last of two equal names, and hardly checks fields that the claims do not use: it skips a
//! lone surrogate, a number beyond an `f64` and nesting of any depth. The scanner checks the structure itself. It
//! passes every string with an escape, every unknown word, and every number but a plain integer to serde_json, so that
//! the two cannot disagree about where a value ends.

use std::borrow::Cow;

use memchr::memchr2;
use serde::de::DeserializeOwned;

use super::{NOT_JSON, RESERVED, TWICE};

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

/// The problem, and how many bytes were read until then.
pub(super) type Fault = (&'static str, usize);

struct Scanner<'a> {
    json: &'a str,
    at: usize,
    /// Whether there is any control character. Compact JSON has none, so its strings need not be searched for one.
    has_control: bool,
    /// The names of all open objects, the innermost last. Those of the outermost object stay.
    names: Names<'a>,
}

/// Scans all of a text, and returns the names of the outermost object.
pub(super) fn scan(json: &str) -> Result<Names<'_>, Fault> {
    let names = Names::with_capacity(FEW);
    let mut scanner = Scanner { json, at: 0, has_control: has_control(json), names };
    scanner.value(0)?;
    if scanner.next().is_some() { Err(scanner.unexpected()) } else { Ok(scanner.names) }
}

impl<'a> Scanner<'a> {
    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.next() {
            Some(b'{') => self.compound(b'}', depth),
            Some(b'[') => self.compound(b']', depth),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9' | b'a'..=b'z') => self.token(),
            _ => Err(self.unexpected()),
        }
    }

    /// An object or a list.
    fn compound(&mut self, close: u8, depth: usize) -> Result<(), Fault> {
        if depth == MAX_DEPTH {
            return Err(self.unexpected());
        }
        let outer = self.names.len();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            if close == b'}' {
                self.name()?;
            }
            self.value(depth + 1)?;
            match self.next() {
                Some(b',') => {}
                Some(byte) if byte == close => break,
                _ => return Err(self.unexpected()),
            }
        }
        if let Some(end) = self.names.get_mut(outer..).and_then(first_duplicate) {
            return Err((TWICE, end));
        }
        if depth > 0 {
            self.names.truncate(outer);
        }
        Ok(())
    }

    fn name(&mut self) -> Result<(), Fault> {
        let Some(b'"') = self.next() else { return Err(self.unexpected()) };
        let name = self.string()?;
        if name.starts_with(PRIVATE) {
            return Err((RESERVED, self.at));
        }
        self.names.push((name, self.at));
        if self.next() == Some(b':') { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The rest of a string, after its first quote.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let (start, mut is_plain) = (self.at, true);
        loop {
            let Some(skipped) = memchr2(b'"', b'\\', self.rest()) else { return Err((NOT_JSON, self.json.len())) };
            self.at += skipped + 1;
            if self.json.as_bytes().get(self.at - 1) == Some(&b'"') {
                break;
            }
            // An escaped character, even a quote, does not end the string.
            self.at += 1;
            is_plain = false;
        }
        let text = self.json.get(start..self.at - 1).unwrap_or_default();
        if is_plain && !(self.has_control && has_control(text)) {
            return Ok(Cow::Borrowed(text));
        }
        self.read_from(start - 1).map(Cow::Owned)
    }

    /// The rest of a number or a word, after its first byte.
    fn token(&mut self) -> Result<(), Fault> {
        let start = self.at - 1;
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        self.at += self.rest().iter().take_while(is_part).count();
        match self.json.as_bytes().get(start..self.at) {
            Some(b"true" | b"false" | b"null") => Ok(()),
            // A plain integer in the range of every number type: no need to parse it.
            Some([b'1'..=b'9', digits @ ..]) if digits.len() < 16 && digits.iter().all(u8::is_ascii_digit) => Ok(()),
            // `arbitrary_precision` or not, an `f64` has a range.
            _ => self.read_from::<f64>(start).map(drop),
        }
    }

    /// Lets serde_json read the token between an offset and here.
    fn read_from<T: DeserializeOwned>(&self, start: usize) -> Result<T, Fault> {
        let token = self.json.get(start..self.at).unwrap_or_default();
        serde_json::from_str(token).map_err(|error| (NOT_JSON, start + error.column()))
    }

    fn rest(&self) -> &'a [u8] {
        self.json.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.json.as_bytes().get(self.at) {
            self.at += 1;
        }
        self.json.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn unexpected(&self) -> Fault {
        (NOT_JSON, self.json.len().min(self.at))
    }
}

/// Where the first name ends that came before, in any spelling.
fn first_duplicate(names: &mut [Name<'_>]) -> Option<usize> {
    if names.len() <= FEW {
        // A bit for each name, by its length and ends. Only names that share one are compared.
        let mut bits = 0_u64;
        let came_before = |(index, (name, _)): &(usize, &Name<'_>)| {
            let byte = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
            let (first, last) = (byte(name.as_bytes().first()), byte(name.as_bytes().last()));
            let bit = 1 << ((name.len() + 5 * first + 11 * last) % 64);
            let is_new = bits & bit == 0;
            bits |= bit;
            !is_new && names.iter().take(*index).any(|(other, _)| other == name)
        };
        return names.iter().enumerate().find(came_before).map(|(_, (_, end))| *end);
    }
    // Sorts, so that no choice of names makes it quadratic. Compares lengths first, which usually decides.
    names.sort_unstable_by(|(a, a_end), (b, b_end)| (a.len(), a, a_end).cmp(&(b.len(), b, b_end)));
    let duplicates = names.windows(2).filter_map(|pair| match pair {
        [(first, _), (second, end)] if first == second => Some(*end),
        _ => None,
    });
    duplicates.min()
}

fn has_control(text: &str) -> bool {
    // Without an early end, so that the compiler can compare many bytes at once.
    text.bytes().fold(false, |any, byte| any | (byte < b' '))
}
