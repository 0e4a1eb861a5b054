//! Where a sign-in lands: [`LocalPath`], a redirect target on your own site.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write;

use http::{HeaderValue, Uri};

use crate::query::Query;

const LONGEST: usize = 2_048;

/// A path on your own origin, with query and fragment. It never leads to another host, however a browser reads it.
///
/// It comes from an unsigned parameter (`next`, `return_to_path`). Any other text is refused, not repaired: land on
/// your default page then, and let the sign-in succeed.
///
/// | refused | such as |
/// |---|---|
/// | what does not start with a slash | `https://evil.example`, `evil` |
/// | two slashes first, however spelt, whatever follows | `//evil`, `//evil/../..`, `/\evil`, `/%2Fevil`, `/%09/evil` |
/// | two slashes and dot segments, which could move them to the front | `/.//evil`, `/a/..//evil`, `/.%2F%2Fevil` |
/// | backslashes anywhere in the path, control characters, more than 2,048 bytes | `/a\..\\evil`, `/<tab>/evil` |
///
/// ```
/// use tower_sso::landing::LocalPath;
///
/// let next = LocalPath::parse("/catalog/?q=1#top").unwrap();
/// assert_eq!(next.as_str(), "/catalog/?q=1#top");
/// assert_eq!(LocalPath::parse("//evil.example"), None);
/// assert_eq!(LocalPath::default().as_str(), "/");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LocalPath(Cow<'static, str>);

impl LocalPath {
    /// Parses a path from text that has been decoded once. Characters that a header cannot hold are percent-encoded.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST || text.chars().any(char::is_control) {
            return None;
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        if !path.starts_with('/') || path.contains('\\') || may_leave(path) {
            return None;
        }
        Some(Self(encode(text).into()))
    }

    /// The path in a query parameter, decoded once as form data. `None` if it is missing, duplicate or not a local
    /// path.
    ///
    /// ```
    /// use tower_sso::landing::LocalPath;
    ///
    /// let uri: http::Uri = "/sso/oauth/?next=%2Fcatalog%2F%3Fq%3D1".parse()?;
    /// assert_eq!(LocalPath::from_query(&uri, "next").unwrap().as_str(), "/catalog/?q=1");
    /// # Ok::<(), http::uri::InvalidUri>(())
    /// ```
    pub fn from_query(uri: &Uri, parameter: &str) -> Option<Self> {
        Self::parse(&Query::of(uri).value(parameter).ok()??)
    }

    /// The path, fit for a `Location` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The root of the site.
