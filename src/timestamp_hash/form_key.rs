//! Fields and secret as form data: the key of [`Recipe::form_as_key`](super::Recipe::form_as_key).

use std::borrow::Cow;

use zeroize::{Zeroize, Zeroizing};

use crate::keys::Secret;
use crate::text::percent::{percent_encode, quote_plus};

/// `name=value&…&secret_name=secret`, as Python's `urlencode` writes it.
pub(super) fn form<'a>(
    (names, plus): (&'a [Vec<u8>], bool),
    fields: impl Iterator<Item = &'a str> + Clone,
    secret: &Secret,
) -> FormWithSecret {
    let quote = if plus { quote_plus } else { percent_encode };
    secret.with_prepared(
        plus,
        |secret| Quoted::of(secret, quote),
        |Quoted(secret)| {
            let named = || names.iter().zip(fields.clone().map(str::as_bytes));
            let last = names.last().map_or(&[][..], Vec::as_slice);
            // Reserve the maximum length: the buffer never moves and leaves no copy of the secret.
            let length: usize = named().map(|(name, value)| name.len() + LONGEST_ESCAPE * value.len()).sum();
            let mut bytes = Vec::with_capacity(length + last.len() + secret.len());
            for (name, value) in named() {
                bytes.extend_from_slice(name);
                quote(value, &mut bytes);
            }
            bytes.extend_from_slice(last);
            let public = bytes.len();
            bytes.extend_from_slice(secret);
            FormWithSecret { bytes, public }
        },
    )
}

/// The length of `%20`.
const LONGEST_ESCAPE: usize = 3;

/// A form that ends with a secret, which is wiped.
pub(super) struct FormWithSecret {
    pub(super) bytes: Vec<u8>,
    /// The length of the part that is not secret.
    public: usize,
}

impl Drop for FormWithSecret {
    fn drop(&mut self) {
        if let Some(secret) = self.bytes.get_mut(self.public..) {
            secret.zeroize();
        }
    }
}

/// A secret written as form data.
struct Quoted(Zeroizing<Vec<u8>>);

impl Quoted {
    fn of(secret: &[u8], quote: fn(&[u8], &mut Vec<u8>)) -> Self {
        // Reserved for the same reason.
        let mut quoted = Zeroizing::new(Vec::with_capacity(LONGEST_ESCAPE * secret.len()));
        quote(secret, &mut quoted);
        Self(quoted)
    }
}

/// A name as it stands in the form, with what is before and after it.
pub(super) fn written((position, name): (usize, &Cow<'static, str>)) -> Vec<u8> {
    let mut written = if position == 0 { Vec::new() } else { b"&".to_vec() };
    quote_plus(name.as_bytes(), &mut written);
    written.push(b'=');
    written
}
