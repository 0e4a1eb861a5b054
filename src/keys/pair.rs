//! Recognises public and private keys, which must not serve as shared secrets: everybody knows a public key.

use memchr::memmem;
use zeroize::Zeroizing;

use super::Secret;
use crate::text::base64::decode_base64;
use crate::text::hex::decode_hex;

const PEM: &str = "is a key in PEM or OpenSSH's format and no shared secret: a public key is known to everybody. For \
                   JWTs signed with RS, PS, ES or EdDSA, choose that `jwt::Algorithm` (feature `jwt-public-key`)";
const BODY: &str = "is a public key without its PEM lines and no shared secret: a public key is known to everybody. \
                    For JWTs signed with RS, PS, ES or EdDSA, choose that `jwt::Algorithm` (feature \
                    `jwt-public-key`), and give the whole PEM";
const STANDARD_WEBHOOKS: &str = "is a public key (`whpk_`) and no shared secret: a public key is known to everybody. For \
                                 a sender that signs with its private key, call `public_key`";
const JWK: &str = "is a JWK and no shared secret: give the bytes of its `k`, if it is one of a MAC";

/// The first words of OpenSSH keys.
const OPENSSH: [&[u8]; 4] = [b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"];

/// Refuses a public or private key in place of a shared secret. Looks once at each secret.
pub(crate) fn check_shared(secret: &Secret) -> Result<(), &'static str> {
    *secret.shared().get_or_init(|| check(secret.expose()))
}

fn check(secret: &[u8]) -> Result<(), &'static str> {
    let key = secret.trim_ascii_start();
    if begins_like_openssh(key) || memmem::find(key, b"-----BEGIN ").is_some() {
        return Err(PEM);
    }
    if key.starts_with(b"whpk_") {
        return Err(STANDARD_WEBHOOKS);
    }
    let is_public = |bytes: &[u8]| is_public_key(bytes) || begins_like_public_key(bytes);
    if is_public(secret) || written_out(key).is_some_and(|key| is_public(&key)) {
        return Err(BODY);
    }
    if key.starts_with(b"{") && memmem::find(key, b"\"kty\"").is_some() {
        return Err(JWK);
    }
    Ok(())
}

fn begins_like_openssh(key: &[u8]) -> bool {
    OPENSSH.iter().any(|kind| key.starts_with(kind))
}

/// The bytes of a key that is written in base64 or hexadecimal, up to the first character that is neither. `None` if it
/// cannot be a key, which is nearly always decided without decoding.
pub(super) fn written_out(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // `30` is the first byte of every key but OpenSSH's. `M` is the first character of what begins with it, and `AAAA`
    // of every short length of four bytes.
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    if digits.starts_with(b"30") {
        hexadecimal(digits)
    } else if text.starts_with(b"M") || text.starts_with(b"AAAA") {
        base64(text)
    } else {
        None
    }
}

/// Of either case, with or without colons and line breaks.
fn hexadecimal(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digits = text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b':').copied();
    // With room for all: no copy of a secret is left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(text.len()));
    text.extend(digits.take_while(u8::is_ascii_hexdigit));
    let whole = text.len() / 2 * 2;
    text.truncate(whole);
    decode_hex(std::str::from_utf8(&text).ok()?).map(Zeroizing::new)
}

/// Of either alphabet, with or without padding and line breaks: a PEM body, or an OpenSSH key after its first word.
pub(super) fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let standard = |byte: u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let letters = text.iter().filter(|byte| !byte.is_ascii_whitespace()).copied().map(standard);
    // With room for the last group: no copy of a secret is left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(text.len() + 3));
    text.extend(letters.take_while(is_part));
    if text.len() % 4 == 1 {
        _ = text.pop();
    }
    // Zeros complete the last group: the bits behind the last byte are dropped, whatever they are.
    let whole = text.len().next_multiple_of(4);
    let missing = whole - text.len();
    text.resize(whole, b'A');
    let mut bytes = Zeroizing::new(decode_base64(std::str::from_utf8(&text).ok()?)?);
    let length = bytes.len().saturating_sub(missing);
    bytes.truncate(length);
    Some(bytes)
}

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const SEQUENCE: u8 = 0x30;

