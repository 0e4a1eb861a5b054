//! Presets for platforms that open an app, as their documentation or libraries describe them.
//!
//! ```
//! # #[cfg(feature = "shared-secret")] {
//! use tower_sso::providers::launches;
//!
//! let verify = launches::nextcloud_appapi().secrets(["0123456789abcdef0123456789abcdef"]).build()?;
//! # }
//! # Ok::<(), tower_sso::ConfigError>(())
//! ```
//!
//! Give each secret as the platform's page shows it. Decide nothing by what a preset's documentation calls unsigned.
//!
//! | platform | preset | form |
//! |---|---|---|
//! | BigCommerce, `signed_payload` | [`bigcommerce_signed_payload`] | [`signed_payload`](crate::signed_payload) |
//! | Discourse, asking your app | [`discourse_provider`] | [`signed_payload`](crate::signed_payload) |
//! | Facebook, `signed_request` | [`facebook_signed_request`] | [`signed_payload`](crate::signed_payload) |
//! | Front plugins | [`danger_front_plugin`] | [`shared_secret`](crate::shared_secret) |
//! | Nextcloud, to external apps | [`nextcloud_appapi`] | [`shared_secret`](crate::shared_secret) |
//! | Salesforce Canvas | [`salesforce_canvas`] | [`signed_payload`](crate::signed_payload) |
//! | Wix, app instance | [`wix`] | [`signed_payload`](crate::signed_payload) |

#[cfg(feature = "shared-secret")]
mod frames;
#[cfg(feature = "signed-payload")]
mod payload;

#[cfg(feature = "shared-secret")]
#[cfg_attr(docsrs, doc(cfg(feature = "shared-secret")))]
pub use frames::*;
#[cfg(feature = "signed-payload")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-payload")))]
pub use payload::*;
