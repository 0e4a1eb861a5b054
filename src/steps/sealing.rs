//! Payloads that are encrypted and signed with one secret.

/// How, as `sealed::Seal` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "sealed"), allow(dead_code, reason = "no form seals"))]
pub(crate) enum Sealing {
    CbcThenHmac,
    FramedGcm,
}

#[cfg(feature = "sealed")]
mod seals {
    use aes::Aes128;
    use aes_gcm::Aes256Gcm;
    use aes_gcm::aead::{AeadInPlace, KeyInit};
    use cbc::cipher::block_padding::Pkcs7;
    use cbc::cipher::{BlockEncryptMut, KeyIvInit};

    use super::Sealing;
    use crate::keys::Secret;
    use crate::mac::Digest;
    use crate::steps::SignError;

    const BLOCK: usize = 16;

    impl Sealing {
        /// The sealed text. A new nonce makes a new IV, and so does another text.
        pub(crate) fn seal(self, secret: &Secret, text: &[u8], nonce: &str) -> Result<Vec<u8>, SignError> {
            const TOO_LONG: SignError = SignError::Unsupported("its payload is too long");

            let key = Digest::Sha256.hash([secret.expose()]);
            let random = Digest::Sha256.mac(&key, [nonce.as_bytes(), &[0], text]);
            let (Some(halves), Some(random)) = (key.split_at_checked(BLOCK), random.first_chunk::<BLOCK>()) else {
                return Err(TOO_LONG);
            };
            match self {
                Self::CbcThenHmac => {
                    let (encrypts, signs) = halves;
                    let cipher = cbc::Encryptor::<Aes128>::new_from_slices(encrypts, random).map_err(|_| TOO_LONG)?;
                    let mut blocks = [text, &[0; BLOCK]].concat();
                    let encrypted =
                        cipher.encrypt_padded_mut::<Pkcs7>(&mut blocks, text.len()).map_err(|_| TOO_LONG)?;
                    let signed = [random, encrypted].concat();
                    let mac = Digest::Sha256.mac(signs, [signed.as_slice()]);
                    Ok([signed.as_slice(), &mac[..]].concat())
                }
                Self::FramedGcm => {
                    let iv = random.first_chunk::<12>().ok_or(TOO_LONG)?;
                    let cipher = Aes256Gcm::new_from_slice(&key).map_err(|_| TOO_LONG)?;
                    let mut encrypted = text.to_vec();
                    let tag = cipher.encrypt_in_place_detached(iv.into(), b"", &mut encrypted).map_err(|_| TOO_LONG)?;
                    let length = u32::try_from(encrypted.len()).map_err(|_| TOO_LONG)?.to_le_bytes();
                    Ok([&[12], iv.as_slice(), &[0, 0], &length, &encrypted, &tag].concat())
                }
            }
        }
    }
}
