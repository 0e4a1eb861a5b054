//! What a careful handler does by the sender's page, and no more: the header, the time, the list of signatures, their encoding, the
//! MAC with the secret, and a comparison in constant time. `None` refuses.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tower_sso::clock::{Clock, SystemClock};

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `Webhook-Signature: hex(HMAC-SHA256(secret, body))`.
pub(crate) fn webhook(secret: &str, headers: &HeaderMap, body: &[u8]) -> Option<()> {
    let given = base16ct::mixed::decode_vec(text(headers, "webhook-signature")?).ok()?;
    let made = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?.chain_update(body).finalize();
    bool::from(made.into_bytes().ct_eq(&given)).then_some(())
}

/// Standard Webhooks with Svix's headers, as its page on manual verification has it, and a tolerance of five minutes. The secret is
/// already decoded, as it is when a program starts.
pub(crate) fn standard_webhooks(secret: &[u8], headers: &HeaderMap, body: &[u8]) -> Option<()> {
    let [id, time, signatures] = ["svix-id", "svix-timestamp", "svix-signature"].map(|name| text(headers, name));
    let (id, time) = (id?, time?);
    if SystemClock.now().as_secs().abs_diff(time.parse().ok()?) > 300 {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    for part in [id, ".", time, "."] {
        mac.update(part.as_bytes());
    }
    let made = mac.chain_update(body).finalize().into_bytes();
    let given = signatures?.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
    let mut given = given.filter_map(|signature| BASE64_STANDARD.decode(signature).ok());
    given.any(|given| made.ct_eq(&given).into()).then_some(())
}
