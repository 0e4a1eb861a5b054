use zeroize::Zeroizing;

use crate::mac::Digest;

/// How the partner makes the key of the MAC out of the secret.
///
/// ```
/// use tower_sso::scheme::{Digest, KeyDerivation};
///
/// // Telegram's Mini Apps: HMAC-SHA256 of the bot's token, keyed with a literal.
/// let derivation = KeyDerivation::hmac_keyed_with(Digest::Sha256, "WebAppData");
/// assert_ne!(derivation, KeyDerivation::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyDerivation(pub(crate) Kind);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Itself,
    Digest {
        digest: Digest,
        before: &'static str,
    },
    Hmac {
        digest: Digest,
        key: &'static str,
    },
}

impl KeyDerivation {
    /// The key is the digest of the secret.
    pub const fn digest(digest: Digest) -> Self {
        Self::digest_after(digest, "")
    }

    /// The key is the digest of a literal and the secret behind it: of the salt in Django's and itsdangerous's signing.
    pub const fn digest_after(digest: Digest, literal: &'static str) -> Self {
        Self(Kind::Digest { digest, before: literal })
    }

    /// The key is the HMAC of the secret, keyed with a literal.
    pub const fn hmac_keyed_with(digest: Digest, literal: &'static str) -> Self {
        Self(Kind::Hmac { digest, key: literal })
    }

    /// How the partner may make it instead.
    #[cfg(feature = "explain")]
    pub(crate) fn near(self) -> Vec<(String, Self)> {
        let ours = if self == Self::default() { "takes the secret itself" } else { "derives the key" };
        let mut near: Vec<(String, Self)> = [
            ("signs with the secret itself", Self::default()),
            ("signs with the SHA-256 of the secret", Self::digest(Digest::Sha256)),
            ("signs with the SHA-1 of the secret", Self::digest(Digest::Sha1)),
            ("signs with the SHA-512 of the secret", Self::digest(Digest::Sha512)),
            (
                "signs with the secret's HMAC under `WebAppData`, as Telegram's Mini Apps do",
                Self::hmac_keyed_with(Digest::Sha256, "WebAppData"),
            ),
        ]
        .map(|(does, other)| (format!("the partner {does}, and this layer {ours}: see `key_derivation`"), other))
        .into();
        near.retain(|(_, other)| *other != self);
        near
    }

    /// The key, made of the secret.
    pub(crate) fn key(self, secret: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        match self.0 {
            Kind::Itself => secret,
            Kind::Digest { digest, before } => digest.hash([before.as_bytes(), &secret]).to_vec().into(),
            Kind::Hmac { digest, key } => digest.mac(key.as_bytes(), [secret.as_slice()]).to_vec().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hex::encode_hex;

    #[test]
    fn keys_are_made_as_partners_make_them() {
        for (derivation, expected) in [
            (KeyDerivation::default(), "6b6579"),
            // printf key | sha256sum
            (KeyDerivation::digest(Digest::Sha256), "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"),
            // printf saltkey | sha1sum
            (KeyDerivation::digest_after(Digest::Sha1, "salt"), "dfb8ddda7c9d815199620a5a3268b5fd0a20e2be"),
            // printf key | openssl dgst -sha256 -hmac WebAppData
            (
                KeyDerivation::hmac_keyed_with(Digest::Sha256, "WebAppData"),
                "74259e2fc3794eb252ed7047fdf1e7611dc997402de6f57df2ed4e0e467fdb48",
            ),
        ] {
            let key = derivation.key(b"key".to_vec().into());
            assert_eq!(encode_hex(&key), expected, "{derivation:?}");
        }
    }
}
