//! Encrypts secrets at rest.

use std::sync::Arc;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::SqlKeyError;
use crate::debug::opaque_debug;
use crate::keys::Secret;
use crate::text::base64::decode_base64_into;

/// The first bytes of an encrypted secret. No partner's secret begins like this.
pub(super) const MARK: &[u8; 8] = b"\0sealed\x01";
/// The mark and the master key's id.
const HEAD: usize = 16;
const NONCE: usize = 12;
const TAG: usize = 16;

const MOST: usize = 8;

/// The keys under which [`SqlKeyStore`](super::SqlKeyStore) encrypts secrets: the first encrypts, all decrypt. Clones
/// share them. `Debug` does not show them, and their memory is wiped.
///
/// Keep them where those who can read the database, its disks and its backups cannot.
///
/// ```
/// use tower_sso::keys::sql::MasterKeys;
///
/// // From a file that only the application can read, or from its environment: `openssl rand -base64 32`.
/// let keys = MasterKeys::parse("3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8=\n")?;
/// assert_eq!(format!("{keys:?}"), "MasterKeys { .. }");
/// # Ok::<(), tower_sso::keys::sql::SqlKeyError>(())
/// ```
#[derive(Clone)]
pub struct MasterKeys(Arc<[MasterKey]>);

struct MasterKey {
    head: [u8; HEAD],
    cipher: Aes256Gcm,
}

/// The row that a secret belongs to. A secret that is copied to another row cannot be decrypted there.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) namespace: &'a str,
    pub(super) tenant: &'a str,
    pub(super) digest: &'a [u8],
}

impl MasterKeys {
    /// Reads at most eight keys of 32 bytes, each in base64 with its padding, separated by white space or line feeds.
    ///
    /// # Errors
    /// If the text has no key, more than eight, a malformed one, the same one twice, or one of a single byte.
    pub fn parse(text: &str) -> Result<Self, SqlKeyError> {
        let keys = text.split_whitespace().map(MasterKey::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(SqlKeyError::MasterKey("there is none: make one with `openssl rand -base64 32`"));
        }
        if keys.len() > MOST {
            return Err(SqlKeyError::MasterKey("there are more than eight: take out those that encrypt nothing now"));
        }
        let is_repeated =
            |(place, key): (usize, &MasterKey)| keys.iter().take(place).any(|other| other.head == key.head);
        if keys.iter().enumerate().any(is_repeated) {
            return Err(SqlKeyError::MasterKey("one is given twice: take one of them out"));
        }
        Ok(Self(keys.into()))
    }

    /// What secrets begin with that are encrypted under each of the keys, the first key first.
    pub(super) fn heads(&self) -> impl Iterator<Item = &[u8; HEAD]> {
        self.0.iter().map(|key| &key.head)
    }

    /// The secret as it is stored in this row.
    pub(super) fn encrypt(&self, row: Row<'_>, secret: &[u8]) -> Result<Vec<u8>, SqlKeyError> {
        let failed = || SqlKeyError::MasterKey("the secret could not be encrypted");
        let key = self.0.first().ok_or_else(failed)?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SqlKeyError::MasterKey("the system has no random numbers"))?;
        // Never reallocated, and encrypted in place: no copy of the secret is left.
        let mut stored = Zeroizing::new(Vec::with_capacity(HEAD + NONCE + secret.len() + TAG));
        stored.extend_from_slice(&key.head);
        stored.extend_from_slice(&nonce);
        stored.extend_from_slice(secret);
        let (_, text) = stored.split_at_mut(HEAD + NONCE);
        let tag = key.cipher.encrypt_in_place_detached(&nonce.into(), &row.associated(&key.head), text);
        stored.extend_from_slice(&tag.map_err(|_| failed())?);
        Ok(std::mem::take(&mut *stored))
    }

    /// The secret that [`encrypt`](Self::encrypt) stored in this row.
    fn decrypt(&self, row: Row<'_>, stored: &[u8]) -> Result<Secret, &'static str> {
        const SPOILT: &str =
            "an encrypted secret was changed, or moved here from another row: give the tenant a new key";
        let (head, rest) = stored.split_first_chunk::<HEAD>().ok_or(SPOILT)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(SPOILT)?;
        let (encrypted, tag) = rest.split_last_chunk::<TAG>().ok_or(SPOILT)?;
        let key = self.0.iter().find(|key| key.head == *head).ok_or(UNKNOWN_MASTER_KEY)?;
        let mut text = Zeroizing::new(encrypted.to_vec());
        let associated = row.associated(head);
        let opened = key.cipher.decrypt_in_place_detached(nonce.into(), &associated, &mut text, tag.into());
        opened.map_err(|_| SPOILT)?;
        Ok(Secret::new(std::mem::take(&mut *text)))
    }
}

pub(super) const UNKNOWN_MASTER_KEY: &str =
    "secrets are encrypted under a master key that is not among `master_keys`: add it after the first one";
pub(super) const NO_MASTER_KEY: &str =
    "secrets are encrypted, and there is no master key: give the one that encrypted them to `master_keys`";
const READABLE: &str = "a secret is not encrypted although there are master keys: call `migrate`, which encrypts it";

