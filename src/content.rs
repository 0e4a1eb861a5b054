//! The content type and encoding of a body.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::rejection::Reason;

/// Checks that the content type is the wanted one, with any parameters, and that the body is not compressed.
pub(crate) fn check_content(headers: &HeaderMap, wanted: Option<&str>) -> Result<(), Reason> {
    let encodings = headers.get_all(CONTENT_ENCODING);
    if encodings.iter().any(|encoding| !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity")) {
        return Err(Reason::ContentEncoding);
    }
    let Some(wanted) = wanted else { return Ok(()) };
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(given), None) = (types.next(), types.next()) else { return Err(Reason::ContentType) };
    let essence = given.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(wanted.as_bytes()) { Ok(()) } else { Err(Reason::ContentType) }
}
