use serde::Serialize;

use super::SignError;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::keys::Secret;
use crate::text::percent::percent_encoded;

/// Makes links with a Fernet token, as TutorCruncher does.
///
/// ```
/// use tower_sso::sign::{FernetLink, generate_fernet_key};
///
/// let key = generate_fernet_key();
/// let claims = serde_json::json!({"id": 123, "nm": "Samuel", "rt": "Contractor"});
/// let uri = FernetLink::new("https://app.example/sso", "4321", &key).uri(&claims)?;
/// assert!(uri.starts_with("https://app.example/sso?company_id=4321&token=gAAAA"));
/// # Ok::<(), tower_sso::sign::SignError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FernetLink {
    base: String,
    tenant: String,
    key: Secret,
    issued_at: Option<UnixTime>,
}

/// A new random Fernet key: 44 characters.
///
/// ```
/// assert_eq!(tower_sso::sign::generate_fernet_key().expose().len(), 44);
/// ```
pub fn generate_fernet_key() -> Secret {
    Secret::new(fernet::Fernet::generate_key())
}

impl FernetLink {
    /// Links to `base` for users of `tenant`.
    pub fn new(base: impl Into<String>, tenant: impl Into<String>, key: &Secret) -> Self {
        Self { base: base.into(), tenant: tenant.into(), key: key.clone(), issued_at: None }
    }

    /// The token's time, in whole seconds. Default: the system's clock.
    #[must_use]
    pub fn issued_at(mut self, time: UnixTime) -> Self {
        self.issued_at = Some(time);
        self
    }

    /// The link.
    ///
    /// # Errors
    /// If the key is not a Fernet key, or the claims cannot be written as JSON.
    pub fn uri(&self, claims: &impl Serialize) -> Result<String, SignError> {
        let (base, tenant) = (&self.base, percent_encoded(&self.tenant));
        Ok(format!(
            "{base}?company_id={tenant}&token={}",
            self.token(&serde_json::to_vec(claims).map_err(SignError::claims)?)?
        ))
    }

    /// A token with this content, which is not checked.
    ///
    /// # Errors
    /// If the key is not a Fernet key.
    pub fn token(&self, content: &[u8]) -> Result<String, SignError> {
        let issued_at = self.issued_at.unwrap_or_else(|| SystemClock.now());
        crate::steps::fernet(&self.key, content, issued_at)
    }
}
