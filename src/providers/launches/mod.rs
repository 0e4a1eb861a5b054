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
//! | Front plugins | [`danger_front_plugin`] | [`shared_secret`](crate::shared_secret) |
//! | Nextcloud, to external apps | [`nextcloud_appapi`] | [`shared_secret`](crate::shared_secret) |

#[cfg(feature = "shared-secret")]
mod frames;

#[cfg(feature = "shared-secret")]
#[cfg_attr(docsrs, doc(cfg(feature = "shared-secret")))]
pub use frames::*;
