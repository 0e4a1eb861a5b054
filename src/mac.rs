//! HMAC with the digest chosen at run time, keyed once per secret, compared in constant time.

mod tag;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::keys::{self, Secret};
use crate::observe;
pub(crate) use tag::Tag;

/// The digest of a MAC.
///
/// ```
/// use tower_sso::webhook::Digest;
///
/// assert_eq!(Digest::Sha256.length(), 32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Digest {
    /// SHA-1. HMAC-SHA1 is not known to be broken, but choose another where the partner leaves the choice.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Checks a key that is known when a layer is built. Short ones can be guessed from one MAC, but partners have them.
pub(crate) fn check_key(form: &'static str, key: &Secret) -> Result<(), &'static str> {
    const LEAST: usize = 16;

    keys::check_shared(key)?;
    if key.expose().len() < LEAST {
        observe::short_secret(form, "a MAC", LEAST);
    }
    Ok(())
}

/// HMAC states keyed with the secret.
enum Keyed {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl Keyed {
    fn verify<'p>(&self, parts: impl IntoIterator<Item = &'p [u8]>, mac: &[u8]) -> bool {
        match self {
            Self::Sha1(state) => absorb(state, parts).verify_slice(mac).is_ok(),
            Self::Sha256(state) => absorb(state, parts).verify_slice(mac).is_ok(),
            Self::Sha384(state) => absorb(state, parts).verify_slice(mac).is_ok(),
            Self::Sha512(state) => absorb(state, parts).verify_slice(mac).is_ok(),
        }
    }
}

impl Keyed {
    fn mac<'p>(&self, parts: impl IntoIterator<Item = &'p [u8]>) -> Tag {
        match self {
            Self::Sha1(state) => Tag::from_bytes(&absorb(state, parts).finalize().into_bytes()),
            Self::Sha256(state) => Tag::from_bytes(&absorb(state, parts).finalize().into_bytes()),
            Self::Sha384(state) => Tag::from_bytes(&absorb(state, parts).finalize().into_bytes()),
            Self::Sha512(state) => Tag::from_bytes(&absorb(state, parts).finalize().into_bytes()),
        }
    }
}

impl Digest {
    /// The length of the MAC in bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Whether `mac` is the MAC of the concatenated parts. Constant time for a MAC of the right length.
    pub(crate) fn verify<'p>(self, secret: &Secret, parts: impl IntoIterator<Item = &'p [u8]>, mac: &[u8]) -> bool {
        self.keyed(secret, |keyed| keyed.verify(parts, mac))
    }

    /// Whether one of these is the MAC of the concatenated parts, under the key that `read` makes of the secret's text.
    /// The MAC is computed once.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(crate) fn verify_any<'p, 't, K>(
        self,
        (secret, text): (&Secret, K),
        read: impl Fn(&[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str>,
        parts: impl IntoIterator<Item = &'p [u8]>,
        tags: impl Iterator<Item = &'t Tag>,
    ) -> Result<bool, &'static str>
    where
        K: std::any::Any + Send + Sync + PartialEq,
    {
        let make = |bytes: &[u8]| read(bytes).map(|key| self.key(&key));
        let mac = secret.try_with_prepared((self, text), make, |keyed| keyed.mac(parts))?;
        // All of them, so that the time does not tell which one it was.
        Ok(tags.fold(Choice::from(0), |any, tag| any | mac.ct_eq(tag)).into())
    }

    /// As [`Self::verify`], under the key that `read` makes of the secret's text.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(crate) fn verify_read<'p, K>(
        self,
        (secret, text): (&Secret, K),
        read: impl Fn(&[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str>,
        parts: impl IntoIterator<Item = &'p [u8]>,
        mac: &[u8],
    ) -> Result<bool, &'static str>
    where
        K: std::any::Any + Send + Sync + PartialEq,
    {
        let make = |bytes: &[u8]| read(bytes).map(|key| self.key(&key));
        secret.try_with_prepared((self, text), make, |keyed| keyed.verify(parts, mac))
    }

    /// The digest of the concatenated parts.
    pub(crate) fn hash<'p>(self, parts: impl IntoIterator<Item = &'p [u8]>) -> Tag {
        match self {
            Self::Sha1 => hash::<Sha1>(parts),
            Self::Sha256 => hash::<Sha256>(parts),
            Self::Sha384 => hash::<Sha384>(parts),
            Self::Sha512 => hash::<Sha512>(parts),
        }
    }

    /// The MAC of the concatenated parts, under these bytes as the key.
    pub(crate) fn mac<'p>(self, key: &[u8], parts: impl IntoIterator<Item = &'p [u8]>) -> Tag {
        self.key(key).mac(parts)
    }

    /// As [`Self::verify`], with a key made for this one check.
    pub(crate) fn verify_with_key(self, key: &[u8], message: &[u8], mac: &[u8]) -> bool {
        fn verify<M: Mac + KeyInit>(key: &[u8], message: &[u8], mac: &[u8]) -> bool {
            keyed::<M>(key).chain_update(message).verify_slice(mac).is_ok()
        }
        match self {
            Self::Sha1 => verify::<Hmac<Sha1>>(key, message, mac),
            Self::Sha256 => verify::<Hmac<Sha256>>(key, message, mac),
            Self::Sha384 => verify::<Hmac<Sha384>>(key, message, mac),
            Self::Sha512 => verify::<Hmac<Sha512>>(key, message, mac),
        }
    }

    /// The MAC of the concatenated parts.
    #[cfg(feature = "sign")]
    pub(crate) fn sign(self, secret: &Secret, parts: &[&[u8]]) -> Vec<u8> {
        self.keyed(secret, |keyed| keyed.mac(parts.iter().copied()).to_vec())
    }

    fn keyed<T>(self, secret: &Secret, use_it: impl FnOnce(&Keyed) -> T) -> T {
        secret.with_prepared(self, |bytes| self.key(bytes), use_it)
    }

    fn key(self, bytes: &[u8]) -> Keyed {
        match self {
            Self::Sha1 => Keyed::Sha1(keyed(bytes)),
            Self::Sha256 => Keyed::Sha256(keyed(bytes)),
            Self::Sha384 => Keyed::Sha384(keyed(bytes)),
            Self::Sha512 => Keyed::Sha512(keyed(bytes)),
        }
    }
}

