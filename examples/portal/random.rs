//! Random values from the operating system.

use std::io;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;

/// 256 bits in base64url.
pub(crate) fn secret() -> io::Result<String> {
    Ok(BASE64_URL_SAFE.encode(bytes::<32>()?))
}

/// 128 bits in hex.
pub(crate) fn id() -> io::Result<String> {
    Ok(bytes::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}
