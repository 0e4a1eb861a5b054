use std::borrow::Cow;
use std::ops::Deref;

use crate::encoding::is_plain;
use crate::query;

/// A decoded name or value. Most are plain: the same in every encoding, so that they need neither be decoded nor encoded.
pub(crate) struct Text<'a> {
    decoded: Cow<'a, str>,
    plain: bool,
}

impl<'a> Text<'a> {
    /// Decodes form data that is plain or not.
    pub(super) fn decode((raw, plain): (&'a str, bool)) -> Result<Self, &'static str> {
        let decoded = if plain { raw.into() } else { query::decode(raw)? };
        Ok(Self { decoded, plain })
    }

    /// The text, if it is its own percent-encoding.
    pub(super) fn plain(&self) -> Option<&str> {
        self.plain.then_some(&*self.decoded)
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Text<'a> {
    fn from(text: T) -> Self {
        let decoded = text.into();
        Self { plain: is_plain(decoded.as_bytes()), decoded }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.decoded
    }
}
