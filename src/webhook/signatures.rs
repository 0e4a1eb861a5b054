//! The signatures in a request's headers, and the time that may stand beside them.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

use super::headers;
use crate::mac::{Digest, Tag};
use crate::rejection::Reason;
use crate::scheme::Encoding;

/// How many elements a list may have. Senders write one for each key, two or three.
const MOST_ELEMENTS: usize = 16;

/// How the signatures are written.
pub(super) struct Signatures {
    pub(super) headers: Vec<HeaderName>,
    /// Separates the elements of a list. `None`: each header holds one signature.
    pub(super) separator: Option<char>,
    pub(super) prefix: Cow<'static, str>,
    /// What the element with the time begins with.
    pub(super) timestamp_element: Option<Cow<'static, str>>,
    pub(super) encoding: Encoding,
    pub(super) digest: Digest,
}

/// What the headers hold.
pub(super) struct Found {
    pub(super) tags: Tags,
    pub(super) timestamp: Option<String>,
}

/// One signature or more. Most senders write one, which then needs no allocation.
pub(super) struct Tags {
    pub(super) first: Tag,
    others: Vec<Tag>,
}

impl Tags {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Tag> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl Signatures {
    /// Whether a sender may write several signatures.
    pub(super) fn is_list(&self) -> bool {
        self.separator.is_some() || self.headers.len() > 1
    }

    pub(super) fn are_in(&self, headers: &HeaderMap) -> bool {
        self.headers.iter().any(|name| headers.contains_key(name))
    }

    pub(super) fn find(&self, headers: &HeaderMap) -> Result<Found, Reason> {
        match &self.headers[..] {
            [name] if !self.is_list() => {
                let text = headers::once(headers, name)?.ok_or(Reason::MissingSignature)?;
                let tag = self.tag(text).map_err(|what| headers::malformed(name, what))?;
                Ok(Found { tags: Tags { first: tag, others: Vec::new() }, timestamp: None })
            }
            _ => self.find_all(headers),
        }
    }

    /// Ignores elements that are neither a signature nor the time: senders add some without notice, such as a second
    /// scheme. Also ignores malformed signatures, as another one may be right.
    fn find_all(&self, headers: &HeaderMap) -> Result<Found, Reason> {
        let name = self.headers.first().ok_or(Reason::MissingSignature)?;
        let malformed = |what| headers::malformed(name, what);
        if !self.are_in(headers) {
            return Err(Reason::MissingSignature);
        }
        let (mut tags, mut timestamp, mut seen) = (Vec::new(), None, 0);
        for value in self.headers.iter().flat_map(|name| headers.get_all(name)) {
            let text = value.to_str().map_err(|_| malformed("is not ASCII text"))?;
            for element in text.split(|letter| Some(letter) == self.separator).map(str::trim_ascii) {
                seen += 1;
                if seen > MOST_ELEMENTS {
                    return Err(malformed("has more elements than any sender writes"));
                }
                let time = self.timestamp_element.as_deref().and_then(|prefix| element.strip_prefix(prefix));
                match (time, &timestamp) {
                    (Some(time), None) => timestamp = Some(time.to_owned()),
                    (Some(_), Some(_)) => return Err(malformed("has two times")),
                    (None, _) => tags.extend(self.tag(element)),
                }
            }
        }
        let mut tags = tags.into_iter();
        let first =
            tags.next().ok_or_else(|| malformed("has no signature of the layer's prefix, encoding and length"))?;
        if self.timestamp_element.is_some() && timestamp.is_none() {
            return Err(malformed("has no time"));
        }
        Ok(Found { tags: Tags { first, others: tags.collect() }, timestamp })
    }

    fn tag(&self, text: &str) -> Result<Tag, &'static str> {
        headers::mac(text, &self.prefix, self.encoding, self.digest)
    }
}
