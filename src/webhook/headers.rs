use http::{HeaderMap, HeaderName};

use crate::rejection::Reason;
use crate::text::headers::once_text;

/// The value of a header that may appear at most once.
pub(super) fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Reason> {
    once_text(headers, name, "is not ASCII text")
}

pub(super) fn malformed(name: &HeaderName, what: &'static str) -> Reason {
    Reason::Malformed(name.as_str().to_owned().into(), what)
}

pub(super) fn timestamp<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Reason> {
    required(headers, name)
}

/// A message's id. Its characters cannot occur between the signed parts, so the parts cannot be split differently.
pub(super) fn id<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Reason> {
    let text = required(headers, name)?;
    if !(1..=255).contains(&text.len()) {
        return Err(malformed(name, "is empty or too long"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return Err(malformed(name, "holds more than letters, digits, `_` and `-`"));
    }
    Ok(text)
}

fn required<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Reason> {
    once(headers, name)?.ok_or_else(|| Reason::MissingParameter(name.as_str().to_owned().into()))
}