/// Whether all of these bytes are one public key, by its outline. No random secret has such an outline.
fn is_public_key(bytes: &[u8]) -> bool {
    if bytes.get(..2) == Some(&[0, 0]) && bytes.get(4..).is_some_and(begins_like_openssh) {
        return true;
    }
    // A SubjectPublicKeyInfo (RFC 5280, 4.1), an RSAPublicKey (RFC 8017, A.1.1), a Certificate (RFC 5280, 4.1).
    sequence(bytes).is_some_and(|elements| {
        matches!(
            *elements,
            [(SEQUENCE, _), (BIT_STRING, _)]
                | [(INTEGER, _), (INTEGER, _)]
                | [(SEQUENCE, _), (SEQUENCE, _), (BIT_STRING, _)]
        )
    })
}

/// The elements of the one SEQUENCE that all of these bytes are.
pub(super) fn sequence(der: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (SEQUENCE, content, []) = element(der)? else { return None };
    elements(content)
}

/// The tags and contents of the elements that all of these bytes are.
pub(super) fn elements(mut der: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut elements = Vec::new();
    while !der.is_empty() {
        let (tag, content, rest) = element(der)?;
        elements.push((tag, content));
        der = rest;
    }
    Some(elements)
}

/// Whether these bytes begin as public keys do, wherever they were cut off. It takes six fixed bytes and two lengths
/// that fit each other, or more: no random secret begins so, nor does a private key.
fn begins_like_public_key(bytes: &[u8]) -> bool {
    /// The object identifiers of RSA, RSA-PSS, EC, and X25519 to Ed448; each ends before its last byte.
    const ALGORITHMS: [&[u8]; 3] = [
        &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01],
        &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02],
        &[0x06, 0x03, 0x2b, 0x65],
    ];
    /// Version 3 of a certificate.
    const VERSION: &[u8] = &[0xa0, 0x03, 0x02, 0x01, 0x02];
    let Some((SEQUENCE, outer, rest)) = header(bytes) else { return false };
    match header(rest) {
        Some((SEQUENCE, inner, rest)) => {
            inner < outer && ALGORITHMS.iter().chain([&VERSION]).any(|begin| rest.starts_with(begin))
        }
        // The modulus of an RSAPublicKey: what is left is its own header and a short exponent.
        Some((INTEGER, modulus, [0, 0x80..=0xff, ..])) => {
            modulus > 128 && outer.checked_sub(modulus).is_some_and(|left| (6..=16).contains(&left))
        }
        _ => false,
    }
}

