//! The token in a request: [`Token`].

use zeroize::Zeroizing;

use crate::text::base64::decode_base64;

/// How many bytes a token may have, with the user name beside it.
const LONGEST: usize = 1_024;

const BAD_LENGTH: &str = "is empty or too long";

/// How the token is written where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// As it is.
    Plain,
    /// `base64(user:password)`, all of which is the token.
    Credentials,
    /// `base64(user:password)`, of which the password is the token.
    Password,
    /// With white space, quotes or a byte order mark around it.
    #[cfg(feature = "explain")]
    Bare,
    /// Behind a word.
    #[cfg(feature = "explain")]
    LastWord,
    /// As base64.
    #[cfg(feature = "explain")]
    Decoded,
}

impl Written {
    /// How long what is written may be.
    fn longest(self) -> usize {
        match self {
            Self::Plain => LONGEST,
            Self::Credentials | Self::Password => 4 * LONGEST.div_ceil(3),
            // Tried after a refusal alone.
            #[cfg(feature = "explain")]
            Self::Bare | Self::LastWord | Self::Decoded => usize::MAX,
        }
    }
}

/// A token that was received, and the user name beside it.
pub(super) struct Token {
    text: Zeroizing<String>,
    /// How many bytes come before the token: the user name and the colon.
    start: usize,
    /// Where the user name ends.
    user: Option<usize>,
}

impl Token {
    pub(super) fn read(written: Written, text: &str) -> Result<Self, &'static str> {
        // Before it is copied: each copy is wiped, byte by byte, which takes longer than all else.
        if text.len() > written.longest() {
            return Err(BAD_LENGTH);
        }
        let plain = |text: &str| Self { text: text.to_owned().into(), start: 0, user: None };
        let token = match written {
            Written::Plain => plain(text),
            #[cfg(feature = "explain")]
            Written::Bare => {
                plain(text.trim_matches(|letter: char| letter.is_whitespace() || "\"'\u{feff}".contains(letter)))
            }
            #[cfg(feature = "explain")]
            Written::LastWord => plain(text.rsplit(' ').next().unwrap_or_default()),
            #[cfg(feature = "explain")]
            Written::Decoded => {
                let decoded = decode_base64(text).and_then(|bytes| String::from_utf8(bytes).ok());
                plain(&Zeroizing::new(decoded.ok_or("is not base64")?))
            }
            Written::Credentials | Written::Password => {
                const PROBLEM: &str = "is not base64 of `user:password`";
                // RFC 7617, 2: the user name has no colon, the password may.
                let bytes = Zeroizing::new(decode_base64(text).ok_or(PROBLEM)?);
                let decoded = Zeroizing::new(std::str::from_utf8(&bytes).map_err(|_| PROBLEM)?.to_owned());
                let colon = decoded.find(':').ok_or(PROBLEM)?;
                let start = if written == Written::Password { colon + 1 } else { 0 };
                Self { text: decoded, start, user: Some(colon) }
            }
        };
        if token.token().is_empty() || token.text.len() > LONGEST {
            return Err(BAD_LENGTH);
        }
        Ok(token)
    }

    pub(super) fn token(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.and_then(|end| self.text.get(..end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::base64::encode_base64;

    #[test]
    fn tokens_as_they_are_written() {
        use Written::{Credentials, Password, Plain};
        let encode = |text: &str| encode_base64(text.as_bytes());
        for (written, text, expected, why) in [
            (Plain, "k-1".to_owned(), Some(("k-1", None)), "plain"),
            (Plain, String::new(), None, "empty"),
            (Plain, "x".repeat(LONGEST), Some((&*"x".repeat(LONGEST), None)), "the longest"),
            (Plain, "x".repeat(LONGEST + 1), None, "too long"),
            (
                Credentials,
                encode(&format!("ada:{}", "x".repeat(LONGEST - 4))),
                Some((&*format!("ada:{}", "x".repeat(LONGEST - 4)), Some("ada"))),
                "the longest credentials",
            ),
            (Credentials, encode(&format!("ada:{}", "x".repeat(LONGEST - 3))), None, "longer ones"),
            (Credentials, encode("ada:pass"), Some(("ada:pass", Some("ada"))), "both are the token"),
            (Credentials, encode(":pass"), Some((":pass", Some(""))), "no user"),
            (Credentials, encode("ada"), None, "no colon"),
            (Password, encode("ada:pa:ss"), Some(("pa:ss", Some("ada"))), "a password with a colon"),
            (Password, encode("Zoë:pass"), Some(("pass", Some("Zoë"))), "UTF-8"),
            (Password, encode("ada:"), None, "an empty password"),
            (Password, encode(&"x".repeat(LONGEST + 1)), None, "too long"),
            (Password, "ada:pass".to_owned(), None, "not encoded"),
            (Password, encode("ada:pass").trim_end_matches('=').to_owned(), None, "no padding"),
            (Password, "/zpw".to_owned(), None, "not UTF-8"),
        ] {
            let token = Token::read(written, &text).ok();
            let read = token.as_ref().map(|token| (token.token(), token.user()));
            assert_eq!(read, expected, "{written:?}: {why}");
        }
    }
}
