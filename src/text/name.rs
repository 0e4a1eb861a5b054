//! Names of parameters that a client wrote, as operators see them.

/// The longest name that is shown.
const LONGEST: usize = 24;

/// The name, if it looks like one. A request that was cut in a wrong place has a value, or a part of its signature,
/// where a name belongs.
pub(crate) fn shown(name: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/[]$".contains(&byte);
    if name.len() <= LONGEST && name.bytes().all(is_plain) { name } else { "…" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_name() {
        for name in ["", "email", "oauth_signature_method", "user[email]", "openid.sig", "/amount/value", "x-api-key"] {
            assert_eq!(shown(name), name);
        }
        for value in ["ada@x.example", "a b", "a%20b", "c4fcc2e9d6b2a1f0c4fcc2e9d6b2a1f0", "zoë", "a\nb"] {
            assert_eq!(shown(value), "…", "{value}");
        }
    }
}
