use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, OnceLock};

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A shared secret. `Debug` does not show it, its memory is wiped with the last copy, and it is compared in constant
/// time. One exception: the crate `fernet` leaves the two halves of a decoded Fernet key in freed memory.
///
/// Cheap to clone: copies share the bytes and what a form derives from them (a keyed MAC).
///
/// ```
/// use tower_sso::keys::Secret;
///
/// let secret = Secret::new("whsec-shared");
/// assert_eq!(format!("{secret:?}"), "Secret(…)");
/// assert_eq!(secret, Secret::new("whsec-shared"));
/// ```
#[derive(Clone)]
pub struct Secret(Arc<Inner>);

struct Inner {
    is_verbatim: bool,
    bytes: Zeroizing<Vec<u8>>,
    prepared: OnceLock<Box<dyn Any + Send + Sync>>,
    shared: OnceLock<Result<(), &'static str>>,
}

/// A secret of fewer bytes is found by trying, from one signature.
const LEAST: usize = 8;

impl Secret {
    /// A secret of these bytes. They are never trimmed.
    ///
    /// A layer is not built with one that is empty or blank, nor with text that begins or ends with white space, begins
    /// with a byte order mark or stands in quotation marks: that is almost always a slip in copying it, after which
    /// every credential is refused. So is an invisible character (a soft hyphen, a zero-width space) at either end, and
    /// inside where all else is ASCII: other writing may need joiners. So is a URL, a secret of fewer than eight bytes,
    /// and one that begins with `whsec_` in a layer that was not told by its
    /// [`SecretFormat`](crate::scheme::SecretFormat) what that means. [`Secret::verbatim`] is for those that are meant
    /// so. A slip in a key store that is asked for each request is logged at `WARN`, once for each tenant. Copy a
    /// secret as the partner's documentation uses it.
    ///
    /// A key in PEM or OpenSSH's format is refused where a MAC is checked with it, also one that a store finds later: a
    /// public key is known to everybody (CVE-2022-29217). So is a public key or a certificate without its PEM lines, in
    /// base64, in hexadecimal or as bytes, even one that was cut off. `Secret::verbatim` is no way around that.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of(bytes.into(), false)
    }

    /// A secret that truly begins or ends with white space, holds invisible characters, stands in quotation marks, is a
    /// URL, begins with `whsec_`, or is short.
    ///
    /// ```
    /// use tower_sso::keys::Secret;
    ///
    /// let secret = Secret::verbatim("ends in a blank ");
    /// assert_eq!(secret.expose(), b"ends in a blank ");
    /// ```
    pub fn verbatim(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of(bytes.into(), true)
    }

    fn of(bytes: Vec<u8>, is_verbatim: bool) -> Self {
        let (prepared, shared) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Inner { is_verbatim, bytes: Zeroizing::new(bytes), prepared, shared }))
    }

    /// The secret itself. Do not log or send it.
    pub fn expose(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The secret itself, if it is text. Do not log or send it.
    ///
    /// ```
    /// use tower_sso::keys::Secret;
    ///
    /// assert_eq!(Secret::new("whsec-shared").expose_str(), Some("whsec-shared"));
    /// ```
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(self.expose()).ok()
    }

    /// What [`check_shared`](super::pair::check_shared) has found.
    pub(super) fn shared(&self) -> &OnceLock<Result<(), &'static str>> {
        &self.0.shared
    }

    /// Why it cannot be a secret at all, if so.
    pub(crate) fn weakness(&self) -> Option<&'static str> {
        match self.expose() {
            [] => return Some("is empty"),
            // Asked in every check: most secrets need no more than a look at their first byte.
            [first, ..] if first.is_ascii_graphic() => return None,
            _ => {}
        }
        let text = self.expose_str()?;
        text.chars().all(|letter| is_blank(letter) || letter == '\0').then_some("is blank")
    }

    /// What makes it doubtful: a slip, or its length.
    pub(crate) fn doubt(&self) -> Option<&'static str> {
        self.slip().or_else(|| self.shortness())
    }

    /// Whether it can be guessed.
    pub(crate) fn shortness(&self) -> Option<&'static str> {
        let is_short = !self.0.is_verbatim && self.expose().len() < LEAST;
        is_short.then_some(
            "has fewer than eight bytes, so it can be guessed: ask for a longer one, or call `Secret::verbatim`",
        )
    }

    /// Whether it begins with the word that many senders write before base64.
    pub(crate) fn has_a_prefix(&self) -> bool {
        !self.0.is_verbatim && self.expose().starts_with(b"whsec_")
    }

    /// The likely copying mistake in it, if any. Checks only text: one in twenty random keys begins or ends with a byte
    /// that could be white space.
    pub(crate) fn slip(&self) -> Option<&'static str> {
        if !self.0.is_verbatim && [&b"https://"[..], b"http://"].iter().any(|start| self.expose().starts_with(start)) {
            return Some("is a URL: give the secret, or call `Secret::verbatim`");
        }
        let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        if self.expose().is_ascii() && is_plain(self.expose().last()) && is_plain(self.expose().first()) {
            return None;
        }
        let text = self.expose_str()?;
        // A PEM text usually ends with a line feed, and may begin with others.
        if self.0.is_verbatim || text.contains("-----BEGIN ") {
            return None;
        }
        let (first, last) = (text.chars().next()?, text.chars().next_back()?);
        match (first, last) {
            ('\u{feff}', _) => Some("begins with a byte order mark: take it out"),
            (_, '\n') => Some("ends with a line feed: take it out, or call `Secret::verbatim`"),
            (_, last) if last.is_whitespace() => Some("ends with white space: take it out, or call `Secret::verbatim`"),
            (first, _) if first.is_whitespace() => {
                Some("begins with white space: take it out, or call `Secret::verbatim`")
            }
            (first, last) if is_invisible(first) || is_invisible(last) || is_ascii_but_for_invisible(text) => {
                Some("holds an invisible character: take it out, or call `Secret::verbatim`")
            }
            ('"', '"') | ('\'', '\'') | ('`', '`') | ('“' | '”' | '„', '“' | '”') | ('‘' | '’', '‘' | '’')
                if text.len() > first.len_utf8() =>
            {
                Some("stands in quotation marks: take them off, or call `Secret::verbatim`")
            }
            _ => None,
        }
    }

    /// As [`Self::try_with_prepared`], for a value that can be made from any secret.
    pub(crate) fn with_prepared<K, P, T>(
        &self,
        depends_on: K,
        prepare: impl Fn(&[u8]) -> P,
        use_it: impl FnOnce(&P) -> T,
    ) -> T
    where
        K: Any + Send + Sync + PartialEq,
        P: Any + Send + Sync,
    {
        match self.try_with_prepared(depends_on, |bytes| Ok::<_, Infallible>(prepare(bytes)), use_it) {
            Ok(used) => used,
            Err(never) => match never {},
        }
    }

    /// Calls `use_it` with the value that `prepare` made from the secret's bytes and `depends_on`: everything else that
    /// the value depends on, such as the algorithm. The value is made once, as long as only one form uses the secret. A
    /// failure is not kept.
    pub(crate) fn try_with_prepared<K, P, T, E>(
        &self,
        depends_on: K,
        prepare: impl Fn(&[u8]) -> Result<P, E>,
        use_it: impl FnOnce(&P) -> T,
    ) -> Result<T, E>
    where
        K: Any + Send + Sync + PartialEq,
        P: Any + Send + Sync,
    {
        match self.0.prepared.get().and_then(|kept| kept.downcast_ref::<(K, P)>()) {
            Some((kept_for, prepared)) if *kept_for == depends_on => return Ok(use_it(prepared)),
            _ => {}
        }
        let prepared = Box::new((depends_on, prepare(self.expose())?));
        let used = use_it(&prepared.1);
        // The first value stays, whichever form or algorithm made it.
        _ = self.0.prepared.set(prepared);
        Ok(used)
    }
}

fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || is_invisible(letter)
}

/// Persian, Mongolian or an emoji may need an invisible character. ASCII text never does.
fn is_ascii_but_for_invisible(text: &str) -> bool {
    let mut others = text.chars().filter(|letter| !letter.is_ascii()).peekable();
    others.peek().is_some() && others.all(is_invisible)
}

/// Invisible characters: Unicode's `Default_Ignorable_Code_Point`, the other format characters (`Cf`) without a shape,
/// and the empty Braille cell.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_forms_may_share_a_secret() {
        let secret = Secret::new("shared");
        assert_eq!(secret.with_prepared((), <[u8]>::len, |length| *length), 6);
        assert_eq!(secret.with_prepared((), <[u8]>::to_vec, Vec::clone), b"shared");
        assert_eq!(secret.with_prepared((), |_| 0_usize, |length| *length), 6, "the first is prepared once");
        assert_eq!(secret.with_prepared(1_u8, |_| 0_usize, |length| *length), 0, "and for what it depends on");
    }

    #[test]
    fn what_could_not_be_prepared_is_not_kept() {
        let secret = Secret::new("shared");
        assert_eq!(secret.try_with_prepared("a", |_| Err::<usize, _>("no"), |length| *length), Err("no"));
        assert_eq!(secret.try_with_prepared("a", |bytes| Ok::<_, &str>(bytes.len()), |length| *length), Ok(6));
        assert_eq!(secret.try_with_prepared("a", |_| Err::<usize, _>("no"), |length| *length), Ok(6), "this one is");
        assert_eq!(secret.try_with_prepared("b", |_| Err::<usize, _>("no"), |length| *length), Err("no"));
    }

    #[test]
    fn weak_secrets() {
        for (secret, weakness) in [
            ("", Some("is empty")),
            (" \t\n", Some("is blank")),
            ("\0\0", Some("is blank")),
            ("\u{a0}\u{3000}\u{feff}\u{200b}\u{b}", Some("is blank")),
            (" x ", None),
        ] {
            assert_eq!(Secret::new(secret).weakness(), weakness, "{secret:?}");
        }
    }

    #[test]
    fn what_is_no_slip() {
        for (secret, why) in [
            (&b"c2VjcmV0Cg=="[..], "base64"),
            (b"whsec_C2FV", "a prefix"),
            (b"two words", "white space inside"),
            (b"\"", "one mark does not stand around anything"),
            (b"\"x", "nor does one at the beginning"),
            (b"\x8f\x01\xff\x0a", "random bytes may end in a line feed"),
            (b"\x20\x01\xff\x20", "or in a blank"),
            (b"-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n", "PEM ends with a line feed"),
        ] {
            assert_eq!(Secret::new(secret).slip(), None, "{why}");
        }
        for (secret, is_doubtful) in [
            ("7 bytes", true),
            ("8 bytes!", false),
            ("https://x.example/hook", true),
            ("http://x.example/hook", true),
            ("my-https://", false),
            (" x\n", true),
        ] {
            assert_eq!(Secret::new(secret).doubt().is_some(), is_doubtful, "{secret:?}");
            assert_eq!(Secret::verbatim(secret).doubt(), None, "{secret:?}");
        }
    }
}
