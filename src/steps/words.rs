//! What the parts of a request are, in words.

use crate::scheme::{Encoding, TimeFormat};

pub(crate) fn encoding(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Hex => "in hexadecimal",
        Encoding::Base64 => "in base64",
        Encoding::Base64Url => "in base64url",
        Encoding::Base64OfHex => "in base64 of hexadecimal",
    }
}

pub(crate) fn time(format: TimeFormat) -> &'static str {
    match format {
        TimeFormat::Seconds | TimeFormat::FractionalSeconds => "when it is signed, in seconds since 1970",
        TimeFormat::Milliseconds => "when it is signed, in milliseconds since 1970",
        TimeFormat::Rfc3339 => "when it is signed, as in RFC 3339",
        TimeFormat::HttpDate => "when it is signed, as an HTTP date",
        TimeFormat::WallTime { .. } => "when it is signed, as a date and time without a zone",
    }
}
