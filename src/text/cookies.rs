//! Cookies of a request.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::rejection::Reason;

/// The cookies of all `Cookie` headers (RFC 6265, 4.2; HTTP/2 splits them: RFC 9113, 8.2.3).
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.map(<[u8]>::trim_ascii)
}

fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

/// Whether a cookie's name is a spelling of this one: some servers trim and decode names, so a handler might read it.
fn is_named(pair: &[u8], name: &str) -> bool {
    let given = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    given == name.as_bytes() || percent_encoding::percent_decode(given).eq(name.bytes())
}

/// The value of the cookie of this name, which may be there once, in one spelling.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Reason> {
    let mut found = cookies(headers).filter(|pair| is_named(pair, name));
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(pair), None) => match value_of(pair, name).map(std::str::from_utf8) {
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(Reason::Malformed(name.to_owned().into(), "is not UTF-8")),
            None => Err(Reason::Malformed(name.to_owned().into(), "is a cookie whose name is spelled in another way")),
        },
        (Some(_), Some(_)) => Err(Reason::DuplicateParameter(name.to_owned().into())),
    }
}

/// Takes a cookie out, in every spelling. The others stay, marked as sensitive if they were.
pub(crate) fn remove_cookie(headers: &mut HeaderMap, name: &str) {
    let kept = cookies(headers).filter(|pair| !pair.is_empty() && !is_named(pair, name));
    let kept = kept.collect::<Vec<_>>().join(&b"; "[..]);
    let is_sensitive = headers.get_all(COOKIE).iter().any(HeaderValue::is_sensitive);
    headers.remove(COOKIE);
    if let Some(mut kept) = HeaderValue::from_bytes(&kept).ok().filter(|kept| !kept.is_empty()) {
        kept.set_sensitive(is_sensitive);
        headers.insert(COOKIE, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_stays_out_of_logs() {
        for sensitive in [false, true] {
            let cookies = ["sso=1", "session=2"].map(HeaderValue::from_static);
            let mut headers = HeaderMap::from_iter(cookies.map(|cookie| (COOKIE, cookie)));
            headers.get_mut(COOKIE).unwrap().set_sensitive(sensitive);
            remove_cookie(&mut headers, "sso");
            assert_eq!(headers[COOKIE], "session=2");
            assert_eq!(headers[COOKIE].is_sensitive(), sensitive);
        }
    }
}
