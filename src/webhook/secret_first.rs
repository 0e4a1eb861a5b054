//! SHA-256 of a secret and, right behind it, the text: what some senders have in place of an HMAC.

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::keys::Secret;
use crate::mac::Tag;
use crate::scheme::SecretFormat;

/// The digest's state after the secret.
struct Begun(Sha256);

/// Whether one of the tags is the digest of the secret and the concatenated parts.
///
/// # Errors
/// What is wrong with the secret.
pub(super) fn verify<'p, 't>(
    (secret, format): (&Secret, SecretFormat),
    parts: impl Iterator<Item = &'p [u8]>,
    tags: impl Iterator<Item = &'t Tag>,
) -> Result<bool, &'static str> {
    let begin = |text: &[u8]| format.key(text).map(|key| Begun(Sha256::new().chain_update(&*key)));
    let digest = secret
        .try_with_prepared(format, begin, |Begun(state)| parts.fold(state.clone(), Sha256::chain_update).finalize())?;
    Ok(tags.fold(Choice::from(0), |any, tag| any | digest[..].ct_eq(tag)).into())
}