impl Default for LocalPath {
    fn default() -> Self {
        Self("/".into())
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<LocalPath> for HeaderValue {
    fn from(path: LocalPath) -> Self {
        // The path is visible ASCII. If it were not, the root would be safe.
        Self::try_from(path.0.as_ref()).unwrap_or(Self::from_static("/"))
    }
}

/// Whether any reader could see two slashes at the start. Browsers look for a host there before they remove dot
/// segments. A server that removes the dots first gets two slashes only if the path has both.
fn may_leave(path: &str) -> bool {
    let path = decoded_once(path);
    path.starts_with("//") || (path.contains("//") && path.split('/').any(|segment| matches!(segment, "." | "..")))
}

/// The path after a server or a proxy in between has decoded its slashes and dots, and a browser has dropped tabs and
/// line ends. A browser does not decode slashes itself, but follows where such a server sends it.
fn decoded_once(path: &str) -> String {
    const ESCAPES: [(&str, &str); 11] = [
        ("%09", ""),
        ("%0a", ""),
        ("%0A", ""),
        ("%0d", ""),
        ("%0D", ""),
        ("%2e", "."),
        ("%2E", "."),
        ("%2f", "/"),
        ("%2F", "/"),
        ("%5c", "/"),
        ("%5C", "/"),
    ];
    ESCAPES.iter().fold(path.to_owned(), |path, (escape, decoded)| path.replace(escape, decoded))
}

/// Percent-encodes characters that do not belong in a header or need quoting in a page.
fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'!' | b'#'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'|' | b'~' => {
                encoded.push(byte.into());
            }
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_paths() {
        for (text, expected, why) in [
            ("/", Some("/"), "the root"),
            ("/catalog/?q=1#top", Some("/catalog/?q=1#top"), "query and fragment are kept"),
            ("/a/../b/./c", Some("/a/../b/./c"), "dot segments that stay inside"),
            ("/a//b", Some("/a//b"), "two slashes further on"),
            ("/ü b", Some("/%C3%BC%20b"), "what a header cannot hold is encoded"),
            ("/100%", Some("/100%"), "decoded once, and not again"),
            ("/a?next=//evil.example", Some("/a?next=//evil.example"), "another's parameter"),
            (r"/a?b=\\c", Some("/a?b=%5C%5Cc"), "a backslash in the query"),
            ("/@evil.example", Some("/@evil.example"), "no authority without two slashes"),
            ("", None, "empty"),
            ("evil", None, "relative"),
            ("?a", None, "relative"),
            ("https://evil.example/", None, "a scheme"),
            ("javascript:alert(1)", None, "a scheme"),
            (" /a", None, "a space first"),
            ("//evil.example", None, "another host"),
            ("///evil.example", None, "another host"),
            (r"/\evil.example", None, "a backslash is a slash to browsers"),
            (r"\/evil.example", None, "a backslash first"),
            (r"/a\b", None, "a backslash in the path"),
            ("/\t/evil.example", None, "browsers drop tabs"),
            ("/\n/evil.example", None, "browsers drop line feeds"),
            ("/a\r\nSet-Cookie: x=1", None, "a header of its own"),
            ("/\0", None, "NUL"),
            ("/%2Fevil.example", None, "a slash in disguise"),
            ("/%2fevil.example", None, "a slash in disguise"),
            ("/%5Cevil.example", None, "a backslash in disguise"),
            ("/.//evil.example", None, "a dot segment that leaves two slashes"),
            ("/..//evil.example", None, "two dots that leave two slashes"),
            ("/a/..//evil.example", None, "two dots that leave two slashes"),
            ("/%2e//evil.example", None, "an escaped dot segment"),
            ("/a/%2E%2e//evil.example", None, "escaped dots"),
            ("/./%2Fevil.example", None, "a dot segment and a slash in disguise"),
            ("/%2e%2e//evil.example", None, "escaped dots at the root"),
            ("/%5cevil.example", None, "a backslash in disguise"),
            ("/.%2F%2Fevil.example", None, "what is local until a server between decodes it"),
            ("/%2e%2f%5Cevil.example", None, "the same, all of it escaped"),
            ("/a%2f..%2f%2fevil.example", None, "the same, two dots"),
            ("/x%2Fy/..//evil.example", None, "a browser takes an escaped slash for a letter"),
            ("/x%2Fy/../%2Fevil.example", None, "a slash in disguise, behind one that a browser takes for a letter"),
            ("/a?b=\t", None, "a control character in the query"),
            ("/a#\u{85}", None, "a control character of Unicode"),
            ("/%09/evil.example", None, "browsers drop tabs that a server between has decoded"),
            ("/%0d%0A%2Fevil.example", None, "line ends too"),
            ("/a%09/b", Some("/a%09/b"), "a tab further on"),
            ("/./%09/%09..", None, "dots that appear only once a server has decoded a tab"),
            ("/a//../b", None, "stays here, but no honest link has both dots and two slashes"),
            ("//evil.example/..", None, "dots do not undo a host"),
            ("//evil.example/../..", None, "dots do not undo a host"),
            ("//user@evil.example:8443/%2e%2E/..?q=1", None, "dots do not undo a host"),
            ("/%2Fevil.example/../..", None, "nor one behind a slash in disguise"),
            ("//..", None, "two slashes, whatever follows"),
            ("/\u{ff0f}evil.example", Some("/%EF%BC%8Fevil.example"), "a wide slash is one only in a host name"),
            ("/go/https%3A%2F%2Fother.example", Some("/go/https%3A%2F%2Fother.example"), "a segment, further on"),
            ("/a/%2F/b", Some("/a/%2F/b"), "a slash in disguise, further on"),
            ("/.well-known/x", Some("/.well-known/x"), "no dot segment"),
            ("/a/..", Some("/a/.."), "the root, in the end"),
            ("/..", Some("/.."), "the root, in the end"),
            ("/.", Some("/."), "the root, in the end"),
        ] {
            assert_eq!(LocalPath::parse(text).as_ref().map(LocalPath::as_str), expected, "{text:?}: {why}");
        }
        assert!(LocalPath::parse(&format!("/{}", "x".repeat(2_047))).is_some());
        assert_eq!(LocalPath::parse(&format!("/{}", "x".repeat(2_048))), None);
    }

    #[test]
    fn parameters() {
        let next = |uri: &str| LocalPath::from_query(&uri.parse().unwrap(), "next").map(|path| path.to_string());
        assert_eq!(next("/?next=%2Fa%2Bb"), Some("/a+b".into()));
        assert_eq!(next("/?next=%2Fa&next=%2Fb"), None, "twice");
        assert_eq!(next("/?next=%252F%252Fevil"), None, "decoded once: not a path");
        assert_eq!(next("/?next=%2F%2Fevil"), None);
        assert_eq!(next("/"), None);
    }
}
