//! The signatures in a request's headers, and the time that may stand beside them.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};
use smol_str::SmolStr;

#[cfg(feature = "explain")]
use subtle::ConstantTimeEq;

use super::{headers, secret_first};
use crate::ConfigProblem;
use crate::keys::{self, Secret};
use crate::mac::{Digest, Tag};
use crate::rejection::Reason;
#[cfg(feature = "explain")]
use crate::scheme::near::{Made, Odd};
use crate::scheme::{Encoding, Given, KeyKind, SecretFormat, encoding};

/// How many elements a list may have. Senders write one for each key, two or three.
const MOST_ELEMENTS: usize = 16;
/// How many signatures with public keys a list may have, as each costs a check of its own for each key.
#[cfg(feature = "public-key")]
const MOST_PUBLIC: usize = 4;

/// How the signatures are written.
#[derive(Clone)]
pub(crate) struct Signatures {
    pub(super) headers: Vec<HeaderName>,
    /// Separates the elements of a list. `None`: each header holds one signature.
    pub(super) separator: Option<char>,
    pub(super) prefix: Cow<'static, str>,
    /// What the element with the time begins with.
    pub(super) timestamp_element: Option<Cow<'static, str>>,
    pub(crate) encoding: Encoding,
    /// `None`: SHA-256.
    pub(crate) digest: Option<Digest>,
    /// Whether it is a plain digest with the secret in front, and no HMAC.
    pub(super) secret_first: bool,
    /// What a sender may make instead, while that is tried.
    #[cfg(feature = "explain")]
    pub(crate) odd: Option<Odd>,
    pub(crate) key_kind: KeyKind,
}

/// What the headers hold.
pub(super) struct Found {
    pub(super) tags: Tags,
    pub(super) timestamp: Option<SmolStr>,
}

/// One signature or more. Most senders write one, which then needs no allocation.
pub(crate) struct Tags {
    first: Given,
    others: Vec<Given>,
}

impl From<Given> for Tags {
    fn from(first: Given) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl Tags {
    pub(super) fn len(&self) -> usize {
        self.iter().count()
    }

    fn iter(&self) -> impl Iterator<Item = &Given> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn macs(&self) -> impl Iterator<Item = &Tag> {
        self.iter().filter_map(Given::mac)
    }
}

impl Signatures {
    /// Whether a sender may write several signatures.
    pub(super) fn is_list(&self) -> bool {
        self.separator.is_some() || self.headers.len() > 1
    }

    /// HMAC-SHA256 in hexadecimal, in no header yet.
    pub(crate) fn alone() -> Self {
        Self {
            headers: Vec::new(),
            separator: None,
            prefix: "".into(),
            timestamp_element: None,
            encoding: Encoding::Hex,
            digest: None,
            secret_first: false,
            #[cfg(feature = "explain")]
            odd: None,
            key_kind: KeyKind::default(),
        }
    }

    /// This one signature.
    #[cfg(any(feature = "signed-json", feature = "http-signature"))]
    pub(crate) fn only(&self, text: &str) -> Result<Tags, &'static str> {
        self.tag(text).map(Tags::from)
    }

    /// How the sender may make the MAC instead.
    #[cfg(feature = "explain")]
    pub(crate) fn near(&self, secret_format: SecretFormat) -> Vec<(String, Made)> {
        let made = Made { digest: self.digest(), encoding: self.encoding, secret_format };
        if self.is_public() { Vec::new() } else { made.near() }
    }

    /// What the sender may make instead of an HMAC.
    #[cfg(feature = "explain")]
    pub(crate) fn near_odd(&self) -> Vec<(String, Self)> {
        let is_ours = |odd: &Odd| self.secret_first && *odd == Odd::SecretFirst;
        let odd = Odd::ALL.into_iter().filter(|(odd, _)| !(self.is_public() || is_ours(odd)));
        odd.map(|(odd, made)| (format!("the sender makes {made}"), Self { odd: Some(odd), ..self.clone() })).collect()
    }

    /// Takes MACs that are made in this way, and returns the format of the secret.
    #[cfg(feature = "explain")]
    pub(crate) fn set(&mut self, Made { digest, encoding, secret_format }: Made) -> SecretFormat {
        (self.digest, self.encoding) = (Some(digest), encoding);
        secret_format
    }

    /// Refuses settings of an HMAC beside a public key.
    pub(crate) fn check(&self, format: SecretFormat) -> Result<(), ConfigProblem> {
        let (setting, is_set) = match self.digest {
            Some(_) => ("digest", true),
            None => ("secret_format", format != SecretFormat::Bytes),
        };
        if self.is_public() && is_set {
            return Err(ConfigProblem::setting(
                setting,
                "is for an HMAC, and the layer has a `public_key`: take one out",
            ));
        }
        Ok(())
    }

