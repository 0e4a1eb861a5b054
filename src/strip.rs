//! Taking a spent credential out of a URI.

use std::borrow::Cow;
use std::sync::OnceLock;

use http::Uri;
use http::uri::PathAndQuery;
use memchr::memchr;

use crate::query::is;

/// The names of parameters to be taken out of URIs.
pub(crate) struct Stripped {
    names: Vec<Cow<'static, str>>,
    /// With which bytes a spelling of one of them, none of which is empty, may begin. Most names of other parameters are
    /// known by their first.
    beginnings: [bool; 256],
    /// The path of which nothing but the path is left: a login route has one, and it need not be made anew each time.
    bare: OnceLock<PathAndQuery>,
}

impl Stripped {
    pub(crate) fn new(names: impl IntoIterator<Item = Cow<'static, str>>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        let mut beginnings = [false; 256];
        let first = names.iter().filter_map(|name| name.as_bytes().first().copied());
        for byte in first.chain(*b"%+") {
            if let Some(may_begin) = beginnings.get_mut(usize::from(byte)) {
                *may_begin = true;
            }
        }
        Self { names, beginnings, bare: OnceLock::new() }
    }

    /// Takes the parameters out; the others stay byte for byte and in order.
    pub(crate) fn strip(&self, uri: &mut Uri) {
        let Some(query) = uri.query().filter(|_| !self.names.is_empty()) else { return };
        let kept = Kept::of(self.kept(query));
        let path_and_query = self.path_and_query(uri.path(), kept);
        *uri = if uri.authority().is_none() {
            Uri::from(path_and_query)
        } else {
            let mut parts = std::mem::take(uri).into_parts();
            parts.path_and_query = Some(path_and_query);
            Uri::from_parts(parts).unwrap_or_default()
        };
    }

    fn path_and_query<'a>(&self, path: &str, kept: Kept<'a, impl Iterator<Item = &'a str>>) -> PathAndQuery {
        // What is left of a valid URI is valid. Were it not, the path alone is: the credential never stays.
        let made = |kept: String| PathAndQuery::try_from(kept).unwrap_or_else(|_| PathAndQuery::from_static("/"));
        if !kept.is_empty() {
            return made(kept.after(path));
        }
        let bare = self.bare.get_or_init(|| made(path.to_owned()));
        if bare.as_str() == path { bare.clone() } else { made(path.to_owned()) }
    }

    /// What stays, as it is written: parameters that stand side by side stay together.
    fn kept<'a>(&self, query: &'a str) -> impl Iterator<Item = &'a str> {
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let mut run: Option<(usize, usize)> = None;
            while let Some(start) = next {
                let rest = query.get(start..)?;
                let length = memchr(b'&', rest.as_bytes());
                next = length.map(|length| start + length + 1);
                let pair = rest.get(..length.unwrap_or(rest.len()))?;
                match (self.has(pair), &mut run) {
                    (true, None) => {}
                    (true, Some(_)) => break,
                    (false, Some((_, end))) => *end = start + pair.len(),
                    (false, None) => run = Some((start, start + pair.len())),
                }
            }
            run.and_then(|(start, end)| query.get(start..end))
        })
    }

    fn has(&self, pair: &str) -> bool {
        let Some(first) = pair.as_bytes().first() else { return false };
        if self.beginnings.get(usize::from(*first)) != Some(&true) {
            return false;
        }
        let name = pair.get(..memchr(b'=', pair.as_bytes()).unwrap_or(pair.len())).unwrap_or(pair);
        self.names.iter().any(|known| known == name) || self.names.iter().any(|known| is(name, known))
    }
}

/// How many of them are kept in place.
const FIRST: usize = 4;

/// What stays: the first pieces in place, so that their text can be as long as they are, and is not copied again when it
/// becomes a URI.
struct Kept<'a, I> {
    first: [&'a str; FIRST],
    count: usize,
    rest: I,
}

impl<'a, I: Iterator<Item = &'a str>> Kept<'a, I> {
    fn of(mut pieces: I) -> Self {
        let mut first = [""; FIRST];
        let count = first.iter_mut().zip(&mut pieces).map(|(place, piece)| *place = piece).count();
        Self { first, count, rest: pieces }
    }

    /// Whether nothing is left that would leave a trace: all of it was the credential, or all but empty beside it.
    fn is_empty(&self) -> bool {
        matches!((self.count, self.first), (0, _) | (1, ["", ..]))
    }

    fn after(self, path: &str) -> String {
        let first = self.first.get(..self.count).unwrap_or_default();
        let length = path.len() + first.iter().map(|piece| 1 + piece.len()).sum::<usize>();
        let mut kept = String::with_capacity(length);
        kept.push_str(path);
        for (position, piece) in first.iter().copied().chain(self.rest).enumerate() {
            kept.push(if position == 0 { '?' } else { '&' });
            kept.push_str(piece);
        }
        kept
    }
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
            ("/sso?a&token&b&token&c&d&token&e&token&f&token&&token&g&", "/sso?a&b&c&d&e&f&&g&"),
            ("/sso?&&token=x&", "/sso?&&"),
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
