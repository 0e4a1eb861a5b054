//! What a partner may do otherwise than this layer expects.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Fernet;
use crate::keys::Secret;
use crate::near_miss::copy_form;
use crate::text::base64::{decode_base64url, encode_base64url_padded};

/// What a partner may take for the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misread {
    Halves,
    FirstLetters,
    Digest,
}

const MISREAD: [(Misread, &str); 3] = [
    (
        Misread::Halves,
        "takes the halves of the key in each other's place: the first 16 bytes sign, the last 16 encrypt",
    ),
    (
        Misread::FirstLetters,
        "takes the first 32 letters of the key as its bytes: the key is base64url of 32 bytes, and has to be decoded",
    ),
    (Misread::Digest, "hashes the key first: it is base64url of 32 bytes, and has to be decoded, no more"),
];

copy_form!(Fernet<C, R> { places, window, longest, required, timestamp_claim, misread });

impl<C, R> Fernet<C, R> {
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let misread = MISREAD.into_iter();
        misread
            .map(|(misread, does)| (format!("the partner {does}"), Self { misread: Some(misread), ..self.copy() }))
            .collect()
    }
}

impl Misread {
    /// The key that a partner takes this one for.
    pub(super) fn of(self, key: &Secret) -> Option<Secret> {
        let text = key.expose_str()?;
        let mut bytes = Zeroizing::new([0; 32]);
        match self {
            Self::Halves => {
                let decoded = Zeroizing::new(decode_base64url(text.trim_end_matches('='))?);
                let (first, last) = decoded.split_at_checked(16)?;
                bytes.copy_from_slice(Zeroizing::new([last, first].concat()).get(..32)?);
            }
            Self::FirstLetters => bytes.copy_from_slice(text.as_bytes().get(..32)?),
            Self::Digest => Sha256::new_with_prefix(text).finalize_into((&mut *bytes).into()),
        }
        Some(Secret::verbatim(encode_base64url_padded(&*bytes)))
    }
}
