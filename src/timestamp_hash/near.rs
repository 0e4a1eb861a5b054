//! What a partner may do otherwise with the form of [`Recipe::form_as_key`](super::Recipe::form_as_key).

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::keys::Secret;
use crate::mac::Digest;
use crate::text::percent::quote_plus;

/// A slip, while it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormSlip {
    SecretAsKey,
    SecretAsKeyToo,
    EmptyKey,
    PlainDigest,
    NotEncoded,
    LowerEscapes,
}

pub(super) const SLIPS: [(FormSlip, &str); 6] = [
    (
        FormSlip::SecretAsKey,
        "signs the fields with the secret as the key; here, fields and secret are the key, and nothing is the message",
    ),
    (
        FormSlip::SecretAsKeyToo,
        "signs fields and secret with the secret as the key; here, they are the key, and nothing is the message",
    ),
    (
        FormSlip::EmptyKey,
        "signs fields and secret with an empty key; here, they are the key, and nothing is the message",
    ),
    (FormSlip::PlainDigest, "makes a plain digest of fields and secret; here, they are the key of an HMAC"),
    (FormSlip::NotEncoded, "does not encode the values as form data before they are hashed"),
    (FormSlip::LowerEscapes, "writes `%2b` in lower case, as C#'s `HttpUtility.UrlEncode` does"),
];

impl FormSlip {
    /// Whether these fields were signed in this way.
    pub(super) fn signed<'a>(
        self,
        digest: Digest,
        names: &[Vec<u8>],
        fields: impl Iterator<Item = &'a str> + Clone,
        secret: &'a Secret,
        mac: &[u8],
    ) -> bool {
        let form = |with_secret: bool, is_encoded: bool| {
            let secret = with_secret.then_some(secret.expose());
            let mut form = Zeroizing::new(Vec::new());
            for (name, value) in names.iter().zip(fields.clone().map(str::as_bytes).chain(secret)) {
                form.extend_from_slice(name);
                if is_encoded { quote_plus(value, &mut form) } else { form.extend_from_slice(value) }
            }
            form
        };
        match self {
            Self::SecretAsKey => digest.verify_with_key(secret.expose(), &form(false, true), mac),
            Self::SecretAsKeyToo => digest.verify_with_key(secret.expose(), &form(true, true), mac),
            Self::EmptyKey => digest.verify_with_key(&[], &form(true, true), mac),
            Self::PlainDigest => digest.hash([form(true, true).as_slice()])[..].ct_eq(mac).into(),
            // A value with a percent sign was encoded once more, rather.
            Self::NotEncoded => {
                !fields.clone().any(|value| value.contains('%')) && digest.verify_with_key(&form(true, false), &[], mac)
            }
            Self::LowerEscapes => {
                let mut form = form(true, true);
                let mut escaped = 0;
                for byte in form.iter_mut() {
                    if escaped > 0 {
                        byte.make_ascii_lowercase();
                    }
                    escaped = if *byte == b'%' { 2_u8 } else { escaped.saturating_sub(1) };
                }
                digest.verify_with_key(&form, &[], mac)
            }
        }
    }
}