    /// The MAC that stands for everything that was signed: the only one, of the only spelling.
    pub(super) fn only_mac<'a>(&self, tags: &'a Tags) -> Option<&'a Tag> {
        if self.is_list() { None } else { tags.macs().next() }
    }

    /// Whether a copy could have another signature than the one that it was copied from: one of a list, or the second
    /// spelling of an ECDSA signature.
    pub(super) fn can_be_rewritten(&self) -> bool {
        self.is_list() || self.is_public()
    }

    /// Whether the keys are public keys.
    pub(crate) fn is_public(&self) -> bool {
        self.key_kind.is_public()
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest.unwrap_or(Digest::Sha256)
    }

    pub(super) fn are_in(&self, headers: &HeaderMap) -> bool {
        self.headers.iter().any(|name| headers.contains_key(name))
    }

    pub(super) fn find(&self, headers: &HeaderMap) -> Result<Found, Reason> {
        match &self.headers[..] {
            [name] if !self.is_list() => {
                let text = headers::once(headers, name)?.ok_or(Reason::MissingSignature)?;
                let tag = self.tag(text).map_err(|what| headers::malformed(name, what))?;
                Ok(Found { tags: tag.into(), timestamp: None })
            }
            _ => self.find_all(headers),
        }
    }

    /// Whether the key made one of these signatures for the concatenated parts.
    ///
    /// # Errors
    /// What is wrong with the key.
    pub(crate) fn verify<'p>(
        &self,
        (key, format): (&Secret, SecretFormat),
        parts: impl Iterator<Item = &'p [u8]>,
        tags: &Tags,
    ) -> Result<bool, &'static str> {
        #[cfg(feature = "public-key")]
        if let Some(algorithm) = self.key_kind.algorithm() {
            let signed = concatenated(parts);
            for signature in tags.iter() {
                match signature {
                    Given::PublicKey(signature) if algorithm.verify(key, &signed, signature)? => return Ok(true),
                    _ => {}
                }
            }
            return Ok(false);
        }
        keys::check_shared(key)?;
        #[cfg(feature = "explain")]
        if let Some(odd) = self.odd {
            let tag = odd.tag(self.digest(), &format.key(key.expose())?, &parts.collect::<Vec<_>>().concat());
            return Ok(tags.macs().any(|given| tag[..].ct_eq(given).into()));
        }
        if self.secret_first {
            return secret_first::verify((key, format), parts, tags.macs());
        }
        self.digest().verify_any((key, format), |text| format.key(text), parts, tags.macs())
    }

    /// Ignores elements that are neither a signature nor the time: senders add some without notice, such as a second
    /// scheme. Also ignores malformed signatures, as another one may be right.
    fn find_all(&self, headers: &HeaderMap) -> Result<Found, Reason> {
        let name = self.headers.first().ok_or(Reason::MissingSignature)?;
        let malformed = |what| headers::malformed(name, what);
        // The text of a header holds no NUL.
        let separator = self.separator.unwrap_or('\0');
        let (mut tags, mut timestamp, mut seen) = (None::<Tags>, None, 0);
        let mut problem = "has no signature of the layer's prefix, encoding and length";
        for value in self.headers.iter().flat_map(|name| headers.get_all(name)) {
            let text = value.to_str().map_err(|_| malformed("is not ASCII text"))?;
            for element in text.split(separator).map(str::trim_ascii) {
                seen += 1;
                if seen > MOST_ELEMENTS {
                    return Err(malformed("has more elements than any sender writes"));
                }
                let time = self.timestamp_element.as_deref().and_then(|prefix| element.strip_prefix(prefix));
                match (time, &timestamp) {
                    (Some(time), None) => timestamp = Some(time.into()),
                    (Some(_), Some(_)) => return Err(malformed("has two times")),
                    (None, _) => match (self.tag(element), &mut tags) {
                        (Ok(tag), None) => tags = Some(tag.into()),
                        (Ok(tag), Some(tags)) => tags.others.push(tag),
                        (Err(what), _) if what == encoding::CUT => problem = what,
                        (Err(_), _) => {}
                    },
                }
            }
        }
        if seen == 0 {
            return Err(Reason::MissingSignature);
        }
        let tags = tags.ok_or_else(|| malformed(problem))?;
        #[cfg(feature = "public-key")]
        if self.is_public() && tags.len() > MOST_PUBLIC {
            return Err(malformed("has more signatures than any sender writes"));
        }
        if self.timestamp_element.is_some() && timestamp.is_none() {
            return Err(malformed("has no time"));
        }
        Ok(Found { tags, timestamp })
    }

    fn tag(&self, text: &str) -> Result<Given, &'static str> {
        let text = text.strip_prefix(&*self.prefix).ok_or("does not begin with its prefix")?;
        self.key_kind.decode(text, self.encoding, self.digest().length())
    }
}

#[cfg(feature = "public-key")]
fn concatenated<'p>(parts: impl Iterator<Item = &'p [u8]>) -> Cow<'p, [u8]> {
    match &parts.collect::<Vec<_>>()[..] {
        [part] => Cow::Borrowed(part),
        parts => Cow::Owned(parts.concat()),
    }
}
