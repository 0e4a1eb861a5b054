//! One public key in its spellings: [`identity`].

use std::borrow::Cow;

use memchr::memmem;
use serde_json::Value;

use super::pair::{self, BIT_STRING, INTEGER, SEQUENCE};
use crate::text::base64::decode_base64url_onto;
use crate::text::json::Object;

const OBJECT_IDENTIFIER: u8 = 0x06;
/// The version of a certificate, `[0]`, which one of version 1 lacks.
const VERSION: u8 = 0xa0;

/// What two owners must not share: a public key's number, whether the key is in PEM, a JWK, `whpk_`, or DER in base64,
/// hexadecimal or bytes. Everything else is compared as it is written, also the 32 bytes of an Ed25519 key alone, which
/// nothing tells from a shared secret.
pub(super) fn identity(secret: &[u8]) -> Cow<'_, [u8]> {
    public_key(secret).map_or(Cow::Borrowed(secret), Cow::Owned)
}

fn public_key(secret: &[u8]) -> Option<Vec<u8>> {
    let text = secret.trim_ascii();
    if text.starts_with(b"{") {
        return in_jwk(text);
    }
    if let Some(point) = text.strip_prefix(b"whpk_") {
        return Some(named(b"ed25519", &pair::base64(point)?));
    }
    match body_of_pem(text) {
        Some(body) => in_der(&pair::base64(body)?),
        None => in_der(secret).or_else(|| in_der(&pair::written_out(text)?)),
    }
}

/// What is between the first `-----BEGIN …-----` and the next line of dashes.
fn body_of_pem(text: &[u8]) -> Option<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let label = text.get(memmem::find(text, BEGIN)? + BEGIN.len()..)?;
    let body = label.get(memmem::find(label, b"-----")? + 5..)?;
    body.split(|byte| *byte == b'-').next()
}

