//! Taking a spent credential out of a URI.

use std::borrow::Cow;
use std::sync::OnceLock;

use http::Uri;
use http::uri::PathAndQuery;
use memchr::{memchr, memchr2};

use crate::query::is;

/// The names of parameters to be taken out of URIs.
pub(crate) struct CredentialParameters {
    names: Vec<Cow<'static, str>>,
    /// Those of them that can stand in a query as they are.
    plain: Vec<Cow<'static, str>>,
    /// With which bytes a spelling of one of them, none of which is empty, may begin. Most names of other parameters
    /// are known by their first.
    beginnings: [bool; 256],
    /// A path without any query left. A login route has one, so it is made once.
    bare: OnceLock<PathAndQuery>,
}

impl CredentialParameters {
    pub(crate) fn new(names: impl IntoIterator<Item = Cow<'static, str>>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        let mut beginnings = [false; 256];
        let first = names.iter().filter_map(|name| name.as_bytes().first().copied());
        for byte in first.chain(*b"%+") {
            if let Some(may_begin) = beginnings.get_mut(usize::from(byte)) {
                *may_begin = true;
            }
        }
        let plain = names.iter().filter(|name| !name.contains(['=', '&', '+', '%'])).cloned().collect();
        Self { names, plain, beginnings, bare: OnceLock::new() }
    }

    /// Takes the parameters out; the others stay byte for byte and in order.
    pub(crate) fn strip(&self, uri: &mut Uri) {
        let Some(query) = uri.query().filter(|_| !self.names.is_empty()) else { return };
        let path_and_query = self.left(uri.path(), query);
        *uri = if uri.authority().is_none() {
            Uri::from(path_and_query)
        } else {
            let mut parts = std::mem::take(uri).into_parts();
            parts.path_and_query = Some(path_and_query);
            Uri::from_parts(parts).unwrap_or_default()
        };
    }

    /// What is left of a query, after its path.
    fn left(&self, path: &str, query: &str) -> PathAndQuery {
        // What is left of a valid URI is valid. Were it not, the path alone is: the credential never stays.
        let made = |left: String| PathAndQuery::try_from(left).unwrap_or_else(|_| PathAndQuery::from_static("/"));
        // The first pieces are kept in place. The text is then as long as it must be, and not copied when it becomes a
        // URI.
        let (mut first, mut count, mut length) = ([""; 4], 0, path.len());
        self.each_kept(query, |piece| {
            if let Some(place) = first.get_mut(count) {
                *place = piece;
            }
            count += 1;
            length += 1 + piece.len();
        });
        // Nothing is left that would leave a trace: all of it was the credential, or all but empty beside it.
        if count == 0 || length == path.len() + 1 {
            let bare = self.bare.get_or_init(|| made(path.to_owned()));
            return if bare.as_str() == path { bare.clone() } else { made(path.to_owned()) };
        }
        let mut left = String::with_capacity(length);
        left.push_str(path);
        let push = |piece: &str| {
            left.push(if left.len() == path.len() { '?' } else { '&' });
            left.push_str(piece);
        };
        match first.get(..count) {
            Some(all) => all.iter().copied().for_each(push),
            None => self.each_kept(query, push),
        }
        made(left)
    }

    /// What stays, as it is written: parameters that stand side by side stay together.
    fn each_kept<'a>(&self, query: &'a str, mut keep: impl FnMut(&'a str)) {
        let (mut next, mut run) = (Some(0), None);
        while let Some(start) = next {
            let Some(rest) = query.get(start..) else { return };
            if !self.has(rest) {
                run = run.or(Some(start));
            } else if let Some(piece) = run.take().and_then(|run| query.get(run..start - 1)) {
                keep(piece);
            }
            next = memchr(b'&', rest.as_bytes()).map(|length| start + length + 1);
        }
        if let Some(piece) = run.and_then(|run| query.get(run..)) {
            keep(piece);
        }
    }

    /// Whether the first parameter is one of them.
    fn has(&self, parameters: &str) -> bool {
        let bytes = parameters.as_bytes();
        let Some(first) = bytes.first().copied() else { return false };
        if self.beginnings.get(usize::from(first)) != Some(&true) {
            return false;
        }
        // As it is written, mostly. The byte after it is looked at first: it is seldom the end of a name.
        let is_written =
            |known: &[u8]| matches!(bytes.get(known.len()), None | Some(b'=' | b'&')) && bytes.starts_with(known);
        if self.plain.iter().any(|known| is_written(known.as_bytes())) {
            return true;
        }
        let name = parameters.get(..memchr2(b'=', b'&', bytes).unwrap_or(bytes.len())).unwrap_or(parameters);
        self.names.iter().any(|known| is(name, known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credential_is_taken_out_and_nothing_else() {
        let credential = CredentialParameters::new([Cow::Borrowed("token"), Cow::Borrowed("company_id")]);
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

    #[test]
    fn a_name_is_not_taken_for_a_name_and_its_value() {
        let credential = CredentialParameters::new(["a=b", "c&d", "e+"].map(Cow::Borrowed));
        let mut uri: Uri = "/sso?a=b&c&d&a%3Db=1&c%26d&e+=1&e%2B".parse().unwrap();
        credential.strip(&mut uri);
        assert_eq!(uri.to_string(), "/sso?a=b&c&d&e+=1");
    }
}
