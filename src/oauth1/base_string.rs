//! The signature base string (RFC 5849, 3.4.1) and the key (3.4.2).

use zeroize::Zeroizing;

use super::pairs::Pairs;
use crate::keys::Secret;
use crate::text::percent::percent_encode;

pub(crate) struct BaseString {
    pub(crate) text: Vec<u8>,
    /// Whether a name is duplicate. Equal names are sorted by their values, so their order of arrival is not signed.
    pub(crate) repeats_a_name: bool,
}

/// How the names are sorted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By their encoded bytes (RFC 5849, 3.4.1.3.2).
    Bytes,
    /// By their letters in lower case, then by their bytes.
    Caseless,
}

/// Method, base URI (two halves, the first already encoded) and all parameters but those left out, sorted.
pub(crate) fn build(
    method: &str,
    (origin, path): (&str, &str),
    pairs: &Pairs,
    is_left_out: impl Fn(usize) -> bool,
    order: Order,
) -> BaseString {
    let mut length = method.len() + origin.len() + 3 * path.len() + 2;
    let mut signed = Vec::with_capacity(pairs.len());
    for position in (0..pairs.len()).filter(|position| !is_left_out(*position)) {
        let [name, value] = pairs.encoded(position);
        let longest = |(text, plain): (&[u8], bool)| if plain { text.len() } else { text.len() * 2 };
        length += longest(name) + longest(value) + 6;
        signed.push((beginning(name.0), name, value));
    }
    // Most names differ early, and comparing two numbers is one step.
    signed.sort_unstable_by_key(|(beginning, (name, _), (value, _))| (*beginning, *name, *value));
    if order == Order::Caseless {
        // Stable: equal names keep the order of their bytes and values.
        signed.sort_by_cached_key(|(_, (name, _), _)| name.to_ascii_lowercase());
    }
    let repeats_a_name = signed.array_windows().any(|[(_, one, _), (_, next, _)]| one.0 == next.0);
    // Each of the three is encoded as one value; for the parameters this is the second time.
    let mut base = Vec::with_capacity(length);
    percent_encode(method.as_bytes(), &mut base);
    base.make_ascii_uppercase();
    base.push(b'&');
    base.extend_from_slice(origin.as_bytes());
    percent_encode(path.as_bytes(), &mut base);
    base.push(b'&');
    for (place, (_, name, value)) in signed.into_iter().enumerate() {
        if place > 0 {
            base.extend_from_slice(b"%26");
        }
        write(name, &mut base);
        base.extend_from_slice(b"%3D");
        write(value, &mut base);
    }
    BaseString { text: base, repeats_a_name }
}

/// Encodes an encoded text again.
fn write((encoded, plain): (&[u8], bool), base: &mut Vec<u8>) {
    if plain {
        base.extend_from_slice(encoded);
    } else {
        percent_encode(encoded, base);
    }
}

/// The first eight bytes as a number with the same order. Shorter texts come first, as no text contains a zero.
fn beginning(text: &[u8]) -> u64 {
    let mut rest = text.iter();
    match text.first_chunk() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => (0..8).fold(0, |number, _| number << 8 | rest.next().map_or(0, |byte| u64::from(*byte))),
    }
}

/// The consumer's secret, encoded, with an empty token secret.
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
        let mut all = Pairs::default();
        pairs.iter().for_each(|(name, value)| all.push(name, value).unwrap());
        all.push("oauth_signature", "is not signed").unwrap();
        let base = build(
            "post",
            ("http%3A%2F%2Fexample.com", "/request"),
            &all,
            |position| position == pairs.len(),
            Order::Bytes,
        );
        assert!(base.repeats_a_name, "a3");
        assert_eq!(
            String::from_utf8(base.text).unwrap(),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26\
             c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26\
             oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
        assert_eq!(key(b"partner secret&/").expose(), b"partner%20secret%26%2F&");
    }
}
