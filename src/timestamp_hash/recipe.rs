use std::borrow::Cow;
use std::fmt::Write;

use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::config::ConfigError;
use crate::keys::Secret;
use crate::mac::Digest;

const LONGEST_FIELD: usize = 1_024;

/// What is hashed, and how.
///
/// | made by | hash |
/// |---|---|
/// | [`Recipe::hmac`] | HMAC(key = secret, message = fields joined by a separator) |
/// | [`Recipe::form_as_key`] | HMAC(key = fields and secret as form data, message = nothing): LCvista |
/// | [`Recipe::digest_with_secret_last`] | plain digest(fields and then the secret, joined by a separator) |
///
/// ```
/// use tower_sso::timestamp_hash::{Digest, Recipe};
///
/// let lcvista = Recipe::form_as_key(Digest::Sha1, ["timestamp", "email", "slug"], "token");
/// assert_eq!(lcvista.digest(), Digest::Sha1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    digest: Digest,
    fields: Vec<Cow<'static, str>>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Hmac { separator: Cow<'static, str> },
    FormAsKey { secret_name: Cow<'static, str> },
    Digest { separator: Cow<'static, str> },
}

impl Recipe {
    /// The secret is the key, the fields are the message. A value that holds the separator is malformed, as the fields
    /// could be cut in another place.
    pub fn hmac<N: Into<Cow<'static, str>>>(
        digest: Digest,
        fields: impl IntoIterator<Item = N>,
        separator: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(digest, fields, Kind::Hmac { separator: separator.into() })
    }

    /// The fields and, under a name of its own, the secret are written as form data, as Python's `urlencode` writes it;
    /// that is the key of an HMAC over nothing.
    pub fn form_as_key<N: Into<Cow<'static, str>>>(
        digest: Digest,
        fields: impl IntoIterator<Item = N>,
        secret_name: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(digest, fields, Kind::FormAsKey { secret_name: secret_name.into() })
    }

    /// A plain digest of the fields and, last, the secret. Where the secret stands elsewhere, anyone could append to the
    /// message (length extension), so there is no recipe for that.
    pub fn digest_with_secret_last<N: Into<Cow<'static, str>>>(
        digest: Digest,
        fields: impl IntoIterator<Item = N>,
        separator: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(digest, fields, Kind::Digest { separator: separator.into() })
    }

    fn new<N: Into<Cow<'static, str>>>(digest: Digest, fields: impl IntoIterator<Item = N>, kind: Kind) -> Self {
        Self { digest, fields: fields.into_iter().map(Into::into).collect(), kind }
    }

    /// The digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &Cow<'static, str>> {
        self.fields.iter()
    }

    pub(super) fn check_value(&self, value: &str) -> Result<(), &'static str> {
        if value.is_empty() {
            return Err("is empty");
        }
        if value.len() > LONGEST_FIELD {
            return Err("is too long");
        }
        match &self.kind {
            Kind::Hmac { separator } | Kind::Digest { separator } if value.contains(separator.as_ref()) => {
                Err("holds the separator of the hashed fields")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check(&self, timestamp: &str) -> Result<(), ConfigError> {
        let problem = |problem: &'static str| Err(ConfigError::Setting { setting: "recipe", problem: problem.into() });
        if !self.fields.iter().any(|field| field == timestamp) {
            return problem("does not hash the timestamp: anyone could make a link new again");
        }
        if self.fields.len() < 2 {
            return problem("hashes nothing but the timestamp: say who the user is");
        }
        if self.fields.iter().enumerate().any(|(at, field)| self.fields.iter().take(at).any(|other| other == field)) {
            return problem("names a field twice");
        }
        match &self.kind {
            Kind::Hmac { separator } | Kind::Digest { separator } if separator.is_empty() => {
                problem("joins its fields without a separator: they could be cut in another place")
            }
            _ => Ok(()),
        }
    }

    /// Whether the hash was made of these fields. In constant time for a hash of the right length.
    pub(super) fn verify(&self, fields: &[String], secret: &Secret, mac: &[u8]) -> bool {
        match &self.kind {
            Kind::Hmac { separator } => self.digest.verify(secret, &[fields.join(separator.as_ref()).as_bytes()], mac),
            Kind::FormAsKey { secret_name } => {
                let key = self.form(fields, secret_name, secret.expose());
                self.digest.verify_with_key(&key, &[], mac)
            }
            Kind::Digest { separator } => {
                let mut message = Zeroizing::new(fields.join(separator.as_ref()).into_bytes());
                message.extend_from_slice(separator.as_bytes());
                message.extend_from_slice(secret.expose());
                self.plain_digest(&message).ct_eq(mac).into()
            }
        }
    }

    /// The hash of these fields.
    #[cfg(feature = "sign")]
    pub(crate) fn sign(&self, fields: &[String], secret: &Secret) -> Vec<u8> {
        match &self.kind {
            Kind::Hmac { separator } => self.digest.sign(secret, &[fields.join(separator.as_ref()).as_bytes()]),
            Kind::FormAsKey { secret_name } => {
                let key = self.form(fields, secret_name, secret.expose());
                self.digest.sign(&Secret::new(key.to_vec()), &[])
            }
            Kind::Digest { separator } => {
                let mut message = fields.join(separator.as_ref()).into_bytes();
                message.extend_from_slice(separator.as_bytes());
                message.extend_from_slice(secret.expose());
                self.plain_digest(&message)
            }
        }
    }

    fn plain_digest(&self, message: &[u8]) -> Vec<u8> {
        match self.digest {
            Digest::Sha1 => Sha1::digest(message).to_vec(),
            Digest::Sha256 => Sha256::digest(message).to_vec(),
            Digest::Sha384 => Sha384::digest(message).to_vec(),
            Digest::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// `name=value&…&secret_name=secret`, as Python's `urlencode` writes it.
    fn form(&self, fields: &[String], secret_name: &str, secret: &[u8]) -> Zeroizing<Vec<u8>> {
        let named = self.fields.iter().map(|name| name.as_bytes()).zip(fields.iter().map(String::as_bytes));
        let mut form = Zeroizing::new(String::with_capacity(256));
        for (name, value) in named.chain([(secret_name.as_bytes(), secret)]) {
            if !form.is_empty() {
                form.push('&');
            }
            quote_plus(name, &mut form);
            form.push('=');
            quote_plus(value, &mut form);
        }
        Zeroizing::new(form.as_bytes().to_vec())
    }
}

/// Python's `quote_plus`: a space becomes `+`; letters, digits, `_`, `.`, `-` and `~` stay; all else is escaped, upper-case.
fn quote_plus(bytes: &[u8], quoted: &mut String) {
    for &byte in bytes {
        match byte {
            b' ' => quoted.push('+'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => quoted.push(byte.into()),
            _ => _ = write!(quoted, "%{byte:02X}"),
        }
    }
}
