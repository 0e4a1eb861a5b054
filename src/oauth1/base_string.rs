//! The signature base string (RFC 5849, 3.4.1) and the key (3.4.2).

use zeroize::Zeroizing;

use crate::encoding::percent_encode;
use crate::keys::Secret;

/// Method, base URI and parameters. The parameters are encoded, and sorted by their encoded bytes.
pub(crate) fn build<'a>(method: &str, uri: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let (mut encoded, mut spans) = (Vec::with_capacity(512), Vec::with_capacity(16));
    for (name, value) in pairs {
        let start = encoded.len();
        percent_encode(name.as_bytes(), &mut encoded);
        let middle = encoded.len();
        percent_encode(value.as_bytes(), &mut encoded);
        spans.push((start..middle, middle..encoded.len()));
    }
    let text = |span: &std::ops::Range<usize>| encoded.get(span.clone()).unwrap_or_default();
    spans.sort_unstable_by(|(name, value), other| {
        text(name).cmp(text(&other.0)).then_with(|| text(value).cmp(text(&other.1)))
    });
    let mut joined = Vec::with_capacity(encoded.len() + 2 * spans.len());
    for (name, value) in &spans {
        if !joined.is_empty() {
            joined.push(b'&');
        }
        joined.extend_from_slice(text(name));
        joined.push(b'=');
        joined.extend_from_slice(text(value));
    }
    // Each of the three is encoded as one value, the parameters for the second time.
    let mut base = Vec::with_capacity(method.len() + 2 * uri.len() + 2 * joined.len());
    percent_encode(method.to_ascii_uppercase().as_bytes(), &mut base);
    base.push(b'&');
    percent_encode(uri.as_bytes(), &mut base);
    base.push(b'&');
    percent_encode(&joined, &mut base);
    base
}

/// The consumer's secret, encoded, and no token's secret.
pub(crate) fn key(secret: &[u8]) -> Secret {
    let mut key = Zeroizing::new(Vec::with_capacity(secret.len() * 3 + 1));
    percent_encode(secret, &mut key);
    key.push(b'&');
    Secret::new(key.as_slice())
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
