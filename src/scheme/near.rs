//! What partners most often do otherwise with a MAC. Each form tries this list with its own settings.

use super::{Encoding, SecretFormat};
use crate::mac::Digest;
#[cfg(any(feature = "signed-parameters", feature = "signed-payload", feature = "webhook"))]
use crate::mac::Tag;

const DIGESTS: [(Digest, &str); 4] = [
    (Digest::Sha256, "HMAC-SHA256"),
    (Digest::Sha1, "HMAC-SHA1"),
    (Digest::Sha512, "HMAC-SHA512"),
    (Digest::Sha384, "HMAC-SHA384"),
];

const ENCODINGS: [(Encoding, &str); 4] = [
    (Encoding::Hex, "hexadecimal"),
    (Encoding::Base64, "base64"),
    (Encoding::Base64Url, "base64url"),
    (Encoding::Base64OfHex, "base64 of the hexadecimal text"),
];

const SECRET_FORMATS: [(SecretFormat, &str); 4] = [
    (SecretFormat::Bytes, "takes the secret's text as the key"),
    (SecretFormat::Base64 { prefix: "" }, "decodes the secret as base64"),
    (SecretFormat::Base64 { prefix: "whsec_" }, "decodes the secret as base64 after `whsec_`"),
    (SecretFormat::Hex, "decodes the secret as hexadecimal"),
];

/// How a MAC is made and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) digest: Digest,
    pub(crate) encoding: Encoding,
    pub(crate) secret_format: SecretFormat,
}

impl Made {
    /// How the partner may make it instead, and what that would mean: one thing is different, or both digest and
    /// encoding, as when another sender's code was copied.
    pub(crate) fn near(self) -> Vec<(String, Self)> {
        let mut near = Vec::new();
        for (secret_format, does) in SECRET_FORMATS {
            let cause = format!("the partner {does}, and this layer {}: see `secret_format`", self.reads_the_secret());
            near.push((cause, Self { secret_format, ..self }));
        }
        for (digest, signs) in DIGESTS {
            let ours = name_of(&DIGESTS, self.digest);
            let cause = format!("the partner signs with {signs}, and this layer expects {ours}");
            near.push((cause, Self { digest, ..self }));
        }
        for (encoding, written) in ENCODINGS.into_iter().filter(|(encoding, _)| *encoding != self.encoding) {
            let ours = name_of(&ENCODINGS, self.encoding);
            for (digest, signs) in DIGESTS {
                let with = if digest == self.digest { String::new() } else { format!(" and signs with {signs}") };
                let cause =
                    format!("the partner writes the signature as {written}{with}, and this layer expects {ours}");
                near.push((cause, Self { digest, encoding, ..self }));
            }
        }
        near.retain(|(_, other)| *other != self && !(other.is_text() && self.is_text() && other.only_reads(self)));
        near
    }

    fn reads_the_secret(self) -> &'static str {
        if self.is_text() { "takes its text" } else { "decodes it" }
    }

    /// Two formats of the secret take its text: they make the same key.
    fn is_text(self) -> bool {
        matches!(self.secret_format, SecretFormat::Bytes | SecretFormat::Text)
    }

    fn only_reads(self, other: Self) -> bool {
        (self.digest, self.encoding) == (other.digest, other.encoding)
    }
}

/// What is not an HMAC, or one whose arguments are in each other's place: no layer expects these.
#[cfg(any(feature = "signed-parameters", feature = "signed-payload", feature = "webhook"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Odd {
    SecretFirst,
    SecretLast,
    Swapped,
}

#[cfg(any(feature = "signed-parameters", feature = "signed-payload", feature = "webhook"))]
impl Odd {
    pub(crate) const ALL: [(Self, &str); 3] = [
        (Self::Swapped, "an HMAC with the secret as the text and the text as the key: its arguments are swapped"),
        (Self::SecretFirst, "a plain digest with the secret in front, and this layer expects an HMAC"),
        (Self::SecretLast, "a plain digest with the secret at the end, and this layer expects an HMAC"),
    ];

    /// What it makes of this text.
    pub(crate) fn tag(self, digest: Digest, key: &[u8], text: &[u8]) -> Tag {
        match self {
            Self::SecretFirst => digest.hash([key, text]),
            Self::SecretLast => digest.hash([text, key]),
            Self::Swapped => digest.mac(text, [key]),
        }
    }
}

pub(crate) fn digests() -> impl Iterator<Item = (Digest, &'static str)> {
    DIGESTS.into_iter()
}

fn name_of<T: PartialEq>(names: &[(T, &'static str)], thing: T) -> &'static str {
    names.iter().find(|(other, _)| *other == thing).map_or("another one", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_suspect_differs_and_says_how() {
        for secret_format in [SecretFormat::Bytes, SecretFormat::Text, SecretFormat::Base64 { prefix: "whsec_" }] {
            let ours = Made { digest: Digest::Sha1, encoding: Encoding::Base64, secret_format };
            let near = ours.near();
            assert!(near.iter().all(|(_, other)| *other != ours));
            let mut seen: Vec<&Made> = Vec::new();
            for (cause, other) in &near {
                assert!(!seen.contains(&other), "{cause}: twice");
                seen.push(other);
            }
            let reads = near.iter().filter(|(cause, _)| cause.contains("secret_format")).count();
            assert_eq!(reads, 3, "{secret_format:?}: the two formats that take the text are one");
        }
    }
}
