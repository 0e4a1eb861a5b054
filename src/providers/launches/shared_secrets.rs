//! Platforms that open an app with a secret of the customer's.

use http::{HeaderName, Method};

use super::ANY_METHOD;
use crate::Builder;
use crate::scheme::Place;
use crate::shared_secret::{self, NoClaims, SharedSecret, UserName};

/// Plugins of Front.
///
/// `?auth_secret=` of the plugin's frame is the secret, which names the customer and not the user. Nothing is signed,
/// and the same URL comes with every load. **The secret is in the URL, so whatever logs URLs has it.** Ask Front's
/// plugin library for the user.
///
/// Source: dev.frontapp.com, "Security".
///
/// ```
/// use tower_sso::{providers::launches, shared_secret::PrivateKeys};
///
/// let keys = PrivateKeys::new().with("acme", ["0123456789abcdef"])?;
/// let layer = launches::danger_front_plugin(keys).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn danger_front_plugin(keys: impl shared_secret::PrivateKeyStore) -> Builder<SharedSecret<NoClaims>> {
    shared_secret::layer(keys).danger_token_in_query("auth_secret").methods([Method::GET])
}

/// Calls of Nextcloud to an external app, by AppAPI.
///
/// `AUTHORIZATION-APP-API` is base64 of `user:secret`. [`UserName`] is the user on whose behalf the call comes. It is
/// empty if there is none. The caller proves only that it knows the secret: the body and the headers, such as
/// `EX-APP-ID`, are not signed. The body goes on unread.
///
/// Source: Nextcloud's developer manual, "AppAPI authentication".
///
/// ```
/// use tower_sso::providers::launches;
///
/// let layer = launches::nextcloud_appapi().secrets(["0123456789abcdef"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn nextcloud_appapi() -> Builder<SharedSecret<UserName>> {
    let header = Place::header(HeaderName::from_static("authorization-app-api"));
    shared_secret::by_tenant().password_in(header).methods(ANY_METHOD)
}
