//! What binds a nonce to one browser, one partner and one tenant.

use subtle::ConstantTimeEq;

use crate::clock::UnixTime;
use crate::debug::opaque_debug;
use crate::mac::{Digest, Tag};
use crate::text::base64::decode_base64url_into;

// Lengths in bytes, before base64url. A nonce is its signed part, which is a time and a salt, and the MAC of that.
pub(super) const BINDING: usize = 32;
const TIME: usize = 8;
pub(super) const SALT: usize = 16;
const SIGNED: usize = TIME + SALT;
pub(super) const NONCE: usize = SIGNED + 32;

/// The random bits in a browser's cookie: the key of its nonces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding(pub(super) [u8; BINDING]);

impl Binding {
    /// When a nonce was made, if it was made for this browser, this partner and this tenant.
    pub(super) fn made_at(&self, nonce: &str, partner: &str, tenant: Option<&str>) -> Option<UnixTime> {
        let mut bytes = [0; NONCE];
        decode_base64url_into(nonce.as_bytes(), &mut bytes)?;
        let (signed, mac) = bytes.split_at(SIGNED);
        let expected = tag(&self.0, signed, partner, tenant);
        let time: [u8; TIME] = signed.get(..TIME)?.try_into().ok()?;
        bool::from(expected[..].ct_eq(mac)).then(|| UnixTime::from_secs(u64::from_be_bytes(time)))
    }
}

opaque_debug!(Binding);

/// The MAC of a nonce's signed part and of whom it is for. With the partner's length in it, no partner and tenant have
/// the text of another two.
pub(super) fn tag(binding: &[u8], signed: &[u8], partner: &str, tenant: Option<&str>) -> Tag {
    let (length, has_tenant) = (partner.len().to_be_bytes(), [u8::from(tenant.is_some())]);
    let names = [partner.as_bytes(), &has_tenant, tenant.unwrap_or_default().as_bytes()];
    Digest::Sha256.mac(binding, [signed, length.as_slice()].into_iter().chain(names))
}
