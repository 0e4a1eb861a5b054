//! Recognises public and private keys, which must not serve as shared secrets: everybody knows a public key.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;
use zeroize::Zeroizing;

use super::Secret;

const PEM: &str = "is a key in PEM or OpenSSH's format and no shared secret: a public key is known to everybody. For \
                   JWTs signed with RS, PS, ES or EdDSA, choose that `jwt::Algorithm` (feature `jwt-public-key`)";
const BODY: &str = "is a public key without its PEM lines and no shared secret: a public key is known to everybody. \
                    For JWTs signed with RS, PS, ES or EdDSA, choose that `jwt::Algorithm` (feature \
                    `jwt-public-key`), and give the whole PEM";
const JWK: &str = "is a JWK and no shared secret: give the bytes of its `k`, if it is one of a MAC";

/// The first words of OpenSSH keys.
const OPENSSH: [&[u8]; 4] = [b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"];

/// Refuses a public or private key in place of a shared secret.
pub(crate) fn check_shared(secret: &Secret) -> Result<(), &'static str> {
    let key = secret.expose().trim_ascii_start();
    if begins_like_openssh(key) || memmem::find(key, b"-----BEGIN ").is_some() {
        return Err(PEM);
    }
    if is_public_key(secret.expose()) || body(key).is_some_and(|body| is_public_key(&body)) {
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

/// The bytes of a PEM body, or of an OpenSSH key after its first word: base64 of either alphabet, with or without
/// padding and line breaks. `None` if it cannot be a key, which is nearly always decided without decoding.
fn body(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    /// An Ed25519 key, which is the shortest.
    const SHORTEST: usize = 59;
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireNone),
    );
    // `M` is the first character of every SEQUENCE, `AAAA` of every short length of four bytes.
    if text.len() < SHORTEST || !(text.starts_with(b"M") || text.starts_with(b"AAAA")) {
        return None;
    }
    let standard = |byte: u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let text = text.iter().filter(|byte| !byte.is_ascii_whitespace()).copied().map(standard);
    let mut text = Zeroizing::new(text.collect::<Vec<u8>>());
    while text.pop_if(|last| *last == b'=').is_some() {}
    LENIENT.decode(&*text).ok().map(Zeroizing::new)
}

/// Whether all of these bytes are one public key, by its outline. No random secret has such an outline.
fn is_public_key(bytes: &[u8]) -> bool {
    const INTEGER: u8 = 0x02;
    const BIT_STRING: u8 = 0x03;
    const SEQUENCE: u8 = 0x30;
    if bytes.get(..2) == Some(&[0, 0]) && bytes.get(4..).is_some_and(begins_like_openssh) {
        return true;
    }
    let Some((SEQUENCE, mut rest, [])) = element(bytes) else { return false };
    let mut tags = Vec::new();
    while let Some((tag, _, others)) = element(rest) {
        tags.push(tag);
        rest = others;
    }
    // A SubjectPublicKeyInfo (RFC 5280, 4.1), an RSAPublicKey (RFC 8017, A.1.1), a Certificate (RFC 5280, 4.1).
    rest.is_empty() && matches!(*tags, [SEQUENCE, BIT_STRING] | [INTEGER, INTEGER] | [SEQUENCE, SEQUENCE, BIT_STRING])
}

/// The first element of DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (length, rest) = match rest.split_first()? {
        (short @ ..=0x7f, rest) => (usize::from(*short), rest),
        (long @ 0x81..=0x84, rest) => {
            let (length, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_public_key_in_bytes() {
        let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let ed25519: Vec<u8> = head.into_iter().chain([7; 32]).collect();
        let with = |change: fn(&mut Vec<u8>)| {
            let mut key = ed25519.clone();
            change(&mut key);
            key
        };
        for (bytes, expected, why) in [
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
            assert_eq!(is_public_key(&bytes), expected, "{why}");
            assert_eq!(check_shared(&Secret::new(bytes)).is_err(), expected, "{why}");
        }
    }
}
