//! The signature base string (RFC 5849, 3.4.1) and the key (3.4.2).

use zeroize::Zeroizing;

use super::text::Text;
use crate::encoding::percent_encode;
use crate::keys::Secret;

/// Method, base URI (its two halves) and parameters. The parameters are encoded, and sorted by their encoded bytes.
pub(crate) fn build<'a>(
    method: &str,
    (origin, path): (&str, &str),
    pairs: impl Iterator<Item = (&'a Text<'a>, &'a Text<'a>)>,
) -> Vec<u8> {
    let (mut pieces, mut encoded) = (Vec::with_capacity(16), Vec::with_capacity(256));
    let mut length = 0;
    for (name, value) in pairs {
        length += name.len() + value.len();
        let (name, value) = (Piece::of(name, &mut encoded), Piece::of(value, &mut encoded));
        pieces.push((beginning(name.bytes(&encoded)), name, value));
    }
    // Most names differ in their beginnings, and two numbers are compared at once.
    pieces.sort_unstable_by(|(beginning, name, value), (other_beginning, other_name, other_value)| {
        let names = || name.bytes(&encoded).cmp(other_name.bytes(&encoded));
        let values = || value.bytes(&encoded).cmp(other_value.bytes(&encoded));
        beginning.cmp(other_beginning).then_with(names).then_with(values)
    });
    // Each of the three is encoded as one value, the parameters for the second time.
    length += method.len() + 2 * (origin.len() + path.len()) + 6 * pieces.len() + 2 * encoded.len();
    let mut base = Vec::with_capacity(length);
    percent_encode(method.as_bytes(), &mut base);
    base.make_ascii_uppercase();
    base.push(b'&');
    percent_encode(origin.as_bytes(), &mut base);
    percent_encode(path.as_bytes(), &mut base);
    base.push(b'&');
    for (position, (_, name, value)) in pieces.iter().enumerate() {
        if position > 0 {
            base.extend_from_slice(b"%26");
        }
        name.write(&encoded, &mut base);
        base.extend_from_slice(b"%3D");
        value.write(&encoded, &mut base);
    }
    base
}

/// The first eight bytes as a number that sorts as they do. What is shorter comes first: no text has a zero in it.
fn beginning(text: &[u8]) -> u64 {
    u64::from_be_bytes(text.first_chunk().copied().unwrap_or_else(|| {
        let mut beginning = [0; 8];
        beginning.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        beginning
    }))
}

/// An encoded name or value: the text itself where that is plain, else where it stands among the encoded ones.
enum Piece<'a> {
    Plain(&'a str),
    Encoded(std::ops::Range<usize>),
}

impl<'a> Piece<'a> {
    fn of(text: &'a Text<'_>, encoded: &mut Vec<u8>) -> Self {
        text.plain().map_or_else(
            || {
                let start = encoded.len();
                percent_encode(text.as_bytes(), encoded);
                Self::Encoded(start..encoded.len())
            },
            Self::Plain,
        )
    }

    fn bytes<'b>(&'b self, encoded: &'b [u8]) -> &'b [u8] {
        match self {
            Self::Plain(text) => text.as_bytes(),
            Self::Encoded(place) => encoded.get(place.clone()).unwrap_or_default(),
        }
    }

    fn write(&self, encoded: &[u8], base: &mut Vec<u8>) {
        match self {
            Self::Plain(text) => base.extend_from_slice(text.as_bytes()),
            Self::Encoded(_) => percent_encode(self.bytes(encoded), base),
        }
    }
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
        let pairs = pairs.map(|(name, value)| (Text::from(name), Text::from(value)));
        let pairs = pairs.iter().map(|(name, value)| (name, value));
        let base = build("post", ("http://example.com", "/request"), pairs);
        assert_eq!(
            String::from_utf8(base).unwrap(),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26\
             c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26\
             oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
        assert_eq!(key(b"partner secret&/").expose(), b"partner%20secret%26%2F&");
    }
}
