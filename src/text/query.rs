//! Reading a query string strictly.
//!
//! The bytes as received are kept: what this module is not asked for goes on to the application unchanged.

// By hand: `form_urlencoded` passes bad escapes on as text, and replaces what is not UTF-8.

use std::borrow::Cow;

use http::Uri;
use memchr::memchr;

use super::percent::decode_form;
use crate::rejection::Reason;

/// A query string as received.
///
/// ```
/// use tower_sso::query::Query;
///
/// let query = Query::new("company_id=4321&token=gAAAA%3D&lang=de");
/// assert_eq!(query.value("token")?.as_deref(), Some("gAAAA="));
/// assert_eq!(query.value("ts")?, None);
/// assert!(Query::new("token=a&%74oken=b").value("token").is_err(), "the same name, spelled in two ways");
/// # Ok::<(), tower_sso::rejection::Reason>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// This query string, without its `?`.
    pub fn new(raw: &'a str) -> Self {
        Self(raw)
    }

    /// The query string of a URI; an empty one if it has none.
    pub fn of(uri: &'a Uri) -> Self {
        Self(uri.query().unwrap_or_default())
    }

    /// The parameters in order, as received: name and value, still encoded.
    pub fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        Pairs(self.0)
    }

    /// The same query, its first parameters found beforehand: for whoever asks for more than one or two.
    pub(crate) fn indexed(self) -> Indexed<'a> {
        let (mut first, mut pairs) = ([("", ""); FIRST], Pairs(self.0));
        let found = first.iter_mut().zip(&mut pairs).map(|(place, pair)| *place = pair).count();
        let escaped = first.iter().any(|(name, _)| has_escape(name));
        Indexed { first, found, escaped, rest: pairs }
    }

    /// The value of a parameter, still encoded; `None` if it is not there.
    ///
    /// # Errors
    /// [`Reason::DuplicateParameter`] if it is there twice, in whatever spelling.
    pub fn raw_value(self, name: &str) -> Result<Option<&'a str>, Reason> {
        raw_value(self.pairs(), name)
    }

    /// The value of a parameter, decoded as form data; `None` if it is not there.
    ///
    /// # Errors
    /// [`Reason::DuplicateParameter`], and [`Reason::Malformed`] if the value is mis-encoded.
    pub fn value(self, name: &str) -> Result<Option<Cow<'a, str>>, Reason> {
        value(self.raw_value(name)?, name)
    }

    /// The value of a parameter that must be there, decoded as form data.
    ///
    /// # Errors
    /// As [`Query::value`], and [`Reason::MissingParameter`].
    pub fn required(self, name: &str) -> Result<Cow<'a, str>, Reason> {
        self.value(name)?.ok_or_else(|| Reason::MissingParameter(name.to_owned().into()))
    }
}

/// The parameters of a query, one after the other.
#[derive(Clone, Copy)]
struct Pairs<'a>(&'a str);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.0;
        while let Some(after) = rest.strip_prefix('&') {
            rest = after;
        }
        // Names are short and values are long, which makes these two the fastest ways to an end of each.
        let end = rest.bytes().position(|byte| matches!(byte, b'=' | b'&'));
        let (name, after) = match end {
            None if rest.is_empty() => return None,
            None => (rest, ""),
            Some(end) => rest.split_at_checked(end)?,
        };
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => after.split_at_checked(memchr(b'&', after.as_bytes()).unwrap_or(after.len()))?,
            None => ("", after),
        };
        self.0 = after;
        Some((name, value))
    }
}

/// How many parameters an index holds.
const FIRST: usize = 8;

/// A query whose first parameters were found beforehand. It is as large, however many there are.
pub(crate) struct Indexed<'a> {
    first: [(&'a str, &'a str); FIRST],
    found: usize,
    /// Whether any of their names may be another spelling of one that is asked for.
    escaped: bool,
    rest: Pairs<'a>,
}

impl<'a> Indexed<'a> {
    /// As [`Query::raw_value`].
    pub(crate) fn raw_value(&self, name: &str) -> Result<Option<&'a str>, Reason> {
        let first = self.first.get(..self.found).unwrap_or_default();
        if self.escaped || !self.rest.0.is_empty() {
            return raw_value(first.iter().copied().chain(self.rest), name);
        }
        once(first.iter().filter(|(other, _)| *other == name).map(|(_, value)| *value), name)
    }
}

