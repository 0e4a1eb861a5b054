use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::keys::Secret;
use crate::rejection::Reason;
use crate::text::base64::{decode_base64url_into, is_base64url, without_padding};

const VERSION: u8 = 0x80;
const BLOCK: usize = 16;
const MAC: usize = 32;
/// Version, time and initialization vector.
const HEADER: usize = 1 + 8 + BLOCK;
/// The characters of a token of one block.
pub(super) const SHORTEST: usize = (HEADER + BLOCK + MAC) * 4 / 3 + 1;

/// A structurally valid token. Its maker is not verified yet.
pub struct Token {
    /// Canonical base64url.
    text: String,
    issued_at: UnixTime,
    mac: [u8; MAC],
}

/// An authentic token's content.
pub struct Message {
    pub(super) content: Vec<u8>,
    pub(super) issued_at: UnixTime,
    pub(super) mac: [u8; MAC],
}

impl Token {
    /// In characters.
    pub(super) fn length(&self) -> usize {
        self.text.len()
    }

    /// Checks everything that needs no key, so that the library gets nothing that it would read differently: it accepts
    /// any number of padding characters, and compares the time with its own clock before it checks the MAC.
    pub(super) fn parse(text: Cow<'_, str>, longest: usize) -> Result<Self, &'static str> {
        const NOT_CANONICAL: &str = "is not canonical base64url: it has another alphabet, or its end was cut off";
        if text.len() > longest {
            return Err("is too long");
        }
        // Twelve characters are nine bytes, which reveal most invalid tokens.
        let mut head = [0; 9];
        let first = text.get(..12).ok_or("is too short: its end was cut off")?;
        decode_base64url_into(first.as_bytes(), &mut head).ok_or(NOT_CANONICAL)?;
        let [VERSION, time @ ..] = head else { return Err("has another version than 0x80") };
        let bare = without_padding(&text).ok_or(NOT_CANONICAL)?;
        // Only its ends are decoded here. The library decodes all of it, once.
        if !is_base64url(bare.as_bytes()) {
            return Err(NOT_CANONICAL);
        }
        let length = bare.len() * 3 / 4;
        let Some(ciphertext) = length.checked_sub(HEADER + MAC).filter(|ciphertext| *ciphertext >= BLOCK) else {
            return Err("is too short: its end was cut off");
        };
        if !ciphertext.is_multiple_of(BLOCK) {
            return Err("does not hold whole blocks: its end was cut off");
        }
        let mac = last_bytes(bare, length).ok_or(NOT_CANONICAL)?;
        Ok(Self { issued_at: UnixTime::from_secs(u64::from_be_bytes(time)), mac, text: text.into_owned() })
    }

    /// Checks the MAC, then decrypts.
    pub(super) fn decrypt(&self, key: &Secret) -> Result<Message, Reason> {
        /// The library refuses tokens more than 60 s ahead of the time it is given. This time is ahead of any token's,
        /// and does not overflow when the library adds those 60 s. The layer's own clock checks the time later.
        const END_OF_TIME: u64 = u64::MAX - 60;
        let decrypt = |fernet: &fernet::Fernet| fernet.decrypt_at_time(&self.text, None, END_OF_TIME);
        let content = key.try_with_prepared((), prepare, decrypt).map_err(Reason::UnusableKey)?;
        let content = content.map_err(|_| Reason::BadSignature)?;
        Ok(Message { content, issued_at: self.issued_at, mac: self.mac })
    }
}

/// The MAC at the end of a text that encodes `length` bytes.
fn last_bytes(text: &str, length: usize) -> Option<[u8; MAC]> {
    // Four characters are three bytes, so it may begin inside of a group.
    let groups = (length - MAC) / 3;
    let mut bytes = [0; MAC + 2];
    let bytes = bytes.get_mut(..length - 3 * groups)?;
    decode_base64url_into(text.as_bytes().get(4 * groups..)?, bytes)?;
    bytes.last_chunk().copied()
}

const NOT_A_KEY: &str = "is not a Fernet key, which is 32 bytes in base64url: 44 characters";

/// A key is 32 bytes in canonical base64url, with its padding: 44 characters.
fn key_text(key: &[u8]) -> Result<&str, &'static str> {
    let text = std::str::from_utf8(key).ok().filter(|text| text.len() == 44).ok_or(NOT_A_KEY)?;
    // Decoded to check that the spelling is canonical, then wiped.
    let mut bytes = Zeroizing::new([0; 32]);
    let decoded = without_padding(text).and_then(|bare| decode_base64url_into(bare.as_bytes(), &mut *bytes));
    decoded.map(|()| text).ok_or(NOT_A_KEY)
}

/// The library does not wipe its own copies of the key.
pub(crate) fn prepare(key: &[u8]) -> Result<fernet::Fernet, &'static str> {
    fernet::Fernet::new(key_text(key)?).ok_or(NOT_A_KEY)
}

pub(crate) fn check_key(key: &Secret) -> Result<(), &'static str> {
    key_text(key.expose()).map(drop)
}

opaque_debug!(Token);
opaque_debug!(Message { issued_at });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::base64::encode_base64url;

    #[test]
    fn the_mac_is_the_end_of_what_is_decoded() {
        let all: Vec<u8> = (0..100).collect();
        for length in MAC..100 {
            let bytes = &all[..length];
            let text = encode_base64url(bytes);
            assert_eq!(last_bytes(&text, length).as_ref(), bytes.last_chunk(), "{length}");
            assert_eq!(last_bytes(&text[1..], length), None, "{length}: a character is missing");
        }
    }
}
