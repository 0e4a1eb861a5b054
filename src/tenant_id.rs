//! The name of a tenant.

use std::fmt;

use smol_str::SmolStr;

/// A customer organisation with keys of its own, as the request names it.
///
/// Do not trust it before the signature is checked: it only selects the key. Cheap to clone; a name of up to 23 bytes
/// does not allocate.
///
/// ```
/// use tower_sso::keys::TenantId;
///
/// assert_eq!(TenantId::from("4321").as_str(), "4321");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(SmolStr);

impl TenantId {
    /// The tenant's name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for TenantId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for TenantId {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
