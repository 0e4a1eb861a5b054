//! Headers that the sender names in a header of the same request, and signs.

use http::{HeaderMap, HeaderName};

use super::headers::{malformed, once};
use crate::rejection::Reason;

/// How many headers a list may name.
const MOST: usize = 32;

/// The list, and what the names of the sender's own headers begin with.
#[derive(Clone)]
pub(super) struct Listed {
    pub(super) list: HeaderName,
    pub(super) family: String,
}

impl Listed {
    /// `name:value` of each listed header, sorted by name, joined by `;`. The list must name itself and those that the
    /// layer reads.
    ///
    /// A value must not hold what looks like the next header. So the text has one cut.
    pub(super) fn text<'a>(
        &self,
        headers: &HeaderMap,
        read: impl IntoIterator<Item = &'a HeaderName>,
    ) -> Result<String, Reason> {
        let mut names = self.names(headers)?;
        names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        if names.windows(2).any(|pair| matches!(pair, [one, next] if one == next)) {
            return Err(malformed(&self.list, "names a header twice"));
        }
        if !names.contains(&self.list) || read.into_iter().any(|name| !names.contains(name)) {
            return Err(malformed(&self.list, "lacks a header that must be signed"));
        }
        let mut text = String::new();
        for name in &names {
            let missing = || Reason::MissingParameter(name.as_str().to_owned().into());
            let value = once(headers, name)?.ok_or_else(missing)?;
            if value.split(';').skip(1).any(begins_a_header) {
                return Err(malformed(name, "holds what could be the next signed header"));
            }
            if !text.is_empty() {
                text.push(';');
            }
            text.extend([name.as_str(), ":", value]);
        }
        Ok(text)
    }

    /// Removes the sender's headers that are not in the list: nobody signed them.
    pub(super) fn remove_unsigned(&self, headers: &mut HeaderMap) {
        let signed = self.names(headers).unwrap_or_default();
        let is_unsigned = |name: &&HeaderName| name.as_str().starts_with(&self.family) && !signed.contains(name);
        let unsigned: Vec<HeaderName> = headers.keys().filter(is_unsigned).cloned().collect();
        unsigned.iter().for_each(|name| _ = headers.remove(name));
    }

    fn names(&self, headers: &HeaderMap) -> Result<Vec<HeaderName>, Reason> {
        let missing = || Reason::MissingParameter(self.list.as_str().to_owned().into());
        let list = once(headers, &self.list)?.ok_or_else(missing)?;
        if list.split(',').count() > MOST {
            return Err(malformed(&self.list, "names more headers than any sender signs"));
        }
        let names = list.split(',').map(|name| name.parse().ok().filter(|_| !name.bytes().any(is_upper)));
        names.collect::<Option<_>>().ok_or_else(|| malformed(&self.list, "is no list of header names in lower case"))
    }
}

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase()
}

fn begins_a_header(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, _)| name.parse::<HeaderName>().is_ok())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn listed_headers_have_one_cut() {
        let listed = Listed { list: HeaderName::from_static("x-list"), family: "x-".to_owned() };
        let time = HeaderName::from_static("x-time");
        for (list, a, expected, why) in [
            ("a,x-list,x-time", "1", Some("a:1;x-list:a,x-list,x-time;x-time:7"), "sorted"),
            ("x-list,x-time,a", "1", Some("a:1;x-list:x-list,x-time,a;x-time:7"), "in another order"),
            ("x-list,x-time", "1", Some("x-list:x-list,x-time;x-time:7"), "one is not signed"),
            ("a,x-list,x-time", "1; b=2", Some("a:1; b=2;x-list:a,x-list,x-time;x-time:7"), "a parameter"),
            ("a,x-list,x-time", "1;b:2", None, "another header"),
            ("a,x-list,x-time", "1;x-list:x-list;z:", None, "another list"),
            ("a,x-list", "1", None, "the time is not signed"),
            ("a,x-time", "1", None, "the list is not signed"),
            ("a,a,x-list,x-time", "1", None, "a header twice"),
            ("b,x-list,x-time", "1", None, "a header that is not there"),
            ("A,x-list,x-time", "1", None, "another case"),
            ("a;b,x-list,x-time", "1", None, "not a name"),
            ("", "1", None, "empty"),
            (&"a,".repeat(40), "1", None, "too many"),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("x-list", list), ("a", a), ("x-time", "7"), ("x-user", "root")] {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(listed.text(&headers, [&time]).ok().as_deref(), expected, "{why}");
            listed.remove_unsigned(&mut headers);
            assert!(!headers.contains_key("x-user") && headers.contains_key("a"), "{why}");
        }
    }
}