/// Of a SubjectPublicKeyInfo, alone or in a certificate (RFC 5280, 4.1), or of an RSAPublicKey (RFC 8017, A.1.1).
///
/// By structure: the owner of a certificate chooses its names, which may hold the bytes of another key.
fn in_der(der: &[u8]) -> Option<Vec<u8>> {
    match *pair::sequence(der)? {
        [(SEQUENCE, algorithm), (BIT_STRING, key)] => in_key_info(algorithm, key),
        [(INTEGER, modulus), (INTEGER, _)] => Some(named(b"rsa", trimmed(modulus))),
        [(SEQUENCE, certificate), (SEQUENCE, _), (BIT_STRING, _)] => {
            let fields = pair::elements(certificate)?;
            let fields = match *fields {
                [(VERSION, _), ref fields @ ..] => fields,
                ref fields => fields,
            };
            // Serial number, signature, issuer, validity, subject.
            let [(INTEGER, _), (SEQUENCE, _), (SEQUENCE, _), (SEQUENCE, _), (SEQUENCE, _), (SEQUENCE, info), ..] =
                *fields
            else {
                return None;
            };
            match *pair::elements(info)? {
                [(SEQUENCE, algorithm), (BIT_STRING, key)] => in_key_info(algorithm, key),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Of the two parts of a SubjectPublicKeyInfo (RFC 8410, 4; RFC 5480, 2; RFC 4055, 1.2).
fn in_key_info(algorithm: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
    const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];

    let (OBJECT_IDENTIFIER, kind) = *pair::elements(algorithm)?.first()? else { return None };
    // How many bits of the last byte are unused: none.
    let key = key.strip_prefix(&[0])?;
    match kind {
        ED25519 => (key.len() == 32).then(|| named(b"ed25519", key)),
        // Uncompressed or compressed (SEC 1, 2.3.3): the first coordinate is in both.
        EC => match (key.first()?, key.len()) {
            (4, 65) | (2 | 3, 33) => Some(named(b"ec", key.get(1..33)?)),
            (4, 97) | (2 | 3, 49) => Some(named(b"ec", key.get(1..49)?)),
            _ => None,
        },
        RSA | RSA_PSS => match *pair::sequence(key)? {
            [(INTEGER, modulus), (INTEGER, _)] => Some(named(b"rsa", trimmed(modulus))),
            _ => None,
        },
        _ => None,
    }
}

fn in_jwk(text: &[u8]) -> Option<Vec<u8>> {
    let jwk = Object::read(text).ok()?;
    let number = |name| {
        let Some(Value::String(text)) = jwk.get(name) else { return None };
        let mut bytes = Vec::new();
        decode_base64url_onto(text.as_bytes(), &mut bytes)?;
        Some(bytes)
    };
    match jwk.get("kty")?.as_str()? {
        "RSA" => Some(named(b"rsa", trimmed(&number("n")?))),
        "EC" => Some(named(b"ec", &number("x")?)),
        "OKP" => Some(named(b"ed25519", &number("x")?)),
        _ => None,
    }
}

/// Keys of two kinds are never one.
fn named(kind: &[u8], number: &[u8]) -> Vec<u8> {
    [b"public key\0", kind, b"\0", number].concat()
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;
    use crate::text::hex::encode_hex;

    /// Each key in PEM, and how its DER becomes a JWK.
    fn keys() -> [(&'static str, fn(&[u8]) -> String); 4] {
        fn point(der: &[u8], length: usize, curve: &str) -> String {
            let (x, y) = der[der.len() - 2 * length..].split_at(length);
            let [x, y] = [x, y].map(|number| BASE64_URL_SAFE_NO_PAD.encode(number));
            format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}"}}"#)
        }
        [
            (include_str!("../scheme/public_key/decoys/ed25519.pem"), |der| {
                let x = BASE64_URL_SAFE_NO_PAD.encode(&der[der.len() - 32..]);
                format!(r#" {{"x":"{x}","kty":"OKP","crv":"Ed25519"}}"#)
            }),
            (include_str!("../scheme/public_key/decoys/p256.pem"), |der| point(der, 32, "P-256")),
            (include_str!("../scheme/public_key/decoys/p384.pem"), |der| point(der, 48, "P-384")),
            (include_str!("../scheme/public_key/decoys/rsa.pem"), |der| {
                let n = BASE64_URL_SAFE_NO_PAD.encode(&der[der.len() - 261..der.len() - 5]);
                format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","kid":"1"}}"#)
            }),
        ]
    }

    #[test]
    fn a_public_key_is_one_in_every_spelling() {
        let mut all = std::collections::HashSet::new();
        for (pem, jwk) in keys() {
            let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let der = BASE64_STANDARD.decode(&lines).unwrap();
            let expected = identity(pem.as_bytes());
            assert!(expected.starts_with(b"public key\0"), "{pem}");
            let mut spellings = vec![
                format!("\r\n{}\r\n", pem.replace('\n', "\r\n")).into_bytes(),
                lines.clone().into_bytes(),
                encode_hex(&der).into_bytes(),
                jwk(&der).into_bytes(),
                der.clone(),
            ];
            if der.len() == 44 {
                spellings.push(format!("whpk_{}", BASE64_STANDARD.encode(&der[12..])).into_bytes());
            }
            for spelling in &spellings {
                assert_eq!(identity(spelling), expected, "{}", String::from_utf8_lossy(spelling));
            }
            // The compressed point of a curve.
            if let Some(at) = memmem::find(&der, &[0x00, 0x04]).filter(|_| lines.starts_with("MFk")) {
                let point = [&[0x03, 0x22, 0x00, 0x02], &der[at + 2..at + 34]].concat();
                let head = &der[2..at - 2];
                let body = [&[0x30, u8::try_from(head.len() + point.len()).unwrap()][..], head, &point].concat();
                assert_eq!(identity(&body), expected, "compressed");
            }
            assert!(all.insert(expected.into_owned()), "two keys are one: {pem}");
        }
    }

    /// The owner of a certificate chooses its names: here, one with the bytes of another key in it.
    #[test]
    fn a_certificate_is_its_own_key_whatever_its_names_hold() {
        use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData};
        let key = KeyPair::generate().unwrap();
        let expected = identity(&key.subject_public_key_info()).into_owned();
        assert!(expected.starts_with(b"public key\0ec\0"));
        let others = [
            format!("\u{6}\u{3}+ep\u{3}!\0{}", "a".repeat(32)),
            format!("\u{3}B\0\u{4}{}", "a".repeat(64)),
            "\u{2}\u{2}\u{1}a\u{2}\u{3}\u{1}\0\u{1}".to_owned(),
        ];
        for name in others {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, &*name);
            params.serial_number = Some(b"\x03\x42\x00\x04aaaaaaaaaaaa".to_vec().into());
            let certificate = params.self_signed(&key).unwrap();
            assert_eq!(identity(certificate.der()), expected, "{name:?}");
            assert_eq!(identity(certificate.pem().as_bytes()), expected, "{name:?}, in PEM");
            for cut in 0..certificate.der().len() {
                let cut = &certificate.der()[..cut];
                assert_eq!(identity(cut), cut, "a part is no key");
            }
        }
    }

    #[test]
    fn what_is_no_public_key_is_compared_as_it_is_written() {
        for secret in [
            &b"a shared secret"[..],
            b"",
            b"{\"kty\":\"oct\",\"k\":\"AAAA\"}",
            b"{",
            b"-----BEGIN ",
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            b"38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=",
            &[0x30; 64],
        ] {
            assert_eq!(identity(secret), secret, "{}", String::from_utf8_lossy(secret));
        }
    }
}
