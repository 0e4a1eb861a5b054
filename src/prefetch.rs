//! Requests that declare that nobody clicked: prefetching browsers and scripts, chat previews, some mail scanners.

use http::{HeaderMap, HeaderName};

/// `Sec-Purpose` is the standard (Fetch, "Sec-Purpose"). Headers in use, now or formerly:
///
/// | header | by |
/// |---|---|
/// | `Sec-Purpose: prefetch` | Firefox since 115; Chromium, also with parameters (its `preloading_headers.h`) |
/// | `Purpose: prefetch` | Chromium beside `Sec-Purpose`, and before it; WebKit |
/// | `X-Purpose: preview` | Safari's and Opera's pages of thumbnails, Facebook's app |
/// | `X-Purpose: instant` | Chrome while an address was typed (its FAQ for webmasters); Chrome 12 sent `: preview` |
/// | `X-Moz: prefetch` | Firefox until 114 (MDN, "Link prefetching FAQ") |
/// | `X-Sec-Purpose: prefetch` | Hotwire Turbo 8 when the pointer is over a link |
/// | `HX-Preloaded: true` | htmx's extension `preload` |
fn words(name: &HeaderName) -> &'static [&'static [u8]] {
    match name.as_str() {
        "sec-purpose" | "purpose" | "x-purpose" | "x-moz" | "x-sec-purpose" => {
            &[b"prefetch", b"prerender", b"preview", b"instant"]
        }
        "hx-preloaded" => &[b"true"],
        _ => &[],
    }
}

/// Whether a header marks the request as one that nobody clicked.
pub(crate) fn is_marked(headers: &HeaderMap) -> bool {
    headers.iter().any(|(name, value)| {
        let words = words(name);
        let mut items = value.as_bytes().split(|byte| matches!(byte, b';' | b',' | b':'));
        !words.is_empty() && items.any(|item| words.iter().any(|word| is(item, word)))
    })
}

/// `prefetch`, `"prefetch"` and `prefetch=?1` mean the same: a token, a string, or a key with a value (RFC 9651).
fn is(item: &[u8], word: &[u8]) -> bool {
    let key = item.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    let key = key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")).unwrap_or(key);
    key.trim_ascii().eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_is_marked() {
        for (name, value, expected, why) in [
            ("sec-purpose", "prefetch", true, "Firefox, and Chromium for a page that loads ahead"),
            ("sec-purpose", "prefetch;anonymous-client-ip", true, "Chromium through its proxy"),
            ("sec-purpose", "prefetch;prerender", true, "Chromium renders ahead"),
            ("sec-purpose", "prefetch;prerender;preview", true, "Chromium previews a link"),
            ("purpose", "prefetch", true, "Chromium before `Sec-Purpose`"),
            ("x-purpose", "preview", true, "Safari, Opera, Facebook's app"),
            ("x-purpose", "Instant", true, "Chrome Instant, as its source spells it"),
            ("x-purpose", ": preview", true, "Chrome 12, which wrote the colon twice"),
            ("x-moz", "prefetch", true, "Firefox until 114"),
            ("x-sec-purpose", "prefetch", true, "Hotwire Turbo 8"),
            ("hx-preloaded", "true", true, "htmx"),
            ("hx-preloaded", "false", false, "not preloaded"),
            ("purpose", "true", false, "each header has its own words"),
            ("purpose", "navigation", false, "another purpose"),
            ("x-purpose", "instantly", false, "another word"),
            ("sec-fetch-purpose", "prefetch", false, "servers look for it, but nobody is known to send it"),
        ] {
            let headers = [(HeaderName::from_static(name), HeaderValue::from_static(value))].into_iter().collect();
            assert_eq!(is_marked(&headers), expected, "{name}: {value}: {why}");
        }
    }

    #[test]
    fn every_header_takes_every_word_in_every_spelling() {
        for name in ["sec-purpose", "purpose", "x-purpose", "x-moz", "x-sec-purpose"] {
            for word in ["prefetch", "prerender", "preview", "instant"] {
                let upper = word.to_ascii_uppercase();
                for value in [
                    word.to_owned(),
                    upper,
                    format!("\"{word}\""),
                    format!("{word}=?1"),
                    format!("other; {word}"),
                    format!("other, {word}"),
                    format!(" {word} ;anonymous-client-ip"),
                ] {
                    let value_of = HeaderValue::from_str(&value).unwrap();
                    let headers = [(HeaderName::from_static(name), value_of)].into_iter().collect();
                    assert!(is_marked(&headers), "{name}: {value}");
                }
            }
        }
    }
}
