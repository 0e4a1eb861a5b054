/// The effect of a rotation on a tenant's keys.
///
/// ```
/// use tower_sso::keys::sql::Rotation;
///
/// /// Whether the rest of the call, such as the company's name, is to be applied too.
/// fn is_news(rotation: Rotation) -> bool {
///     rotation != Rotation::Repeated
/// }
/// assert!(is_news(Rotation::Unchanged));
/// ```
// Exhaustive: a call must not apply what goes with an outcome that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a repeated call must change nothing else either"]
pub enum Rotation {
    /// The tenant had no current key, and now has one.
    Created,
    /// The key replaced another, which is accepted for the grace period.
    Rotated,
    /// A new delivery with the current key. The delivery is recorded, the keys are unchanged.
    Unchanged,
    /// A duplicate of an applied delivery. Nothing was changed.
    Repeated,
}

/// Why a change or a look at the keys failed. Nothing was recorded.
///
/// ```
/// use tower_sso::keys::sql::SqlKeyError;
///
/// /// A partner's sender tries again after 5xx, which helps only where our side failed.
/// fn status(error: &SqlKeyError) -> u16 {
///     match error {
///         SqlKeyError::OwnedByAnotherTenant => 409,
///         SqlKeyError::Database(_) | SqlKeyError::MasterKey(_) => 503,
///         _ => 400,
///     }
/// }
/// assert_eq!(status(&SqlKeyError::OwnedByAnotherTenant), 409);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlKeyError {
    /// The key is or was another tenant's. Two tenants with one key could sign in for each other.
    #[error("the key belongs to another tenant")]
    OwnedByAnotherTenant,
    /// The tenant's name holds NUL or is longer than 512 bytes.
    #[error("the tenant's name {0}")]
    UnusableTenant(&'static str),
    /// The secret is empty or blank.
    #[error("the secret {0}")]
    UnusableSecret(&'static str),
    /// The master keys cannot be read, or are not those under which the secrets are encrypted. The text says what to
    /// do, and reveals nothing about the keys.
    #[error("master keys: {0}")]
    MasterKey(&'static str),
    /// The database failed. Its text may name tenants, never a secret.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}
