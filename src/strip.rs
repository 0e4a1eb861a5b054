//! Taking a spent credential out of a URI.

use std::borrow::Cow;

use http::Uri;
use http::uri::PathAndQuery;
use memchr::memchr;

use crate::query::is;

/// The names of parameters to be taken out of URIs.
pub(crate) struct Stripped {
    names: Vec<Cow<'static, str>>,
    /// A bit for the length of each. Most names of other parameters are known by theirs.
    lengths: u64,
}

impl Stripped {
    pub(crate) fn new(names: impl IntoIterator<Item = Cow<'static, str>>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        Self { lengths: names.iter().fold(0, |lengths, name| lengths | Self::bit(name.len())), names }
    }

    /// Takes the parameters out; the others stay byte for byte and in order.
    pub(crate) fn strip(&self, uri: &mut Uri) {
        let Some(query) = uri.query().filter(|_| !self.names.is_empty()) else { return };
        let path = uri.path();
        let kept = Kept::of(as_written(query).filter(|pair| !self.has(pair)));
        let path_and_query = kept.after(path);
        // What is left of a valid URI is valid. Were it not, the path alone is: the credential never stays.
        let path_and_query = PathAndQuery::try_from(path_and_query).unwrap_or_else(|_| PathAndQuery::from_static("/"));
        let mut parts = std::mem::take(uri).into_parts();
        parts.path_and_query = Some(path_and_query);
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }

    fn has(&self, pair: &str) -> bool {
        let (mut length, mut escaped) = (0, false);
        for byte in pair.bytes().take_while(|byte| *byte != b'=') {
            (length, escaped) = (length + 1, escaped | matches!(byte, b'%' | b'+'));
        }
        let Some(raw) = pair.get(..length) else { return false };
        if escaped {
            return self.names.iter().any(|name| is(raw, name));
        }
        self.lengths & Self::bit(length) != 0 && self.names.iter().any(|name| name == raw)
    }

    fn bit(length: usize) -> u64 {
        1 << (length % 64)
    }
}

/// How many of them are kept in place.
const FIRST: usize = 8;

/// The parameters that stay: the first of them in place, so that their text can be as long as they are, and is not copied
/// again when it becomes a URI.
struct Kept<'a, I> {
    first: [&'a str; FIRST],
    count: usize,
    rest: I,
}

impl<'a, I: Iterator<Item = &'a str>> Kept<'a, I> {
    fn of(mut pairs: I) -> Self {
        let mut first = [""; FIRST];
        let count = first.iter_mut().zip(&mut pairs).map(|(place, pair)| *place = pair).count();
        Self { first, count, rest: pairs }
    }

    fn after(self, path: &str) -> String {
        let first = self.first.get(..self.count).unwrap_or_default();
        let length = path.len() + first.iter().map(|pair| 1 + pair.len()).sum::<usize>();
        let mut kept = String::with_capacity(length);
        kept.push_str(path);
        for (position, pair) in first.iter().copied().chain(self.rest).enumerate() {
            kept.push(if position == 0 { '?' } else { '&' });
            kept.push_str(pair);
        }
        // No trace of a query that was nothing but the credential, or all but empty beside it.
        if kept.ends_with('?') && kept.len() == path.len() + 1 {
            kept.pop();
        }
        kept
    }
}

/// What stands between the ampersands, empty or not.
fn as_written(query: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(query);
    std::iter::from_fn(move || {
        let text = rest?;
        let cut = memchr(b'&', text.as_bytes()).and_then(|end| Some((text.get(..end)?, text.get(end + 1..)?)));
        let (pair, after) = cut.map_or((text, None), |(pair, after)| (pair, Some(after)));
        rest = after;
        Some(pair)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credential_is_taken_out_and_nothing_else() {
        let credential = Stripped::new([Cow::Borrowed("token"), Cow::Borrowed("company_id")]);
        for (uri, expected) in [
            ("/sso?company_id=1&token=x", "/sso"),
            ("/sso?a=%zz&token=x&b=1+2", "/sso?a=%zz&b=1+2"),
            ("/sso?%74oken=x&next=%2F", "/sso?next=%2F"),
            ("/sso", "/sso"),
            ("/?token", "/"),
            ("/?&token=x&&a", "/?&&a"),
            ("/sso?a&b&c&d&e&f&g&h&token=1&i&%74oken=2&j=k", "/sso?a&b&c&d&e&f&g&h&i&j=k"),
            ("/sso?tokem=x&Token=y&tokens=z&toke=n", "/sso?tokem=x&Token=y&tokens=z&toke=n"),
            ("http://rp.example/sso?token=x&a", "http://rp.example/sso?a"),
            ("http://rp.example?token=x", "http://rp.example/"),
        ] {
            let mut uri: Uri = uri.parse().unwrap();
            credential.strip(&mut uri);
            assert_eq!(uri.to_string(), expected);
        }
    }
}
