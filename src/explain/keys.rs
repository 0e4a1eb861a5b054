use crate::keys::Secret;
use crate::text::base64::{decode_base64_padded_or_not, decode_base64url, encode_base64, without_padding};
use crate::text::hex::{decode_hex, encode_hex};

/// What a partner may have signed with instead of this secret, and how that came about.
pub(super) fn other_keys(secret: &Secret) -> Vec<(&'static str, Secret)> {
    let bytes = secret.expose();
    let mut others = Vec::new();
    let mut add = |cause, other: Vec<u8>| {
        if other != bytes && !other.is_empty() {
            others.push((cause, Secret::verbatim(other)));
        }
    };
    let around = |before: &[u8], after: &[u8]| [before, bytes, after].concat();
    add("the partner's copy of the secret ends with a line feed: have it removed", around(b"", b"\n"));
    add(
        "the partner's copy of the secret ends with a carriage return and a line feed: have them removed",
        around(b"", b"\r\n"),
    );
    add("the partner's copy of the secret ends with a space: have it removed", around(b"", b" "));
    add("the partner's copy of the secret begins with a space: have it removed", around(b" ", b""));
    add("the partner's copy of the secret is in double quotes: have them removed", around(b"\"", b"\""));
    add("the partner's copy of the secret is in single quotes: have them removed", around(b"'", b"'"));
    add(
        "the partner's copy of the secret begins with a byte order mark: have its file saved without one",
        around(b"\xef\xbb\xbf", b""),
    );
    add("our copy of the secret has white space at an end: remove it", bytes.trim_ascii().to_vec());
    let Ok(text) = std::str::from_utf8(bytes) else { return others };
    let bare = text.trim().trim_start_matches('\u{feff}').trim_matches(['"', '\'']);
    add("our copy of the secret has quotes or a byte order mark around it: remove them", bare.into());
    add("the partner signs with the secret in lower case", text.to_lowercase().into());
    add("the partner signs with the secret in upper case", text.to_uppercase().into());
    for (prefix, cause) in [
        (
            "whsec_",
            "the partner decodes the secret as base64 after `whsec_`, and this layer takes its text: see `secret_format`",
        ),
        ("", "the partner decodes the secret as base64, and this layer takes its text: see `secret_format`"),
    ] {
        let encoded = text.strip_prefix(prefix).and_then(without_padding).unwrap_or_default();
        let decoded = decode_base64_padded_or_not(encoded).or_else(|| decode_base64url(encoded)).unwrap_or_default();
        let hex = encode_hex(&decoded);
        add(cause, decoded);
        // A layer that decodes the secret itself gets the text from its base64.
        for other in [encode_base64(hex.as_bytes()), hex] {
            add("the partner writes the decoded secret as hexadecimal, and signs with that text", other.into());
        }
    }
    add("the partner signs with what stands behind `whsec_`", text.strip_prefix("whsec_").unwrap_or_default().into());
    add(
        "the partner decodes the secret as hexadecimal, and this layer takes its text",
        decode_hex(text).unwrap_or_default(),
    );
    add(
        "the partner signs with the secret's base64: give it to this layer decoded or not, as the partner's page says",
        encode_base64(bytes).into(),
    );
    add(
        "the partner signs with the secret's hexadecimal: give it to this layer decoded or not, as the partner's page says",
        encode_hex(bytes).into(),
    );
    others
}
