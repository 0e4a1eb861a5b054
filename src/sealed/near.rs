//! What a partner may do otherwise than this layer expects.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Seal, Sealed};
use crate::near_miss::copy_form;
use crate::text::hex::encode_hex;

/// What a partner may take for the key, while that is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misread {
    Halves,
    Itself,
    Hexadecimal,
}

const MISREAD: [(Misread, &str); 3] = [
    (Misread::Itself, "takes the secret itself as the key: the key is its SHA-256"),
    (Misread::Halves, "takes the halves of the key in each other's place: the first encrypts, the second signs"),
    (
        Misread::Hexadecimal,
        "takes the first 32 letters of the SHA-256 in hexadecimal as the key: its bytes are the key",
    ),
];

impl Misread {
    /// The key that a partner takes the secret for.
    pub(super) fn key(self, secret: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0; 32]);
        Sha256::new_with_prefix(secret).finalize_into((&mut *key).into());
        match self {
            Self::Halves => key.rotate_left(16),
            Self::Itself => key.copy_from_slice(secret.get(..32)?),
            Self::Hexadecimal => {
                let text = Zeroizing::new(encode_hex(&*key));
                key.copy_from_slice(text.as_bytes().get(..32)?);
            }
        }
        Some(key)
    }
}

copy_form!(Sealed<C> { seal, at, time, window, usage, fixed, misread });

impl<C> Sealed<C> {
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let (seal, theirs) = match self.seal {
            Seal::FramedAesGcm => (Seal::AesCbcThenHmac, "AES-CBC and HMAC, and this layer expects AES-GCM"),
            Seal::AesCbcThenHmac => (Seal::FramedAesGcm, "AES-GCM, and this layer expects AES-CBC and HMAC"),
        };
        let mut near = vec![(format!("the partner seals with {theirs}"), Self { seal, ..self.copy() })];
        for (misread, does) in MISREAD {
            near.push((format!("the partner {does}"), Self { misread: Some(misread), ..self.copy() }));
        }
        near
    }
}