fn keyed<M: KeyInit>(secret: &[u8]) -> M {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 2), so there is no error")]
    M::new_from_slice(secret).expect("HMAC takes a key of any length")
}

/// A secret that nobody has. In hexadecimal, which every secret format reads: else an unknown tenant would cost less
/// than a wrong key.
pub(crate) fn decoy() -> Secret {
    Secret::new(crate::text::hex::encode_hex(&random_key()))
}

/// A key that nobody has.
pub(crate) fn random_key() -> Vec<u8> {
    use std::hash::{BuildHasher, RandomState};
    // It protects nothing: a MAC made with it is never accepted. It is random so that nobody can rely on it.
    (0..4).flat_map(|n: u64| RandomState::new().hash_one(n).to_ne_bytes()).collect()
}

fn hash<'p, D: sha2::Digest>(parts: impl IntoIterator<Item = &'p [u8]>) -> Tag {
    Tag::from_bytes(&parts.into_iter().fold(D::new(), D::chain_update).finalize())
}

/// The MD5 of the concatenated parts. Not a [`Digest`], so that only a setting with `danger_` in its name leads here.
#[cfg(feature = "signed-parameters")]
pub(crate) fn md5<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Tag {
    hash::<md5::Md5>(parts)
}

/// The length of an MD5 in bytes.
#[cfg(feature = "signed-parameters")]
pub(crate) const MD5_LENGTH: usize = 16;

fn absorb<'p, M: Mac + Clone>(keyed: &M, parts: impl IntoIterator<Item = &'p [u8]>) -> M {
    let mut mac = keyed.clone();
    parts.into_iter().for_each(|part| mac.update(part));
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4231_case_2_and_its_parts() {
        let secret = Secret::new("Jefe");
        let mac = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(Digest::Sha256.verify(&secret, [&b"what do ya want "[..], b"for nothing?"], &mac));
        assert!(!Digest::Sha256.verify(&secret, [&b"what do ya want for nothing"[..]], &mac));
        assert!(!Digest::Sha256.verify(&secret, [&b"what do ya want for nothing?"[..]], &mac[..16]), "cut short");
        assert!(!Digest::Sha256.verify(&secret, [&b"what do ya want for nothing?"[..]], &[]), "empty");
    }

    #[cfg(feature = "signed-parameters")]
    #[test]
    fn rfc_1321_appendix_5_in_parts() {
        let digest = md5([&b"message"[..], b" ", b"digest"]);
        assert_eq!(digest[..], hex("f96b697d7cb7938d525a2f31aaf161d0"));
        assert_eq!(digest.len(), MD5_LENGTH);
    }

    #[test]
    fn one_secret_serves_two_digests() {
        let secret = Secret::new("Jefe");
        let sha1 = hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let sha512 = hex(
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        );
        let parts: [&[u8]; 1] = [b"what do ya want for nothing?"];
        assert!(Digest::Sha512.verify(&secret, parts, &sha512));
        assert!(Digest::Sha1.verify(&secret, parts, &sha1));
        assert!(Digest::Sha512.verify(&secret, parts, &sha512));
    }

    /// Otherwise an unknown tenant would cost less than a wrong key.
    #[cfg(all(
        feature = "jwt",
        feature = "signed-json",
        feature = "signed-parameters",
        feature = "signed-payload",
        feature = "webhook"
    ))]
    #[test]
    fn the_decoy_of_each_form_is_a_secret_of_every_format() {
        use crate::form::Form;
        use crate::scheme::{Place, SecretFormat};
        use crate::{jwt, signed_json, signed_parameters, signed_payload, webhook};
        use SecretFormat::{Base64, Bytes, Hex, Text};
        use serde_json::Value;

        let recipe = || signed_parameters::Recipe::all(signed_parameters::Join::pairs('&'));
        let layout = || signed_payload::Layout::payload_first(Place::query("t"), ".");
        for format in [Bytes, Text, Base64 { prefix: "" }, Base64 { prefix: "whsec_" }, Hex] {
            for (form, decoy) in [
                ("jwt", jwt::layer::<Value>(jwt::Algorithm::HS256).secret_format(format).form.rules().decoy),
                ("signed_json", signed_json::layer::<Value>(["/a"]).secret_format(format).form.rules().decoy),
                (
                    "signed_parameters",
                    signed_parameters::layer::<Value>(recipe()).secret_format(format).form.rules().decoy,
                ),
                ("signed_payload", signed_payload::layer::<Value>(layout()).secret_format(format).form.rules().decoy),
                ("webhook", webhook::layer::<Value>().secret_format(format).form.rules().decoy),
            ] {
                assert!(format.key(decoy.expose()).is_ok(), "{form} {format:?}");
                assert_eq!(keys::check_shared(&decoy), Ok(()), "{form}");
            }
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        crate::text::hex::decode_hex(text).unwrap()
    }
}
