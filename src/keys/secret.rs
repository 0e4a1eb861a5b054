use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, OnceLock};

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A shared secret. It is not shown by `Debug`, is wiped when its last copy goes, and is compared in constant time.
///
/// Cheap to clone: copies share the bytes, and what a form derives from them (a keyed MAC) is derived once.
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
    bytes: Zeroizing<Vec<u8>>,
    prepared: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Secret {
    /// A secret of these bytes. An empty or blank one is refused when a layer is built with it.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(Inner { bytes: Zeroizing::new(bytes.into()), prepared: OnceLock::new() }))
    }

    /// The secret itself. Do not log it, do not send it.
    pub fn expose(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The secret itself, where it is text. Do not log it, do not send it.
    ///
    /// ```
    /// use tower_sso::keys::Secret;
    ///
    /// assert_eq!(Secret::new("whsec-shared").expose_str(), Some("whsec-shared"));
    /// ```
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(self.expose()).ok()
    }

    /// What makes it unfit to be a secret at all, if anything does.
    pub(crate) fn weakness(&self) -> Option<&'static str> {
        if self.expose().is_empty() {
            return Some("is empty");
        }
        let blank = self.expose().iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0);
        blank.then_some("is blank")
    }

    /// As [`Self::try_with_prepared`], for what can be made of any secret.
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

    /// Hands `use_it` what `prepare` made of the secret's bytes, and of `depends_on`: whatever else the value depends on,
    /// such as the algorithm. It is made once as long as one form alone uses the secret; what could not be made is not kept.
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
        // The first one stays, whichever form or algorithm made it.
        _ = self.0.prepared.set(prepared);
        Ok(used)
    }
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
        for (secret, weakness) in
            [("", Some("is empty")), (" \t\n", Some("is blank")), ("\0\0", Some("is blank")), (" x ", None)]
        {
            assert_eq!(Secret::new(secret).weakness(), weakness, "{secret:?}");
        }
    }
}
