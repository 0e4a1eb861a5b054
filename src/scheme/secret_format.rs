use zeroize::Zeroizing;

use crate::text::base64::decode_base64_padded_or_not;
use crate::text::hex::decode_hex;

/// The format in which the sender's page shows the secret. Give the secret to the layer as the page shows it.
///
/// ```
/// use tower_sso::{scheme::SecretFormat, webhook};
///
/// // `whsec_` and base64: the decoded bytes are the key.
/// let layer = webhook::layer::<serde_json::Value>().secret_format(SecretFormat::Base64 { prefix: "whsec_" });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretFormat {
    /// The bytes are the key.
    Bytes,
    /// The text is the key, even if it looks encoded. Anything but visible ASCII is refused: it was probably decoded.
    Text,
    /// Base64 of the key, with or without padding, as pages show it either way, behind a prefix that may be left out.
    Base64 {
        /// What secrets begin with, such as `whsec_`; empty if nothing.
        prefix: &'static str,
    },
    /// The key in hexadecimal.
    Hex,
}

impl SecretFormat {
    /// The format that takes every text which this one takes, and the others too. `None`: a secret in this format is
    /// decoded, or it takes every text already.
    #[cfg(feature = "explain")]
    pub(crate) fn as_it_is(self) -> Option<Self> {
        (self == Self::Text).then_some(Self::Bytes)
    }

    /// The key.
    pub(crate) fn key(self, secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        const BASE64: &str = "is not base64: give it as the sender's page shows it";
        const HEX: &str = "is not hexadecimal: give it as the sender's page shows it";
        match self {
            Self::Bytes => Ok(secret.to_vec().into()),
            Self::Text if secret.iter().all(u8::is_ascii_graphic) => Ok(secret.to_vec().into()),
            Self::Text => Err("is not visible ASCII: give it as the sender's page shows it, not decoded"),
            Self::Base64 { prefix } => {
                let text = secret.strip_prefix(prefix.as_bytes()).unwrap_or(secret);
                let key = std::str::from_utf8(text).ok().and_then(decode_base64_padded_or_not).ok_or(BASE64)?;
                if key.is_empty() { Err("is empty") } else { Ok(key.into()) }
            }
            Self::Hex => {
                let key = std::str::from_utf8(secret).ok().and_then(decode_hex).ok_or(HEX)?;
                if key.is_empty() { Err("is empty") } else { Ok(key.into()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_as_pages_show_them() {
        use SecretFormat::{Base64, Bytes, Hex, Text};
        for (format, secret, expected) in [
            (Bytes, "any \u{e9}", Some(&b"any \xc3\xa9"[..])),
            (Text, "whsec_any", Some(b"whsec_any")),
            (Text, "d\u{e9}cod\u{e9}", None),
            (Base64 { prefix: "whsec_" }, "whsec_c2VjcmV0", Some(b"secret")),
            (Base64 { prefix: "whsec_" }, "whsec_c2VjcmU=", Some(b"secre")),
            (Base64 { prefix: "whsec_" }, "whsec_c2VjcmU", Some(b"secre")),
            (Base64 { prefix: "whsec_" }, "whsec_c2VjcmV0MQ==", Some(b"secret1")),
            (Base64 { prefix: "whsec_" }, "whsec_c2VjcmV0MQ", Some(b"secret1")),
            (Base64 { prefix: "whsec_" }, "whsec_c2VjcmV0MQ=", None),
            (Base64 { prefix: "whsec_" }, "c2VjcmV0", Some(b"secret")),
            (Base64 { prefix: "whsec_" }, "whsec_", None),
            (Base64 { prefix: "whsec_" }, "whsec_!", None),
            (Base64 { prefix: "" }, "c2Vj cmV0", None),
            (Hex, "6869", Some(b"hi")),
            (Hex, "686", None),
            (Hex, "", None),
        ] {
            let key = format.key(secret.as_bytes()).ok().map(|key| key.to_vec());
            assert_eq!(key.as_deref(), expected, "{format:?} {secret}");
        }
    }
}
