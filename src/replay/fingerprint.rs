use std::fmt;

use sha2::{Digest, Sha256};

use crate::debug::opaque_debug;
use crate::text::hex::encode_hex;

/// What makes two credentials the same: a SHA-256 digest over the form and the credential's unique bytes, each preceded
/// by its length.
///
/// The tenant counts only if the form signs its name. The sender chooses an unsigned name, such as a host or
/// `company_id`: if it counted, one credential would sign in once under each name of its key.
///
/// It is safe to log and to store: it does not reveal the credential.
///
/// ```
/// use tower_sso::replay::FingerprintHasher;
///
/// let mut one = FingerprintHasher::new("fernet");
/// one.part(b"ab").part(b"c");
/// let mut other = FingerprintHasher::new("fernet");
/// other.part(b"a").part(b"bc");
/// assert_ne!(one.finish(), other.finish(), "parts cannot run into each other");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Fingerprint {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

/// In lower-case hexadecimal.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Makes a [`Fingerprint`] of a credential's unique parts.
///
/// ```
/// # use tower_sso::replay::FingerprintHasher;
/// let mut fingerprint = FingerprintHasher::new("fernet");
/// fingerprint.part(b"the MAC");
/// let key = fingerprint.finish();
/// ```
pub struct FingerprintHasher(Sha256);

impl FingerprintHasher {
    /// Starts with the form.
    pub fn new(form: &str) -> Self {
        let mut this = Self(Sha256::new());
        this.part(form.as_bytes());
        this
    }

    /// Adds the tenant, if the form signs its name.
    pub(crate) fn signed_tenant(&mut self, tenant: &str) {
        self.part(b"tenant").part(tenant.as_bytes());
    }

    /// Adds the layer's namespace. The empty default changes nothing.
    pub(crate) fn namespace(&mut self, namespace: &str) {
        if !namespace.is_empty() {
            self.part(b"scope").part(namespace.as_bytes());
        }
    }

    /// Adds a part, preceded by its length.
    pub fn part(&mut self, part: &[u8]) -> &mut Self {
        // One byte for short lengths, so that most credentials fit into one block of the digest.
        match u8::try_from(part.len()) {
            Ok(length) if length < u8::MAX => self.0.update([length]),
            _ => {
                self.0.update([u8::MAX]);
                self.0.update((part.len() as u64).to_be_bytes());
            }
        }
        self.0.update(part);
        self
    }

    /// The fingerprint.
    pub fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

opaque_debug!(FingerprintHasher);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_signed_tenant_namespace_and_parts_all_count() {
        let key = |form: &str, tenant: &str, namespace: &str, parts: &[&[u8]]| {
            let mut fingerprint = FingerprintHasher::new(form);
            if !tenant.is_empty() {
                fingerprint.signed_tenant(tenant);
            }
            fingerprint.namespace(namespace);
            parts.iter().for_each(|part| _ = fingerprint.part(part));
            fingerprint.finish()
        };
        let one = key("fernet", "acme", "", &[b"mac"]);
        for (other, why) in [
            (key("jwt", "acme", "", &[b"mac"]), "another form"),
            (key("fernet", "acm", "", &[b"emac"]), "another tenant"),
            (key("fernet", "", "", &[b"acme", b"mac"]), "a name that nobody signed"),
            (key("fernet", "acme", "a", &[b"mac"]), "another namespace"),
            (key("fernet", "acme", "", &[b"ma", b"c"]), "other parts"),
            (key("fernet", "acme", "", &[b"mad"]), "another MAC"),
        ] {
            assert_ne!(one, other, "{why}");
        }
        assert_eq!(one, key("fernet", "acme", "", &[b"mac"]));
        // Lengths of one byte and of more.
        let long = [b'x'; 600];
        for length in [253, 254, 255, 256, 511, 512] {
            let (whole, next) = (&long[..length], &long[..length + 1]);
            let cut = key("fernet", "acme", "", &[&whole[..length - 1], b"x"]);
            let keys = [key("fernet", "acme", "", &[whole]), key("fernet", "acme", "", &[next]), cut];
            assert_eq!(keys.iter().filter(|other| **other == keys[0]).count(), 1, "{length}");
        }
    }
}
