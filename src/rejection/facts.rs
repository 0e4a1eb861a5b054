use std::fmt::{self, Display, Write};

use smol_str::SmolStr;

/// What a check compared, as names and values: figures, lengths, names of what was signed. For the log, a responder and
/// whoever mends a partner's link.
///
/// It holds no secret, MAC, credential or value of a claim, but text that the client wrote, such as its host name.
/// Clients do not see it by default. At most [`MOST`](Self::MOST) facts; a value is cut after
/// [`LONGEST`](Self::LONGEST) bytes.
///
/// ```
/// use tower_sso::rejection::Facts;
///
/// let mut facts = Facts::new();
/// facts.add("age", "412 s").add("limit", "300 s");
/// assert_eq!(facts.get("age"), Some("412 s"));
/// assert_eq!(facts.to_string(), "age: 412 s; limit: 300 s");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(Vec<(&'static str, SmolStr)>);

impl Facts {
    /// How many facts there are at most. Further ones are left out.
    pub const MOST: usize = 16;
    /// The longest value, in bytes.
    pub const LONGEST: usize = 256;

    /// None yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a fact, unless there are too many. Neither a secret nor what a credential or claim says belongs here.
    pub fn add(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        if self.0.len() < Self::MOST {
            let mut text = Text { bytes: [0; Self::LONGEST], length: 0 };
            // An error says that the rest did not fit.
            let is_cut = write!(text, "{value}").is_err();
            self.0.push((name, text.finish(is_cut)));
        }
        self
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The names and values, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A value in the making, without an allocation for each of its parts.
struct Text {
    bytes: [u8; Facts::LONGEST],
    length: usize,
}

impl Text {
    fn finish(mut self, is_cut: bool) -> SmolStr {
        if is_cut {
            let end = self.as_str().floor_char_boundary(Facts::LONGEST - '…'.len_utf8());
            self.length = end;
            _ = self.write_char('…');
        }
        self.as_str().into()
    }

    fn as_str(&self) -> &str {
        // Only whole characters are written.
        std::str::from_utf8(self.bytes.get(..self.length).unwrap_or_default()).unwrap_or_default()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let fits = text.floor_char_boundary(room.len());
        for (byte, from) in room.iter_mut().zip(text.as_bytes().iter().take(fits)) {
            *byte = *from;
        }
        self.length += fits;
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// Names one after the other, with a space between them.
#[cfg(any(feature = "http-signature", feature = "oauth1", feature = "signed-parameters", feature = "timestamp-hash"))]
pub(crate) struct Names<I>(pub(crate) I);

#[cfg(any(feature = "http-signature", feature = "oauth1", feature = "signed-parameters", feature = "timestamp-hash"))]
impl<I: Iterator<Item: Display> + Clone> Display for Names<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.0.clone().enumerate() {
            let separator = if position == 0 { "" } else { " " };
            write!(f, "{separator}{name}")?;
        }
        Ok(())
    }
}

impl Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (name, value)) in self.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{name}: {value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_bounded() {
        let mut facts = Facts::new();
        for _ in 0..100 {
            facts.add("name", "é".repeat(1_000));
        }
        assert_eq!(facts.iter().count(), Facts::MOST);
        facts = Facts::new();
        facts.add("name", "é".repeat(1_000)).add("fits", "x".repeat(Facts::LONGEST));
        assert_eq!(facts.get("fits").map(str::len), Some(Facts::LONGEST));
        let value = facts.get("name").unwrap();
        assert!(value.len() <= Facts::LONGEST && value.ends_with('…'), "{value}");
    }
}
