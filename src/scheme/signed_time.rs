use std::borrow::Cow;
use std::time::Duration;

use crate::ConfigProblem;
use crate::clock::UnixTime;
use crate::form::Usage;
use crate::rejection::Reason;
use crate::scheme::TimeFormat;
use crate::text::base64::decode_base64url_into;
use crate::window::{LONGEST, Validity, Window};

/// How a time is written behind the payload, between two separators.
///
/// ```
/// use tower_sso::scheme::Stamp;
///
/// assert_ne!(Stamp::Base62, Stamp::Base64Bytes);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stamp {
    /// Whole seconds since 1970 in base 62, with the digits `0-9A-Za-z`: Django's `signing.dumps` and
    /// `TimestampSigner`.
    Base62,
    /// Whole seconds since 1970 as bytes, the greatest first, in base64url without padding: itsdangerous.
    Base64Bytes,
}

impl Stamp {
    /// Whether a stamp may have this character.
    #[cfg(feature = "signed-payload")]
    pub(crate) fn may_have(self, letter: char) -> bool {
        letter.is_ascii_alphanumeric() || (self == Self::Base64Bytes && matches!(letter, '-' | '_'))
    }

    pub(crate) fn parse(self, text: &str) -> Option<UnixTime> {
        let seconds = match self {
            Self::Base62 => {
                let digit = |byte: u8| match byte {
                    b'0'..=b'9' => Some(byte - b'0'),
                    b'A'..=b'Z' => Some(byte - b'A' + 10),
                    b'a'..=b'z' => Some(byte - b'a' + 36),
                    _ => None,
                };
                // One spelling.
                if text.is_empty() || text.starts_with('0') {
                    return None;
                }
                text.bytes()
                    .try_fold(0_u64, |seconds, byte| seconds.checked_mul(62)?.checked_add(u64::from(digit(byte)?)))?
            }
            Self::Base64Bytes => {
                let mut bytes = [0; 8];
                // Eleven characters are eight bytes.
                let bytes = if text.len() > 11 { None } else { bytes.get_mut(..text.len() * 3 / 4) }?;
                decode_base64url_into(text.as_bytes(), bytes)?;
                // One spelling.
                if bytes.first().is_none_or(|first| *first == 0) {
                    return None;
                }
                bytes.iter().fold(0_u64, |seconds, byte| seconds << 8 | u64::from(*byte))
            }
        };
        Some(UnixTime::from_secs(seconds))
    }
}

/// What a credential says of its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedTime {
    /// Not chosen: the layer does not build.
    Unset,
    /// By `danger_without_time`.
    Without,
    IssuedAt {
        member: Cow<'static, str>,
        format: TimeFormat,
        may_be_absent: bool,
    },
    ExpiresAt {
        member: Cow<'static, str>,
        format: TimeFormat,
        longest: Duration,
    },
    Stamped(Stamp),
}

impl SignedTime {
    /// Whether every credential has a time.
    pub(crate) fn is_always_there(&self) -> bool {
        !matches!(self, Self::Unset | Self::Without | Self::IssuedAt { may_be_absent: true, .. })
    }

    /// The member that holds it.
    pub(crate) fn member(&self) -> Option<&Cow<'static, str>> {
        match self {
            Self::IssuedAt { member, .. } | Self::ExpiresAt { member, .. } => Some(member),
            Self::Unset | Self::Without | Self::Stamped(_) => None,
        }
    }

    /// How much of a credential's lifetime comes from the settings, not from the credential.
    pub(crate) fn longest_window(&self, window: &Window) -> Duration {
        match self {
            Self::Unset | Self::Without => Duration::ZERO,
            Self::ExpiresAt { .. } => window.clock_skew,
            Self::IssuedAt { .. } | Self::Stamped(_) => window.max_age,
        }
    }

    pub(crate) fn check(&self, usage: Usage) -> Result<(), ConfigProblem> {
        match self {
            Self::IssuedAt { format, .. } => format.check("issued_at")?,
            Self::ExpiresAt { format, .. } => format.check("expires_at")?,
            Self::Unset | Self::Without | Self::Stamped(_) => {}
        }
        match self {
            Self::IssuedAt { may_be_absent: true, .. } if usage == Usage::Reusable => {
                Err(ConfigProblem::setting("reusable", "lets a request without a time in for ever: call `issued_at`"))
            }
            Self::Unset => Err(ConfigProblem::setting(
                "issued_at",
                "is not called: say which signed part holds the time, by it or by `expires_at`, or call \
                 `danger_without_time`",
            )),
            Self::IssuedAt { member, .. } | Self::ExpiresAt { member, .. } if member.is_empty() => {
                Err(ConfigProblem::setting("issued_at", "has no name: say which member holds the time"))
            }
            Self::ExpiresAt { longest, .. } if *longest > LONGEST => Err(ConfigProblem::setting(
                "expires_at",
                "allows more than 31 days: a used credential would have to be remembered for as long",
            )),
            _ => Ok(()),
        }
    }

    /// When a credential is valid, by the time that it holds.
    pub(crate) fn validity(
        &self,
        window: &Window,
        stamp: Option<&str>,
        member: impl Fn(&str) -> Result<Option<String>, Reason>,
    ) -> Result<Validity, Reason> {
        let read = |name: &Cow<'static, str>, format: TimeFormat, text: &str| {
            format.parse(text).map_err(|what| Reason::BadClaim(name.clone(), what))
        };
        match self {
            Self::Unset | Self::Without => Ok(Validity::unlimited()),
            Self::IssuedAt { member: name, format, may_be_absent } => match member(name)? {
                Some(text) => Ok(format.validity(read(name, *format, &text)?, window)),
                None if *may_be_absent => Ok(Validity::unlimited()),
                None => Err(Reason::MissingClaim(name.clone())),
            },
            Self::ExpiresAt { member: name, format, longest } => {
                let text = member(name)?.ok_or_else(|| Reason::MissingClaim(name.clone()))?;
                let end = read(name, *format, &text)?;
                // One that ends later is not valid yet, so that none is remembered for longer than `longest`.
                Ok(Validity::between(None, end.minus(*longest), end, window.clock_skew))
            }
            Self::Stamped(format) => {
                let time = stamp.and_then(|text| format.parse(text));
                let time = time.ok_or(Reason::BadClaim("timestamp".into(), "is not written as it should be"))?;
                Ok(Validity::around_second(time, window))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_bytes_has_one_spelling() {
        for (text, expected, why) in [
            ("AQ", Some(1), "one byte"),
            ("ZVPxAA", Some(1_700_000_000), "four bytes"),
            ("__________8", Some(u64::MAX), "eight bytes"),
            ("AQAAAAAAAAAA", None, "nine bytes"),
            ("", None, "no byte"),
            ("AA", None, "a zero in front"),
            ("AGVT8QA", None, "a zero in front"),
            ("AQ==", None, "padding"),
            ("AR", None, "trailing bits that are not zero"),
            ("A", None, "no whole byte"),
            ("AQAAAAAAAAAAA", None, "no whole byte, too long"),
            ("+/8", None, "the other alphabet"),
            ("é", None, "no ASCII"),
        ] {
            assert_eq!(Stamp::Base64Bytes.parse(text), expected.map(UnixTime::from_secs), "{text:?}: {why}");
        }
    }
}
