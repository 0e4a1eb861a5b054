use aes::Aes128;
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, KeyIvInit};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::mac::Digest;

/// How a payload is sealed: encrypted, and protected from change.
///
/// ```
/// use tower_sso::sealed::Seal;
///
/// assert_ne!(Seal::FramedAesGcm, Seal::AesCbcThenHmac);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seal {
    /// AES-256-GCM under the SHA-256 digest of the secret. The bytes are: the IV's length in one byte, which is 12, and
    /// the IV; the additional data's length in two bytes, and the data; the ciphertext's length in four bytes, and the
    /// ciphertext; the tag of 16. Lengths are little-endian.
    FramedAesGcm,
    /// AES-128-CBC with PKCS#7 padding, then HMAC-SHA256 over IV and ciphertext. The halves of the SHA-256 digest of
    /// the secret are the keys: the first encrypts, the second signs. The bytes are: the IV of 16, the ciphertext, the
    /// MAC of 32.
    AesCbcThenHmac,
}

const TAG: usize = 16;
const MAC: usize = 32;
const BLOCK: usize = 16;

impl Seal {
    /// Whether these bytes can be a sealed payload. Needs no key.
    pub(super) fn check(self, sealed: &[u8]) -> Result<(), &'static str> {
        let fits = match self {
            Self::FramedAesGcm => Frame::read(sealed).is_some(),
            Self::AesCbcThenHmac => Blocks::read(sealed).is_some(),
        };
        if fits { Ok(()) } else { Err("has lengths that do not fit: its end was cut off") }
    }

    /// The payload, if it was sealed with this secret. All failures look the same.
    pub(super) fn open(self, sealed: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
        let mut key = Zeroizing::new([0; 32]);
        Sha256::new_with_prefix(secret).finalize_into((&mut *key).into());
        self.open_with(sealed, &key)
    }

    /// The payload, if it was sealed with this key.
    pub(super) fn open_with(self, sealed: &[u8], key: &[u8; 32]) -> Option<Vec<u8>> {
        match self {
            Self::FramedAesGcm => Frame::read(sealed)?.open(key),
            Self::AesCbcThenHmac => Blocks::read(sealed)?.open(key),
        }
    }
}

/// The parts of [`Seal::FramedAesGcm`].
struct Frame<'a> {
    iv: &'a [u8; 12],
    additional: &'a [u8],
    encrypted: &'a [u8],
    tag: &'a [u8; TAG],
}

impl<'a> Frame<'a> {
    /// All bytes, and no more.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first()?;
        let (iv, rest) = rest.split_at_checked(usize::from(*length))?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (additional, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (encrypted, tag) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        Some(Self { iv: iv.try_into().ok()?, additional, encrypted, tag: tag.try_into().ok()? })
    }

    /// The tag is compared before anything is decrypted.
    fn open(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        let cipher = Aes256Gcm::new(key.into());
        let mut text = self.encrypted.to_vec();
        cipher.decrypt_in_place_detached(self.iv.into(), self.additional, &mut text, self.tag.into()).ok()?;
        Some(text)
    }
}

/// The parts of [`Seal::AesCbcThenHmac`].
struct Blocks<'a> {
    /// The IV and the ciphertext.
    signed: &'a [u8],
    iv: &'a [u8; BLOCK],
    encrypted: &'a [u8],
    mac: &'a [u8; MAC],
}

impl<'a> Blocks<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (signed, mac) = bytes.split_last_chunk::<MAC>()?;
        let (iv, encrypted) = signed.split_first_chunk::<BLOCK>()?;
        let is_whole = !encrypted.is_empty() && encrypted.len().is_multiple_of(BLOCK);
        is_whole.then_some(Self { signed, iv, encrypted, mac })
    }

    fn open(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        let (encrypts, signs) = key.split_first_chunk::<BLOCK>()?;
        // The MAC first, so that a forger learns nothing about the padding.
        if !Digest::Sha256.verify_with_key(signs, self.signed, self.mac) {
            return None;
        }
        let mut text = self.encrypted.to_vec();
        let cipher = cbc::Decryptor::<Aes128>::new(encrypts.into(), self.iv.into());
        let length = cipher.decrypt_padded_mut::<Pkcs7>(&mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}