/// The first element of DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, length, rest) = header(der)?;
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The first element's tag, the length of its content, and what follows these.
fn header(der: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (length, rest) = match rest.split_first()? {
        (short @ ..=0x7f, rest) => (usize::from(*short), rest),
        (long @ 0x81..=0x84, rest) => {
            let (length, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    Some((*tag, length, rest))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::alphabet::STANDARD;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

    use super::*;

    #[test]
    fn base64_is_read_up_to_its_last_byte_whatever_the_bits_behind_it() {
        let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
        let judge = GeneralPurpose::new(&STANDARD, config.with_decode_padding_mode(DecodePaddingMode::RequireNone));
        let all = "MCowBQYDK2VwAyEA+/Zz09".repeat(3);
        for end in 0..=all.len() {
            let text = &all[..end];
            let whole = if end % 4 == 1 { &text[..end - 1] } else { text };
            let expected = judge.decode(whole).unwrap();
            let other = text.replace('+', "-").replace('/', "_");
            for spelling in
                [text.to_owned(), format!("{text}="), format!("{text}!MCow"), format!("\n{text} \r\n"), other]
            {
                assert_eq!(base64(spelling.as_bytes()).unwrap()[..], expected, "{spelling:?}");
            }
        }
    }

    #[test]
    fn what_is_a_public_key_in_bytes() {
        let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let ed25519: Vec<u8> = head.into_iter().chain([7; 32]).collect();
        let with = |change: fn(&mut Vec<u8>)| {
            let mut key = ed25519.clone();
            change(&mut key);
            key
        };
        for (bytes, is_whole, why) in [
            (ed25519.clone(), true, "a SubjectPublicKeyInfo"),
            (vec![0x30, 0x06, 0x02, 0x01, 0x0f, 0x02, 0x01, 0x03], true, "an RSAPublicKey, if a small one"),
            (vec![0x30, 0x81, 0x06, 0x02, 0x01, 0x0f, 0x02, 0x01, 0x03], true, "its length in another spelling"),
            (b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec(), true, "OpenSSH's"),
            (with(|key| key.push(0)), false, "a byte too many"),
            (with(|key| _ = key.pop()), false, "one too few"),
            (with(|key| key[9] = 0x04), false, "an OCTET STRING where the key should be"),
            (with(|key| key[10] = 0x20), false, "what is inside does not fill it"),
            (vec![0x30, 0x0a, 2, 1, 0, 0x30, 0, 4, 3, 1, 2, 3], false, "a private key: whoever has it may sign"),
            (vec![0x30, 0x00], false, "an empty SEQUENCE"),
            (vec![0x30; 32], false, "random bytes that begin like one"),
            (vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30], false, "a length beyond the end"),
            (vec![0x30, 0x80, 0, 0], false, "a length that is not said"),
            (vec![], false, "nothing"),
        ] {
            assert_eq!(is_public_key(&bytes), is_whole, "{why}");
            let is_refused = is_whole || begins_like_public_key(&bytes);
            assert_eq!(check_shared(&Secret::new(bytes)).is_err(), is_refused, "{why}");
        }
    }

    #[test]
    fn how_a_public_key_begins() {
        let ed25519 = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65];
        let rsa = [0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
        let pkcs1 = [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00, 0xbd];
        let certificate = [0x30, 0x82, 0x01, 0x2c, 0x30, 0x81, 0xdf, 0xa0, 0x03, 0x02, 0x01, 0x02];
        let ec = [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02];
        for begin in [&ed25519[..], &rsa, &pkcs1, &certificate, &ec] {
            assert!(begins_like_public_key(begin), "{begin:x?}");
            assert!(begins_like_public_key(&[begin, &[7; 9]].concat()), "{begin:x?} and more");
            for cut in 0..begin.len() {
                assert!(!begins_like_public_key(&begin[..cut]), "too little of {begin:x?}: {cut}");
            }
        }
        for (begin, why) in [
            (&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70][..], "a private key (RFC 5208)"),
            (&[0x30, 0x82, 0x04, 0xa4, 2, 1, 0, 2, 0x82, 1, 1, 0, 0xbd], "a private RSA key"),
            (&[0x30, 0x77, 2, 1, 1, 4, 0x20, 0xbd], "a private EC key"),
            (&[0x30, 0x05, 0x30, 0x05, 6, 3, 0x2b, 0x65, 0x70], "what is inside is as long as what is around it"),
            (&[0x30, 0x82, 0x01, 0x2a, 0x02, 0x82, 0x01, 0x01, 0x00, 0xbd], "an exponent of 37 bytes"),
            (&[0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x01, 0xbd], "a modulus that is not positive, or short"),
            (b"0001020304050607080910111213141516", "digits"),
            (b"MIIBIjANBgkqhkiG9w0BAQEFAAOC", "base64 is decoded first"),
        ] {
            assert!(!begins_like_public_key(begin), "{why}");
        }
    }
}
