//! The names of one object, of which none may come twice.

use std::borrow::Cow;
use std::collections::HashSet;

/// More names than most objects have.
const FEW: usize = 16;

pub(super) const TWICE: &str = "has a name twice";
pub(super) const RESERVED: &str = "has a name that serde_json keeps for itself";

/// Objects of one such name are read as a number, or as JSON in a string, if any crate of a program switches
/// `arbitrary_precision` or `raw_value` on. What is in that string nobody would look at.
const PRIVATE: &str = "$serde_json::private::";

/// A list while they are few, a set when they are many, so that a large object costs no more than its length.
#[derive(Default)]
pub(super) struct Names<'a> {
    few: [&'a str; FEW],
    count: usize,
    /// A bit for each of the few, by its length and ends. A name whose bit is not set is not among them.
    bits: u64,
    /// What comes after the few, and what is spelled with escapes.
    many: Option<HashSet<Cow<'a, str>>>,
}

impl<'a> Names<'a> {
    pub(super) fn contains(&self, name: &str) -> bool {
        self.is_one_of_few(name) || self.many.as_ref().is_some_and(|many| many.contains(name))
    }

    /// Adds a name.
    ///
    /// # Errors
    /// What is wrong with it, in words of ours.
    pub(super) fn add(&mut self, name: Cow<'a, str>) -> Result<(), &'static str> {
        if name.starts_with(PRIVATE) {
            return Err(RESERVED);
        }
        if self.contains(&name) {
            return Err(TWICE);
        }
        match (name, self.few.get_mut(self.count)) {
            (Cow::Borrowed(name), Some(place)) => {
                *place = name;
                self.count += 1;
                self.bits |= bit(name);
            }
            (name, _) => _ = self.many.get_or_insert_default().insert(name),
        }
        Ok(())
    }

    fn is_one_of_few(&self, name: &str) -> bool {
        self.bits & bit(name) != 0 && self.few.iter().take(self.count).any(|other| *other == name)
    }
}

fn bit(name: &str) -> u64 {
    let (first, last) = (name.as_bytes().first(), name.as_bytes().last());
    let mixed = name.len() + usize::from(first.copied().unwrap_or_default()) * 5;
    1 << ((mixed + usize::from(last.copied().unwrap_or_default()) * 11) % 64)
}
