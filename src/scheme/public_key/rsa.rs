//! Timing must not reveal the size of an RSA key, nor whether the tenant exists.
//!
//! The library skips its exponentiation if a signature's length differs from the modulus, or its value is not below the
//! modulus; a sender chooses both. [`RsaKey::verify`] therefore always does one exponentiation with a modulus of the
//! signature's length and the usual exponent, whatever the key is.

use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

/// The lengths of moduli, and so of signatures, in bytes: from 2,048 bits (RFC 7518, 3.3) to what the library takes.
pub(super) const LENGTHS: RangeInclusive<usize> = 256..=512;

/// 65,537. Another exponent would take another time, and FIPS 186-5 (5.1) allows none below it.
const EXPONENT: &[u8] = &[1, 0, 1];

/// The longest DER of a 4,096-bit key, with some room. The library does not read larger keys.
const USUAL_DER: usize = 550;

pub(super) struct RsaKey {
    modulus: Vec<u8>,
    key: DecodingKey,
}

impl RsaKey {
    pub(super) fn read(der: &[u8]) -> Result<Self, &'static str> {
        let components = (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key)(der);
        let (modulus, exponent) = components.map_err(|_| match der.len() {
            ..=USUAL_DER => "is not an RSA key, which the algorithm needs",
            _ => "is an RSA key of more than 4096 bits: ask the partner for one of 2048 to 4096",
        })?;
        Self::of_numbers(&modulus, &exponent)
    }

    /// Of a modulus and an exponent, each of which may begin with zeros.
    pub(super) fn of_numbers(modulus: &[u8], exponent: &[u8]) -> Result<Self, &'static str> {
        Self::new(trimmed(modulus), trimmed(exponent))
    }

    fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, &'static str> {
        let Some(highest) = modulus.first() else { return Err("has no modulus") };
        if modulus.len() < *LENGTHS.start() || (modulus.len() == *LENGTHS.start() && *highest < 0x80) {
            return Err("is an RSA key of less than 2048 bits, which is too weak (RFC 7518, 3.3)");
        }
        if modulus.last().is_none_or(|last| last % 2 == 0) {
            return Err("is not an RSA key: its modulus is even");
        }
        if exponent != EXPONENT {
            return Err("is an RSA key with another exponent than 65537: ask the partner for a usual one");
        }
        Ok(Self { key: DecodingKey::from_rsa_raw_components(modulus, exponent), modulus: modulus.to_vec() })
    }

    /// The exponent is always 65,537.
    pub(super) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// `check` does the one exponentiation.
    pub(super) fn verify(&self, signature: &[u8], check: impl FnOnce(&DecodingKey, &[u8]) -> bool) -> bool {
        // Of the same length, they compare as numbers do.
        if signature.len() == self.modulus.len() && signature < self.modulus.as_slice() {
            return check(&self.key, signature);
        }
        // This key cannot have made the signature (RFC 8017, 5.2.2 and 8.2.2). Spend the same time on it.
        let mut below = signature.to_vec();
        if let Some(highest) = below.first_mut() {
            *highest &= 0x7f;
        }
        std::hint::black_box(check(&decoy(signature.len()), &below));
        false
    }
}

/// A number of this length with its highest and lowest bits set: not a key, but the same work.
fn decoy(length: usize) -> DecodingKey {
    static RANDOM: OnceLock<Vec<u8>> = OnceLock::new();
    let random = RANDOM.get_or_init(|| {
        let longest = *LENGTHS.end() as u64;
        (0..longest / 8).flat_map(|n| RandomState::new().hash_one(n).to_ne_bytes()).collect()
    });
    let mut modulus = random.get(..length).unwrap_or(random).to_vec();
    if let Some(highest) = modulus.first_mut() {
        *highest |= 0x80;
    }
    if let Some(lowest) = modulus.last_mut() {
        *lowest |= 1;
    }
    DecodingKey::from_rsa_raw_components(&modulus, EXPONENT)
}

/// DER puts a zero in front of a number whose highest bit is set.
fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key with a modulus of so many bytes; nobody has its private half.
    fn key(length: usize, fill: u8) -> RsaKey {
        let mut modulus = vec![fill; length];
        modulus[0] |= 0x80;
        modulus[length - 1] |= 1;
        RsaKey::new(&modulus, EXPONENT).unwrap()
    }

    /// The library's input: the length of the modulus, and the signature if it is below the modulus.
    fn work(key: &RsaKey, signature: &[u8]) -> Vec<(usize, usize)> {
        let mut done = Vec::new();
        key.verify(signature, |key, signature| {
            let jsonwebtoken::DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else { panic!("not RSA") };
            assert_eq!(e, EXPONENT);
            assert!(signature < n.as_slice(), "the library would not exponentiate");
            done.push((n.len(), signature.len()));
            true
        });
        done
    }

    #[test]
    fn the_work_depends_on_the_signature_alone() {
        let decoy = include_str!("decoys/rsa.pem");
        let super::super::PublicKey::Rsa(decoy) =
            super::super::PublicKey::read(super::super::Family::Rsa, decoy.as_bytes()).unwrap()
        else {
            panic!("the decoy is not RSA")
        };
        let keys = [(256, 0x11), (256, 0xff), (300, 0x22), (384, 0), (512, 0x33), (512, 0xfe)].map(|(l, f)| key(l, f));
        let keys: Vec<&RsaKey> = keys.iter().chain([&decoy]).collect();
        for length in [256, 257, 300, 384, 511, 512] {
            let moduli = keys.iter().map(|key| key.modulus.clone()).filter(|modulus| modulus.len() == length);
            let shapes = [vec![0; length], vec![1; length], vec![0x7f; length], vec![0xff; length]];
            for signature in shapes.into_iter().chain(moduli) {
                for key in &keys {
                    assert_eq!(work(key, &signature), [(length, length)], "one exponentiation of {length} bytes");
                }
            }
        }
    }

    #[test]
    fn what_is_no_signature_of_the_key_is_refused_whatever_the_work_says() {
        let key = key(256, 0x11);
        for (signature, expected, why) in [
            (vec![1; 256], true, "below the modulus, and the check decides"),
            (key.modulus.clone(), false, "the modulus itself (RFC 8017, 5.2.2)"),
            (vec![0xff; 256], false, "above it"),
            (vec![1; 384], false, "longer"),
        ] {
            assert_eq!(key.verify(&signature, |_, _| true), expected, "{why}");
        }
    }
}
