//! The signature base string (RFC 5849, 3.4.1) and the key (3.4.2).

use std::fmt::Write;

use zeroize::Zeroizing;

use crate::keys::Secret;

/// Method, base URI and parameters. The parameters are encoded, and sorted by their encoded bytes.
pub(crate) fn build<'a>(method: &str, uri: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut encoded: Vec<(String, String)> = pairs.map(|(name, value)| (encode(name), encode(value))).collect();
    encoded.sort_unstable();
    let mut base = String::with_capacity(512);
    encode_into(&method.to_ascii_uppercase(), &mut base);
    base.push('&');
    encode_into(uri, &mut base);
    base.push('&');
    for (position, (name, value)) in encoded.iter().enumerate() {
        if position > 0 {
            base.push_str("%26");
        }
        // Encoded a second time, as one value: only their percent signs change.
        encode_into(name, &mut base);
        base.push_str("%3D");
        encode_into(value, &mut base);
    }
    base.into_bytes()
}

/// The consumer's secret, encoded, and no token's secret.
pub(crate) fn key(secret: &[u8]) -> Secret {
    let mut key = Zeroizing::new(String::with_capacity(secret.len() * 3 + 1));
    encode_bytes(secret, &mut key);
    key.push('&');
    Secret::new(key.as_bytes())
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    encode_into(text, &mut encoded);
    encoded
}

fn encode_into(text: &str, encoded: &mut String) {
    encode_bytes(text.as_bytes(), encoded);
}

/// RFC 5849, 3.6: letters, digits, `-`, `.`, `_` and `~` stay; all else is escaped, upper-case.
fn encode_bytes(bytes: &[u8], encoded: &mut String) {
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5849, 3.4.1.1.
    #[test]
    fn the_rfcs_example() {
        let pairs = [
            ("b5", "=%3D"),
            ("a3", "a"),
            ("c@", ""),
            ("a2", "r b"),
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("c2", ""),
            ("a3", "2 q"),
        ];
        let base = build("post", "http://example.com/request", pairs.into_iter());
        assert_eq!(
            String::from_utf8(base).unwrap(),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26\
             c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26\
             oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
        assert_eq!(key(b"partner secret&/").expose(), b"partner%20secret%26%2F&");
    }
}
