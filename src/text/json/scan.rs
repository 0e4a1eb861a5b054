//! One pass over a JSON text, before serde_json reads it: every name at every depth, and whether all of it is JSON.
//!
//! serde_json alone keeps the last of two equal names, and hardly checks fields that the claims do not use: it skips a
//! lone surrogate, a number beyond an `f64` and nesting of any depth. The scanner checks the structure, and reads plain
//! strings and integers. It passes every other token to serde_json, so that the two cannot disagree about where one
//! ends.

use std::borrow::Cow;
use std::collections::HashSet;

use memchr::memchr2;
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

type Scanned<T> = Result<T, &'static str>;

struct Scanner<'a> {
    json: &'a str,
    /// Up to here it was read. If it is refused, the position to report.
    at: usize,
    /// Whether there is any control character. Compact JSON has none, so its strings need not be searched for one.
    has_control: bool,
    /// The names of all open objects, the innermost last. Those of the outermost object stay.
    names: Names<'a>,
}

/// Scans all of a text. Returns the names of the outermost object, or the problem and its offset.
pub(super) fn scan(json: &str) -> Result<Names<'_>, (&'static str, usize)> {
    let mut scanner = Scanner { json, at: 0, has_control: has_control(json), names: Names::with_capacity(FEW) };
    match scanner.value(0).and_then(|()| scanner.next().map_or(Ok(()), |_| Err(NOT_JSON))) {
        Ok(()) => Ok(scanner.names),
        Err(problem) => Err((problem, scanner.at)),
    }
}

impl<'a> Scanner<'a> {
    fn value(&mut self, depth: usize) -> Scanned<()> {
        match self.next() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') if depth < MAX_DEPTH => self.list(b'}', depth),
            Some(b'[') if depth < MAX_DEPTH => self.list(b']', depth),
            Some(b'1'..=b'9') => self.number(),
            Some(b'-' | b'0') => self.token::<f64>().map(drop),
            Some(b'a'..=b'z') => self.token::<Option<bool>>().map(drop),
            _ => Err(NOT_JSON),
        }
    }

    /// The rest of an object or an array, after its bracket.
    fn list(&mut self, close: u8, depth: usize) -> Scanned<()> {
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
                _ => return Err(NOT_JSON),
            }
        }
        if let Some(end) = self.names.get(outer..).and_then(first_duplicate) {
            self.at = end;
            return Err(TWICE);
        }
        if depth > 0 {
            self.names.truncate(outer);
        }
        Ok(())
    }

    fn name(&mut self) -> Scanned<()> {
        let Some(b'"') = self.next() else { return Err(NOT_JSON) };
        let name = self.string()?;
        if name.starts_with(PRIVATE) {
            return Err(RESERVED);
        }
        self.names.push((name, self.at));
        if self.next() == Some(b':') { Ok(()) } else { Err(NOT_JSON) }
    }

    /// The rest of a string, after its first quote.
    fn string(&mut self) -> Scanned<Cow<'a, str>> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let end = memchr2(b'"', b'\\', rest.as_bytes()).filter(|end| rest.as_bytes().get(*end) == Some(&b'"'));
        match end.and_then(|end| rest.get(..end)) {
            Some(text) if !(self.has_control && has_control(text)) => {
                self.at += text.len() + 1;
                Ok(Cow::Borrowed(text))
            }
            _ => self.token().map(Cow::Owned),
        }
    }

    /// The rest of a number, after a first digit that is not zero.
    fn number(&mut self) -> Scanned<()> {
        let rest = self.json.as_bytes().get(self.at..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match rest.get(digits) {
            // An integer that every number type holds.
            Some(b',' | b']' | b'}') if digits < 16 => self.at += digits,
            _ => drop(self.token::<f64>()?),
        }
        Ok(())
    }

    /// Lets serde_json read a token whose first byte was read already.
    fn token<T: DeserializeOwned>(&mut self) -> Scanned<T> {
        let start = self.at - 1;
        let rest = self.json.get(start..).unwrap_or_default();
        let mut tokens = serde_json::Deserializer::from_str(rest).into_iter();
        let read = tokens.next();
        let length = match &read {
            Some(Err(error)) => error.column(),
            _ => tokens.byte_offset(),
        };
        self.at = start + length;
        read.and_then(Result::ok).ok_or(NOT_JSON)
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
}

/// Where the first name ends that came before, in any spelling.
fn first_duplicate(names: &[Name<'_>]) -> Option<usize> {
    let (_, end) = if names.len() <= FEW {
        let came_before = |(n, (name, _)): &(usize, &Name<'_>)| names.iter().take(*n).any(|(other, _)| other == name);
        names.iter().enumerate().find(came_before)?.1
    } else {
        let mut earlier = HashSet::with_capacity(names.len());
        names.iter().find(|(name, _)| !earlier.insert(name))?
    };
    Some(*end)
}

fn has_control(text: &str) -> bool {
    // Without an early end, so that the compiler can compare many bytes at once.
    text.bytes().fold(false, |any, byte| any | (byte < b' '))
}
