//! Headers that may appear at most once; the content type and encoding of a body.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::rejection::Reason;

/// The value of a header that may appear at most once.
pub(crate) fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Reason> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Reason::DuplicateParameter(name.as_str().to_owned().into())),
    }
}

/// As [`once`], for a value that must be visible ASCII; else it is malformed in these words.
pub(crate) fn once_text<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    problem: &'static str,
) -> Result<Option<&'a str>, Reason> {
    let text = once(headers, name)?.map(HeaderValue::to_str).transpose();
    text.map_err(|_| Reason::Malformed(name.as_str().to_owned().into(), problem))
}

/// Checks that the content type is the wanted one, with any parameters, and that the body is not compressed.
pub(crate) fn check_content(headers: &HeaderMap, wanted: Option<&str>) -> Result<(), Reason> {
    check_contents(headers, wanted.as_ref().map(std::slice::from_ref))
}

/// As [`check_content`], for several content types.
pub(crate) fn check_contents(headers: &HeaderMap, wanted: Option<&[impl AsRef<str>]>) -> Result<(), Reason> {
    let encodings = headers.get_all(CONTENT_ENCODING);
    if encodings.iter().any(|encoding| !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity")) {
        return Err(Reason::ContentEncoding);
    }
    let Some(wanted) = wanted else { return Ok(()) };
    let Ok(Some(given)) = once(headers, &CONTENT_TYPE) else { return Err(Reason::ContentType) };
    let essence = given.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is_wanted = wanted.iter().any(|wanted| essence.eq_ignore_ascii_case(wanted.as_ref().as_bytes()));
    if is_wanted { Ok(()) } else { Err(Reason::ContentType) }
}