fn raw_value<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, name: &str) -> Result<Option<&'a str>, Reason> {
    once(pairs.filter(|(raw, _)| is(raw, name)).map(|(_, value)| value), name)
}

fn once<'a>(mut values: impl Iterator<Item = &'a str>, name: &str) -> Result<Option<&'a str>, Reason> {
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Reason::DuplicateParameter(name.to_owned().into())),
    }
}

fn value<'a>(raw: Option<&'a str>, name: &str) -> Result<Option<Cow<'a, str>>, Reason> {
    let Some(raw) = raw else { return Ok(None) };
    decode_form(raw).map(Some).map_err(|what| Reason::Malformed(name.to_owned().into(), what))
}

fn has_escape(name: &str) -> bool {
    name.bytes().any(|byte| matches!(byte, b'%' | b'+'))
}

/// Whether `raw` is a spelling of this name.
// Called for each name of a query, several times in a check.
#[inline]
pub(crate) fn is(raw: &str, name: &str) -> bool {
    if raw == name {
        return !has_escape(raw);
    }
    // No spelling is shorter than what it spells.
    raw.len() >= name.len() && has_escape(raw) && decode_form(raw).is_ok_and(|decoded| decoded == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_strictly() {
        for (query, expected, why) in [
            ("a=1", Ok(Some("1")), "plain"),
            ("b=2&a=1", Ok(Some("1")), "not the first"),
            ("%61=1", Ok(Some("1")), "an escaped name"),
            ("A=1", Ok(None), "names are not folded"),
            ("a", Ok(Some("")), "no equals sign: there, but empty"),
            ("a=1=2", Ok(Some("1=2")), "only the first equals sign parts"),
            ("a=%41+b", Ok(Some("A b")), "form decoding"),
            ("a=%C3%AB", Ok(Some("ë")), "UTF-8"),
            ("b=%zz&a=1", Ok(Some("1")), "a bad escape in a parameter that is not ours"),
            ("", Ok(None), "empty"),
            ("a=1;b=2", Ok(Some("1;b=2")), "a semicolon does not part"),
            ("a=%", Err("has a bad percent escape"), "cut short"),
            ("a=%4", Err("has a bad percent escape"), "cut short"),
            ("a=%4g", Err("has a bad percent escape"), "no hex digit"),
            ("a=%+1", Err("has a bad percent escape"), "no hex digit"),
            ("a=%00", Err("holds a NUL"), "NUL"),
            ("a=%FF", Err("is not UTF-8"), "not UTF-8"),
            ("a=%C0%80", Err("is not UTF-8"), "an overlong NUL"),
            ("a=%ED%A0%80", Err("is not UTF-8"), "a lone surrogate"),
        ] {
            let value = Query::new(query).value("a");
            let expected = expected
                .map(|value| value.map(Cow::Borrowed))
                .map_err(|what| Reason::Malformed(Cow::Borrowed("a"), what));
            assert_eq!(value, expected, "{query}: {why}");
        }
    }

    #[test]
    fn a_name_is_not_its_own_spelling_if_it_holds_an_escape() {
        for (query, name, expected) in [
            ("a+=1", "a+", None),
            ("a%2B=1", "a+", Some("1")),
            ("a+=1&a%2B=2", "a+", Some("2")),
            ("a+=1", "a ", Some("1")),
            ("%61=1", "%61", None),
        ] {
            assert_eq!(Query::new(query).raw_value(name), Ok(expected), "{query} {name}");
            assert_eq!(Query::new(query).indexed().raw_value(name), Ok(expected), "{query} {name}");
        }
    }

    #[test]
    fn duplicates_are_refused_in_every_spelling() {
        let many: String = (0..20).map(|n| format!("&n{n}={n}")).collect();
        let (far, apart) = (format!("{many}&a=1&a=2"), format!("a=1{many}&%61=2"));
        for query in ["a=1&a=1", "a=1&a=2", "a=1&%61=2", "a&a", "a=&b=1&a=", &far, &apart] {
            let twice = Err(Reason::DuplicateParameter(Cow::Borrowed("a")));
            assert_eq!(Query::new(query).value("a").map(drop), twice, "{query}");
            assert_eq!(Query::new(query).indexed().raw_value("a").map(drop), twice, "{query}");
        }
    }
}
