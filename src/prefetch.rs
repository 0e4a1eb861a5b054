//! Requests that nobody clicked, as far as they say so: browsers that load ahead, chat previews, some mail scanners.

use http::{HeaderMap, HeaderName};

/// `Sec-Purpose` is the standard (Fetch, "Sec-Purpose"); browsers before it and preview services send the others.
static HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-purpose"),
    HeaderName::from_static("x-moz"),
];

const WORDS: [&[u8]; 3] = [b"prefetch", b"prerender", b"preview"];

/// Whether a header marks the request as one that nobody clicked.
pub(crate) fn is_marked(headers: &HeaderMap) -> bool {
    let marks = HEADERS.iter().filter(|name| headers.contains_key(*name));
    marks.flat_map(|name| headers.get_all(name)).any(|value| {
        value.as_bytes().split(|byte| matches!(byte, b';' | b',')).any(|item| WORDS.iter().any(|word| is(item, word)))
    })
}

/// `prefetch`, `"prefetch"` and `prefetch=?1` are one word: a token, a string, or a key with a value (RFC 9651).
fn is(item: &[u8], word: &[u8]) -> bool {
    let key = item.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    let key = key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")).unwrap_or(key);
    key.trim_ascii().eq_ignore_ascii_case(word)
}
