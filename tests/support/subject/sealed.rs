use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::replay::ReplayStore;
use tower_sso::scheme::{Place, TimeFormat};
use tower_sso::sealed::{self, Seal, Sealed};
use tower_sso::tenant::Tenant;

use super::{Duplicate, Spoil, Subject, Wish, changed_at, get};
use crate::support::{App, Request_};

pub struct SealedSubject;

/// IV, additional data, ciphertext and tag, with their lengths in front.
pub fn frame(secret: &[u8], additional: &[u8], text: &str) -> Vec<u8> {
    let iv: [u8; 12] = Sha256::digest(text)[..12].try_into().unwrap();
    let mut encrypted = text.as_bytes().to_vec();
    let cipher = Aes256Gcm::new(&<[u8; 32]>::from(Sha256::digest(secret)).into());
    let tag = cipher.encrypt_in_place_detached(&iv.into(), additional, &mut encrypted).unwrap();
    let mut bytes = vec![12];
    bytes.extend(iv);
    bytes.extend(u16::try_from(additional.len()).unwrap().to_le_bytes());
    bytes.extend(additional);
    bytes.extend(u32::try_from(encrypted.len()).unwrap().to_le_bytes());
    bytes.extend(encrypted);
    bytes.extend(tag);
    bytes
}

impl Subject for SealedSubject {
    const NAME: &'static str = "sealed";
    const WINDOW: Option<(u64, u64)> = Some((300, 60));
    const DUPLICATE: Duplicate = Duplicate::Refused("replayed");

    super::apps_over_the_layer!();

    fn request(wish: &Wish) -> Request_ {
        let payload = json!({"iat": wish.issued_at.as_secs(), "sub": wish.subject}).to_string();
        let token = BASE64_URL_SAFE_NO_PAD.encode(frame(Self::key(wish.key).expose(), b"", &payload));
        get(&format!("/sso?org={}&a=%zz&token={token}&b=1", wish.tenant))
    }

    fn spoil(request: Request_, how: Spoil) -> Option<Request_> {
        let uri = request.uri().to_string();
        let (before, rest) = uri.split_once("token=").unwrap();
        let (token, after) = rest.split_once('&').unwrap();
        let token = match how {
            // After the IV and the lengths, and before the tag.
            Spoil::Content => changed_at(token, 30),
            Spoil::Signature => changed_at(token, token.len() - 5),
            Spoil::Twice => format!("{token}&token={token}"),
            Spoil::Absent => return Some(get(&format!("{before}{after}"))),
            Spoil::Alphabet => format!("!{}", &token[1..]),
            Spoil::Short => token[..token.len() - 4].to_owned(),
            Spoil::Oversize => format!("{token}{}", "A".repeat(16 * 1024)),
            Spoil::Respelled => format!("{token}{}", "=".repeat(token.len().next_multiple_of(4) - token.len())),
        };
        Some(get(&format!("{before}token={token}&{after}")))
    }

    fn key(number: usize) -> Secret {
        Secret::new(format!("a sealing secret {number}"))
    }
}

impl SealedSubject {
    pub fn layer(keys: MemoryKeys, replay: impl ReplayStore, clock: ManualClock) -> Builder<Sealed<Value>> {
        let layer = sealed::layer(Seal::FramedAesGcm, Place::query("token"));
        let layer = layer.issued_at("iat", TimeFormat::Seconds).tenant(Tenant::query("org"));
        layer.keys(keys).replay(replay).clock(clock)
    }
}