/// What a row stores. Whether secrets are encrypted is the store's setting, never what the row says: otherwise whoever
/// can write into the table could give any tenant a readable secret of their own.
pub(super) fn read(keys: Option<&MasterKeys>, row: Row<'_>, stored: Vec<u8>) -> Result<Secret, &'static str> {
    match (keys, is_encrypted(&stored)) {
        (None, false) => Ok(Secret::new(stored)),
        (None, true) => Err(NO_MASTER_KEY),
        (Some(_), false) => {
            drop(Zeroizing::new(stored));
            Err(READABLE)
        }
        (Some(keys), true) => keys.decrypt(row, &stored),
    }
}

/// The same, for encrypting what is still readable.
pub(super) fn read_any(keys: &MasterKeys, row: Row<'_>, stored: &[u8]) -> Result<Secret, &'static str> {
    if is_encrypted(stored) { keys.decrypt(row, stored) } else { Ok(Secret::new(stored)) }
}

pub(super) fn is_encrypted(stored: &[u8]) -> bool {
    stored.starts_with(MARK)
}

impl MasterKey {
    fn parse(text: &str) -> Result<Self, SqlKeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        if decode_base64_into(text, &mut *bytes).is_none() {
            let problem = "one is not 32 bytes in base64: make one with `openssl rand -base64 32`";
            return Err(SqlKeyError::MasterKey(problem));
        }
        if bytes.iter().all(|byte| bytes.first() == Some(byte)) {
            return Err(SqlKeyError::MasterKey(
                "one is the same byte 32 times: make one with `openssl rand -base64 32`",
            ));
        }
        let id = Sha256::new_with_prefix(b"tower-sso master key").chain_update(bytes.as_slice()).finalize();
        let mut head = [0; HEAD];
        head.iter_mut().zip(MARK.iter().chain(&id)).for_each(|(to, from)| *to = *from);
        let cipher = Aes256Gcm::new_from_slice(bytes.as_slice());
        Ok(Self { head, cipher: cipher.map_err(|_| SqlKeyError::MasterKey("one is not 32 bytes"))? })
    }
}

impl Row<'_> {
    fn associated(self, head: &[u8; HEAD]) -> Vec<u8> {
        let mut bytes = head.to_vec();
        for part in [self.namespace.as_bytes(), self.tenant.as_bytes(), self.digest] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
        bytes
    }
}

opaque_debug!(MasterKeys);

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const TWO: &str = "3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8=";
    const ROW: Row<'_> = Row { namespace: "n", tenant: "acme", digest: &[7; 32] };

    fn keys(text: &str) -> MasterKeys {
        MasterKeys::parse(text).unwrap()
    }

    #[test]
    fn what_is_encrypted_is_decrypted_in_its_row_alone() {
        let keys = keys(ONE);
        let stored = keys.encrypt(ROW, b"hunter2").unwrap();
        assert!(!stored.windows(7).any(|part| part == b"hunter2"));
        assert_eq!(read(Some(&keys), ROW, stored.clone()).unwrap(), Secret::new("hunter2"));
        assert_ne!(keys.encrypt(ROW, b"hunter2").unwrap(), stored, "a new nonce each time");
        for (row, why) in [
            (Row { tenant: "other", ..ROW }, "another tenant"),
            (Row { namespace: "na", tenant: "cme", ..ROW }, "another cut"),
            (Row { digest: &[8; 32], ..ROW }, "another key"),
        ] {
            assert!(read(Some(&keys), row, stored.clone()).unwrap_err().contains("moved"), "{why}");
        }
        for place in 0..stored.len() {
            let mut spoilt = stored.clone();
            spoilt[place] ^= 1;
            assert!(read(Some(&keys), ROW, spoilt).is_err(), "byte {place}");
            assert!(read(Some(&keys), ROW, stored[..place].to_vec()).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn the_first_key_encrypts_and_all_decrypt() {
        let (old, new) = (keys(ONE), keys(&format!("{TWO}\n{ONE}\n")));
        let by_old = old.encrypt(ROW, b"hunter2").unwrap();
        let by_new = new.encrypt(ROW, b"hunter2").unwrap();
        assert_eq!(read(Some(&new), ROW, by_old.clone()).unwrap(), Secret::new("hunter2"));
        assert_eq!(read(Some(&new), ROW, by_new.clone()).unwrap(), Secret::new("hunter2"));
        assert_eq!(read(Some(&old), ROW, by_new).unwrap_err(), UNKNOWN_MASTER_KEY);
        assert_eq!(read(None, ROW, by_old).unwrap_err(), NO_MASTER_KEY);
        assert_eq!(read(Some(&new), ROW, b"hunter2".to_vec()).unwrap_err(), READABLE);
        assert_eq!(read(None, ROW, b"hunter2".to_vec()).unwrap(), Secret::new("hunter2"));
    }

    #[test]
    fn what_is_no_master_key() {
        for (text, why) in [
            ("", "none"),
            (" \n", "blank"),
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "without its padding"),
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "not canonical"),
            ("AAECAwQFBgcICQoLDA0ODw==", "16 bytes"),
            ("000102030405060708090a0b0c0d0e0f101112131415", "44 digits, which are 33 bytes"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "zeros"),
            (&format!("{ONE} {TWO} {ONE}"), "one twice"),
        ] {
            let error = MasterKeys::parse(text).unwrap_err().to_string();
            assert!(error.contains("openssl rand") || error.contains("twice"), "{why}: {error}");
        }
        assert_eq!(format!("{:?}", keys(ONE)), "MasterKeys { .. }");
    }
}
