//! The webhook that brings a company and its key.

use serde::Deserialize;

use crate::Builder;
use crate::fernet;
use crate::keys::Secret;
use crate::webhook::{self, Webhook};

/// Starts the layer for `POST` with `Webhook-Signature`: the defaults of [`webhook::layer`].
///
/// `secrets` are shared with TutorCruncher: the first is current, the others are still accepted. TutorCruncher counts
/// only status 200 as success, but the layer counts a redirect too: put no redirecting layer inside, such as one that
/// demands a session. A delivery has no timestamp and can come again at any age: let the handler recognise duplicates,
/// and declare it with [`handler_remembers`](Builder::handler_remembers).
pub fn sign_up<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Builder<Webhook<CompanySignup>> {
    webhook::layer().secrets(secrets)
}

/// A company that signs up, and the key with which its users' links will be signed.
///
/// ```
/// use tower_sso::providers::tutorcruncher::CompanySignup;
///
/// let json = r#"{"company_id": 4321, "fernet_key": "38mnLQKJf5J0J0Il4-wHr-KnMnjAz8cZLTvDHEAwU-c=",
///                "admin_email": "ada@example.com", "admin_name": "Ada", "company_name": "DinoTutors"}"#;
/// let call: CompanySignup = serde_json::from_str(json)?;
/// assert_eq!(call.company_id, 4321);
/// assert!(!format!("{call:?}").contains("38mn"), "the key is not shown");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CompanySignup {
    /// The company's number; as text, it is the tenant of [`sso`](super::sso).
    pub company_id: i64,
    /// The company's new key, a valid Fernet key.
    #[serde(deserialize_with = "fernet_key")]
    pub fernet_key: Secret,
    /// The email address of the admin who signed the company up.
    pub admin_email: String,
    /// That admin's name.
    pub admin_name: String,
    /// The company's name.
    pub company_name: String,
}

fn fernet_key<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let key = Secret::new(String::deserialize(deserializer)?);
    fernet::check_key(&key).map_err(serde::de::Error::custom)?;
    Ok(key)
}
