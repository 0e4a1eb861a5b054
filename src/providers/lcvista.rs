//! LCvista: `GET /sso/oauth/?timestamp=&email=&slug=&hash=&next=`.
//!
//! Source: LCvista's help page "Token Based Single Sign On". Its sample code swaps the roles: the data, with the secret
//! in it, is the HMAC's key, and the message is empty. Partners run that code, so the layer checks exactly that.
//!
//! ```
//! # #[cfg(all(feature = "moka", feature = "axum"))] {
//! use axum::{Router, http::Uri, response::Redirect, routing::get};
//! use tower_sso::Identity;
//! use tower_sso::keys::MemoryKeys;
//! use tower_sso::landing::LocalPath;
//! use tower_sso::providers::lcvista::{self, LcvistaUser};
//! use tower_sso::replay::MemoryReplay;
//!
//! async fn land(user: Identity<LcvistaUser>, uri: Uri) -> Redirect {
//!     // Find the user by user.email here, or answer 403. Then:
//!     Redirect::to(LocalPath::from_query(&uri, "next").unwrap_or_default().as_str())
//! }
//!
//! let keys = MemoryKeys::new().with("rainier", "the organisation's secret");
//! let sso = lcvista::sso(keys).replay(MemoryReplay::new()).build()?;
//! let app: Router = Router::new().route("/sso/oauth/", get(land).layer(sso));
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::Builder;
use crate::keys::KeyStore;
use crate::timestamp_hash::{self, Digest, Recipe, TimestampHash};

/// Starts the layer: HMAC-SHA1 over nothing, keyed with timestamp, email, slug and secret; 30 s past and 5 s ahead.
///
/// `keys` holds each organisation's secret under its slug. A raw `+` in an email address, which the sample does not
/// encode, works; so does an encoded one.
pub fn sso(keys: impl KeyStore) -> Builder<TimestampHash<LcvistaUser>> {
    timestamp_hash::layer(recipe()).keys(keys).tenant_field("slug")
}

/// The recipe of LCvista's hash.
///
/// ```
/// use tower_sso::timestamp_hash::Digest;
///
/// assert_eq!(tower_sso::providers::lcvista::recipe().digest(), Digest::Sha1);
/// ```
pub fn recipe() -> Recipe {
    Recipe::form_as_key(Digest::Sha1, ["timestamp", "email", "slug"], "token")
}

/// A user of an organisation. The application must find out whether a user with this email exists.
///
/// ```
/// use tower_sso::providers::lcvista::LcvistaUser;
///
/// let user: LcvistaUser = serde_json::from_str(r#"{"email": "admin@lcvista.com", "slug": "rainier"}"#)?;
/// assert_eq!(user.slug, "rainier");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LcvistaUser {
    /// The email address as the partner writes it. Case is never folded.
    pub email: String,
    /// The organisation, which is the tenant.
    pub slug: String,
}
